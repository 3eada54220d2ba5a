import { positive } from '../checks';
import { type Call, type Schedule, type SchedulerOptions, scheduler, take } from '../schedule';
import { LRScheduler } from '../scheduler';

export interface PolynomialLROptions extends SchedulerOptions {
  /** Epochs until the rate is 0. @defaultValue 5 */
  total_iters?: number;
  /** @defaultValue 1 */
  power?: number;
}

export const polynomialLR: Schedule<{ total_iters: number; power: number }> = {
  closed: (h, base, t) => base * (1 - Math.min(h.total_iters, t) / h.total_iters) ** h.power,
  next: (h, lr, t) =>
    h._is_initial || t > h.total_iters ? lr : lr * ((1 - t / h.total_iters) / (1 - (t - 1) / h.total_iters)) ** h.power,
};

const parameters = scheduler<PolynomialLROptions>('PolynomialLR', 'total_iters=5, power=1');

/**
 * Takes the learning rate of each group to 0 as `(1 − epoch / total_iters) ** power`:
 * `torch.optim.lr_scheduler.PolynomialLR`.
 */
export class PolynomialLR extends LRScheduler {
  declare total_iters: number;
  declare power: number;

  constructor(...args: Call<[], [total_iters: number, power: number, last_epoch: number], PolynomialLROptions>) {
    const taken = take(parameters, args);
    positive(taken[2], 'total_iters'); // torch divides by it in the closed form
    super(...taken);
  }

  override get_lr(): number[] {
    return this._chained(polynomialLR);
  }

  override _get_closed_form_lr(): number[] {
    return this._closed(polynomialLR);
  }
}
