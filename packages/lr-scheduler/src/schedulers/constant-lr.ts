import { ValueError } from '@tfjs-torch/core/base';
import { positive } from '../checks';
import { type Call, type Schedule, type SchedulerOptions, scheduler, take } from '../schedule';
import { LRScheduler } from '../scheduler';

export interface ConstantLROptions extends SchedulerOptions {
  /** @defaultValue 1/3 */
  factor?: number;
  /** Epochs for which the factor holds. @defaultValue 5 */
  total_iters?: number;
}

export const constantLR: Schedule<{ factor: number; total_iters: number }> = {
  closed: (h, base, t) => base * (h.factor + (t >= h.total_iters ? 1 - h.factor : 0)),
  next: (h, lr, t) => (t === 0 ? lr * h.factor : t === h.total_iters ? lr * (1 / h.factor) : lr),
};

const parameters = scheduler<ConstantLROptions>('ConstantLR', `factor=${1 / 3}, total_iters=5`);

/** Multiplies the learning rate of each group by `factor` until `total_iters`: `torch.optim.lr_scheduler.ConstantLR`. */
export class ConstantLR extends LRScheduler {
  declare factor: number;
  declare total_iters: number;

  constructor(...args: Call<[], [factor: number, total_iters: number, last_epoch: number], ConstantLROptions>) {
    const taken = take(parameters, args);
    const { factor } = taken[2];
    if (factor > 1 || factor < 0) {
      throw new ValueError('Constant multiplicative factor expected to be between 0 and 1.');
    }
    positive(taken[2], 'factor'); // torch divides by it at total_iters
    super(...taken);
  }

  override get_lr(): number[] {
    return this._chained(constantLR);
  }

  override _get_closed_form_lr(): number[] {
    return this._closed(constantLR);
  }
}
