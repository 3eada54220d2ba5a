import * as tf from '@tensorflow/tfjs-core';
import { bind, isPlainObject, type Signature, signature } from '../python/bind';
import { RuntimeError, ValueError } from '../python/errors';
import { pythonType } from '../python/python-type';

export const float32 = 'float32';
export const float = float32;
export const int32 = 'int32';
/** tfjs has no 64-bit integers: int32. */
export const int64 = int32;
export const long = int32;
export const bool = 'bool';

/** torch's names, as strings. `int64` and `long` become int32. */
export type Dtype = 'float32' | 'float' | 'int32' | 'int' | 'int64' | 'long' | 'bool';
export type TfDtype = 'float32' | 'int32' | 'bool';

const dtypes: Record<Dtype, TfDtype> = {
  float32,
  float: float32,
  int32,
  int: int32,
  int64: int32,
  long: int32,
  bool,
};

export interface TensorOptions {
  /** Default float32, save where the function says otherwise. */
  dtype?: Dtype | null;
  requires_grad?: boolean;
  /** Accepted and ignored: tensors live on the tfjs backend in use. */
  device?: unknown;
}

/** Sizes as torch takes them, one by one or as one array, then perhaps the options. */
export type SizeArgs<Options> =
  | readonly number[]
  | readonly [...number[], Options]
  | readonly [readonly number[]]
  | readonly [readonly number[], Options];

/** A typed array of numbers. */
export type NumberArray =
  | Float32Array
  | Float64Array
  | Int32Array
  | Uint32Array
  | Int16Array
  | Uint16Array
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | BigInt64Array;
export type TensorData = number | boolean | bigint | NumberArray | tf.Tensor | readonly TensorData[];

const isNumberArray = (x: unknown): x is NumberArray => ArrayBuffer.isView(x) && !(x instanceof DataView);

/** The tfjs dtype for a torch one. @throws RuntimeError for one that tfjs lacks */
export function resolveDtype(dtype: Dtype): TfDtype {
  const resolved: TfDtype | undefined = dtypes[dtype];
  if (resolved === undefined) {
    throw new RuntimeError(`dtype ${String(dtype)} is not available; tfjs has float32, int32 and bool`);
  }
  return resolved;
}

/** @throws torch's errors for sizes that are fractions or negative */
export function checkSize(name: string, size: readonly unknown[]): number[] {
  for (const n of size) {
    if (typeof n !== 'number' || !Number.isInteger(n)) {
      throw new TypeError(`${name}(): argument 'size' (position 1) must be tuple of ints, not ${pythonType(n)}`);
    }
    if (n < 0) throw new RuntimeError(`Trying to create tensor with negative dimension ${n}: [${size.join(', ')}]`);
  }
  return size as number[];
}

/** `rand(2, 3)` and `rand([2, 3])` alike. */
export function flattenSize(name: string, size: readonly unknown[]): number[] {
  return checkSize(name, size.length === 1 && Array.isArray(size[0]) ? size[0] : size);
}

/** What `make` gives, as a leaf that requires a gradient if the options ask for it. */
export function leaf<T extends tf.Tensor>(make: () => T, dtype: TfDtype, requires_grad: boolean): T {
  if (!requires_grad) return make();
  if (dtype !== float32)
    throw new RuntimeError('Only Tensors of floating point and complex dtype can require gradients');
  const t = make();
  t.requires_grad = true;
  return t;
}

interface Bound {
  dtype: Dtype | null;
  requires_grad: boolean;
}

const common = 'dtype=None, requires_grad=False, device=None';

const asList = (data: TensorData): readonly TensorData[] | NumberArray | null =>
  Array.isArray(data) || isNumberArray(data) ? (data as readonly TensorData[] | NumberArray) : null;

function shapeOf(data: TensorData): number[] {
  const shape: number[] = [];
  let first: TensorData | undefined = data;
  for (;;) {
    if (first instanceof tf.Tensor) return [...shape, ...first.shape];
    const list: readonly TensorData[] | NumberArray | null = first === undefined ? null : asList(first);
    if (list === null) return shape;
    shape.push(list.length);
    first = list[0];
  }
}

function inferDtype(data: TensorData): TfDtype {
  let first: TensorData | undefined = data;
  while (Array.isArray(first)) {
    // [true, 2] holds numbers: one number anywhere decides.
    if (first.some((x) => typeof x === 'number')) return float32;
    first = first[0] as TensorData | undefined;
  }
  if (first instanceof tf.Tensor) return first.dtype as TfDtype;
  if (first instanceof Float32Array || first instanceof Float64Array) return float32;
  if (typeof first === 'bigint' || isNumberArray(first)) return int32;
  return typeof first === 'boolean' ? bool : float32;
}

