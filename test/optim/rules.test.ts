import * as tf from '@tensorflow/tfjs-core';
import { Parameter } from '@tfjs-torch/core';
import { compare, type HostTensor, reference, replay } from '@tfjs-torch/parity';
import { expect, test } from 'vitest';
import { tolerances } from '../tolerances';
import { checkDocumented, noted } from './distances';
import { expectSameBits, fused, needs, withExecutor } from './executors';
import { type Case, golden, isTensor, nameOf, optimizers, problemOf, traceOf, withTensors } from './golden';

const label = (c: Case) => `${c.name}, ${c.desc}`;
const ofType = (dtype: Case['dtype']) => golden.cases.filter((c) => c.dtype === dtype);

const goldenOf = (c: Case) => {
  const problem = problemOf(c);
  return traceOf(c, { head: golden.head, problem, grads: problem.grads, rule: optimizers[c.name]!.rule });
};
/** Options are compared one by one below, in their order. */
const only = ['model', 'state'] as const;

test.each(ofType('float64').map((c) => [label(c), c] as const))('reference: %s', (_, c) => {
  const recorded = goldenOf(c);
  const { worst } = compare(reference(recorded, optimizers[c.name]!), recorded, { only });
  expect(noted(c.name, 'reference', worst)).toBeLessThanOrEqual(tolerances.optimReference);
});

const single = (values: number[]) => Float32Array.from(values);
const tensorOf = ({ $tensor, shape }: { $tensor: number[]; shape: number[] }) => tf.tensor($tensor, shape, 'float32');

/** The case's optimizer on parameters of ours. */
function build(c: Case) {
  const { starts, shapes } = problemOf(c);
  const params = starts.map((values, i) => new Parameter(tf.tensor(values, shapes[i], 'float32')));
  const given = c.groups
    ? c.groups.map((g) => ({ ...g, params: g.params.map((i) => params[i]!) }))
    : (c.named?.map((name, i) => [name, params[i]!] as const) ?? params);
  const make = optimizers[c.name]!;
  const [args, kwargs] = [c.args ?? [], withTensors(c.kwargs, tensorOf)];
  return { params, optimizer: new make(given, ...args, kwargs) };
}

function train(c: Case) {
  const { params, optimizer } = build(c);
  const recorded = goldenOf(c);
  const named = params.map((p, i) => [nameOf(i), p] as const);
  return { optimizer, recorded, trace: replay(recorded, named, optimizer) };
}

test.each(ofType('float32').map((c) => [label(c), c] as const))('ops: %s', (_, c) => {
  const { optimizer, recorded, trace } = withExecutor('ops', () => train(c));
  expect(noted(c.name, 'ops', compare(trace, recorded, { only }).worst)).toBeLessThanOrEqual(tolerances.optimOps);

  const saved = optimizer.state_dict();
  const keys = (state: Record<string, unknown>) =>
    Object.entries(state).map(([id, entry]) => [id, Object.keys(entry as object)]);
  expect(keys(saved.state)).toEqual(keys(c.state));
  const plain = (x: unknown): unknown => {
    if (x instanceof tf.Tensor) return [...x.dataSync()];
    return isTensor(x) ? [...single(x.$tensor)] : Array.isArray(x) ? x.map(plain) : x;
  };
  // As lists, for the order of the keys counts.
  const entries = (groups: Record<string, unknown>[]) =>
    groups.map((g) => Object.entries(g).map(([key, value]) => [key, plain(value)]));
  expect(entries(saved.param_groups)).toEqual(entries(c.param_groups));
  expect(String(optimizer)).toBe(c.repr);
  tf.dispose([saved.state, saved.param_groups] as tf.TensorContainer);
  optimizer.dispose();
});

test.for(ofType('float32').map((c) => [label(c), c] as const))(
  `${fused} gives the bits of ops: %s`,
  ([, c], context) => {
    needs(fused, context);
    const [ours, theirs] = ([fused, 'ops'] as const).map((name) =>
      withExecutor(name, () => {
        const { optimizer, trace } = train(c);
        optimizer.dispose();
        return trace.steps.flatMap(({ step, after }) => [
          ...Object.entries(after!.model).map(
            ([key, t]) => [`step ${step}, ${key}`, t.data] as [string, ArrayLike<number>],
          ),
          ...Object.entries(after!.state ?? {}).flatMap(([p, state]) =>
            Object.entries(state).map(
              ([key, value]) => [`${key} of ${p}`, (value as HostTensor).data] as [string, ArrayLike<number>],
            ),
          ),
        ]);
      }),
    );
    expect(ours!.map(([what]) => what)).toEqual(theirs!.map(([what]) => what));
    ours!.forEach(([what, values], i) => {
      expectSameBits(values, theirs![i]![1], what);
    });
  },
);

test('docs/optimizers.md says what was found', () => checkDocumented('rules'));

test('every option set of torch is a case', () => {
  const sets = (name: string) => golden.cases.filter((c) => c.name === name && !c.desc.startsWith('ours')).length;
  expect(golden.head.torch).toMatch(/^2\.15\.0/);
  // What optim_db of 2.15.0 has for CPU, each in two dtypes.
  const counts = { SGD: 9, Adam: 5, AdamW: 5, NAdam: 7, RAdam: 6, Adamax: 5 };
  const others = { Adagrad: 7, Adadelta: 6, RMSprop: 8, Rprop: 5, ASGD: 7 };
  for (const [name, count] of Object.entries({ ...counts, ...others }))
    expect([name, sets(name)]).toEqual([name, 2 * count]);
});
