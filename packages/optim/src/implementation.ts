import { NotImplementedError, RuntimeError } from '@tfjs-torch/core/base';
import { chooseExecutor } from './executors';
import { ops } from './executors/ops';

/** The flags that choose an implementation, where an optimizer has them. */
export interface Implementation {
  foreach?: boolean | null;
  fused?: boolean | null;
  differentiable?: boolean;
}

/** @throws torch's errors for flags that exclude each other, and ours for what does not work here */
export function checkImplementation(name: string, { foreach, fused, differentiable }: Implementation) {
  if (fused && differentiable) throw new RuntimeError('`fused` does not support `differentiable`');
  if (fused && foreach) throw new RuntimeError('`fused` and `foreach` cannot be `True` together.');
  if (differentiable) throw new NotImplementedError(`${name}: differentiable=True is not supported yet`);
  if (!fused) return;
  const { executor, reason } = chooseExecutor(null);
  if (executor !== ops) return;
  throw new RuntimeError(
    `${name}: fused=True needs a fused executor, but 'ops' would run (${reason}); leave it null to have the best one chosen`,
  );
}
