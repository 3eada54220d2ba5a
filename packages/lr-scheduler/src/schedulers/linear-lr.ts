import { ValueError } from '@tfjs-torch/core/base';
import { positive } from '../checks';
import { type Call, type Schedule, type SchedulerOptions, scheduler, take } from '../schedule';
import { LRScheduler } from '../scheduler';

export interface LinearLROptions extends SchedulerOptions {
  /** @defaultValue 1/3 */
  start_factor?: number;
  /** @defaultValue 1 */
  end_factor?: number;
  /** Epochs from the one factor to the other. @defaultValue 5 */
  total_iters?: number;
}

export const linearLR: Schedule<{ start_factor: number; end_factor: number; total_iters: number }> = {
  closed: (h, base, t) =>
    base * (h.start_factor + ((h.end_factor - h.start_factor) * Math.min(h.total_iters, t)) / h.total_iters),
  next(h, lr, t) {
    if (t === 0) return lr * h.start_factor;
    if (h._is_initial || t > h.total_iters) return lr;
    const rise = h.end_factor - h.start_factor;
    return lr * (1 + rise / (h.total_iters * h.start_factor + (t - 1) * rise));
  },
};

const parameters = scheduler<LinearLROptions>('LinearLR', `start_factor=${1 / 3}, end_factor=1, total_iters=5`);

/**
 * Multiplies the learning rate of each group by a factor that goes from `start_factor` to `end_factor`:
 * `torch.optim.lr_scheduler.LinearLR`.
 */
export class LinearLR extends LRScheduler {
  declare start_factor: number;
  declare end_factor: number;
  declare total_iters: number;

  constructor(
    ...args: Call<
      [],
      [start_factor: number, end_factor: number, total_iters: number, last_epoch: number],
      LinearLROptions
    >
  ) {
    const taken = take(parameters, args);
    const { start_factor, end_factor } = taken[2];
    if (start_factor > 1 || start_factor <= 0) {
      throw new ValueError('Starting multiplicative factor expected to be greater than 0 and less or equal to 1.');
    }
    if (end_factor > 1 || end_factor < 0) {
      throw new ValueError('Ending multiplicative factor expected to be between 0 and 1.');
    }
    positive(taken[2], 'total_iters'); // torch stays at start_factor, and divides by it in the closed form
    super(...taken);
  }

  override get_lr(): number[] {
    return this._chained(linearLR);
  }

  override _get_closed_form_lr(): number[] {
    return this._closed(linearLR);
  }
}
