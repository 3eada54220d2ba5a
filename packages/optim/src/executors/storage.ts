/**
 * Which storages an executor may write in place, decided for all executors here.
 *
 * A reference count does not tell: tfjs-node's Reshape and cpu's Slice share memory under another dataId, and on cpu
 * `dataSync()` hands out the memory itself. So a state tensor whose storage we made watches its `dataId`, without which
 * nobody gets at the memory: from the first look at it, the storage is never written again, and the next step gives the
 * tensor a new one. Parameters always get a new one, as forward passes read them; but on wasm, where a reference count does
 * tell, only those that are shared do.
 */
import type { DataId, Tensor } from '@tensorflow/tfjs-core';
import * as internal from '@tfjs-torch/core/update';
import type { Item } from './index';

interface Watched extends Tensor {
  _storage?: DataId;
  /** Whether an executor made the storage and nobody has asked for it since. */
  _ours?: boolean;
}

const watch: PropertyDescriptor & ThisType<Watched> = {
  get() {
    this._ours = false;
    return this._storage;
  },
  set(dataId: DataId) {
    this._ours = false;
    this._storage = dataId;
  },
};

/** Lets `t` watch for looks at its storage, which is not ours as yet. */
export function watched(t: Watched): void {
  if (t._storage !== undefined) return;
  t._storage = t.dataId;
  Object.defineProperty(t, 'dataId', watch);
}

/** The caller has just made the storage of `t` and nobody else knows it: executors may write it until somebody looks. */
export function own(t: Watched): void {
  watched(t);
  t._ours = true;
}

/** Whether the values of `t` may be written in place. */
export const mayOverwrite = (t: Watched): boolean => t._ours === true;

/** The dataId of `t`, for an executor: looking at it leaves it ours. */
export const storageOf = (t: Watched): DataId => t._storage ?? t.dataId;

/** The tensor that a trace calls by this name. */
export const tensorOf = ({ param, grad, slots }: Item, name: string): Tensor =>
  name === 'param' ? param : name === 'grad' ? grad : slots[name]!;

/**
 * Gives `t` a storage with its new values, which the current backend has just made (refCount 1) and nobody else knows. The
 * old one is given back. From then on it is ours, if `t` is state.
 */
export function renew(t: Watched, dataId: DataId): void {
  internal.updateStorage(t, dataId);
  if (t._storage !== undefined) t._ours = true;
}
