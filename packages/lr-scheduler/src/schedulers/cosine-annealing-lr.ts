import { positive } from '../checks';
import { type Call, type Schedule, type SchedulerOptions, scheduler, take } from '../schedule';
import { LRScheduler } from '../scheduler';

export interface CosineAnnealingLROptions extends SchedulerOptions {
  /** Epochs from the base rate to `eta_min`; after as many more the rate is back. */
  T_max: number;
  /** @defaultValue 0 */
  eta_min?: number;
}

const { PI, cos } = Math;

export const cosineAnnealingLR: Schedule<{ T_max: number; eta_min: number }> = {
  closed: ({ T_max, eta_min }, base, t) => eta_min + ((base - eta_min) * (1 + cos((PI * t) / T_max))) / 2,
  next({ T_max, eta_min, _is_initial, _step_count }, lr, t, base) {
    if (_is_initial) return lr;
    if (_step_count === 1 && t > 0) return eta_min + ((base - eta_min) * (1 + cos((t * PI) / T_max))) / 2;
    // The first step up from eta_min: the quotient below would be x / 0.
    if ((t - 1 - T_max) % (2 * T_max) === 0) return lr + ((base - eta_min) * (1 - cos(PI / T_max))) / 2;
    return ((1 + cos((PI * t) / T_max)) / (1 + cos((PI * (t - 1)) / T_max))) * (lr - eta_min) + eta_min;
  },
};

const parameters = scheduler<CosineAnnealingLROptions>('CosineAnnealingLR', 'T_max, eta_min=0');

/**
 * Half a cosine wave from the learning rate of each group to `eta_min`, and, as in torch, back if it is stepped on:
 * `torch.optim.lr_scheduler.CosineAnnealingLR`.
 */
export class CosineAnnealingLR extends LRScheduler {
  declare T_max: number;
  declare eta_min: number;

  constructor(
    ...args: Call<[T_max: number], [eta_min: number, last_epoch: number], CosineAnnealingLROptions, 'T_max'>
  ) {
    const taken = take(parameters, args);
    positive(taken[2], 'T_max');
    super(...taken);
  }

  override get_lr(): number[] {
    return this._chained(cosineAnnealingLR);
  }

  override _get_closed_form_lr(): number[] {
    return this._closed(cosineAnnealingLR);
  }
}
