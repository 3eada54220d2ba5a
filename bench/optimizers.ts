// Times one optimizer step beside tf.train's on the same backend and torch's on the same machine. See README.md.
import { spawn, spawnSync } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import * as tf from '@tensorflow/tfjs-core';
import type { Optimizer } from '@tfjs-torch/optim';
import { relativeError, tolerances } from '../test/tolerances';
import { machine, writeSection } from './report';

const { values } = parseArgs({
  options: {
    backends: { type: 'string' },
    optimizers: { type: 'string' },
    problems: { type: 'string' },
    /** Seconds for each row of a table, set-up not counted. */
    budget: { type: 'string' },
    threads: { type: 'string' },
    python: { type: 'string' },
    dry: { type: 'boolean' },
    /** Only says by how many bytes a process grows over 100 steps on this backend. */
    growth: { type: 'string' },
  },
});
const backends = (values.backends ?? 'tensorflow,wasm,cpu').split(',');
const names = (values.optimizers ?? 'SGD,Adam,AdamW,RMSprop').split(',');
const threads = values.threads ?? '2';
const python = values.python ?? process.env.TFJS_TORCH_PYTHON ?? 'python3';
const budget = 1000 * Number(values.budget ?? 3);

// Read when TensorFlow and our packages are loaded, so they are imported below.
Object.assign(process.env, {
  OMP_NUM_THREADS: threads,
  TF_NUM_INTRAOP_THREADS: threads,
  TF_NUM_INTEROP_THREADS: '1',
  TF_CPP_MIN_LOG_LEVEL: '2',
});
const { initBackend } = await import('@tfjs-torch/node');
const optim = await import('@tfjs-torch/optim');

function resnet18(): number[][] {
  const convolution = (out: number, into: number, size: number) => [[out, into, size, size], [out], [out]];
  const shapes = convolution(64, 3, 7);
  let channels = 64;
  for (const width of [64, 128, 256, 512]) {
    shapes.push(...convolution(width, channels, 3), ...convolution(width, width, 3));
    if (width !== channels) shapes.push(...convolution(width, channels, 1));
    shapes.push(...convolution(width, width, 3), ...convolution(width, width, 3));
    channels = width;
  }
  return [...shapes, [1000, 512], [1000]];
}
const many = (count: number, shape: number[]) => Array.from({ length: count }, () => shape);
const allProblems: Record<string, number[][]> = {
  '100 × 64': many(100, [64]),
  '200 × 64': many(200, [64]),
  '784-256-128-10': [[784, 256], [256], [256, 128], [128], [128, 10], [10]],
  'ResNet-18': resnet18(),
  '2M': [[2000, 1000]],
  '4 × 1M': many(4, [1000, 1000]),
};

/** A pair: ours and tf.train's with the same meaning. */
interface Pair {
  options: Record<string, number>;
  ours(params: tf.Variable[], options: Record<string, number>): Optimizer<object>;
  rule: unknown;
  theirs(options: Record<string, number>): tf.Optimizer;
  theirName: string;
  /** How far tf.train's may be from torch's rule; infinite where it is another one. */
  apart: number;
}
const lr = 1e-3;
const adam: Omit<Pair, 'ours' | 'rule' | 'apart'> = {
  options: { lr, eps: 1e-8 },
  theirs: () => tf.train.adam(lr, 0.9, 0.999, 1e-8),
  theirName: 'adam',
};
const pairs: Record<string, Pair> = {
  SGD: {
    options: { lr, momentum: 0.9 },
    ours: (params, options) => new optim.SGD(params, options),
    rule: optim.sgd,
    theirs: () => tf.train.momentum(lr, 0.9),
    theirName: 'momentum',
    apart: 1e-5,
  },
  // tfjs keeps beta^t in float32: its steps are up to 1e-5 off.
  Adam: { ...adam, ours: (params, options) => new optim.Adam(params, options), rule: optim.adam, apart: 1e-4 },
  // tf.train has no decay, so it does less.
  AdamW: {
    ...adam,
    options: { lr, weight_decay: 0.01 },
    ours: (params, options) => new optim.AdamW(params, options),
    rule: optim.adamw,
    apart: Number.POSITIVE_INFINITY,
  },
  RMSprop: {
    options: { lr, alpha: 0.99, eps: 1e-8 },
    ours: (params, options) => new optim.RMSprop(params, options),
    rule: optim.rmsprop,
    theirs: () => tf.train.rmsprop(lr, 0.99, 0, 1e-8),
    theirName: 'rmsprop',
    apart: 1e-4, // eps is inside of its root
  },
};

