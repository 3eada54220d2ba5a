/**
 * torch's images are NCHW, tfjs computes in NHWC. A layer's result is an NCHW tensor that is not computed before somebody
 * reads it: the next layer takes the NHWC one behind it, which carries the graph. All of that is decided here.
 */
import * as tf from '@tensorflow/tfjs-core';
import { internal } from '@tfjs-torch/core';

/** The NHWC tensor behind `x`, if there is one that stands for it in the graph too. */
function behind(x: tf.Tensor): tf.Tensor4D | null {
  const y = internal.sourceOf(x);
  // x was detached, or made a leaf, after it was computed.
  if (!y || y.requires_grad !== x.requires_grad || (x.requires_grad && x.is_leaf)) return null;
  return y as tf.Tensor4D;
}

// With one channel or one pixel nothing moves.
const moves = (channels: number, height: number, width: number) => channels > 1 && height * width > 1;

/** The NHWC tensor with the elements of `x`. */
export function nhwc(x: tf.Tensor4D): tf.Tensor4D {
  const y = behind(x);
  if (y) return y;
  const [n, c, h, w] = x.shape;
  return moves(c, h, w) ? tf.transpose(x, [0, 2, 3, 1]) : tf.reshape(x, [n, h, w, c]);
}

/** The NCHW tensor with the elements of `y`. */
export function nchwFrom(y: tf.Tensor4D): tf.Tensor4D {
  const [n, h, w, c] = y.shape;
  return moves(c, h, w) ? (internal.lazyTranspose(y, [0, 3, 1, 2]) as tf.Tensor4D) : tf.reshape(y, [n, c, h, w]);
}

/** Applies what works on single elements, in the layout in which `x` has been computed. */
export function elementwise(x: tf.Tensor, f: (x: tf.Tensor) => tf.Tensor): tf.Tensor {
  const y = behind(x);
  return y ? nchwFrom(f(y) as tf.Tensor4D) : f(x);
}

/** A tensor like `x` in shape and layout, for `elementwise`; `values` are in the order of NCHW. */
export function valuesLike(x: tf.Tensor, values: Float32Array): tf.Tensor {
  if (!behind(x)) return tf.tensor(values, x.shape);
  const [n, c, h, w] = x.shape as [number, number, number, number];
  const permuted = new Float32Array(values.length);
  const pixels = h * w;
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < c; k++) {
      const from = (i * c + k) * pixels;
      for (let p = 0; p < pixels; p++) permuted[(i * pixels + p) * c + k] = values[from + p]!;
    }
  }
  return tf.tensor4d(permuted, [n, h, w, c]);
}
