import * as tf from '@tensorflow/tfjs-core';
import {
  type Args,
  bind,
  IndexError,
  internal,
  RuntimeError,
  type Signature,
  signature,
  ValueError,
} from '@tfjs-torch/core';
import { list, notImplemented, scalarType } from '../names';
import { op, tensorflow } from '../op';
import { log_softmax } from './activation';
import { assertTensor } from './linear';
import { type LossOptions, type Reduction, reduced, resolveReduction } from './reduction';

export interface NLLLossOptions extends LossOptions {
  /** A factor for each class. */
  weight?: tf.Tensor | null;
  /** A label that counts for nothing. Default -100. */
  ignore_index?: number;
}

export interface CrossEntropyOptions extends NLLLossOptions {
  /** Share of the target that is spread evenly over the classes. Default 0. */
  label_smoothing?: number;
}

/**
 * Minus the log-probability of the target. `input` holds log-probabilities [N, C], [N, C, d1, …] or [C]; `target` class
 * indices of the same shape without C.
 * @throws IndexError for a label that is neither a class nor `ignore_index`
 */
export function nll_loss(
  input: tf.Tensor,
  target: tf.Tensor,
  ...args: Args<
    [
      weight: tf.Tensor | null,
      size_average: boolean | null,
      ignore_index: number,
      reduce: boolean | null,
      reduction: Reduction,
    ],
    NLLLossOptions
  >
): tf.Tensor {
  const options = bind(nllSignature, [input, target, ...args]);
  assertTensor('nll_loss_nd', 'input', 1, input);
  assertTensor('nll_loss_nd', 'target', 2, target);
  const reduction = resolveReduction(options);
  assertLabelShape(input, target, options.weight);
  if (input.dtype !== 'float32') {
    throw notImplemented(input.rank > 2 ? 'nll_loss2d_forward_out_frame' : 'nll_loss_out_frame', input);
  }
  const labels = labelsOf(input, target, options);
  return shaped(rowLoss(rowsOf(input), labels, reduction), target, reduction);
}
const nllSignature: Signature<Required<NLLLossOptions>> = signature(
  'nll_loss',
  "input, target, weight=None, size_average=None, ignore_index=-100, reduce=None, reduction='mean'",
);

/**
 * Cross entropy between logits `input` [N, C], [N, C, d1, …] or [C] and `target`: class indices of the same shape without
 * C, or class probabilities of the same shape.
 * @throws IndexError for a label that is neither a class nor `ignore_index`
 */
export function cross_entropy(
  input: tf.Tensor,
  target: tf.Tensor,
  ...args: Args<
    [
      weight: tf.Tensor | null,
      size_average: boolean | null,
      ignore_index: number,
      reduce: boolean | null,
      reduction: Reduction,
      label_smoothing: number,
    ],
    CrossEntropyOptions
  >
): tf.Tensor {
  const options = bind(crossEntropySignature, [input, target, ...args]);
  assertTensor('cross_entropy_loss', 'input', 1, input);
  assertTensor('cross_entropy_loss', 'target', 2, target);
  const reduction = resolveReduction(options);
  const { weight, ignore_index, label_smoothing } = options;
  if (tf.util.arraysEqual(input.shape, target.shape)) {
    if (target.dtype !== 'float32') {
      throw new RuntimeError(
        `Expected floating point type for target with class probabilities, got ${scalarType[target.dtype]}`,
      );
    }
    if (ignore_index >= 0) throw new RuntimeError('ignore_index is not supported for floating point target');
    assertClassWeight(weight, classesOf(input), 'cross_entropy: ');
    assertLogits(input);
    return probabilityLoss(input, target, weight, reduction, label_smoothing);
  }
  if (label_smoothing > 1) {
    throw new RuntimeError(`label_smoothing must be between 0.0 and 1.0. Got: ${label_smoothing}`);
  }
  assertLogits(input);
  assertLabelShape(input, target, weight);
  const labels = labelsOf(input, target, options);
  const rows = rowsOf(input);
  const loss =
    label_smoothing > 0
      ? smoothedLoss(log_softmax(rows, -1), labels, weight, reduction, label_smoothing)
      : (fusedCrossEntropy(rows, target, labels, reduction) ?? rowLoss(log_softmax(rows, -1), labels, reduction));
  return shaped(loss, target, reduction);
}
const crossEntropySignature: Signature<Required<CrossEntropyOptions>> = signature(
  'cross_entropy',
  "input, target, weight=None, size_average=None, ignore_index=-100, reduce=None, reduction='mean', label_smoothing=0.0",
);

