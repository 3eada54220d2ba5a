// torch's CPU random numbers: which words each function takes, and how they become values
// (ATen/native/cpu/DistributionTemplates.h, ATen/core/DistributionsHelper.h).
import * as tf from '@tensorflow/tfjs-core';
import { bind, isPlainObject, type Signature, signature } from '../python/bind';
import { NotImplementedError, RuntimeError } from '../python/errors';
import { boxMuller16 } from './box-muller';
import {
  checkSize,
  type Dtype,
  flattenSize,
  float32,
  int32,
  leaf,
  resolveDtype,
  type SizeArgs,
  type TensorOptions,
  type TfDtype,
} from './creation';
import { default_generator, type Generator } from './generator';

export interface RandomOptions extends TensorOptions {
  /** Default: `default_generator`. */
  generator?: Generator | null;
}

const f = Math.fround;

/** Fills `out` with float32 uniforms in [low, high), one word each. */
export function fillUniform(out: Float32Array, low = 0, high = 1, gen: Generator = default_generator): Float32Array {
  if (!(low <= high)) {
    throw new RuntimeError(`uniform_ expects to return a [from, to) range, but found from=${low} > to=${high}`);
  }
  const from = f(low);
  const range = f(f(high) - from);
  // Rounded once: torch's compiler fuses the multiply-add.
  for (let i = 0; i < out.length; i++) out[i] = gen.uniform() * range + from;
  return out;
}

/** Fills `out` with float32 normals; as in torch, fewer than 16 are drawn one by one, more in blocks of 16. */
export function fillNormal(out: Float32Array, mean = 0, std = 1, gen: Generator = default_generator): Float32Array {
  if (!(std >= 0)) throw new RuntimeError(`normal expects std >= 0.0, but found std ${std}`);
  const n = out.length;
  if (n < 16) {
    for (let i = 0; i < n; i++) out[i] = gen.normal() * std + mean;
    return out;
  }
  for (let i = 0; i < n; i++) out[i] = gen.uniform();
  for (let i = 0; i + 16 <= n; i += 16) boxMuller16(out, i, f(mean), f(std));
  if (n % 16 !== 0) {
    // The last block overlaps the one before and is drawn anew.
    for (let i = n - 16; i < n; i++) out[i] = gen.uniform();
    boxMuller16(out, n - 16, f(mean), f(std));
  }
  return out;
}

/** A Dropout mask: 1 where kept, else 0; two words an element. */
export function bernoulliMask(n: number, keepProbability: number, gen: Generator = default_generator): Float32Array {
  if (!(keepProbability >= 0 && keepProbability <= 1)) {
    throw new RuntimeError(`bernoulli_ expects p to be in [0, 1], but got p=${keepProbability}`);
  }
  const mask = new Float32Array(n);
  for (let i = 0; i < n; i++) mask[i] = gen.uniform53() < keepProbability ? 1 : 0;
  return mask;
}

// From here on torch draws two words an element, for the remainder would be visibly uneven.
const wideShuffle = Math.floor(0xffffffff / 20);
const wideRange = 2 ** 28;

/** high · 2³² + low modulo `n` < 2³⁷, without bigints. */
function modulo64(high: number, low: number, n: number): number {
  const upper = ((high % n) * 0x10000 + (low >>> 16)) % n;
  return (upper * 0x10000 + (low & 0xffff)) % n;
}

/** The numbers 0 … n - 1 in the order of `torch.randperm`. */
export function permutation(n: number, gen: Generator = default_generator): Int32Array {
  const p = new Int32Array(n);
  for (let i = 0; i < n; i++) p[i] = i;
  if (n < wideShuffle) {
    for (let i = 0; i < n - 1; i++) {
      const j = i + (gen.random() % (n - i));
      const swapped = p[i]!;
      p[i] = p[j]!;
      p[j] = swapped;
    }
  } else {
    for (let i = 0; i < n; i++) {
      const high = gen.random();
      const j = modulo64(high, gen.random(), i + 1);
      p[i] = p[j]!;
      p[j] = i;
    }
  }
  return p;
}

