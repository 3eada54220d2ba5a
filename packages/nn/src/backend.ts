import * as tf from '@tensorflow/tfjs-core';

const synchronous = new Set(['cpu', 'wasm', 'tensorflow']);

/** Whether values can be looked at for next to nothing: a GPU would have to be waited for, and webgpu does not let itself be. */
export const readsAtOnce = (): boolean => synchronous.has(tf.getBackend());
