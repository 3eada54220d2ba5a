import * as tf from '@tensorflow/tfjs-core';
import {
  type Args,
  bind,
  fillNormal,
  fillUniform,
  type Generator,
  internal,
  no_grad,
  permutation,
  type Signature,
  signature,
  ValueError,
  warn,
} from '@tfjs-torch/core';

type Seeded = { generator?: Generator | null };

/** Writes new values into `tensor`, whether or not it requires a gradient. Returns it. */
function write<T extends tf.Tensor>(tensor: T, make: () => tf.Tensor): T {
  no_grad(() => internal.update(tensor, make()));
  return tensor;
}

/** The same with values that `draw` puts into zeros, in the order of the tensor's elements. */
function fill<T extends tf.Tensor>(tensor: T, draw: (out: Float32Array) => void): T {
  const values = new Float32Array(tensor.size);
  draw(values);
  return write(tensor, () => tf.tensor(values, tensor.shape));
}

const drawUniform = <T extends tf.Tensor>(tensor: T, low: number, high: number, generator: Generator | null): T =>
  fill(tensor, (out) => fillUniform(out, low, high, generator ?? undefined));
const drawNormal = <T extends tf.Tensor>(tensor: T, mean: number, std: number, generator: Generator | null): T =>
  fill(tensor, (out) => fillNormal(out, mean, std, generator ?? undefined));

/** Values of U(a, b). */
export function uniform_<T extends tf.Tensor>(
  tensor: T,
  ...args: Args<[a: number, b: number, generator: Generator | null], Seeded & { a?: number; b?: number }>
): T {
  const { a, b, generator } = bind(uniformSignature, [tensor, ...args]);
  return drawUniform(tensor, a, b, generator);
}
const uniformSignature: Signature<{ a: number; b: number; generator: Generator | null }> = signature(
  'uniform_',
  'tensor, a=0.0, b=1.0, generator=None',
);

/** Values of N(mean, std²). */
export function normal_<T extends tf.Tensor>(
  tensor: T,
  ...args: Args<[mean: number, std: number, generator: Generator | null], Seeded & { mean?: number; std?: number }>
): T {
  const { mean, std, generator } = bind(normalSignature, [tensor, ...args]);
  return drawNormal(tensor, mean, std, generator);
}
const normalSignature: Signature<{ mean: number; std: number; generator: Generator | null }> = signature(
  'normal_',
  'tensor, mean=0.0, std=1.0, generator=None',
);

type TruncNormalOptions = Seeded & { mean?: number; std?: number; a?: number; b?: number };

/** Values of N(mean, std²) that lie in [a, b]: those that do not are drawn again. */
export function trunc_normal_<T extends tf.Tensor>(
  tensor: T,
  ...args: Args<[mean: number, std: number, a: number, b: number, generator: Generator | null], TruncNormalOptions>
): T {
  const { mean, std, a, b, generator } = bind(truncNormalSignature, [tensor, ...args]);
  if (std === 0) throw new ValueError('trunc_normal_: std must not be 0');
  if (mean < a - 2 * std || mean > b + 2 * std) {
    warn('mean is more than 2 std from [a, b] in nn.init.trunc_normal_. The distribution of values may be incorrect.');
  }
  const share = normalCdf((b - mean) / std) - normalCdf((a - mean) / std);
  const draw = share > 0.3 ? rejectOutside : rejectUnlikely;
  return fill(tensor, (out) => draw(out, { mean, std, a, b, generator: generator ?? undefined }));
}
const truncNormalSignature: Signature<Required<TruncNormalOptions>> = signature(
  'trunc_normal_',
  'tensor, mean=0.0, std=1.0, a=-2.0, b=2.0, generator=None',
);

/** The error function of Abramowitz and Stegun 7.1.26, to 1.5e-7: it only chooses between two ways. */
function normalCdf(x: number): number {
  const { ERF_P, ERF_A1, ERF_A2, ERF_A3, ERF_A4, ERF_A5 } = tf.backend_util;
  const z = Math.abs(x) / Math.SQRT2;
  const t = 1 / (1 + ERF_P * z);
  const upper = ((((ERF_A5 * t + ERF_A4) * t + ERF_A3) * t + ERF_A2) * t + ERF_A1) * t * Math.exp(-z * z);
  return x < 0 ? upper / 2 : 1 - upper / 2;
}

interface Truncated {
  mean: number;
  std: number;
  a: number;
  b: number;
  generator: Generator | undefined;
}
const f = Math.fround;

/** Normals; as torch, a whole tensor is drawn again for those outside. */
function rejectOutside(out: Float32Array, { mean, std, a, b, generator }: Truncated): void {
  const [low, high] = [f(a), f(b)];
  const outside = (x: number) => x < low || x > high;
  fillNormal(out, mean, std, generator);
  for (const drawn = new Float32Array(out.length); out.some(outside); ) {
    fillNormal(drawn, mean, std, generator);
    for (let i = 0; i < out.length; i++) if (outside(out[i]!)) out[i] = drawn[i]!;
  }
}

