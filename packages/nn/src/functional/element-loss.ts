import * as tf from '@tensorflow/tfjs-core';
import { type Args, bind, RuntimeError, type Signature, signature, ValueError, warn } from '@tfjs-torch/core';
import { size } from '../names';
import { op } from '../op';
import { assertTensor } from './linear';
import { type LossOptions, type Reduction, reduced, resolveReduction } from './reduction';

export interface ElementLossOptions extends LossOptions {
  /** A factor for each element. */
  weight?: tf.Tensor | null;
}

type ElementLossArgs = Args<
  [size_average: boolean | null, reduce: boolean | null, reduction: Reduction, weight: tf.Tensor | null],
  ElementLossOptions
>;
const elementList = "input, target, size_average=None, reduce=None, reduction='mean', weight=None";

/** (input - target)² */
export function mse_loss(input: tf.Tensor, target: tf.Tensor, ...args: ElementLossArgs): tf.Tensor {
  return elementLoss(squaredError, input, target, bind(mseSignature, [input, target, ...args]));
}
const mseSignature: Signature<Required<ElementLossOptions>> = signature('mse_loss', elementList);

/** |input - target| */
export function l1_loss(input: tf.Tensor, target: tf.Tensor, ...args: ElementLossArgs): tf.Tensor {
  return elementLoss(absoluteError, input, target, bind(l1Signature, [input, target, ...args]));
}
const l1Signature: Signature<Required<ElementLossOptions>> = signature('l1_loss', elementList);

interface ElementError {
  call: string;
  node: string;
  value(a: tf.Tensor, b: tf.Tensor): tf.Tensor;
  /** Its derivative by `a`, which is minus that by `b`, is `slope` · `factor`. */
  slope(a: tf.Tensor, b: tf.Tensor): tf.Tensor;
  factor: number;
}

const squaredError: ElementError = {
  call: 'mse',
  node: 'MseLoss',
  value: (a, b) => tf.squaredDifference(a, b),
  slope: (a, b) => tf.sub(a, b),
  factor: 2,
};
const absoluteError: ElementError = {
  call: 'l1',
  node: 'L1Loss',
  value: (a, b) => tf.abs(tf.sub(a, b)),
  slope: (a, b) => tf.sign(tf.sub(a, b)),
  factor: 1,
};

function elementLoss(
  error: ElementError,
  input: tf.Tensor,
  target: tf.Tensor,
  options: Required<ElementLossOptions>,
): tf.Tensor {
  assertTensor(`${error.call}_loss`, 'input', 1, input);
  assertTensor(`${error.call}_loss`, 'target', 2, target);
  if (!tf.util.arraysEqual(input.shape, target.shape)) {
    warn(
      `Using a target size (${size(target.shape)}) that is different to the input size (${size(input.shape)}). This will likely lead to incorrect results due to broadcasting. Please ensure they have the same size.`,
    );
  }
  const reduction = resolveReduction(options);
  const [a, b] = broadcast(input, target);
  const { weight } = options;
  if (weight === null) return unweighted(error, a, b, reduction);
  if (!tf.util.arraysEqual(weight.shape, input.shape)) {
    throw new ValueError('Weights and input must have the same size.');
  }
  const weighted = tf.mul(unweighted(error, a, b, 'none'), weight);
  if (reduction === 'none') return weighted;
  return reduction === 'sum' ? tf.sum(weighted) : tf.div(tf.sum(weighted), tf.sum(weight));
}

function unweighted(error: ElementError, input: tf.Tensor, target: tf.Tensor, reduction: Reduction): tf.Tensor {
  const share = error.factor / (reduction === 'mean' ? input.size : 1);
  return op(
    error.node,
    { input, target },
    (save) => {
      save([input, target]);
      return reduced(error.value(input, target), reduction, input.size);
    },
    (dy, saved) => {
      const [a, b] = saved as [tf.Tensor, tf.Tensor];
      return {
        input: () => tf.mul(error.slope(a, b), tf.mul(dy, share)),
        target: () => tf.mul(error.slope(a, b), tf.mul(dy, -share)),
      };
    },
    true,
  );
}

/** Both in one shape and in float32. @throws torch's error where the shapes do not broadcast */
function broadcast(a: tf.Tensor, b: tf.Tensor): [tf.Tensor, tf.Tensor] {
  const rank = Math.max(a.rank, b.rank);
  const of = (t: tf.Tensor, i: number) => t.shape[i - rank + t.rank] ?? 1;
  const shape = Array.from({ length: rank }, (_, i) => {
    const [m, n] = [of(a, i), of(b, i)];
    if (m !== n && m !== 1 && n !== 1) {
      throw new RuntimeError(
        `The size of tensor a (${m}) must match the size of tensor b (${n}) at non-singleton dimension ${i}`,
      );
    }
    return m === 1 ? n : m;
  });
  const whole = (t: tf.Tensor) => {
    const floats = t.dtype === 'float32' ? t : tf.cast(t, 'float32');
    return tf.util.arraysEqual(t.shape, shape) ? floats : tf.broadcastTo(floats, shape);
  };
  return [whole(a), whole(b)];
}
