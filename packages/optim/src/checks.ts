import { Tensor } from '@tensorflow/tfjs-core';
import { ValueError } from '@tfjs-torch/core';
import { float, str } from './python-repr';

/** torch's `if not 0.0 <= value`: NaN is refused too. */
export function nonNegative(what: string, value: number) {
  if (!(value >= 0)) throw new ValueError(`Invalid ${what}: ${str(value)}`);
}

/** torch's `if value < 0.0`: SGD lets NaN through. */
export function notBelowZero(what: string, value: number) {
  if (value < 0) throw new ValueError(`Invalid ${what}: ${str(value)}`);
}

/** torch's check of betas: each in [0, 1). */
export function checkBetas(betas: readonly number[]) {
  betas.forEach((beta, i) => {
    if (!(beta >= 0 && beta < 1)) throw new ValueError(`Invalid beta parameter at index ${i}: ${float(beta)}`);
  });
}

/** A tensor may stand for a number if it holds just one. */
export function oneElement(name: string, given: unknown) {
  if (given instanceof Tensor && given.size !== 1) throw new ValueError(`Tensor ${name} must be 1-element`);
}
