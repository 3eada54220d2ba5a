import { ValueError } from '@tfjs-torch/core/base';
import type { Optimizer } from '@tfjs-torch/optim';
import { LRScheduler, readLr, writeLr } from './scheduler';
import type { Metrics } from './schedulers/reduce-lr-on-plateau';

/** @throws ValueError or TypeError with torch's texts if they do not all schedule `optimizer` */
export function assertTogether(name: string, schedulers: readonly LRScheduler[], optimizer: Optimizer<object>): void {
  schedulers.forEach((scheduler, i) => {
    if (!scheduler?.optimizer) throw new TypeError(`${name} at index ${i} should have \`optimizer\` as its attribute.`);
    if (scheduler.optimizer !== optimizer) {
      throw new ValueError(
        `${name} expects all schedulers to belong to the same optimizer, but ` +
          `got scheduler ${scheduler.constructor.name} at index ${i} has ${scheduler.optimizer}, ` +
          `which is different from ${optimizer.constructor.name}.`,
      );
    }
  });
}

/** A scheduler that steps others. Unlike torch's, it may have a ReduceLROnPlateau among them and needs its metric then. */
export abstract class Composite extends LRScheduler {
  declare _schedulers: LRScheduler[];

  protected override start(last_epoch: number, own: object): void {
    Object.assign(this, own);
    if (this.ours.diagnostics) for (const s of this._schedulers) s.silence();
    this.begin(last_epoch);
  }

  protected abstract begin(last_epoch: number): void;

  abstract override step(metrics?: Metrics | null): void;

  override advance(metrics: Metrics | null): void {
    this.step(metrics);
  }

  override takeOver(): void {
    this.resetLr();
    this.restart();
  }

  protected resetLr(): void {
    for (const group of this.optimizer.param_groups) writeLr(group, readLr(group, 'initial_lr'));
  }

  override restart(): void {
    for (const s of this._schedulers) s.restart();
    this.begin(-1);
  }

  override silence(): void {
    super.silence();
    for (const s of this._schedulers) s.silence();
  }

  override state_dict(): Record<string, unknown> {
    const { _schedulers, ...state } = super.state_dict();
    return { ...state, _schedulers: this._schedulers.map((s) => s.state_dict()) };
  }

  override load_state_dict(
    { _schedulers, ...state }: Readonly<Record<string, unknown>>,
    options: { apply?: boolean } = {},
  ): void {
    (_schedulers as Record<string, unknown>[]).forEach((saved, i) => {
      this._schedulers[i]!.load_state_dict(saved);
    });
    super.load_state_dict(state, options);
  }
}
