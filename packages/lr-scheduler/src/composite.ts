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

  protected override _start(last_epoch: number, own: object): void {
    Object.assign(this, own);
    if (this._ours.diagnostics) for (const s of this._schedulers) s._silence();
    this._begin(last_epoch);
  }

  protected abstract _begin(last_epoch: number): void;

  abstract override step(metrics?: Metrics | null): void;

  override _advance(metrics: Metrics | null): void {
    this.step(metrics);
  }

  override _takeOver(): void {
    this._resetLr();
    this._restart();
  }

  protected _resetLr(): void {
    for (const group of this.optimizer.param_groups) writeLr(group, readLr(group, 'initial_lr'));
  }

  override _restart(): void {
    for (const s of this._schedulers) s._restart();
    this._begin(-1);
  }

  override _silence(): void {
    super._silence();
    for (const s of this._schedulers) s._silence();
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
