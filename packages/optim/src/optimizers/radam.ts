import type { Tensor } from '@tensorflow/tfjs-core';
import { checkAdamLike } from '../checks';
import type { Host, OptimizerArgs } from '../options';
import { Expr } from '../rule/expr';
import {
  decayFlags,
  decayScalars,
  firstMoment,
  momentFlags,
  momentScalars,
  prepare,
  secondMoment,
} from '../rule/phrases';
import { rule } from '../rule/rule';
import { RuleOptimizer } from '../rule-optimizer';

/** The options of {@link RAdam}. */
export interface RAdamOptions {
  /** Learning rate. @defaultValue 1e-3 */
  lr: number | Tensor;
  /** Decay of the first and of the second moment, both in [0, 1). @defaultValue [0.9, 0.999] */
  betas: readonly [number, number];
  /** Added to the square root in the denominator. @defaultValue 1e-8 */
  eps: number;
  /** L2 penalty, added to the gradient; or decay of the parameter if decoupled. @defaultValue 0 */
  weight_decay: number;
  /** Ascend instead of descend. @defaultValue false */
  maximize: boolean;
  /** A hint, as in torch. @defaultValue null */
  foreach: boolean | null;
  /** Accepted and ignored. @defaultValue false */
  capturable: boolean;
  /** Decay the parameter itself, as AdamW does. @defaultValue false */
  decoupled_weight_decay: boolean;
  /** `true` is not supported yet. @defaultValue false */
  differentiable: boolean;
}

/** The update rule of {@link RAdam}. */
export const radam = rule<Host<RAdamOptions>>()({
  name: 'RAdam',
  defaults: {
    lr: 1e-3,
    betas: [0.9, 0.999],
    eps: 1e-8,
    weight_decay: 0,
    maximize: false,
    foreach: null,
    capturable: false,
    decoupled_weight_decay: false,
    differentiable: false,
  },
  positional: ['lr', 'betas', 'eps', 'weight_decay', 'decoupled_weight_decay'],
  counted: true,
  older: { foreach: null, maximize: false, differentiable: false, decoupled_weight_decay: false, capturable: false },
  check: checkAdamLike,
  state: () => ({ exp_avg: 0, exp_avg_sq: 0 }),
  scalars(h, t) {
    const [b1, b2] = h.betas;
    const correction = 1 - b2 ** t;
    const longest = 2 / (1 - b2) - 1;
    const length = longest - (2 * t * b2 ** t) / correction;
    const ratio = ((length - 4) * (length - 2) * longest) / ((longest - 4) * (longest - 2) * length);
    return {
      ...decayScalars(h),
      ...momentScalars(h),
      eps: h.eps,
      correction1: 1 - b1 ** t,
      lr: h.lr,
      correction2: Math.sqrt(correction),
      rectify: length > 5 ? Math.sqrt(ratio) : 0,
    };
  },
  flags: (h, s) => ({ ...decayFlags(h), ...momentFlags(h), rectified: s.rectify > 0 }),
  update(x, s, flags) {
    const [p, g] = prepare(x, s, flags);
    const m = firstMoment(x.exp_avg, g, s, flags);
    const v = secondMoment(x.exp_avg_sq, g, s);
    const step = m.div(s.correction1).mul(s.lr);
    // torch divides a number by a tensor as the tensor's reciprocal times the number.
    const adapt = Expr.leaf('const', 1).div(v.sqrt().add(s.eps)).mul(s.correction2);
    return { param: p.sub(flags.rectified ? step.mul(adapt).mul(s.rectify) : step), exp_avg: m, exp_avg_sq: v };
  },
});

/**
 * Adam whose variance is rectified, so that it needs no warm-up: `torch.optim.RAdam`.
 *
 *     m ← β1·m + (1 − β1)·g,  v ← β2·v + (1 − β2)·g²
 *     ρ∞ = 2/(1 − β2) − 1,  ρ = ρ∞ − 2t·β2^t/(1 − β2^t),  r² = (ρ − 4)(ρ − 2)ρ∞ / ((ρ∞ − 4)(ρ∞ − 2)ρ)
 *     p ← p − lr·m/(1 − β1^t)·r·√(1 − β2^t)/(√v + eps) if ρ > 5, else p − lr·m/(1 − β1^t)
 *
 * State: `step`, `exp_avg` (m), `exp_avg_sq` (v). Liu et al., 2019 (arXiv:1908.03265).
 * @throws ValueError for an option out of range, with torch's text.
 */
export class RAdam extends RuleOptimizer<RAdamOptions> {
  static override readonly rule = radam;
  constructor(
    ...args: OptimizerArgs<
      [
        lr: RAdamOptions['lr'],
        betas: RAdamOptions['betas'],
        eps: number,
        weight_decay: number,
        decoupled_weight_decay: boolean,
      ],
      RAdamOptions
    >
  ) {
    super(args);
  }
}
