import type { Tensor } from '@tensorflow/tfjs-core';
import { ValueError } from '@tfjs-torch/core/base';
import { checkRate } from '../checks';
import type { Host, OptimizerArgs } from '../options';
import { float } from '../python-repr';
import { rule } from '../rule/rule';
import { RuleOptimizer } from '../rule-optimizer';

/** The options of {@link Rprop}. */
export interface RpropOptions {
  /** The first size of a step. @defaultValue 1e-2 */
  lr: number | Tensor;
  /** What a size is multiplied by where the gradient changed its sign, in (0, 1), and where not, above 1. @defaultValue [0.5, 1.2] */
  etas: readonly [number, number];
  /** The smallest and the largest size. @defaultValue [1e-6, 50] */
  step_sizes: readonly [number, number];
  /** A hint, as in torch. @defaultValue null */
  foreach: boolean | null;
  /** Ascend instead of descend. @defaultValue false */
  maximize: boolean;
  /** `true` is not supported yet. @defaultValue false */
  differentiable: boolean;
  /** Accepted and ignored. @defaultValue false */
  capturable: boolean;
}

/** The update rule of {@link Rprop}. */
export const rprop = rule<Host<RpropOptions>>()({
  name: 'Rprop',
  defaults: {
    lr: 1e-2,
    etas: [0.5, 1.2],
    step_sizes: [1e-6, 50],
    foreach: null,
    maximize: false,
    differentiable: false,
    capturable: false,
  },
  positional: ['lr', 'etas', 'step_sizes'],
  counted: true,
  older: { foreach: null, maximize: false, differentiable: false, capturable: false },
  check(h, given) {
    checkRate(h, given);
    const [down, up] = h.etas;
    if (!(down > 0 && down < 1 && up > 1)) throw new ValueError(`Invalid eta values: ${float(down)}, ${float(up)}`);
  },
  flags: (h) => ({ maximize: h.maximize }),
  state: (h) => ({ prev: 0, step_size: h.lr }),
  scalars: (h) => ({ down: h.etas[0], up: h.etas[1], least: h.step_sizes[0], most: h.step_sizes[1] }),
  update(x, s, flags) {
    const g = flags.maximize ? x.grad.neg() : x.grad;
    const turn = g.mul(x.prev);
    const turned = turn.neg().gt(0);
    const factor = turn.gt(0).where(s.up, turned.where(s.down, 1));
    const size = x.step_size.mul(factor).max(s.least).min(s.most);
    const seen = turned.where(0, g);
    return { param: x.param.sub(seen.sign().mul(size)), prev: seen, step_size: size };
  },
});

/**
 * Resilient backpropagation, which looks at the signs of the gradient alone: `torch.optim.Rprop`.
 *
 *     size ← size · (η⁺ where g·prev > 0, η⁻ where g·prev < 0, else 1), within step_sizes
 *     g ← 0 where g·prev < 0,  p ← p − sign(g)·size,  prev ← g
 *
 * State: `step`, `prev`, `step_size`. For full batches. Riedmiller and Braun, 1993.
 * @throws ValueError for an option out of range, with torch's text.
 */
export class Rprop extends RuleOptimizer<RpropOptions> {
  static override readonly rule = rprop;
  constructor(
    ...args: OptimizerArgs<
      [lr: RpropOptions['lr'], etas: RpropOptions['etas'], step_sizes: RpropOptions['step_sizes']],
      RpropOptions
    >
  ) {
    super(args);
  }
}