/** Uniforms in [a, b], each taken with the probability density there over the largest one; where few normals lie inside. */
function rejectUnlikely(out: Float32Array, { mean, std, a, b, generator }: Truncated): void {
  const mode = Math.max(a, Math.min(mean, b));
  const logPeak = f(-0.5 * ((mode - mean) / std) ** 2);
  const [centre, width] = [f(mean), f(std)];
  // In float32, as torch computes it in place.
  const logDensity = (x: number) => {
    const z = f(f(x - centre) / width);
    return f(f(f(z * z) * -0.5) - logPeak);
  };
  const pending = new Uint8Array(out.length).fill(1);
  const candidates = new Float32Array(out.length);
  const chances = new Float32Array(out.length);
  do {
    fillUniform(candidates, a, b, generator);
    fillUniform(chances, 0, 1, generator);
    for (let i = 0; i < out.length; i++) {
      if (!pending[i]) continue;
      out[i] = candidates[i]!;
      pending[i] = f(Math.log(chances[i]!)) > logDensity(out[i]!) ? 1 : 0;
    }
  } while (pending.includes(1));
}

export function constant_<T extends tf.Tensor>(tensor: T, ...args: Args<[val: number], { val?: number }>): T {
  const { val } = bind(constantSignature, [tensor, ...args]);
  return write(tensor, () => tf.fill(tensor.shape, val, tensor.dtype as 'float32'));
}
const constantSignature: Signature<{ val: number }> = signature('constant_', 'tensor, val');

export const ones_ = <T extends tf.Tensor>(tensor: T): T => constant_(tensor, 1);

export const zeros_ = <T extends tf.Tensor>(tensor: T): T => constant_(tensor, 0);

/** The identity matrix, as far as `tensor` [rows, columns] holds it. */
export function eye_<T extends tf.Tensor>(tensor: T): T {
  if (tensor.rank !== 2) throw new ValueError('Only tensors with 2 dimensions are supported');
  const [rows, columns] = tensor.shape as [number, number];
  return write(tensor, () => tf.eye(rows, columns));
}

/** Of a convolution's weight [out, in, …]: each group hands its inputs on, as many as it has outputs for. */
export function dirac_<T extends tf.Tensor>(tensor: T, ...args: Args<[groups: number], { groups?: number }>): T {
  const { groups } = bind(diracSignature, [tensor, ...args]);
  if (tensor.rank < 3 || tensor.rank > 5) {
    throw new ValueError('Only tensors with 3, 4, or 5 dimensions are supported');
  }
  const [out, inputs, ...window] = tensor.shape as [number, number, ...number[]];
  if (out % groups !== 0) throw new ValueError('dim 0 must be divisible by groups');
  const field = tf.util.sizeFromShape(window);
  const centre = window.reduce((at, n) => at * n + Math.floor(n / 2), 0);
  const each = out / groups;
  return fill(tensor, (values) => {
    for (let o = 0; o < out; o++) {
      const i = o % each;
      if (i < inputs) values[(o * inputs + i) * field + centre] = 1;
    }
  });
}
const diracSignature: Signature<{ groups: number }> = signature('dirac_', 'tensor, groups=1');

type XavierArgs = Args<[gain: number, generator: Generator | null], Seeded & { gain?: number }>;
const xavierList = 'tensor, gain=1.0, generator=None';

/** Glorot and Bengio 2010: U(-a, a) with a = gain · √(6 / (fan_in + fan_out)). */
export function xavier_uniform_<T extends tf.Tensor>(tensor: T, ...args: XavierArgs): T {
  const { gain, generator } = bind(xavierUniformSignature, [tensor, ...args]);
  const a = Math.sqrt(3) * xavierStd(tensor, gain);
  return drawUniform(tensor, -a, a, generator);
}
const xavierUniformSignature: Signature<{ gain: number; generator: Generator | null }> = signature(
  'xavier_uniform_',
  xavierList,
);

/** Glorot and Bengio 2010: N(0, std²) with std = gain · √(2 / (fan_in + fan_out)). */
export function xavier_normal_<T extends tf.Tensor>(tensor: T, ...args: XavierArgs): T {
  const { gain, generator } = bind(xavierNormalSignature, [tensor, ...args]);
  return drawNormal(tensor, 0, xavierStd(tensor, gain), generator);
}
const xavierNormalSignature: Signature<{ gain: number; generator: Generator | null }> = signature(
  'xavier_normal_',
  xavierList,
);

function xavierStd(tensor: tf.Tensor, gain: number): number {
  const [fanIn, fanOut] = _calculate_fan_in_and_fan_out(tensor);
  return gain * Math.sqrt(2 / (fanIn + fanOut));
}

