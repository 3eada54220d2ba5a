import * as tf from '@tensorflow/tfjs-core';
import {
  type Args,
  AssertionError,
  bind,
  IndexError,
  NotImplementedError,
  RuntimeError,
  type Signature,
  SparseTensor,
  signature,
} from '@tfjs-torch/core';
import { typename } from '../names';
import { op } from '../op';
import { assertTensor } from './linear';

export interface EmbeddingFunctionOptions {
  padding_idx?: number | null;
  /** Only null. */
  max_norm?: number | null;
  /** Of max_norm. */
  norm_type?: number;
  /** Only false. */
  scale_grad_by_freq?: boolean;
  sparse?: boolean;
}

/**
 * The rows of `weight` [num, dim] at the indices `input` (int32): [*] → [*, dim]. The row `padding_idx` gets no gradient. With
 * `sparse` the weight's gradient is a SparseTensor of the rows that were used.
 * @throws IndexError for an index outside of [0, num)
 */
export function embedding(
  input: tf.Tensor,
  weight: tf.Tensor,
  ...args: Args<
    [
      padding_idx: number | null,
      max_norm: number | null,
      norm_type: number,
      scale_grad_by_freq: boolean,
      sparse: boolean,
    ],
    EmbeddingFunctionOptions
  >
): tf.Tensor {
  const { padding_idx, max_norm, scale_grad_by_freq, sparse } = bind(embeddingSignature, [input, weight, ...args]);
  assertTensor('embedding', 'indices', 2, input);
  if (weight.rank !== 2) throw new RuntimeError("'weight' must be 2-D");
  const rows = weight.shape[0]!;
  const padding = paddingRow(padding_idx, rows);
  assertSupported(max_norm, scale_grad_by_freq);
  if (input.dtype !== 'int32') {
    throw new RuntimeError(
      `Expected tensor for argument #1 'indices' to have one of the following scalar types: Long, Int; but got ${typename(input)} instead (while checking arguments for embedding)`,
    );
  }
  const ids = Int32Array.from(input.dataSync());
  if (ids.some((id) => id < 0 || id >= rows)) throw new IndexError('index out of range in self');
  return lookUp(ids, input.shape, weight as tf.Tensor2D, padding, sparse);
}
const embeddingSignature: Signature<Required<EmbeddingFunctionOptions>> = signature(
  'embedding',
  'input, weight, padding_idx=None, max_norm=None, norm_type=2.0, scale_grad_by_freq=False, sparse=False',
);

/** @throws NotImplementedError for what there is not yet */
export function assertSupported(max_norm: number | null, scale_grad_by_freq: boolean): void {
  if (max_norm !== null) throw new NotImplementedError('embedding: max_norm is not supported yet');
  if (scale_grad_by_freq) throw new NotImplementedError('embedding: scale_grad_by_freq=True is not supported yet');
}

/** padding_idx counted from the front. @throws AssertionError where there is no such row */
export function paddingRow(padding_idx: number | null, rows: number): number | null {
  if (padding_idx === null) return null;
  if (padding_idx < -rows || (padding_idx > 0 && padding_idx >= rows)) {
    throw new AssertionError('Padding_idx must be within num_embeddings');
  }
  return padding_idx < 0 ? rows + padding_idx : padding_idx;
}

function lookUp(
  ids: Int32Array,
  shape: readonly number[],
  weight: tf.Tensor2D,
  padding: number | null,
  sparse: boolean,
): tf.Tensor {
  const [rows, columns] = weight.shape;
  return op(
    'Embedding',
    { weight },
    () =>
      ids.length === 0
        ? tf.zeros([...shape, columns])
        : tf.reshape(tf.gather(weight, tf.tensor1d(ids, 'int32')), [...shape, columns]),
    (dy) => ({
      weight: () => {
        const used = positions(ids, padding);
        let values: tf.Tensor = tf.reshape(dy, [ids.length, columns]);
        if (used.length < ids.length) {
          values = used.length === 0 ? tf.zeros([0, columns]) : tf.gather(values, tf.tensor1d(used, 'int32'));
        }
        const gradient = new SparseTensor(
          used.map((i) => ids[i]!),
          values,
          [rows, columns],
        );
        return sparse ? gradient : gradient.to_dense();
      },
    }),
  );
}

/** Where an index is that is not the padding's. */
function positions(ids: Int32Array, padding: number | null): Int32Array {
  const all = ids.map((_, i) => i);
  return padding === null ? all : all.filter((i) => ids[i] !== padding);
}
