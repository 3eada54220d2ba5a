import * as tf from '@tensorflow/tfjs-core';
import { type Args, bind, RuntimeError, type Signature, signature } from '@tfjs-torch/core';
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
  const joined = input.shape.slice(start, end + 1).reduce((a, b) => a * b, 1);
  return tf.reshape(input, [...input.shape.slice(0, start), joined, ...input.shape.slice(end + 1)]);
}
const flattenSignature: Signature<{ start_dim: number; end_dim: number }> = signature(
  'flatten',
  'input, start_dim=0, end_dim=-1',
);
