import * as tf from '@tensorflow/tfjs-core';
import { internal, Parameter, randn } from '@tfjs-torch/core';
import { beforeAll, describe, expect, test } from 'vitest';

const { lazyTranspose, sourceOf, sweep } = internal;
const perm = [0, 3, 1, 2];

describe('a lazy transpose', () => {
  beforeAll(() => void new Parameter(randn(1)));

  test('costs nothing until it is read, then equals the transpose', () => {
    const x = randn(2, 3, 4, 5);
    const before = tf.memory();
    const y = lazyTranspose(x, perm);
    expect(y.shape).toEqual([2, 5, 3, 4]);
    expect(tf.memory().numTensors).toBe(before.numTensors);
    expect(sourceOf(y)).toBe(x);
    expect(y.dataSync()).toEqual(tf.transpose(x, perm).dataSync());
    expect(sourceOf(y)).toBe(x);
  });

  test('takes part in autograd, computed or not', () => {
    const p = new Parameter(randn(2, 3, 4, 5));
    const w = randn(2, 5, 3, 4);
    const want = tf.grad((x: tf.Tensor) => x.mul(2).transpose(perm).mul(w).sum())(p);
    for (const read of [false, true]) {
      const y = lazyTranspose(p.mul(2), perm);
      expect(y.requires_grad).toBe(true);
      if (read) y.dataSync();
      y.mul(w).sum().backward();
      expect(p.grad!.dataSync()).toEqual(want.dataSync());
      p.grad = null;
    }
  });

  test('a write in place ends the kinship', () => {
    const y = lazyTranspose(randn(2, 3, 4, 5), perm);
    y.fill_(7);
    expect(sourceOf(y)).toBeUndefined();
    expect(y.max().item()).toBe(7);
    expect(y.min().item()).toBe(7);
  });

  test('is given back with its scope, computed or not', () => {
    const x = randn(2, 3, 4, 5);
    const before = tf.memory();
    tf.tidy(() => {
      lazyTranspose(x, perm);
      lazyTranspose(x, perm).dataSync();
    });
    expect(tf.memory().numTensors).toBe(before.numTensors);
    expect(tf.memory().numDataBuffers).toBe(before.numDataBuffers);
  });

  test('survives rounds in which nobody used it, and is swept after it was computed', () => {
    const x = randn(2, 3, 4, 5);
    const want = tf.transpose(x, perm).dataSync();
    const y = lazyTranspose(x, perm);
    for (let i = 0; i < 3; i++) sweep();
    const before = tf.memory().numTensors;
    expect(y.dataSync()).toEqual(want);
    for (let i = 0; i < 3; i++) sweep();
    expect(tf.memory().numTensors).toBeLessThanOrEqual(before);
    expect(y.dataSync()).toEqual(want);
  });
});
