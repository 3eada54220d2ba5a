import { bind, pythonType, ValueError } from '@tfjs-torch/core/base';
import { isPositiveInteger } from '../checks';
import { type Call, type SchedulerOptions, scheduler } from '../schedule';
import { LRScheduler } from '../scheduler';

export interface CosineAnnealingWarmRestartsOptions extends SchedulerOptions {
  /** Epochs until the first restart. */
  T_0: number;
  /** How many times longer each period is than the one before. @defaultValue 1 */
  T_mult?: number;
  /** @defaultValue 0 */
  eta_min?: number;
}

/** V8's log(3) is an ulp off, which moves a restart. */
const log = (x: number) => (x === 3 ? 1.0986122886681098 : Math.log(x));

/** A place in the schedule: the epochs since the last restart, and those from it to the next. */
interface Place {
  T_cur: number;
  T_i: number;
}

const cosineAnnealingWarmRestarts = {
  closed: ({ eta_min }: { eta_min: number }, base: number, { T_cur, T_i }: Place): number =>
    eta_min + ((base - eta_min) * (1 + Math.cos((Math.PI * T_cur) / T_i))) / 2,
  /** Where epoch `t`, which may be a fraction, lies. */
  place({ T_0, T_mult }: { T_0: number; T_mult: number }, t: number): Place {
    if (T_mult === 1) return { T_cur: t % T_0, T_i: T_0 };
    let [T_cur, T_i] = [t, T_0];
    for (; T_cur >= T_i; T_i *= T_mult) T_cur -= T_i;
    return { T_cur, T_i };
  },
};

const parameters = scheduler<CosineAnnealingWarmRestartsOptions>(
  'CosineAnnealingWarmRestarts',
  'T_0, T_mult=1, eta_min=0.0',
);

/**
 * Half cosine waves from the base rate of each group to `eta_min`, one after another:
 * `torch.optim.lr_scheduler.CosineAnnealingWarmRestarts`.
 */
export class CosineAnnealingWarmRestarts extends LRScheduler {
  declare T_0: number;
  declare T_i: number;
  declare T_mult: number;
  declare eta_min: number;
  declare T_cur: number;

  constructor(
    ...args: Call<
      [T_0: number],
      [T_mult: number, eta_min: number, last_epoch: number],
      CosineAnnealingWarmRestartsOptions,
      'T_0'
    >
  ) {
    const { T_0, T_mult, eta_min, optimizer, last_epoch, ...ours } = bind(parameters, args);
    if (!isPositiveInteger(T_0)) throw new ValueError(`Expected positive integer T_0, but got ${T_0}`);
    if (!isPositiveInteger(T_mult)) throw new ValueError(`Expected integer T_mult >= 1, but got ${T_mult}`);
    if (typeof eta_min !== 'number') {
      throw new ValueError(
        `Expected float or int eta_min, but got ${eta_min} of type <class '${pythonType(eta_min)}'>`,
      );
    }
    super(optimizer, last_epoch, { T_0, T_i: T_0, T_mult, eta_min, T_cur: last_epoch }, ours);
  }

  override get_lr(): number[] {
    this._warnIfCalledOutside();
    return this.base_lrs.map((base) => cosineAnnealingWarmRestarts.closed(this, base, this));
  }

  override lr_at(t: number): number[] {
    const place = cosineAnnealingWarmRestarts.place(this, t);
    return this.base_lrs.map((base) => cosineAnnealingWarmRestarts.closed(this, base, place));
  }

  /** Goes to the next epoch, or to `epoch`, which may be a fraction: `step(epoch + i / iterations)` after each batch. */
  override step(given: number | null = null): void {
    if (given !== null && given < 0) throw new ValueError(`Expected non-negative epoch, but got ${given}`);
    this._watch();
    this._takeIn();
    const epoch = given ?? Math.max(this.last_epoch, -1) + 1;
    if (given !== null || this.last_epoch < 0) this._goTo(epoch);
    else if (++this.T_cur >= this.T_i) {
      this.T_cur %= this.T_i;
      this.T_i *= this.T_mult;
    }
    this.last_epoch = Math.floor(epoch);
    this._setLr(() => this.get_lr());
  }

  private _goTo(epoch: number): void {
    const { T_0, T_mult } = this;
    if (epoch < T_0) {
      this.T_i = T_0;
      this.T_cur = epoch;
    } else if (T_mult === 1) this.T_cur = epoch % T_0;
    else {
      // torch's formula and not `place`: its quotient may fall short of a restart, which is then the end of the period
      // before.
      const n = Math.trunc(log((epoch / T_0) * (T_mult - 1) + 1) / log(T_mult));
      this.T_cur = epoch - (T_0 * (T_mult ** n - 1)) / (T_mult - 1);
      this.T_i = T_0 * T_mult ** n;
    }
  }
}
