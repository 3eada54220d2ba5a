import * as tf from '@tensorflow/tfjs-core';
import { isPlainObject } from '@tfjs-torch/core/base';

/** A copy that shares nothing which can change: tensors get handles of their own on the same values. */
export function copied(value: unknown): unknown {
  if (value instanceof tf.Tensor) return tf.clone(value);
  if (Array.isArray(value)) return value.map(copied);
  return isPlainObject(value) ? mapped(value, copied) : value;
}

/** A plain object with `f` of each value. */
export const mapped = (object: Record<string, unknown>, f: (value: unknown, key: string) => unknown) =>
  Object.fromEntries(Object.entries(object).map(([key, value]) => [key, f(value, key)]));

/** An option with the tensors in it read, each as its number. */
export const read = (value: unknown): unknown =>
  value instanceof tf.Tensor ? value.dataSync()[0] : Array.isArray(value) ? value.map(read) : value;

/** Disposes of the tensors in a state; does not look through vectors on the host for them. */
export function free(value: unknown): void {
  if (Array.isArray(value)) value.forEach(free);
  else if (isPlainObject(value)) Object.values(value).forEach(free);
  else if (!ArrayBuffer.isView(value)) tf.dispose(value as tf.TensorContainer);
}
