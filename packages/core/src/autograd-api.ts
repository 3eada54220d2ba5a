/** `torch.autograd` */
import type * as tf from '@tensorflow/tfjs-core';
import {
  type BackwardOptions,
  backward as backwardAll,
  type GradOptions,
  gradientsOf,
  setRequiresGrad,
} from './autograd';

type OneOrMore<T> = T | readonly T[];
const many = <T>(x: OneOrMore<T>): readonly T[] => (Array.isArray(x) ? x : [x]) as readonly T[];

/** Adds the gradients of `tensors` to `.grad` of the leaves. */
export function backward(
  tensors: OneOrMore<tf.Tensor>,
  grad_tensors: OneOrMore<tf.Tensor | null> = null,
  options: BackwardOptions = {},
): void {
  backwardAll(many(tensors), many(grad_tensors), options);
}

/**
 * The gradients of `outputs` with respect to `inputs`, as an array; `.grad` is left alone.
 * @throws RuntimeError if an input was not used and `allow_unused` is not set; with it, its gradient is null
 */
export function grad(
  outputs: OneOrMore<tf.Tensor>,
  inputs: OneOrMore<tf.Tensor>,
  grad_outputs: OneOrMore<tf.Tensor | null> = null,
  options: GradOptions = {},
): (tf.Tensor | null)[] {
  return gradientsOf(many(outputs), many(inputs), many(grad_outputs), options);
}

function wrap(data: tf.Tensor, requires_grad = false): tf.Tensor {
  if (requires_grad) setRequiresGrad(data, true);
  return data;
}

/** Deprecated in torch, where it returns the tensor itself; callable with and without `new`. */
export const Variable = wrap as unknown as {
  new (data: tf.Tensor, requires_grad?: boolean): tf.Tensor;
  (data: tf.Tensor, requires_grad?: boolean): tf.Tensor;
};
