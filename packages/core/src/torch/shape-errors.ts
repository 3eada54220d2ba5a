import * as tf from '@tensorflow/tfjs-core';
import { RuntimeError } from '../python/errors';

/** What an element-wise operation takes beside a tensor. */
export type Operand = tf.Tensor | number;
const shapeOf = (x: Operand): readonly number[] => (x instanceof tf.Tensor ? x.shape : []);

/** An element-wise operation; where the shapes do not go together, torch's error instead of tfjs's. */
export function broadcasting<T>(x: Operand, y: Operand, f: () => T): T {
  try {
    return f();
  } catch (error) {
    const [a, b] = [shapeOf(x), shapeOf(y)];
    const rank = Math.max(a.length, b.length);
    for (let i = 1; i <= rank; i++) {
      const [m = 1, n = 1] = [a[a.length - i], b[b.length - i]];
      if (m !== n && m !== 1 && n !== 1)
        throw new RuntimeError(
          `The size of tensor a (${m}) must match the size of tensor b (${n}) at non-singleton dimension ${rank - i}`,
        );
    }
    throw error;
  }
}

/** The product of matrices or of batches of them, with torch's errors. */
export function matmul(x: tf.Tensor, y: tf.Tensor): tf.Tensor {
  try {
    return tf.matMul(x, y);
  } catch (error) {
    const [a, b] = [x.shape, y.shape];
    if (a.length < 2 || b.length < 2) throw error;
    const [n, k, inner, m] = [a.at(-2)!, a.at(-1)!, b.at(-2)!, b.at(-1)!];
    if (b.length === 2 && k !== inner) {
      const rows = a.slice(0, -2).reduce((p, d) => p * d, n);
      throw new RuntimeError(`mm: mat1 and mat2 shapes cannot be multiplied (${rows}x${k} and ${inner}x${m})`);
    }
    if (k !== inner)
      throw new RuntimeError(
        `Expected size for first two dimensions of batch2 tensor to be: [${b[0]}, ${k}] but got: [${b[0]}, ${inner}].`,
      );
    throw error;
  }
}
