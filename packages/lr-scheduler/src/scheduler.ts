import type { Tensor } from '@tensorflow/tfjs-core';
import { fill } from '@tensorflow/tfjs-core';
import { internal, isPlainObject, KeyError, NotImplementedError, ValueError, warn } from '@tfjs-torch/core';
import type { Optimizer } from '@tfjs-torch/optim';

type Group = Optimizer<object>['param_groups'][number];

const guide = 'See more details at https://pytorch.org/docs/stable/optim.html#how-to-adjust-learning-rate';
const warnings = {
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
export function readLr(group: Group, key = 'lr'): number {
  const lr = group[key] as number | Tensor;
  return typeof lr === 'number' ? lr : lr.dataSync()[0]!;
}

function writeLr(group: Group, value: number) {
  const lr = group.lr as number | Tensor;
  if (typeof lr === 'number') group.lr = value;
  else internal.update(lr, fill(lr.shape, value, lr.dtype as 'float32'));
}

const isOptimizer = (value: unknown): value is Optimizer<object> => {
  const { param_groups, step, stepCount } = (value ?? {}) as Partial<Optimizer<object>>;
  return Array.isArray(param_groups) && typeof step === 'function' && typeof stepCount === 'number';
};

/** A copy of plain values; a function or an object of a class is shared. */
function copied(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copied);
  if (!isPlainObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, v]) => [key, copied(v)]));
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

  /** The closed form, where there is one. */
  _get_closed_form_lr?(): number[];

  constructor(optimizer: Optimizer<object>, last_epoch = -1, own: object = {}) {
    if (!isOptimizer(optimizer)) {
      throw new TypeError(`${(optimizer as object | null)?.constructor?.name ?? 'NoneType'} is not an Optimizer`);
    }
    if (last_epoch !== -1) {
      const without = optimizer.param_groups.findIndex((group) => !('initial_lr' in group));
      if (without >= 0) {
        throw new KeyError(
          `param 'initial_lr' is not specified in param_groups[${without}] when resuming scheduler with last_epoch >= 0.\n` +
            'This typically happens when:\n' +
            "1. You're trying to resume training from a checkpoint but haven't properly loaded the optimizer state\n" +
            "2. You're using last_epoch >= 0 for a fresh training run (not recommended)",
        );
      }
    }
    Object.defineProperty(this, 'optimizer', { value: optimizer, writable: true, configurable: true });
    Object.assign(this, own);
    this.base_lrs = optimizer.param_groups.map((group) => readLr(group, 'initial_lr' in group ? 'initial_lr' : 'lr'));
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
    if (this._step_count === 1) {
      const { step, count } = attached.get(this.optimizer)!;
      if (this.optimizer.step !== step) warn(warnings.overridden);
      else if (this.optimizer.stepCount === count) warn(warnings.order);
    }
    this._step_count++;
    if (epoch !== null) warn(warnings.epoch);
    this._update_lr(epoch);
  }

  _update_lr(epoch: number | null = null): void {
    this.last_epoch = epoch ?? this.last_epoch + 1;
    const { param_groups } = this.optimizer;
    this._get_lr_called_within_step = true;
    let values: number[];
    try {
      values = epoch !== null && this._get_closed_form_lr ? this._get_closed_form_lr() : this.get_lr();
    } finally {
      this._get_lr_called_within_step = false;
    }
    if (values.length !== param_groups.length) {
      const difference = values.length < param_groups.length ? 'shorter' : 'longer';
      throw new ValueError(`zip() argument 2 is ${difference} than argument 1`);
    }
    const wrong = values.find((lr) => typeof lr !== 'number' || Number.isNaN(lr));
    if (wrong !== undefined && !param_groups.some((group) => Number.isNaN(readLr(group)))) {
      throw new ValueError(
        `${this.constructor.name}.get_lr() gave ${wrong}; what it needs on \`this\` must be passed to ` +
          'super(optimizer, last_epoch, { … }), for it is called there',
      );
    }
    param_groups.forEach((group, i) => {
      writeLr(group, values[i]!);
    });
    this._last_lr = param_groups.map((group) => readLr(group));
  }

  /** Torch's warning for calling `get_lr()` oneself. */
  protected warnIfCalledOutside(): void {
    if (!this._get_lr_called_within_step) warn(warnings.getLr);
  }

  /** All of the scheduler's own attributes but the optimizer, as plain values. */
  state_dict(): Record<string, unknown> {
    return Object.fromEntries(Object.entries(this).map(([key, value]) => [key, copied(value)]));
  }

  /** Takes over a `state_dict()`. As in torch the rates in use stay: load the optimizer's state too. */
  load_state_dict(state_dict: Record<string, unknown>): void {
    for (const [key, value] of Object.entries(state_dict)) {
      if (key !== 'optimizer') (this as Record<string, unknown>)[key] = copied(value);
    }
  }
}
