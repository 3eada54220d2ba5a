import * as tf from '@tensorflow/tfjs-core';
import torch from 'tfjs-torch';
import { describe, expect, test } from 'vitest';

const { nn, optim } = torch;
const { DataLoader, TensorDataset } = torch.utils.data;
type Tensor = tf.Tensor;

const loader = (n: number, width = 4) => new DataLoader(new TensorDataset(torch.rand(n * 2, width)), { batch_size: 2 });
const train = (steps: number) => {
  const model = new nn.Linear(4, 1);
  const optimizer = new optim.SGD(model.parameters(), 0.1);
  for (let i = 0; i < steps; i++) {
    optimizer.zero_grad();
    model(torch.rand(2, 4)).sum().backward();
    optimizer.step();
  }
};

/** What scripts hold over rounds, in ways that torch allows. */
describe('what a script holds is there when it is used', () => {
  test('a buffer that forward replaces', () => {
    class Running extends nn.Module {
      declare mean: Tensor;
      constructor() {
        super();
        this.register_buffer('mean', torch.zeros(2000));
      }
      forward(x: Tensor) {
        this.mean = torch.no_grad(() => this.mean.mul(0.9).add(x.mean(0).mul(0.1)));
        return x.sub(this.mean);
      }
    }
    const model = new Running();
    const layer = new nn.Linear(2000, 2);
    const optimizer = new optim.SGD(layer.parameters(), 1e-3);
    let wanted = 0;
    const counts: number[] = [];
    for (let i = 0; i < 12; i++) {
      optimizer.zero_grad();
      layer(model(torch.ones(2, 2000)))
        .sum()
        .backward();
      optimizer.step();
      wanted = wanted * 0.9 + 0.1;
      counts.push(tf.memory().numTensors);
    }
    train(4);
    expect(model.mean.dataSync()[1999]).toBeCloseTo(wanted, 5);
    expect((model.state_dict().mean as Tensor).dataSync()[0]).toBeCloseTo(wanted, 5);
    expect(new Set(counts.slice(4)).size).toBe(1);
  });

  test('a loss that was computed before an evaluation', () => {
    const model = new nn.Linear(4, 1);
    const optimizer = new optim.SGD(model.parameters(), 0.1);
    for (let epoch = 0; epoch < 3; epoch++) {
      const loss = model(torch.rand(2, 4)).square().sum();
      let total = 0;
      for (const [x] of loader(4)) total += model(x!).sum().item();
      expect(Number.isFinite(total)).toBe(true);
      optimizer.zero_grad();
      loss.backward();
      optimizer.step();
    }
  });

  test('one graph over batches of two loaders', () => {
    const model = new nn.Linear(4, 1);
    const optimizer = new optim.SGD(model.parameters(), 0.1);
    for (let epoch = 0; epoch < 2; epoch++) {
      let total: Tensor = torch.zeros([]);
      const unlabelled = loader(6)[Symbol.iterator]();
      for (const [x] of loader(6)) {
        const [u] = unlabelled.next().value as Tensor[];
        total = total.add(model(x!).sum()).add(model(u!).square().sum());
      }
      optimizer.zero_grad();
      total.backward();
      optimizer.step();
    }
  });

  test('activations that a forward hook puts aside, detached', () => {
    const model = new nn.Sequential(new nn.Linear(4, 1500), new nn.ReLU(), new nn.Linear(1500, 1));
    const kept: Tensor[] = [];
    const values: number[] = [];
    const handle = model[1]!.register_forward_hook((_m, _args, out) => {
      const activation = (out as Tensor).detach();
      kept.push(activation);
      values.push(activation.sum().item());
    });
    for (let i = 0; i < 5; i++) torch.no_grad(() => model(torch.rand(2, 4)));
    train(4);
    handle.remove();
    expect(kept.map((t) => t.sum().item())).toEqual(values);
  });

  test('large weights kept by clone()', () => {
    const p = new nn.Parameter(torch.rand(50, 50));
    const before = p.clone();
    const values = before.dataSync().slice();
    train(4);
    expect(before.dataSync()).toEqual(values);
  });

  test('what forward returns in a Map', () => {
    class Two extends nn.Module {
      forward(x: Tensor) {
        return new Map([['doubled', x.mul(2)]]);
      }
    }
    const doubled = new Two()(torch.ones(2000)).get('doubled')!;
    train(4);
    expect(doubled.dataSync()[1999]).toBe(2);
  });
});

test('inference in a bare loop is bounded in bytes', () => {
  const model = new nn.Sequential(new nn.Linear(4, 4096), new nn.ReLU(), new nn.Linear(4096, 2));
  const x = torch.rand(64, 4);
  const before = tf.memory().numBytes;
  // Each call makes 2 MB that nobody can use.
  for (let i = 0; i < 300; i++) torch.no_grad(() => model(x).argmax(1));
  expect(tf.memory().numBytes - before).toBeLessThan(80 * 2 ** 20);
});
