import * as tf from '@tensorflow/tfjs-core';

const synchronous = new Set(['cpu', 'wasm', 'tensorflow']);

/** Whether values can be looked at for next to nothing: a GPU would have to be waited for, and webgpu does not let itself be. */
export const readsAtOnce = (): boolean => synchronous.has(tf.getBackend());

/** Each element limited to [low, high], to `high` where they cross. A NaN stays, which wasm's own kernel loses. */
export const limited = (x: tf.Tensor, low: number, high: number): tf.Tensor =>
  low > high || tf.getBackend() === 'wasm' ? tf.minimum(tf.maximum(x, low), high) : tf.clipByValue(x, low, high);
