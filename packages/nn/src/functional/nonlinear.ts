/** The activations of single elements, but ReLU. With `inplace` they compute a new tensor too, and the input keeps its values. */
import * as tf from '@tensorflow/tfjs-core';
import {
  type Args,
  bind,
  is_grad_enabled,
  RuntimeError,
  type Signature,
  signature,
  ValueError,
} from '@tfjs-torch/core';
import { limited } from '../backend';
import { elementwise } from '../layout';
import { notImplemented } from '../names';
import { floats, kernel, op, tensorflow } from '../op';
import { assertTensor } from './linear';

type Tensor = tf.Tensor;
type InPlace = Args<[inplace: boolean], { inplace?: boolean }>;
const inPlaceSignature = (name: string): Signature<{ inplace: boolean }> => signature(name, 'input, inplace=False');

/** @throws torch's errors for what is no tensor, and for one that its kernel does not take */
function assertFloat(call: string, input: Tensor, kernelName: string): void {
  assertTensor(call, 'input', 1, input);
  if (input.dtype === 'float32') return;
  throw notImplemented(kernelName, input);
}

/** One TensorFlow operation instead of recorded ones, in a backward pass that nobody differentiates. */
const native = (name: string, attrs: Record<string, number>, inputs: Tensor[]): Tensor | undefined =>
  tensorflow(name, { ...floats, ...attrs }, inputs)?.[0];

type Forward = (x: Tensor, save: (tensors: Tensor[]) => void) => Tensor;

/** A function of single elements. Of what `forward` saves, only `x` and the result have a graph in `gradient`. */
const activation = (
  node: string,
  input: Tensor,
  forward: Forward,
  gradient: (dy: Tensor, saved: Tensor[]) => Tensor,
): Tensor =>
  elementwise(input, (x) =>
    op(
      node,
      { x },
      (save) => forward(x, save),
      (dy, saved) => ({ x: () => gradient(dy, saved) }),
      true,
    ),
  );

const ofInput = (node: string, input: Tensor, f: (x: Tensor) => Tensor, gradient: (dy: Tensor, x: Tensor) => Tensor) =>
  activation(
    node,
    input,
    (x, save) => {
      save([x]);
      return f(x);
    },
    (dy, [x]) => gradient(dy, x!),
  );

const ofResult = (node: string, input: Tensor, f: (x: Tensor) => Tensor, gradient: (dy: Tensor, y: Tensor) => Tensor) =>
  activation(
    node,
    input,
    (x, save) => {
      const y = f(x);
      save([y]);
      return y;
    },
    (dy, [y]) => gradient(dy, y!),
  );

// ---- sigmoid and its like

/** 1 / (1 + exp(-x)) */
export function sigmoid(input: Tensor): Tensor {
  assertTensor('sigmoid', 'input', 1, input);
  const gradient = (dy: Tensor, y: Tensor) => native('SigmoidGrad', {}, [y, dy]) ?? tf.mul(dy, tf.sub(y, tf.square(y)));
  return ofResult('Sigmoid', float(input), tf.sigmoid, gradient);
}

/** (exp(x) - exp(-x)) / (exp(x) + exp(-x)) */
export function tanh(input: Tensor): Tensor {
  assertTensor('tanh', 'input', 1, input);
  const gradient = (dy: Tensor, y: Tensor) => native('TanhGrad', {}, [y, dy]) ?? tf.sub(dy, tf.mul(dy, tf.square(y)));
  return ofResult('Tanh', float(input), tf.tanh, gradient);
}

const float = (x: Tensor): Tensor => (x.dtype === 'float32' ? x : tf.cast(x, 'float32'));

/** x / (1 + |x|) */
export function softsign(input: Tensor): Tensor {
  assertTensor('softsign', 'input', 1, input);
  return elementwise(float(input), (x) => tf.div(x, tf.add(tf.abs(x), 1)));
}

/** log(sigmoid(x)) */
export function logsigmoid(input: Tensor): Tensor {
  assertFloat('log_sigmoid', input, 'log_sigmoid_cpu');
  return ofInput(
    'LogSigmoid',
    input,
    (x) => tf.neg(tf.softplus(tf.neg(x))),
    (dy, x) => tf.mul(dy, tf.sigmoid(tf.neg(x))),
  );
}

type Softplus = Args<[beta: number, threshold: number], { beta?: number; threshold?: number }>;