/** Values that are the same in every arm, away from zero. */
function noise(size: number, seed: number): Float32Array {
  let state = seed * 2654435761 + 1;
  return Float32Array.from({ length: size }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return state / 2 ** 31 + Math.sign(state) * 0.1;
  });
}
const factor = (k: number) => 1 + 0.5 * (k % 3);
/** Somebody writes to the first parameter from outside after so many steps. */
const written = (k: number) => k % 5 === 4;

/** One optimizer on variables of its own. */
class Arm {
  readonly times: number[] = [];
  readonly variables: tf.Variable[];
  readonly #gradients: tf.Tensor[];
  #done = 0;

  constructor(
    shapes: readonly number[][],
    private readonly step: (variables: tf.Variable[], grads: tf.Tensor[]) => void,
    private readonly free: () => void,
  ) {
    const tensors = (seed: number) =>
      shapes.map((shape, i) => tf.tensor(noise(tf.util.sizeFromShape(shape), seed + i), shape));
    const starts = tensors(0);
    this.variables = starts.map((t) => tf.variable(t));
    tf.dispose(starts);
    this.#gradients = tensors(1000);
  }

  get done() {
    return this.#done;
  }

  run(steps: number) {
    for (let n = 0; n < steps; n++) {
      const k = this.#done++;
      const grads = this.#gradients.map((g) => tf.mul(g, factor(k)));
      // A forward pass reads all parameters; reading the result waits for the backend.
      tf.tidy(() => tf.addN(this.variables.map((v) => tf.sum(tf.mul(v, 0.5)))).dataSync());
      if (written(k)) tf.tidy(() => this.variables[0]!.assign(tf.mul(this.variables[0]!, 0.5)));
      const before = performance.now();
      this.step(this.variables, grads);
      this.times.push(performance.now() - before);
      tf.dispose(grads);
    }
  }

  /** The largest error against torch's rule in float64; of a large parameter, its first values. */
  distance({ rule, options }: Pair): number {
    const h = { ...(rule as { defaults: object }).defaults, ...options };
    const errors = this.variables.map((v, i) => {
      const size = Math.min(v.size, 500);
      const [param, gradient] = [noise(size, i), noise(size, 1000 + i)].map((x) => Float64Array.from(x)) as [
        Float64Array,
        Float64Array,
      ];
      const state = optim.referenceState(rule as never, h as never, size);
      for (let k = 0; k < this.#done; k++) {
        if (i === 0 && written(k)) param.set(param.map((x) => x * 0.5));
        const grad = gradient.map((x) => Math.fround(x * factor(k)));
        optim.referenceStep(rule as never, h as never, param, grad, state);
      }
      return relativeError(v.dataSync().slice(0, size), param);
    });
    return Math.max(...errors);
  }

