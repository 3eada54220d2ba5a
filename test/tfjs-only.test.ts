import * as tf from '@tensorflow/tfjs-core';
import { internal, Parameter, tensor } from '@tfjs-torch/core';
import { SGD } from '@tfjs-torch/optim';
import { expect, test } from 'vitest';

// Vitest gives each file a process: no Parameter is made here before the last test.

test('optimizers on tf.Variables leave the engine alone, and nothing is swept', () => {
  const engine = tf.engine();
  const untouched = ['runKernelFunc', 'isTapeOn', 'addTapeNode', 'moveData', 'disposeTensor', 'startScope', 'endScope'];
  const v = tf.variable(tf.tensor1d([1, 2]));
  const held = tf.tensor1d([3, 4]);
  const optimizer = new SGD([v], 0.1);
  for (let i = 0; i < 10; i++) optimizer.minimize(() => v.square().sum() as tf.Scalar);
  expect(v.dataSync()[0]).toBeCloseTo(0.8 ** 10, 6);
  expect(internal.inTorch()).toBe(false);
  expect(engine.state.scopeStack).toEqual([]);
  for (const name of untouched) expect(Object.hasOwn(engine, name), name).toBe(false);
  // The user's own rules: what they do not dispose of stays, what they do not tidy is counted.
  const before = tf.memory().numTensors;
  v.square();
  for (let i = 0; i < 5; i++) optimizer.minimize(() => v.square().sum() as tf.Scalar);
  expect(tf.memory().numTensors).toBe(before + 1);
  expect(held.arraySync()).toEqual([3, 4]);
});

test('a bare tf.Variable given to an optimizer does not start to require gradients', () => {
  const v = tf.variable(tf.tensor1d([1, 2]));
  new SGD([v], 0.1);
  expect(v.requires_grad).toBe(false);
});

test('the first Parameter begins torch’s side', () => {
  new Parameter(tensor([1]));
  expect(internal.inTorch()).toBe(true);
});
