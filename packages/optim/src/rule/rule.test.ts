import { expect, test } from 'vitest';
import { adam } from '../optimizers/adam';
import { sgd } from '../optimizers/sgd';
import { Expr, fold } from './expr';
import { type AnyRule, trace as traceWith } from './rule';

const trace = <H extends object>(rule: AnyRule<H>, h: H) => traceWith(rule, h, rule.scalars(h, 1, true, {}, {}));
const numbers = { ...adam.defaults, lr: 5, betas: [0.8, 0.9] as const, eps: 1 };

test('numbers retrace nothing, flags do', () => {
  expect(trace(adam, numbers)).toBe(trace(adam, adam.defaults));
  const changes = [{ amsgrad: true }, { maximize: true }, { weight_decay: 1 }, { betas: [0, 0.9] as const }];
  const traces = changes.map((h) => trace(adam, { ...adam.defaults, ...h }));
  expect(new Set([trace(adam, adam.defaults), ...traces]).size).toBe(changes.length + 1);
  expect(trace(sgd, sgd.defaults)).not.toBe(trace(sgd, { ...sgd.defaults, momentum: 0.5 }));
});

test('a trace names what it reads and writes', () => {
  const traced = trace(adam, { ...adam.defaults, amsgrad: true });
  expect(traced.slots).toEqual(['exp_avg', 'exp_avg_sq', 'max_exp_avg_sq']);
  expect(Object.keys(traced.outputs)).toEqual(['param', ...traced.slots]);
});

test('a shared node is folded once', () => {
  const x = Expr.leaf('input', 'x');
  const shared = x.add(1);
  let adds = 0;
  const unused = () => {
    throw new Error('not in the expression');
  };
  const algebra = {
    leaf: (op: string, name: string | number) => (op === 'const' ? (name as number) : 2),
    div: unused,
    max: unused,
    min: unused,
    gt: unused,
    where: unused,
    abs: unused,
    sign: unused,
  };
  const [product, difference] = fold<number>([shared.mul(shared), shared.neg().sub(x.sqrt())], {
    ...algebra,
    add: (a, b) => {
      adds++;
      return a! + b!;
    },
    mul: (a, b) => a! * b!,
    sub: (a, b) => a! - b!,
    neg: (a) => -a!,
    sqrt: (a) => Math.sqrt(a!),
  });
  expect([product, difference, adds]).toEqual([9, -3 - Math.SQRT2, 1]);
});