/** log(1 + exp(beta · x)) / beta; x itself where beta · x is above `threshold`. */
export function softplus(input: Tensor, ...args: Softplus): Tensor {
  const { beta, threshold } = bind(softplusSignature, [input, ...args]);
  assertFloat('softplus', input, 'softplus_cpu');
  const scaled = (x: Tensor) => (beta === 1 ? x : tf.mul(x, beta));
  // Above 17 the two differ by less than a rounding of float32.
  const chosen = (x: Tensor, above: Tensor, below: Tensor) =>
    threshold >= 17 ? below : tf.where(tf.greater(scaled(x), threshold), above, below);
  return ofInput(
    'Softplus',
    input,
    (x) => chosen(x, x, beta === 1 ? tf.softplus(x) : tf.div(tf.softplus(scaled(x)), beta)),
    (dy, x) => chosen(x, dy, tf.mul(dy, tf.sigmoid(scaled(x)))),
  );
}
const softplusSignature: Signature<{ beta: number; threshold: number }> = signature(
  'softplus',
  'input, beta=1, threshold=20',
);

// ---- x above 0, something smaller below

/** x where it is above 0, else `negative_slope` · x. */
export function leaky_relu(
  input: Tensor,
  ...args: Args<[negative_slope: number, inplace: boolean], { negative_slope?: number; inplace?: boolean }>
): Tensor {
  const { negative_slope: alpha } = bind(leakyReluSignature, [input, ...args]);
  assertFloat('leaky_relu', input, 'leaky_relu_cpu');
  const gradient = (dy: Tensor, x: Tensor) =>
    native('LeakyReluGrad', { alpha }, [dy, x]) ?? tf.mul(dy, tf.step(x, alpha));
  return ofInput('LeakyRelu', input, (x) => tf.leakyRelu(x, alpha), gradient);
}
const leakyReluSignature: Signature<{ negative_slope: number; inplace: boolean }> = signature(
  'leaky_relu',
  'input, negative_slope=0.01, inplace=False',
);

type Alpha = Args<[alpha: number, inplace: boolean], { alpha?: number; inplace?: boolean }>;
const alphaSignature = (name: string): Signature<{ alpha: number; inplace: boolean }> =>
  signature(name, 'input, alpha=1.0, inplace=False');

/** x where it is above 0, else `alpha` · (exp(x) - 1). */
export function elu(input: Tensor, ...args: Alpha): Tensor {
  const { alpha } = bind(eluSignature, [input, ...args]);
  assertFloat('elu', input, 'elu_cpu');
  return eluOf(input, alpha);
}
const eluSignature = alphaSignature('elu');

const eluOf = (input: Tensor, alpha: number): Tensor =>
  ofResult(
    'Elu',
    input,
    (x) => (alpha === 1 ? tf.elu(x) : tf.leakyRelu(tf.elu(x), alpha)),
    (dy, y) => {
      if (alpha === 1 && !is_grad_enabled()) return kernel(tf.EluGrad, { dy, y });
      return tf.mul(dy, tf.add(tf.minimum(y, 0), tf.step(y, alpha)));
    },
  );

/** x where it is above 0, else `alpha` · (exp(x / alpha) - 1). */
export function celu(input: Tensor, ...args: Alpha): Tensor {
  const { alpha } = bind(celuSignature, [input, ...args]);
  assertFloat('celu', input, 'elu_cpu');
  if (alpha === 0) throw new RuntimeError('ZeroDivisionError: alpha cannot be 0 for CELU');
  return elementwise(input, (x) => tf.mul(eluOf(tf.div(x, alpha), 1), alpha));
}
const celuSignature = alphaSignature('celu');

/** scale · elu(x, alpha), with the numbers that keep a mean of 0 and a variance of 1. https://arxiv.org/abs/1706.02515 */
export function selu(input: Tensor, ...args: InPlace): Tensor {
  bind(seluSignature, [input, ...args]);
  assertFloat('selu', input, 'elu_cpu');
  return elementwise(input, (x) => tf.mul(eluOf(x, 1.6732632423543772), 1.0507009873554805));
}
const seluSignature = inPlaceSignature('selu');

// ---- between two bounds

type Bounds = Args<
  [min_val: number, max_val: number, inplace: boolean],
  { min_val?: number; max_val?: number; inplace?: boolean }
>;

/** x, at least `min_val` and at most `max_val`. */
export function hardtanh(input: Tensor, ...args: Bounds): Tensor {
  const { min_val, max_val } = bind(hardtanhSignature, [input, ...args]);
  assertTensor('hardtanh', 'input', 1, input);
  if (min_val > max_val) throw new ValueError('min_val cannot be greater than max_val');
  return clipped('Hardtanh', input, min_val, max_val);
}
const hardtanhSignature: Signature<{ min_val: number; max_val: number; inplace: boolean }> = signature(
  'hardtanh',
  'input, min_val=-1.0, max_val=1.0, inplace=False',
);

/** x, at least 0 and at most 6. */
export function relu6(input: Tensor, ...args: InPlace): Tensor {
  bind(relu6Signature, [input, ...args]);
  assertTensor('relu6', 'input', 1, input);
  return clipped('Hardtanh', input, 0, 6);
}
const relu6Signature = inPlaceSignature('relu6');

