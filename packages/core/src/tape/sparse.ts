import * as tf from '@tensorflow/tfjs-core';
import { RuntimeError } from '../python/errors';
import { engine } from '../tensor/engine';
import { withGrad } from '../tensor/grad-mode';

/**
 * A tensor of which only some rows are kept: torch's COO layout. A place that stands there twice holds the sum, until
 * `coalesce()`. Gradients of embeddings are such; an operation that knows nothing of it sees the dense tensor.
 */
export class SparseTensor extends tf.Tensor {
  /** tfjs tests by shape; this is the class. */
  static override [Symbol.hasInstance](x: unknown): boolean {
    // biome-ignore lint/complexity/noThisInStatic: a subclass inherits this and means itself
    return Function.prototype[Symbol.hasInstance].call(this, x);
  }

  #places: Int32Array;
  #values: tf.Tensor;
  #coalesced: boolean;
  readonly #sparseDim: number;
  #dense: tf.Tensor | undefined;

  /**
   * @param places the indices, [sparse_dim, nnz] row by row
   * @param values [nnz, ...the other dimensions], whose handle is the sparse tensor's from here on
   */
  constructor(places: Int32Array, values: tf.Tensor, shape: number[], coalesced = false) {
    super(shape, values.dtype, {}, engine.nextTensorId());
    this.#places = places;
    this.#values = values;
    this.#coalesced = coalesced;
    this.#sparseDim = shape.length - values.rank + 1;
    // Whoever wants one storage gets that of the dense tensor, computed when it is asked for.
    Object.defineProperty(this, 'dataId', { get: () => this.#denseTensor().dataId });
    // It lives as long as its values do.
    Object.defineProperty(this, 'kept', {
      get: () => this.#values.kept,
      set: (kept: boolean) => {
        this.#values.kept = kept;
      },
    });
  }

  #denseTensor(): tf.Tensor {
    if (this.#dense === undefined || this.#dense.isDisposed) this.#dense = this.to_dense();
    return this.#dense;
  }

  is_coalesced(): boolean {
    return this.#coalesced;
  }
  sparse_dim(): number {
    return this.#sparseDim;
  }
  dense_dim(): number {
    return this.rank - this.#sparseDim;
  }
  _nnz(): number {
    return this.#values.shape[0]!;
  }
  /** [sparse_dim, nnz], int32. */
  _indices(): tf.Tensor {
    return tf.tensor2d(this.#places.slice(), [this.#sparseDim, this._nnz()], 'int32');
  }
  /** [nnz, ...dense dimensions]: the storage itself. */
  _values(): tf.Tensor {
    return this.#values;
  }
  /** As `_indices()`, of a coalesced tensor. @throws RuntimeError for another */
  indices(): tf.Tensor {
    this.#demandCoalesced('indices');
    return this._indices();
  }
  /** As `_values()`, of a coalesced tensor. @throws RuntimeError for another */
  values(): tf.Tensor {
    this.#demandCoalesced('values');
    return this.#values;
  }
  #demandCoalesced(what: string) {
    if (!this.#coalesced) {
      throw new RuntimeError(`Cannot get ${what} on an uncoalesced tensor, please call .coalesce() first`);
    }
  }

  /** The place of each entry, counted through the sparse dimensions. */
  rows(): Int32Array {
    const n = this._nnz();
    return Int32Array.from({ length: n }, (_, i) => {
      let row = 0;
      for (let d = 0; d < this.#sparseDim; d++) row = row * this.shape[d]! + this.#places[d * n + i]!;
      return row;
    });
  }

  #sums(segments: Int32Array, count: number): tf.Tensor {
    return withGrad(false, () => tf.unsortedSegmentSum(this.#values, tf.tensor1d(segments, 'int32'), count));
  }

  /** The same with each place once, in order, its entries summed. Itself, if it is so already. */
  coalesce(): SparseTensor {
    if (this.#coalesced) return this;
    const rows = this.rows();
    const first = new Map<number, number>();
    rows.forEach((row, i) => {
      if (!first.has(row)) first.set(row, i);
    });
    const distinct = Int32Array.from(first.keys()).sort();
    const rank = new Map(Array.from(distinct, (row, i) => [row, i]));
    const [n, count] = [rows.length, distinct.length];
    const places = new Int32Array(this.#sparseDim * count);
    for (let d = 0; d < this.#sparseDim; d++) {
      distinct.forEach((row, i) => {
        places[d * count + i] = this.#places[d * n + first.get(row)!]!;
      });
    }
    const values = tf.tidy(() =>
      this.#sums(
        rows.map((row) => rank.get(row)!),
        count,
      ),
    );
    return new SparseTensor(places, values, this.shape, true);
  }

  /** The tensor with zeros where nothing is. */
  override to_dense(): tf.Tensor {
    const count = tf.util.sizeFromShape(this.shape.slice(0, this.#sparseDim));
    return tf.tidy(() =>
      this._nnz() === 0 || this.size === 0
        ? tf.zeros(this.shape, this.dtype)
        : tf.reshape(this.#sums(this.rows(), count), this.shape),
    );
  }

  /** The sum: of the values if both have the same places, else both one after the other. */
  plus(other: SparseTensor): SparseTensor {
    const [n, m] = [this._nnz(), other._nnz()];
    if (tf.util.arraysEqual(this.#places, other.#places)) {
      const sum = withGrad(false, () => tf.add(this.#values, other.#values));
      return new SparseTensor(this.#places, sum, this.shape, this.#coalesced);
    }
    const places = new Int32Array(this.#sparseDim * (n + m));
    for (let d = 0; d < this.#sparseDim; d++) {
      places.set(this.#places.subarray(d * n, (d + 1) * n), d * (n + m));
      places.set(other.#places.subarray(d * m, (d + 1) * m), d * (n + m) + n);
    }
    const values = withGrad(false, () => tf.concat([this.#values, other.#values], 0));
    return new SparseTensor(places, values, this.shape);
  }

  /** Takes over what `other` holds, which is consumed: the same object, as in torch, for whoever has it. */
  become(other: SparseTensor): void {
    const { kept } = this;
    this.dispose();
    this.isDisposedInternal = false;
    this.#places = other.#places;
    this.#values = other.#values;
    this.#coalesced = other.#coalesced;
    this.kept = kept;
  }

  /** A handle of its own on the same values. */
  override clone<T extends tf.Tensor>(): T {
    return new SparseTensor(this.#places, tf.clone(this.#values), this.shape, this.#coalesced) as tf.Tensor as T;
  }

  /** Keeps no entry any more. */
  override zero_(): this {
    this.become(
      new SparseTensor(new Int32Array(0), tf.zeros([0, ...this.shape.slice(this.#sparseDim)]), this.shape, true),
    );
    return this;
  }

  /** Multiplies each entry by one number. */
  override mul_(factor: number | tf.Tensor): this {
    if (factor instanceof tf.Tensor && factor.size !== 1) return super.mul_(factor);
    const values = withGrad(false, () => tf.tidy(() => tf.reshape(tf.mul(this.#values, factor), this.#values.shape)));
    this.become(new SparseTensor(this.#places, values, this.shape, this.#coalesced));
    return this;
  }

  override dispose(): void {
    this.#values.dispose();
    this.#dense?.dispose();
    this.#dense = undefined;
    this.isDisposedInternal = true;
  }
}

// ---- gradients, dense or sparse

/** The sum; sparse if both are. */
export const added = (a: tf.Tensor, b: tf.Tensor): tf.Tensor =>
  a instanceof SparseTensor && b instanceof SparseTensor ? a.plus(b) : tf.add(a, b);

/** A handle of its own on the same values. */
export const handle = (t: tf.Tensor): tf.Tensor => (t instanceof SparseTensor ? t.clone() : tf.clone(t));

// ---- made by the user

/**
 * `torch.sparse_coo_tensor`: zero but at some places.
 * @param indices [sparse_dim, nnz]
 * @param values [nnz, ...the other dimensions], float32
 * @param size of the whole
 * @throws RuntimeError where the three do not fit
 */
export function sparse_coo_tensor(
  indices: tf.Tensor | readonly (readonly number[])[],
  values: tf.TensorLike | tf.Tensor,
  size: readonly number[],
): SparseTensor {
  const table = indices instanceof tf.Tensor ? (indices.arraySync() as number[][]) : indices;
  const sparseDim = table.length;
  const n = table[0]?.length ?? 0;
  const entries = values instanceof tf.Tensor ? tf.clone(values) : tf.tensor(values, undefined, 'float32');
  if (entries.shape[0] !== n) {
    throw new RuntimeError(
      `indices and values must have same nnz, but got nnz from indices: ${n}, nnz from values: ${entries.shape[0]}`,
    );
  }
  const expected = [n, ...size.slice(sparseDim)];
  if (!tf.util.arraysEqual(entries.shape, expected)) {
    const list = (shape: readonly number[]) => `[${shape.join(', ')}]`;
    throw new RuntimeError(`values has incorrect size, expected ${list(expected)}, got ${list(entries.shape)}`);
  }
  table.forEach((row, d) => {
    for (const i of row) {
      if (i < 0) throw new RuntimeError(`found negative index ${i} for dim ${d}`);
      if (i >= size[d]!) {
        throw new RuntimeError(
          `size is inconsistent with indices: for dim ${d}, size is ${size[d]} but found index ${i}`,
        );
      }
    }
  });
  return new SparseTensor(Int32Array.from(table.flat()), entries, [...size]);
}
