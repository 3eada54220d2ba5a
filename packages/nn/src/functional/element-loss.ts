import * as tf from '@tensorflow/tfjs-core';
import {
  type Args,
  bind,
  is_grad_enabled,
  NotImplementedError,
  RuntimeError,
  type Signature,
  signature,
  ValueError,
  warn,
} from '@tfjs-torch/core';
import { limited, readsAtOnce } from '../backend';
import { list, notImplemented, scalarType, size } from '../names';
import { op } from '../op';
import { assertTensor } from './linear';
import {
  type LossOptions,
  type LossPositional,
  legacyReduction,
  type Reduction,
  reduced,
  resolveReduction,
  total,
} from './reduction';

type Binary = (x: tf.Tensor, y: tf.Tensor) => tf.Tensor;

/** A loss for each element, recorded as one operation. */
interface ElementLoss {
  /** torch's name of the node. */
  node: string;
  value: Binary;
  /** The derivatives by input and target: what `of` gives, `times` a number. */
  input: { of: Binary; times: number };
  target: { of: Binary; times: number };
}

function recorded(
  { node, value, ...slopes }: ElementLoss,
  input: tf.Tensor,
  target: tf.Tensor,
  reduction: Reduction,
  count = input.size,
): tf.Tensor {
  return op(
    node,
    { input, target },
    (save) => {
      save([input, target]);
      return reduced(value(input, target), reduction, count);
    },
    (dy, saved) => {
      const [x, y] = saved as [tf.Tensor, tf.Tensor];
      const gradient = ({ of, times }: ElementLoss['input']) => {
        const factor = reduction === 'mean' ? times / count : times;
        return tf.mul(of(x, y), factor === 1 ? dy : tf.mul(dy, factor));
      };
      return { input: () => gradient(slopes.input), target: () => gradient(slopes.target) };
    },
    true,
  );
}

// ---- checks

/** @throws torch's error where two sizes do not broadcast; `error` makes it from the sizes and the dimension */
function broadcastShape(
  a: readonly number[],
  b: readonly number[],
  error = (m: number, n: number, dim: number): Error =>
    new RuntimeError(
      `The size of tensor a (${m}) must match the size of tensor b (${n}) at non-singleton dimension ${dim}`,
    ),
): number[] {
  const rank = Math.max(a.length, b.length);
  const of = (shape: readonly number[], i: number) => shape[i - rank + shape.length] ?? 1;
  const joined = Array.from({ length: rank }, (_, i) => (of(a, i) === 1 ? of(b, i) : of(a, i)));
  for (let i = rank - 1; i >= 0; i--) {
    const [m, n] = [of(a, i), of(b, i)];
    if (m !== n && m !== 1 && n !== 1) throw error(m, n, i);
  }
  return joined;
}

/** In one shape and in float32. */
function expanded(t: tf.Tensor, shape: number[]): tf.Tensor {
  const floats = t.dtype === 'float32' ? t : tf.cast(t, 'float32');
  return tf.util.arraysEqual(t.shape, shape) ? floats : tf.broadcastTo(floats, shape);
}

const differentSize = (input: tf.Tensor, target: tf.Tensor) =>
  `Using a target size (${size(target.shape)}) that is different to the input size (${size(input.shape)})`;

const typeOf = (t: tf.Tensor) => scalarType[t.dtype] ?? t.dtype;
const isFloat = (t: tf.Tensor) => t.dtype === 'float32';
const cannotCast = (t: tf.Tensor) =>
  new RuntimeError(`result type Float can't be cast to the desired output type ${typeOf(t)}`);

/** @throws torch's error for a factor that requires a gradient */
function assertConstant(call: string, name: string, factor: tf.Tensor | null): void {
  if (!factor?.requires_grad || !is_grad_enabled()) return;
  throw new RuntimeError(
    `The function '${call}' is not differentiable with respect to argument '${name}'. This input cannot have requires_grad True.`,
  );
}

/** @throws torch's error for a factor that would make the loss larger than `shape` */
function assertWithin(shape: readonly number[], joined: readonly number[]): void {
  if (tf.util.arraysEqual([...shape], [...joined])) return;
  throw new RuntimeError(`output with shape ${list(shape)} doesn't match the broadcast shape ${list(joined)}`);
}

