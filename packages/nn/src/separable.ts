import * as tf from '@tensorflow/tfjs-core';

/** A linear map of one dimension to another size: for each result, what it takes of which elements. */
export type Rows = readonly (readonly [index: number, share: number])[][];

/** `rows` as a matrix [out, n]. */
function matrix(rows: Rows, n: number): tf.Tensor3D {
  const values = new Float32Array(rows.length * n);
  rows.forEach((row, i) => {
    for (const [index, share] of row) values[i * n + index] = share;
  });
  return tf.tensor3d(values, [1, rows.length, n]);
}

/** NHWC images of height and width [h, w], mapped by `rows` and by `columns`. */
export function mapped(x: tf.Tensor4D, rows: Rows, columns: Rows): tf.Tensor4D {
  const [, h, w] = x.shape;
  return apply(x, matrix(rows, h), matrix(columns, w), false);
}

/** The gradient of `mapped` by its images, which are of height and width [h, w]. */
export function mappedGradient(dy: tf.Tensor4D, rows: Rows, columns: Rows, [h, w]: readonly number[]): tf.Tensor4D {
  return apply(dy, matrix(rows, h!), matrix(columns, w!), true);
}

function apply(x: tf.Tensor4D, rows: tf.Tensor3D, columns: tf.Tensor3D, transposed: boolean): tf.Tensor4D {
  const [n, h, w, c] = x.shape;
  const [height, width] = [rows, columns].map((m) => m.shape[transposed ? 2 : 1]!) as [number, number];
  const tall = tf.matMul(rows, tf.reshape(x, [n, h, w * c]), transposed);
  const whole = tf.matMul(columns, tf.reshape(tall, [n * height, w, c]), transposed);
  return tf.reshape(whole, [n, height, width, c]);
}