function fill(out: Float32Array | Int32Array | Uint8Array, data: TensorData, shape: readonly number[]): void {
  const isBool = out instanceof Uint8Array;
  let at = 0;
  const put = (x: unknown): void => {
    if (typeof x !== 'number' && typeof x !== 'boolean' && typeof x !== 'bigint') {
      throw new TypeError(`new(): invalid data type '${pythonType(x)}'`);
    }
    out[at++] = isBool ? Number(Boolean(x)) : Number(x);
  };
  const walk = (x: TensorData, dim: number): void => {
    if (x instanceof tf.Tensor) {
      for (const value of x.dataSync()) put(value);
      return;
    }
    const list = asList(x);
    if (dim === shape.length) {
      if (list !== null) throw new TypeError('only integer tensors of a single element can be converted to an index');
      put(x);
      return;
    }
    if (list === null) throw new TypeError('not a sequence');
    if (list.length !== shape[dim]) {
      throw new ValueError(`expected sequence of length ${shape[dim]} at dim ${dim} (got ${list.length})`);
    }
    if (isNumberArray(list)) {
      if (isBool || list instanceof BigInt64Array) for (const value of list) put(value);
      else {
        out.set(list, at);
        at += list.length;
      }
    } else for (const y of list) walk(y, dim + 1);
  };
  walk(data, 0);
}

/**
 * A new tensor with a copy of `data`: a number, nested arrays, a typed array. JavaScript cannot tell 1 from 1.0, so numbers
 * give float32 (torch: int64 for integers) unless `dtype` says otherwise; booleans give bool, integer typed arrays and
 * bigints int32.
 */
export function tensor(data: TensorData, options: TensorOptions = {}): tf.Tensor {
  const { dtype, requires_grad } = bind<Bound>(tensorSignature, [data, options]);
  const shape = shapeOf(data);
  const type = dtype ? resolveDtype(dtype) : inferDtype(data);
  const Values = { float32: Float32Array, int32: Int32Array, bool: Uint8Array }[type];
  const values = new Values(tf.util.sizeFromShape(shape));
  fill(values, data, shape);
  return leaf(() => tf.tensor(values, shape, type), type, requires_grad);
}
const tensorSignature: Signature<Bound> = signature('tensor', `data, *, ${common}`);

/** `data` itself where it is a tensor of that dtype, else a new tensor. */
export function as_tensor(data: TensorData, options: Pick<TensorOptions, 'dtype' | 'device'> = {}): tf.Tensor {
  if (data instanceof tf.Tensor && (!options.dtype || resolveDtype(options.dtype) === data.dtype)) return data;
  return tensor(data, options);
}

function filled(name: string, make: (size: number[], dtype: TfDtype) => tf.Tensor) {
  const sig: Signature<Bound & { size: unknown[] }> = signature(name, `*size, ${common}`);
  return (...args: SizeArgs<TensorOptions>): tf.Tensor => {
    const { size, dtype, requires_grad } = bind(sig, args);
    const checked = flattenSize(name, size);
    const type = resolveDtype(dtype ?? float32);
    return leaf(() => make(checked, type), type, requires_grad);
  };
}

export const zeros = filled('zeros', (size, dtype) => tf.zeros(size, dtype));
export const ones = filled('ones', (size, dtype) => tf.ones(size, dtype));
/** Holds zeros: tfjs has no uninitialised memory. */
export const empty = filled('empty', (size, dtype) => tf.zeros(size, dtype));

/** Float32 for a number, bool for a boolean, unless `dtype` says otherwise. */
export function full(size: readonly number[], fill_value: number | boolean, options: TensorOptions = {}): tf.Tensor {
  const { dtype, requires_grad } = bind<Bound>(fullSignature, [size, fill_value, options]);
  const shape = checkSize('full', size);
  const type = dtype ? resolveDtype(dtype) : typeof fill_value === 'boolean' ? bool : float32;
  return leaf(() => tf.fill(shape, Number(fill_value), type), type, requires_grad);
}
const fullSignature: Signature<Bound> = signature('full', `size, fill_value, *, ${common}`);

