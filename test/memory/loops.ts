/**
 * Training loops as people port them from torch: no dispose, no tidy. Each yields once an iteration, always at the same
 * point, and returns a check that what the script still holds reads back right. A generator, so that the driver can run
 * it straight through or with an await at each yield.
 */
import * as tf from '@tensorflow/tfjs-core';
import torch from 'tfjs-torch';
import { cifar, lenet } from '../nets';

const { nn, optim } = torch;
const { DataLoader, TensorDataset } = torch.utils.data;
type Tensor = tf.Tensor;
type Check = () => void;

export interface Loop {
  name: string;
  /** The loop repeats itself after so many iterations: samples are taken that far apart. */
  period?: number;
  /** Every so many iterations something held comes back for use; it is in memory for that round and the next. */
  visits?: number;
  /** The script keeps an object for each iteration, so the JS heap may grow by as much. */
  keepsObjects?: boolean;
  run(): Generator<void, Check, void>;
}

const classes = 3;
const net = () =>
  new nn.Sequential(
    new nn.Conv2d(1, 4, 3, { padding: 1 }),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Flatten(),
    new nn.Linear(64, 8),
    new nn.ReLU(),
    new nn.Linear(8, classes),
  );
const images = (n: number) => torch.rand(n, 1, 8, 8);
const labels = (n: number) => torch.randint(0, classes, [n]);
const loader = () => new DataLoader(new TensorDataset(images(16), labels(16)), { batch_size: 4, shuffle: true });
const criterion = () => new nn.CrossEntropyLoss();

/** Batches for ever, epoch after epoch. */
function* batches(): Generator<[Tensor, Tensor]> {
  const data = loader();
  for (;;) for (const [x, y] of data) yield [x!, y!];
}

function assertFinite(x: number, what: string): void {
  if (!Number.isFinite(x)) throw new Error(`${what} is ${x}`);
}

function assertEqual(actual: ArrayLike<number>, wanted: ArrayLike<number>, what: string): void {
  for (let i = 0; i < wanted.length; i++)
    if (!(Math.abs(actual[i]! - wanted[i]!) <= 1e-5 * Math.max(1, Math.abs(wanted[i]!))))
      throw new Error(`${what}[${i}] is ${actual[i]}, should be ${wanted[i]}`);
}

