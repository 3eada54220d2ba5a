/** How tensors are given new values: by operations in place, by optimizers, and through `.data`. */
import * as tf from '@tensorflow/tfjs-core';
import { NotImplementedError, RuntimeError } from '../python/errors';
import { original, setDataWriter } from './data';
import { fields, isSparse } from './fields';
import { withGrad } from './grad-mode';
import { receive, swap } from './swap';

/** Writes `value` into `target`, and into what it is a view of. Consumes `value`. */
export function write(target: tf.Tensor, value: tf.Tensor): void {
  const t = original(target);
  if (isSparse(t))
    throw new NotImplementedError(
      'in place, a sparse tensor can only be zeroed or multiplied by a number: take its to_dense()',
    );
  const { _node, _output } = fields(value);
  swap(t, value);
  if (_node) {
    fields(t)._node = _node;
    fields(t)._output = _output;
  }
  writeThrough(t);
}

/** As `write`, of a storage that the current backend has just made and that no tensor holds: float32, and without history. */
export function writeStorage(target: tf.Tensor, dataId: tf.DataId): void {
  const t = original(target);
  receive(t, dataId);
  writeThrough(t);
}

/** To be called when an executor has written the storage of `target` itself. */
export function overwritten(target: tf.Tensor): void {
  const t = original(target);
  fields(t)._host = undefined;
  writeThrough(t);
}

function writeThrough(t: tf.Tensor): void {
  const { _base: base, _wayBack: perm } = fields(t);
  if (base && !base.isDisposed) write(base, perm ? tf.transpose(t, [...perm]) : tf.reshape(t, base.shape));
}

setDataWriter((t, value) => {
  if (!tf.util.arraysEqual(value.shape, t.shape) || value.dtype !== t.dtype)
    throw new RuntimeError(
      `.data can only be replaced by a tensor of the same shape and dtype: expected [${t.shape}] ${t.dtype}, got [${value.shape}] ${value.dtype}`,
    );
  withGrad(false, () => write(t, tf.clone(value)));
});
