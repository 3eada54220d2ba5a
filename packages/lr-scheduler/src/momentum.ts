import { ValueError } from '@tfjs-torch/core/base';
import type { Optimizer, ParamGroup } from '@tfjs-torch/optim';

/**
 * Whether it is Adam's first beta that is cycled, not `momentum`.
 * @throws ValueError if the optimizer has neither
 */
export function cyclesBeta1({ defaults }: Optimizer<object>): boolean {
  if (!('momentum' in defaults) && !('betas' in defaults))
    throw new ValueError('optimizer must support momentum or beta1 with `cycle_momentum` option enabled');
  return 'betas' in defaults;
}

export function writeMomentum(group: ParamGroup, value: number, beta1: boolean): void {
  if (beta1) group.betas = [value, ...(group.betas as number[]).slice(1)];
  else group.momentum = value;
}

/** Sets the groups' momentum to where a cycle begins, and records its bounds there, as torch does. */
export function beginMomentum(groups: readonly ParamGroup[], max: number[], base: number[], beta1: boolean): void {
  groups.forEach((group, i) => {
    writeMomentum(group, max[i]!, beta1);
    group.max_momentum = max[i];
    group.base_momentum = base[i];
  });
}
