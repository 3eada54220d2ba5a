import type { Tensor } from '@tensorflow/tfjs-core';
import type {} from '@tfjs-torch/core';
import { isPlainObject, KeyError, NotImplementedError, ValueError, warn } from '@tfjs-torch/core/base';
import type { Optimizer, ParamGroup } from '@tfjs-torch/optim';
import { assertOptimizer } from './checks';
import type { Schedule, SchedulerOptions } from './schedule';

const guide = 'See more details at https://pytorch.org/docs/stable/optim.html#how-to-adjust-learning-rate';
export const warnings = {
  overridden:
    'Seems like `optimizer.step()` has been overridden after learning rate scheduler initialization. Please, make sure to ' +
    `call \`optimizer.step()\` before \`lr_scheduler.step()\`. ${guide}`,
  order:
    'Detected call of `lr_scheduler.step()` before `optimizer.step()`. In PyTorch 1.1.0 and later, you should call them in ' +
    'the opposite order: `optimizer.step()` before `lr_scheduler.step()`.  Failure to do this will result in PyTorch ' +
    `skipping the first value of the learning rate schedule. ${guide}`,
  epoch:
    'The epoch parameter in `scheduler.step()` was not necessary and is being deprecated where possible. Please use ' +
    '`scheduler.step()` to step the scheduler. During the deprecation, if epoch is different from None, the closed form is ' +
    'used instead of the new chainable form, where available. Please open an issue if you are unable to replicate your use ' +
    'case: https://github.com/pytorch/pytorch/issues/new/choose.',
  getLr: 'To get the last learning rate computed by the scheduler, please use `get_last_lr()`.',
};

/** What the optimizer's `step` and its count were when its first scheduler came: torch patches the optimizer to know. */
const attached = new WeakMap<object, { step: unknown; count: number }>();

/** A group's rate as a number; a tensor's is read. */
export function readLr(group: ParamGroup, key = 'lr'): number {
  const lr = group[key] as number | Tensor;
  return typeof lr === 'number' ? lr : lr.dataSync()[0]!;
}

/** The rate that a group began with. */
const baseLr = (group: ParamGroup) => readLr(group, 'initial_lr' in group ? 'initial_lr' : 'lr');

export function writeLr(group: ParamGroup, value: number): void {
  if (typeof group.lr === 'number') group.lr = value;
  else (group.lr as Tensor).fill_(value);
}

/** A copy of plain values; a function or an object of a class is shared, but for schedulers, which `scheduler` may replace. */
function copied(value: unknown, scheduler: (s: LRScheduler) => unknown = (s) => s): unknown {
  if (value instanceof LRScheduler) return scheduler(value);
  if (Array.isArray(value)) return value.map((v) => copied(v, scheduler));
  if (!isPlainObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, v]) => [key, copied(v, scheduler)]));
}

/** A property that is no part of the state. */
const hide = (object: object, key: string, value: unknown) =>
  Object.defineProperty(object, key, { value, writable: true, configurable: true });

/** @throws KeyError if a scheduler cannot go on from `last_epoch` because a group has no `initial_lr` */
export function assertResumable({ param_groups }: Optimizer<object>, last_epoch: number): void {
  const without = last_epoch === -1 ? -1 : param_groups.findIndex((group) => !('initial_lr' in group));
  if (without < 0) return;
  throw new KeyError(
    `param 'initial_lr' is not specified in param_groups[${without}] when resuming scheduler with last_epoch >= 0.\n` +
      'This typically happens when:\n' +
      "1. You're trying to resume training from a checkpoint but haven't properly loaded the optimizer state\n" +
      "2. You're using last_epoch >= 0 for a fresh training run (not recommended)",
  );
}

/** Whether a gradient is there that is not finite: the reason for which a training loop skips a step. */
function hasBadGradient({ param_groups }: Optimizer<object>): boolean {
  return param_groups.some(({ params }) =>
    params.some(({ grad }) => {
      try {
        return grad !== null && !grad.dataSync().every(Number.isFinite);
      } catch {
        return true; // a backend that cannot read in time: no reason to warn
      }
    }),
  );
}

/**
 * Base of the schedulers: `torch.optim.lr_scheduler.LRScheduler`. A subclass gives `get_lr()`, the rates of all groups at
 * `last_epoch`, and may give `_get_closed_form_lr()`, which `step(epoch)` uses.
 *
 * Building one records each group's `initial_lr` and sets the rates of epoch 0.
 * @param last_epoch the epoch to go on from; -1 begins anew
 * @param own what `get_lr()` needs on `this`: it is called before a subclass's constructor could set it
 * @throws TypeError if `optimizer` is none; KeyError if `last_epoch` is given and a group has no `initial_lr`
 */
export abstract class LRScheduler {
  // Set in the order in which torch saves them.
  declare optimizer: Optimizer<object>;
  /** The rate of each group at epoch 0. */
  declare base_lrs: number[];
  declare last_epoch: number;
  declare _step_count: number;
  declare _is_initial: boolean;
  declare _get_lr_called_within_step: boolean;
  declare _last_lr: number[];
  /** Our own options, and the optimizer's count of steps at the last step of the scheduler. */
  declare protected _ours: SchedulerOptions & { quiet?: boolean; seen: number };

