import { type Args, bind, signature, ValueError } from '@tfjs-torch/core/base';
import type { Optimizer } from '@tfjs-torch/optim';
import { assertTogether, Composite } from '../composite';
import type { Bound, OurOptions } from '../schedule';
import type { LRScheduler } from '../scheduler';
import type { Metrics } from './reduce-lr-on-plateau';

export interface ChainedSchedulerOptions extends OurOptions {
  /** @defaultValue null: the schedulers' */
  optimizer?: Optimizer<object> | null;
}

type Named = ChainedSchedulerOptions & { schedulers: readonly LRScheduler[] };

const parameters = signature<Bound<Named>>(
  'ChainedScheduler.__init__',
  'schedulers, optimizer=None, *, diagnostics=False',
);

/**
 * All schedulers at each step, one after another: `torch.optim.lr_scheduler.ChainedScheduler`. Chainable ones multiply;
 * one that computes from the base rates overwrites what those before it did.
 */
export class ChainedScheduler extends Composite {
  constructor(
    ...args:
      | [
          schedulers: readonly LRScheduler[],
          ...rest: Args<[optimizer: Optimizer<object> | null], ChainedSchedulerOptions>,
        ]
      | [all: Named]
  ) {
    const { schedulers, optimizer: given, ...ours } = bind(parameters, args);
    if (schedulers.length < 1)
      throw new ValueError('ChainedScheduler expects at least one scheduler to be chained, but got no scheduler.');
    const optimizer = given ?? schedulers[0]!.optimizer;
    assertTogether('ChainedScheduler', schedulers, optimizer);
    super(optimizer, -1, { _schedulers: [...schedulers] }, ours);
  }

  protected override _begin(): void {
    this._noteLr();
  }

  /** @param metrics needed if there is a ReduceLROnPlateau */
  override step(metrics: Metrics | null = null): void {
    this._watch();
    for (const s of this._schedulers) s._advance(metrics, this._is_initial);
    this._noteLr();
  }

  override _apply(): void {
    for (const s of this._schedulers) s._apply(); // for the momentum
    super._apply();
  }
}
