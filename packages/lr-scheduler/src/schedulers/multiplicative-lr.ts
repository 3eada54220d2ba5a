import { type LambdaArgs, type LambdaLROptions, LambdaScheduler } from '../lambda-scheduler';
import { scheduler } from '../schedule';
import { assertOneEach, readLr } from '../scheduler';

const parameters = scheduler<LambdaLROptions>('MultiplicativeLR', 'lr_lambda');

/** Multiplies the learning rate of each group by `lr_lambda(epoch)`: `torch.optim.lr_scheduler.MultiplicativeLR`. */
export class MultiplicativeLR extends LambdaScheduler {
  constructor(...args: LambdaArgs) {
    super(parameters, args);
  }

  override get_lr(): number[] {
    this._warnIfCalledOutside();
    const { param_groups } = this.optimizer;
    if (this._is_initial) return param_groups.map((group) => readLr(group));
    assertOneEach(param_groups, this.lr_lambdas);
    return param_groups.map((group, i) => readLr(group) * this.lr_lambdas[i]!(this.last_epoch));
  }
}
