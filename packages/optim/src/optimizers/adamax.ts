import type { Tensor } from '@tensorflow/tfjs-core';
import { checkAdamLike } from '../checks';
import type { Host, OptimizerArgs } from '../options';
import { decayFlags, decayScalars, firstMoment, momentFlags, momentScalars, prepare } from '../rule/phrases';
import { rule } from '../rule/rule';
import { RuleOptimizer } from '../rule-optimizer';

/** The options of {@link Adamax}. */
export interface AdamaxOptions {
  /** Learning rate. @defaultValue 2e-3 */
  lr: number | Tensor;
  /** Decay of the first moment and of the norm, both in [0, 1). @defaultValue [0.9, 0.999] */
  betas: readonly [number, number];
  /** Added to the magnitude of the gradient. @defaultValue 1e-8 */
  eps: number;
  /** L2 penalty, added to the gradient. @defaultValue 0 */
  weight_decay: number;
  /** A hint, as in torch. @defaultValue null */
  foreach: boolean | null;
  /** Ascend instead of descend. @defaultValue false */
  maximize: boolean;
  /** `true` is not supported yet. @defaultValue false */
  differentiable: boolean;
  /** Accepted and ignored. @defaultValue false */
  capturable: boolean;
}

/** The update rule of {@link Adamax}. */
export const adamax = rule<Host<AdamaxOptions>>()({
  name: 'Adamax',
  defaults: {
    lr: 2e-3,
    betas: [0.9, 0.999],
    eps: 1e-8,
    weight_decay: 0,
    foreach: null,
    maximize: false,
    differentiable: false,
    capturable: false,
  },
  positional: ['lr', 'betas', 'eps', 'weight_decay', 'foreach'],
  counted: true,
  older: { foreach: null, maximize: false, differentiable: false, capturable: false },
  check: checkAdamLike,
  flags: (h) => ({ ...decayFlags(h), ...momentFlags(h) }),
  state: () => ({ exp_avg: 0, exp_inf: 0 }),
  scalars: (h, t) => ({
    ...decayScalars(h),
    ...momentScalars(h),
    eps: h.eps,
    lr: h.lr / (1 - h.betas[0] ** t),
  }),
  update(x, s, flags) {
    const [p, g] = prepare(x, s, flags);
    const m = firstMoment(x.exp_avg, g, s, flags);
    const norm = x.exp_inf.mul(s.b2).max(g.abs().add(s.eps));
    return { param: p.sub(m.mul(s.lr).div(norm)), exp_avg: m, exp_inf: norm };
  },
});

/**
 * Adam with the infinity norm in place of the second moment: `torch.optim.Adamax`.
 *
 *     m ← β1·m + (1 − β1)·g,  u ← max(β2·u, |g| + eps)
 *     p ← p − lr / (1 − β1^t) · m / u
 *
 * State: `step`, `exp_avg` (m), `exp_inf` (u). Kingma and Ba, 2014 (arXiv:1412.6980).
 * @throws ValueError for an option out of range, with torch's text.
 */
export class Adamax extends RuleOptimizer<AdamaxOptions> {
  static override readonly rule = adamax;
  constructor(
    ...args: OptimizerArgs<
      [
        lr: AdamaxOptions['lr'],
        betas: AdamaxOptions['betas'],
        eps: number,
        weight_decay: number,
        foreach: AdamaxOptions['foreach'],
      ],
      AdamaxOptions
    >
  ) {
    super(args);
  }
}