/** Fills `out` with integers in [low, high), as `randint` draws them; `high - low` ≤ 2³². */
export function fillIntegers<T extends Int32Array | Float32Array>(
  out: T,
  low: number,
  high: number,
  gen: Generator,
): T {
  const range = high - low;
  for (let i = 0; i < out.length; i++) {
    const word = gen.random();
    out[i] = low + (range < wideRange ? word % range : modulo64(word, gen.random(), range));
  }
  return out;
}

/** The 63 random bits of `torch.empty((), dtype=torch.int64).random_()`, with which samplers and loaders seed. */
export function randomSeed(gen: Generator = default_generator): bigint {
  return BigInt.asUintN(63, gen.random64());
}

interface Bound {
  size: unknown[];
  generator: Generator | null;
  dtype: Dtype | null;
  requires_grad: boolean;
}

const options = 'generator=None, dtype=None, requires_grad=False, device=None';

function floatDtype(dtype: Dtype | null, kernel: string): void {
  const resolved = resolveDtype(dtype ?? float32);
  if (resolved === float32) return;
  const name = resolved === int32 ? 'Long' : 'Bool';
  throw new NotImplementedError(`"${kernel}" not implemented for '${name}'`);
}

type Fill = (out: Float32Array, gen: Generator) => void;

function make(size: number[], generator: Generator | null, requires_grad: boolean, fill: Fill): tf.Tensor {
  const values = new Float32Array(tf.util.sizeFromShape(size));
  fill(values, generator ?? default_generator);
  return leaf(() => tf.tensor(values, size), float32, requires_grad);
}

function filled(name: string, kernel: string, fill: Fill) {
  const sig: Signature<Bound> = signature(name, `*size, ${options}`);
  return (...args: SizeArgs<RandomOptions>): tf.Tensor => {
    const { size, generator, dtype, requires_grad } = bind(sig, args);
    const checked = flattenSize(name, size);
    floatDtype(dtype, kernel);
    return make(checked, generator, requires_grad, fill);
  };
}

function like(name: string, kernel: string, fill: Fill) {
  const sig: Signature<Bound> = signature(name, `input, *, ${options}`);
  return (input: tf.Tensor, opts: RandomOptions = {}): tf.Tensor => {
    const { generator, dtype, requires_grad } = bind(sig, [input, opts]);
    floatDtype(dtype ?? (input.dtype as TfDtype), kernel);
    return make(input.shape, generator, requires_grad, fill);
  };
}

const uniform01: Fill = (out, gen) => fillUniform(out, 0, 1, gen);
const normal01: Fill = (out, gen) => fillNormal(out, 0, 1, gen);

/** Uniform in [0, 1): `rand(2, 3)` or `rand([2, 3])`, options last. */
export const rand = filled('rand', 'check_uniform_bounds', uniform01);
/** Standard normal: `randn(2, 3)` or `randn([2, 3])`, options last. */
export const randn = filled('randn', 'normal_kernel_cpu', normal01);
export const rand_like = like('rand_like', 'check_uniform_bounds', uniform01);
export const randn_like = like('randn_like', 'normal_kernel_cpu', normal01);

type RandintArgs =
  | readonly [high: number, size: readonly number[], options?: RandomOptions]
  | readonly [low: number, high: number, size: readonly number[], options?: RandomOptions];

/** int32 integers in [low, high): `randint(high, size)` or `randint(low, high, size)`. With a float dtype, those values in float32. */
export function randint(...args: RandintArgs): tf.Tensor {
  const positionals = args.filter((a) => !isPlainObject(a));
  const sig = positionals.length === 3 || typeof positionals[1] === 'number' ? randintLow : randintHigh;
  const { low = 0, high, size, generator, dtype, requires_grad } = bind(sig, args);
  const shape = checkSize('randint', size);
  const type = resolveDtype(dtype ?? int32);
  for (const bound of [low, high]) {
    if (!Number.isSafeInteger(bound)) throw new TypeError(`randint(): bounds must be integers, got ${bound}`);
  }
  if (low >= high) {
    throw new RuntimeError(`random_ expects 'from' to be less than 'to', but got from=${low} >= to=${high}`);
  }
  const [least, most, kind] =
    type === float32 ? [-(2 ** 24), 2 ** 24, '[-(2^24), 2^24]'] : [-(2 ** 31), 2 ** 31 - 1, 'for int'];
  if (low < least) throw new RuntimeError(`from is out of bounds ${kind}`);
  if (high - 1 > most) throw new RuntimeError(`to - 1 is out of bounds ${kind}`);
  const Values = type === float32 ? Float32Array : Int32Array;
  const values = new Values(tf.util.sizeFromShape(shape));
  fillIntegers(values, low, high, generator ?? default_generator);
  return leaf(() => tf.tensor(values, shape, type), type, requires_grad);
}
type Randint = Bound & { low?: number; high: number };
const randintHigh: Signature<Randint> = signature('randint', `high, size, *, ${options}`);
const randintLow: Signature<Randint> = signature('randint', `low, high, size, *, ${options}`);