  /** The closed form, where there is one. */
  _get_closed_form_lr?(): number[];

  constructor(optimizer: Optimizer<object>, last_epoch = -1, own: object = {}, ours: SchedulerOptions = {}) {
    assertOptimizer(optimizer);
    hide(this, 'optimizer', optimizer);
    hide(this, '_ours', { ...ours, seen: optimizer.stepCount });
    this._start(last_epoch, own);
  }

  /** The constructor's work, which the composites and the plateau do otherwise. */
  protected _start(last_epoch: number, own: object): void {
    const { optimizer } = this;
    assertResumable(optimizer, last_epoch);
    Object.assign(this, own);
    this.base_lrs = optimizer.param_groups.map(baseLr);
    this.last_epoch = last_epoch;
    optimizer.param_groups.forEach((group, i) => {
      group.initial_lr ??= this.base_lrs[i];
    });

    const { step, stepCount } = optimizer;
    const known = attached.get(optimizer);
    if (known) known.step = step;
    else attached.set(optimizer, { step, count: stepCount });
    this._initial_step();
  }

  /** Sets the counters and takes the step to epoch 0, or to the epoch after `last_epoch`. */
  _initial_step(): void {
    this._step_count = 0;
    this._is_initial = true;
    try {
      this.step();
    } finally {
      this._is_initial = false;
    }
  }

  /** The rates of all groups at `last_epoch`. Called by `step()`; for the rates in use see `get_last_lr()`. */
  get_lr(): number[] {
    throw new NotImplementedError(`${this.constructor.name}.get_lr() is not implemented`);
  }

  /** The rates that this scheduler set last, a number for each group. */
  get_last_lr(): number[] {
    return this._last_lr;
  }

  /**
   * Goes to the next epoch and sets the rates of all groups. Call it after the optimizer's step.
   * @param epoch deprecated in torch: the epoch to go to, by the closed form where there is one
   */
  step(epoch: number | null = null): void {
    this._checkOrder();
    this._step_count++;
    if (epoch !== null) warn(warnings.epoch);
    this._update_lr(epoch);
  }

  _update_lr(epoch: number | null = null): void {
    this._takeIn();
    this.last_epoch = epoch ?? this.last_epoch + 1;
    this._setLr(() => (epoch !== null && this._get_closed_form_lr ? this._get_closed_form_lr() : this.get_lr()));
  }

  /** Sets the rates that `compute` gives. */
  protected _setLr(compute: () => number[]): void {
    const { param_groups } = this.optimizer;
    this._get_lr_called_within_step = true;
    let values: number[];
    try {
      values = compute();
    } finally {
      this._get_lr_called_within_step = false;
    }
    assertOneEach(values, param_groups);
    const wrong = values.find((lr) => typeof lr !== 'number' || Number.isNaN(lr));
    if (wrong !== undefined && !param_groups.some((group) => Number.isNaN(readLr(group)))) {
      throw new ValueError(
        `${this.constructor.name}.get_lr() gave ${wrong}; what it needs on \`this\` must be passed to super(optimizer, last_epoch, { … })`,
      );
    }
    param_groups.forEach((group, i) => {
      writeLr(group, values[i]!);
    });
    this._noteLr();
  }

  protected _noteLr(): void {
    this._last_lr = this.optimizer.param_groups.map((group) => readLr(group));
  }

  /** `get_lr()` by the chained form. */
  protected _chained<H extends object>(this: this & H, { next }: Schedule<H>): number[] {
    this._warnIfCalledOutside();
    const { param_groups } = this.optimizer;
    return param_groups.map((group, i) => next(this, readLr(group), this.last_epoch, this.base_lrs[i]!));
  }

  /** `_get_closed_form_lr()`. */
  protected _closed<H extends object>(this: this & H, { closed }: Schedule<H>): number[] {
    return this.base_lrs.map((base) => closed(this, base, this.last_epoch));
  }

  /** Torch's warning for calling `get_lr()` oneself. */
  protected _warnIfCalledOutside(): void {
    if (!this._get_lr_called_within_step) warn(warnings.getLr);
  }

  /** Torch's warnings about the order of steps, or with `diagnostics` ours. */
  private _checkOrder(): void {
    if (this._ours.quiet || this._is_initial) return;
    const { step, count } = attached.get(this.optimizer)!;
    if (this._step_count === 1 && this.optimizer.step !== step) warn(warnings.overridden);
    else if (this._ours.diagnostics) this._watch();
    else if (this._step_count === 1 && this.optimizer.stepCount === count) warn(warnings.order);
  }

