import { type LambdaArgs, type LambdaLROptions, LambdaScheduler } from '../lambda-scheduler';
import { scheduler } from '../schedule';
import { assertOneEach } from '../scheduler';

const parameters = scheduler<LambdaLROptions>('LambdaLR', 'lr_lambda');

/** The base rate of each group times `lr_lambda(epoch)`: `torch.optim.lr_scheduler.LambdaLR`. */
export class LambdaLR extends LambdaScheduler {
  constructor(...args: LambdaArgs) {
    super(parameters, args);
  }

  override get_lr(): number[] {
    this._warnIfCalledOutside();
    return this.lr_at(this.last_epoch);
  }

  override lr_at(t: number): number[] {
    assertOneEach(this.base_lrs, this.lr_lambdas);
    return this.base_lrs.map((base, i) => base * this.lr_lambdas[i]!(t));
  }
}
