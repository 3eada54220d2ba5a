import * as tf from '@tensorflow/tfjs-core';
import { internal } from '@tfjs-torch/core';
import { Adam, Optimizer, SGD } from '@tfjs-torch/optim';
import { expect, test } from 'vitest';

// A process that has only tfjs's variables: torch's side must never come into play here.

const counts = () => {
  const { numTensors, numDataBuffers, numBytes } = tf.memory();
  return { numTensors, numDataBuffers, numBytes };
};
const values = (t: tf.Tensor) => Array.from(t.dataSync());
const cost = (...xs: tf.Tensor[]) => tf.addN(xs.map((x) => tf.sum(tf.square(x)))) as tf.Scalar;

test('trains tf.Variables and returns the loss when asked', () => {
  const [a, b] = [tf.variable(tf.tensor1d([1, 2])), tf.variable(tf.scalar(4))];
  const optimizer = new SGD([a, b], 0.25);
  const loss = optimizer.minimize(() => cost(a, b), true);
  expect(loss!.dataSync()[0]).toBe(21);
  expect([values(a), values(b)]).toEqual([[0.5, 1], [2]]);
  expect(optimizer.minimize(() => cost(a, b))).toBeNull();
  expect(values(b)).toEqual([1]);
  expect(optimizer.stepCount).toBe(2);
  expect(a.grad).toBeNull();
});

test('leaves nothing behind, from the second step on', () => {
  const a = tf.tidy(() => tf.variable(tf.tensor1d([1, 2])));
  const empty = counts();
  const optimizer = new Adam([a], { amsgrad: true });
  const seen = Array.from({ length: 4 }, () => {
    optimizer.minimize(() => cost(a), true)!.dispose();
    return counts();
  });
  for (const at of seen.slice(1)) expect(at).toEqual(seen[1]);
  optimizer.dispose();
  expect(counts()).toEqual(empty);
});

test('trains its own parameters only, and of those the trainable ones that the loss depends on', () => {
  const [mine, frozen, unused, other] = [1, 1, 1, 1].map((x, i) => tf.variable(tf.scalar(x), i !== 1));
  const optimizer = new SGD([mine!, frozen!, unused!], 0.25);
  optimizer.minimize(() => cost(mine!, frozen!, other!));
  expect([mine, frozen, unused, other].map((v) => v!.dataSync()[0])).toEqual([0.5, 1, 1, 1]);
});

test('varList picks among its parameters', () => {
  const [a, b] = [tf.variable(tf.scalar(1)), tf.variable(tf.scalar(1))];
  const optimizer = new SGD([a], 0.25);
  expect(() => optimizer.minimize(() => cost(a, b), false, [b])).toThrowError('not one of the optimizer');
  optimizer.add_param_group({ params: b });
  optimizer.minimize(() => cost(a, b), false, [b]);
  expect([...values(a), ...values(b)]).toEqual([1, 0.5]);
});

test.each<[string, (a: tf.Variable, other: tf.Variable) => tf.Tensor, string]>([
  ['a loss that is no scalar', (a) => tf.square(a), 'grad can be implicitly created only for scalar outputs'],
  ['a loss of something else', (_, other) => tf.sum(other), 'the loss does not depend on any parameter'],
  [
    'a function that throws',
    () => {
      throw new RangeError('no data');
    },
    'no data',
  ],
])('%s changes nothing and leaves nothing', (_, f, text) => {
  const [a, other] = [tf.variable(tf.tensor1d([1, 2])), tf.variable(tf.scalar(1))];
  const optimizer = new SGD([a], 0.25);
  const before = counts();
  expect(() => optimizer.minimize(() => f(a, other) as tf.Scalar)).toThrowError(text);
  expect(counts()).toEqual(before);
  expect(values(a)).toEqual([1, 2]);
});

test('works with a step of the user’s own', () => {
  class Sign extends Optimizer<{ lr: number }> {
    override step() {
      tf.tidy(() => {
        for (const { params, lr } of this.param_groups) {
          for (const p of params as tf.Variable[]) if (p.grad) p.assign(tf.sub(p, tf.mul(tf.sign(p.grad), lr)));
        }
      });
      return null;
    }
  }
  const a = tf.variable(tf.tensor1d([3, -4]));
  new Sign([a], { lr: 0.5 }).minimize(() => cost(a));
  expect(values(a)).toEqual([2.5, -3.5]);
});

test('torch’s side was never switched on', () => {
  expect(internal.inTorch()).toBe(false);
});
