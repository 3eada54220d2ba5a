import * as tf from '@tensorflow/tfjs-core';
import {
  AssertionError,
  bind,
  default_generator,
  type Generator,
  IndexError,
  NotImplementedError,
  permutation,
  type Signature,
  signature,
  ValueError,
  warn,
} from '@tfjs-torch/core';
import { type Collated, fromHost, type HostArray, remember } from './collate';

/** What a loader needs of a dataset: `len(d)` is `d.length`, `d[i]` is `d.get(i)`. Plain arrays do as well. */
export interface MapDataset<T> {
  readonly length: number;
  get(index: number): T;
  /**
   * The samples at `indices` as `default_collate` would join them, without making each of them; used in its place. A
   * subclass that overrides `get` alone switches it off, and so does `null`.
   */
  getBatch?(indices: readonly number[]): Collated<Awaited<T>> | null;
}
export type DatasetLike<T> = MapDataset<T> | readonly T[];

/** Base class of datasets with random access: a subclass has `length` and `get(index)`. */
export abstract class Dataset<T> implements MapDataset<T> {
  abstract readonly length: number;

  get(_index: number): T {
    throw new NotImplementedError('Subclasses of Dataset should implement get(index).');
  }
}

/** Base class of datasets that are streams: a subclass has `[Symbol.iterator]` or `[Symbol.asyncIterator]`, perhaps `length`. */
export abstract class IterableDataset<T> {
  [Symbol.iterator](): Iterator<T> {
    throw new NotImplementedError('Subclasses of IterableDataset should implement [Symbol.iterator].');
  }
}

/** `index`, counted from the end if negative. */
export function checkIndex(index: number, length: number, message = 'list index out of range'): number {
  const i = index < 0 ? index + length : index;
  if (!Number.isInteger(i)) throw new TypeError(`list indices must be integers or slices, not ${index}`);
  if (i < 0 || i >= length) throw new IndexError(message);
  return i;
}

const isArray = <T>(dataset: DatasetLike<T>): dataset is readonly T[] =>
  Array.isArray(dataset) || ArrayBuffer.isView(dataset);

export function itemOf<T>(dataset: DatasetLike<T>, index: number): T {
  return isArray(dataset) ? dataset[checkIndex(index, dataset.length)]! : dataset.get(index);
}

/** The prototype (or the object itself) on which `key` is defined. */
function depthOf(object: object, key: string): number {
  let depth = 0;
  for (let o: object | null = object; o !== null; o = Object.getPrototypeOf(o), depth++) {
    if (Object.hasOwn(o, key)) return depth;
  }
  return Number.POSITIVE_INFINITY;
}

export function batchOf<T>(dataset: DatasetLike<T>, indices: readonly number[]): Collated<Awaited<T>> | null {
  if (isArray(dataset) || !dataset.getBatch || depthOf(dataset, 'get') < depthOf(dataset, 'getBatch')) return null;
  return dataset.getBatch(indices);
}

function valuesOf(t: tf.Tensor): HostArray {
  const values = t.dataSync() as HostArray;
  remember(t, values);
  return values;
}

type Tensors = readonly [tf.Tensor, ...tf.Tensor[]];
type Row<T extends Tensors> = { -readonly [K in keyof T]: tf.Tensor };

/**
 * Samples are the rows of tensors whose first dimensions agree. Reads their values when it is made and again when one of
 * them was changed in place.
 */
export class TensorDataset<T extends Tensors = Tensors> extends Dataset<Row<T>> {
  readonly tensors: T;
  readonly #values: HostArray[];
  readonly #read: unknown[];

  constructor(...tensors: T) {
    super();
    if (tensors.length === 0) throw new IndexError('tuple index out of range');
    for (const t of tensors) {
      if (t.rank === 0) throw new IndexError('Dimension specified as 0 but tensor has no dimensions');
      if (t.shape[0] !== tensors[0].shape[0]) throw new AssertionError('Size mismatch between tensors');
    }
    this.tensors = tensors;
    this.#read = tensors.map((t) => t.dataId);
    this.#values = tensors.map(valuesOf);
  }

  get length(): number {
    return this.tensors[0].shape[0]!;
  }

