import type { Tensor } from '@tensorflow/tfjs-core';
import { RuntimeError, ValueError } from '@tfjs-torch/core/base';
import { notBelowZero, oneElement } from '../checks';
import type { Host, OptimizerArgs } from '../options';
import { decayFlags, decayScalars, prepare } from '../rule/phrases';
import { rule } from '../rule/rule';
import { RuleOptimizer } from '../rule-optimizer';

/** The options of {@link SGD}. */
export interface SGDOptions {
  /** Learning rate. @defaultValue 1e-3 */
  lr: number | Tensor;
  /** @defaultValue 0 */
  momentum: number;
  /** How much less than the whole gradient enters the momentum buffer, from its second step on. @defaultValue 0 */
  dampening: number;
  /** L2 penalty, added to the gradient. @defaultValue 0 */
  weight_decay: number | Tensor;
  /** @defaultValue false */
  nesterov: boolean;
  /** Ascend instead of descend. @defaultValue false */
  maximize: boolean;
  /** A hint, as in torch. @defaultValue null */
  foreach: boolean | null;
  /** `true` is not supported yet. @defaultValue false */
  differentiable: boolean;
  /** `true` asks for a fused kernel and fails where the backend has none; `null` lets us choose. @defaultValue null */
  fused: boolean | null;
}

/** The update rule of {@link SGD}. */
export const sgd = rule<Host<SGDOptions>>()({
  name: 'SGD',
  defaults: {
    lr: 1e-3,
    momentum: 0,
    dampening: 0,
    weight_decay: 0,
    nesterov: false,
    maximize: false,
    foreach: null,
    differentiable: false,
    fused: null,
  },
  positional: ['lr', 'momentum', 'dampening', 'weight_decay', 'nesterov'],
  counted: false,
  older: { nesterov: false, maximize: false, foreach: null, differentiable: false, fused: false },
  check(h, given) {
    oneElement('lr', given.lr);
    notBelowZero('learning rate', h.lr);
    notBelowZero('momentum value', h.momentum);
    notBelowZero('weight_decay value', h.weight_decay);
    if (h.nesterov && (h.momentum <= 0 || h.dampening !== 0)) {
      throw new ValueError('Nesterov momentum requires a momentum and zero dampening');
    }
  },
  sparse(h) {
    if (h.weight_decay !== 0) {
      throw new RuntimeError('add(sparse, dense) is not supported. Use add(dense, sparse) instead.');
    }
    return h.momentum === 0 ? 'rows' : 'dense';
  },
  flags: (h) => ({ ...decayFlags(h), momentum: h.momentum !== 0, nesterov: h.nesterov }),
  state: (h) => (h.momentum !== 0 ? { momentum_buffer: 0 } : {}),
  scalars: (h, _, fresh) => ({
    ...decayScalars(h),
    lr: h.lr,
    momentum: h.momentum,
    gain: fresh ? 1 : 1 - h.dampening, // torch's first buffer is the undamped gradient
  }),
  update(x, s, flags) {
    const [p, g] = prepare(x, s, flags);
    if (!flags.momentum) return { param: p.sub(g.mul(s.lr)) };
    const buffer = x.momentum_buffer.mul(s.momentum).add(g.mul(s.gain));
    const step = flags.nesterov ? g.add(buffer.mul(s.momentum)) : buffer;
    return { param: p.sub(step.mul(s.lr)), momentum_buffer: buffer };
  },
});

/**
 * Stochastic gradient descent, with momentum: `torch.optim.SGD`.
 *
 *     g ← g + weight_decay·p
 *     buffer ← momentum·buffer + (1 − dampening)·g    (at first: g)
 *     p ← p − lr·buffer                               (nesterov: p − lr·(g + momentum·buffer))
 *
 * State: `momentum_buffer`, when there is momentum. Nesterov: Sutskever et al., 2013.
 * @throws ValueError for an option out of range, with torch's text.
 */
export class SGD extends RuleOptimizer<SGDOptions> {
  static override readonly rule = sgd;
  constructor(
    ...args: OptimizerArgs<
      [
        lr: SGDOptions['lr'],
        momentum: number,
        dampening: number,
        weight_decay: SGDOptions['weight_decay'],
        nesterov: boolean,
      ],
      SGDOptions
    >
  ) {
    super(args);
  }
}
