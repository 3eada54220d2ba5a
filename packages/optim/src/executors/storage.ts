/**
 * Which storages an executor may write in place, decided for all executors here.
 *
 * A reference count does not tell: tfjs-node's Reshape and cpu's Slice share memory under another dataId, and on cpu
 * `dataSync()` hands out the memory itself. So a state tensor watches its `dataId`, without which nobody gets at the
 * memory: from the first look at it, a storage that we made is never written again, and the next step gives the tensor a
 * new one. Parameters always get new memory, as forward passes read them; but on wasm, where a reference count does
 * tell, only those that are shared do.
 */
import { clone, type DataId, type Tensor } from '@tensorflow/tfjs-core';
import * as internal from '@tfjs-torch/core/update';
import type { Item } from './index';

interface Watched extends Tensor {
  _storage?: DataId;
  /** Whether an executor made the storage and nobody has asked for it since. */
  _ours?: boolean;
  /** What a backend keeps for a storage that is ours. */
  _record?: unknown;
  _backend?: object;
}

let version = 0;
/** Grows whenever state that was ours may have moved or come under somebody's eyes; until then its addresses stay true. */
export const stateVersion = (): number => version;

class State extends internal.OwnedVariable {}
function looked(t: Watched) {
  if (t._ours) version++;
  t._ours = false;
}
// In the prototype: an accessor of its own would make of each tensor an object that V8 keeps as a hash table.
Object.defineProperty(State.prototype, 'dataId', {
  get() {
    looked(this);
    return this._storage;
  },
  set(dataId: DataId) {
    looked(this);
    this._storage = dataId;
    this._backend = this._record = undefined;
  },
} satisfies PropertyDescriptor & ThisType<Watched>);

/** A variable for an optimizer's state: in no global list, freed with its holder. Consumes `t`. */
export function stateTensor(t: Tensor): Tensor {
  const made = new State(t, false);
  t.dispose();
  return made;
}

/** As `stateTensor`, of a tensor that was just made and that nobody else knows: executors may write it until somebody looks. */
export function freshState(t: Tensor): Tensor {
  const made: Watched = stateTensor(t);
  made._ours = true;
  return made;
}

/** Whether the values of `t` may be written in place. */
export const mayOverwrite = (t: Watched): boolean => t._ours === true;

/** The dataId of `t`; looking at it here leaves it ours. */
const storageOf = (t: Watched): DataId => t._storage ?? t.dataId;

/**
 * What the current backend keeps for the storage of `t`, which it is asked for; but where the storage is ours, only once:
 * nobody else can have moved or freed it without a look at it, and an executor of another backend comes by here.
 */
export function recordOf<R>(t: Watched, backend: object, records: { get(dataId: DataId): R }): R {
  if (!t._ours) return records.get(storageOf(t));
  if (t._backend !== backend) {
    version++;
    t._record = records.get(storageOf(t));
    t._backend = backend;
  }
  return t._record as R;
}

/**
 * The gradient for a step to read. One that the step may write, being a parameter or state or the `.data` of one, gets a
 * handle of its own: a storage that has another keeps its values.
 */
export function readable(grad: Tensor): Tensor {
  const t: Watched = internal.original(grad);
  return t._storage === undefined && internal.peekGrad(t) === null ? grad : clone(t);
}

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
