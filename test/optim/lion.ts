import { defineOptimizer } from '@tfjs-torch/optim';

/** Steps of fixed length along the sign of the momentum (Chen et al., 2023, arXiv:2302.06675). */
export const Lion = defineOptimizer({
  name: 'Lion',
  defaults: { lr: 1e-4, betas: [0.9, 0.99], weight_decay: 0 },
  positional: ['lr', 'betas', 'weight_decay'],
  counted: false,
  state: () => ({ exp_avg: 0 }),
  scalars({ lr, betas: [b1, b2], weight_decay }) {
    return { lr, keep: 1 - lr * weight_decay, b1, w1: 1 - b1, b2, w2: 1 - b2 };
  },
  update({ param, grad, exp_avg }, s) {
    const direction = exp_avg.mul(s.b1).add(grad.mul(s.w1)).sign();
    return {
      param: param.mul(s.keep).sub(direction.mul(s.lr)),
      exp_avg: exp_avg.mul(s.b2).add(grad.mul(s.w2)),
    };
  },
});
