import { bind, signature } from '@tfjs-torch/core/base';
import { type LambdaArgs, type LambdaLROptions, LambdaScheduler } from '../lambda-scheduler';
import { type Bound, common } from '../schedule';
import { assertOneEach, readLr } from '../scheduler';

const parameters = signature<Bound<LambdaLROptions>>('MultiplicativeLR.__init__', `optimizer, lr_lambda, ${common}`);

/** Multiplies the learning rate of each group by `lr_lambda(epoch)`: `torch.optim.lr_scheduler.MultiplicativeLR`. */
export class MultiplicativeLR extends LambdaScheduler {
  constructor(...args: LambdaArgs) {
    super(bind(parameters, args));
  }

  override get_lr(): number[] {
    this.warnIfCalledOutside();
    const { param_groups } = this.optimizer;
    if (this._is_initial) return param_groups.map((group) => readLr(group));
    assertOneEach(param_groups, this.lr_lambdas);
    return param_groups.map((group, i) => readLr(group) * this.lr_lambdas[i]!(this.last_epoch));
  }
}
