import { KeyError, ValueError } from '@tfjs-torch/core/base';
import { annealStrategy, assertOptimizer, perGroup } from '../checks';
import { type Call, type SchedulerOptions, scheduler, take } from '../schedule';
import { assertResumable, LRScheduler, readLr } from '../scheduler';

export interface SWALROptions extends SchedulerOptions {
  /** The rate to go to, for all groups or for each. */
  swa_lr: number | readonly number[];
  /** @defaultValue 10 */
  anneal_epochs?: number;
  /** @defaultValue 'cos' */
  anneal_strategy?: 'cos' | 'linear';
}

/** How far the way is gone at `t` from 0 to 1. */
const anneal = {
  cos: (t: number) => (1 - Math.cos(Math.PI * t)) / 2,
  linear: (t: number) => t,
};

const swaLR = {
  /** The share of `swa_lr` in the rate after the scheduler's `step`th step, 0 being the constructor's. */
  share: (h: { anneal_epochs: number; _anneal_strategy: 'cos' | 'linear' }, step: number): number =>
    anneal[h._anneal_strategy](Math.max(0, Math.min(1, step / Math.max(1, h.anneal_epochs)))),
  /** The rate with a share of `now`, from the one with a share of `before`. */
  next(lr: number, swa_lr: number, before: number, now: number): number {
    const start = before === 1 ? swa_lr : (lr - before * swa_lr) / (1 - before);
    return swa_lr * now + start * (1 - now);
  },
};

const parameters = scheduler<SWALROptions>('SWALR', "swa_lr, anneal_epochs=10, anneal_strategy='cos'");

/** Takes the learning rate of each group to `swa_lr` and holds it there: `torch.optim.swa_utils.SWALR`. */
export class SWALR extends LRScheduler {
  declare _anneal_strategy: 'cos' | 'linear';
  declare anneal_epochs: number;

  constructor(
    ...args: Call<
      [swa_lr: number | readonly number[]],
      [anneal_epochs: number, anneal_strategy: 'cos' | 'linear', last_epoch: number],
      SWALROptions,
      'swa_lr'
    >
  ) {
    const [optimizer, last_epoch, own, ours] = take(parameters, args);
    const { swa_lr, anneal_epochs, anneal_strategy: _anneal_strategy } = own;
    assertOptimizer(optimizer);
    const swa_lrs = perGroup('swa_lr', optimizer, swa_lr);
    annealStrategy(_anneal_strategy);
    if (!Number.isInteger(anneal_epochs) || anneal_epochs < 0)
      throw new ValueError(`anneal_epochs must be equal or greater than 0, got ${anneal_epochs}`);
    assertResumable(optimizer, last_epoch);
    optimizer.param_groups.forEach((group, i) => {
      group.swa_lr = swa_lrs[i];
    });
    super(optimizer, last_epoch, { _anneal_strategy, anneal_epochs }, ours);
  }

  override get_lr(): number[] {
    this._warnIfCalledOutside();
    const step = Math.max(this.anneal_epochs === 0 ? 1 : 0, this._step_count - 1);
    const [before, now] = [swaLR.share(this, step - 1), swaLR.share(this, step)];
    return this.optimizer.param_groups.map((group) => {
      if (!('swa_lr' in group)) throw new KeyError("'swa_lr'");
      return swaLR.next(readLr(group), group.swa_lr as number, before, now);
    });
  }

  /** A later group goes where the first goes, if it has no `swa_lr` of its own. */
  protected override _adopt(): void {
    const { param_groups } = this.optimizer;
    for (const group of param_groups) group.swa_lr ??= param_groups[0]!.swa_lr;
    super._adopt();
  }
}
