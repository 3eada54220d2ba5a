import { Tensor } from '@tensorflow/tfjs-core';
import { RuntimeError, ValueError } from '@tfjs-torch/core/base';
import { checkBetas, nonNegative, oneElement } from '../checks';
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

/** The options of {@link Adam}. */
export interface AdamOptions {
  /** Learning rate. @defaultValue 1e-3 */
  lr: number | Tensor;
  /** Decay of the first and of the second moment, both in [0, 1). @defaultValue [0.9, 0.999] */
  betas: readonly [number | Tensor, number | Tensor];
  /** Added to the square root in the denominator. @defaultValue 1e-8 */
  eps: number;
  /** L2 penalty, added to the gradient; or decay of the parameter if decoupled. @defaultValue 0, in AdamW 0.01 */
  weight_decay: number;
  /** Divide by the largest second moment so far. @defaultValue false */
  amsgrad: boolean;
  /** Ascend instead of descend. @defaultValue false */
  maximize: boolean;
  /** A hint, as in torch. @defaultValue null */
  foreach: boolean | null;
  /** Accepted and ignored. @defaultValue false */
  capturable: boolean;
  /** `true` is not supported yet. @defaultValue false */
  differentiable: boolean;
  /** `true` asks for a fused kernel and fails where the backend has none; `null` lets us choose. @defaultValue null */
  fused: boolean | null;
  /** Decay the parameter itself, as AdamW does. @defaultValue false */
  decoupled_weight_decay: boolean;
}

export type AdamPositional = [
  lr: AdamOptions['lr'],
  betas: AdamOptions['betas'],
  eps: number,
  weight_decay: number,
  amsgrad: boolean,
];

/** The update rule of {@link Adam}. */
export const adam = rule<Host<AdamOptions>>()({
  name: 'Adam',
  defaults: {
    lr: 1e-3,
    betas: [0.9, 0.999],
    eps: 1e-8,
    weight_decay: 0,
    amsgrad: false,
    maximize: false,
    foreach: null,
    capturable: false,
    differentiable: false,
    fused: null,
    decoupled_weight_decay: false,
  },
  positional: ['lr', 'betas', 'eps', 'weight_decay', 'amsgrad'],
  counted: true,
  older: {
    amsgrad: false,
    maximize: false,
    foreach: null,
    capturable: false,
    differentiable: false,
    decoupled_weight_decay: false,
    fused: null,
  },
  check(h, given) {
    const noTensor = (what: string, value: unknown) => {
      if (value instanceof Tensor && h.foreach && !h.capturable) {
        throw new ValueError(`${what} as a Tensor is not supported for capturable=False and foreach=True`);
      }
    };
    noTensor('lr', given.lr);
    oneElement('lr', given.lr);
    nonNegative('learning rate', h.lr);
    nonNegative('epsilon value', h.eps);
    checkBetas(h.betas);
    nonNegative('weight_decay value', h.weight_decay);
    const betas = given.betas as AdamOptions['betas'];
    if (betas[0] instanceof Tensor !== betas[1] instanceof Tensor) {
      throw new ValueError('betas must be either both floats or both Tensors');
    }
    betas.forEach((beta, i) => {
      noTensor(`betas[${i}]`, beta);
      oneElement(`betas[${i}]`, beta);
    });
  },
  sparse() {
    throw new RuntimeError('Adam does not support sparse gradients, please consider SparseAdam instead');
  },
  flags: (h) => ({ ...decayFlags(h), ...momentFlags(h), amsgrad: h.amsgrad }),
  state: (h) => ({ exp_avg: 0, exp_avg_sq: 0, ...(h.amsgrad && { max_exp_avg_sq: 0 }) }),
  scalars: (h, t) => ({
    ...decayScalars(h),
    ...momentScalars(h),
    eps: h.eps,
    lr: h.lr / (1 - h.betas[0] ** t),
    correction: Math.sqrt(1 - h.betas[1] ** t),
  }),
  update(x, s, flags) {
    const [p, g] = prepare(x, s, flags);
    const m = firstMoment(x.exp_avg, g, s, flags);
    const v = secondMoment(x.exp_avg_sq, g, s);
    const most = flags.amsgrad ? x.max_exp_avg_sq.max(v) : v;
    const denominator = most.sqrt().div(s.correction).add(s.eps);
    return {
      param: p.sub(m.mul(s.lr).div(denominator)),
      exp_avg: m,
      exp_avg_sq: v,
      ...(flags.amsgrad && { max_exp_avg_sq: most }),
    };
  },
});

/**
 * Adam: `torch.optim.Adam`.
 *
 *     m ← β1·m + (1 − β1)·g,  v ← β2·v + (1 − β2)·g²
 *     p ← p − lr / (1 − β1^t) · m / (√v / √(1 − β2^t) + eps)
 *
 * State: `step`, `exp_avg` (m), `exp_avg_sq` (v) and with amsgrad `max_exp_avg_sq`.
 * Kingma and Ba, 2014 (arXiv:1412.6980); amsgrad: Reddi et al., 2018.
 * @throws ValueError for an option out of range, with torch's text.
 */
export class Adam extends RuleOptimizer<AdamOptions> {
  static override readonly rule = adam;
  constructor(...args: OptimizerArgs<AdamPositional, AdamOptions>) {
    super(args);
  }
}
