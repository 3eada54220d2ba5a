import * as tf from '@tensorflow/tfjs-core';
import { internal, is_grad_enabled } from '@tfjs-torch/core';

type Save = (tensors: tf.Tensor[]) => void;
type Gradients = Record<string, () => tf.Tensor>;

/** What of tfjs's engine is not in its public types. */
const engine = tf.engine() as unknown as {
  runKernel<T extends tf.Tensor>(name: string, inputs: Record<string, tf.Tensor>, attrs: object): T;
};

/** Runs a kernel that tfjs exports no op for. */
export const kernel = <T extends tf.Tensor = tf.Tensor4D>(
  name: string,
  inputs: Record<string, tf.Tensor>,
  attrs: object = {},
): T => engine.runKernel<T>(name, inputs, attrs);

/**
 * One recorded operation, as `tf.customGrad`, but each input's gradient is computed only if it is asked for.
 * `name` is that of torch's autograd node. What `forward` runs is not recorded; it saves what `gradients` needs.
 * An operation whose gradients are written in recorded tfjs ops of `dy` and of saved inputs may say that it can be
 * differentiated `twice`; the others fail in the second backward of `create_graph`.
 */
export function op(
  name: string,
  inputs: Record<string, tf.Tensor | null>,
  forward: (save: Save) => tf.Tensor,
  gradients: (dy: tf.Tensor, saved: tf.Tensor[]) => Gradients,
  twice = false,
): tf.Tensor {
  const given: Record<string, tf.Tensor> = {};
  for (const key in inputs) if (inputs[key]) given[key] = inputs[key];
  const backward = (dy: tf.Tensor | tf.Tensor[], saved: tf.Tensor[]): Gradients => {
    const of = gradients(dy as tf.Tensor, saved);
    if (twice || !is_grad_enabled()) return of;
    // Recorded without a gradient: torch's graph then names the node that has none.
    return Object.fromEntries(
      Object.entries(of).map(([key, compute]) => [
        key,
        () => internal.operation(`${name}Backward`, { ...given, dy: dy as tf.Tensor }, compute, null),
      ]),
    );
  };
  return internal.operation(name, given, forward, backward);
}

/** TensorFlow's operations, by name. */
export const { tensorflow, oneDnn, floats } = internal;
