import { writeFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs-core';
import { Parameter } from '@tfjs-torch/core';
import { referenceState, referenceStep } from '@tfjs-torch/optim';
import { afterAll, expect, test } from 'vitest';
import { relativeError, tolerances } from '../tolerances';
import { expectSameBits, fused, needs, withExecutor } from './executors';
import { type Case, golden, isTensor, optimizers, problemOf, withTensors } from './golden';

const label = (c: Case) => `${c.name}, ${c.desc}`;
const ofType = (dtype: Case['dtype']) => golden.cases.filter((c) => c.dtype === dtype);

/** Calls `step` for each parameter that has a gradient, with the options of its group as they stand at that step. */
function replay(c: Case, groups: Record<string, unknown>[], step: (k: number, missing: Set<number>) => void) {
  for (let k = 0; k < c.params.length; k++) {
    for (const { step: at, group, ...options } of c.changes ?? []) if (at === k) Object.assign(groups[group]!, options);
    step(k, new Set(c.missing?.filter(([at]) => at === k).map(([, p]) => p)));
  }
}

/** The largest distances from torch, by optimizer and executor: what docs/optimizers.md says. */
const worstOf: Record<string, number> = {};
function noted(c: Case, executor: 'reference' | 'ops', distance: number) {
  const key = `${c.name} ${executor}`;
  worstOf[key] = Math.max(worstOf[key] ?? 0, distance);
  return distance;
}
afterAll(() => {
  const path = process.env.TFJS_TORCH_DISTANCES;
  if (path) writeFileSync(path, `${JSON.stringify(worstOf, null, 2)}\n`);
});

function reference(c: Case) {
  const { rule } = optimizers[c.name]!;
  const { starts, grads } = problemOf(c);
  const options: Record<string, unknown> = {
    ...rule.defaults,
    ...Object.fromEntries((c.args ?? []).map((value, i) => [rule.positional[i], value])),
    ...c.kwargs,
  };
  const host = (h: object) => withTensors({ ...options, ...h }, ({ $tensor }) => $tensor[0]) as typeof options;
  const groups = (c.groups ?? [{ params: starts.map((_, i) => i) }]).map(host);
  const params = starts.map((p) => Float64Array.from(p));
  const states = params.map((): Record<string, Float64Array | number> => ({}));
  const initial = host({});
  if (rule.eager) {
    params.forEach((p, i) => {
      states[i] = referenceState(rule as never, initial as never, p.length);
    });
  }
  let worst = 0;
  replay(c, groups, (k, missing) => {
    for (const group of groups) {
      for (const i of group.params as number[]) {
        if (missing.has(i)) continue;
        referenceStep(
          rule as never,
          group as never,
          params[i]!,
          Float64Array.from(grads[k]![i]!),
          states[i]!,
          initial as never,
        );
      }
    }
    params.forEach((p, i) => {
      worst = Math.max(worst, relativeError(p, c.params[k]![i]!));
    });
  });
  // The recorded state counts parameters over the groups.
  (c.groups ?? groups)
    .flatMap((g) => g.params as number[])
    .forEach((i, id) => {
      const expected = c.state[id] ?? {};
      expect(Object.keys(states[i]!)).toEqual(Object.keys(expected));
      for (const [key, { $tensor }] of Object.entries(expected)) {
        const value = states[i]![key]!;
        worst = Math.max(worst, relativeError(typeof value === 'number' ? [value] : value, $tensor));
      }
    });
  return worst;
}

test.each(ofType('float64').map((c) => [label(c), c] as const))('reference: %s', (_, c) => {
  expect(noted(c, 'reference', reference(c))).toBeLessThanOrEqual(tolerances.optimReference);
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

/** `seen` is given the parameters after each step. */
function train(c: Case, seen: (k: number, params: readonly Parameter[]) => void) {
  const { shapes, grads } = problemOf(c);
  const { params, optimizer } = build(c);
  replay(c, optimizer.param_groups, (k, missing) => {
    params.forEach((p, i) => {
      p.grad = missing.has(i) ? null : (tf.tensor(grads[k]![i]!, shapes[i], 'float32') as typeof p.grad);
    });
    optimizer.step();
    seen(k, params);
  });
  return optimizer;
}

test.each(ofType('float32').map((c) => [label(c), c] as const))('ops: %s', (_, c) => {
  let worst = 0;
  const optimizer = withExecutor('ops', () =>
    train(c, (k, params) => {
      params.forEach((p, i) => {
        worst = Math.max(worst, relativeError(p.dataSync(), single(c.params[k]![i]!)));
      });
    }),
  );
  expect(noted(c, 'ops', worst)).toBeLessThanOrEqual(tolerances.optimOps);

  const saved = optimizer.state_dict();
  expect(Object.keys(saved.state)).toEqual(Object.keys(c.state));
  for (const [id, expected] of Object.entries(c.state)) {
    const state = saved.state[id] as Record<string, tf.Tensor>;
    expect(Object.keys(state)).toEqual(Object.keys(expected));
    for (const [key, { $tensor, shape }] of Object.entries(expected)) {
      expect(state[key]!.shape).toEqual(shape);
      const distance = relativeError(state[key]!.dataSync(), single($tensor));
      expect(noted(c, 'ops', distance)).toBeLessThanOrEqual(tolerances.optimOps);
    }
  }
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
    const [ours, theirs] = [fused, 'ops' as const].map((name) =>
      withExecutor(name, () => {
        const all: (readonly [what: string, values: ArrayLike<number>])[] = [];
        const optimizer = train(c, (k, params) => {
          all.push(...params.map((p, i) => [`step ${k}, parameter ${i}`, p.dataSync()] as const));
        });
        for (const [i, state] of [...optimizer.state.values()].entries()) {
          for (const [key, value] of Object.entries(state)) {
            const values = value instanceof tf.Tensor ? value.dataSync() : [value as number];
            all.push([`${key} of parameter ${i}`, values]);
          }
        }
        optimizer.dispose();
        return all;
      }),
    ) as [[string, ArrayLike<number>][], [string, ArrayLike<number>][]];
    expect(ours.map(([what]) => what)).toEqual(theirs.map(([what]) => what));
    ours.forEach(([what, values], i) => {
      expectSameBits(values, theirs[i]![1], what);
    });
  },
);

test('every option set of torch is a case', () => {
  const sets = (name: string) => golden.cases.filter((c) => c.name === name && !c.desc.startsWith('ours')).length;
  expect(golden.head.torch).toMatch(/^2\.15\.0/);
  // What optim_db of 2.15.0 has for CPU, each in two dtypes.
  const counts = { SGD: 9, Adam: 5, AdamW: 5, NAdam: 7, RAdam: 6, Adamax: 5 };
  const others = { Adagrad: 7, Adadelta: 6, RMSprop: 8, Rprop: 5, ASGD: 7 };
  for (const [name, count] of Object.entries({ ...counts, ...others }))
    expect([name, sets(name)]).toEqual([name, 2 * count]);
});
