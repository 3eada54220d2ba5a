// Times a whole training step (forward, loss, backward, Adam; batch 64) of three networks beside torch's. See README.md.
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpus } from 'node:os';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { writeSection } from './report';

const { values } = parseArgs({
  options: {
    networks: { type: 'string' },
    backends: { type: 'string' },
    threads: { type: 'string' },
    rounds: { type: 'string' },
    steps: { type: 'string' },
    python: { type: 'string' },
    profile: { type: 'string' },
    dry: { type: 'boolean' },
  },
});
const { backends = 'tensorflow,wasm', threads = '2', rounds = '15', steps = '10' } = values;
const networks = (values.networks ?? 'cifar,lenet,mlp').split(',');
const python = values.python ?? process.env.TFJS_TORCH_PYTHON ?? 'python3';
const here = (file: string) => fileURLToPath(new URL(file, import.meta.url));

const titles: Record<string, string> = {
  cifar: 'The CIFAR-10 network of the seeds: 3 convolutions of 5×5 to 32, 32 and 64 channels, each pooled; 1024-64-10',
  lenet: 'LeNet on 28×28',
  mlp: 'The perceptron 784-256-128-10',
};

const env = {
  ...process.env,
  OMP_NUM_THREADS: threads,
  TF_NUM_INTRAOP_THREADS: threads,
  TF_NUM_INTEROP_THREADS: '1',
  TF_CPP_MIN_LOG_LEVEL: '2',
};

/** In ms: forward, backward, optimizer, all of it. */
type Times = [number, number, number, number];
type Kernel = [name: string, calls: number, ms: number];

interface Answer {
  losses: number[];
  times: Times[];
  kernels: Kernel[];
}

/** A process that trains the networks on the same batches and answers with the times of its steps. */
class Arm {
  readonly times: Record<string, Times[]> = {};
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

  ask(what: 'steps' | 'kernels', network: string, count: number | string): Promise<Answer> {
    this.process.stdin.write(`${what} ${network} ${count}\n`);
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

const arms: Arm[] = [];
for (const backend of backends.split(',')) {
  // What is published: tsx, which reads the sources, names every function anew each time it is made.
  const args = ['--import', 'tsx', here('our-step.ts'), backend];
  if (values.profile) args.unshift('--cpu-prof', `--cpu-prof-dir=${values.profile}`);
  arms.push(await Arm.start(process.execPath, args));
}
const torch = await Arm.start(python, [here('torch_step.py'), threads]).catch((error: Error) => {
  console.log(`torch is left out: ${error.message} (give a Python that has it by --python or TFJS_TORCH_PYTHON)`);
});
if (torch) arms.push(torch);

/** Warms the arms up. Fails unless the losses are torch's: the time of a wrong step says nothing. */
async function assertLosses(network: string) {
  const expected = await torch?.ask('steps', network, 10);
  for (const arm of arms) {
    if (arm === torch) continue;
    const { losses } = await arm.ask('steps', network, 10);
    expected?.losses.forEach((loss, i) => {
      const error = Math.abs(losses[i]! - loss) / loss;
      if (!(error <= 1e-5))
        throw new Error(`${arm.name}, ${network}: loss ${losses[i]} at step ${i + 1}, torch ${loss}`);
    });
  }
}

const median = (numbers: number[]) => [...numbers].sort((a, b) => a - b)[numbers.length >> 1]!;

function timesTable(network: string): string {
  const part = (arm: Arm, i: number) => arm.times[network]!.map((times) => times[i]!);
  const least = (arm: Arm) => Math.min(...part(arm, 3));
  const ratio = (of: (arm: Arm) => number, arm: Arm) => (torch ? (of(arm) / of(torch)).toFixed(2) : '-');
  const rows = arms.map((arm) => {
    const medians = [0, 1, 2, 3].map((i) => median(part(arm, i)).toFixed(2));
    const ofMedian = ratio((a) => median(part(a, 3)), arm);
    return `| ${[arm.name, ...medians, ofMedian, least(arm).toFixed(2), ratio(least, arm)].join(' | ')} |`;
  });
  return `| | forward | backward | optimizer | all | ratio | least | ratio |
|---|---|---|---|---|---|---|---|
${rows.join('\n')}`;
}

/** Where a step's time goes: the operations that take most of it, in ms and calls. */
async function kernelLine(arm: Arm, network: string): Promise<string | null> {
  const { kernels, times } = await arm.ask('kernels', network, 30);
  if (kernels.length === 0) return null;
  const all = median(times.map((t) => t[3]));
  const most = kernels.sort((a, b) => b[2] - a[2]).slice(0, 10);
  const sum = kernels.reduce((total, [, , ms]) => total + ms, 0);
  const calls = kernels.reduce((total, [, n]) => total + n, 0);
  const list = most.map(([name, n, ms]) => `${name} ${ms.toFixed(2)} (${Math.round(n)})`).join(', ');
  return `${arm.name}: ${list}; ${Math.round(calls)} calls ${sum.toFixed(2)} of ${all.toFixed(2)}`;
}

for (const network of networks) {
  await assertLosses(network);
  for (let round = 0; round < Number(rounds); round++) {
    for (const arm of arms) {
      const { times } = await arm.ask('steps', network, steps);
      arm.times[network] = [...(arm.times[network] ?? []), ...times];
    }
  }
}
const sections: string[] = [];
for (const network of networks) {
  const lines: string[] = [];
  for (const arm of arms) {
    const line = await kernelLine(arm, network);
    if (line) lines.push(`- ${line}`);
  }
  sections.push(`## ${titles[network]}\n\n${timesTable(network)}\n\n${lines.join('\n')}\n`);
}
for (const arm of arms) arm.stop();

const report = `# A training step, batch 64

Forward with the loss, backward, Adam, and all of it, in ms: medians, and the least. Ratio: ours over torch's.
Below each table the operations that take most of a step, in ms and, in brackets, calls (measured apart).
\`pnpm bench:steps\` writes this section. ${cpus().length} × ${cpus()[0]?.model.trim()}, ${threads} threads (wasm: 1), Node ${process.version}, ${rounds} rounds of ${steps} steps, arms interleaved.

${sections.join('\n')}`;
console.log(report);
if (!values.dry) writeSection(report);
