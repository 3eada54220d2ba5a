import type { Tensor } from '@tensorflow/tfjs-core';
import type { Node } from '../tape/graph';
import type { SparseTensor } from '../tape/sparse';

/**
 * What core keeps on a Tensor object itself: a property costs a tenth of a WeakMap's look-up, and every kernel asks.
 * Undefined on tensors that torch's side has not met.
 */
export interface Fields {
  /** The node that made it; an AccumulateGrad node for a leaf that requires a gradient. */
  _node?: Node;
  /** Which of the node's outputs it is. */
  _output?: number;
  /** The round in which a kernel last read or made it. */
  _round?: number;
  /** Made inside a module's call and not returned: the sweep frees it without keeping its values. */
  _internal?: boolean;
  /** Its values, when they are on the host anyway and nobody else can change them. */
  _host?: Values;
  /** What the finalizer frees if nobody holds the tensor any more. */
  _held?: Held;
  /** The last gradient accumulated for this leaf. */
  _grad?: Tensor | null;
  /** A user has read this gradient tensor: it is no longer ours alone to free. */
  _seen?: boolean;
  /** The tensor whose storage this one shares (`detach`, `data`, `view`): in-place operations write through. */
  _base?: Tensor;
  /** Of a view that permutes the dimensions: the permutation that leads back to the base. */
  _wayBack?: readonly number[];
  /** Of a lazy transpose: what it is computed from, whether that is still to be done, and for which storage it was. */
  _source?: Tensor;
  _perm?: readonly number[];
  _pending?: boolean;
  _sourceFor?: Tensor['dataId'];
  /** Swept before it was computed: no scope tracks it. */
  _dropped?: boolean;
  /** `t.data`, once asked for; and of that object, the tensor it stands for. */
  _data?: Tensor;
  _aliasOf?: Tensor;
}

export type Values = Float32Array | Int32Array | Uint8Array;

/** A stand-in for a tensor that may be collected: enough for `engine.disposeTensor`. */
export interface Held {
  dataId: Tensor['dataId'];
  size: number;
  dtype: Tensor['dtype'];
  grad: Tensor | null;
}

export const fields = (t: Tensor): Fields => t as Tensor & Fields;

/** Whether `t` is a SparseTensor, for those who do not load the class. */
export const isSparse = (t: Tensor): t is SparseTensor => (t as unknown as { _values: unknown })._values !== undefined;

/** The tensor that the engine's scopes know. */
export const stored = (t: Tensor): Tensor => (isSparse(t) ? t._values() : t);
