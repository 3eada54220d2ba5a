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

/**
 * y + a·x of a bfloat16 x, rounded to float32 once, as torch's product of matrices does when it is added: a second rounding would
 * tip a bfloat16 over now and then.
 */
function addScaled(y: tf.Tensor, a: number, x: tf.Tensor): tf.Tensor {
  // Products of x, which has 8 bits, with 16 of a's 24 and with the other 8 are exact.
  const [high, low] = split(Math.fround(a));
  const product = tf.mul(x, high);
  const sum = tf.add(y, product);
  const added = tf.sub(sum, y);
  const lost = tf.add(tf.sub(y, tf.sub(sum, added)), tf.sub(product, added));
  return tf.add(sum, tf.add(lost, tf.mul(x, low)));
}

function split(a: number): [high: number, low: number] {
  const shifted = Math.fround(a * (2 ** 8 + 1));
  const high = Math.fround(shifted - Math.fround(shifted - a));
  return [high, a - high];
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
        const change = bfloat16(addScaled(tf.mul(tf.matMul(gram, gram), c), b, gram));
        return bfloat16(addScaled(tf.matMul(change, x), a, x));
      });
    }
    return tall ? tf.transpose(x) : x;
  });
}
