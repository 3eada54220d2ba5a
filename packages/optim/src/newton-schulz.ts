import * as tf from '@tensorflow/tfjs-core';

/**
 * `x` with each value rounded to the nearest bfloat16 (8 bits of significand), ties to even, as torch rounds. In float32
 * arithmetic alone, for tfjs cannot see bits; exact for magnitudes from 2^-100 to 2^100.
 */
export function bfloat16(x: tf.Tensor): tf.Tensor {
  return tf.tidy(() => {
    const size = tf.abs(x);
    // Veltkamp's splitting leaves two bits of |x|, 2^e times 1, 1.5 or 2; what rounded up is taken back below 2^(e+1).
    const shifted = tf.mul(size, 2 ** 22 + 1);
    const two = tf.sub(shifted, tf.sub(shifted, size));
    const below = tf.where(tf.greater(two, size), tf.mul(two, 0.75), two);
    // A sum of magnitude 2^(e+16) has no bits below 2^(e-7): the addition rounds.
    const magic = tf.mul(below, 2 ** 16);
    const result = tf.sub(tf.add(size, magic), magic);
    return tf.where(tf.less(x, 0), tf.neg(result), result); // wasm's Sign of a small value is 0
  });
}

export interface NewtonSchulz {
  /** Of the odd polynomial x, x³, x⁵. */
  ns_coefficients: readonly [number, number, number];
  ns_steps: number;
  /** The least norm that the matrix is divided by. */
  eps: number;
}

/**
 * The nearest semi-orthogonal matrix, roughly, by Newton-Schulz steps in bfloat16 as torch takes them: products are summed
 * in float32 and each matrix is rounded once.
 */
export function zeropower(update: tf.Tensor2D, h: NewtonSchulz): tf.Tensor {
  const [a, b, c] = h.ns_coefficients;
  const tall = update.shape[0] > update.shape[1];
  return tf.tidy(() => {
    const start = bfloat16(tall ? tf.transpose(update) : update);
    const norm = tf.maximum(bfloat16(tf.norm(start)), bfloat16(tf.scalar(h.eps)));
    let x = bfloat16(tf.div(start, norm));
    for (let k = 0; k < h.ns_steps; k++) {
      x = tf.tidy(() => {
        const gram = bfloat16(tf.matMul(x, x, false, true));
        const change = bfloat16(tf.add(tf.mul(gram, b), tf.mul(tf.matMul(gram, gram), c)));
        return bfloat16(tf.add(tf.mul(x, a), tf.matMul(change, x)));
      });
    }
    return tall ? tf.transpose(x) : x;
  });
}