function assertLogits(input: tf.Tensor): void {
  if (input.dtype === 'float32') return;
  throw notImplemented(input.rank > 2 ? 'log_softmax_kernel_impl' : 'log_softmax_lastdim_kernel_impl', input);
}

const classDim = (input: tf.Tensor) => (input.rank === 1 ? 0 : 1);
const classesOf = (input: tf.Tensor) => input.shape[classDim(input)]!;

/** [N, C, d1, …] as [N · d1 …, C]. */
function rowsOf(input: tf.Tensor): tf.Tensor2D {
  if (input.rank === 2) return input as tf.Tensor2D;
  const last = input.rank === 1 ? input : tf.transpose(input, [0, ...input.shape.map((_, i) => i).slice(2), 1]);
  return tf.reshape(last, [input.size / classesOf(input), classesOf(input)]);
}

const shaped = (loss: tf.Tensor, target: tf.Tensor, reduction: Reduction) =>
  reduction === 'none' && target.rank !== 1 ? tf.reshape(loss, target.shape) : loss;

function assertLabelShape(input: tf.Tensor, target: tf.Tensor, weight: tf.Tensor | null): void {
  if (input.rank === 0) throw new ValueError('Expected 1 or more dimensions (got 0)');
  const [batch, , ...rest] = input.shape;
  if (input.rank > 1 && batch !== target.shape[0] && target.rank > 0) {
    throw new ValueError(`Expected input batch_size (${batch}) to match target batch_size (${target.shape[0]}).`);
  }
  if (input.rank <= 2) {
    if (target.rank > 1) throw new RuntimeError('0D or 1D target tensor expected, multi-target not supported');
    if (target.size !== input.size / classesOf(input)) {
      throw new RuntimeError(`size mismatch (got input: ${list(input.shape)}, target: ${list(target.shape)})`);
    }
  } else if (input.rank === 4 && target.rank !== 3) {
    throw new RuntimeError(
      `only batches of spatial targets supported (3D tensors) but got targets of dimension: ${target.rank}`,
    );
  } else if (!tf.util.arraysEqual(rest, target.shape.slice(1))) {
    throw new RuntimeError(
      input.rank === 4
        ? `size mismatch (got input: ${list(input.shape)} , target: ${list(target.shape)}`
        : `Expected target size ${list([batch!, ...rest])}, got ${list(target.shape)}`,
    );
  }
  if (target.dtype !== 'int32') {
    throw new RuntimeError(`expected target dtype to be Long or Byte, but got ${scalarType[target.dtype]}`);
  }
  if (input.rank === 4 && weight && !fitsClasses(weight, classesOf(input))) {
    throw new RuntimeError('weight tensor should be defined either for all or no classes');
  }
  assertClassWeight(weight, classesOf(input), '');
  if (weight && weight.dtype !== 'float32') {
    throw new RuntimeError(`expected scalar type Float but found ${scalarType[weight.dtype]}`);
  }
}

const fitsClasses = (weight: tf.Tensor, classes: number) => weight.rank === 1 && weight.size === classes;

function assertClassWeight(weight: tf.Tensor | null, classes: number, call: string): void {
  if (weight === null || fitsClasses(weight, classes)) return;
  throw new RuntimeError(
    `${call}weight tensor should be defined either for all ${classes} classes or no classes but got weight tensor of shape: ${list(weight.shape)}`,
  );
}