/** A permutation of 0 … n - 1, int32. */
export function randperm(n: number, opts: RandomOptions = {}): tf.Tensor {
  const { generator, dtype, requires_grad } = bind(randpermSignature, [n, opts]);
  checkSize('randperm', [n]);
  const type = resolveDtype(dtype ?? int32);
  const values = permutation(n, generator ?? default_generator);
  return leaf(() => tf.tensor1d(type === float32 ? Float32Array.from(values) : values, type), type, requires_grad);
}
const randpermSignature: Signature<Bound> = signature('randperm', `n, *, ${options}`);

/** `normal(mean, std, size)`, or `mean`, `std` or both as tensors whose shapes broadcast. */
export function normal(mean: number, std: number, size: readonly number[], opts?: RandomOptions): tf.Tensor;
export function normal(mean: tf.Tensor, std?: number | tf.Tensor, opts?: RandomOptions): tf.Tensor;
export function normal(mean: number, std: tf.Tensor, opts?: RandomOptions): tf.Tensor;
export function normal(...args: unknown[]): tf.Tensor {
  const { mean, std, size, generator, dtype, requires_grad } = bind(normalSignature, args);
  floatDtype(dtype, 'normal_kernel_cpu');
  if (typeof mean === 'number' && typeof std === 'number') {
    if (size === null) throw new TypeError('normal() needs a size when mean and std are numbers');
    return make(checkSize('normal', size), generator, requires_grad, (out, gen) => fillNormal(out, mean, std, gen));
  }
  if (std instanceof tf.Tensor ? std.dataSync().some((x) => !(x >= 0)) : !(std >= 0)) {
    const which = typeof std === 'number' ? `std >= 0.0, but found std ${std}` : 'all elements of std >= 0.0';
    throw new RuntimeError(`normal expects ${which}`);
  }
  const shape = tf.backend_util.assertAndGetBroadcastShape(shapeOf(mean), shapeOf(std));
  const means = broadcastValues(mean, shape);
  // A number scales while drawing, a tensor afterwards: they round alike only for n < 16.
  const scales = typeof std === 'number' ? null : broadcastValues(std, shape);
  return make(shape, generator, requires_grad, (out, gen) => {
    fillNormal(out, 0, typeof std === 'number' ? std : 1, gen);
    for (let i = 0; i < out.length; i++) out[i] = f(out[i]! * (scales?.[i] ?? 1)) + means[i]!;
  });
}
const shapeOf = (x: number | tf.Tensor): number[] => (typeof x === 'number' ? [] : x.shape);
const broadcastValues = (x: number | tf.Tensor, shape: number[]) =>
  tf.tidy(() => tf.broadcastTo(x instanceof tf.Tensor ? x : tf.scalar(x), shape).dataSync());
const normalSignature: Signature<
  Omit<Bound, 'size'> & { mean: number | tf.Tensor; std: number | tf.Tensor; size: number[] | null }
> = signature('normal', `mean, std=1, size=None, *, ${options}`);

