import type { Tensor } from '@tensorflow/tfjs-core';
import { RuntimeError } from '@tfjs-torch/core/base';
import { checkRate, nonNegative } from '../checks';
import type { Host, OptimizerArgs } from '../options';
import { decayFlags, decayScalars, prepare } from '../rule/phrases';
import { rule } from '../rule/rule';
import { RuleOptimizer } from '../rule-optimizer';

/** The options of {@link Adagrad}. */
export interface AdagradOptions {
  /** Learning rate. @defaultValue 1e-2 */
  lr: number | Tensor;
  /** lr is divided by 1 + (step − 1)·lr_decay. @defaultValue 0 */
  lr_decay: number;
  /** Added to the square root in the denominator. @defaultValue 1e-10 */
  eps: number;
  /** L2 penalty, added to the gradient. @defaultValue 0 */
  weight_decay: number;
  /** What the sum of squares begins with. Only the constructor's counts, not a group's, as in torch. @defaultValue 0 */
  initial_accumulator_value: number;
  /** A hint, as in torch. @defaultValue null */
  foreach: boolean | null;
  /** Ascend instead of descend. @defaultValue false */
  maximize: boolean;
  /** `true` is not supported yet. @defaultValue false */
  differentiable: boolean;
  /** `true` asks for a fused kernel and fails where the backend has none; `null` lets us choose. @defaultValue null */
  fused: boolean | null;
}

/** The update rule of {@link Adagrad}. */
export const adagrad = rule<Host<AdagradOptions>>()({
  name: 'Adagrad',
  defaults: {
    lr: 1e-2,
    lr_decay: 0,
    eps: 1e-10,
    weight_decay: 0,
    initial_accumulator_value: 0,
    foreach: null,
    maximize: false,
    differentiable: false,
    fused: null,
  },
  positional: ['lr', 'lr_decay', 'weight_decay', 'initial_accumulator_value', 'eps', 'foreach'],
  counted: true,
  eager: true,
  older: { foreach: null, maximize: false, differentiable: false, fused: null },
  check(h, given) {
    checkRate(h, given);
    nonNegative('lr_decay value', h.lr_decay);
    nonNegative('weight_decay value', h.weight_decay);
    nonNegative('initial_accumulator_value value', h.initial_accumulator_value);
    nonNegative('epsilon value', h.eps);
  },
  sparse(h) {
    if (h.weight_decay !== 0) {
      throw new RuntimeError('weight_decay option is not compatible with sparse gradients');
    }
    return 'rows';
  },
  flags: decayFlags,
  state: (_, initial) => ({ sum: initial.initial_accumulator_value }),
  scalars: (h, t) => ({ ...decayScalars(h), lr: h.lr / (1 + (t - 1) * h.lr_decay), eps: h.eps }),
  update(x, s, flags) {
    const [p, g] = prepare(x, s, flags);
    const sum = x.sum.add(g.mul(g));
    return { param: p.sub(g.mul(s.lr).div(sum.sqrt().add(s.eps))), sum };
  },
});

/**
 * Steps that shrink with the sum of all squared gradients so far: `torch.optim.Adagrad`.
 *
 *     sum ← sum + g²,  p ← p − lr / (1 + (t − 1)·lr_decay) · g / (√sum + eps)
 *
 * State: `step`, `sum`, made in the constructor. Duchi et al., 2011.
 * @throws ValueError for an option out of range, with torch's text.
 */
export class Adagrad extends RuleOptimizer<AdagradOptions> {
  static override readonly rule = adagrad;
  constructor(
    ...args: OptimizerArgs<
      [
        lr: AdagradOptions['lr'],
        lr_decay: number,
        weight_decay: number,
        initial_accumulator_value: number,
        eps: number,
        foreach: AdagradOptions['foreach'],
      ],
      AdagradOptions
    >
  ) {
    super(args);
  }
}
