import * as tf from '@tensorflow/tfjs-core';
import { Parameter, ValueError } from '@tfjs-torch/core';
import { StepLR } from '@tfjs-torch/lr-scheduler';
import { defineOptimizer, type Optimizer } from '@tfjs-torch/optim';
import { describe, expect, test } from 'vitest';
import { executors, expectSameBits, needs, withExecutor } from './executors';
import { Lion } from './lion';

const { fround } = Math;
const starts = [[0.5, -0.25, 2, 0, -1e-3], [1]];
const gradient = (k: number, i: number, j: number) => fround(Math.sin(3 * k + 5 * i + j));
const make = () => starts.map((values) => new Parameter(tf.tensor1d(values)));

function train(params: readonly Parameter[], optimizer: Optimizer<object>, from: number, to: number) {
  for (let k = from; k < to; k++) {
    params.forEach((p, i) => {
      p.grad = tf.tensor1d(Array.from({ length: p.size }, (_, j) => gradient(k, i, j))) as unknown as typeof p.grad;
    });
    optimizer.step();
  }
}

/** Lion as its paper writes it, number by number, each operation rounded to float32. */
function lion(steps: number, rate: (k: number) => number, [b1, b2]: readonly [number, number], weight_decay: number) {
  return starts.map((values, i) =>
    values.map((start, j) => {
      let [p, m] = [fround(start), 0];
      for (let k = 0; k < steps; k++) {
        const g = gradient(k, i, j);
        const lr = fround(rate(k));
        const c = fround(fround(m * fround(b1)) + fround(g * fround(1 - b1)));
        p = fround(fround(p * fround(1 - rate(k) * weight_decay)) - fround(Math.sign(c) * lr));
        m = fround(fround(m * fround(b2)) + fround(g * fround(1 - b2)));
      }
      return p;
    }),
  );
}

describe.each(executors)('Lion of docs/adding-an-optimizer.md on %s', (name) => {
  const expected = lion(7, (k) => (k < 4 ? 0.02 : 0.01), [0.8, 0.95], 0.1);
  const options = { lr: 0.02, betas: [0.8, 0.95], weight_decay: 0.1 } as const;

  test('is Lion, with a schedule', (context) => {
    needs(name, context);
    withExecutor(name, () => {
      const params = make();
      const optimizer = new Lion(params, 0.02, [0.8, 0.95], { weight_decay: 0.1 });
      const scheduler = new StepLR(optimizer, 4, 0.5);
      for (let k = 0; k < 7; k++) {
        train(params, optimizer, k, k + 1);
        scheduler.step();
      }
      params.forEach((p, i) => {
        expectSameBits(p.dataSync(), expected[i]!);
      });
      expect(optimizer.executor.name).toBe(name);
    });
  });
  test('saves and goes on', (context) => {
    needs(name, context);
    withExecutor(name, () => {
      const params = make();
      const optimizer = new Lion(params, options);
      train(params, optimizer, 0, 4);
      const resumed = new Lion(params);
      resumed.load_state_dict(optimizer.state_dict());
      resumed.param_groups[0]!.lr = 0.01;
      train(params, resumed, 4, 7);
      params.forEach((p, i) => {
        expectSameBits(p.dataSync(), expected[i]!);
      });
      expect(Object.keys(resumed.state.get(params[0]!)!)).toEqual(['exp_avg']);
    });
  });
});

test('prints and checks itself as others do', () => {
  const optimizer = new Lion([{ params: make(), lr: 0.5 }], { weight_decay: 0.1 });
  expect(String(optimizer)).toBe(
    'Lion (\nParameter Group 0\n    betas: (0.9, 0.99)\n    lr: 0.5\n    weight_decay: 0.1\n)',
  );
  expect(() => new Lion(make(), { betaz: [0, 0] } as object)).toThrowError(
    /^Lion.__init__\(\) got an unexpected keyword/,
  );
  expect(() => new Lion(make(), { betas: [0.9] } as object)).toThrowError(
    'Lion: betas must be an array of as many numbers',
  );
});

test('what is left out has a default, and what is given counts', () => {
  const Decaying = defineOptimizer({
    name: 'Decaying',
    defaults: { lr: 1, maximize: false, fused: null },
    check({ lr }) {
      if (lr < 0) throw new ValueError(`Invalid learning rate: ${lr}`);
    },
    flags: ({ maximize }) => ({ maximize }),
    scalars: ({ lr }, t) => ({ lr: lr / t }),
    update: ({ param, grad }, s, { maximize }) => ({ param: param.sub((maximize ? grad.neg() : grad).mul(s.lr)) }),
  });
  expect(() => new Decaying(make(), { lr: -1 })).toThrowError(new ValueError('Invalid learning rate: -1'));
  const p = new Parameter(tf.tensor1d([0]));
  const optimizer = new Decaying([p], { maximize: true });
  for (let k = 0; k < 2; k++) {
    p.grad = tf.tensor1d([1]) as unknown as typeof p.grad;
    optimizer.step();
  }
  expect([p.dataSync()[0], optimizer.state.get(p)]).toEqual([1.5, { step: 2 }]);
  withExecutor('ops', () => {
    expect(() => new Decaying([p], { fused: true })).toThrowError('Decaying: fused=True needs a fused executor');
  });
});

describe('a wrong definition is refused at the first step, and nothing changes', () => {
  type Definition = Parameters<typeof defineOptimizer>[0];
  test.each<[string, Partial<Definition>, string]>([
    [
      'an output that is no state',
      { update: ({ param }) => ({ param, m: param }) as never },
      "update gives 'm', but the state",
    ],
    ['no parameter', { update: () => ({}) as never }, "update must give the new 'param'"],
    [
      'a scalar that is not there',
      { update: ({ param }, s) => ({ param: param!.mul(s.rate as never) }) },
      'Expr.mul: expected an',
    ],
  ])('%s', (_, part, text) => {
    const Wrong = defineOptimizer({ name: 'Wrong', defaults: { lr: 1 }, scalars: () => ({}), ...part } as Definition);
    const params = make();
    const optimizer = new Wrong(params);
    expect(() => train(params, optimizer, 0, 1)).toThrowError(text);
    expectSameBits(params[0]!.dataSync(), starts[0]!.map(fround));
    expect(optimizer.state.size).toBe(0);
  });
});
