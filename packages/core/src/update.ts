/**
 * What updates tensors from their gradients, for `@tfjs-torch/optim`: `.grad`, writing in place, `no_grad`, state. The tape,
 * the memory rounds and torch's tensor methods are not in it. Not part of the public API.
 */
import './tensor/tfjs-gradients';

export type { SparseTensor } from './tape/sparse';
export { original, type WithData } from './tensor/data';
export { isSparse } from './tensor/fields';
export { clearGrad, peekGrad, requiresGrad } from './tensor/grad';
export { enable_grad, no_grad, withGrad } from './tensor/grad-mode';
export { lerp } from './tensor/lerp';
export { OwnedVariable } from './tensor/owned-variable';
export { optimizerRound, setUp, touch } from './tensor/rounds';
export { overwritten, write as update, writeStorage as updateStorage } from './tensor/write';
