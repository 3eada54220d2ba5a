import * as tf from '@tensorflow/tfjs-core';
import { type Args, bind, RuntimeError, type Signature, signature } from '@tfjs-torch/core';
import { sumOfPixels } from '../conv-kernels';
import { list, notImplemented, typename } from '../names';
import { op } from '../op';
import { assertTensor } from './linear';

export interface LayerNormFunctionOptions {
  weight?: tf.Tensor | null;
  bias?: tf.Tensor | null;
  eps?: number;
}

/**
 * The elements of the last dimensions, which are `normalized_shape`, with a mean of 0 and a (biased) variance of 1, times
 * `weight`, plus `bias`, both of that shape. https://arxiv.org/abs/1607.06450
 */
export function layer_norm(
  input: tf.Tensor,
  normalized_shape: readonly number[],
  ...args: Args<[weight: tf.Tensor | null, bias: tf.Tensor | null, eps: number], LayerNormFunctionOptions>
): tf.Tensor {
  const { weight, bias, eps } = bind(layerNormSignature, [input, normalized_shape, ...args]);
  assertTensor('layer_norm', 'input', 1, input);
  assertShapes(input, normalized_shape, { weight, bias });
  if (input.dtype !== 'float32') throw notImplemented('LayerNormKernelImpl', input);
  return normalize(input, normalized_shape, weight, bias, eps);
}
const layerNormSignature: Signature<Required<LayerNormFunctionOptions>> = signature(
  'layer_norm',
  'input, normalized_shape, weight=None, bias=None, eps=1e-5',
);

function assertShapes(
  input: tf.Tensor,
  shape: readonly number[],
  tensors: Record<'weight' | 'bias', tf.Tensor | null>,
): void {
  if (!Array.isArray(shape)) {
    throw new TypeError(
      `layer_norm(): argument 'normalized_shape' (position 2) must be tuple of ints, not ${typename(shape)}`,
    );
  }
  if (shape.length === 0) {
    throw new RuntimeError(
      'Expected normalized_shape to be at least 1-dimensional, i.e., containing at least one element, but got normalized_shape = []',
    );
  }
  for (const [name, t] of Object.entries(tensors)) {
    if (!t || tf.util.arraysEqual(t.shape, shape)) continue;
    throw new RuntimeError(
      `Expected ${name} to be of same shape as normalized_shape, but got ${name} of shape ${list(t.shape)} and normalized_shape = ${list(shape)}`,
    );
  }
  if (input.rank < shape.length || !tf.util.arraysEqual(input.shape.slice(-shape.length), shape)) {
    throw new RuntimeError(
      `Given normalized_shape=${list(shape)}, expected input with shape [*, ${shape.join(', ')}], but got input of size${list(input.shape)}`,
    );
  }
}

function normalize(
  input: tf.Tensor,
  shape: readonly number[],
  weight: tf.Tensor | null,
  bias: tf.Tensor | null,
  eps: number,
): tf.Tensor {
  const columns = tf.util.sizeFromShape([...shape]);
  const count = input.size / columns;
  const flat = (t: tf.Tensor) => (t.rank === 2 && t.shape[1] === columns ? t : tf.reshape(t, [-1, columns]));
  const mean = (t: tf.Tensor) => tf.mean(t, 1, true);
  /** The sum over the rows, in the shape of a weight. */
  const sum = (t: tf.Tensor) => tf.reshape(sumOfPixels(tf.reshape(t, [count, 1, 1, columns])), [...shape]);
  return op(
    'NativeLayerNorm',
    { input, weight, bias },
    (save) => {
      if (input.size === 0) return tf.zeros(input.shape);
      const x = flat(input);
      const centered = tf.sub(x, mean(x));
      const scale = tf.rsqrt(tf.add(mean(tf.square(centered)), eps));
      const standard = tf.mul(centered, scale);
      save(weight ? [standard, scale, weight] : [standard, scale]);
      const y = weight ? tf.mul(standard, flat(weight)) : standard;
      return tf.reshape(bias ? tf.add(y, flat(bias)) : y, input.shape);
    },
    (dy, saved) => {
      const [standard, scale, w] = saved as [tf.Tensor, tf.Tensor, tf.Tensor?];
      return {
        input: () => {
          const d = w ? tf.mul(flat(dy), flat(w)) : flat(dy);
          // The mean and the variance depend on the input too.
          const along = tf.mul(standard, mean(tf.mul(d, standard)));
          const dx = tf.mul(tf.sub(tf.sub(d, mean(d)), along), scale);
          return tf.reshape(dx, input.shape);
        },
        weight: () => sum(tf.mul(flat(dy), standard)),
        bias: () => sum(dy),
      };
    },
  );
}
