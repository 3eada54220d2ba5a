import * as tf from '@tensorflow/tfjs-core';
import { catch_warnings, Parameter, sparse_coo_tensor } from '@tfjs-torch/core';
import { Adam, SGD } from '@tfjs-torch/optim';
import { describe, expect, test } from 'vitest';
import { classGolden } from './class-golden';
import { golden, optimizers } from './golden';

type Made = Map<number, Parameter>;

/** What `encode` of scripts/golden/optim.py wrote, as JavaScript has it. */
function decode(x: unknown, made: Made): unknown {
  if (Array.isArray(x)) return x.map((v) => decode(v, made));
  if (typeof x !== 'object' || x === null) return x;
  const e = x as Record<string, unknown>;
  if ('$param' in e) {
    const id = e.$param as number;
    if (!made.has(id)) made.set(id, new Parameter(tf.ones((e.shape as number[]) ?? [2])));
    return made.get(id);
  }
  if ('$tensor' in e) return tf.tensor(e.$tensor as number[], e.shape as number[], 'float32');
  if ('$nonleaf' in e) return tf.mul(decode(e.$nonleaf, made) as tf.Tensor, 2);
  if ('$set' in e) return new Set(decode(e.$set, made) as unknown[]);
  if ('$tuple' in e) return decode(e.$tuple, made);
  if ('$generator' in e) return (decode(e.$generator, made) as unknown[]).values();
  if ('$sparse' in e) {
    const shape = e.$sparse as number[];
    return sparse_coo_tensor([[]], tf.zeros([0, ...shape.slice(1)]), shape);
  }
  if ('$closure' in e) {
    const loss = tf.tensor(e.$closure as number[]);
    return () => loss;
  }
  if ('$nan' in e) return Number.NaN;
  return Object.fromEntries(Object.entries(e).map(([k, v]) => [k, decode(v, made)]));
}

const sparseOnes = ({ shape }: tf.Tensor) =>
  sparse_coo_tensor([Array.from({ length: shape[0]! }, (_, i) => i)], tf.ones(shape), shape);

/** All that a refused call must leave as it was. */
const outline = (optimizer: SGD) => ({
  groups: optimizer.param_groups.map((g) => ({ ...g, params: g.params.map((p) => p.id) })),
  state: [...optimizer.state].map(([p, s]) => [p.id, Object.keys(s)]),
});
const keysOf = (params: unknown) => (Array.isArray(params) ? params.map((g) => Object.keys(g ?? {})) : []);

const errors = [...golden.errors, ...classGolden.errors];

describe('the errors of torch, by class and text', () => {
  test.each(errors.map((row) => [`${row.name}: ${row.desc}`, row] as const))('%s', (_, row) => {
    const made: Made = new Map();
    const params = decode(row.params, made);
    const before = keysOf(params);
    const first = params !== null && typeof params === 'object' && '$missing' in params ? [] : [params];
    let thrown: unknown;
    let optimizer: SGD | undefined;
    const warnings = catch_warnings(() => {
      try {
        const args = [...first, ...(decode(row.args, made) as unknown[])];
        optimizer = new optimizers[row.name]!(...args, decode(row.kwargs, made));
      } catch (error) {
        thrown = error;
        if (!row.error.warning) expect(keysOf(params)).toEqual(before);
      }
      for (const [method, ...given] of optimizer ? row.calls : []) {
        const was = outline(optimizer!);
        const counted = tf.memory().numTensors;
        const args = decode(given, made) as unknown[];
        const dense = method === 'step';
        if (dense || method === 'sparse_step') {
          for (const p of made.values()) p.grad = (dense ? tf.onesLike(p) : sparseOnes(p)) as unknown as typeof p.grad;
        }
        const mine = tf.memory().numTensors - counted;
        try {
          (optimizer as unknown as Record<string, (...a: unknown[]) => void>)[
            dense || method === 'sparse_step' ? 'step' : method
          ]!(...args);
        } catch (error) {
          thrown = error;
          expect(outline(optimizer!)).toEqual(was);
          expect(tf.memory().numTensors - counted).toBe(mine);
        }
      }
    });
    const { class: name, text, warning } = row.error;
    if (warning) {
      expect(thrown).toBeUndefined();
      expect(warnings).toContainEqual({ category: name, message: text });
      return;
    }
    expect(thrown).toBeInstanceOf(Error);
    expect((thrown as Error).name).toBe(name);
    // Ours says what may have been meant.
    expect((thrown as Error).message.replace(/\. Did you mean '\w+'\?$/, '')).toBe(text);
  });

  test('every error input of optim_db is a case', () => {
    const count = (name: string) => errors.filter((e) => e.name === name && !e.desc.startsWith('ours')).length;
    const counts = { SGD: 8, Adam: 13, AdamW: 13, NAdam: 9, RAdam: 9, Adamax: 8 };
    const others = {
      Adagrad: 8,
      Adadelta: 8,
      RMSprop: 8,
      Rprop: 8,
      ASGD: 10,
      Adafactor: 10,
      LBFGS: 7,
      Muon: 9,
      SparseAdam: 10,
    };
    for (const [name, n] of Object.entries({ ...counts, ...others })) expect([name, count(name)]).toEqual([name, n]);
  });
});

describe('what Python’s types cannot let through', () => {
  const p = () => [new Parameter(tf.ones([2]))];
  const rows: [string, () => unknown, string][] = [
    [
      'a string for lr',
      () => new SGD(p(), { lr: '0.1' as unknown as number }),
      'SGD: lr must be a number, but got 0.1',
    ],
    ['null for lr', () => new SGD(p(), { lr: null as unknown as number }), 'SGD: lr must be a number, but got None'],
    [
      'a number for nesterov',
      () => new SGD(p(), { nesterov: 1 as unknown as boolean }),
      'SGD: nesterov must be true or false, but got 1',
    ],
    [
      'one beta',
      () => new Adam(p(), { betas: [0.9] as unknown as [number, number] }),
      'Adam: betas must be an array of as many numbers as its default, but got (0.9)',
    ],
    [
      'a misspelt option of a group',
      () => new SGD([{ params: p(), wieght_decay: 1 }]),
      "param_group has an unknown option 'wieght_decay'. Did you mean 'weight_decay'?",
    ],
    [
      'camel case in a group',
      () => new SGD([{ params: p(), weightDecay: 1 }]),
      "param_group has an unknown option 'weightDecay'. Did you mean 'weight_decay'?",
    ],
    [
      'another library’s name in a group',
      () => new Adam([{ params: p(), learning_rate: 1 }]),
      "param_group has an unknown option 'learning_rate'. Did you mean 'lr'?",
    ],
    [
      'another library’s name',
      () => new Adam([{ params: p(), epsilon: 1 }]),
      "param_group has an unknown option 'epsilon'. Did you mean 'eps'?",
    ],
    [
      'a string put into a group later',
      () => {
        const optimizer = new SGD(p(), 0.1);
        optimizer.param_groups[0]!.lr = 'fast' as unknown as number;
        optimizer.step();
      },
      'SGD: lr must be a number, but got fast',
    ],
  ];
  test.each(rows)('%s', (_, f, text) => {
    expect(f).toThrowError(new TypeError(text));
  });

  test('keys of one’s own are kept', () => {
    const optimizer = new Adam([{ params: p(), name: 'head', layer_id: 3, lr_scale: 0.5, initial_lr: 0.1, max_lr: 1 }]);
    expect(optimizer.state_dict().param_groups[0]).toMatchObject({
      name: 'head',
      layer_id: 3,
      lr_scale: 0.5,
      max_lr: 1,
    });
  });
});
