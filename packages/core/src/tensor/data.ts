/**
 * `p.data` of parameters, gradients and leaves: a function, for tfjs's `await p.data()`, that is also the detached
 * tensor, for torch's `p.data.add_(…)`. Other tensors keep tfjs's method alone: tfjs asks every value for its `data`
 * when it tests for a tensor.
 */
import * as tf from '@tensorflow/tfjs-core';
import { type Fields, fields } from './fields';

/** A tensor as torch's scripts use it: `.data` is also the detached tensor, and can be replaced by one of its shape. */
export interface WithData extends tf.Tensor {
  get data(): tf.Tensor['data'] & tf.Tensor;
  set data(value: tf.Tensor);
}

type Reader = (this: tf.Tensor) => Promise<tf.TypedArray>;
const read = tf.Tensor.prototype.data as unknown as Reader;

const shared = [
  'shape',
  'dtype',
  'size',
  'strides',
  'dataId',
  'id',
  'rankType',
  'isDisposedInternal',
  '_round',
  '_host',
];
type Alias = { _aliasOf: Record<string, unknown> };

/** All that an alias is asked for is its original's: it has no storage, no count and no history of its own. */
const aliasPrototype = Object.create(tf.Tensor.prototype, {
  ...Object.fromEntries(
    shared.map((key) => [
      key,
      {
        get(this: Alias) {
          return this._aliasOf[key];
        },
        set(this: Alias, value: unknown) {
          this._aliasOf[key] = value;
        },
      },
    ]),
  ),
  kept: { value: true, writable: true },
  dispose: { value: () => {} },
}) as object;

function aliasOf(t: tf.Tensor): tf.Tensor {
  const f = () => read.call(t);
  Object.setPrototypeOf(f, aliasPrototype);
  return Object.assign(f, { _aliasOf: t }) as unknown as tf.Tensor;
}

let write: (t: tf.Tensor, value: tf.Tensor) => void;
/** Breaks the circle: writing needs autograd, which gives leaves their `data`. */
export function setDataWriter(writer: typeof write): void {
  write = writer;
}

/** Gives `holder`, a tensor or a class's prototype, torch's `data`. */
export function defineData(holder: tf.Tensor): void {
  if (Object.hasOwn(holder, 'data')) return;
  Object.defineProperty(holder, 'data', {
    get(this: tf.Tensor & Fields) {
      this._data ??= aliasOf(this);
      return this._data;
    },
    set(this: tf.Tensor, value: tf.Tensor) {
      write(this, value);
    },
    configurable: true,
  });
}

/** The tensor that an alias stands for; any other is itself. */
export const original = (t: tf.Tensor): tf.Tensor => fields(t)._aliasOf ?? t;
