import * as tf from '@tensorflow/tfjs-core';
import {
  type Args,
  bind,
  default_generator,
  drawIndices,
  fillIntegers,
  Generator,
  permutation,
  RuntimeError,
  randomSeed,
  type Signature,
  signature,
  ValueError,
} from '@tfjs-torch/core';

/**
 * A source of indices, or of batches of them, that can be run through again and again. A subclass has `[Symbol.iterator]` and
 * perhaps `length`; an array does as well.
 */
export abstract class Sampler<T> implements Iterable<T> {
  abstract readonly length?: number;

  abstract [Symbol.iterator](): Iterator<T>;
}

interface Sized {
  readonly length: number;
}

export interface SamplerOptions {
  generator?: Generator | null;
}
export interface RandomSamplerOptions extends SamplerOptions {
  replacement?: boolean;
  num_samples?: number | null;
}

/** Values in messages as Python prints them. */
const print = (x: unknown) =>
  x === null || x === undefined ? 'None' : x === true ? 'True' : x === false ? 'False' : String(x);

function checkCount(name: string, n: unknown): void {
  if (!Number.isInteger(n) || (n as number) <= 0) {
    throw new ValueError(`${name} should be a positive integer value, but got ${name}=${print(n)}`);
  }
}

export class SequentialSampler extends Sampler<number> {
  readonly data_source: Sized;

  constructor(data_source: Sized) {
    super();
    this.data_source = bind<{ data_source: Sized }>(sequentialSignature, [data_source]).data_source;
  }

  override get length(): number {
    return lengthOf(this.data_source);
  }

  override *[Symbol.iterator](): IterableIterator<number> {
    for (let i = 0; i < this.length; i++) yield i;
  }
}
const sequentialSignature: Signature<{ data_source: Sized }> = signature(
  'SequentialSampler.__init__',
  'data_source: dict',
);

/** Shuffles; or, with `replacement`, draws. Without a generator, each run takes its seed from the default one. */
export class RandomSampler extends Sampler<number> {
  readonly data_source: Sized;
  readonly replacement: boolean;
  readonly generator: Generator | null;
  readonly #num_samples: number | null;

  constructor(
    data_source: Sized,
    ...args:
      | [replacement: boolean, num_samples: number | null, generator?: Generator | null]
      | [replacement: boolean, num_samples: number | null, options?: SamplerOptions]
      | [replacement: boolean, options?: Omit<RandomSamplerOptions, 'replacement'>]
      | [options?: RandomSamplerOptions]
  ) {
    super();
    const bound = bind(randomSignature, [data_source, ...args]);
    this.data_source = bound.data_source;
    this.replacement = bound.replacement;
    this.#num_samples = bound.num_samples;
    this.generator = bound.generator;
    if (typeof this.replacement !== 'boolean') {
      throw new TypeError(`replacement should be a boolean value, but got replacement=${print(this.replacement)}`);
    }
    checkCount('num_samples', this.num_samples);
  }

  get num_samples(): number {
    return this.#num_samples ?? lengthOf(this.data_source);
  }

  override get length(): number {
    return this.num_samples;
  }

  override *[Symbol.iterator](): IterableIterator<number> {
    const n = lengthOf(this.data_source);
    const generator = this.generator ?? new Generator().manual_seed(randomSeed());
    if (this.replacement) {
      for (let i = 0; i < this.num_samples; i += 32) {
        // Drawn 32 at a time: a run that is broken off leaves the generator where torch does.
        const chunk = Math.min(32, this.num_samples - i);
        yield* fillIntegers(new Int32Array(chunk), 0, n, generator);
      }
      return;
    }
    for (let i = 0; i < Math.floor(this.num_samples / n); i++) yield* permutation(n, generator);
    // torch draws the last permutation even if nothing of it is wanted.
    yield* permutation(n, generator).subarray(0, this.num_samples % n);
  }
}
const randomSignature: Signature<{
  data_source: Sized;
  replacement: boolean;
  num_samples: number | null;
  generator: Generator | null;
}> = signature('RandomSampler.__init__', 'data_source: dict, replacement=False, num_samples=None, generator=None');

