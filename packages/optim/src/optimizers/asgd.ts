import type { Tensor } from '@tensorflow/tfjs-core';
import { checkRate, nonNegative } from '../checks';
import type { Host, OptimizerArgs } from '../options';
import { decayFlags, decayScalars, prepare } from '../rule/phrases';
import { rule } from '../rule/rule';
import { RuleOptimizer } from '../rule-optimizer';

/** The options of {@link ASGD}. */
export interface ASGDOptions {
  /** Learning rate. @defaultValue 1e-2 */
  lr: number | Tensor;
  /** Decay of the parameter, by 1 − lambd·eta a step. @defaultValue 1e-4 */
  lambd: number;
  /** Power with which eta falls. @defaultValue 0.75 */
  alpha: number;
  /** The step from which on the average is one; until then it is the parameter. @defaultValue 1e6 */
  t0: number;
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

/** The update rule of {@link ASGD}. */
export const asgd = rule<Host<ASGDOptions>>()({
  name: 'ASGD',
  defaults: {
    lr: 1e-2,
    lambd: 1e-4,
    alpha: 0.75,
    t0: 1e6,
    weight_decay: 0,
    foreach: null,
    maximize: false,
    differentiable: false,
    capturable: false,
  },
  positional: ['lr', 'lambd', 'alpha', 't0', 'weight_decay', 'foreach', 'maximize', 'differentiable', 'capturable'],
  floats: ['t0'],
  counted: true,
  older: { foreach: null, maximize: false, differentiable: false, capturable: false },
  check(h, given) {
    checkRate(h, given);
    nonNegative('lambd value', h.lambd);
    nonNegative('alpha value', h.alpha);
    nonNegative('weight_decay value', h.weight_decay);
  },
  state: () => ({ ax: 0 }),
  kept: (h) => ({ eta: h.lr, mu: 1 }),
  next: (h, t) => ({ eta: h.lr / (1 + h.lambd * h.lr * t) ** h.alpha, mu: 1 / Math.max(1, t - h.t0) }),
  scalars: (h, _t, _fresh, { eta, mu }) => ({ ...decayScalars(h), shrink: 1 - h.lambd * eta, eta, mu }),
  flags: (h, s) => ({ ...decayFlags(h), averages: s.mu !== 1 }),
  update(x, s, flags) {
    const [p, g] = prepare(x, s, flags);
    const param = p.mul(s.shrink).sub(g.mul(s.eta));
    return { param, ax: flags.averages ? x.ax.add(param.sub(x.ax).mul(s.mu)) : param };
  },
});

/**
 * Averaged stochastic gradient descent: `torch.optim.ASGD`.
 *
 *     p ← (1 − lambd·eta)·p − eta·g,  ax ← ax + mu·(p − ax)
 *     eta ← lr / (1 + lambd·lr·t)^alpha,  mu ← 1 / max(1, t − t0)
 *
 * State: `step`, `eta`, `mu` (float32 numbers), `ax` (the average). Polyak and Juditsky, 1992.
 * @throws ValueError for an option out of range, with torch's text.
 */
export class ASGD extends RuleOptimizer<ASGDOptions> {
  static override readonly rule = asgd;
  constructor(
    ...args: OptimizerArgs<
      [
        lr: ASGDOptions['lr'],
        lambd: number,
        alpha: number,
        t0: number,
        weight_decay: number,
        foreach: ASGDOptions['foreach'],
        maximize: boolean,
        differentiable: boolean,
        capturable: boolean,
      ],
      ASGDOptions
    >
  ) {
    super(args);
  }
}
