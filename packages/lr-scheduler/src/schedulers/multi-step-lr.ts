import { bind, signature } from '@tfjs-torch/core/base';
import { numbers } from '../checks';
import { type Bound, type Call, common, type Schedule, type SchedulerOptions } from '../schedule';
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

const parameters = signature<Bound<MultiStepLROptions>>(
  'MultiStepLR.__init__',
  `optimizer, milestones, gamma=0.1, ${common}`,
);

/** Multiplies the learning rate of each group by `gamma` at each milestone: `torch.optim.lr_scheduler.MultiStepLR`. */
export class MultiStepLR extends LRScheduler {
  declare milestones: Milestones;
  declare gamma: number;

  constructor(
    ...args: Call<[milestones: Iterable<number>], [gamma: number, last_epoch: number], MultiStepLROptions, 'milestones'>
  ) {
    const { optimizer, milestones: epochs, gamma, last_epoch, ...ours } = bind(parameters, args);
    numbers({ gamma });
    const milestones: Milestones = {};
    for (const epoch of epochs) {
      numbers({ 'a milestone': epoch });
      milestones[epoch] = (milestones[epoch] ?? 0) + 1;
    }
    super(optimizer, last_epoch, { milestones, gamma }, ours);
  }

  override get_lr(): number[] {
    return this.chained(multiStepLR);
  }

  override _get_closed_form_lr(): number[] {
    return this.closed(multiStepLR);
  }
}
