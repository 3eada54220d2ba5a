import { pythonType, type Signature, ValueError } from '@tfjs-torch/core/base';
import { assertOptimizer } from './checks';
import { type Bound, type Call, type SchedulerOptions, take } from './schedule';
import { LRScheduler } from './scheduler';

/** A factor from the epoch. What a function has as properties of its own is saved with the scheduler. */
export type Factor = (epoch: number) => number;

export interface LambdaLROptions extends SchedulerOptions {
  /** One for all groups, or one for each. */
  lr_lambda: Factor | readonly Factor[];
}

export type LambdaArgs = Call<
  [lr_lambda: Factor | readonly Factor[]],
  [last_epoch: number],
  LambdaLROptions,
  'lr_lambda'
>;

/** What `LambdaLR` and `MultiplicativeLR` share: a function for each group. */
export abstract class LambdaScheduler extends LRScheduler {
  declare lr_lambdas: Factor[];

  constructor(parameters: Signature<Bound<LambdaLROptions>>, args: readonly unknown[]) {
    const [optimizer, last_epoch, { lr_lambda }, ours] = take(parameters, args);
    assertOptimizer(optimizer);
    const { length } = optimizer.param_groups;
    const lr_lambdas = Array.isArray(lr_lambda) ? [...(lr_lambda as Factor[])] : Array(length).fill(lr_lambda);
    if (lr_lambdas.length !== length)
      throw new ValueError(`Expected ${length} lr_lambdas, but got ${lr_lambdas.length}`);
    for (const f of lr_lambdas)
      if (typeof f !== 'function') throw new TypeError(`lr_lambda should be a function, but got ${pythonType(f)}`);
    super(optimizer, last_epoch, { lr_lambdas }, ours);
  }

  /** A later group has the last one's function. */
  protected override _adopt(): void {
    while (this.lr_lambdas.length < this.optimizer.param_groups.length) this.lr_lambdas.push(this.lr_lambdas.at(-1)!);
    super._adopt();
  }

  override state_dict(): Record<string, unknown> {
    const { lr_lambdas: _, ...state } = super.state_dict();
    return { ...state, lr_lambdas: this.lr_lambdas.map(attributes) };
  }

  override load_state_dict(
    { lr_lambdas, ...state }: Readonly<Record<string, unknown>>,
    options?: { apply?: boolean },
  ): void {
    super.load_state_dict(state, options);
    (lr_lambdas as (object | null)[]).forEach((saved, i) => {
      Object.assign(this.lr_lambdas[i]!, saved);
    });
  }
}

/** The properties of a function that carries its own state, else null. */
export const attributes = (f: Factor): object | null => (Object.keys(f).length > 0 ? { ...f } : null);
