import * as tf from '@tensorflow/tfjs-core';
import {
  type Args,
  bind,
  fillNormal,
  fillUniform,
  type Generator,
  internal,
  no_grad,
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

function fill<T extends tf.Tensor>(tensor: T, draw: (out: Float32Array) => void): T {
  const values = new Float32Array(tensor.size);
  draw(values);
  return write(tensor, () => tf.tensor(values, tensor.shape));
}

const uniform = <T extends tf.Tensor>(tensor: T, low: number, high: number, generator: Generator | null): T =>
  fill(tensor, (out) => fillUniform(out, low, high, generator ?? undefined));
const normal = <T extends tf.Tensor>(tensor: T, mean: number, std: number, generator: Generator | null): T =>
  fill(tensor, (out) => fillNormal(out, mean, std, generator ?? undefined));

/** Values of U(a, b). */
export function uniform_<T extends tf.Tensor>(
  tensor: T,
  ...args: Args<[a: number, b: number, generator: Generator | null], Seeded & { a?: number; b?: number }>
): T {
  const { a, b, generator } = bind(uniformSignature, [tensor, ...args]);
  return uniform(tensor, a, b, generator);
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
  return normal(tensor, mean, std, generator);
}
const normalSignature: Signature<{ mean: number; std: number; generator: Generator | null }> = signature(
  'normal_',
  'tensor, mean=0.0, std=1.0, generator=None',
);

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

type XavierArgs = Args<[gain: number, generator: Generator | null], Seeded & { gain?: number }>;
const xavierList = 'tensor, gain=1.0, generator=None';

/** Glorot and Bengio 2010: U(-a, a) with a = gain · √(6 / (fan_in + fan_out)). */
export function xavier_uniform_<T extends tf.Tensor>(tensor: T, ...args: XavierArgs): T {
  const { gain, generator } = bind(xavierUniformSignature, [tensor, ...args]);
  const a = Math.sqrt(3) * xavierStd(tensor, gain);
  return uniform(tensor, -a, a, generator);
}
const xavierUniformSignature: Signature<{ gain: number; generator: Generator | null }> = signature(
  'xavier_uniform_',
  xavierList,
);

/** Glorot and Bengio 2010: N(0, std²) with std = gain · √(2 / (fan_in + fan_out)). */
export function xavier_normal_<T extends tf.Tensor>(tensor: T, ...args: XavierArgs): T {
  const { gain, generator } = bind(xavierNormalSignature, [tensor, ...args]);
  return normal(tensor, 0, xavierStd(tensor, gain), generator);
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
  return uniform(tensor, -bound, bound, options.generator);
}
const kaimingUniformSignature: Signature<Kaiming> = signature('kaiming_uniform_', kaimingList);

/** He et al. 2015: N(0, std²) with std = gain / √fan. */
export function kaiming_normal_<T extends tf.Tensor>(tensor: T, ...args: KaimingArgs): T {
  const options = bind(kaimingNormalSignature, [tensor, ...args]);
  if (isEmpty(tensor)) return tensor;
  return normal(tensor, 0, kaimingStd(tensor, options), options.generator);
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

/** [fan_in, fan_out] of a weight [out, in, …]. */
export function _calculate_fan_in_and_fan_out(tensor: tf.Tensor): [number, number] {
  const [out, inputs, ...window] = tensor.shape;
  if (out === undefined || inputs === undefined) {
    throw new ValueError('Fan in and fan out can not be computed for tensor with fewer than 2 dimensions');
  }
  const field = window.reduce((a, b) => a * b, 1);
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
