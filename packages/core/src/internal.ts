/** For the packages of this workspace: not part of the public API. */
export { clearGrad, peekGrad } from './autograd';
export { withGrad } from './grad-mode';
export { overwritten, write as update, writeStorage as updateStorage } from './in-place';
export { frame } from './kernels';
export { lazyTranspose, sourceOf } from './lazy';
export {
  disown,
  fromHost,
  inTorch,
  loaderRound,
  moduleCall,
  optimizerRound,
  own,
  setUp,
  sweep,
  touch,
  userCode,
} from './memory';
export { isRecording, operation } from './operation';

import type { Tensor } from '@tensorflow/tfjs-core';
import { OwnedVariable } from './owned-variable';

/** A variable for an optimizer's state: in no global list, freed with its holder. Consumes `t`. */
export function state(t: Tensor): OwnedVariable {
  const v = new OwnedVariable(t, false);
  t.dispose();
  return v;
}
