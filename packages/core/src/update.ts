/**
 * What updates tensors from their gradients, for `@tfjs-torch/optim`: `.grad`, writing in place, `no_grad`, state. The tape,
 * the memory rounds and torch's tensor methods are not in it. Not part of the public API.
 */
import './tfjs-gradients';
import type { Tensor } from '@tensorflow/tfjs-core';
import { OwnedVariable } from './owned-variable';

export type { WithData } from './data';
export { isSparse } from './fields';
export { clearGrad, peekGrad, requiresGrad } from './grad';
export { enable_grad, no_grad, withGrad } from './grad-mode';
export { lerp } from './lerp';
export { optimizerRound, setUp, touch } from './rounds';
export type { SparseTensor } from './sparse';
export { overwritten, write as update, writeStorage as updateStorage } from './write';
export { OwnedVariable };

/** A variable for an optimizer's state: in no global list, freed with its holder. Consumes `t`. */
export function state(t: Tensor): OwnedVariable {
  const v = new OwnedVariable(t, false);
  t.dispose();
  return v;
}
