import * as tf from '@tensorflow/tfjs-core';
import {
  type Args,
  bind,
  internal,
  NotImplementedError,
  no_grad,
  RuntimeError,
  type Signature,
  signature,
  ValueError,
} from '@tfjs-torch/core';
import { sumOfPixels } from '../conv-kernels';
import { nchwFrom, nhwc } from '../layout';
import { scalarType, size } from '../names';
import { op, tensorflow } from '../op';
import { assertTensor } from './linear';

export interface BatchNormFunctionOptions {
  weight?: tf.Tensor | null;
  bias?: tf.Tensor | null;
  training?: boolean;
  momentum?: number;
  eps?: number;
}

/**
 * Each channel with a mean of 0 and a variance of 1, times `weight`, plus `bias`. `input` [N, C, *], the others [C].
 * In training by the batch's mean and biased variance, which move the running ones (by `momentum`, the variance
 * unbiased); else by the running ones. https://arxiv.org/abs/1502.03167
 */
export function batch_norm(
  input: tf.Tensor,
  running_mean: tf.Tensor | null,
  running_var: tf.Tensor | null,
  ...args: Args<
    [weight: tf.Tensor | null, bias: tf.Tensor | null, training: boolean, momentum: number, eps: number],
    BatchNormFunctionOptions
  >
): tf.Tensor {
  const o = bind(batchNormSignature, [input, running_mean, running_var, ...args]);
  const { weight, bias, training, momentum, eps } = o;
  assertTensor('batch_norm', 'input', 1, input);
  const channels = input.shape[1] ?? 1;
  const count = input.size / channels;
  if (training && count === 1)
    throw new ValueError(`Expected more than 1 value per channel when training, got input size ${size(input.shape)}`);
  if (training && eps <= 0) throw new ValueError(`batch_norm eps must be positive during training, but got ${eps}`);
  if (eps < 0) throw new ValueError(`batch_norm eps must be non-negative, but got ${eps}`);
  assertChannels(channels, { running_mean, running_var, weight, bias });
  if (!training) {
    for (const [name, t] of Object.entries({ running_mean, running_var }))
      if (!t) throw new RuntimeError(`${name} must be defined in evaluation mode`);
  }

  if (input.dtype !== 'float32') {
    throw new NotImplementedError(`"batch_norm" not implemented for '${scalarType[input.dtype]}'`);
  }
  const statistics: Statistics = training
    ? { running_mean, running_var, momentum, unbiased: count / (count - 1) }
    : { mean: running_mean!, variance: running_var! };
  return channelsLast(
    input,
    (x) => fusedNormalize(x, weight, bias, eps, statistics) ?? normalize(x, weight, bias, eps, statistics),
  );
}
const batchNormSignature: Signature<Required<BatchNormFunctionOptions>> = signature(
  'batch_norm',
  'input, running_mean, running_var, weight=None, bias=None, training=False, momentum=0.1, eps=1e-5',
);

/** The given mean and variance, or those of the batch, which then move the running ones. */
type Statistics =
  | { mean: tf.Tensor; variance: tf.Tensor }
  | { running_mean: tf.Tensor | null; running_var: tf.Tensor | null; momentum: number; unbiased: number };

function assertChannels(channels: number, tensors: Record<string, tf.Tensor | null>): void {
  for (const [name, t] of Object.entries(tensors))
    if (t && t.size !== channels) throw new RuntimeError(`${name} should contain ${channels} elements not ${t.size}`);
}

/** Applies `f` to the elements of [N, C, *] as [N, H, W, C]. */
function channelsLast(input: tf.Tensor, f: (x: tf.Tensor4D) => tf.Tensor4D): tf.Tensor {
  if (input.rank === 3 || input.rank === 4) return nchwFrom(f(nhwc(input)), input.rank);
  const [n = 0, c = 0, ...space] = input.shape;
  const pixels = space.reduce((a, b) => a * b, 1);
  const y = nchwFrom(f(nhwc(tf.reshape(input, [n, c, pixels, 1]))));
  return tf.reshape(y, input.shape);
}