export class SubsetRandomSampler extends Sampler<number> {
  readonly indices: ArrayLike<number>;
  readonly generator: Generator | null;

  constructor(indices: ArrayLike<number>, ...args: [generator?: Generator | null] | [options?: SamplerOptions]) {
    super();
    const bound = bind(subsetSignature, [indices, ...args]);
    this.indices = bound.indices;
    this.generator = bound.generator;
  }

  override get length(): number {
    return this.indices.length;
  }

  override *[Symbol.iterator](): IterableIterator<number> {
    for (const i of permutation(this.indices.length, this.generator ?? default_generator)) yield this.indices[i]!;
  }
}
const subsetSignature: Signature<{ indices: ArrayLike<number>; generator: Generator | null }> = signature(
  'SubsetRandomSampler.__init__',
  'indices, generator=None',
);

/** Draws `num_samples` indices with the relative weights given, which are float64. */
export class WeightedRandomSampler extends Sampler<number> {
  readonly weights: Float64Array;
  readonly num_samples: number;
  readonly replacement: boolean;
  readonly generator: Generator | null;

  constructor(
    weights: ArrayLike<number> | tf.Tensor,
    num_samples: number,
    ...args:
      | [replacement: boolean, generator?: Generator | null]
      | [replacement: boolean, options?: SamplerOptions]
      | [options?: SamplerOptions & { replacement?: boolean }]
  ) {
    super();
    const bound = bind(weightedSignature, [weights, num_samples, ...args]);
    checkCount('num_samples', bound.num_samples);
    if (typeof bound.replacement !== 'boolean') {
      throw new ValueError(`replacement should be a boolean value, but got replacement=${print(bound.replacement)}`);
    }
    const shape = shapeOf(weights);
    if (shape.length !== 1) {
      const text = shape.length === 0 ? '()' : `(${shape.join(', ')})`;
      throw new ValueError(`weights should be a 1d sequence but given weights have shape ${text}`);
    }
    this.weights = Float64Array.from(weights instanceof tf.Tensor ? weights.dataSync() : weights);
    this.num_samples = bound.num_samples;
    this.replacement = bound.replacement;
    this.generator = bound.generator;
  }

  override get length(): number {
    return this.num_samples;
  }

  override *[Symbol.iterator](): IterableIterator<number> {
    yield* drawIndices(this.weights, this.num_samples, this.replacement, this.generator ?? default_generator);
  }
}
function shapeOf(weights: unknown): number[] {
  if (weights instanceof tf.Tensor) return weights.shape;
  const shape: number[] = [];
  for (let w = weights; Array.isArray(w) || ArrayBuffer.isView(w); w = (w as ArrayLike<unknown>)[0]) {
    shape.push((w as ArrayLike<unknown>).length);
  }
  return shape;
}
const weightedSignature: Signature<{
  num_samples: number;
  replacement: boolean;
  generator: Generator | null;
}> = signature('WeightedRandomSampler.__init__', 'weights, num_samples, replacement=True, generator=None');

export interface DistributedSamplerOptions {
  num_replicas?: number | null;
  rank?: number | null;
  shuffle?: boolean;
  seed?: number;
  drop_last?: boolean;
}

/**
 * The part of a dataset that is `rank`'s, of `num_replicas` equal parts; shuffled anew for each epoch that `set_epoch` names.
 * Both must be given: there is no process group to ask.
 */
export class DistributedSampler extends Sampler<number> {
  readonly dataset: Sized;
  readonly num_replicas: number;
  readonly rank: number;
  readonly shuffle: boolean;
  readonly seed: number;
  readonly drop_last: boolean;
  readonly num_samples: number;
  readonly total_size: number;
  epoch = 0;

