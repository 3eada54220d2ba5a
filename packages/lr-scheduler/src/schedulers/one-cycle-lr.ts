import { KeyError, ValueError } from '@tfjs-torch/core/base';
import type { ParamGroup } from '@tfjs-torch/optim';
import { annealStrategy, assertOptimizer, isPositiveInteger, perGroup } from '../checks';
import { beginMomentum, cyclesBeta1, writeMomentum } from '../momentum';
import { type Call, type OurOptions, type SchedulerOptions, scheduler, take } from '../schedule';
import { LRScheduler, readLr } from '../scheduler';

export interface OneCycleLROptions extends SchedulerOptions {
  /** The highest rate, for all groups or for each. */
  max_lr: number | readonly number[];
  /** Or `epochs` and `steps_per_epoch`. @defaultValue null */
  total_steps?: number | null;
  /** @defaultValue null */
  epochs?: number | null;
  /** @defaultValue null */
  steps_per_epoch?: number | null;
  /** The share of the steps on which the rate goes up. @defaultValue 0.3 */
  pct_start?: number;
  /** @defaultValue 'cos' */
  anneal_strategy?: 'cos' | 'linear';
  /** Whether momentum (Adam's first beta) goes the other way. @defaultValue true */
  cycle_momentum?: boolean;
  /** @defaultValue 0.85 */
  base_momentum?: number | readonly number[];
  /** @defaultValue 0.95 */
  max_momentum?: number | readonly number[];
  /** max_lr over the rate at the start. @defaultValue 25 */
  div_factor?: number;
  /** The rate at the start over the one at the end. @defaultValue 1e4 */
  final_div_factor?: number;
  /** Whether the way down is as long as the way up, and a third phase goes to the end. @defaultValue false */
  three_phase?: boolean;
  /**
   * Stays at the last rate when it is stepped on. In torch one step past the end jumps up again and the next one throws.
   * @defaultValue false
   */
  hold_at_end?: boolean;
}

/** The rates and momenta by the names under which the groups keep them. */
interface Phase {
  end_step: number;
  start_lr: string;
  end_lr: string;
  start_momentum: string;
  end_momentum: string;
}

const phase = (end_step: number, start_lr: string, end_lr: string, from: string, to: string): Phase => ({
  end_step,
  start_lr,
  end_lr,
  start_momentum: `${from}_momentum`,
  end_momentum: `${to}_momentum`,
});

function phases(total_steps: number, pct_start: number, three_phase: boolean): Phase[] {
  const last = total_steps - 1;
  const up = phase(pct_start * total_steps - 1, 'initial_lr', 'max_lr', 'max', 'base');
  if (!three_phase) return [up, phase(last, 'max_lr', 'min_lr', 'base', 'max')];
  return [
    up,
    phase(2 * pct_start * total_steps - 2, 'max_lr', 'initial_lr', 'base', 'max'),
    phase(last, 'initial_lr', 'min_lr', 'max', 'max'),
  ];
}

const oneCycleLR = {
  /** The phase in which step `t` lies and how far it is there. */
  place(all: readonly Phase[], t: number): [phase: Phase, pct: number] {
    const found = all.findIndex(({ end_step }) => t <= end_step);
    const i = found < 0 ? all.length - 1 : found;
    const start = all[i - 1]?.end_step ?? 0;
    const width = all[i]!.end_step - start;
    // Past the end of a last phase of no length: torch divides by 0.
    return [all[i]!, width === 0 ? 1 : (t - start) / width];
  },
  /** From `start` to `end` as `pct` goes from 0 to 1. */
  cos(pct: number) {
    const left = Math.cos(Math.PI * pct) + 1;
    return (start: number, end: number): number => end + ((start - end) / 2) * left;
  },
  linear: (pct: number) => (start: number, end: number) => (end - start) * pct + start,
};

const parameters = scheduler<OneCycleLROptions>(
  'OneCycleLR',
  "max_lr, total_steps=None, epochs=None, steps_per_epoch=None, pct_start=0.3, anneal_strategy='cos', " +
    'cycle_momentum=True, base_momentum=0.85, max_momentum=0.95, div_factor=25, final_div_factor=1e4, three_phase=False',
  ', hold_at_end=False',
);

function stepsOf({
  total_steps,
  epochs,
  steps_per_epoch,
}: Pick<Required<OneCycleLROptions>, 'total_steps' | 'epochs' | 'steps_per_epoch'>): number {
  const check = (name: string, n: number) => {
    if (!isPositiveInteger(n)) throw new ValueError(`Expected positive integer ${name}, but got ${n}`);
    return n;
  };
  if (total_steps !== null) return check('total_steps', total_steps);
  if (epochs === null || steps_per_epoch === null)
    throw new ValueError('You must define either total_steps OR (epochs AND steps_per_epoch)');
  return check('epochs', epochs) * check('steps_per_epoch', steps_per_epoch);
}

function read(group: ParamGroup, key: string): number {
  const value = group[key] as number | undefined;
  if (value === undefined) throw new KeyError(`'${key}'`);
  return value;
}

