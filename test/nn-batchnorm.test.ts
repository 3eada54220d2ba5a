import * as tf from '@tensorflow/tfjs-core';
import * as torch from '@tfjs-torch/core';
import * as nn from '@tfjs-torch/nn';
import * as swa from '@tfjs-torch/nn/swa-utils';
import { SGD } from '@tfjs-torch/optim';
import { describe, expect, test } from 'vitest';
import { signed } from './programs';
import { readGolden } from './read-golden';
import { relativeError, tolerances } from './tolerances';

// scripts/golden/nn_batchnorm.py says what is recorded.

type Values = Record<string, number[]>;
interface Step {
  output: number[];
  input_gradient: number[];
  gradients: Values;
  buffers: Values;
}
interface Layer {
  name: 'BatchNorm1d' | 'BatchNorm2d';
  a: [number];
  k: nn.BatchNormOptions;
  shape: number[];
  repr: string;
  state: string[];
  train: Step[];
  eval: Step;
}
interface Average {
  name: string;
  k: { use_buffers?: boolean };
  states: Values[];
  keys: string[];
  output: number[];
}
const golden = readGolden<{
  head: { torch: string; seed: number };
  errors: Record<string, [string, string]>;
  layers: Layer[];
  averages: Average[];
  update_bn: { states: Values; training: boolean[]; momenta: number[] }[];
}>('nn_batchnorm');

const near = (t: tf.Tensor | null, expected: number[], what = '') =>
  expect(relativeError(t!.dataSync(), expected), what).toBeLessThanOrEqual(tolerances.layer);

/** As copy_, but outside of autograd. */
const fill = (t: tf.Tensor) => torch.no_grad(() => t.copy_(signed(t.shape)));

/** Where every weight's gradient vanishes, as behind a layer of mean 0, only its smallness counts. */
function nearGradient(t: tf.Tensor | null, expected: number[], scale: number, what: string) {
  const worst = Math.max(...[...t!.dataSync()].map((x, i) => Math.abs(x - expected[i]!)));
  expect(worst / Math.max(scale, ...expected.map(Math.abs)), what).toBeLessThanOrEqual(tolerances.layer);
}

function expectStep(m: nn.Module, shape: number[], expected: Step) {
  const x = signed(shape).requires_grad_();
  const dy = signed(shape);
  m.zero_grad();
  const y = (m as unknown as (x: tf.Tensor) => tf.Tensor)(x);
  y.backward(dy);
  near(y, expected.output, 'output');
  // A batch of equal distances to the mean has a gradient that is the difference of terms of this size.
  const scale = Math.max(...dy.abs().dataSync());
  nearGradient(x.grad, expected.input_gradient, scale, 'input');
  for (const [name, g] of Object.entries(expected.gradients)) near(m.get_parameter(name).grad, g, name);
  const buffers = [...m.named_buffers()];
  expect(buffers.map(([name]) => name)).toEqual(Object.keys(expected.buffers));
  for (const [name, b] of buffers) near(b, expected.buffers[name]!, name);
}

const layers = { BatchNorm1d: nn.BatchNorm1d, BatchNorm2d: nn.BatchNorm2d };

describe('layers equal torch.float64', () => {
  test.each(golden.layers.map((row) => [`${row.repr} ${row.shape}`, row] as const))('%s', (_, row) => {
    torch.manual_seed(golden.head.seed);
    const m = new layers[row.name](...row.a, row.k);
    expect(`${m}`).toBe(row.repr);
    expect(Object.keys(m.state_dict())).toEqual(row.state);
    for (const p of m.parameters()) fill(p);
    for (const expected of row.train) expectStep(m, row.shape, expected);
    m.eval();
    expectStep(m, row.shape, row.eval);
  });

  test('as many as were recorded', () => {
    expect(golden.head.torch).toMatch(/^2\.15\.0/);
    expect(golden.layers.length).toBe(49);
  });

  test('behind a convolution no transpose lies between', async () => {
    const net = new nn.Sequential(new nn.Conv2d(2, 3, 3), new nn.BatchNorm2d(3), new nn.ReLU(), new nn.Conv2d(3, 2, 3));
    const x = signed([5, 2, 8, 8]);
    const { kernels } = await tf.profile(() => net(x));
    const ofImages = kernels.filter(({ name, inputShapes: [shape] }) => name === 'Transpose' && shape?.[0] === 5);
    expect(ofImages.map(({ inputShapes }) => inputShapes[0])).toEqual([[5, 2, 8, 8]]);
  });
});

const net = () => new nn.Sequential(new nn.Linear(3, 4), new nn.BatchNorm1d(4), new nn.ReLU(), new nn.Linear(4, 2));

function expectState(m: nn.Module, expected: Values) {
  const state = m.state_dict();
  expect(Object.keys(state)).toEqual(Object.keys(expected));
  for (const [key, values] of Object.entries(expected)) near(state[key]!, values, key);
}

