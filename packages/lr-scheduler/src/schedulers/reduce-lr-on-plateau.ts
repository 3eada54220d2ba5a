import type { Tensor } from '@tensorflow/tfjs-core';
import { bind, RuntimeError, signature, ValueError, warn } from '@tfjs-torch/core/base';
import { assertOptimizer } from '../checks';
import type { Bound, Call, OurOptions } from '../schedule';
import { LRScheduler, readLr, warnings, writeLr } from '../scheduler';

export interface ReduceLROnPlateauOptions extends OurOptions {
  /** Whether the metric is to fall or to rise. @defaultValue 'min' */
  mode?: 'min' | 'max';
  /** @defaultValue 0.1 */
  factor?: number;
  /** Epochs without a better metric that are put up with. @defaultValue 10 */
  patience?: number;
  /** What a better metric is better by. @defaultValue 1e-4 */
  threshold?: number;
  /** Whether `threshold` is a share of the best metric or a difference. @defaultValue 'rel' */
  threshold_mode?: 'rel' | 'abs';
  /** Epochs after a reduction that do not count as bad. @defaultValue 0 */
  cooldown?: number;
  /** For all groups or for each. @defaultValue 0 */
  min_lr?: number | readonly number[];
  /** A smaller reduction is left out. @defaultValue 1e-8 */
  eps?: number;
}

const parameters = signature<Bound<ReduceLROnPlateauOptions>>(
  'ReduceLROnPlateau.__init__',
  "optimizer, mode='min', factor=0.1, patience=10, threshold=1e-4, threshold_mode='rel', cooldown=0, min_lr=0, " +
    'eps=1e-8, *, diagnostics=False',
);

/** A metric is a number or a tensor of one value. */
export type Metrics = number | Tensor;

/** What any metric is better than. */
const worst = { min: Number.POSITIVE_INFINITY, max: Number.NEGATIVE_INFINITY };

/** Whether `a` is better than `best`, by `mode` and `threshold_mode`. */
const isBetter = {
  'min rel': (a: number, best: number, threshold: number) => a < best * (1 - threshold),
  'min abs': (a: number, best: number, threshold: number) => a < best - threshold,
  'max rel': (a: number, best: number, threshold: number) => a > best * (threshold + 1),
  'max abs': (a: number, best: number, threshold: number) => a > best + threshold,
};

/**
 * Multiplies the learning rate of each group by `factor` when a metric has not become better for more than `patience`
 * epochs: `torch.optim.lr_scheduler.ReduceLROnPlateau`. `step(metrics)` goes after the validation.
 */
export class ReduceLROnPlateau extends LRScheduler {
  declare factor: number;
  declare default_min_lr: number | null;
  declare min_lrs: number[];
  declare patience: number;
  declare cooldown: number;
  declare eps: number;
  declare mode_worse: number;
  declare mode: 'min' | 'max';
  declare threshold: number;
  declare threshold_mode: 'rel' | 'abs';
  declare best: number;
  declare cooldown_counter: number;
  declare num_bad_epochs: number;

  constructor(
    ...args: Call<
      [],
      [
        mode: 'min' | 'max',
        factor: number,
        patience: number,
        threshold: number,
        threshold_mode: 'rel' | 'abs',
        cooldown: number,
        min_lr: number | readonly number[],
        eps: number,
      ],
      ReduceLROnPlateauOptions
    >
  ) {
    const all = bind(parameters, args);
    const { optimizer, mode, factor, patience, threshold, threshold_mode, cooldown, min_lr, eps, ...ours } = all;
    if (factor >= 1) throw new ValueError('Factor should be < 1.0.');
    assertOptimizer(optimizer);
    const { length } = optimizer.param_groups;
    const default_min_lr = Array.isArray(min_lr) ? null : (min_lr as number);
    const min_lrs = Array.isArray(min_lr) ? [...min_lr] : Array(length).fill(min_lr);
    if (min_lrs.length !== length) throw new ValueError(`expected ${length} min_lrs, got ${min_lrs.length}`);
    if (mode !== 'min' && mode !== 'max') throw new ValueError(`mode ${mode} is unknown!`);
    if (threshold_mode !== 'rel' && threshold_mode !== 'abs')
      throw new ValueError(`threshold mode ${threshold_mode} is unknown!`);
    super(
      optimizer,
      0,
      // In the order in which torch saves them.
      {
        factor,
        default_min_lr,
        min_lrs,
        patience,
        cooldown,
        eps,
        last_epoch: 0,
        _last_lr: optimizer.param_groups.map((group) => readLr(group)),
        mode_worse: worst[mode],
        mode,
        threshold,
        threshold_mode,
      },
      ours,
    );
  }

