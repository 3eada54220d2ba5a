import * as tf from '@tensorflow/tfjs-core';
import { RuntimeError, ValueError } from '@tfjs-torch/core/base';

/**
 * `f()` and its gradients, in tfjs's way: nothing is recorded for `backward()`. A parameter that the value does not depend on
 * has no gradient. The tensors are the caller's.
 */
export function valueAndGradients(
  f: () => tf.Scalar,
  params: tf.Tensor[],
): { value: tf.Scalar; grads: (tf.Tensor | undefined)[] } {
  if (params.length === 0) throw new ValueError('minimize: none of the parameters is trainable');
  return tf.tidy(() => {
    const { value, grads } = tf.engine().gradients(f, params, undefined, true);
    if (value.rank !== 0) throw new RuntimeError('grad can be implicitly created only for scalar outputs');
    if (grads.every((g) => !g)) {
      throw new ValueError('minimize: the loss does not depend on any parameter of the optimizer');
    }
    return { value, grads };
  });
}