/** The labels, read to the host: they mostly come from there, and one outside of the classes must not pass. */
interface Labels {
  classes: number;
  /** 0 for the ignored ones. */
  index: Int32Array;
  /** The factor of each row's loss: its class's weight, 0 for an ignored one. Null where all are 1. */
  factors: Float32Array | null;
  /** 0 for the rows that are ignored, which count for nothing, not even with a NaN. Null where there are none. */
  kept: Uint8Array | null;
  /** The sum of the factors, which a mean divides by. */
  total: number;
}

function labelsOf(
  input: tf.Tensor,
  target: tf.Tensor,
  { weight, ignore_index }: Pick<Required<NLLLossOptions>, 'weight' | 'ignore_index'>,
): Labels {
  const classes = classesOf(input);
  const values = target.dataSync();
  const weights = weight?.dataSync();
  const index = new Int32Array(values.length);
  const factors = new Float32Array(values.length);
  const kept = new Uint8Array(values.length);
  let sum = 0;
  for (let i = 0; i < index.length; i++) {
    const label = values[i]!;
    if (label === ignore_index) continue;
    if (label < 0 || label >= classes) throw new IndexError(`Target ${label} is out of bounds.`);
    index[i] = label;
    kept[i] = 1;
    factors[i] = weights ? weights[label]! : 1;
    sum += factors[i]!;
  }
  const ignored = kept.includes(0);
  return { classes, index, factors: ignored || weights ? factors : null, kept: ignored ? kept : null, total: sum };
}

const count = (labels: Labels, reduction: Reduction) => (reduction === 'mean' ? labels.total : 1);

/** The gradient's factor of each row: dy · factor / count. */
function rowFactors(dy: tf.Tensor, { index, factors, kept }: Labels, divisor: number): tf.Tensor {
  const given = factors === null && dy.rank === 0 && !internal.isRecording() ? internal.valuesOnHost(dy) : null;
  if (given) return tf.scalar((given as Float32Array)[0]! / divisor);
  const rows = dy.rank === 0 ? dy : tf.reshape(dy, [-1, 1]);
  if (factors === null) return divisor === 1 ? rows : tf.mul(rows, 1 / divisor);
  const shares = factors.map((f, i) => (kept && !kept[i] ? 0 : f / divisor));
  return tf.mul(rows, tf.tensor2d(shares, [index.length, 1]));
}

/** Losses of the rows, weighted and reduced. Not recorded. */
function weigh(losses: tf.Tensor, { factors, kept, total: divisor }: Labels, reduction: Reduction): tf.Tensor {
  const weighted = factors ? tf.mul(losses, tf.tensor1d(factors)) : losses;
  const counted = kept ? tf.where(tf.tensor1d(kept, 'bool'), weighted, tf.zerosLike(weighted)) : weighted;
  return reduced(counted, reduction, divisor);
}

const oneHot = ({ index, classes }: Labels) => tf.oneHot(tf.tensor1d(index, 'int32'), classes) as tf.Tensor2D;

function rowLoss(rows: tf.Tensor2D | tf.Tensor, labels: Labels, reduction: Reduction): tf.Tensor {
  const { classes, index } = labels;
  return op(
    'NllLoss',
    { input: rows },
    () => {
      const places = index.map((label, i) => i * classes + label);
      const picked = tf.gather(tf.reshape(rows, [-1]), tf.tensor1d(places, 'int32'));
      return weigh(tf.neg(picked), labels, reduction);
    },
    (dy) => ({
      input: () => tf.mul(tf.cast(oneHot(labels), 'float32'), tf.neg(rowFactors(dy, labels, count(labels, reduction)))),
    }),
    true,
  );
}

