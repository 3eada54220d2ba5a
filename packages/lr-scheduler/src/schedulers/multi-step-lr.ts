import { number } from '../checks';
import { type Call, type Schedule, type SchedulerOptions, scheduler, take } from '../schedule';
import { LRScheduler } from '../scheduler';

export interface MultiStepLROptions extends SchedulerOptions {
  /** The epochs of the decays; one that is named twice counts twice. */
  milestones: Iterable<number>;
  /** @defaultValue 0.1 */
  gamma?: number;
}

/** How often each epoch is named: torch's `Counter`. */
type Milestones = Record<number, number>;

export const multiStepLR: Schedule<{ milestones: Milestones; gamma: number }> = {
  closed(h, base, t) {
    let passed = 0;
    for (const epoch in h.milestones) if (Number(epoch) <= t) passed += h.milestones[epoch]!;
    return base * h.gamma ** passed;
  },
  next: (h, lr, t) => (t in h.milestones ? lr * h.gamma ** h.milestones[t]! : lr),
};

const parameters = scheduler<MultiStepLROptions>('MultiStepLR', 'milestones, gamma=0.1');

/** Multiplies the learning rate of each group by `gamma` at each milestone: `torch.optim.lr_scheduler.MultiStepLR`. */
export class MultiStepLR extends LRScheduler {
  declare milestones: Milestones;
  declare gamma: number;

  constructor(
    ...args: Call<[milestones: Iterable<number>], [gamma: number, last_epoch: number], MultiStepLROptions, 'milestones'>
  ) {
    const [optimizer, last_epoch, own, ours] = take(parameters, args);
    const milestones: Milestones = {};
    for (const milestone of own.milestones) {
      number({ milestone }, 'milestone');
      milestones[milestone] = (milestones[milestone] ?? 0) + 1;
    }
    super(optimizer, last_epoch, { ...own, milestones }, ours);
  }

  override get_lr(): number[] {
    return this._chained(multiStepLR);
  }

  override _get_closed_form_lr(): number[] {
    return this._closed(multiStepLR);
  }
}