function normalize(
  input: tf.Tensor4D,
  weight: tf.Tensor | null,
  bias: tf.Tensor | null,
  eps: number,
  statistics: Statistics,
): tf.Tensor4D {
  const channels = input.shape[3];
  const count = input.size / channels;
  const flat = (t: tf.Tensor) => tf.reshape(t, [count, channels]);
  const sum = (t: tf.Tensor) => sumOfPixels(tf.reshape(t, [count, 1, 1, channels]));
  const standard = (x: tf.Tensor, mean: tf.Tensor, scale: tf.Tensor) => tf.mul(tf.sub(flat(x), mean), scale);
  const output = op(
    'NativeBatchNorm',
    { input, weight, bias },
    (save) => {
      const { mean, variance } = 'mean' in statistics ? statistics : momentsOf(flat(input), sum, statistics);
      const scale = tf.rsqrt(tf.add(variance, eps));
      save(weight ? [input, mean, scale, weight] : [input, mean, scale]);
      const x = standard(input, mean, scale);
      const y = weight ? tf.mul(x, weight) : x;
      return tf.reshape(bias ? tf.add(y, bias) : y, input.shape);
    },
    (dy, saved) => {
      const [x, mean, scale, weight] = saved as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor?];
      const withStandard = () => sum(tf.mul(flat(dy), standard(x, mean, scale)));
      return {
        input: () => {
          const factor = weight ? tf.mul(scale, weight) : scale;
          if ('mean' in statistics) return tf.reshape(tf.mul(flat(dy), factor), x.shape);
          // The mean and the variance depend on the input too.
          const along = tf.mul(standard(x, mean, scale), tf.div(withStandard(), count));
          const rest = tf.sub(tf.sub(flat(dy), tf.div(sum(dy), count)), along);
          return tf.reshape(tf.mul(rest, factor), x.shape);
        },
        weight: withStandard,
        bias: () => sum(dy),
      };
    },
  );
  return output as tf.Tensor4D;
}

/** In training TensorFlow does all of it in one operation, and all gradients in another; null elsewhere. */
function fusedNormalize(
  input: tf.Tensor4D,
  weight: tf.Tensor | null,
  bias: tf.Tensor | null,
  eps: number,
  statistics: Statistics,
): tf.Tensor4D | null {
  if ('mean' in statistics || !internal.onTensorflowCpu() || input.size === 0) return null;
  const { running_mean, running_var, momentum } = statistics;
  const shared = {
    T: 'float32',
    U: 'float32',
    epsilon: eps,
    data_format: { text: 'NHWC' },
    is_training: true,
  } as const;
  if (!running_mean !== !running_var) return null;
  const moving = running_mean && running_var ? [running_mean, running_var] : null;
  const attrs = { ...shared, exponential_avg_factor: moving ? momentum : 1 };
  const channels = [input.shape[3]];
  const output = op(
    'NativeBatchNorm',
    { input, weight, bias },
    (save) => {
      const scale = weight ?? tf.ones(channels);
      const inputs = [input, scale, bias ?? tf.zeros(channels), ...(moving ?? [tf.zeros([0]), tf.zeros([0])])];
      const made = tensorflow('FusedBatchNormV3', attrs, inputs, 6)!;
      const [y, mean, variance, ...reserved] = made as [tf.Tensor, tf.Tensor, tf.Tensor, ...tf.Tensor[]];
      save([input, scale, ...reserved]);
      if (moving) {
        no_grad(() => {
          internal.update(moving[0]!, mean);
          internal.update(moving[1]!, variance);
        });
      }
      return y;
    },
    (dy, saved) => {
      let made: tf.Tensor[] = [];
      const gradient = (i: number) => () => {
        // The second backward of create_graph runs each in a tidy of its own.
        if (!made[i] || made[i].isDisposed) made = tensorflow('FusedBatchNormGradV3', shared, [dy, ...saved], 5)!;
        return made[i]!;
      };
      return { input: gradient(0), weight: gradient(1), bias: gradient(2) };
    },
  );
  return output as tf.Tensor4D;
}

/** The batch's mean and biased variance by channel; moves the running ones. */
function momentsOf(
  x: tf.Tensor,
  sum: (t: tf.Tensor) => tf.Tensor,
  { running_mean, running_var, momentum, unbiased }: Exclude<Statistics, { mean: tf.Tensor }>,
): { mean: tf.Tensor; variance: tf.Tensor } {
  const count = x.shape[0]!;
  const mean = tf.div(sum(x), count);
  const variance = tf.div(sum(tf.square(tf.sub(x, mean))), count);
  const move = (running: tf.Tensor | null, to: tf.Tensor, by: number) => {
    if (!running) return;
    no_grad(() => internal.update(running, tf.add(tf.mul(to, momentum * by), tf.mul(running, 1 - momentum))));
  };
  move(running_mean, mean, 1);
  move(running_var, variance, unbiased);
  return { mean, variance };
}
