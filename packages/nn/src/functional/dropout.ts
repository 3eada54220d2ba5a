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
} from '@tfjs-torch/core';
import { elementwise, valuesLike } from '../layout';
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
export function dropout(
  input: tf.Tensor,
  ...args: Args<[p: number, training: boolean, inplace: boolean], DropoutOptions>
): tf.Tensor {
  const { p, training } = bind(dropoutSignature, [input, ...args]);
  assertTensor('dropout', 'input', 1, input);
  assertProbability(p);
  if (p === 0 || !training || input.size === 0) return input;
  if (input.dtype !== 'float32')
    throw new RuntimeError("result type Float can't be cast to the desired output type Long");
  const mask = valuesLike(input, dropFactors(input.size, p));
  return elementwise(input, (x) => multiply(x, mask));
}
const dropoutSignature: Signature<Required<DropoutOptions>> = signature(
  'dropout',
  'input, p=0.5, training=True, inplace=False',
);

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