  protected override _start(_last_epoch: number, own: object): void {
    Object.assign(this, own);
    this._reset();
  }

  _reset(): void {
    this.best = this.mode_worse;
    this.cooldown_counter = 0;
    this.num_bad_epochs = 0;
  }

  /**
   * Takes the metric of an epoch, and reduces the rates if it is one too many without a better one.
   * @param epoch deprecated in torch: the epoch to go to
   */
  override step(metrics?: Metrics | null, epoch: number | null = null): void {
    if (metrics === null || metrics === undefined)
      throw new TypeError("ReduceLROnPlateau.step() missing 1 required positional argument: 'metrics'");
    const current = typeof metrics === 'number' ? metrics : metrics.dataSync()[0]!;
    this._watch();
    if (epoch !== null) warn(warnings.epoch);
    this.last_epoch = epoch ?? this.last_epoch + 1;

    if (isBetter[`${this.mode} ${this.threshold_mode}`](current, this.best, this.threshold)) {
      this.best = current;
      this.num_bad_epochs = 0;
    } else this.num_bad_epochs++;
    if (this.in_cooldown) {
      this.cooldown_counter--;
      this.num_bad_epochs = 0;
    }
    if (this.num_bad_epochs > this.patience) {
      this._reduce();
      this.cooldown_counter = this.cooldown;
      this.num_bad_epochs = 0;
    }
    this._noteLr();
  }

  private _reduce(): void {
    const { param_groups } = this.optimizer;
    if (param_groups.length !== this.min_lrs.length) {
      if (this.default_min_lr === null) {
        throw new RuntimeError(
          `The number of param groups in the \`optimizer\` (${param_groups.length}) differs from when ` +
            `\`ReduceLROnPlateau\` was initialized (${this.min_lrs.length}), usually due to a new param group being ` +
            'added to the optimizer. Please modify the `min_lrs` field to match the length of the `optimizer` param groups.',
        );
      }
      this.min_lrs = Array(param_groups.length).fill(this.default_min_lr);
    }
    param_groups.forEach((group, i) => {
      const lr = readLr(group);
      const reduced = Math.max(lr * this.factor, this.min_lrs[i]!);
      if (lr - reduced > this.eps) writeLr(group, reduced);
    });
  }

  get in_cooldown(): boolean {
    return this.cooldown_counter > 0;
  }

  override _advance(metrics: Metrics | null, initial: boolean): void {
    if (initial) this._initial_step();
    else this.step(metrics);
  }

  /** Goes on from the rates that it finds. */
  override _takeOver(metrics: Metrics | null): void {
    this.step(metrics);
  }

  /** The start asks for no metric. */
  override _initial_step(): void {
    this.last_epoch = 0;
    this._noteLr();
  }

  override _restart(): void {
    this._reset();
    this._initial_step();
  }

  protected override _twin(): never {
    throw new RuntimeError('ReduceLROnPlateau follows its metrics: nobody knows its rates before');
  }

  override load_state_dict(state_dict: Readonly<Record<string, unknown>>, options?: { apply?: boolean }): void {
    super.load_state_dict(state_dict, options);
    // JSON has no infinity.
    this.mode_worse = worst[this.mode];
    this.best ??= this.mode_worse;
  }
}
