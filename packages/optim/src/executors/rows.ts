import * as tf from '@tensorflow/tfjs-core';
import * as internal from '@tfjs-torch/core/update';
import type { Executor, Item, Job } from './index';

/** Runs an update over those rows alone that a sparse gradient names; the others keep their values, and their state. */
export function runOverRows(executor: Executor, { traced, scalars, items }: Job): void {
  for (const item of items) {
    tf.tidy(() => {
      const grad = (item.grad as internal.SparseTensor).coalesce();
      internal.touch(grad._values());
      if (grad._nnz() === 0) return;
      const rows = grad.rows();
      const [param, ...slots] = [item.param, ...traced.slots.map((name) => item.slots[name]!)].map(picker(grad, rows));
      const picked = { param: param!.part, grad: grad._values(), slots: named(traced.slots, slots) };
      executor.run([{ traced, scalars, items: [picked] }]);
      for (const { putBack } of [param!, ...slots]) putBack();
    });
  }
}

const named = (names: readonly string[], picked: readonly { part: tf.Tensor }[]): Item['slots'] =>
  Object.fromEntries(names.map((name, i) => [name, picked[i]!.part]));

/** Takes rows out of a tensor, and writes what became of them back into it. */
function picker(grad: internal.SparseTensor, rows: Int32Array) {
  const inner = grad.shape.slice(grad.sparse_dim());
  const count = grad.shape.slice(0, grad.sparse_dim()).reduce((a, b) => a * b, 1);
  const ids = tf.tensor1d(rows, 'int32');
  const chosen = new Uint8Array(count);
  for (const row of rows) chosen[row] = 1;
  const mask = tf.tensor(chosen, [count, ...inner.map(() => 1)], 'bool');
  return (whole: tf.Tensor) => {
    const table = tf.reshape(whole, [count, ...inner]);
    const part = tf.gather(table, ids);
    const putBack = () => {
      const spread = tf.unsortedSegmentSum(part, ids, count);
      internal.update(whole, tf.reshape(tf.where(mask, spread, table), whole.shape));
    };
    return { part, putBack };
  };
}
