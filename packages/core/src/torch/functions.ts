/** torch's functions on tensors: `torch.exp(x)`, `torch.cat([a, b], 1)`. Methods of the same names stand on the tensors. */
import * as tf from '@tensorflow/tfjs-core';
import { type Args, bind, type Signature, signature } from '../python/bind';
import { broadcasting, type Operand } from './shape-errors';
import { dimension } from './tensor-methods';

type Tensor = tf.Tensor;
type Unary = (input: Tensor) => Tensor;
type Binary = (input: Tensor, other: Operand) => Tensor;

export const abs: Unary = (x) => tf.abs(x);
export const ceil: Unary = (x) => tf.ceil(x);
export const cos: Unary = (x) => tf.cos(x);
export const erf: Unary = (x) => tf.erf(x);
export const exp: Unary = (x) => tf.exp(x);
export const expm1: Unary = (x) => tf.expm1(x);
export const floor: Unary = (x) => tf.floor(x);
export const isfinite: Unary = (x) => tf.isFinite(x);
export const isinf: Unary = (x) => tf.isInf(x);
export const isnan: Unary = (x) => tf.isNaN(x);
export const log: Unary = (x) => tf.log(x);
export const log1p: Unary = (x) => tf.log1p(x);
export const neg: Unary = (x) => tf.neg(x);
export const reciprocal: Unary = (x) => tf.reciprocal(x);
export const relu: Unary = (x) => tf.relu(x);
/** To the nearest integer, halves to the even one. */
export const round: Unary = (x) => tf.round(x);
export const rsqrt: Unary = (x) => tf.rsqrt(x);
export const sigmoid: Unary = (x) => tf.sigmoid(x);
export const sign: Unary = (x) => tf.sign(x);
export const sin: Unary = (x) => tf.sin(x);
export const sqrt: Unary = (x) => tf.sqrt(x);
export const square: Unary = (x) => tf.square(x);
export const tan: Unary = (x) => tf.tan(x);
export const tanh: Unary = (x) => tf.tanh(x);

type Alpha = { alpha?: number };
/** input + alpha · other */
export const add = (input: Tensor, other: Operand, options: Alpha = {}): Tensor => input.add(other, options);
/** input − alpha · other */
export const sub = (input: Tensor, other: Operand, options: Alpha = {}): Tensor => input.sub(other, options);
export const mul: Binary = (x, y) => broadcasting(x, y, () => tf.mul(x, y));
type Rounding = { rounding_mode?: 'floor' | 'trunc' | null };
/** input / other, rounded as told. */
export const div = (input: Tensor, other: Operand, options: Rounding = {}): Tensor => input.div(other, options);
export const pow: Binary = (x, y) => broadcasting(x, y, () => tf.pow(x, y));
export const maximum: Binary = (x, y) => broadcasting(x, y, () => tf.maximum(x, y));
export const minimum: Binary = (x, y) => broadcasting(x, y, () => tf.minimum(x, y));
export const eq: Binary = (x, y) => x.eq(y);
export const ne: Binary = (x, y) => x.ne(y);
export const gt: Binary = (x, y) => x.gt(y);
export const ge: Binary = (x, y) => x.ge(y);
export const lt: Binary = (x, y) => x.lt(y);
export const le: Binary = (x, y) => x.le(y);
export const matmul = (input: Tensor, other: Tensor): Tensor => input.matmul(other);
export const mm = matmul;
export const bmm = matmul;
export const dot = (input: Tensor, other: Tensor): Tensor => tf.dot(input, other);

// ---- reductions

type Dim = number | readonly number[] | null;
type ReduceArgs = Args<[dim: Dim, keepdim: boolean], { dim?: Dim; keepdim?: boolean }>;
const reduceSignature = (name: string): Signature<{ input: Tensor; dim: Dim; keepdim: boolean }> =>
  signature(name, 'input, dim=None, keepdim=False');

function reduction(name: string, op: (x: Tensor, axis?: number | number[], keepDims?: boolean) => Tensor) {
  const sig = reduceSignature(name);
  return (x: Tensor, ...args: ReduceArgs): Tensor => {
    const { dim, keepdim } = bind(sig, [x, ...args]);
    return op(x, dim === null ? undefined : (dim as number | number[]), keepdim);
  };
}

export const sum = reduction('sum', tf.sum);
export const mean = reduction('mean', tf.mean);
export const prod = reduction('prod', tf.prod);

interface Extreme {
  /** The largest (smallest) value of all. */
  (input: Tensor): Tensor;
  /** The largest (smallest) values along a dimension and their places. */
  (
    input: Tensor,
    ...args:
      | [dim: number, options?: { keepdim?: boolean }]
      | [dim: number, keepdim: boolean]
      | [{ dim: number; keepdim?: boolean }]
  ): [values: Tensor, indices: Tensor];
  (input: Tensor, other: Tensor): Tensor;
}

function extreme(
  name: string,
  value: (x: Tensor, axis?: number, keepDims?: boolean) => Tensor,
  place: (x: Tensor, axis?: number) => Tensor,
  larger: (a: Tensor, b: Tensor) => Tensor,
): Extreme {
  const sig = reduceSignature(name);
  return ((x: Tensor, ...args: unknown[]) => {
    if (args[0] instanceof tf.Tensor) return larger(x, args[0]);
    const { dim, keepdim } = bind(sig, [x, ...args]);
    if (dim === null) return value(x);
    const axis = dimension(dim as number, x.rank);
    const indices = place(x, axis);
    return [value(x, axis, keepdim), keepdim ? tf.expandDims(indices, axis) : indices];
  }) as Extreme;
}