export type Nonlinearity =
  | 'linear'
  | 'conv1d'
  | 'conv2d'
  | 'conv3d'
  | 'conv_transpose1d'
  | 'conv_transpose2d'
  | 'conv_transpose3d'
  | 'sigmoid'
  | 'tanh'
  | 'relu'
  | 'leaky_relu'
  | 'selu';

export interface KaimingOptions extends Seeded {
  /** The negative slope of 'leaky_relu'. Default 0. */
  a?: number;
  mode?: 'fan_in' | 'fan_out';
  /** Default 'leaky_relu'. */
  nonlinearity?: Nonlinearity;
}

type KaimingArgs = Args<
  [a: number, mode: 'fan_in' | 'fan_out', nonlinearity: Nonlinearity, generator: Generator | null],
  KaimingOptions
>;
type Kaiming = Required<KaimingOptions> & { generator: Generator | null };
const kaimingList = "tensor, a=0, mode='fan_in', nonlinearity='leaky_relu', generator=None";

/** He et al. 2015: U(-b, b) with b = gain · √(3 / fan). */
export function kaiming_uniform_<T extends tf.Tensor>(tensor: T, ...args: KaimingArgs): T {
  const options = bind(kaimingUniformSignature, [tensor, ...args]);
  if (isEmpty(tensor)) return tensor;
  const bound = Math.sqrt(3) * kaimingStd(tensor, options);
  return drawUniform(tensor, -bound, bound, options.generator);
}
const kaimingUniformSignature: Signature<Kaiming> = signature('kaiming_uniform_', kaimingList);

/** He et al. 2015: N(0, std²) with std = gain / √fan. */
export function kaiming_normal_<T extends tf.Tensor>(tensor: T, ...args: KaimingArgs): T {
  const options = bind(kaimingNormalSignature, [tensor, ...args]);
  if (isEmpty(tensor)) return tensor;
  return drawNormal(tensor, 0, kaimingStd(tensor, options), options.generator);
}
const kaimingNormalSignature: Signature<Kaiming> = signature('kaiming_normal_', kaimingList);

function isEmpty(tensor: tf.Tensor): boolean {
  if (tensor.size > 0) return false;
  warn('Initializing zero-element tensors is a no-op');
  return true;
}

function kaimingStd(tensor: tf.Tensor, { a, mode, nonlinearity }: Kaiming): number {
  const lower = mode.toLowerCase();
  if (lower !== 'fan_in' && lower !== 'fan_out') {
    throw new ValueError(`Mode ${lower} not supported, please use one of ['fan_in', 'fan_out']`);
  }
  const [fanIn, fanOut] = _calculate_fan_in_and_fan_out(tensor);
  return calculate_gain(nonlinearity, a) / Math.sqrt(lower === 'fan_in' ? fanIn : fanOut);
}

/**
 * Saxe et al. 2013: a (semi-)orthogonal matrix times `gain`, of [rows, the other dimensions]. Uniformly distributed: the
 * orthogonal factor of a matrix of normals whose triangular one has a positive diagonal. Computed in float64.
 */
export function orthogonal_<T extends tf.Tensor>(
  tensor: T,
  ...args: Args<[gain: number, generator: Generator | null], Seeded & { gain?: number }>
): T {
  const { gain, generator } = bind(orthogonalSignature, [tensor, ...args]);
  if (tensor.rank < 2) throw new ValueError('Only tensors with 2 or more dimensions are supported');
  if (tensor.size === 0) return tensor;
  const rows = tensor.shape[0]!;
  const columns = tensor.size / rows;
  return fill(tensor, (out) => {
    fillNormal(out, 0, 1, generator ?? undefined);
    // The shorter side counts the vectors that are to be orthogonal.
    const tall = rows >= columns;
    const [count, length] = tall ? [columns, rows] : [rows, columns];
    const place = (v: number, i: number) => (tall ? i * columns + v : v * columns + i);
    const vectors = Array.from({ length: count }, (_, v) => Float64Array.from({ length }, (_, i) => out[place(v, i)]!));
    orthonormalize(vectors);
    vectors.forEach((vector, v) => {
      for (let i = 0; i < length; i++) out[place(v, i)] = f(vector[i]!) * f(gain);
    });
  });
}
const orthogonalSignature: Signature<{ gain: number; generator: Generator | null }> = signature(
  'orthogonal_',
  'tensor, gain=1, generator=None',
);