function like(name: string, make: (size: number[], dtype: TfDtype) => tf.Tensor) {
  const sig: Signature<Bound> = signature(name, `input, *, ${common}`);
  return (input: tf.Tensor, options: TensorOptions = {}): tf.Tensor => {
    const { dtype, requires_grad } = bind(sig, [input, options]);
    const type = dtype ? resolveDtype(dtype) : (input.dtype as TfDtype);
    return leaf(() => make(input.shape, type), type, requires_grad);
  };
}

export const zeros_like = like('zeros_like', (size, dtype) => tf.zeros(size, dtype));
export const ones_like = like('ones_like', (size, dtype) => tf.ones(size, dtype));
export const empty_like = like('empty_like', (size, dtype) => tf.zeros(size, dtype));

export function full_like(input: tf.Tensor, fill_value: number | boolean, options: TensorOptions = {}): tf.Tensor {
  return full(input.shape, fill_value, { ...options, dtype: options.dtype ?? (input.dtype as TfDtype) });
}

type RangeArgs =
  | readonly [end: number, options?: TensorOptions]
  | readonly [start: number, end: number, options?: TensorOptions & { step?: number }]
  | readonly [start: number, end: number, step: number, options?: TensorOptions];

/** `arange(end)`, `arange(start, end, step)`. int32 where all of them are integers, else float32. */
export function arange(...args: RangeArgs): tf.Tensor {
  const positionals = args.filter((a) => !isPlainObject(a)).length;
  const sig = positionals === 1 ? arangeEnd : arangeStart;
  const { start = 0, end, step, dtype, requires_grad } = bind(sig, args);
  if (step === 0) throw new RuntimeError('step must be nonzero');
  if (!Number.isFinite(start) || !Number.isFinite(end)) {
    throw new RuntimeError(
      `unsupported range: ${start} -> ${end}`.replaceAll('NaN', 'nan').replaceAll('Infinity', 'inf'),
    );
  }
  if (step > 0 ? end < start : end > start) {
    throw new RuntimeError('upper bound and lower bound inconsistent with step sign');
  }
  const type = dtype ? resolveDtype(dtype) : [start, end, step].every(Number.isInteger) ? int32 : float32;
  const n = Math.ceil((end - start) / step);
  const values = type === float32 ? new Float32Array(n) : new Int32Array(n);
  // Where torch uses vectors of 8, two at a time, the start of each is rounded to float32 first.
  const vectorEnd = type === float32 ? n - (n % 16) : 0;
  for (let i = 0; i < n; i++) {
    values[i] = i < vectorEnd ? Math.fround(start + step * (i - (i % 8))) + step * (i % 8) : start + step * i;
  }
  return leaf(() => tf.tensor1d(values, type), type, requires_grad);
}
type Range = Bound & { start?: number; end: number; step: number };
const arangeEnd: Signature<Range> = signature('arange', `end, *, step=1, ${common}`);
const arangeStart: Signature<Range> = signature('arange', `start, end, step=1, *, ${common}`);

/** `steps` float32 values from `start` to `end`, both included. */
export function linspace(start: number, end: number, steps: number, options: TensorOptions = {}): tf.Tensor {
  const { dtype, requires_grad } = bind<Bound>(linspaceSignature, [start, end, steps, options]);
  if (steps < 0) throw new RuntimeError('number of steps must be non-negative');
  const type = resolveDtype(dtype ?? float32);
  const values = new Float32Array(steps);
  const f = Math.fround;
  const step = f(f(f(end) - f(start)) / (steps - 1));
  // Both halves count from their own end, as torch does.
  for (let i = 0; i < steps; i++)
    values[i] = i < Math.floor(steps / 2) ? f(start) + step * i : f(end) - step * (steps - 1 - i);
  if (steps === 1) values[0] = start;
  return leaf(() => tf.tensor(type === float32 ? values : Int32Array.from(values), [steps], type), type, requires_grad);
}
const linspaceSignature: Signature<Bound> = signature('linspace', `start, end, steps, *, ${common}`);

/** The `n` × `m` identity; `m` defaults to `n`. */
export function eye(n: number, ...args: [m?: number, options?: TensorOptions] | [options?: TensorOptions]): tf.Tensor {
  const { m, dtype, requires_grad } = bind(eyeSignature, [n, ...args]);
  for (const [key, size] of Object.entries({ n, m: m ?? n })) {
    if (size < 0) throw new RuntimeError(`${key} must be greater or equal to 0, got ${size}`);
  }
  const type = resolveDtype(dtype ?? float32);
  return leaf(() => tf.eye(n, m ?? n, undefined, type), type, requires_grad);
}
const eyeSignature: Signature<Bound & { m: number | null }> = signature('eye', `n, m=None, *, ${common}`);
