/** `torch.autograd` */
import type * as tf from '@tensorflow/tfjs-core';
import { type Args, bind, type Signature, signature } from '../python/bind';
import { backward as backwardAll, gradientsOf, setRequiresGrad } from '../tape/autograd';

type OneOrMore<T> = T | readonly T[];
const many = <T>(x: OneOrMore<T>): readonly T[] => (Array.isArray(x) ? x : [x]) as readonly T[];

type Gradients = OneOrMore<tf.Tensor | null> | null;
interface GraphOptions {
  /** Default: `create_graph`. */
  retain_graph?: boolean | null;
  /** Record the backward pass too, so that it can be differentiated. */
  create_graph?: boolean;
}

/** Adds the gradients of `tensors` to `.grad` of the leaves. */
export function backward(
  tensors: OneOrMore<tf.Tensor>,
  ...args: Args<
    [grad_tensors: Gradients, retain_graph: boolean | null, create_graph: boolean],
    GraphOptions & { grad_tensors?: Gradients }
  >
): void {
  const { grad_tensors, retain_graph, create_graph } = bind(backwardSignature, [tensors, ...args]);
  backwardAll(many(tensors), many(grad_tensors), { retain_graph: retain_graph ?? create_graph, create_graph });
}
const backwardSignature: Signature<Required<GraphOptions> & { grad_tensors: Gradients }> = signature(
  'backward',
  'tensors, grad_tensors=None, retain_graph=None, create_graph=False',
);

/**
 * The gradients of `outputs` with respect to `inputs`, as an array; `.grad` is left alone.
 * @throws RuntimeError if an input was not used and `allow_unused` is not set; with it, its gradient is null
 */
export function grad(
  outputs: OneOrMore<tf.Tensor>,
  inputs: OneOrMore<tf.Tensor>,
  ...args: Args<
    [grad_outputs: Gradients, retain_graph: boolean | null, create_graph: boolean],
    GraphOptions & { grad_outputs?: Gradients; allow_unused?: boolean | null }
  >
): (tf.Tensor | null)[] {
  const bound = bind(gradSignature, [outputs, inputs, ...args]);
  const { grad_outputs, retain_graph, create_graph, allow_unused } = bound;
  return gradientsOf(many(outputs), many(inputs), many(grad_outputs), {
    retain_graph: retain_graph ?? create_graph,
    create_graph,
    allow_unused: allow_unused ?? false,
  });
}
const gradSignature: Signature<Required<GraphOptions> & { grad_outputs: Gradients; allow_unused: boolean | null }> =
  signature('grad', 'outputs, inputs, grad_outputs=None, retain_graph=None, create_graph=False, allow_unused=None');

function wrap(data: tf.Tensor, requires_grad = false): tf.Tensor {
  if (requires_grad) setRequiresGrad(data, true);
  return data;
}

/** Deprecated in torch, where it returns the tensor itself; callable with and without `new`. */
export const Variable = wrap as unknown as {
  new (data: tf.Tensor, requires_grad?: boolean): tf.Tensor;
  (data: tf.Tensor, requires_grad?: boolean): tf.Tensor;
};