  constructor(
    dataset: Sized,
    ...args: Args<
      [num_replicas: number | null, rank: number | null, shuffle: boolean, seed: number, drop_last: boolean],
      DistributedSamplerOptions
    >
  ) {
    super();
    const { num_replicas, rank, ...bound } = bind(distributedSignature, [dataset, ...args]);
    if (num_replicas === null || rank === null) {
      throw new RuntimeError('Requires distributed package to be available');
    }
    if (rank >= num_replicas || rank < 0) {
      throw new ValueError(`Invalid rank ${rank}, rank should be in the interval [0, ${num_replicas - 1}]`);
    }
    this.dataset = bound.dataset;
    this.num_replicas = num_replicas;
    this.rank = rank;
    this.shuffle = bound.shuffle;
    this.seed = bound.seed;
    this.drop_last = bound.drop_last;
    const n = lengthOf(this.dataset);
    const cut = this.drop_last && n % num_replicas !== 0;
    this.num_samples = Math.ceil((cut ? n - num_replicas : n) / num_replicas);
    this.total_size = this.num_samples * num_replicas;
  }

  override get length(): number {
    return this.num_samples;
  }

  override *[Symbol.iterator](): IterableIterator<number> {
    const n = lengthOf(this.dataset);
    const order = this.shuffle ? permutation(n, new Generator().manual_seed(this.seed + this.epoch)) : null;
    // Where the parts are longer than the dataset, it begins again.
    for (let i = this.rank; i < this.total_size; i += this.num_replicas) yield order ? order[i % n]! : i % n;
  }

  /** Names the epoch that comes: without it, each has the same order. */
  set_epoch(epoch: number): void {
    this.epoch = epoch;
  }
}
const distributedSignature: Signature<Required<DistributedSamplerOptions> & { dataset: Sized }> = signature(
  'DistributedSampler.__init__',
  'dataset: dict, num_replicas=None, rank=None, shuffle=True, seed=0, drop_last=False',
);

/** Batches of indices from another sampler. */
export class BatchSampler extends Sampler<number[]> {
  readonly sampler: Sampler<number>;
  readonly batch_size: number;
  readonly drop_last: boolean;

  constructor(
    sampler: Sampler<number>,
    ...args:
      | [batch_size: number, drop_last: boolean]
      | [batch_size: number, options: { drop_last: boolean }]
      | [options: { batch_size: number; drop_last: boolean }]
  ) {
    super();
    const bound = bind(batchSignature, [sampler, ...args]);
    checkCount('batch_size', bound.batch_size);
    if (typeof bound.drop_last !== 'boolean') {
      throw new ValueError(`drop_last should be a boolean value, but got drop_last=${print(bound.drop_last)}`);
    }
    this.sampler = bound.sampler;
    this.batch_size = bound.batch_size;
    this.drop_last = bound.drop_last;
  }

  override get length(): number {
    const n = lengthOf(this.sampler);
    return this.drop_last ? Math.floor(n / this.batch_size) : Math.ceil(n / this.batch_size);
  }

  override *[Symbol.iterator](): IterableIterator<number[]> {
    const indices = this.sampler[Symbol.iterator]();
    for (;;) {
      const batch: number[] = [];
      while (batch.length < this.batch_size) {
        const next = indices.next();
        if (next.done) break;
        batch.push(next.value);
      }
      if (batch.length < this.batch_size && (this.drop_last || batch.length === 0)) return;
      yield batch;
      // No further index is drawn before the next batch is wanted; a short batch was the last one.
      if (batch.length < this.batch_size) return;
    }
  }
}
const batchSignature: Signature<{ sampler: Sampler<number>; batch_size: number; drop_last: boolean }> = signature(
  'BatchSampler.__init__',
  'sampler: dict, batch_size, drop_last',
);

/** `len(x)`. @throws TypeError where it has none */
export function lengthOf(x: object): number {
  const length = (x as { length?: unknown }).length;
  if (typeof length !== 'number') throw new TypeError(`object of type '${x.constructor.name}' has no len()`);
  return length;
}
