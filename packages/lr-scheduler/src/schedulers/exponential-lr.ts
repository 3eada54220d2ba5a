import { number } from '../checks';
import { type Call, type Schedule, type SchedulerOptions, scheduler, take } from '../schedule';
import { LRScheduler } from '../scheduler';

export interface ExponentialLROptions extends SchedulerOptions {
  gamma: number;
}

export const exponentialLR: Schedule<{ gamma: number }> = {
  closed: (h, base, t) => base * h.gamma ** t,
  next: (h, lr) => (h._is_initial ? lr : lr * h.gamma),
};

const parameters = scheduler<ExponentialLROptions>('ExponentialLR', 'gamma');

/** Multiplies the learning rate of each group by `gamma` every epoch: `torch.optim.lr_scheduler.ExponentialLR`. */
export class ExponentialLR extends LRScheduler {
  declare gamma: number;

  constructor(...args: Call<[gamma: number], [last_epoch: number], ExponentialLROptions, 'gamma'>) {
    const taken = take(parameters, args);
    number(taken[2], 'gamma');
    super(...taken);
  }

  override get_lr(): number[] {
    return this._chained(exponentialLR);
  }

  override _get_closed_form_lr(): number[] {
    return this._closed(exponentialLR);
  }
}
