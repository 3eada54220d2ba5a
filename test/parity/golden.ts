import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { HostTensor, Trace } from '@tfjs-torch/parity';

/** What scripts/golden/lenet.py records; its comments say how. */
export interface Head {
  format: number;
  torch: string;
  made_on: { cpu: string; capability: string; cores: number; platform: string };
  threads: number;
  seed: number;
  batch_size: number;
  lr: number;
  tensors: { name: string; shape: number[] }[];
  fixed_point: number;
  states: State[];
  free_run: { judged: number; runs: FreeRun[] };
  /** Of two epochs, with an evaluation between them. */
  first_batches: number[][];
  /** Of the test set in percent, after each epoch, by each of torch's two CPU paths. */
  accuracy: Record<string, number[]>;
}

export interface State {
  step: number;
  indices: number[];
  /** torch.float64's. */
  loss: number;
  /** The largest magnitude in each gradient tensor. */
  largest: number[];
  /** How far torch.float32 itself is from torch.float64, on two of its CPU paths. */
  own: Record<'mkldnn' | 'native', { loss: number; gradient: number }>;
}

export interface FreeRun {
  seed: number;
  /** Of the first batches. */
  indices: number[][];
  losses: Record<string, number[]>;
}

const folder = new URL('../golden/lenet/', import.meta.url);
export const head = JSON.parse(readFileSync(new URL('head.json', folder), 'utf8')) as Head;
if (head.format !== 1) throw new Error(`test/golden/lenet has format ${head.format}, expected 1`);

const sizes = head.tensors.map(({ shape }) => shape.reduce((a, b) => a * b, 1));
const starts: number[] = [];
let total = 0;
for (const size of sizes) {
  starts.push(total);
  total += size;
}

/** The planes of bytes of every state, put together to 32-bit words whose low bytes are zero if `width` < 4. */
function readWords(file: string, width: number): Int32Array[] {
  const bytes = gunzipSync(new Uint8Array(readFileSync(new URL(file, folder))));
  return head.states.map((_, state) => {
    const words = new Int32Array(total);
    for (let plane = 0; plane < width; plane++) {
      const from = (state * width + plane) * total;
      const shift = 8 * (4 - width + plane);
      for (let i = 0; i < total; i++) words[i]! |= bytes[from + i]! << shift;
    }
    return words;
  });
}

const perTensor = <T>(cut: (from: number, to: number) => T): T[] =>
  starts.map((start, i) => cut(start, start + sizes[i]!));

const weightWords = readWords('weights.bin.gz', 4);
const gradientWords = readWords('gradients.bin.gz', 3);

const byName = (arrays: readonly HostTensor['data'][], dtype: HostTensor['dtype']): Record<string, HostTensor> =>
  Object.fromEntries(head.tensors.map(({ name, shape }, i) => [name, { dtype, shape, data: arrays[i]! }]));

/** The weights of the `index`-th state. */
function weightsOf(index: number) {
  const values = new Float32Array(weightWords[index]!.buffer);
  return byName(
    perTensor((from, to) => values.slice(from, to)),
    'float32',
  );
}

/** torch.float64's gradients at the `index`-th state, to 6e-8 of the largest value of each tensor. */
function gradientsOf(index: number) {
  const { largest } = head.states[index]!;
  const words = gradientWords[index]!;
  const parts = perTensor((from, to) => words.subarray(from, to));
  return byName(
    parts.map((part, tensor) => Float64Array.from(part, (word) => ((word >> 8) / head.fixed_point) * largest[tensor]!)),
    'float64',
  );
}

/**
 * The states as a golden of @tfjs-torch/parity, whose batches are indices of the training set. On disk they are planes of bytes
 * with gradients in 24 bits: 8 MB, and in the package's own format 13.
 */
export const goldenOf = (states: readonly number[]): Trace => ({
  head: {
    format: 1,
    torch: head.torch,
    tfjs: null,
    cpu: `${head.made_on.cpu}, ${head.made_on.capability}`,
    machine: head.made_on.platform,
    threads: head.threads,
    seed: head.seed,
    dtype: 'float32',
    optimizer: { name: 'Adam', defaults: { lr: head.lr } },
  },
  steps: states.map((index) => {
    const { step, indices, loss } = head.states[index]!;
    const inputs = [{ dtype: 'int32', shape: [indices.length], data: Int32Array.from(indices) } as const];
    const before = { model: weightsOf(index), state: null };
    return { step, inputs, param_groups: null, before, loss, grads: gradientsOf(index), after: null };
  }),
});
