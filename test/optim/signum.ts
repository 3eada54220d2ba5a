import * as tf from '@tensorflow/tfjs-core';
import '@tfjs-torch/core'; // torch's tensor methods
import { Optimizer, type ParamsInput } from '@tfjs-torch/optim';

interface SignumOptions {
  lr: number;
  momentum: number;
}

/** Steps of fixed length along the sign of the momentum (Bernstein et al., 2018). */
export class Signum extends Optimizer<SignumOptions> {
  constructor(params: ParamsInput<SignumOptions>, { lr = 0.01, momentum = 0.9 }: Partial<SignumOptions> = {}) {
    super(params, { lr, momentum });
  }

  override step() {
    for (const { params, lr, momentum } of this.param_groups) {
      for (const p of params) {
        if (p.grad === null) continue;
        let state = this.state.get(p);
        if (!state) {
          state = { buffer: tf.zerosLike(p) };
          this.state.set(p, state);
        }
        const buffer = state.buffer as tf.Tensor;
        buffer.mul_(momentum).add_(p.grad, { alpha: 1 - momentum });
        p.add_(tf.sign(buffer), { alpha: -lr });
      }
    }
    return null;
  }
}
