import type { Tensor } from '@tensorflow/tfjs-core';
import { ValueError } from '@tfjs-torch/core/base';
import { checkRate, nonNegative } from '../checks';
import type { Host, OptimizerArgs } from '../options';
import { str } from '../python-repr';
import { decayFlags, decayScalars, prepare, secondMoment } from '../rule/phrases';
import { rule } from '../rule/rule';
import { RuleOptimizer } from '../rule-optimizer';

/** The options of {@link Adadelta}. */
export interface AdadeltaOptions {
  /** What the step is multiplied by. @defaultValue 1 */
  lr: number | Tensor;
  /** Decay of both averages, in [0, 1]. @defaultValue 0.9 */
  rho: number;
  /** Added under both square roots. @defaultValue 1e-6 */
  eps: number;
  /** L2 penalty, added to the gradient. @defaultValue 0 */
  weight_decay: number;
  /** Ascend instead of descend. @defaultValue false */
  maximize: boolean;
  /** Accepted and ignored. @defaultValue false */
  capturable: boolean;
  /** A hint, as in torch. @defaultValue null */
  foreach: boolean | null;
  /** `true` is not supported yet. @defaultValue false */
  differentiable: boolean;
}

/** The update rule of {@link Adadelta}. */
export const adadelta = rule<Host<AdadeltaOptions>>()({
  name: 'Adadelta',
  defaults: {
    lr: 1,
    rho: 0.9,
    eps: 1e-6,
    weight_decay: 0,
    maximize: false,
    capturable: false,
    foreach: null,
    differentiable: false,
  },
  positional: ['lr', 'rho', 'eps', 'weight_decay', 'foreach'],
  floats: ['lr'],
  counted: true,
  older: { foreach: null, maximize: false, differentiable: false, capturable: false },
  check(h, given) {
    checkRate(h, given);
    if (!(h.rho >= 0 && h.rho <= 1)) throw new ValueError(`Invalid rho value: ${str(h.rho)}`);
    nonNegative('epsilon value', h.eps);
    nonNegative('weight_decay value', h.weight_decay);
  },
  flags: decayFlags,
  state: () => ({ square_avg: 0, acc_delta: 0 }),
  scalars: (h) => ({ ...decayScalars(h), lr: h.lr, b2: h.rho, w2: 1 - h.rho, eps: h.eps }),
  update(x, s, flags) {
    const [p, g] = prepare(x, s, flags);
    const v = secondMoment(x.square_avg, g, s);
    const delta = x.acc_delta.add(s.eps).sqrt().div(v.add(s.eps).sqrt()).mul(g);
    return { param: p.sub(delta.mul(s.lr)), square_avg: v, acc_delta: secondMoment(x.acc_delta, delta, s) };
  },
});

/**
 * Steps as long as the recent ones, whatever the scale of the gradient: `torch.optim.Adadelta`.
 *
 *     v ← ρ·v + (1 − ρ)·g²,  Δ = √(a + eps) / √(v + eps) · g,  a ← ρ·a + (1 − ρ)·Δ²,  p ← p − lr·Δ
 *
 * State: `step`, `square_avg` (v), `acc_delta` (a). Zeiler, 2012 (arXiv:1212.5701).
 * @throws ValueError for an option out of range, with torch's text.
 */
export class Adadelta extends RuleOptimizer<AdadeltaOptions> {
  static override readonly rule = adadelta;
  constructor(
    ...args: OptimizerArgs<
      [lr: AdadeltaOptions['lr'], rho: number, eps: number, weight_decay: number, foreach: AdadeltaOptions['foreach']],
      AdadeltaOptions
    >
  ) {
    super(args);
  }
}