export const loops: readonly Loop[] = [
  {
    name: 'running_loss as a tensor, added after the step (seed 004)',
    *run() {
      const model = net();
      const loss_fn = criterion();
      const optimizer = new optim.Adam(model.parameters(), { lr: 1e-3 });
      let running_loss: Tensor = torch.zeros([]);
      let sum = 0;
      for (const [x, y] of batches()) {
        const loss = loss_fn(model(x), y);
        optimizer.zero_grad();
        loss.backward();
        optimizer.step();
        running_loss = running_loss.add(loss);
        sum += loss.item();
        yield;
        if (done) break;
      }
      return () => assertEqual([running_loss.item()], [sum], 'running_loss');
    },
  },
  {
    name: 'running_loss added before backward',
    *run() {
      const model = net();
      const loss_fn = criterion();
      const optimizer = new optim.SGD(model.parameters(), 0.01);
      let running_loss: Tensor = torch.zeros([]);
      let sum = 0;
      for (const [x, y] of batches()) {
        const loss = loss_fn(model(x), y);
        running_loss = running_loss.add(loss.mul(4));
        sum += 4 * loss.item();
        optimizer.zero_grad();
        loss.backward();
        optimizer.step();
        yield;
        if (done) break;
      }
      return () => assertEqual([running_loss.item()], [sum], 'running_loss');
    },
  },
  {
    name: 'bare loop without a loader',
    *run() {
      const model = net();
      const loss_fn = criterion();
      const optimizer = new optim.SGD(model.parameters(), 0.01, { momentum: 0.9 });
      let last = Number.NaN;
      while (!done) {
        const loss = loss_fn(model(images(4)), labels(4));
        optimizer.zero_grad();
        loss.backward();
        optimizer.step();
        last = loss.item();
        yield;
      }
      return () => assertFinite(last, 'loss');
    },
  },
  {
    name: 'the same batch again and again, made after the optimizer',
    *run() {
      const model = net();
      const loss_fn = criterion();
      const optimizer = new optim.Adam(model.parameters(), { lr: 1e-3 });
      const [x, y] = [images(4), labels(4)];
      const values = y.dataSync().slice();
      while (!done) {
        optimizer.zero_grad();
        loss_fn(model(x), y).backward();
        optimizer.step();
        yield;
      }
      return () => assertEqual(y.dataSync(), values, 'labels');
    },
  },
  {
    name: 'closure',
    *run() {
      const model = net();
      const loss_fn = criterion();
      const optimizer = new optim.Adam(model.parameters(), { lr: 1e-3 });
      let last: Tensor = torch.zeros([]);
      for (const [x, y] of batches()) {
        last = optimizer.step(() => {
          optimizer.zero_grad();
          const loss = loss_fn(model(x), y);
          loss.backward();
          return loss;
        })!;
        yield;
        if (done) break;
      }
      return () => assertFinite(last.item(), 'loss');
    },
  },
  {
    name: 'gradient accumulation over 4 batches',
    period: 4,
    *run() {
      const model = net();
      const loss_fn = criterion();
      const optimizer = new optim.Adam(model.parameters(), { lr: 1e-3 });
      let total: Tensor = torch.zeros([]);
      let sum = 0;
      let i = 0;
      for (const [x, y] of batches()) {
        const loss = loss_fn(model(x), y);
        loss.backward();
        total = total.add(loss);
        sum += loss.item();
        if (++i % 4 === 0) {
          optimizer.step();
          optimizer.zero_grad();
        }
        yield;
        if (done) break;
      }
      return () => assertEqual([total.item()], [sum], 'total');
    },
  },
  {
    name: 'one graph over 8 batches',
    period: 8,
    *run() {
      const model = net();
      const loss_fn = criterion();
      const optimizer = new optim.SGD(model.parameters(), 0.01);
      let total: Tensor | null = null;
      let i = 0;
      let last = Number.NaN;
      for (const [x, y] of batches()) {
        const loss = loss_fn(model(x), y);
        total = total ? total.add(loss) : loss;
        if (++i % 8 === 0) {
          total.backward();
          optimizer.step();
          optimizer.zero_grad();
          last = total.item();
          total = null;
        }
        yield;
        if (done) break;
      }
      return () => assertFinite(last, 'loss');
    },
  },
  {
    name: 'evaluation over a loader without no_grad',
    *run() {
      const model = net();
      model.eval();
      let correct: Tensor = torch.zeros([]);
      let sum = 0;
      for (const [x, y] of batches()) {
        const hits = model(x).argmax(1).eq(y).float().sum();
        correct = correct.add(hits);
        sum += hits.item();
        yield;
        if (done) break;
      }
      return () => assertEqual([correct.item()], [sum], 'correct');
    },
  },
  {
    name: 'losses.push(loss), read at the end',
    keepsObjects: true,
    *run() {
      const model = net();
      const loss_fn = criterion();
      const optimizer = new optim.SGD(model.parameters(), 0.01);
      const losses: Tensor[] = [];
      const values: number[] = [];
      while (!done) {
        const loss = loss_fn(model(images(4)), labels(4));
        optimizer.zero_grad();
        loss.backward();
        optimizer.step();
        losses.push(loss);
        values.push(loss.item());
        yield;
      }
      return () => {
        assertEqual(
          losses.map((loss) => loss.item()),
          values,
          'losses',
        );
        assertEqual(tf.stack(losses.slice(0, 100)).dataSync(), values.slice(0, 100), 'stacked losses');
      };
    },
  },
  {
    name: 'two optimizers (GAN), fixed noise now and then',
    visits: 100,
    *run() {
      const [D, G] = [net(), net()];
      const loss_fn = criterion();
      const optimizerD = new optim.Adam(D.parameters(), { lr: 1e-3 });
      const optimizerG = new optim.Adam(G.parameters(), { lr: 1e-3 });
      const fixed = images(4);
      const fixedValues = fixed.dataSync().slice();
      let errD: Tensor = torch.zeros([]);
      let i = 0;
      for (const [x, y] of batches()) {
        const fake = G(images(4));
        const lossD = loss_fn(D(x), y).add(fake.detach().square().mean());
        optimizerD.zero_grad();
        lossD.backward();
        optimizerD.step();
        const lossG = fake.square().mean();
        optimizerG.zero_grad();
        lossG.backward();
        optimizerG.step();
        errD = errD.add(lossD);
        if (++i % 100 === 0) torch.no_grad(() => G(fixed).dataSync());
        yield;
        if (done) break;
      }
      return () => {
        assertFinite(errD.item(), 'errD');
        assertEqual(fixed.dataSync(), fixedValues, 'fixed noise');
      };
    },
  },
  {
    name: 'five critic steps for one of the generator',
    period: 5,
    *run() {
      const [D, G] = [net(), net()];
      const loss_fn = criterion();
      const optimizerD = new optim.SGD(D.parameters(), 0.01);
      const optimizerG = new optim.SGD(G.parameters(), 0.01);
      let errG: Tensor = torch.zeros([]);
      let sum = 0;
      let i = 0;
      for (const [x, y] of batches()) {
        const lossD = loss_fn(D(x), y);
        optimizerD.zero_grad();
        lossD.backward();
        optimizerD.step();
        if (++i % 5 === 0) {
          const lossG = G(x).square().mean();
          optimizerG.zero_grad();
          lossG.backward();
          optimizerG.step();
          errG = errG.add(lossG);
          sum += lossG.item();
        }
        yield;
        if (done) break;
      }
      return () => assertEqual([errG.item()], [sum], 'errG');
    },
  },
  {
    name: 'truncated backpropagation through time',
    *run() {
      const cell = new nn.Linear(8, 8);
      const optimizer = new optim.SGD(cell.parameters(), 0.01);
      let hidden: Tensor = torch.zeros(4, 8);
      while (!done) {
        hidden = hidden.detach();
        for (let k = 0; k < 3; k++) hidden = cell(hidden).tanh();
        const loss = hidden.square().mean();
        optimizer.zero_grad();
        loss.backward();
        optimizer.step();
        yield;
      }
      return () => assertFinite(hidden.sum().item(), 'hidden');
    },
  },
  {
    name: 'a held test set, used every 500',
    visits: 500,
    *run() {
      const model = net();
      const loss_fn = criterion();
      const optimizer = new optim.SGD(model.parameters(), 0.01);
      const test = images(200);
      const values = test.dataSync().slice();
      let i = 0;
      for (const [x, y] of batches()) {
        const loss = loss_fn(model(x), y);
        optimizer.zero_grad();
        loss.backward();
        optimizer.step();
        if (++i % 500 === 0) torch.no_grad(() => model(test).dataSync());
        yield;
        if (done) break;
      }
      return () => assertEqual(test.dataSync(), values, 'test set');
    },
  },
  {
    name: 'a copy of the best weights',
    *run() {
      const model = net();
      const loss_fn = criterion();
      const optimizer = new optim.SGD(model.parameters(), 0.01);
      let best: Tensor[] = [];
      let values: number[] = [];
      let i = 0;
      for (const [x, y] of batches()) {
        const loss = loss_fn(model(x), y);
        optimizer.zero_grad();
        loss.backward();
        optimizer.step();
        if (++i === 2) {
          best = [...model.parameters()].map((p) => p.detach().clone());
          values = best.flatMap((t) => [...t.dataSync()]);
        }
        yield;
        if (done) break;
      }
      return () => {
        torch.no_grad(() => {
          for (const [k, p] of [...model.parameters()].entries()) p.copy_(best[k]!);
        });
        assertEqual(
          [...model.parameters()].flatMap((p) => [...p.dataSync()]),
          values,
          'best weights',
        );
      };
    },
  },
  {
    name: 'a large computed feature cache',
    *run() {
      const model = net();
      const loss_fn = criterion();
      const optimizer = new optim.SGD(model.parameters(), 0.01);
      let features: Tensor | null = null;
      let values: ArrayLike<number> = [];
      for (const [x, y] of batches()) {
        if (!features) {
          features = images(200).div(2);
          values = features.dataSync().slice();
        }
        const loss = loss_fn(model(x), y);
        optimizer.zero_grad();
        loss.backward();
        optimizer.step();
        yield;
        if (done) break;
      }
      return () => assertEqual(features!.dataSync(), values, 'features');
    },
  },
];

/** At batch 64. */
const realNet = (name: string, build: typeof lenet, shape: [number, number, number]): Loop => ({
  name,
  *run() {
    const model = build();
    const loss_fn = criterion();
    const optimizer = new optim.Adam(model.parameters(), { lr: 1e-3 });
    let running_loss: Tensor = torch.zeros([]);
    let sum = 0;
    while (!done) {
      const loss = loss_fn(model(torch.rand(64, ...shape)), torch.randint(0, 10, [64]));
      optimizer.zero_grad();
      loss.backward();
      optimizer.step();
      running_loss = running_loss.add(loss);
      sum += loss.item();
      yield;
    }
    return () => assertEqual([running_loss.item()], [sum], 'running_loss');
  },
});

export const realNets: readonly Loop[] = [
  realNet('LeNet', lenet, [1, 28, 28]),
  realNet('the CIFAR-10 network of seed 004', cifar, [3, 32, 32]),
];

/** Set by the driver when the last iteration has begun. */
let done = false;
export const finish = (value: boolean): void => {
  done = value;
};
