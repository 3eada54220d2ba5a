import * as tf from '@tensorflow/tfjs-core';
import { type Args, bind, RuntimeError, type Signature, signature } from '@tfjs-torch/core';
import { list } from '../names';
import { dimension } from './activation';
import { assertTensor } from './linear';

/** Joins the dimensions from `start_dim` to `end_dim` into one. */
export function flatten(
  input: tf.Tensor,
  ...args: Args<[start_dim: number, end_dim: number], { start_dim?: number; end_dim?: number }>
): tf.Tensor {
  const { start_dim, end_dim } = bind(flattenSignature, [input, ...args]);
  assertTensor('flatten', 'input', 1, input);
  const start = dimension(start_dim, input.rank);
  const end = dimension(end_dim, input.rank);
  if (start > end) throw new RuntimeError('flatten() has invalid args: start_dim cannot come after end_dim');
  const joined = tf.util.sizeFromShape(input.shape.slice(start, end + 1));
  return tf.reshape(input, [...input.shape.slice(0, start), joined, ...input.shape.slice(end + 1)]);
}
const flattenSignature: Signature<{ start_dim: number; end_dim: number }> = signature(
  'flatten',
  'input, start_dim=0, end_dim=-1',
);

/** `torch.unflatten`: the dimension `dim` becomes the dimensions `sizes`, of which one may be -1. */
export function unflatten(input: tf.Tensor, dim: number, sizes: readonly number[]): tf.Tensor {
  const axis = dimension(dim, input.rank);
  const n = input.shape[axis] ?? 1;
  if (sizes.length === 0) throw new RuntimeError('unflatten: sizes must be non-empty');
  const known = tf.util.sizeFromShape(sizes.filter((x) => x !== -1));
  const open = sizes.filter((x) => x === -1).length;
  if (open > 1) throw new RuntimeError('unflatten: only one dimension can be inferred');
  if (open === 1 ? known === 0 || n % known !== 0 : known !== n) {
    throw new RuntimeError(
      `unflatten: Provided sizes ${list(sizes)} don't multiply up to the size of dim ${axis} (${n}) in the input tensor`,
    );
  }
  const whole = sizes.map((x) => (x === -1 ? n / known : x));
  return tf.reshape(input, [...input.shape.slice(0, axis), ...whole, ...input.shape.slice(axis + 1)]);
}
