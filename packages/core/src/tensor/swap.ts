import type { DataId, Tensor } from '@tensorflow/tfjs-core';
import { countStorage, engine } from './engine';
import { fields } from './fields';

/** `t`'s storage is somebody else's now: the scope that tracks `t` must not give it back. */
export function surrender(t: Tensor): void {
  (t as unknown as { isDisposedInternal: boolean }).isDisposedInternal = true;
}

function replaceStorage(target: Tensor, dataId: DataId): void {
  const f = fields(target);
  const held = f._held;
  f._held = undefined; // disposeTensor would take it for the tensor's end
  engine.disposeTensor(target);
  f._held = held;
  target.dataId = dataId;
  if (held) held.dataId = dataId;
  f._host = undefined;
}

/** Gives `target` the storage of `value`, which is consumed: a write in place that costs no copy and spares aliases. */
export function swap(target: Tensor, value: Tensor): void {
  replaceStorage(target, value.dataId);
  surrender(value);
}

/** Gives `target`, of float32, a storage that the current backend has just made and that no tensor holds. */
export function receive(target: Tensor, dataId: DataId): void {
  replaceStorage(target, dataId);
  countStorage(target, dataId);
}
