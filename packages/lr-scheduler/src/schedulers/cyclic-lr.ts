import { ValueError } from '@tfjs-torch/core/base';
import { assertOptimizer, perGroup, positive } from '../checks';
import { attributes } from '../lambda-scheduler';
import { beginMomentum, cyclesBeta1, writeMomentum } from '../momentum';
import { type Call, type SchedulerOptions, scheduler, take } from '../schedule';
import { assertOneEach, LRScheduler, readLr, writeLr } from '../scheduler';

type ScaleFn = (x: number) => number;

export interface CyclicLROptions extends SchedulerOptions {
  /** The lower bound, for all groups or for each. */
  base_lr: number | readonly number[];
  /** The upper bound, for all groups or for each. */
  max_lr: number | readonly number[];
  /** Steps from the lower to the upper bound. @defaultValue 2000 */
  step_size_up?: number;
  /** Steps back; `null` for as many. @defaultValue null */
  step_size_down?: number | null;
  /** @defaultValue 'triangular' */
  mode?: 'triangular' | 'triangular2' | 'exp_range';
  /** Of 'exp_range'. @defaultValue 1 */
  gamma?: number;
  /** The height of a cycle, from 0 to 1; in place of `mode`. @defaultValue null */
  scale_fn?: ScaleFn | null;
  /** What `scale_fn` is given: the number of the cycle, from 1, or of the step. @defaultValue 'cycle' */
  scale_mode?: 'cycle' | 'iterations';
  /** Whether momentum (Adam's first beta) goes the other way. @defaultValue true */
  cycle_momentum?: boolean;
  /** @defaultValue 0.8 */
  base_momentum?: number | readonly number[];
  /** @defaultValue 0.9 */
  max_momentum?: number | readonly number[];
}

/** How high a cycle is, from `gamma` and what `scale_mode` says. */
const scales = {
  triangular: () => 1,
  triangular2: (_gamma: number, cycle: number) => 1 / 2 ** (cycle - 1),
  exp_range: (gamma: number, t: number) => gamma ** t,
};

interface Cycle {
  total_size: number;
  /** The share of a cycle that goes up. */
  step_ratio: number;
  scale_mode: 'cycle' | 'iterations';
  scale_fn: ScaleFn;
}

const cyclicLR = {
  /** How far the rate is from its lower bound to its upper at step `t`, and how high the cycle is. */
  closed(h: Cycle, t: number): [share: number, height: number] {
    const cycle = Math.floor(1 + t / h.total_size);
    const x = 1 + t / h.total_size - cycle;
    const share = x <= h.step_ratio ? x / h.step_ratio : (x - 1) / (h.step_ratio - 1);
    return [share, h.scale_fn(h.scale_mode === 'cycle' ? cycle : t)];
  },
};

const parameters = scheduler<CyclicLROptions>(
  'CyclicLR',
  "base_lr, max_lr, step_size_up=2000, step_size_down=None, mode='triangular', gamma=1, scale_fn=None, " +
    "scale_mode='cycle', cycle_momentum=True, base_momentum=0.8, max_momentum=0.9",
);

/**
 * Up and down between two learning rates, the momentum the other way: `torch.optim.lr_scheduler.CyclicLR`. Step it after
 * each batch. https://arxiv.org/abs/1506.01186
 */
export class CyclicLR extends LRScheduler {
  declare max_lrs: number[];
  declare total_size: number;
  declare step_ratio: number;
  declare mode: keyof typeof scales;
  declare gamma: number;
  declare _scale_fn_custom: ScaleFn | null;
  declare scale_mode: 'cycle' | 'iterations';
  declare cycle_momentum: boolean;
  declare use_beta1?: boolean;
  declare base_momentums?: number[];
  declare max_momentums?: number[];