/** `torch.max(x)`, or `const [values, indices] = torch.max(x, 1)`. */
export const max = extreme('max', tf.max, tf.argMax, tf.maximum);
/** `torch.min(x)`, or `const [values, indices] = torch.min(x, 1)`. */
export const min = extreme('min', tf.min, tf.argMin, tf.minimum);
export const argmax = (input: Tensor, ...args: Parameters<Tensor['argmax']>): Tensor => input.argmax(...args);
export const argmin = (input: Tensor, ...args: Parameters<Tensor['argmin']>): Tensor => input.argmin(...args);

// ---- shapes

export const reshape = (input: Tensor, shape: readonly number[]): Tensor => input.view(shape);
export const transpose = (
  input: Tensor,
  ...args: [dim0: number, dim1: number] | [{ dim0: number; dim1: number }]
): Tensor => input.transpose(...(args as [number, number]));
export const t = (input: Tensor): Tensor => input.t();
export const permute = (input: Tensor, dims: readonly number[] | { dims: readonly number[] }): Tensor =>
  input.permute(dims as readonly number[]);
export const unsqueeze = (input: Tensor, ...args: Parameters<Tensor['unsqueeze']>): Tensor => input.unsqueeze(...args);
export const squeeze = (input: Tensor, dim?: number | { dim: number }): Tensor =>
  input.squeeze((dim ?? { dim: null }) as number);
type FlattenArgs = Args<[start_dim: number, end_dim: number], { start_dim?: number; end_dim?: number }>;
export const flatten = (input: Tensor, ...args: FlattenArgs): Tensor =>
  args.length === 0 ? input.flatten(0) : input.flatten(...args);
type DimOption = Args<[dim: number], { dim?: number }>;
const dimSignature = (name: string): Signature<{ dim: number }> => signature(name, 'tensors, dim=0');
const catSignature = dimSignature('cat');
const stackSignature = dimSignature('stack');
export const cat = (tensors: readonly Tensor[], ...args: DimOption): Tensor =>
  tf.concat([...tensors], bind(catSignature, [tensors, ...args]).dim);
export const concat = cat;
export const stack = (tensors: readonly Tensor[], ...args: DimOption): Tensor => {
  const { dim } = bind(stackSignature, [tensors, ...args]);
  return tf.stack([...tensors], dimension(dim, tensors[0]!.rank + 1));
};
/** Pieces of `size` along `dim`, the last perhaps smaller; or pieces of the sizes given. */
export function split(input: Tensor, size: number | readonly number[], ...args: DimOption): Tensor[] {
  const axis = dimension(bind(splitSignature, [input, size, ...args]).dim, input.rank);
  const n = input.shape[axis]!;
  const sizes =
    typeof size === 'number'
      ? Array.from({ length: Math.ceil(n / size) }, (_, i) => Math.min(size, n - i * size))
      : [...size];
  return tf.split(input, sizes, axis);
}
const splitSignature: Signature<{ dim: number }> = signature('split', 'tensor, split_size_or_sections, dim=0');
/** At most `chunks` pieces of one size along `dim`, the last perhaps smaller. */
export function chunk(input: Tensor, chunks: number, ...args: DimOption): Tensor[] {
  const { dim } = bind(chunkSignature, [input, chunks, ...args]);
  return split(input, Math.ceil(input.shape[dimension(dim, input.rank)]! / chunks), dim);
}
const chunkSignature: Signature<{ dim: number }> = signature('chunk', 'input, chunks, dim=0');

/** `input` where `condition` holds, else `other`. */
export const where = (condition: Tensor, input: Operand, other: Operand): Tensor => tf.where(condition, input, other);
/** Each element limited to [min, max]; either may be null. */
export const clamp = (
  input: Tensor,
  ...args: Args<[min: number | null, max: number | null], { min?: number | null; max?: number | null }>
): Tensor => {
  const { min: low, max: high } = bind(clampSignature, [input, ...args]);
  return input.clamp(low, high);
};
const clampSignature: Signature<{ min: number | null; max: number | null }> = signature(
  'clamp',
  'input, min=None, max=None',
);

// ---- questions

export const numel = (input: Tensor): number => input.size;
export const is_tensor = (x: unknown): x is Tensor => x instanceof tf.Tensor;
/** Same shape and same values. Reads both back. */
export function equal(input: Tensor, other: Tensor): boolean {
  if (!tf.util.arraysEqual(input.shape, other.shape)) return false;
  const [a, b] = [input.dataSync(), other.dataSync()];
  return a.every((x, i) => x === b[i]);
}
/** |input − other| ≤ atol + rtol · |other| everywhere. Reads both back. */
export function allclose(
  input: Tensor,
  other: Tensor,
  ...args: Args<[rtol: number, atol: number, equal_nan: boolean], { rtol?: number; atol?: number; equal_nan?: boolean }>
): boolean {
  const { rtol, atol, equal_nan } = bind(closeSignature, [input, other, ...args]);
  const shape = tf.broadcast_util.assertAndGetBroadcastShape(input.shape, other.shape);
  const [a, b] = tf.tidy(() => [input, other].map((x) => tf.broadcastTo(x, shape).dataSync())) as unknown as [
    Float32Array,
    Float32Array,
  ];
  return a.every((x, i) => {
    const y = b[i]!;
    return x === y || Math.abs(x - y) <= atol + rtol * Math.abs(y) || (equal_nan && Number.isNaN(x) && Number.isNaN(y));
  });
}
const closeSignature: Signature<{ rtol: number; atol: number; equal_nan: boolean }> = signature(
  'allclose',
  'input, other, rtol=1e-05, atol=1e-08, equal_nan=False',
);
