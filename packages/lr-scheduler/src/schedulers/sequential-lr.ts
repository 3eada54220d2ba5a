import { bind, signature, ValueError } from '@tfjs-torch/core/base';
import { assertOptimizer } from '../checks';
import { assertTogether, Composite } from '../composite';
import type { Bound, Call, OurOptions } from '../schedule';
import type { LRScheduler } from '../scheduler';
import type { Metrics } from './reduce-lr-on-plateau';

export interface SequentialLROptions extends OurOptions {
  schedulers: readonly LRScheduler[];
  /** The epochs at which the next scheduler takes over: one less than there are schedulers. */
  milestones: readonly number[];
  /** @defaultValue -1 */
  last_epoch?: number;
}

const parameters = signature<Bound<SequentialLROptions>>(
  'SequentialLR.__init__',
  'optimizer, schedulers, milestones, last_epoch=-1, *, diagnostics=False',
);

/** Takes back the step of the constructor. */
function undo(scheduler: LRScheduler): void {
  if ('_schedulers' in scheduler) for (const s of (scheduler as Composite)._schedulers) undo(s);
  else scheduler.last_epoch--;
}

/**
 * One scheduler after another: `torch.optim.lr_scheduler.SequentialLR`. At its milestone a scheduler begins at its own
 * epoch 0, from the base rates.
 */
export class SequentialLR extends Composite {
  declare _milestones: number[];

  constructor(
    ...args: Call<
      [schedulers: readonly LRScheduler[], milestones: readonly number[]],
      [last_epoch: number],
      SequentialLROptions,
      'schedulers' | 'milestones'
    >
  ) {
    const { optimizer, schedulers, milestones, last_epoch, ...ours } = bind(parameters, args);
    if (schedulers.length < 1)
      throw new ValueError('SequentialLR expects at least one scheduler, but got no scheduler.');
    assertOptimizer(optimizer);
    assertTogether('SequentialLR', schedulers, optimizer);
    if (milestones.length !== schedulers.length - 1) {
      throw new ValueError(
        'Sequential Schedulers expects number of schedulers provided to be one more than the number of milestone points, ' +
          `but got number of schedulers ${schedulers.length} and the number of milestones to be equal to ${milestones.length}`,
      );
    }
    if (milestones.some((at, i) => i > 0 && !(at >= milestones[i - 1]!)))
      throw new ValueError(`milestones must not fall, but are ${milestones.join(', ')}`); // torch mixes them up
    super(optimizer, last_epoch, { _schedulers: [...schedulers], _milestones: [...milestones] }, ours);
  }

  protected override _begin(last_epoch: number): void {
    this.last_epoch = last_epoch + 1;
    this._resetLr();
    undo(this);
    const first = this._schedulers[this._indexAt(0)]!;
    first._initial_step();
    this._last_lr = first.get_last_lr();
  }

  private _indexAt(epoch: number): number {
    const later = this._milestones.findIndex((at) => at > epoch);
    return later < 0 ? this._milestones.length : later;
  }

  /** @param metrics needed while a ReduceLROnPlateau is in charge */
  override step(metrics: Metrics | null = null): void {
    this._watch();
    this.last_epoch++;
    const i = this._indexAt(this.last_epoch);
    const scheduler = this._schedulers[i]!;
    if (i > 0 && this._milestones[i - 1] === this.last_epoch) scheduler._takeOver(metrics);
    else scheduler._advance(metrics, this._is_initial);
    this._last_lr = scheduler.get_last_lr();
  }

  override _apply(): void {
    for (const s of this._schedulers.slice(0, this._indexAt(this.last_epoch) + 1)) s._apply(); // for the momentum
    super._apply();
  }
}
