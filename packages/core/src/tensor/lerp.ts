import * as tf from '@tensorflow/tfjs-core';

/** start + weight · (end − start); from a weight of 0.5 on counted from the end, as torch does. To be called in a tidy. */
export function lerp(start: tf.Tensor, end: tf.Tensor, weight: tf.Tensor | number): tf.Tensor {
  const from = (origin: tf.Tensor, w: tf.Tensor | number) => tf.add(origin, tf.mul(w, tf.sub(end, start)));
  const late = tf.sub(weight, 1);
  if (typeof weight === 'number') return weight < 0.5 ? from(start, weight) : from(end, late);
  return tf.where(tf.less(tf.abs(weight), 0.5), from(start, weight), from(end, late));
}