function beginRates(group: ParamGroup, max_lr: number, div: { div_factor: number; final_div_factor: number }): void {
  group.initial_lr = max_lr / div.div_factor;
  group.max_lr = max_lr;
  group.min_lr = (group.initial_lr as number) / div.final_div_factor;
}

/**
 * From a low learning rate up to `max_lr` and far down, the momentum the other way: `torch.optim.lr_scheduler.OneCycleLR`.
 * Step it after each batch. https://arxiv.org/abs/1708.07120
 */
export class OneCycleLR extends LRScheduler {
  declare total_steps: number;
  declare _schedule_phases: Phase[];
  declare _anneal_func_type: 'cos' | 'linear';
  declare cycle_momentum: boolean;
  declare use_beta1?: boolean;
  declare protected _ours: OurOptions & {
    seen: number;
    hold_at_end: boolean;
    div: { div_factor: number; final_div_factor: number };
  };

  constructor(
    ...args: Call<
      [max_lr: number | readonly number[]],
      [
        total_steps: number | null,
        epochs: number | null,
        steps_per_epoch: number | null,
        pct_start: number,
        anneal_strategy: 'cos' | 'linear',
        cycle_momentum: boolean,
        base_momentum: number | readonly number[],
        max_momentum: number | readonly number[],
        div_factor: number,
        final_div_factor: number,
        three_phase: boolean,
        last_epoch: number,
      ],
      OneCycleLROptions,
      'max_lr'
    >
  ) {
    const [optimizer, last_epoch, all, ours] = take(parameters, args);
    const { pct_start, cycle_momentum, anneal_strategy: _anneal_func_type, hold_at_end } = all;
    assertOptimizer(optimizer);
    const total_steps = stepsOf(all);
    if (!(pct_start >= 0 && pct_start <= 1))
      throw new ValueError(`Expected float between 0 and 1 pct_start, but got ${pct_start}`);
    annealStrategy(_anneal_func_type);
    const _schedule_phases = phases(total_steps, pct_start, all.three_phase);
    // torch divides by 0
    if (_schedule_phases[0]!.end_step === 0)
      throw new ValueError(
        `pct_start * total_steps must not be 1, as ${pct_start} * ${total_steps} is: no step would go up`,
      );
    const max_lrs = perGroup('max_lr', optimizer, all.max_lr);
    const use_beta1 = cycle_momentum && cyclesBeta1(optimizer);
    const max_momentums = perGroup('max_momentum', optimizer, all.max_momentum);
    const base_momentums = perGroup('base_momentum', optimizer, all.base_momentum);

    if (last_epoch === -1) {
      optimizer.param_groups.forEach((group, i) => {
        beginRates(group, max_lrs[i]!, all);
      });
      if (cycle_momentum) beginMomentum(optimizer.param_groups, max_momentums, base_momentums, use_beta1);
    }
    super(
      optimizer,
      last_epoch,
      { total_steps, _schedule_phases, _anneal_func_type, cycle_momentum, ...(cycle_momentum && { use_beta1 }) },
      { ...ours, hold_at_end, div: all } as OurOptions,
    );
  }

  /** Sets the momentum too. */
  override get_lr(): number[] {
    this._warnIfCalledOutside();
    const rates = this.lr_at(this.last_epoch);
    this._setMomentum();
    return rates;
  }

  private _at(t: number) {
    const held = this._ours.hold_at_end ? Math.min(t, this.total_steps - 1) : t;
    const [phase, pct] = oneCycleLR.place(this._schedule_phases, held);
    const anneal = oneCycleLR[this._anneal_func_type](pct);
    return {
      lr: (group: ParamGroup) => anneal(read(group, phase.start_lr), read(group, phase.end_lr)),
      momentum: (group: ParamGroup) => anneal(read(group, phase.start_momentum), read(group, phase.end_momentum)),
    };
  }

  override lr_at(t: number): number[] {
    if (t > this.total_steps && !this._ours.hold_at_end) {
      throw new ValueError(`Tried to step ${t} times. The specified number of total steps is ${this.total_steps}`);
    }
    return this.optimizer.param_groups.map(this._at(t).lr);
  }

  private _setMomentum(): void {
    if (!this.cycle_momentum) return;
    const { momentum } = this._at(this.last_epoch);
    for (const group of this.optimizer.param_groups) writeMomentum(group, momentum(group), this.use_beta1!);
  }

  override _apply(): void {
    super._apply();
    this._setMomentum();
  }

  /** A later group's rate is its `max_lr`; its momentum is as in the others. */
  protected override _adopt(): void {
    const { param_groups } = this.optimizer;
    const added = param_groups.slice(this.base_lrs.length);
    const { max_momentum, base_momentum } = param_groups[0]! as { max_momentum?: number; base_momentum?: number };
    for (const group of added) {
      if (!('min_lr' in group))
        beginRates(group, (group.max_lr as number | undefined) ?? readLr(group), this._ours.div);
    }
    if (this.cycle_momentum) {
      const all = (x: unknown) => added.map(() => x as number);
      beginMomentum(added, all(max_momentum), all(base_momentum), this.use_beta1!);
    }
    super._adopt();
  }
}