/** 1 where `y` is strictly between the bounds, else 0. */
const inside = (y: Tensor, low: number, high: number) =>
  tf.cast(tf.logicalAnd(tf.greater(y, low), tf.less(y, high)), 'float32');

// tfjs lets a gradient pass at the bounds, torch does not.
const clipped = (node: string, input: Tensor, low: number, high: number) =>
  ofResult(
    node,
    input,
    (x) => limited(x, low, high),
    (dy, y) => tf.mul(dy, inside(y, low, high)),
  );

/** (x + 3) / 6, at least 0 and at most 1. */
export function hardsigmoid(input: Tensor, ...args: InPlace): Tensor {
  bind(hardsigmoidSignature, [input, ...args]);
  assertFloat('hardsigmoid', input, 'hardsigmoid_cpu');
  return ofResult('Hardsigmoid', input, hardGate, (dy, y) => tf.mul(dy, hardSlope(y)));
}
const hardsigmoidSignature = inPlaceSignature('hardsigmoid');

const hardGate = (x: Tensor) => limited(tf.add(tf.mul(x, 1 / 6), 0.5), 0, 1);
const hardSlope = (y: Tensor) => tf.mul(inside(y, 0, 1), 1 / 6);

// ---- x by a gate between 0 and 1

/** x · gate(x). `slope` is the gate's derivative. */
const gated = (
  node: string,
  input: Tensor,
  gate: (x: Tensor) => Tensor,
  slope: (x: Tensor, gate: Tensor) => Tensor,
): Tensor =>
  activation(
    node,
    input,
    (x, save) => {
      const g = gate(x);
      save([x, g]);
      return tf.mul(x, g);
    },
    (dy, saved) => {
      const x = saved[0]!;
      // To be differentiated again, it has to be made anew.
      const g = is_grad_enabled() ? gate(x) : saved[1]!;
      return tf.mul(dy, tf.add(g, tf.mul(x, slope(x, g))));
    },
  );

const sigmoidSlope = (g: Tensor) => tf.sub(g, tf.square(g));

/** x · sigmoid(x) */
export function silu(input: Tensor, ...args: InPlace): Tensor {
  bind(siluSignature, [input, ...args]);
  assertFloat('silu', input, 'silu_cpu');
  return gated('Silu', input, tf.sigmoid, (_x, g) => sigmoidSlope(g));
}
const siluSignature = inPlaceSignature('silu');

/** x · tanh(softplus(x)) */
export function mish(input: Tensor, ...args: InPlace): Tensor {
  bind(mishSignature, [input, ...args]);
  assertFloat('mish', input, 'mish_cpu');
  return gated(
    'Mish',
    input,
    (x) => tf.tanh(tf.softplus(x)),
    (x, g) => tf.mul(tf.sub(1, tf.square(g)), tf.sigmoid(x)),
  );
}
const mishSignature = inPlaceSignature('mish');

/** x · hardsigmoid(x) */
export function hardswish(input: Tensor, ...args: InPlace): Tensor {
  bind(hardswishSignature, [input, ...args]);
  assertFloat('hardswish', input, 'hardswish_cpu');
  return gated('Hardswish', input, hardGate, (_x, g) => hardSlope(g));
}
const hardswishSignature = inPlaceSignature('hardswish');

/** x · Φ(x), of the normal distribution; `approximate: 'tanh'` takes a formula with tanh for Φ. https://arxiv.org/abs/1606.08415 */
export function gelu(input: Tensor, options: { approximate?: 'none' | 'tanh' } = {}): Tensor {
  const { approximate } = bind(geluSignature, [input, options]);
  assertFloat('gelu', input, 'GeluKernelImpl');
  if (approximate === 'none') return gated('Gelu', input, normalCdf, normalDensity);
  if (approximate === 'tanh') return gated('Gelu', input, tanhGate, tanhSlope);
  throw new RuntimeError('approximate argument must be either none or tanh.');
}
const geluSignature: Signature<{ approximate: string }> = signature('gelu', "input, *, approximate='none'");

const normalCdf = (x: Tensor) => tf.add(tf.mul(tf.erf(tf.mul(x, Math.SQRT1_2)), 0.5), 0.5);
const normalDensity = (x: Tensor) => tf.mul(tf.exp(tf.mul(tf.square(x), -0.5)), 1 / Math.sqrt(2 * Math.PI));

// (1 + tanh(u)) / 2 is sigmoid(2u), with 2u = x · (a + b · x²).
const a = 2 * Math.sqrt(2 / Math.PI);
const b = a * 0.044715;
const tanhGate = (x: Tensor) => tf.sigmoid(tf.mul(x, tf.add(tf.mul(tf.square(x), b), a)));
const tanhSlope = (x: Tensor, g: Tensor) => tf.mul(sigmoidSlope(g), tf.add(tf.mul(tf.square(x), 3 * b), a));
