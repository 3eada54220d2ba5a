import * as tf from '@tensorflow/tfjs-core';
import { type Args, bind, IndexError, type Signature, signature, warn } from '@tfjs-torch/core';
import { elementwise, nchwFrom, nhwc } from '../layout';
import { floats, op, tensorflow } from '../op';
import { assertTensor } from './linear';

type InPlace = Args<[inplace: boolean], { inplace?: boolean }>;

/** max(x, 0); NaN stays NaN. With `inplace` the result is a new tensor too, and `input` keeps its values. */
export function relu(input: tf.Tensor, ...args: InPlace): tf.Tensor {
  bind(reluSignature, [input, ...args]);
  assertTensor('relu', 'input', 1, input);
  return elementwise(input, tf.relu);
}
const reluSignature: Signature<{ inplace: boolean }> = signature('relu', 'input, inplace=False');

type Dim = Args<[dim: number | null], { dim?: number | null }>;

/** exp(x) / Σ exp(x) along `dim`. */
export function softmax(input: tf.Tensor, ...args: Dim): tf.Tensor {
  const { dim } = bind(softmaxSignature, [input, ...args]);
  return alongLast(input, dim ?? implicitDim('softmax', input.rank), (x) => tf.softmax(x));
}
const softmaxSignature: Signature<{ dim: number | null }> = signature('softmax', 'input, dim=None');

/** log(softmax(x)) along `dim`, without its loss of precision. */
export function log_softmax(input: tf.Tensor, ...args: Dim): tf.Tensor {
  const { dim } = bind(logSoftmaxSignature, [input, ...args]);
  return alongLast(input, dim ?? implicitDim('log_softmax', input.rank), logSoftmax);
}
const logSoftmaxSignature: Signature<{ dim: number | null }> = signature('log_softmax', 'input, dim=None');

const logSoftmax = (input: tf.Tensor) =>
  op(
    'LogSoftmax',
    { input },
    (save) => {
      const y = tensorflow('LogSoftmax', floats, [input])?.[0] ?? composedLogSoftmax(input);
      save([y]);
      return y;
    },
    (dy, [y]) => ({ input: () => tf.sub(dy, tf.mul(tf.exp(y!), tf.sum(dy, -1, true))) }),
  );

function composedLogSoftmax(x: tf.Tensor): tf.Tensor {
  const shifted = tf.sub(x, tf.max(x, -1, true));
  return tf.sub(shifted, tf.log(tf.sum(tf.exp(shifted), -1, true)));
}

/** Applies what works along the last dimension along another. */
function alongLast(input: tf.Tensor, dim: number, f: (x: tf.Tensor) => tf.Tensor): tf.Tensor {
  const axis = dimension(dim, input.rank);
  if (input.rank === 0) return tf.reshape(f(tf.reshape(input, [1])), []);
  if (axis === input.rank - 1) return f(input);
  if (axis === 1 && input.rank <= 4) return nchwFrom(f(nhwc(input)) as tf.Tensor4D, input.rank);
  const swapped = input.shape.map((_, i) => i);
  [swapped[axis], swapped[input.rank - 1]] = [input.rank - 1, axis];
  return tf.transpose(f(tf.transpose(input, swapped)), swapped);
}

/** A dimension counted from the front. @throws IndexError */
export function dimension(dim: number, rank: number): number {
  const n = Math.max(rank, 1);
  if (dim < -n || dim >= n) {
    throw new IndexError(`Dimension out of range (expected to be in range of [${-n}, ${n - 1}], but got ${dim})`);
  }
  return dim < 0 ? dim + n : dim;
}

function implicitDim(name: string, rank: number): number {
  warn(`Implicit dimension choice for ${name} has been deprecated. Change the call to include dim=X as an argument.`);
  return rank === 0 || rank === 1 || rank === 3 ? 0 : 1;
}