// ---- distances

export interface ElementLossOptions extends LossOptions {
  /** A factor for each element. */
  weight?: tf.Tensor | null;
}
type ElementLossArgs = Args<[...LossPositional, weight: tf.Tensor | null], ElementLossOptions>;
const elementList = "input, target, size_average=None, reduce=None, reduction='mean', weight=None";

/** Losses of the difference alone: the derivative by the target is minus that by the input. */
const distance = (node: string, value: Binary, of: Binary, times = 1): ElementLoss => ({
  node,
  value,
  input: { of, times },
  target: { of, times: -times },
});

const squared = distance('MseLoss', tf.squaredDifference, tf.sub, 2);
const absolute = distance(
  'L1Loss',
  (x, y) => tf.abs(tf.sub(x, y)),
  (x, y) => tf.sign(tf.sub(x, y)),
);
const huber = (delta: number, node = 'HuberLoss'): ElementLoss =>
  distance(
    node,
    (x, y) => {
      const d = tf.abs(tf.sub(x, y));
      const near = tf.minimum(d, delta);
      return tf.mul(near, tf.sub(d, tf.mul(near, 0.5)));
    },
    (x, y) => limited(tf.sub(x, y), -delta, delta),
  );
function smoothL1(beta: number): ElementLoss {
  const { value, input } = huber(beta, 'SmoothL1Loss');
  if (beta === 1) return distance('SmoothL1Loss', value, input.of);
  return distance('SmoothL1Loss', (x, y) => tf.div(value(x, y), beta), input.of, 1 / beta);
}

type Distance = 'mse' | 'l1' | 'smooth_l1' | 'huber';

/** @param divisor of a weighted mean */
function distanceLoss(
  name: Distance,
  loss: ElementLoss,
  input: tf.Tensor,
  target: tf.Tensor,
  options: Required<LossOptions> & { weight?: tf.Tensor | null },
  divisor?: (weight: tf.Tensor) => tf.Tensor,
): tf.Tensor {
  assertTensor(`${name}_loss`, 'input', 1, input);
  assertTensor(`${name}_loss`, 'target', 2, target);
  if (!tf.util.arraysEqual(input.shape, target.shape)) {
    warn(
      `${differentSize(input, target)}. This will likely lead to incorrect results due to broadcasting. Please ensure they have the same size.`,
    );
  }
  const { weight = null } = options;
  const reduction = weight ? weightedReduction(options) : resolveReduction(options);
  const shape = broadcastShape(input.shape, target.shape);
  if (weight && !tf.util.arraysEqual(weight.shape, input.shape)) {
    throw new ValueError('Weights and input must have the same size.');
  }
  assertTypes(name, input, target, reduction);
  return factored(loss, expanded(input, shape), expanded(target, shape), weight, reduction, divisor);
}

/** @throws torch's error for what its kernels are not made for */
function assertTypes(name: Distance, input: tf.Tensor, target: tf.Tensor, reduction: Reduction): void {
  const masks = [input, target].filter((t) => t.dtype === 'bool').length;
  if (name === 'l1' && masks > 0) {
    throw new NotImplementedError(
      masks === 2
        ? 'Subtraction, the `-` operator, with two bool tensors is not supported. Use the `^` or `logical_xor()` operator instead.'
        : 'Subtraction, the `-` operator, with a bool tensor is not supported. If you are trying to invert a mask, use the `~` or `logical_not()` operator instead.',
    );
  }
  if (isFloat(input)) return;
  if (isFloat(target)) {
    if (name === 'huber') throw cannotCast(input);
  } else if (name !== 'l1') {
    throw notImplemented(`${name}_cpu`, [input, target].find((t) => t.dtype === 'int32') ?? input);
  } else if (reduction === 'mean') {
    throw new NotImplementedError(
      'mean(): could not infer output dtype. Input dtype must be either a floating point or complex dtype. Got: Long',
    );
  }
}

/** The loss of each element times its factor, if there is one. `divisor` of a mean: by default the number of elements. */
function factored(
  loss: ElementLoss,
  input: tf.Tensor,
  target: tf.Tensor,
  weight: tf.Tensor | null,
  reduction: Reduction,
  divisor?: (weight: tf.Tensor) => tf.Tensor,
): tf.Tensor {
  if (weight === null) return recorded(loss, input, target, reduction);
  const weighted = tf.mul(recorded(loss, input, target, 'none'), weight);
  return reduced(weighted, reduction, divisor?.(weight) ?? input.size);
}

