/**
 * torch's images are NCHW, tfjs computes in NHWC. A line, NCL, is an image of one row. A layer's result is an NCHW tensor that is not computed before somebody
 * reads it: the next layer takes the NHWC one behind it, which carries the graph. All of that is decided here.
 */
import * as tf from '@tensorflow/tfjs-core';
import { internal } from '@tfjs-torch/core';

/** The channels-last tensor behind `x`, [N, H, W, C] or [N, L, C], if there is one that stands for it in the graph too. */
function behind(x: tf.Tensor): tf.Tensor | null {
  const y = internal.sourceOf(x);
  // x was detached, or made a leaf, after it was computed.
  if (!y || y.requires_grad !== x.requires_grad || (x.requires_grad && x.is_leaf)) return null;
  return y;
}

// With one channel or one pixel nothing moves.
const moves = (channels: number, height: number, width: number) => channels > 1 && height * width > 1;

const channelsFirst = (y: tf.Tensor): tf.Tensor => internal.lazyTranspose(y, y.rank === 4 ? [0, 3, 1, 2] : [0, 2, 1]);

/** The NHWC tensor with the elements of `x`, [N, C, H, W] or [N, C, L]. */
export function nhwc(x: tf.Tensor): tf.Tensor4D {
  const [n = 0, c = 0, ...space] = x.shape;
  const [h, w] = space.length === 1 ? [1, space[0]!] : (space as [number, number]);
  const last = behind(x) ?? (moves(c, h, w) ? tf.transpose(x, x.rank === 4 ? [0, 2, 3, 1] : [0, 2, 1]) : x);
  return (last.rank === 4 && last !== x ? last : tf.reshape(last, [n, h, w, c])) as tf.Tensor4D;
}

/** The tensor [N, C, H, W], or [N, C, L] where `rank` is 3, with the elements of `y`. */
export function nchwFrom(y: tf.Tensor4D, rank = 4): tf.Tensor {
  const [n, h, w, c] = y.shape;
  if (!moves(c, h, w)) return tf.reshape(y, rank === 4 ? [n, c, h, w] : [n, c, w]);
  return channelsFirst(rank === 4 ? y : tf.reshape(y, [n, w, c]));
}

/** Applies what works on single elements, in the layout in which `x` has been computed. */
export function elementwise(x: tf.Tensor, f: (x: tf.Tensor) => tf.Tensor): tf.Tensor {
  const y = behind(x);
  return y ? channelsFirst(f(y)) : f(x);
}

/** One value for each channel of `x`, [N, C, …], in the order of [N, C]: to be broadcast by `elementwise`. */
export function channelValues(x: tf.Tensor, values: Float32Array): tf.Tensor {
  const [n = 0, c = 0, ...space] = x.shape;
  const ones = space.map(() => 1);
  return tf.tensor(values, behind(x) ? [n, ...ones, c] : [n, c, ...ones]);
}

/** A tensor like `x` in shape and layout, for `elementwise`; `values` are in the order of NCHW. */
export function valuesLike(x: tf.Tensor, values: Float32Array): tf.Tensor {
  const y = behind(x);
  if (!y) return tf.tensor(values, x.shape);
  const [n = 0, c = 0, ...space] = x.shape;
  const permuted = new Float32Array(values.length);
  const pixels = tf.util.sizeFromShape(space);
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < c; k++) {
      const from = (i * c + k) * pixels;
      for (let p = 0; p < pixels; p++) permuted[(i * pixels + p) * c + k] = values[from + p]!;
    }
  }
  return tf.tensor(permuted, y.shape);
}
