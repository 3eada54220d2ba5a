import { type Args, bind, signature, ValueError } from '@tfjs-torch/core';
import type { Optimizer } from '@tfjs-torch/optim';
import type { Schedule } from '../schedule';
import { LRScheduler, readLr } from '../scheduler';

export interface StepLROptions {
  /** Epochs from one decay to the next. */
  step_size: number;
  /** @defaultValue 0.1 */
  gamma?: number;
  /** @defaultValue -1 */
  last_epoch?: number;
}

export const stepLR: Schedule<{ step_size: number; gamma: number }> = {
  closed: (h, base, t) => base * h.gamma ** Math.floor(t / h.step_size),
  next: (h, lr, t) => (t === 0 || t % h.step_size !== 0 ? lr : lr * h.gamma),
};

const parameters = signature<Required<StepLROptions> & { optimizer: Optimizer<object> }>(
  'StepLR.__init__',
  'optimizer, step_size, gamma=0.1, last_epoch=-1',
);

/** Multiplies the learning rate of each group by `gamma` every `step_size` epochs: `torch.optim.lr_scheduler.StepLR`. */
export class StepLR extends LRScheduler {
  declare step_size: number;
  declare gamma: number;

  constructor(
    optimizer: Optimizer<object>,
    step_size: number,
    ...rest: Args<[gamma: number, last_epoch: number], Omit<StepLROptions, 'step_size'>>
  );
  constructor(optimizer: Optimizer<object>, options: StepLROptions);
  constructor(all: StepLROptions & { optimizer: Optimizer<object> });
  constructor(...args: unknown[]) {
    const { optimizer, step_size, gamma, last_epoch } = bind(parameters, args);
    // torch divides by zero at the first step.
    if (typeof step_size !== 'number' || !(step_size > 0))
      throw new ValueError(`step_size must be above 0, but is ${step_size}`);
    if (typeof gamma !== 'number') throw new TypeError(`gamma must be a number, but is ${gamma}`);
    super(optimizer, last_epoch, { step_size, gamma });
  }

  override get_lr(): number[] {
    this.warnIfCalledOutside();
    return this.optimizer.param_groups.map((group) => stepLR.next(this, readLr(group), this.last_epoch));
  }

  override _get_closed_form_lr(): number[] {
    return this.base_lrs.map((base) => stepLR.closed(this, base, this.last_epoch));
  }
}
