import * as tf from '@tensorflow/tfjs-core';
import {
  IndexError,
  internal,
  isPlainObject,
  KeyError,
  type NumberArray,
  RuntimeError,
  tensor,
} from '@tfjs-torch/core';

/** What can be stacked. */
type Numbers = Exclude<NumberArray, BigInt64Array>;
export type HostArray = Float32Array | Int32Array | Uint8Array;

/** What `default_collate` makes of samples of type `T`. */
export type Collated<T> = T extends tf.Tensor | number | boolean | bigint | Numbers
  ? tf.Tensor
  : T extends string
    ? string[]
    : T extends readonly unknown[]
      ? { -readonly [K in keyof T]: Collated<T[K]> }
      : T extends object
        ? { [K in keyof T]: Collated<T[K]> }
        : never;

/** Core may restore `t` from `values`, which nobody changes: it need not read them to let go of the backend's copy. */
export function remember(t: tf.Tensor, values: HostArray): void {
  if (internal.inTorch()) internal.fromHost(t, values);
}

/** A tensor that owns `values`. */
export function fromHost(values: HostArray, shape: number[], dtype: tf.DataType): tf.Tensor {
  const t = tf.tensor(values, shape, dtype);
  remember(t, values);
  return t;
}

/**
 * Joins samples into a batch: tensors and typed arrays are stacked, numbers become a tensor (int32 where all are integers,
 * else float32; booleans bool), strings stay an array, arrays and plain objects are joined item by item.
 */
export function default_collate<T>(samples: readonly T[]): Collated<T> {
  return collate(samples) as Collated<T>;
}

function collate(samples: readonly unknown[]): unknown {
  if (samples.length === 0) throw new IndexError('list index out of range');
  const first = samples[0];
  if (first instanceof tf.Tensor) return stack(samples as tf.Tensor[]);
  if (ArrayBuffer.isView(first)) return stackArrays(samples as Numbers[]);
  switch (typeof first) {
    case 'string':
      return samples;
    case 'number':
    case 'bigint':
    case 'boolean': {
      const whole = typeof first !== 'boolean' && samples.every((x) => typeof x === 'bigint' || Number.isInteger(x));
      return tensor(samples as number[], whole ? { dtype: 'int32' } : {});
    }
  }
  if (Array.isArray(first)) {
    const rows = samples as unknown[][];
    if (rows.some((row) => row.length !== first.length)) {
      throw new RuntimeError('each element in list of batch should be of equal size');
    }
    return first.map((_, i) => collate(rows.map((row) => row[i])));
  }
  if (isPlainObject(first)) {
    const rows = samples as Record<string, unknown>[];
    const column = (key: string) =>
      rows.map((row) => {
        if (!Object.hasOwn(row, key)) throw new KeyError(`'${key}'`);
        return row[key];
      });
    return Object.fromEntries(Object.keys(first).map((key) => [key, collate(column(key))]));
  }
  throw new TypeError(
    `default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found ${typeName(first)}`,
  );
}

function typeName(x: unknown): string {
  if (x === null || x === undefined) return "<class 'NoneType'>";
  if (x instanceof Promise) return "<class 'Promise'>: iterate with `for await`";
  return `<class '${Object(x).constructor?.name ?? typeof x}'>`;
}

function checkSizes(shapes: readonly (readonly number[])[]): void {
  const [first] = shapes as [readonly number[]];
  for (const [i, shape] of shapes.entries()) {
    if (shape.length !== first.length || shape.some((n, k) => n !== first[k])) {
      const text = (s: readonly number[]) => `[${s.join(', ')}]`;
      throw new RuntimeError(
        `stack expects each tensor to be equal size, but got ${text(first)} at entry 0 and ${text(shape)} at entry ${i}`,
      );
    }
  }
}

function stack(tensors: tf.Tensor[]): tf.Tensor {
  checkSizes(tensors.map((t) => t.shape));
  return tf.stack(tensors);
}

function stackArrays(arrays: Numbers[]): tf.Tensor {
  checkSizes(arrays.map((a) => [a.length]));
  const n = arrays[0]!.length;
  const isFloat = arrays[0] instanceof Float32Array || arrays[0] instanceof Float64Array;
  const values = isFloat ? new Float32Array(n * arrays.length) : new Int32Array(n * arrays.length);
  for (const [i, a] of arrays.entries()) values.set(a, i * n);
  return fromHost(values, [arrays.length, n], isFloat ? 'float32' : 'int32');
}

/** What a loader without batches does to a sample: typed arrays become tensors, everything else stays. */
export function default_convert(sample: unknown): unknown {
  if (ArrayBuffer.isView(sample)) return tensor(sample as NumberArray);
  if (Array.isArray(sample)) return sample.map(default_convert);
  if (isPlainObject(sample)) {
    return Object.fromEntries(Object.entries(sample).map(([key, value]) => [key, default_convert(value)]));
  }
  return sample;
}
