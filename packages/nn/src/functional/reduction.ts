import * as tf from '@tensorflow/tfjs-core';
import { ValueError, warn } from '@tfjs-torch/core';

export type Reduction = 'none' | 'mean' | 'sum';

export interface LossOptions {
  /** Deprecated: use `reduction`. */
  size_average?: boolean | null;
  /** Deprecated: use `reduction`. */
  reduce?: boolean | null;
  /** 'mean' (default), 'sum', or 'none': a loss for each element. */
  reduction?: Reduction;
}

/** The same by position. */
export type LossPositional<R = Reduction> = [size_average: boolean | null, reduce: boolean | null, reduction: R];

const deprecatedText = (reduction: string) =>
  `size_average and reduce args will be deprecated, please use reduction='${reduction}' instead.`;

/** The reduction that the deprecated options stand for; `reduction` where they are not given. */
export function legacyReduction<R extends string = Reduction>({
  size_average,
  reduce,
  reduction,
}: Required<Omit<LossOptions, 'reduction'>> & { reduction: R }): R | Reduction {
  if (size_average === null && reduce === null) return reduction;
  const old = reduce === false ? 'none' : size_average === false ? 'sum' : 'mean';
  warn(deprecatedText(old));
  return old;
}

/** @throws ValueError for another word than the three */
export function resolveReduction(options: Required<LossOptions>): Reduction {
  const reduction: string = legacyReduction(options);
  if (reduction === 'elementwise_mean') {
    warn("reduction='elementwise_mean' is deprecated. Please use reduction='mean' instead.");
    return 'mean';
  }
  if (reduction !== 'none' && reduction !== 'mean' && reduction !== 'sum') {
    throw new ValueError(`${reduction} is not a valid value for reduction`);
  }
  return reduction;
}

/** The sum of all elements. On wasm, two short sums round less than one long one: its kernel adds one by one. */
export function total(x: tf.Tensor): tf.Tensor {
  // wasm sums no elements to whatever is in its memory.
  if (x.size === 0) return tf.scalar(0);
  if (x.size < 4096 || tf.getBackend() !== 'wasm') return tf.sum(x);
  const width = 2 ** Math.round(Math.log2(x.size) / 2);
  const whole = x.size - (x.size % width);
  const flat = tf.reshape(x, [-1]);
  const sums = tf.sum(tf.reshape(tf.slice(flat, 0, whole), [-1, width]), 1);
  return tf.add(tf.sum(sums), tf.sum(tf.slice(flat, whole)));
}

/** Reduces a loss for each element; `count` is what a mean divides by. */
export const reduced = (loss: tf.Tensor, reduction: Reduction, count: number | tf.Tensor): tf.Tensor =>
  reduction === 'none' ? loss : reduction === 'sum' ? total(loss) : tf.div(total(loss), count);