/** TensorFlow computes losses and gradients in one operation; null on other backends. */
function fusedCrossEntropy(
  rows: tf.Tensor2D,
  target: tf.Tensor,
  labels: Labels,
  reduction: Reduction,
): tf.Tensor | null {
  if (tf.getBackend() !== 'tensorflow' || rows.size === 0) return null;
  return op(
    'NllLoss',
    { input: rows },
    (save) => {
      const index = target.rank === 1 && !labels.kept ? target : tf.tensor1d(labels.index, 'int32');
      const fused = tensorflow('SparseSoftmaxCrossEntropyWithLogits', labelled, [rows, index], 2);
      const [losses, slopes] = fused as [tf.Tensor1D, tf.Tensor2D];
      save([slopes]);
      // A look at them costs less than the kernels that reduce them.
      if (reduction !== 'none' && internal.onTensorflowCpu()) return reducedOnHost(losses, labels, reduction);
      return weigh(losses, labels, reduction);
    },
    (dy, [slopes]) => ({ input: () => tf.mul(slopes!, rowFactors(dy, labels, count(labels, reduction))) }),
  );
}
const labelled = { T: 'float32', Tlabels: 'int32' } as const;

function reducedOnHost(losses: tf.Tensor, labels: Labels, reduction: 'mean' | 'sum'): tf.Tensor {
  const { factors, kept } = labels;
  let sum = 0;
  losses.dataSync().forEach((loss, i) => {
    if (!kept || kept[i]) sum += factors ? loss * factors[i]! : loss;
  });
  return tf.scalar(sum / count(labels, reduction));
}

/** -Σ target · log-probability over the classes. */
const dot = (logProbabilities: tf.Tensor, target: tf.Tensor, reduction: Reduction, divisor: number): tf.Tensor => {
  const share = reduction === 'mean' ? 1 / divisor : 1;
  const spread = (dy: tf.Tensor) => tf.mul(dy.rank === 0 ? dy : tf.expandDims(dy, -1), -share);
  return op(
    'CrossEntropy',
    { input: logProbabilities, target },
    (save) => {
      save([logProbabilities, target]);
      return reduced(tf.neg(tf.sum(tf.mul(logProbabilities, target), -1)), reduction, divisor);
    },
    (dy, saved) => ({
      input: () => tf.mul(saved[1]!, spread(dy)),
      target: () => tf.mul(saved[0]!, spread(dy)),
    }),
    true,
  );
};

function smoothedLoss(
  rows: tf.Tensor,
  labels: Labels,
  weight: tf.Tensor | null,
  reduction: Reduction,
  smoothing: number,
): tf.Tensor {
  const { classes, index, factors, kept, total: divisor } = labels;
  const weights = weight?.dataSync();
  const target = new Float32Array(index.length * classes);
  for (const [i, label] of index.entries()) {
    if (kept && !kept[i]) continue;
    const at = i * classes;
    for (let k = 0; k < classes; k++) target[at + k] = (smoothing / classes) * (weights ? weights[k]! : 1);
    target[at + label]! += (1 - smoothing) * (factors ? factors[i]! : 1);
  }
  return dot(rows, tf.tensor2d(target, [index.length, classes]), reduction, divisor);
}

function probabilityLoss(
  input: tf.Tensor,
  target: tf.Tensor,
  weight: tf.Tensor | null,
  reduction: Reduction,
  smoothing: number,
): tf.Tensor {
  if (!(smoothing >= 0 && smoothing <= 1)) {
    throw new RuntimeError(`label_smoothing must be between 0.0 and 1.0. Got: ${smoothing}`);
  }
  const classes = classesOf(input);
  let shares: tf.Tensor = rowsOf(target);
  if (smoothing > 0) shares = tf.add(tf.mul(shares, 1 - smoothing), smoothing / classes);
  if (weight) shares = tf.mul(shares, weight);
  const loss = dot(log_softmax(rowsOf(input), -1), shares, reduction, input.size / classes);
  if (reduction !== 'none') return loss;
  return tf.reshape(
    loss,
    input.shape.filter((_, i) => i !== classDim(input)),
  );
}
