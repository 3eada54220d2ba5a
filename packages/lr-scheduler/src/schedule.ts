import { type Args, bind, type Signature, signature } from '@tfjs-torch/core/base';
import type { Optimizer } from '@tfjs-torch/optim';
import { number } from './checks';

/** A schedule of the learning rate as data; `h` are its options, `t` counts the scheduler's steps from 0. */
export interface Schedule<H extends object> {
  /** The rate at `t` of a group that began with `base`. */
  closed(h: H, base: number, t: number): number;
  /** The rate at `t` from the one at `t - 1`, whoever set that. */
  next(h: H & Run, lr: number, t: number, base: number): number;
}

/** How far a scheduler is, where torch's chained form asks for it. */
export interface Run {
  /** The step that the constructor takes, which finds the rate where it belongs. */
  _is_initial?: boolean;
  _step_count?: number;
}

/** Options that every scheduler has beyond torch's; by name only. */
export interface OurOptions {
  /**
   * Warns at the first scheduler step since whose predecessor the optimizer made none, in place of torch's check of the
   * first step only. A step that was skipped because a gradient is not finite is no fault.
   * @defaultValue false
   */
  diagnostics?: boolean;
}

export interface SchedulerOptions extends OurOptions {
  /** The epoch to go on from; -1 begins anew. @defaultValue -1 */
  last_epoch?: number;
  /**
   * A group that is added later gets its own base rate, the one it comes with, and from the next step on the rate it would
   * have had from the start. In torch the scheduler fails or scales it from mid-curve.
   * @defaultValue false
   */
  adopt_new_groups?: boolean;
}

/** The signature of a scheduler: `own` are its own parameters, between the optimizer and `last_epoch`. */
export const scheduler = <O>(name: string, own: string, ours = ''): Signature<Bound<O>> =>
  signature(
    `${name}.__init__`,
    `optimizer, ${own}, last_epoch=-1, *, diagnostics=False, adopt_new_groups=False${ours}`,
  );

/**
 * What `LRScheduler`'s constructor is given, from the arguments of a scheduler.
 * @throws TypeError as Python, and for no number where the default is one
 */
export function take<O extends SchedulerOptions>(
  parameters: Signature<Bound<O>>,
  args: readonly unknown[],
): [optimizer: Optimizer<object>, last_epoch: number, own: Own<O>, ours: SchedulerOptions] {
  const given = bind(parameters, args);
  const bound = {} as Bound<O>;
  for (const { name, defaultValue } of parameters.parameters) {
    const key = name as keyof O & string;
    bound[key] = given[key]; // torch saves them in the order of the parameters
    if (typeof defaultValue === 'number' && !Array.isArray(bound[key])) number(bound, key);
  }
  const { optimizer, last_epoch, diagnostics, adopt_new_groups, ...own } = bound;
  return [optimizer, last_epoch as number, own as Own<O>, { diagnostics, adopt_new_groups }];
}

type Own<O> = Omit<Required<O>, keyof SchedulerOptions>;

/** What may follow `new …LR(`: `R` are the required positionals, named `K` among the options `O`; `P` the other positionals. */
export type Call<R extends unknown[], P extends unknown[], O extends object, K extends keyof O = never> =
  | [optimizer: Optimizer<object>, ...required: R, ...rest: Args<P, Omit<O, K>>]
  | [optimizer: Optimizer<object>, options: O]
  | [all: O & { optimizer: Optimizer<object> }];

/** All parameters by name, as `bind` gives them. */
export type Bound<O> = Required<O> & { optimizer: Optimizer<object> };