function weightedReduction(options: Required<LossOptions>): Reduction {
  const reduction: string = legacyReduction(options);
  if (reduction === 'none' || reduction === 'mean' || reduction === 'sum') return reduction;
  throw new ValueError(`Invalid reduction mode: ${reduction}. Expected one of 'none', 'mean', 'sum'.`);
}

/** (input - target)² */
export function mse_loss(input: tf.Tensor, target: tf.Tensor, ...args: ElementLossArgs): tf.Tensor {
  return distanceLoss('mse', squared, input, target, bind(mseSignature, [input, target, ...args]), total);
}
const mseSignature: Signature<Required<ElementLossOptions>> = signature('mse_loss', elementList);

/** |input - target| */
export function l1_loss(input: tf.Tensor, target: tf.Tensor, ...args: ElementLossArgs): tf.Tensor {
  return distanceLoss('l1', absolute, input, target, bind(l1Signature, [input, target, ...args]), total);
}
const l1Signature: Signature<Required<ElementLossOptions>> = signature('l1_loss', elementList);

export interface SmoothL1LossOptions extends LossOptions {
  /** Where the parabola ends and the straight line begins; 0: `l1_loss`. Default 1. */
  beta?: number;
}

/** d² / (2 beta) where |d| < beta, else |d| - beta / 2, with d = input - target. */
export function smooth_l1_loss(
  input: tf.Tensor,
  target: tf.Tensor,
  ...args: Args<[...LossPositional, beta: number], SmoothL1LossOptions>
): tf.Tensor {
  const { beta, ...options } = bind(smoothL1Signature, [input, target, ...args]);
  if (beta < 0) throw new RuntimeError('smooth_l1_loss does not support negative values for beta.');
  return distanceLoss('smooth_l1', beta === 0 ? absolute : smoothL1(beta), input, target, options);
}
const smoothL1Signature: Signature<Required<SmoothL1LossOptions>> = signature(
  'smooth_l1_loss',
  "input, target, size_average=None, reduce=None, reduction='mean', beta=1.0",
);

export interface HuberLossOptions {
  /** 'mean' (default), 'sum', or 'none': a loss for each element. */
  reduction?: Reduction;
  /** Where the parabola ends and the straight line begins. Default 1. */
  delta?: number;
}
export interface HuberLossFunctionOptions extends HuberLossOptions {
  /** A factor for each element. A mean divides by the number of elements all the same. */
  weight?: tf.Tensor | null;
}

/** d² / 2 where |d| < delta, else delta · (|d| - delta / 2), with d = input - target. */
export function huber_loss(
  input: tf.Tensor,
  target: tf.Tensor,
  ...args: Args<[reduction: Reduction, delta: number, weight: tf.Tensor | null], HuberLossFunctionOptions>
): tf.Tensor {
  const { delta, ...options } = bind(huberSignature, [input, target, ...args]);
  if (delta <= 0) throw new RuntimeError('huber_loss does not support non-positive values for delta.');
  const all = { ...options, size_average: null, reduce: null };
  return distanceLoss('huber', huber(delta), input, target, all);
}
const huberSignature: Signature<Required<HuberLossFunctionOptions>> = signature(
  'huber_loss',
  "input, target, reduction='mean', delta=1.0, weight=None",
);

// ---- probabilities

/** @throws torch's error for a value outside of [0, 1]; on GPUs torch checks in the kernel, we not at all */
function assertProbabilities(name: string, t: tf.Tensor): void {
  if (!readsAtOnce()) return;
  for (const p of t.dataSync()) {
    if (!(p >= 0 && p <= 1)) throw new RuntimeError(`all elements of ${name} should be between 0 and 1`);
  }
}

// torch's, so that a certain and wrong prediction costs 100 and not infinity.
const clampedLog = (log: tf.Tensor) => tf.maximum(log, -100);

