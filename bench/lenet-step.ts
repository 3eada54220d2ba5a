// Times a whole LeNet training step (forward, loss, backward, Adam; batch 64) of ours beside torch's. See README.md.
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { head } from '../test/parity/golden';

const { values } = parseArgs({
  options: {
    backends: { type: 'string' },
    threads: { type: 'string' },
    rounds: { type: 'string' },
    steps: { type: 'string' },
    python: { type: 'string' },
  },
});
const { backends = 'tensorflow,wasm', threads = '2', rounds = '15', steps = '10' } = values;
const python = values.python ?? process.env.TFJS_TORCH_PYTHON ?? 'python3';
const here = (file: string) => fileURLToPath(new URL(file, import.meta.url));

const env = {
  ...process.env,
  OMP_NUM_THREADS: threads,
  TF_NUM_INTRAOP_THREADS: threads,
  TF_NUM_INTEROP_THREADS: '1',
  TF_CPP_MIN_LOG_LEVEL: '2',
};

interface Round {
  losses: number[];
  times: number[];
}

/** A process that trains the same net on the same batches and answers with the times of its steps. */
class Arm {
  readonly times: number[] = [];
  name = '';
  private complaints = '';
  private readonly lines: AsyncIterator<string>;

  private constructor(private readonly process: ChildProcessWithoutNullStreams) {
    this.lines = createInterface({ input: process.stdout })[Symbol.asyncIterator]();
    process.stderr.on('data', (data) => {
      this.complaints += data;
    });
  }

  static async start(command: string, args: string[]): Promise<Arm> {
    const child = spawn(command, args, { env, stdio: 'pipe' });
    const failed = once(child, 'error').then(([error]) => Promise.reject(error));
    const arm = new Arm(child);
    arm.name = (await Promise.race([arm.answer<{ name: string }>(), failed])).name;
    return arm;
  }

  run(steps: number): Promise<Round> {
    this.process.stdin.write(`${steps}\n`);
    return this.answer();
  }

  private async answer<T>(): Promise<T> {
    const { value, done } = await this.lines.next();
    // Python's and Node's last lines say what happened.
    if (done) throw new Error(`${this.name || this.process.spawnfile}: ${this.complaints.trim().slice(-500)}`);
    return JSON.parse(value) as T;
  }

  stop() {
    this.process.stdin.end();
  }
}

/** Fails unless the losses are torch's: the time of a wrong step says nothing. */
function assertLosses(name: string, losses: number[]) {
  const variants = Object.values(head.free_run.runs[0]!.losses);
  losses.forEach((loss, step) => {
    const distance = Math.min(...variants.map((variant) => Math.abs(loss - variant[step]!)));
    if (!(distance <= 1e-6)) throw new Error(`${name}: loss ${loss} at step ${step + 1}, ${distance} from torch's`);
  });
}

const median = (values: number[]) => [...values].sort((a, b) => a - b)[values.length >> 1]!;

const arms: Arm[] = [];
for (const backend of backends.split(',')) {
  const args = ['--import', 'tsx', '--conditions=tfjs-torch-source', here('our-step.ts'), backend];
  arms.push(await Arm.start(process.execPath, args));
}
const torch = await Arm.start(python, [here('torch_step.py'), threads]).catch((error: Error) => {
  console.log(`torch is left out: ${error.message} (give a Python that has it by --python or TFJS_TORCH_PYTHON)`);
});
if (torch) arms.push(torch);

for (const arm of arms) assertLosses(arm.name, (await arm.run(10)).losses);
for (let round = 0; round < Number(rounds); round++) {
  for (const arm of arms) arm.times.push(...(await arm.run(Number(steps))).times);
}
for (const arm of arms) arm.stop();

const rows = arms.map((arm) => {
  const ms = median(arm.times);
  const ratio = torch ? (ms / median(torch.times)).toFixed(2) : '-';
  return `| ${arm.name} | ${ms.toFixed(2)} | ${Math.min(...arm.times).toFixed(2)} | ${ratio} |`;
});
const report = `# A LeNet training step, batch 64

Forward, loss, backward and Adam, in ms; \`pnpm bench\` writes this file. Ratio: our median over torch's.
${cpus().length} × ${cpus()[0]?.model.trim()}, ${threads} threads (wasm: 1), Node ${process.version}, ${rounds} rounds of ${steps} steps, arms interleaved.

| | median | least | ratio |
|---|---|---|---|
${rows.join('\n')}
`;
console.log(report);
writeFileSync(here('results.md'), report);
