import type { Tensor } from '@tensorflow/tfjs-core';
import { engine } from './engine';
import { fields } from './fields';

/** `t`'s storage is somebody else's now: the scope that tracks `t` must not give it back. */
export function surrender(t: Tensor): void {
  (t as unknown as { isDisposedInternal: boolean }).isDisposedInternal = true;
}

/** Gives `target` the storage of `value`, which is consumed: a write in place that costs no copy and spares aliases. */
export function swap(target: Tensor, value: Tensor): void {
  const f = fields(target);
  const held = f._held;
  f._held = undefined; // disposeTensor would take it for the tensor's end
  engine.disposeTensor(target);
  f._held = held;
  target.dataId = value.dataId;
  if (held) held.dataId = value.dataId;
  f._host = undefined;
  surrender(value);
}
