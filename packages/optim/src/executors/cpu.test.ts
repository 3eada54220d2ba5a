import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { Expr } from '../rule/expr';
import type { Trace } from '../rule/rule';
import { generated, interpreted, type Kernel } from './cpu';

const [x, y, z] = ['param', 'grad', 'z'].map((name) => Expr.leaf('input', name)) as [Expr, Expr, Expr];
const s = Expr.leaf('scalar', 's');
/** By operation, over tensors, scalars and literals. */
const results: Record<string, Expr> = {
  add: x.add(y),
  sub: x.sub(s),
  mul: x.mul(y),
  div: x.div(y),
  max: x.max(y),
  min: x.min(y),
  where: x.gt(y).where(z, -0),
  neg: x.neg(),
  sqrt: x.sqrt(),
  abs: x.abs(),
  sign: x.sign(),
  'a shared node': x.add(y).mul(x.add(y)).add(0.1),
  'an input': y,
  'a literal': x.mul(-1e-3).max(Number.NEGATIVE_INFINITY),
  'a negated literal': Expr.leaf('const', -0).neg().sub(x),
  'a literal that float32 rounds to -0': x.div(-1e-50),
};
const specials = [0, -0, 1, -1, 0.1, 3e38, 1e-45, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
const pairs = specials.flatMap((a) => specials.map((b) => [a, b] as const));

/** In float32, each operation rounded: JavaScript's own for the three that are not torch's. */
const { fround } = Math;
const expected: Partial<Record<string, (a: number, b: number, c: number) => number>> = {
  add: (a, b) => fround(a + b),
  sub: (a) => fround(a - fround(0.3)),
  mul: (a, b) => fround(a * b),
  div: (a, b) => fround(a / b),
  where: (a, b, c) => (a > b ? c : -0),
  neg: (a) => -a,
  sqrt: (a) => fround(Math.sqrt(a)),
  abs: Math.abs,
  'a shared node': (a, b) => fround(fround(fround(a + b) * fround(a + b)) + fround(0.1)),
  'an input': (_, b) => b,
  'a negated literal': (a) => 0 - a,
  'a literal that float32 rounds to -0': (a) => a / -0,
};

test.each(Object.entries(results))('%s, generated and interpreted', (name, result) => {
  const traced: Trace = { slots: ['z'], scalars: ['s'], outputs: { param: result, z: x } };
  const run = (kernel: Kernel, repeat: number) => {
    const many = Array.from({ length: repeat }, () => pairs).flat();
    const arrays = [0, 1].map((i) => Float32Array.from(many, (pair) => pair[i as 0 | 1]));
    const given = [...arrays, Float32Array.from(many, (_, i) => i)] as const;
    kernel({ s: 0.3 }, given, [given[0]!, given[2]!]); // In place, and the outputs cross.
    return given;
  };
  // 3,000 elements are more than the interpreter takes at a time.
  const [one, other] = [run(generated(traced), 30), run(interpreted(traced), 30)];
  expect(other).toEqual(one);
  const by = expected[name];
  if (by)
    expect(one[0]).toEqual(
      Float32Array.from(one[0]!, (_, i) => by(fround(pairs[i % 100]![0]), fround(pairs[i % 100]![1]), i)),
    );
  expect(one[2]).toEqual(Float32Array.from(one[2]!, (_, i) => pairs[i % 100]![0]));
  expect(run(generated(traced), 0)[0]).toEqual(new Float32Array(0));
});

test('where source may not be compiled, the interpreter runs', async ({ skip }) => {
  if (process.env.TFJS_TORCH_BACKEND !== 'cpu') skip('it belongs to the cpu backend');
  const program = `
    import * as tf from '@tensorflow/tfjs-core';
    import '@tensorflow/tfjs-backend-cpu';
    import { Parameter } from '@tfjs-torch/core';
    import { Adam } from '@tfjs-torch/optim';
    tf.backend().firstUse = false;
    let refused;
    try { new Function(''); } catch (error) { refused = error.name; }
    const train = (options) => {
      const p = new Parameter(tf.tensor([0.5, -2, 3e-5]));
      const optimizer = new Adam([p], { weight_decay: 0.1, ...options });
      for (let k = 0; k < 3; k++) {
        p.grad = tf.tensor([k, -1, 0.25]);
        optimizer.step();
      }
      return [optimizer.executor.name, ...p.dataSync()];
    };
    console.log(JSON.stringify([refused, train({ fused: true }), train({ fused: false })]));`;
  const flags = ['--disallow-code-generation-from-strings', '--conditions=tfjs-torch-source', '--import=tsx'];
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, '--input-type=module', '--eval', program]);
  const [refused, [name, ...interpreted], [, ...expected]] = JSON.parse(stdout);
  expect([refused, name]).toEqual(['EvalError', 'cpu']);
  expect(interpreted).toEqual(expected);
});
