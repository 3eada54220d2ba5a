import { positive } from '../checks';
import { type Call, type Schedule, type SchedulerOptions, scheduler, take } from '../schedule';
import { LRScheduler } from '../scheduler';

export interface StepLROptions extends SchedulerOptions {
  /** Epochs from one decay to the next. */
  step_size: number;
  /** @defaultValue 0.1 */
  gamma?: number;
}

export const stepLR: Schedule<{ step_size: number; gamma: number }> = {
  closed: (h, base, t) => base * h.gamma ** Math.floor(t / h.step_size),
  next: (h, lr, t) => (t === 0 || t % h.step_size !== 0 ? lr : lr * h.gamma),
};

const parameters = scheduler<StepLROptions>('StepLR', 'step_size, gamma=0.1');

/** Multiplies the learning rate of each group by `gamma` every `step_size` epochs: `torch.optim.lr_scheduler.StepLR`. */
export class StepLR extends LRScheduler {
  declare step_size: number;
  declare gamma: number;

  constructor(...args: Call<[step_size: number], [gamma: number, last_epoch: number], StepLROptions, 'step_size'>) {
    const taken = take(parameters, args);
    positive(taken[2], 'step_size');
    super(...taken);
  }

  override get_lr(): number[] {
    return this._chained(stepLR);
  }

  override _get_closed_form_lr(): number[] {
    return this._closed(stepLR);
  }
}
