import type { Tensor } from '@tensorflow/tfjs-core';
import { checkAdamLike, nonNegative } from '../checks';
import type { Host, OptimizerArgs } from '../options';
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

/** The options of {@link NAdam}. */
export interface NAdamOptions {
  /** Learning rate. @defaultValue 2e-3 */
  lr: number | Tensor;
  /** Decay of the first and of the second moment, both in [0, 1). @defaultValue [0.9, 0.999] */
  betas: readonly [number, number];
  /** Added to the square root in the denominator. @defaultValue 1e-8 */
  eps: number;
  /** L2 penalty, added to the gradient; or decay of the parameter if decoupled. @defaultValue 0 */
  weight_decay: number;
  /** How fast the momentum rises to β1. @defaultValue 4e-3 */
  momentum_decay: number;
  /** Decay the parameter itself, as AdamW does. @defaultValue false */
  decoupled_weight_decay: boolean;
  /** Ascend instead of descend. @defaultValue false */
  maximize: boolean;
  /** A hint, as in torch. @defaultValue null */
  foreach: boolean | null;
  /** Accepted and ignored. @defaultValue false */
  capturable: boolean;
  /** `true` is not supported yet. @defaultValue false */
  differentiable: boolean;
}

const momentum = ({ betas, momentum_decay }: Host<NAdamOptions>, t: number) =>
  betas[0] * (1 - 0.5 * 0.96 ** (t * momentum_decay));

/** The update rule of {@link NAdam}. */
export const nadam = rule<Host<NAdamOptions>>()({
  name: 'NAdam',
  defaults: {
    lr: 2e-3,
    betas: [0.9, 0.999],
    eps: 1e-8,
    weight_decay: 0,
    momentum_decay: 4e-3,
    decoupled_weight_decay: false,
    maximize: false,
    foreach: null,
    capturable: false,
    differentiable: false,
  },
  positional: ['lr', 'betas', 'eps', 'weight_decay', 'momentum_decay', 'decoupled_weight_decay'],
  counted: true,
  older: { maximize: false, foreach: null, capturable: false, differentiable: false, decoupled_weight_decay: false },
  check(h, given) {
    checkAdamLike(h, given);
    nonNegative('momentum_decay value', h.momentum_decay);
  },
  flags: (h) => ({ ...decayFlags(h), ...momentFlags(h) }),
  state: () => ({ exp_avg: 0, exp_avg_sq: 0 }),
  kept: () => ({ mu_product: 1 }),
  next: (h, t, { mu_product }, round) => ({ mu_product: mu_product * round(momentum(h, t)) }),
  scalars(h, t, _fresh, _kept, { mu_product }) {
    const [now, later] = [momentum(h, t), momentum(h, t + 1)];
    return {
      ...decayScalars(h),
      ...momentScalars(h),
      eps: h.eps,
      correction: 1 - h.betas[1] ** t,
      gradRate: (h.lr * (1 - now)) / (1 - mu_product),
      momentRate: (h.lr * later) / (1 - mu_product * later),
    };
  },
  update(x, s, flags) {
    const [p, g] = prepare(x, s, flags);
    const m = firstMoment(x.exp_avg, g, s, flags);
    const v = secondMoment(x.exp_avg_sq, g, s);
    const denominator = v.div(s.correction).sqrt().add(s.eps);
    const param = p.sub(g.mul(s.gradRate).div(denominator)).sub(m.mul(s.momentRate).div(denominator));
    return { param, exp_avg: m, exp_avg_sq: v };
  },
});

/**
 * Adam with Nesterov momentum: `torch.optim.NAdam`.
 *
 *     μ_t = β1·(1 − ½·0.96^(t·momentum_decay)),  Π = μ_1 … μ_t
 *     m ← β1·m + (1 − β1)·g,  v ← β2·v + (1 − β2)·g²,  d = √(v / (1 − β2^t)) + eps
 *     p ← p − lr·(1 − μ_t)/(1 − Π)·g/d − lr·μ_{t+1}/(1 − Π·μ_{t+1})·m/d
 *
 * State: `step`, `mu_product` (Π, a float32 number), `exp_avg` (m), `exp_avg_sq` (v). Dozat, 2016.
 * @throws ValueError for an option out of range, with torch's text.
 */
export class NAdam extends RuleOptimizer<NAdamOptions> {
  static override readonly rule = nadam;
  constructor(
    ...args: OptimizerArgs<
      [
        lr: NAdamOptions['lr'],
        betas: NAdamOptions['betas'],
        eps: number,
        weight_decay: number,
        momentum_decay: number,
        decoupled_weight_decay: boolean,
      ],
      NAdamOptions
    >
  ) {
    super(args);
  }
}