const binaryCrossEntropy: ElementLoss = {
  node: 'BinaryCrossEntropy',
  value: (x, y) => tf.sub(tf.mul(tf.sub(y, 1), clampedLog(tf.log1p(tf.neg(x)))), tf.mul(y, clampedLog(tf.log(x)))),
  input: { of: (x, y) => tf.div(tf.sub(x, y), tf.maximum(tf.mul(tf.sub(1, x), x), 1e-12)), times: 1 },
  target: { of: (x) => tf.sub(tf.log1p(tf.neg(x)), tf.log(x)), times: 1 },
};

/** log(1 + exp(-|x|)): what log(1 + exp(x)) has above its asymptotes. */
const tail = (x: tf.Tensor) => tf.log1p(tf.exp(tf.neg(tf.abs(x))));

function withLogits(positive: tf.Tensor | null): ElementLoss {
  const node = 'BinaryCrossEntropyWithLogits';
  if (positive === null) {
    return {
      node,
      value: (x, y) => tf.add(tf.sub(tf.relu(x), tf.mul(x, y)), tail(x)),
      input: { of: (x, y) => tf.sub(tf.sigmoid(x), y), times: 1 },
      target: { of: (x) => x, times: -1 },
    };
  }
  const minusLogSigmoid = (x: tf.Tensor) => tf.add(tail(x), tf.relu(tf.neg(x)));
  return {
    node,
    value: (x, y) =>
      tf.add(tf.mul(tf.sub(1, y), x), tf.mul(tf.add(tf.mul(tf.sub(positive, 1), y), 1), minusLogSigmoid(x))),
    input: {
      of: (x, y) => {
        const weighted = tf.mul(positive, y);
        return tf.sub(tf.mul(tf.sub(tf.add(weighted, 1), y), tf.sigmoid(x)), weighted);
      },
      times: 1,
    },
    target: { of: (x) => tf.sub(tf.mul(tf.sub(positive, 1), minusLogSigmoid(x)), x), times: 1 },
  };
}

type BCEArgs = Args<[weight: tf.Tensor | null, ...LossPositional], ElementLossOptions>;

/**
 * -target · log(input) - (1 - target) · log(1 - input): `input` and `target` are probabilities, of one shape; the
 * logarithms are limited to -100. `weight` broadcasts.
 * @throws RuntimeError for a value outside of [0, 1], but not on GPUs
 */
export function binary_cross_entropy(input: tf.Tensor, target: tf.Tensor, ...args: BCEArgs): tf.Tensor {
  const { weight, ...options } = bind(bceSignature, [input, target, ...args]);
  assertTensor('binary_cross_entropy', 'input', 1, input);
  assertTensor('binary_cross_entropy', 'target', 2, target);
  const reduction = resolveReduction(options);
  const { shape } = input;
  if (!tf.util.arraysEqual(shape, target.shape)) {
    throw new ValueError(`${differentSize(input, target)} is deprecated. Please ensure they have the same size.`);
  }
  const joined = broadcastShape(weight?.shape ?? [], shape, (m, _n, dim) => {
    const at = dim - Math.max(weight!.rank, input.rank);
    return new RuntimeError(
      `Attempting to broadcast a dimension of length ${m} at ${at}! Mismatching argument at index 1 had ${size(weight!.shape)}; but expected shape should be broadcastable to ${list(shape)}`,
    );
  });
  assertConstant('binary_cross_entropy', 'weight', weight);
  if (input.dtype !== target.dtype) {
    throw new RuntimeError(`Found dtype ${typeOf(target)} but expected ${typeOf(input)}`);
  }
  if (!isFloat(input)) throw notImplemented('binary_cross_entropy', input);
  assertWithin(shape, joined);
  assertProbabilities('input', input);
  assertProbabilities('target', target);
  return factored(binaryCrossEntropy, input, target, weight, reduction);
}
const bceSignature: Signature<Required<ElementLossOptions>> = signature(
  'binary_cross_entropy',
  "input, target, weight=None, size_average=None, reduce=None, reduction='mean'",
);

export interface BCEWithLogitsOptions extends ElementLossOptions {
  /** A factor for the positive part, mostly one for each class; broadcasts. */
  pos_weight?: tf.Tensor | null;
}

