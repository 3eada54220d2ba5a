import * as tf from '@tensorflow/tfjs-core';
import {
  type Args,
  bernoulliMask,
  bind,
  default_generator,
  RuntimeError,
  type Signature,
  signature,
  ValueError,
  warn,
} from '@tfjs-torch/core';
import { channelValues, elementwise, valuesLike } from '../layout';
import { op } from '../op';
import { assertTensor } from './linear';

export interface DropoutOptions {
  p?: number;
  training?: boolean;
  inplace?: boolean;
}

/**
 * Zeroes each element with probability `p` and scales the others by 1 / (1 - p): torch's mask for the state of the
 * default generator. The identity when not `training`.
 */
export function dropout(input: tf.Tensor, ...args: DropoutArgs): tf.Tensor {
  const { p, training } = checked(dropoutSignature, input, args);
  return dropped(input, p, training, () => valuesLike(input, dropFactors(input.size, p)));
}
type DropoutArgs = Args<[p: number, training: boolean, inplace: boolean], DropoutOptions>;
const signatureOf = (call: string): Signature<Required<DropoutOptions>> =>
  signature(call, 'input, p=0.5, training=True, inplace=False');
const dropoutSignature = signatureOf('dropout');

function checked(call: typeof dropoutSignature, input: tf.Tensor, args: DropoutArgs): Required<DropoutOptions> {
  const options = bind(call, [input, ...args]);
  assertTensor(call.name, 'input', 1, input);
  assertProbability(options.p);
  return options;
}

/** As `dropout`, but of whole channels. `input` [N, C, L] or [C, L]. */
export function dropout1d(input: tf.Tensor, ...args: DropoutArgs): tf.Tensor {
  const { p, training } = checked(dropout1dSignature, input, args);
  const { rank } = input;
  if (rank !== 2 && rank !== 3) {
    throw new RuntimeError(
      `dropout1d: Expected 2D or 3D input, but received a ${rank}D input. Note that dropout1d exists to provide channel-wise dropout on inputs with 1 spatial dimension, a channel dimension, and an optional batch dimension (i.e. 2D or 3D inputs).`,
    );
  }
  if (rank === 3) return channelDropout(input, p, training);
  return tf.reshape(channelDropout(tf.expandDims(input), p, training), input.shape);
}
const dropout1dSignature = signatureOf('dropout1d');

/** As `dropout`, but of whole channels. `input` [N, C, H, W]; three dimensions are taken for [N, C, L], as by torch. */
export function dropout2d(input: tf.Tensor, ...args: DropoutArgs): tf.Tensor {
  const { p, training } = checked(dropout2dSignature, input, args);
  const { rank } = input;
  if (rank === 3) {
    warn(
      'dropout2d: Received a 3D input to dropout2d and assuming that channel-wise 1D dropout behavior is desired - input is interpreted as shape (N, C, L), where C is the channel dim. This behavior will change in a future release to interpret the input as one without a batch dimension, i.e. shape (C, H, W). To maintain the 1D channel-wise dropout behavior, please switch to using dropout1d instead.',
    );
  } else if (rank !== 4) {
    warn(
      `dropout2d: Received a ${rank}-D input to dropout2d, which is deprecated and will result in an error in a future release. To retain the behavior and silence this warning, please use dropout instead. Note that dropout2d exists to provide channel-wise dropout on inputs with 2 spatial dimensions, a channel dimension, and an optional batch dimension (i.e. 3D or 4D inputs).`,
    );
  }
  return channelDropout(input, p, training);
}
const dropout2dSignature = signatureOf('dropout2d');

const channelDropout = (input: tf.Tensor, p: number, training: boolean): tf.Tensor =>
  dropped(input, p, training, () => {
    const [n, c] = input.shape;
    if (n === undefined || c === undefined) {
      throw new RuntimeError('Feature dropout requires at least 2 dimensions in the input');
    }
    return channelValues(input, dropFactors(n * c, p));
  });

function dropped(input: tf.Tensor, p: number, training: boolean, draw: () => tf.Tensor): tf.Tensor {
  if (p === 0 || !training || input.size === 0) return input;
  if (input.dtype !== 'float32')
    throw new RuntimeError("result type Float can't be cast to the desired output type Long");
  const mask = draw();
  return elementwise(input, (x) => multiply(x, mask));
}

/** @throws torch's error for a probability outside of [0, 1] */
export function assertProbability(p: number): void {
  if (!(p >= 0 && p <= 1)) {
    throw new ValueError(`dropout probability has to be between 0 and 1, but got ${p}`);
  }
}

/** For each element 0 or 1 / (1 - p). Draws nothing where all are dropped, as torch. */
function dropFactors(n: number, p: number): Float32Array {
  if (p === 1) return new Float32Array(n);
  const factors = bernoulliMask(n, 1 - p, default_generator);
  const scale = Math.fround(1 / Math.fround(1 - p));
  for (let i = 0; i < n; i++) factors[i]! *= scale;
  return factors;
}

// tf.mul would save the input, which nobody asks for.
const multiply = (input: tf.Tensor, mask: tf.Tensor) =>
  op(
    'Mul',
    { input },
    (save) => {
      save([mask]);
      return tf.mul(input, mask);
    },
    (dy, [m]) => ({ input: () => tf.mul(dy, m!) }),
    true,
  );
