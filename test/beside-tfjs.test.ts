import * as tf from '@tensorflow/tfjs-core';
import * as layers from '@tensorflow/tfjs-layers';
import { internal, is_grad_enabled, no_grad, Parameter, rand, randn, scope, tensor } from '@tfjs-torch/core';
import { StepLR } from '@tfjs-torch/lr-scheduler';
import * as nn from '@tfjs-torch/nn';
import { Adam } from '@tfjs-torch/optim';
import { beforeAll, describe, expect, test } from 'vitest';

const turn = () => new Promise<void>((resolve) => setTimeout(resolve, 5));
async function collect(): Promise<void> {
  for (let i = 0; i < 4; i++) {
    gc!();
    await turn();
  }
}

describe('tfjs in a process that uses torch', () => {
  let w: Parameter;
  beforeAll(() => {
    w = new Parameter(randn(4, 4));
  });

  test('LayersModel.fit trains with grad mode on, and leaves nothing behind', async () => {
    const model = layers.sequential({ layers: [layers.layers.dense({ units: 1, inputShape: [2] })] });
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    const [x, y] = [tf.randomUniform([16, 2]), tf.randomUniform([16, 1])];
    await model.fit(x, y, { epochs: 1, verbose: 0 });
    const before = tf.memory().numTensors;
    const { history } = await model.fit(x, y, { epochs: 20, verbose: 0 });
    expect(history.loss!.at(-1)).toBeLessThan(history.loss![0] as number);
    expect(tf.memory().numTensors).toBe(before);
    expect(is_grad_enabled()).toBe(true);
  });

  test('tf.tidy frees what is recorded in it', () => {
    const before = tf.memory();
    for (let i = 0; i < 5; i++) tf.tidy(() => w.matmul(w).relu().tanh().dataSync());
    expect(tf.memory()).toMatchObject({ numTensors: before.numTensors, numDataBuffers: before.numDataBuffers });
  });

  test('what a tidy returns keeps its graph', () => {
    const y = tf.tidy(() => w.matmul(w).tanh().sum());
    y.backward();
    expect(w.grad!.shape).toEqual([4, 4]);
    w.grad = null;
  });

  test('torch.scope is a round of its own', () => {
    const before = tf.memory();
    const y = scope(() => w.matmul(w).sum());
    expect(tf.memory().numDataBuffers).toBeGreaterThan(before.numDataBuffers);
    y.backward();
    w.grad = null;
    y.dispose();
    internal.sweep();
    internal.sweep();
    expect(tf.memory().numDataBuffers).toBeLessThanOrEqual(before.numDataBuffers);
  });

  test('100 models built, trained and dropped leave nothing', async () => {
    const build = () => {
      for (let i = 0; i < 100; i++) {
        const model = new nn.Sequential(new nn.Linear(8, 8), new nn.ReLU(), new nn.Linear(8, 1));
        const optimizer = new Adam(model.parameters(), { lr: 0.01 });
        const scheduler = new StepLR(optimizer, 1);
        for (let step = 0; step < 2; step++) {
          optimizer.zero_grad();
          model(rand(2, 8)).sum().backward();
          optimizer.step();
          scheduler.step();
        }
      }
    };
    const settle = async () => {
      for (let i = 0; i < 2; i++) internal.sweep();
      await collect();
      internal.sweep();
    };
    await settle();
    const registered = Object.keys(tf.engine().state.registeredVariables).length;
    const before = tf.memory();
    build();
    expect(Object.keys(tf.engine().state.registeredVariables)).toHaveLength(registered);
    await settle();
    expect(tf.memory().numTensors).toBeLessThanOrEqual(before.numTensors + 2);
    expect(tf.memory().numBytes).toBeLessThanOrEqual(before.numBytes + 1024);
  });

  test('a loop with neither an optimizer nor a loader is bounded', () => {
    const f = () => no_grad(() => w.matmul(w).sum());
    const kept = tensor([1, 2, 3]);
    const before = tf.memory().numTensors;
    for (let i = 0; i < 80_000; i++) f();
    // Two stretches of 25,000 calls, each leaving its result.
    expect(tf.memory().numTensors).toBeLessThan(before + 55_000);
    expect(kept.arraySync()).toEqual([1, 2, 3]);
    internal.sweep();
    internal.sweep();
  });

  test('a large tensor with a graph that was left for a round says how to keep it', () => {
    const big = randn(64, 64).matmul(w.sum().expand(64, 64));
    const kept = tf.keep(randn(64, 64).matmul(w.sum().expand(64, 64)));
    for (let i = 0; i < 2; i++) internal.sweep();
    expect(() => big.dataSync()).toThrow(/shape \[64,64\] was freed after a whole round.*tf\.keep/);
    expect(() => big.sum().backward()).toThrow(/tf\.keep/);
    kept.sum().backward();
    expect(w.grad!.shape).toEqual([4, 4]);
    kept.dispose();
  });

  test('what shares a storage comes back after the last owner is gone', () => {
    const a = randn(40, 40);
    const values = a.dataSync().slice();
    const owner = new Parameter(a);
    for (let i = 0; i < 2; i++) internal.sweep();
    owner.dispose();
    expect(a.dataSync()).toEqual(values);
  });

  test('dispose() twice, or after the sweep, takes nothing from others', () => {
    const a = tensor([1, 2]);
    const b = a.reshape([2, 1]);
    for (let i = 0; i < 2; i++) internal.sweep();
    a.dispose();
    a.dispose();
    expect(b.arraySync()).toEqual([[1], [2]]);
  });
});
