import * as tf from '@tensorflow/tfjs-core';
import type { GradientFunction, Inputs } from '../tensor/engine';
import { floats, tensorflow } from './tensorflow';

/**
 * Gradients that stand in for tfjs's, where those save what they do not need or run slower kernels.
 * `save` names what the node must keep; `gradient` is made at recording, so it can hold shapes.
 */
interface OwnGradient {
  save(inputs: Inputs, outputs: readonly tf.Tensor[]): tf.Tensor[];
  gradient(inputs: Inputs, outputs: readonly tf.Tensor[]): GradientFunction;
}

const one = (dy: tf.Tensor | tf.Tensor[]) => dy as tf.Tensor;

/** Sums a gradient over the axes along which its input was broadcast. */
function unbroadcast(dy: tf.Tensor, shape: readonly number[]): tf.Tensor {
  const axes = tf.broadcast_util.getReductionAxes([...shape], dy.shape);
  const sum = axes.length > 0 ? tf.sum(dy, axes) : dy;
  return tf.reshape(sum, [...shape]);
}

// tfjs saves both inputs of Add and Sub for nothing but their shapes.
const linear = (sign: 1 | -1): OwnGradient => ({
  save: () => [],
  gradient: ({ a, b }) => {
    const [left, right] = [a!.shape, b!.shape];
    return (dy) => ({
      a: () => unbroadcast(one(dy), left),
      b: () => unbroadcast(sign === 1 ? one(dy) : tf.neg(one(dy)), right),
    });
  },
});

function reluGradient(dy: tf.Tensor, y: tf.Tensor): tf.Tensor {
  const own = tensorflow('ReluGrad', floats, [dy, y]);
  if (own) return own[0]!;
  // wasm's select takes four times as long. Differs from torch where dy is infinite and y is 0: NaN, not 0.
  return tf.mul(dy, tf.step(y));
}

export const ownGradients: ReadonlyMap<string, OwnGradient> = new Map([
  ['Add', linear(1)],
  ['Sub', linear(-1)],
  [
    'Relu',
    {
      save: (_inputs, outputs) => [outputs[0]!],
      gradient: () => (dy, saved) => ({ x: () => reluGradient(one(dy), saved[0]!) }),
    },
  ],
]);
