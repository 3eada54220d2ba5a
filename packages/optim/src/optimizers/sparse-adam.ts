import type { Tensor } from '@tensorflow/tfjs-core';
import { RuntimeError, ValueError } from '@tfjs-torch/core/base';
import * as internal from '@tfjs-torch/core/update';
import { checkBetas, oneElement } from '../checks';
import type { Host, OptimizerArgs } from '../options';
import type { ParamGroup } from '../param-groups';
import { str } from '../python-repr';
import { rule } from '../rule/rule';
import { RuleOptimizer } from '../rule-optimizer';

/** The options of {@link SparseAdam}. */
export interface SparseAdamOptions {
  /** Learning rate, above 0. @defaultValue 1e-3 */
  lr: number | Tensor;
  /** Decay of the first and of the second moment, both in [0, 1). @defaultValue [0.9, 0.999] */
  betas: readonly [number, number];
  /** Added to the square root in the denominator; above 0. @defaultValue 1e-8 */
  eps: number;
  /** Ascend instead of descend. @defaultValue false */
  maximize: boolean;
}

/** The update rule of {@link SparseAdam}. */
export const sparseAdam = rule<Host<SparseAdamOptions>>()({
  name: 'SparseAdam',
  defaults: { lr: 1e-3, betas: [0.9, 0.999], eps: 1e-8, maximize: false },
  positional: ['lr', 'betas', 'eps', 'maximize'],
  counted: true,
  older: { maximize: false },
  check(h, given) {
    oneElement('lr', given.lr);
    if (!(h.lr > 0)) throw new ValueError(`Invalid learning rate: ${str(h.lr)}`);
    if (!(h.eps > 0)) throw new ValueError(`Invalid epsilon value: ${str(h.eps)}`);
    checkBetas(h.betas);
  },
  sparse: () => 'rows',
  dense() {
    throw new RuntimeError('SparseAdam does not support dense gradients, please consider Adam instead');
  },
  flags: (h) => ({ maximize: h.maximize }),
  state: () => ({ exp_avg: 0, exp_avg_sq: 0 }),
  scalars: ({ lr, betas: [b1, b2], eps }, t) => ({
    w1: 1 - b1,
    w2: 1 - b2,
    eps,
    step: (-lr * Math.sqrt(1 - b2 ** t)) / (1 - b1 ** t),
  }),
  update(x, s, flags) {
    const g = flags.maximize ? x.grad.neg() : x.grad;
    const m = g.sub(x.exp_avg).mul(s.w1).add(x.exp_avg);
    const v = g.mul(g).sub(x.exp_avg_sq).mul(s.w2).add(x.exp_avg_sq);
    return { param: x.param.add(m.div(v.sqrt().add(s.eps)).mul(s.step)), exp_avg: m, exp_avg_sq: v };
  },
});

/**
 * Adam for sparse gradients: `torch.optim.SparseAdam`. Only the rows that a gradient names move, and only their moments decay.
 *
 * State: `step`, `exp_avg`, `exp_avg_sq`, of the parameter's shape.
 * @throws ValueError for an option out of range or a sparse parameter, RuntimeError for a dense gradient, with torch's text.
 */
export class SparseAdam extends RuleOptimizer<SparseAdamOptions> {
  static override readonly rule = sparseAdam;
  constructor(
    ...args: OptimizerArgs<
      [lr: SparseAdamOptions['lr'], betas: SparseAdamOptions['betas'], eps: number, maximize: boolean],
      SparseAdamOptions
    >
  ) {
    super(args);
  }

  protected override checkGroups(groups: readonly ParamGroup[]): void {
    const sparse = groups.flatMap(({ params }, g) =>
      params.flatMap((p, i) => (internal.isSparse(p) ? [`[${g}, ${i}]`] : [])),
    );
    if (sparse.length > 0) {
      throw new ValueError(
        `Sparse params at indices [${sparse.join(', ')}]: SparseAdam requires dense parameter tensors`,
      );
    }
  }

  protected override exported(value: unknown, key: string): unknown {
    return key === 'step' ? value : super.exported(value, key); // an int in torch too
  }
}
