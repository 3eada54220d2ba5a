import * as tf from '@tensorflow/tfjs-core';
import { internal } from '@tfjs-torch/core';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { chooseExecutor, type Executor, type Job } from '../../packages/optim/src/executors';
import { ops } from '../../packages/optim/src/executors/ops';
import { freshState, stateTensor } from '../../packages/optim/src/executors/storage';
import { Expr, type Operation } from '../../packages/optim/src/rule/expr';
import type { Trace } from '../../packages/optim/src/rule/rule';
import { expectSameBits, fused, needs } from './executors';

// tfjs-node's kernels flush denormals.
const denormals = process.env.TFJS_TORCH_BACKEND !== 'tensorflow'; // the backend is not there yet
const flushed = (x: number) => (denormals || !(Math.abs(x) < 2 ** -126) ? x : x * 0);
const specials = [0, 1, 2 ** -149, 2 ** -126, 2 ** 127, Infinity]
  .flatMap((x) => [x, -x])
  .concat(Number.NaN)
  .map(flushed);
const float = fc.oneof(fc.float(), fc.float({ min: -4, max: 4 }), fc.constantFrom(...specials)).map((x) => flushed(x));

const arity: Record<Exclude<Operation, 'gt'>, number> = {
  add: 2,
  sub: 2,
  mul: 2,
  div: 2,
  max: 2,
  min: 2,
  neg: 1,
  sqrt: 1,
  abs: 1,
  sign: 1,
  where: 4,
};
const slots = ['a', 'b'];
const scalars = ['s', 't'];

const node = (op: keyof typeof arity, a: Expr, b: Expr, c: Expr, d: Expr): Expr =>
  op === 'where' ? a.gt(b).where(c, d) : (a[op] as (...rest: Expr[]) => Expr)(...[b].slice(0, arity[op] - 1));

/** One operation over values that stand before it in the list, by index. */
const instruction = fc.record({
  op: fc.constantFrom(...(Object.keys(arity) as (keyof typeof arity)[])),
  args: fc.tuple(fc.nat(), fc.nat(), fc.nat(), fc.nat()),
});

/** A random rule: a list of operations, so that values are shared, and which of them are the outputs. */
const rule = fc
  .record({
    constants: fc.array(float, { minLength: 1, maxLength: 3 }),
    body: fc.array(instruction, { minLength: 1, maxLength: 14 }),
    outputs: fc.tuple(fc.nat(), fc.nat(), fc.nat()),
  })
  .map(({ constants, body, outputs }): Trace => {
    const tensors = ['param', 'grad', ...slots].map((name) => Expr.leaf('input', name));
    const values = [
      ...tensors,
      ...scalars.map((name) => Expr.leaf('scalar', name)),
      ...constants.map((x) => Expr.leaf('const', x)),
    ];
    for (const { op, args } of body) {
      const [a, b, c, d] = args.map((i) => values[values.length - 1 - (i % values.length)]!) as [
        Expr,
        Expr,
        Expr,
        Expr,
      ];
      const value = node(op, a, b, c, d);
      values.push(value);
      if ([a, b, c, d].slice(0, arity[op]).some((x) => tensors.includes(x))) tensors.push(value);
    }
    // An output has the shape of its parameter: it is made from a tensor.
    const [param, a, b] = outputs.map((i) => tensors[tensors.length - 1 - (i % tensors.length)]!);
    return { slots, scalars, outputs: { param: param!, a: a!, b: b! } };
  });

/** Sizes around the width of a vector, and shapes that ops joins and that it does not. */
const shape: fc.Arbitrary<number[]> = fc.oneof(
  fc.constant<number[]>([]),
  fc.tuple(fc.integer({ min: 0, max: 9 })),
  fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
);
const params = fc
  .array(shape, { minLength: 1, maxLength: 4 })
  .chain((shapes) =>
    fc.tuple(...shapes.map((s) => fc.record({ shape: fc.constant(s), values: numbers(4 * tf.util.sizeFromShape(s)) }))),
  );
const numbers = (length: number) => fc.array(float, { minLength: length, maxLength: length });

interface Case {
  traced: Trace;
  jobs: { scalars: [number, number]; params: { shape: number[]; values: number[] }[] }[];
}
const cases: fc.Arbitrary<Case> = fc.record({
  traced: rule,
  jobs: fc.array(fc.record({ scalars: fc.tuple(float, float), params }), { minLength: 1, maxLength: 2 }),
});

/** The values of all parameters and state after two steps. */
function run(executor: Executor, { traced, jobs }: Case): Float32Array[] {
  const made: tf.Tensor[] = [];
  const ready = jobs.map(({ scalars: [s, t], params }): Job => {
    const items = params.map(({ shape, values }) => {
      const n = tf.util.sizeFromShape(shape);
      const [param, grad, x, y] = [0, n, 2 * n, 3 * n].map((from) =>
        tf.tensor(Float32Array.from(values.slice(from, from + n)), shape, 'float32'),
      ) as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
      // State of both kinds: that which is written in place at once, and that which somebody has seen.
      const [a, b] = [freshState(x), stateTensor(y)];
      made.push(param, grad, a, b);
      return { param, grad, slots: { a, b } };
    });
    return { traced, scalars: { s, t }, items };
  });
  for (let step = 0; step < 2; step++) internal.withGrad(false, () => tf.tidy(() => executor.run(ready)));
  const results = made.map((t) => t.dataSync() as Float32Array);
  tf.dispose(made);
  return results;
}

/** What `executor` makes of the case, compared with what ops does. */
function compare(executor: Executor, one: Case) {
  const results = run(executor, one);
  run(ops, one).forEach((expected, i) => {
    expectSameBits(results[i]!, expected, `tensor ${i}`);
  });
}

test.for(Object.keys(arity) as (keyof typeof arity)[])('%s of any two special values', (op, context) => {
  needs(fused, context);
  const [param, grad, a, b] = ['param', 'grad', ...slots].map((name) => Expr.leaf('input', name)) as [
    Expr,
    Expr,
    Expr,
    Expr,
  ];
  const outputs = { param: node(op, param, grad, param, grad), a, b };
  const pairs = specials.flatMap((x) => specials.map((y) => [x, y] as const));
  const values = [...pairs.map(([x]) => x), ...pairs.map(([, y]) => y), ...pairs.flat()];
  compare(chooseExecutor(null).executor, {
    traced: { slots, scalars, outputs },
    jobs: [{ scalars: [0, 0], params: [{ shape: [pairs.length], values }] }],
  });
});

test('the fused executor gives the bits of ops, whatever the rule and the values', (context) => {
  needs(fused, context);
  const { executor } = chooseExecutor(null);
  expect(executor.name).toBe(fused);
  fc.assert(
    fc.property(cases, (one) => {
      const { numTensors, numBytes } = tf.memory();
      compare(executor, one);
      expect(tf.memory()).toMatchObject({ numTensors, numBytes });
    }),
    // Native compiles each rule.
    { seed: 7, numRuns: fused === 'native' ? 150 : 600 },
  );
});