  /** With `diagnostics`, warns once if the optimizer made no step since the last call and none was skipped. */
  protected _watch(): void {
    const { optimizer, _ours: ours } = this;
    if (!ours.diagnostics || ours.quiet || this._is_initial) return;
    if (optimizer.stepCount !== ours.seen) ours.seen = optimizer.stepCount;
    else if (optimizer.step === (attached.get(optimizer)?.step ?? optimizer.step) && !hasBadGradient(optimizer)) {
      ours.quiet = true;
      warn(
        `${this.constructor.name}.step() to epoch ${this.last_epoch + 1} is not preceded by an \`optimizer.step()\` of its own`,
      );
    }
  }

  protected _takeIn(): void {
    if (this._ours.adopt_new_groups && this.optimizer.param_groups.length > this.base_lrs.length) this._adopt();
  }

  /** Takes in the groups that were added: they get the rates that they would have had from the start. */
  protected _adopt(): void {
    const { base_lrs, last_epoch } = this;
    const added = this.optimizer.param_groups.slice(base_lrs.length);
    const already = added.map((group) => 'initial_lr' in group);
    for (const group of added) {
      group.initial_lr ??= readLr(group);
      base_lrs.push(readLr(group, 'initial_lr'));
    }
    if (last_epoch < 0) return;
    const rates = this.lr_at(last_epoch).slice(-added.length);
    added.forEach((group, i) => {
      // Another scheduler took the group in before: both act.
      const share = already[i] ? readLr(group) / readLr(group, 'initial_lr') : 1;
      writeLr(group, rates[i]! * share);
    });
  }

  /**
   * The rates of all groups at epoch `t` of an undisturbed run, by the closed form; changes nothing. Takes O(t) where there
   * is none. The closed form heeds an epoch that is a fraction (`step_size: 2.5`), steps never meet it.
   * @throws RuntimeError for a schedule that depends on metrics
   */
  lr_at(t: number): number[] {
    if (!this._get_closed_form_lr) return this.preview(t + 1)[t]!;
    return this._get_closed_form_lr.call(Object.create(this, { last_epoch: { value: t } }));
  }

  /**
   * The rates of all groups at the epochs 0 to n - 1 of an undisturbed run, exactly as `step()` would set them; changes
   * nothing. `preview(n).map((rates) => rates[0])` is ready for plotting.
   * @throws RuntimeError for a schedule that depends on metrics
   */
  preview(n: number): number[][] {
    const { optimizer } = this;
    const param_groups = optimizer.param_groups.map((group) => ({ ...group, lr: baseLr(group) }));
    const twin = this._twin(Object.create(optimizer, { param_groups: { value: param_groups } }));
    twin._restart();
    return Array.from({ length: n }, (_, t) => {
      if (t > 0) twin.step();
      return param_groups.map(({ lr }) => lr);
    });
  }

  /** A copy that acts on another optimizer, without warnings. */
  protected _twin(optimizer: Optimizer<object>): LRScheduler {
    const twin = Object.create(Object.getPrototypeOf(this)) as LRScheduler;
    hide(twin, 'optimizer', optimizer);
    hide(twin, '_ours', { ...this._ours, quiet: true, adopt_new_groups: false });
    for (const [key, value] of Object.entries(this))
      (twin as unknown as Record<string, unknown>)[key] = copied(value, (s) => s._twin(optimizer));
    return twin;
  }

  /** Begins anew, as the constructor does. */
  _restart(): void {
    this.last_epoch = -1;
    this._initial_step();
  }

  /** All of the scheduler's own attributes but the optimizer, as plain values. */
  state_dict(): Record<string, unknown> {
    return Object.fromEntries(Object.entries(this).map(([key, value]) => [key, copied(value)]));
  }

  /**
   * Takes over a `state_dict()`. As in torch the rates in use stay, and come with the optimizer's state; with `apply` they
   * (and the momentum, where it is scheduled) are set here, and it does not matter what is loaded or built first.
   */
  load_state_dict(state_dict: Readonly<Record<string, unknown>>, { apply = false }: { apply?: boolean } = {}): void {
    for (const [key, value] of Object.entries(state_dict)) {
      if (key !== 'optimizer') (this as Record<string, unknown>)[key] = copied(value);
    }
    if (apply) this._apply();
  }

  /** Sets the rates of the last step. */
  _apply(): void {
    this.optimizer.param_groups.forEach((group, i) => {
      if (this._last_lr[i] !== undefined) writeLr(group, this._last_lr[i]!);
    });
  }

  /** A composite's step. */
  _advance(_metrics: unknown, _initial: boolean): void {
    this.step();
  }

  /** A sequence's milestone: begins at epoch 0, by the closed form where there is one. */
  _takeOver(_metrics: unknown): void {
    this._update_lr(0);
  }

  /** Leaves the warnings to the composite that steps it. */
  _silence(): void {
    this._ours.quiet = true;
  }
}

/** torch's old name of the base class. */
export abstract class _LRScheduler extends LRScheduler {}

/** As Python's `zip(groups, values, strict=True)`. */
export function assertOneEach(values: readonly unknown[], groups: readonly unknown[]): void {
  if (values.length === groups.length) return;
  throw new ValueError(`zip() argument 2 is ${values.length < groups.length ? 'shorter' : 'longer'} than argument 1`);
}