  constructor(
    ...args: Call<
      [base_lr: number | readonly number[], max_lr: number | readonly number[]],
      [
        step_size_up: number,
        step_size_down: number | null,
        mode: 'triangular' | 'triangular2' | 'exp_range',
        gamma: number,
        scale_fn: ScaleFn | null,
        scale_mode: 'cycle' | 'iterations',
        cycle_momentum: boolean,
        base_momentum: number | readonly number[],
        max_momentum: number | readonly number[],
        last_epoch: number,
      ],
      CyclicLROptions,
      'base_lr' | 'max_lr'
    >
  ) {
    const [optimizer, last_epoch, all, ours] = take(parameters, args);
    const { mode, gamma, scale_fn, cycle_momentum, step_size_up: up } = all;
    assertOptimizer(optimizer);
    const base_lrs = perGroup('base_lr', optimizer, all.base_lr);
    const max_lrs = perGroup('max_lr', optimizer, all.max_lr);
    const total_size = up + (all.step_size_down ?? up);
    positive(all, 'step_size_up');
    if (!Object.hasOwn(scales, mode) && scale_fn === null) throw new ValueError('mode is invalid and scale_fn is None');
    const scale_mode = scale_fn ? all.scale_mode : mode === 'exp_range' ? 'iterations' : 'cycle';
    const momentum = cycle_momentum && {
      use_beta1: cyclesBeta1(optimizer),
      base_momentums: perGroup('base_momentum', optimizer, all.base_momentum),
      max_momentums: perGroup('max_momentum', optimizer, all.max_momentum),
    };
    if (last_epoch === -1) {
      optimizer.param_groups.forEach((group, i) => {
        writeLr(group, base_lrs[i]!);
      });
      if (momentum)
        beginMomentum(optimizer.param_groups, momentum.max_momentums, momentum.base_momentums, momentum.use_beta1);
    }
    super(
      optimizer,
      last_epoch,
      {
        max_lrs,
        total_size,
        step_ratio: up / total_size,
        mode,
        gamma,
        _scale_fn_custom: scale_fn,
        scale_mode,
        cycle_momentum,
        ...momentum,
      },
      ours,
    );
    this.base_lrs = base_lrs;
  }

  /** The height of the cycle that `x` names, from 0 to 1. */
  scale_fn(x: number): number {
    return this._scale_fn_custom ? this._scale_fn_custom(x) : scales[this.mode](this.gamma, x);
  }

  /** Sets the momentum too. */
  override get_lr(): number[] {
    this._warnIfCalledOutside();
    const rates = this.lr_at(this.last_epoch);
    this._setMomentum();
    return rates;
  }

  override lr_at(t: number): number[] {
    const [share, height] = cyclicLR.closed(this, t);
    assertOneEach(this.max_lrs, this.base_lrs);
    return this.base_lrs.map((base, i) => base + (this.max_lrs[i]! - base) * share * height);
  }

  private _setMomentum(): void {
    const { base_momentums: base, max_momentums: max, use_beta1 } = this;
    if (!this.cycle_momentum) return;
    const { param_groups } = this.optimizer;
    assertOneEach(max!, param_groups);
    const [share, height] = cyclicLR.closed(this, this.last_epoch);
    param_groups.forEach((group, i) => {
      writeMomentum(group, max![i]! - (max![i]! - base![i]!) * share * height, use_beta1!);
    });
  }

  /** torch's constructor finds `base_lrs` after the first step only, which takes an earlier scheduler's `initial_lr`. */
  override _restart(): void {
    const { base_lrs } = this;
    this.base_lrs = this.optimizer.param_groups.map((group) => readLr(group, 'initial_lr'));
    super._restart();
    this.base_lrs = base_lrs;
  }

  override _apply(): void {
    super._apply();
    this._setMomentum();
  }

  /** A later group begins at its own rate; the other bounds are its `max_lr`, … or else those of the last group. */
  protected override _adopt(): void {
    const { max_lrs, base_momentums, max_momentums, base_lrs } = this;
    for (const group of this.optimizer.param_groups.slice(base_lrs.length)) {
      group.initial_lr ??= readLr(group);
      max_lrs.push((group.max_lr as number | undefined) ?? max_lrs.at(-1)!);
      base_momentums?.push((group.base_momentum as number | undefined) ?? base_momentums.at(-1)!);
      max_momentums?.push((group.max_momentum as number | undefined) ?? max_momentums.at(-1)!);
    }
    super._adopt();
  }

  override state_dict(): Record<string, unknown> {
    const { _scale_fn_custom: f, ...state } = super.state_dict();
    return { ...state, _scale_fn_custom: f ? attributes(f as ScaleFn) : null };
  }

  override load_state_dict(
    { _scale_fn_custom: saved, ...state }: Readonly<Record<string, unknown>>,
    options?: { apply?: boolean },
  ): void {
    if (saved) Object.assign(this._scale_fn_custom!, saved);
    super.load_state_dict(state, options);
  }
}