describe('AveragedModel', () => {
  const functions: Record<string, (k: Average['k']) => swa.AveragedModelOptions> = {
    none: () => ({}),
    swa: () => ({ avg_fn: swa.get_swa_avg_fn() }),
    swa_multi: () => ({ multi_avg_fn: swa.get_swa_multi_avg_fn() }),
    ema: () => ({ avg_fn: swa.get_ema_avg_fn(0.9) }),
    ema_multi: (k) => ({ multi_avg_fn: swa.get_ema_multi_avg_fn(k.use_buffers ? 0.4 : 0.9) }),
  };
  test.each(golden.averages.map((row) => [`${row.name} ${JSON.stringify(row.k)}`, row] as const))('%s', (_, row) => {
    torch.manual_seed(golden.head.seed);
    const model = net();
    const averaged = new swa.AveragedModel(model, { ...row.k, ...functions[row.name]!(row.k) });
    expect(Object.keys(averaged.state_dict())).toEqual(row.keys);
    for (const expected of row.states) {
      for (const p of model.parameters()) fill(p);
      model(signed([6, 3]));
      averaged.update_parameters(model);
      expectState(averaged, expected);
    }
    near(averaged.eval()(signed([2, 3])), row.output);
  });

  test('goes on where a state was saved', () => {
    const [one, two] = [net(), net()];
    const [a, b] = [new swa.AveragedModel(one), new swa.AveragedModel(two)];
    a.update_parameters(one);
    a.update_parameters(two);
    b.load_state_dict(a.state_dict());
    a.update_parameters(two);
    b.update_parameters(two);
    const [x, y] = [a.state_dict(), b.state_dict()];
    for (const key of Object.keys(x)) expect(y[key]!.dataSync()).toEqual(x[key]!.dataSync());
    expect(y.n_averaged!.dataSync()[0]).toBe(3);
  });

  test('says so if a function stands where torch has the device', () => {
    expect(() => new swa.AveragedModel(net(), swa.get_ema_multi_avg_fn())).toThrowError('name it: { multi_avg_fn');
  });
});

describe('update_bn', () => {
  const prepared = () => {
    torch.manual_seed(golden.head.seed);
    const model = new nn.Sequential(
      new nn.Conv2d(2, 3, 2),
      new nn.BatchNorm2d(3, { momentum: 0.3 }),
      new nn.Flatten(),
      new nn.Linear(12, 2),
      new nn.BatchNorm1d(2),
    );
    model(signed([4, 2, 3, 3]));
    model.eval();
    model.get_submodule('4').train();
    return { model, data: [4, 7, 2].map((n) => signed([n, 2, 3, 3])) };
  };
  const expectPassed = (model: nn.Module, i: number) => {
    const { states, training, momenta } = golden.update_bn[i]!;
    expectState(model, states);
    expect(momenta).toEqual([1, 4].map((k) => (model.get_submodule(`${k}`) as nn.BatchNorm2d).momentum));
    // torch sets the whole model to the root's mode.
    expect([...model.modules()].map((m) => m.training)).toEqual(training);
  };
  test('from tensors', () => {
    const { model, data } = prepared();
    swa.update_bn(data, model);
    expectPassed(model, 0);
  });
  test('from pairs', () => {
    const { model, data } = prepared();
    swa.update_bn(
      data.map((x) => [x, 0]),
      model,
    );
    expectPassed(model, 1);
  });
  test('from a loader that is awaited', async () => {
    const { model, data } = prepared();
    await swa.update_bn(
      (async function* () {
        yield* data;
      })(),
      model,
    );
    expectPassed(model, 0);
  });
  test('does nothing without a batch normalization', () => {
    const never = {
      [Symbol.iterator](): Iterator<unknown> {
        throw new Error('read');
      },
    };
    swa.update_bn(never, new nn.Sequential(new nn.Linear(2, 2)));
  });
});

test.each(Object.entries(golden.errors))('torch’s error: %s', (name, expected) => {
  const z = (...shape: number[]) => torch.zeros(shape);
  const { batch_norm } = nn.functional;
  const deeds: Record<string, () => unknown> = {
    one_value: () => new nn.BatchNorm1d(3)(z(1, 3)),
    one_pixel: () => new nn.BatchNorm2d(3)(z(1, 3, 1, 1)),
    rank_1d: () => new nn.BatchNorm1d(3)(z(2, 3, 4, 5)),
    rank_2d: () => new nn.BatchNorm2d(3)(z(2, 3, 4)),
    channels: () => new nn.BatchNorm2d(3)(z(2, 4, 2, 2)),
    weights: () => batch_norm(z(2, 4), null, null, z(3), null, true),
    eps_training: () => batch_norm(z(2, 4), null, null, { training: true, eps: 0 }),
    eps_negative: () => batch_norm(z(2, 4), z(4), z(4), { eps: -1 }),
    no_features: () => new nn.BatchNorm1d(),
    decay: () => swa.get_ema_avg_fn(1.5),
    decay_multi: () => swa.get_ema_multi_avg_fn(-0.5),
    two_functions: () =>
      new swa.AveragedModel(net(), { avg_fn: swa.get_swa_avg_fn(), multi_avg_fn: swa.get_swa_multi_avg_fn() }),
  };
  let thrown: Error | undefined;
  try {
    deeds[name]!();
  } catch (error) {
    thrown = error as Error;
  }
  expect([thrown?.name, thrown?.message]).toEqual(expected);
});

test('a training loop with batch normalization and an average keeps memory flat', () => {
  torch.manual_seed(2);
  const model = net();
  const averaged = new swa.AveragedModel(model, { multi_avg_fn: swa.get_ema_multi_avg_fn(0.9) });
  const optimizer = new SGD(model.parameters(), 0.1, 0.9);
  const counts: number[] = [];
  for (let i = 0; i < 12; i++) {
    const loss = model(torch.randn(8, 3)).square().mean();
    optimizer.zero_grad();
    loss.backward();
    optimizer.step();
    averaged.update_parameters(model);
    counts.push(tf.memory().numTensors);
  }
  expect(new Set(counts.slice(4)).size).toBe(1);
  // The running statistics are still there when nobody has touched them for rounds.
  expect([...averaged.buffers()].every((b) => b.dataSync().every(Number.isFinite))).toBe(true);
  expect(model.get_buffer('1.num_batches_tracked').dataSync()[0]).toBe(12);
});
