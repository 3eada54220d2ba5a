import * as tf from '@tensorflow/tfjs-core';
import * as torch from '@tfjs-torch/core';
import * as nn from '@tfjs-torch/nn';
import { describe, expect, test } from 'vitest';
import {
  type Callable,
  errorOf,
  expectLoss,
  type LossRow,
  label,
  modules,
  type Programs,
  quietly,
  type Sample,
  signed,
  testPrograms,
} from './programs';
import { readGolden } from './read-golden';
import { tolerances } from './tolerances';

// scripts/golden/nn_losses.py says what is recorded.

type Kind = 'signed' | 'wide' | 'logs' | 'unit' | 'bits' | 'steps';
interface Row {
  loss: string;
  kinds: [Kind, Kind | 'labels'];
  input: number[];
}
interface Case extends Row, LossRow {
  target: number[];
  options: Record<string, unknown>;
}
interface Golden extends Programs {
  head: { seed: number };
  losses: Case[];
  second: (Row & { by: 'input' | 'target'; gradient: Sample })[];
}
const golden = readGolden<Golden>('nn_losses');

const kinds: Record<Kind, (shape: number[]) => tf.Tensor> = {
  signed,
  wide: (shape) => signed(shape).mul(16),
  logs: (shape) => signed(shape).sub(1),
  unit: (shape) => torch.rand(shape),
  bits: (shape) => torch.rand(shape).mul(2).floor(),
  steps: (shape) => torch.rand(shape).mul(3).floor().div(2),
};
const functions = nn.functional as unknown as Record<string, Callable>;

const lossOf = (name: string, options: object) =>
  name.startsWith('F.')
    ? (x: tf.Tensor, y: tf.Tensor) => functions[name.slice(2)]!(x, y, options) as tf.Tensor
    : (new modules[name]!(options) as (x: tf.Tensor, y: tf.Tensor) => tf.Tensor);

describe('losses equal torch.float64', () => {
  const title = (r: Case) => `${r.loss} ${label(r.options)} ${r.kinds} [${r.input}] [${r.target}]`;
  test.for(golden.losses.map((row) => [title(row), row] as const))('%s', ([, row]) => {
    torch.manual_seed(golden.head.seed);
    const input = kinds[row.kinds[0]](row.input).requires_grad_();
    const kind = row.kinds[1];
    const target = kind === 'labels' ? torch.randint(0, row.input[1]!, row.target) : kinds[kind](row.target);
    if (row.target_gradient) target.requires_grad_();
    const options = Object.fromEntries(
      Object.entries(row.options).map(([key, v]) => [key, Array.isArray(v) ? torch.rand(v as number[]) : v]),
    );
    expectLoss(lossOf(row.loss, options), input, target, row);
  });

  test.for(golden.second.map((row) => [row.loss, row] as const))('twice differentiated: %s', ([, row]) => {
    torch.manual_seed(golden.head.seed);
    const [input, target] = row.kinds.map((kind) => kinds[kind as Kind](row.input).requires_grad_());
    const loss = lossOf(row.loss, { reduction: 'sum' })(input!, target!);
    const x = row.by === 'input' ? input! : target!;
    const [gradient] = torch.autograd.grad(loss, x, { create_graph: true });
    tf.sum(tf.square(gradient!)).backward();
    expect(errorOf(x.grad, row.gradient)).toBeLessThanOrEqual(tolerances.layer);
  });
});

describe('what is not in the numbers', () => {
  const losses = ['MSELoss', 'L1Loss', 'SmoothL1Loss', 'HuberLoss', 'BCELoss', 'BCEWithLogitsLoss', 'KLDivLoss'];

  test.for(losses)('%s passes a NaN on, but BCELoss refuses it', (name) => {
    const x = torch.tensor([Number.NaN, 0.5]).requires_grad_();
    const run = () => quietly(() => lossOf(name, {})(x, torch.tensor([0.25, 0.25])));
    if (name === 'BCELoss') expect(run).toThrow('all elements of input should be between 0 and 1');
    else {
      const loss = run();
      loss.backward();
      expect(loss.item()).toBeNaN();
      // That of KLDivLoss does not depend on its input; that of L1Loss is 0 in torch, and NaN on tensorflow.
      if (name !== 'KLDivLoss' && name !== 'L1Loss') expect(x.grad!.dataSync()[0]).toBeNaN();
      expect(x.grad!.dataSync()[1]).not.toBeNaN();
    }
  });

  test.for(losses)('%s of nothing: a mean is NaN, a sum 0', (name) => {
    const run = (reduction: string) =>
      quietly(() => lossOf(name, { reduction })(torch.zeros(0), torch.zeros(0)).item());
    expect([run('mean'), run('sum')]).toEqual([Number.NaN, 0]);
  });

  test.for(losses)('%s leaves nothing behind', (name) => {
    const loss = lossOf(name, {});
    const x = new nn.Parameter(torch.full([4, 3], 0.25));
    const y = torch.full([4, 3], 0.5);
    const step = () =>
      torch.scope(() => {
        quietly(() => loss(x, y)).backward();
        x.grad = null;
      });
    step();
    const before = tf.memory().numTensors;
    for (let i = 0; i < 3; i++) step();
    expect(tf.memory().numTensors).toBe(before);
  });
});

testPrograms(golden);
