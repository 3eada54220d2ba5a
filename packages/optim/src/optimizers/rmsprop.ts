import type { Tensor } from '@tensorflow/tfjs-core';
import { ValueError } from '@tfjs-torch/core/base';
import { checkRate, nonNegative } from '../checks';
import type { Host, OptimizerArgs } from '../options';
import { float } from '../python-repr';
import { decayFlags, decayScalars, firstMoment, prepare, secondMoment } from '../rule/phrases';
import { rule } from '../rule/rule';
import { RuleOptimizer } from '../rule-optimizer';

/** The options of {@link RMSprop}. */
export interface RMSpropOptions {
  /** Learning rate. @defaultValue 1e-2 */
  lr: number | Tensor;
  /** @defaultValue 0 */
  momentum: number;
  /** Decay of the averages. @defaultValue 0.99 */
  alpha: number;
  /** Added to the square root in the denominator. @defaultValue 1e-8 */
  eps: number;
  /** Divide by the deviation of the gradient instead of its magnitude. @defaultValue false */
  centered: boolean;
  /** L2 penalty, added to the gradient. @defaultValue 0 */
  weight_decay: number;
  /** Accepted and ignored. @defaultValue false */
  capturable: boolean;
  /** A hint, as in torch. @defaultValue null */
  foreach: boolean | null;
  /** Ascend instead of descend. @defaultValue false */
  maximize: boolean;
  /** `true` is not supported yet. @defaultValue false */
  differentiable: boolean;
}

/** The update rule of {@link RMSprop}. */
export const rmsprop = rule<Host<RMSpropOptions>>()({
  name: 'RMSprop',
  defaults: {
    lr: 1e-2,
    momentum: 0,
    alpha: 0.99,
    eps: 1e-8,
    centered: false,
    weight_decay: 0,
    capturable: false,
    foreach: null,
    maximize: false,
    differentiable: false,
  },
  positional: [
    'lr',
    'alpha',
    'eps',
    'weight_decay',
    'momentum',
    'centered',
    'capturable',
    'foreach',
    'maximize',
    'differentiable',
  ],
  counted: true,
  older: { momentum: 0, centered: false, foreach: null, maximize: false, differentiable: false, capturable: false },
  check(h, given) {
    checkRate(h, given);
    nonNegative('epsilon value', h.eps);
    if (!(h.momentum >= 0)) throw new ValueError(`Invalid momentum value: ${float(h.momentum)}`);
    nonNegative('weight_decay value', h.weight_decay);
    nonNegative('alpha value', h.alpha);
  },
  flags: (h) => ({
    ...decayFlags(h),
    momentum: h.momentum > 0,
    centered: h.centered,
    nearGrad: 1 - h.alpha >= 0.5,
  }),
  state: (h) => ({
    square_avg: 0,
    ...(h.momentum > 0 && { momentum_buffer: 0 }),
    ...(h.centered && { grad_avg: 0 }),
  }),
  scalars: (h) => ({
    ...decayScalars(h),
    lr: h.lr,
    w1: 1 - h.alpha < 0.5 ? 1 - h.alpha : -h.alpha,
    b2: h.alpha,
    w2: 1 - h.alpha,
    eps: h.eps,
    momentum: h.momentum,
  }),
  update(x, s, flags) {
    const [p, g] = prepare(x, s, flags);
    const v = secondMoment(x.square_avg, g, s);
    const mean = flags.centered ? firstMoment(x.grad_avg, g, s, flags) : null;
    const denominator = (mean ? v.sub(mean.mul(mean)) : v).sqrt().add(s.eps);
    const kept = { square_avg: v, ...(mean && { grad_avg: mean }) };
    if (!flags.momentum) return { param: p.sub(g.mul(s.lr).div(denominator)), ...kept };
    const buffer = x.momentum_buffer.mul(s.momentum).add(g.div(denominator));
    return { param: p.sub(buffer.mul(s.lr)), ...kept, momentum_buffer: buffer };
  },
});

/**
 * Steps divided by the recent magnitude of the gradient: `torch.optim.RMSprop`.
 *
 *     v ← α·v + (1 − α)·g²,  d = √v + eps          (centered: μ ← α·μ + (1 − α)·g,  d = √(v − μ²) + eps)
 *     p ← p − lr·g/d                               (momentum: b ← momentum·b + g/d,  p ← p − lr·b)
 *
 * State: `step`, `square_avg` (v), with momentum `momentum_buffer` (b), centered `grad_avg` (μ).
 * Tieleman and Hinton, 2012; centered: Graves, 2013 (arXiv:1308.0850).
 * @throws ValueError for an option out of range, with torch's text.
 */
export class RMSprop extends RuleOptimizer<RMSpropOptions> {
  static override readonly rule = rmsprop;
  constructor(
    ...args: OptimizerArgs<
      [
        lr: RMSpropOptions['lr'],
        alpha: number,
        eps: number,
        weight_decay: number,
        momentum: number,
        centered: boolean,
        capturable: boolean,
        foreach: RMSpropOptions['foreach'],
        maximize: boolean,
        differentiable: boolean,
      ],
      RMSpropOptions
    >
  ) {
    super(args);
  }
}