/** `binary_cross_entropy` of sigmoid(input), without its loss of precision. `weight` broadcasts. */
export function binary_cross_entropy_with_logits(
  input: tf.Tensor,
  target: tf.Tensor,
  ...args: Args<[weight: tf.Tensor | null, ...LossPositional, pos_weight: tf.Tensor | null], BCEWithLogitsOptions>
): tf.Tensor {
  const { weight, pos_weight, ...options } = bind(logitsSignature, [input, target, ...args]);
  const call = 'binary_cross_entropy_with_logits';
  assertTensor(call, 'input', 1, input);
  assertTensor(call, 'target', 2, target);
  const reduction = resolveReduction(options);
  const { shape } = input;
  if (!tf.util.arraysEqual(shape, target.shape)) {
    throw new ValueError(`Target size (${size(target.shape)}) must be the same as input size (${size(shape)})`);
  }
  assertConstant(call, 'weight', weight);
  assertConstant(call, 'pos_weight', pos_weight);
  if (!isFloat(input)) throw notImplemented('log_sigmoid_cpu', input);
  if (!isFloat(target)) throw cannotCast(target);
  if (pos_weight) assertWithin(shape, broadcastShape(pos_weight.shape, shape));
  if (weight) assertWithin(shape, broadcastShape(shape, weight.shape));
  return factored(withLogits(pos_weight), input, target, weight, reduction);
}
const logitsSignature: Signature<Required<BCEWithLogitsOptions>> = signature(
  'binary_cross_entropy_with_logits',
  "input, target, weight=None, size_average=None, reduce=None, reduction='mean', pos_weight=None",
);

export interface KLDivOptions extends Omit<LossOptions, 'reduction'> {
  /** 'mean' (default, of all elements), 'batchmean': the sum over the batch size, 'sum', or 'none'. */
  reduction?: Reduction | 'batchmean';
  /** Whether `target` holds log-probabilities too. Default false. */
  log_target?: boolean;
}

// Not tf.mul alone: 0 · log 0 is 0 here.
const timesItsLog = (y: tf.Tensor) => tf.where(tf.equal(y, 0), tf.zerosLike(y), tf.mul(y, tf.log(y)));

const divergence: ElementLoss = {
  node: 'KlDiv',
  value: (x, y) => tf.sub(timesItsLog(y), tf.mul(x, y)),
  input: { of: (_x, y) => y, times: -1 },
  target: { of: (x, y) => tf.sub(tf.add(tf.log(y), 1), x), times: 1 },
};
const logDivergence: ElementLoss = {
  node: 'KlDiv',
  value: (x, y) => tf.mul(tf.exp(y), tf.sub(y, x)),
  input: { of: (_x, y) => tf.exp(y), times: -1 },
  target: { of: (x, y) => tf.mul(tf.exp(y), tf.add(tf.sub(y, x), 1)), times: 1 },
};

/** target · (log(target) - input): `input` holds log-probabilities, `target` probabilities. They broadcast. */
export function kl_div(
  input: tf.Tensor,
  target: tf.Tensor,
  ...args: Args<[...LossPositional<Reduction | 'batchmean'>, log_target: boolean], KLDivOptions>
): tf.Tensor {
  const { reduction: given, log_target, size_average, reduce } = bind(klSignature, [input, target, ...args]);
  if (given === 'mean' && size_average === null && reduce === null) {
    warn(
      "reduction: 'mean' divides the total loss by both the batch size and the support size.'batchmean' divides only by the batch size, and aligns with the KL div math definition.'mean' will be changed to behave the same as 'batchmean' in the next major release.",
    );
  }
  const batchmean = given === 'batchmean';
  const reduction = resolveReduction({ size_average, reduce, reduction: batchmean ? 'sum' : given });
  assertTensor('kl_div', 'input', 1, input);
  assertTensor('kl_div', 'target', 2, target);
  if (!isFloat(input) || !isFloat(target)) throw new RuntimeError('kl_div: Integral inputs not supported.');
  const shape = broadcastShape(target.shape, input.shape);
  const [x, y] = [expanded(input, shape), expanded(target, shape)];
  const loss = log_target ? logDivergence : divergence;
  return batchmean && input.rank > 0 ? recorded(loss, x, y, 'mean', input.shape[0]) : recorded(loss, x, y, reduction);
}
const klSignature: Signature<Required<KLDivOptions>> = signature(
  'kl_div',
  "input, target, size_average=None, reduce=None, reduction='mean', log_target=False",
);
