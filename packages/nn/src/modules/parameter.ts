import type * as tf from '@tensorflow/tfjs-core';
import { Parameter } from '@tfjs-torch/core';
import * as init from '../init';

/** A parameter with the values of `initial`, which it consumes. */
export function parameter(initial: tf.Tensor): Parameter {
  const result = new Parameter(initial);
  initial.dispose();
  return result;
}

/** The start that torch gives Linear and the convolutions: U(±1/√fan_in), drawn for the weight, then for the bias. */
export function resetWeights(weight: Parameter, bias: Parameter | null): void {
  init.kaiming_uniform_(weight, { a: Math.sqrt(5) });
  if (bias === null) return;
  const [fanIn] = init._calculate_fan_in_and_fan_out(weight);
  const bound = fanIn > 0 ? 1 / Math.sqrt(fanIn) : 0;
  init.uniform_(bias, -bound, bound);
}