  override get(index: number): Row<T> {
    const message = `index ${index} is out of bounds for dimension 0 with size ${this.length}`;
    const i = checkIndex(index, this.length, message);
    return this.tensors.map((t, k) => this.#rows(t, k, [i], t.shape.slice(1))) as Row<T>;
  }

  getBatch(indices: readonly number[]): Collated<Row<T>> {
    return this.tensors.map((t, k) => this.#rows(t, k, indices, [indices.length, ...t.shape.slice(1)])) as Collated<
      Row<T>
    >;
  }

  #rows(t: tf.Tensor, k: number, indices: readonly number[], shape: number[]): tf.Tensor {
    if (this.#read[k] !== t.dataId) {
      this.#read[k] = t.dataId;
      this.#values[k] = valuesOf(t);
    }
    const values = this.#values[k]!;
    const size = tf.util.sizeFromShape(t.shape.slice(1));
    const Values = values.constructor as new (n: number) => typeof values;
    const rows = new Values(indices.length * size);
    for (let j = 0; j < indices.length; j++) {
      const start = checkIndex(indices[j]!, this.length) * size;
      rows.set(values.subarray(start, start + size), j * size);
    }
    return fromHost(rows, shape, t.dtype);
  }
}

export class Subset<T> extends Dataset<T> {
  constructor(
    readonly dataset: DatasetLike<T>,
    readonly indices: ArrayLike<number>,
  ) {
    super();
  }

  get length(): number {
    return this.indices.length;
  }

  override get(index: number): T {
    return itemOf(this.dataset, this.indices[checkIndex(index, this.length)]!);
  }

  getBatch(indices: readonly number[]): Collated<Awaited<T>> | null {
    return batchOf(
      this.dataset,
      indices.map((i) => this.indices[checkIndex(i, this.length)]!),
    );
  }
}

export class ConcatDataset<T> extends Dataset<T> {
  readonly datasets: readonly DatasetLike<T>[];
  readonly cumulative_sizes: readonly number[];

  constructor(datasets: Iterable<DatasetLike<T>>) {
    super();
    this.datasets = [...datasets];
    if (this.datasets.length === 0) throw new AssertionError('datasets should not be an empty iterable');
    if (this.datasets.some((d) => d instanceof IterableDataset)) {
      throw new AssertionError('ConcatDataset does not support IterableDataset');
    }
    let size = 0;
    this.cumulative_sizes = this.datasets.map((d) => {
      size += d.length;
      return size;
    });
  }

  get length(): number {
    return this.cumulative_sizes.at(-1)!;
  }

  override get(index: number): T {
    if (-index > this.length) throw new ValueError('absolute value of index should not exceed dataset length');
    const i = checkIndex(index, this.length);
    const k = this.cumulative_sizes.findIndex((end) => i < end);
    return itemOf(this.datasets[k]!, k === 0 ? i : i - this.cumulative_sizes[k - 1]!);
  }
}

/**
 * Splits a dataset at random into subsets of the given lengths, or of fractions that sum to 1 (what rounding leaves over
 * goes to the first ones in turn).
 */
export function random_split<T>(
  dataset: DatasetLike<T>,
  lengths: readonly number[],
  ...args: [generator?: Generator] | [options?: { generator?: Generator }]
): Subset<T>[] {
  const { generator } = bind(randomSplitSignature, [dataset, lengths, ...args]);
  const counts = isWhole(sum(lengths)) ? fromFractions(dataset.length, lengths) : lengths;
  if (sum(counts) !== dataset.length) {
    throw new ValueError('Sum of input lengths does not equal the length of the input dataset!');
  }
  const indices = permutation(dataset.length, generator ?? default_generator);
  let end = 0;
  return counts.map((n) => {
    end += n;
    return new Subset(dataset, indices.subarray(end - n, end));
  });
}
const randomSplitSignature: Signature<{ generator: Generator | null }> = signature(
  'random_split',
  'dataset, lengths, generator=None',
);

const sum = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0);
const isWhole = (x: number) => Math.abs(x - 1) <= 1e-9;

function fromFractions(length: number, fractions: readonly number[]): number[] {
  const counts = fractions.map((fraction, i) => {
    if (fraction < 0 || fraction > 1) throw new ValueError(`Fraction at index ${i} is not between 0 and 1`);
    return Math.floor(length * fraction);
  });
  const remainder = length - sum(counts);
  for (let i = 0; i < remainder; i++) counts[i % counts.length]!++;
  for (const [i, n] of counts.entries()) {
    if (n === 0) warn(`Length of split at index ${i} is 0. This might result in an empty dataset.`);
  }
  return counts;
}
