import { bind, signature } from '@tfjs-torch/core/base';
import { numbers } from '../checks';
import { type Bound, type Call, common, type Schedule, type SchedulerOptions } from '../schedule';
import { LRScheduler } from '../scheduler';

export interface ExponentialLROptions extends SchedulerOptions {
  gamma: number;
}

export const exponentialLR: Schedule<{ gamma: number }> = {
  closed: (h, base, t) => base * h.gamma ** t,
  next: (h, lr) => (h._is_initial ? lr : lr * h.gamma),
};

const parameters = signature<Bound<ExponentialLROptions>>('ExponentialLR.__init__', `optimizer, gamma, ${common}`);

/** Multiplies the learning rate of each group by `gamma` every epoch: `torch.optim.lr_scheduler.ExponentialLR`. */
export class ExponentialLR extends LRScheduler {
  declare gamma: number;

  constructor(...args: Call<[gamma: number], [last_epoch: number], ExponentialLROptions, 'gamma'>) {
    const { optimizer, gamma, last_epoch, ...ours } = bind(parameters, args);
    numbers({ gamma });
    super(optimizer, last_epoch, { gamma }, ours);
  }

  override get_lr(): number[] {
    return this.chained(exponentialLR);
  }

  override _get_closed_form_lr(): number[] {
    return this.closed(exponentialLR);
  }
}