/** 0 or 1 with the probabilities in `input`, or with `p` everywhere, in the shape of `input`. */
export function bernoulli(
  input: tf.Tensor,
  ...args: [p?: number | null, opts?: RandomOptions] | [opts?: RandomOptions]
): tf.Tensor {
  const { p, generator } = bind(bernoulliSignature, [input, ...args]);
  const gen = generator ?? default_generator;
  if (p !== null) return tf.tensor(bernoulliMask(input.size, p, gen), input.shape);
  floatDtype(input.dtype as TfDtype, 'bernoulli_tensor_cpu_p_');
  const probabilities = input.dataSync();
  if (probabilities.some((x) => !(x >= 0 && x <= 1))) {
    throw new RuntimeError('Expected p_in >= 0 && p_in <= 1 to be true, but got false.');
  }
  const values = new Float32Array(input.size);
  for (let i = 0; i < values.length; i++) values[i] = gen.uniform() < probabilities[i]! ? 1 : 0;
  return tf.tensor(values, input.shape);
}
const bernoulliSignature: Signature<{ p: number | null; generator: Generator | null }> = signature(
  'bernoulli',
  'input, p=None, *, generator=None',
);

/**
 * `count` indices drawn with the relative weights `weights`, in the order of `torch.multinomial`. `round` is the precision
 * of the weights: float64 unless told.
 */
export function drawIndices(
  weights: ArrayLike<number>,
  count: number,
  replacement: boolean,
  gen: Generator = default_generator,
  round: (x: number) => number = (x) => x,
): Int32Array {
  if (count <= 0) throw new RuntimeError('cannot sample n_sample <= 0 samples');
  if (!replacement && count > weights.length) {
    throw new RuntimeError('cannot sample n_sample > prob_dist.size(-1) samples without replacement');
  }
  const w = Float64Array.from(weights);
  if (!w.every((x) => x >= 0 && x < Number.POSITIVE_INFINITY)) {
    throw new RuntimeError('probability tensor contains either `inf`, `nan` or element < 0');
  }
  if (!w.some((x) => x > 0)) throw new RuntimeError('invalid multinomial distribution (sum of probabilities <= 0)');
  return replacement && count > 1 ? drawWithReplacement(w, count, gen, round) : drawByRace(w, count, gen, round);
}

function drawWithReplacement(w: Float64Array, count: number, gen: Generator, round: (x: number) => number): Int32Array {
  let sum = 0;
  const cumulative = w.map((x) => {
    sum = round(sum + x);
    return sum;
  });
  for (let i = 0; i < w.length; i++) cumulative[i] = round(cumulative[i]! / sum);
  cumulative[w.length - 1] = 1;
  const drawn = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    const u = gen.uniform53();
    let low = 0;
    let high = w.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (cumulative[middle]! < u) low = middle + 1;
      else high = middle;
    }
    drawn[i] = low;
  }
  return drawn;
}

/** Each index runs at an exponential pace, the fastest are drawn: no replacement. */
function drawByRace(w: Float64Array, count: number, gen: Generator, round: (x: number) => number): Int32Array {
  const pace = w.map((x) => round(x / round(-Math.log1p(-gen.uniform53()))));
  const order = Int32Array.from(w.keys()).sort((a, b) => pace[b]! - pace[a]!);
  return order.subarray(0, count);
}

/** `num_samples` indices per row of weights, int32; `input` has one or two dimensions. */
export function multinomial(
  input: tf.Tensor,
  num_samples: number,
  ...args:
    | [replacement?: boolean, opts?: Pick<RandomOptions, 'generator'>]
    | [opts?: Pick<RandomOptions, 'generator'> & { replacement?: boolean }]
): tf.Tensor {
  const { replacement, generator } = bind(multinomialSignature, [input, num_samples, ...args]);
  if (input.rank !== 1 && input.rank !== 2) throw new RuntimeError('prob_dist must be 1 or 2 dim');
  const columns = input.shape[input.rank - 1]!;
  const rows = input.rank === 1 ? 1 : input.shape[0]!;
  const weights = input.dataSync();
  const drawn = new Int32Array(rows * num_samples);
  for (let i = 0; i < rows; i++) {
    const row = weights.subarray(i * columns, (i + 1) * columns);
    drawn.set(drawIndices(row, num_samples, replacement, generator ?? default_generator, f), i * num_samples);
  }
  return tf.tensor(drawn, input.rank === 1 ? [num_samples] : [rows, num_samples], int32);
}
const multinomialSignature: Signature<{ replacement: boolean; generator: Generator | null }> = signature(
  'multinomial',
  'input, num_samples, replacement=False, *, generator=None',
);
