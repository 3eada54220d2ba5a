import { Tensor } from '@tensorflow/tfjs-core';
import { ValueError } from '@tfjs-torch/core/base';
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

interface AdamLike {
  lr: number;
  betas: readonly [number, number];
  eps: number;
  weight_decay: number;
}

/** The checks that Adam's relatives share, in torch's order. */
export function checkAdamLike(h: AdamLike, given: { readonly lr: unknown }) {
  checkRate(h, given);
  nonNegative('epsilon value', h.eps);
  checkBetas(h.betas);
  nonNegative('weight_decay value', h.weight_decay);
}

/** The first check of nearly all of torch's optimizers. */
export function checkRate(h: { readonly lr: number }, given: { readonly lr: unknown }) {
  oneElement('lr', given.lr);
  nonNegative('learning rate', h.lr);
}