  dispose() {
    this.free();
    tf.dispose([...this.variables, ...this.#gradients]);
  }
}

function ourArm(pair: Pair, shapes: readonly number[][]) {
  let optimizer: Optimizer<object> | undefined;
  return new Arm(
    shapes,
    (variables, grads) => {
      optimizer ??= pair.ours(variables, pair.options);
      variables.forEach((v, i) => {
        v.grad = grads[i] as unknown as typeof v.grad;
      });
      optimizer.step();
      optimizer.zero_grad();
    },
    () => optimizer?.dispose(),
  );
}
function theirArm(pair: Pair, shapes: readonly number[][]) {
  const optimizer = pair.theirs(pair.options);
  return new Arm(
    shapes,
    (variables, grads) => optimizer.applyGradients(variables.map((v, i) => ({ name: v.name, tensor: grads[i]! }))),
    () => optimizer.dispose(),
  );
}

/** torch in a process of its own; null where it is not installed. */
async function startTorch() {
  const program = fileURLToPath(new URL('torch_optimizers.py', import.meta.url));
  const child = spawn(python, [program, threads], { stdio: ['pipe', 'pipe', 'ignore'] });
  child.on('error', () => {});
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async () => {
    const { value, done } = await lines.next();
    return done ? undefined : (JSON.parse(value) as unknown);
  };
  const version = await answer();
  if (version === undefined) return null;
  return {
    version: String(version),
    async run(asked: object) {
      child.stdin.write(`${JSON.stringify(asked)}\n`);
      return (await answer()) as number[] | null;
    },
    stop: () => child.kill(),
  };
}
const variants = ['for-loop', 'foreach', 'fused'] as const;

/** By how many bytes this process grows: 100 steps of Adam on 4 × 1M, everything that it needs included. */
async function growth(backend: string) {
  await initBackend({ backend, quiet: true });
  const shapes = allProblems['4 × 1M']!;
  // What the first use of a backend takes is not counted.
  const small = ourArm(pairs.Adam!, [[10]]);
  small.run(5);
  const before = process.memoryUsage.rss();
  const variables = shapes.map((shape) => tf.tidy(() => tf.variable(tf.fill(shape, 0))));
  const gradients = shapes.map((shape) => tf.fill(shape, 1));
  const optimizer = pairs.Adam!.ours(variables, { lr });
  let most = 0;
  for (let k = 0; k < 100; k++) {
    variables.forEach((v, i) => {
      v.grad = gradients[i] as unknown as typeof v.grad;
    });
    optimizer.step();
    most = Math.max(most, process.memoryUsage.rss());
  }
  return most - before;
}

/** Bytes read and written in a second by so many threads that copy. */
async function bandwidth(copiers: number) {
  const program = `
    const { parentPort } = require('node:worker_threads');
    const [from, to] = [new Float32Array(2 ** 24).fill(1), new Float32Array(2 ** 24).fill(2)];
    parentPort.on('message', () => {
      const start = performance.now();
      for (let i = 0; i < 8; i++) to.set(from);
      parentPort.postMessage(8 * 2 * from.byteLength / (performance.now() - start) * 1000);
    });
    parentPort.postMessage(0);`;
  const workers = Array.from({ length: copiers }, () => new Worker(program, { eval: true }));
  const heard = (worker: Worker) => new Promise<number>((resolve) => worker.once('message', resolve));
  await Promise.all(workers.map(heard));
  let best = 0;
  for (let round = 0; round < 5; round++) {
    const rates = workers.map(heard);
    for (const worker of workers) worker.postMessage(null);
    best = Math.max(
      best,
      (await Promise.all(rates)).reduce((a, b) => a + b, 0),
    );
  }
  await Promise.all(workers.map((worker) => worker.terminate()));
  return best;
}

const median = (xs: readonly number[]) => [...xs].sort((a, b) => a - b)[Math.floor(xs.length / 2)]!;
const ms = (x: number | null | undefined) =>
  x == null ? '-' : x < 1 ? x.toFixed(3) : x < 100 ? x.toFixed(2) : x.toFixed(0);
const times = (x: number) => `${x < 10 ? x.toFixed(1) : x.toFixed(0)} ×`;
const listed = (header: string[], rows: string[][]) =>
  [header, header.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');

if (values.growth) {
  process.stdout.write(String(await growth(values.growth)));
  process.exit();
}

type Torch = Awaited<ReturnType<typeof startTorch>>;

async function row(name: string, problem: string, torch: Torch) {
  const pair = pairs[name]!;
  const shapes = allProblems[problem]!;
  const count = shapes.reduce((sum, shape) => sum + tf.util.sizeFromShape(shape), 0);
  const mine = ourArm(pair, shapes);
  const bytes = tf.memory().numBytes;
  mine.run(5);
  const state = (tf.memory().numBytes - bytes) / count;
  const error = mine.distance(pair);
  if (!(error <= tolerances.optimOps)) throw new Error(`${name} on ${tf.getBackend()} is ${error} from torch's rule`);
  const theirs = theirArm(pair, shapes);
  theirs.run(1);
  const slow = theirs.times[0]! > 500;
  if (!slow) theirs.run(4);
  const apart = theirs.distance(pair);
  if (!(apart <= pair.apart)) throw new Error(`tf.train.${pair.theirName} is ${apart} from torch's rule`);

  const arms = [mine, theirs];
  const perTurn = (list: readonly number[]) => Math.min(10, Math.max(1, Math.round(50 / median(list))));
  const turns: (() => Promise<void> | void)[] = arms.map((arm) => {
    const steps = perTurn(arm.times);
    arm.times.length = 0;
    return () => arm.run(steps);
  });
  const torchTimes: number[][] = [];
  for (const [i, variant] of (torch ? variants : []).entries()) {
    const asked = { optimizer: name, options: pair.options, shapes, variant };
    const first = await torch!.run({ ...asked, steps: 3 });
    if (!first) continue;
    const list: number[] = [];
    torchTimes[i] = list;
    turns.push(async () => {
      list.push(...(await torch!.run({ ...asked, steps: perTurn(first) }))!);
    });
  }

  const start = performance.now();
  for (let round = 0; round < 3 || (round < 30 && performance.now() - start < budget); round++) {
    for (const turn of turns) await turn();
  }
  for (const arm of arms) arm.dispose();
  const [ours, other] = arms.map((arm) => median(arm.times)) as [number, number];
  const least = Math.min(...mine.times);
  const ofTorch = variants.map((_, i) => (torchTimes[i] ? median(torchTimes[i]) : null));
  const fused = ofTorch[2];
  const cells = [`${name}, ${problem}`, ms(other), `${ms(ours)} (${ms(least)})`, times(other / ours)];
  if (torch) cells.push(...ofTorch.map(ms), fused ? (ours / fused).toFixed(2) : '-');
  return { cells: [...cells, state.toFixed(1)], ours, count };
}

const torch = await startTorch();
const copy = { 1: await bandwidth(1), all: await bandwidth(Number(threads)) };
const problems = values.problems?.split(',') ?? Object.keys(allProblems);

/** A table of these optimizers and problems; with plain tfjs operations, or what is the default on the backend. */
async function table(backend: string, executor: 'ops' | null, names: readonly string[], problems: readonly string[]) {
  await initBackend({ backend, quiet: true });
  optim.setExecutor(executor);
  const beside = backend === 'tensorflow' ? torch : null;
  const said = new optim.Adam([tf.variable(tf.zeros([1]))]).executor;
  const header = ['', 'tf.train', 'tfjs-torch (least)', 'faster'];
  if (beside) header.push(...variants.map((variant) => `torch ${variant}`), 'of torch fused');
  header.push('state, bytes');
  const rows: string[][] = [];
  let limit = '';
  for (const name of names) {
    for (const problem of problems) {
      const { cells, ours, count } = await row(name, problem, beside);
      process.stderr.write(`${Math.round(performance.now() / 1000)} s: ${backend}: ${cells.join(' | ')}\n`);
      rows.push(cells);
      if (name !== 'Adam' || problem !== '4 × 1M') continue;
      const rate = backend === 'tensorflow' ? copy.all : copy[1];
      const least = ((28 * count) / rate) * 1000;
      limit = `Adam on 4 × 1M moves 28 bytes for each value, which takes ${ms(least)} ms at the rate of a copy: ${times(ours / least)} of that.\n`;
    }
  }
  return `## ${backend}, executor ${said}\n\n${listed(header, rows)}\n\n${limit}`;
}

function grown(backend: string) {
  const { stdout } = spawnSync(
    process.execPath,
    [...process.execArgv, fileURLToPath(import.meta.url), '--growth', backend, '--threads', threads],
    { encoding: 'utf8' },
  );
  return `Over 100 steps of Adam on 4 × 1M the process grows by ${(Number(stdout) / (4e6 * 4)).toFixed(2)} times the parameters at most; parameters, gradients, state
and one more copy of the parameters are 5.
`;
}

const sections: string[] = [];
for (const backend of backends) {
  sections.push((await table(backend, null, names, problems)) + grown(backend));
  // What a user has where no kernel can be built.
  if (backend !== 'tensorflow') continue;
  const chosen = problems.filter((problem) => ['100 × 64', '784-256-128-10'].includes(problem));
  if (names.includes('Adam') && chosen.length > 0) sections.push(await table(backend, 'ops', ['Adam'], chosen));
}
torch?.stop();

const report = `# One optimizer step

In ms, medians; \`pnpm bench:optimizers\` writes this section. ${machine()}, ${threads} threads (wasm and cpu: 1), arms
interleaved${torch ? `, torch ${torch.version}, whose times include Python's` : ', torch is not installed'}. Between two timed steps the gradients are made anew, a forward pass
reads all parameters, and every fifth time somebody writes to one. SGD has momentum 0.9 and stands beside
tf.train.momentum, AdamW beside tf.train.adam, which does not decay. A copy moves ${(copy[1] / 1e9).toFixed(1)} GB/s on one thread and
${(copy.all / 1e9).toFixed(1)} on ${threads}, reads and writes counted.

${sections.join('\n')}`;
console.log(report);
if (!values.dry) writeSection(report);
process.exit();