/** Gram and Schmidt's way, the modified one, in place. */
function orthonormalize(vectors: readonly Float64Array[]): void {
  const dot = (x: Float64Array, y: Float64Array) => {
    let sum = 0;
    for (let i = 0; i < x.length; i++) sum += x[i]! * y[i]!;
    return sum;
  };
  vectors.forEach((x, k) => {
    const norm = Math.sqrt(dot(x, x));
    for (let i = 0; i < x.length; i++) x[i]! /= norm;
    for (const y of vectors.slice(k + 1)) {
      const share = dot(x, y);
      for (let i = 0; i < x.length; i++) y[i]! -= share * x[i]!;
    }
  });
}

/** Martens 2010: N(0, std²) in [rows, columns], but a share of each column, chosen by the default generator, is 0. */
export function sparse_<T extends tf.Tensor>(
  tensor: T,
  ...args: Args<
    [sparsity: number, std: number, generator: Generator | null],
    Seeded & { sparsity?: number; std?: number }
  >
): T {
  const { sparsity, std, generator } = bind(sparseSignature, [tensor, ...args]);
  if (tensor.rank !== 2) throw new ValueError('Only tensors with 2 dimensions are supported');
  const [rows, columns] = tensor.shape as [number, number];
  const zeros = Math.ceil(sparsity * rows);
  return fill(tensor, (out) => {
    fillNormal(out, 0, std, generator ?? undefined);
    for (let column = 0; column < columns; column++) {
      for (const row of permutation(rows).subarray(0, zeros)) out[row * columns + column] = 0;
    }
  });
}
const sparseSignature: Signature<{ sparsity: number; std: number; generator: Generator | null }> = signature(
  'sparse_',
  'tensor, sparsity, std=0.01, generator=None',
);

/** [fan_in, fan_out] of a weight [out, in, …]. */
export function _calculate_fan_in_and_fan_out(tensor: tf.Tensor): [number, number] {
  const [out, inputs, ...window] = tensor.shape;
  if (out === undefined || inputs === undefined) {
    throw new ValueError('Fan in and fan out can not be computed for tensor with fewer than 2 dimensions');
  }
  const field = tf.util.sizeFromShape(window);
  return [inputs * field, out * field];
}

const gains: Readonly<Record<string, number>> = {
  linear: 1,
  conv1d: 1,
  conv2d: 1,
  conv3d: 1,
  conv_transpose1d: 1,
  conv_transpose2d: 1,
  conv_transpose3d: 1,
  sigmoid: 1,
  tanh: 5 / 3,
  relu: Math.sqrt(2),
  selu: 3 / 4,
};

/** By how much a nonlinearity shrinks the standard deviation. `param`: the negative slope of 'leaky_relu' (0.01). */
export function calculate_gain(nonlinearity: Nonlinearity, param: number | null = null): number {
  if (nonlinearity === 'leaky_relu') {
    const slope = param ?? 0.01;
    if (typeof slope !== 'number') throw new ValueError(`negative_slope ${slope} not a valid number`);
    return Math.sqrt(2 / (1 + slope ** 2));
  }
  const gain = gains[nonlinearity];
  if (gain === undefined) throw new ValueError(`Unsupported nonlinearity ${nonlinearity}`);
  return gain;
}

// ---- the old names

function deprecated<F extends (...args: never[]) => unknown>(name: string, now: F): F {
  return ((...args: never[]) => {
    warn(`\`nn.init.${name}\` is now deprecated in favor of \`nn.init.${name}_\`.`, 'FutureWarning');
    return now(...args);
  }) as F;
}

/** @deprecated Use {@link uniform_}. */
export const uniform: typeof uniform_ = deprecated('uniform', uniform_);
/** @deprecated Use {@link normal_}. */
export const normal: typeof normal_ = deprecated('normal', normal_);
/** @deprecated Use {@link constant_}. */
export const constant: typeof constant_ = deprecated('constant', constant_);
/** @deprecated Use {@link eye_}. */
export const eye: typeof eye_ = deprecated('eye', eye_);
/** @deprecated Use {@link dirac_}. */
export const dirac: typeof dirac_ = deprecated('dirac', dirac_);
/** @deprecated Use {@link xavier_uniform_}. */
export const xavier_uniform: typeof xavier_uniform_ = deprecated('xavier_uniform', xavier_uniform_);
/** @deprecated Use {@link xavier_normal_}. */
export const xavier_normal: typeof xavier_normal_ = deprecated('xavier_normal', xavier_normal_);
/** @deprecated Use {@link kaiming_uniform_}. */
export const kaiming_uniform: typeof kaiming_uniform_ = deprecated('kaiming_uniform', kaiming_uniform_);
/** @deprecated Use {@link kaiming_normal_}. */
export const kaiming_normal: typeof kaiming_normal_ = deprecated('kaiming_normal', kaiming_normal_);
/** @deprecated Use {@link orthogonal_}. */
export const orthogonal: typeof orthogonal_ = deprecated('orthogonal', orthogonal_);
/** @deprecated Use {@link sparse_}. */
export const sparse: typeof sparse_ = deprecated('sparse', sparse_);
