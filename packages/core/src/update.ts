/**
 * What updates tensors from their gradients, for `@tfjs-torch/optim`: `.grad`, writing in place, `no_grad`, state. The tape,
 * the memory rounds and torch's tensor methods are not in it. Not part of the public API.
 */
import './tfjs-gradients';

export { original, type WithData } from './data';
export { isSparse } from './fields';
export { clearGrad, peekGrad, requiresGrad } from './grad';
export { enable_grad, no_grad, withGrad } from './grad-mode';
export { lerp } from './lerp';
export { OwnedVariable } from './owned-variable';
export { optimizerRound, setUp, touch } from './rounds';
export type { SparseTensor } from './sparse';
export { overwritten, write as update, writeStorage as updateStorage } from './write';
