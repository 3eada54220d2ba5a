import * as tf from '@tensorflow/tfjs-core';
import { Parameter, sparse_coo_tensor } from '@tfjs-torch/core';
import * as nn from '@tfjs-torch/nn';
import { Adagrad, LBFGS, type Optimizer, SGD, SparseAdam } from '@tfjs-torch/optim';
import { compare, relativeError, replay } from '@tfjs-torch/parity';
import { describe, expect, test } from 'vitest';
import { tolerances } from '../tolerances';
import { type ClassCase, classGolden, type Objective, type SparseValues } from './class-golden';
import { checkDocumented, noted } from './distances';
import { expectSameBits, fused, needs, withExecutor } from './executors';
import { isTensor, nameOf, optimizers, traceOf, withTensors } from './golden';

const single = (values: number[]) => Float32Array.from(values);
const tensorOf = ({ $tensor, shape }: { $tensor: number[]; shape: number[] }) => tf.tensor($tensor, shape, 'float32');
const setGrad = (p: Parameter, grad: tf.Tensor | null) => {
  p.grad = grad as typeof p.grad;
};

/** The loss that a closure of the recording returned, and the gradients of all parameters as one vector. */
function evaluate({ weights, target, coupling }: Objective, x: Float32Array) {
  let value = 0;
  const gradient = Float64Array.from(x, (xi, i) => {
    const off = xi - target[i]!;
    value += (weights[i]! * off ** 2) / 2;
    return weights[i]! * off;
  });
  for (let i = 0; i + 1 < x.length; i++) {
    const gap = x[i + 1]! - x[i]!;
    value += coupling * gap ** 4;
    gradient[i + 1]! += 4 * coupling * gap ** 3;
    gradient[i]! -= 4 * coupling * gap ** 3;
  }
  return { value, gradient };
}

function gradient(given: ArrayLike<number> | SparseValues, shape: number[]): tf.Tensor {
  if (!('rows' in given)) return tf.tensor(Float32Array.from(given), shape);
  const values = tf.tensor(single(given.values), [given.rows.length, ...shape.slice(1)]);
  return sparse_coo_tensor([given.rows], values, shape);
}

/** The case's optimizer on parameters of ours, and a function that takes its step `k`; options are changed by `replay`. */
function build(c: ClassCase, isAsync = false) {
  const objective = c.name === 'LBFGS' ? classGolden.objectives[c.problem ?? 'smooth']! : undefined;
  const problem = objective ?? classGolden.problems[c.problem!]!;
  const { starts, shapes } = problem;
  const params = starts.map((values, i) =>
    tf.tidy(() => new Parameter(tf.tensor(values.map(Math.fround), shapes[i], 'float32'))),
  );
  const named = c.named?.map((name, i) => [name, params[i]!] as const) ?? params;
  const given = c.groups?.map((g) => ({ ...g, params: g.params.map((i) => named[i]!) })) ?? named;
  const optimizer = new optimizers[c.name]!(given, ...(c.args ?? []), withTensors(c.kwargs, tensorOf));

  const missing = (k: number, i: number) => c.missing?.some(([step, p]) => step === k && p === i);
  const setGrads = (k: number, grads: readonly (ArrayLike<number> | SparseValues)[]) => {
    params.forEach((p, i) => {
      setGrad(p, missing(k, i) ? null : gradient(grads[i]!, p.shape));
    });
  };
  const sign = (optimizer.param_groups[0] as { maximize?: boolean }).maximize ? -1 : 1;
  const closure = (k: number) => () => {
    const x = Float32Array.from(params.flatMap((p) => [...p.dataSync()]));
    const { value, gradient } = evaluate(objective!, x);
    const signed = gradient.map((g) => sign * g);
    let offset = 0;
    setGrads(
      k,
      params.map(({ size }) => {
        offset += size;
        return signed.subarray(offset - size, offset);
      }),
    );
    return tf.scalar(sign * value);
  };
  const step = (k: number) => {
    if (objective) return isAsync ? optimizer.step(async () => closure(k)()) : optimizer.step(closure(k));
    setGrads(k, classGolden.problems[c.problem!]!.grads[k]!);
    return optimizer.step();
  };
  return { params, optimizer, step, problem };
}

const plain = (x: unknown): unknown => {
  if (x instanceof tf.Tensor) return { shape: x.shape, values: Array.from(x.dataSync()) };
  if (isTensor(x)) return { shape: x.shape, values: [...single(x.$tensor)] };
  return Array.isArray(x) ? x.map(plain) : x;
};
// As lists, for the order of the keys counts.
const entries = (groups: object[]) => groups.map((g) => Object.entries(g).map(([key, value]) => [key, plain(value)]));

/** What a state entry is, whatever its numbers: shapes, lengths of lists, where there is none. */
const outline = (x: unknown): unknown => {
  if (x instanceof tf.Tensor || isTensor(x)) return x.shape;
  return Array.isArray(x) ? x.map(outline) : x === null ? null : typeof x;
};
const label = (c: ClassCase) => `${c.name}, ${c.desc}`;
const rowOf = (c: ClassCase) => {
  if (c.name === 'LBFGS') return 'LBFGS, exact sums';
  return c.problem === 'sparse' && c.name !== 'SparseAdam' ? `${c.name}, sparse` : c.name;
};

test.each(classGolden.cases.map((c) => [label(c), c] as const))('%s', (_, c) => {
  const { params, optimizer, step, problem } = build(c);
  const origin = { head: classGolden.head, problem };
  const recorded = traceOf(c, origin);
  const named = params.map((p, i) => [nameOf(i), p] as const);
  const trace = replay(recorded, named, optimizer, { step });
  const { worst } = compare(trace, recorded, { only: ['loss', 'model', 'state'] });
  expect(noted(rowOf(c), 'ops', worst)).toBeLessThanOrEqual(tolerances.optimOps);
  if (c.usual) {
    const usual = traceOf({ ...c, ...c.usual }, origin);
    const only = ['loss', 'model'] as const;
    const [own, ours] = [recorded, trace].map((one) => compare(one, usual, { only }).worst);
    expect(noted('LBFGS', 'ops', ours!)).toBeLessThanOrEqual(
      Math.max(tolerances.lbfgs, tolerances.lbfgsOverOwn * own!),
    );
  }

  const saved = optimizer.state_dict();
  expect(Object.keys(saved.state)).toEqual(Object.keys(c.state));
  for (const [id, expected] of Object.entries(c.state)) {
    const state = saved.state[id] as Record<string, unknown>;
    expect(Object.keys(state)).toEqual(Object.keys(expected));
    for (const [key, value] of Object.entries(expected)) {
      expect([key, outline(state[key])]).toEqual([key, outline(value)]);
    }
  }
  expect(entries(saved.param_groups)).toEqual(entries(c.param_groups));
  // JavaScript cannot tell what was given as -1.0, 2.0 from -1, 2.
  expect(String(optimizer)).toBe(c.repr.replace('decay: -1.0', 'decay: -1').replace('-4.7, 2.0)', '-4.7, 2)'));
  tf.dispose([saved.state, saved.param_groups] as tf.TensorContainer);
  optimizer.dispose();
});

test.for(classGolden.cases.map((c) => [label(c), c] as const))(
  `${fused} gives the bits of ops: %s`,
  ([, c], context) => {
    needs(fused, context);
    const [ours, theirs] = ([fused, 'ops'] as const).map((name) =>
      withExecutor(name, () => {
        const { params, optimizer, step } = build(c);
        for (let k = 0; k < 3; k++) step(k);
        optimizer.dispose();
        return params.map((p) => p.dataSync());
      }),
    );
    ours!.forEach((values, i) => {
      expectSameBits(values, theirs![i]!, nameOf(i));
    });
  },
);

test('docs/optimizers.md says what was found', () => checkDocumented('classes'));

test('every option set of torch is a case', () => {
  const count = (name: string) => classGolden.cases.filter((c) => c.name === name && !c.desc.startsWith('ours')).length;
  expect(classGolden.head.torch).toMatch(/^2\.15\.0/);
  expect([count('Adafactor'), count('LBFGS'), count('Muon'), count('SparseAdam')]).toEqual([5, 7, 9, 4]);
});

const counts = () => {
  const { numTensors, numDataBuffers, numBytes } = tf.memory();
  return { numTensors, numDataBuffers, numBytes };
};
type MakeOf = (params: Parameter[]) => Optimizer<object>;
test.each(
  classGolden.cases
    .filter((c) => c.desc.includes('named') || c.desc.includes('few'))
    .map((c) => [label(c), c] as const),
)('%s: goes on from its state as if it had never stopped', (_, c) => {
  const [whole, half, rest] = [build(c), build(c), build(c)];
  for (let k = 0; k < 10; k++) whole.step(k);
  for (let k = 0; k < 5; k++) half.step(k);
  const saved = half.optimizer.state_dict();
  rest.optimizer.load_state_dict(saved);
  tf.dispose(saved.state as unknown as tf.TensorContainer);
  rest.params.forEach((p, i) => {
    p.assign(half.params[i]!);
  });
  for (let k = 5; k < 10; k++) rest.step(k);
  rest.params.forEach((p, i) => {
    expect(Array.from(p.dataSync())).toEqual(Array.from(whole.params[i]!.dataSync()));
  });
});

test.each<[string, MakeOf]>([
  ['SparseAdam', (params) => new SparseAdam(params, 0.1)],
  ['SGD', (params) => new SGD(params, 0.1)],
  ['Adagrad', (params) => new Adagrad(params, 0.1)],
])('%s touches only the rows that a sparse gradient names, and gives all back', (_, make) => {
  const e = new nn.Embedding(6, 3, { sparse: true });
  const [p, ids] = [e.weight, tf.tensor1d([4, 1, 4], 'int32')];
  const rows = (t: tf.Tensor) => t.arraySync() as number[][];
  const start = rows(p);
  const before = counts();
  const optimizer = make([p]);
  const seen = Array.from({ length: 5 }, () => {
    optimizer.zero_grad();
    tf.tidy(() => tf.sum(tf.square(e.forward(ids))).backward());
    optimizer.step();
    return counts();
  });
  for (const at of seen.slice(2)) expect(at).toEqual(seen[1]);
  const moved = rows(p).map((row, i) => row.some((x, j) => x !== start[i]![j]));
  expect(moved).toEqual([false, true, false, false, true, false]);
  for (const value of Object.values(optimizer.state.get(p) ?? {})) {
    if (!(value instanceof tf.Tensor)) continue;
    expect(rows(value).map((row) => row.some((x) => x !== 0))).toEqual(moved);
  }
  optimizer.zero_grad();
  optimizer.dispose();
  expect(counts()).toEqual(before);
});

test('an empty sparse gradient counts as a step and moves nothing', () => {
  const p = new Parameter(tf.ones([2, 2]));
  const optimizer = new SparseAdam([p]);
  setGrad(p, sparse_coo_tensor([[]], tf.zeros([0, 2]), [2, 2]));
  optimizer.step();
  expect(Array.from(p.dataSync())).toEqual([1, 1, 1, 1]);
  expect(optimizer.state.get(p)!.step).toBe(1);
});

test('zero_grad may empty a sparse gradient in place', () => {
  const p = new Parameter(tf.ones([2, 2]));
  const optimizer = new SGD([p], 0.5);
  const grad = sparse_coo_tensor([[1]], [[1, 2]], [2, 2]);
  setGrad(p, grad);
  optimizer.zero_grad(false);
  expect([p.grad === (grad as tf.Tensor), p.grad!.is_sparse, grad._nnz()]).toEqual([true, true, 0]);
  optimizer.step();
  expect(Array.from(p.dataSync())).toEqual([1, 1, 1, 1]);
});

test('a refused gradient of one group leaves the others as they are', () => {
  const [p, q] = [new Parameter(tf.ones([2, 2])), new Parameter(tf.ones([2, 2]))];
  const optimizer = new SparseAdam([{ params: p }, { params: q }]);
  setGrad(p, sparse_coo_tensor([[1]], [[1, 2]], [2, 2]));
  setGrad(q, tf.ones([2, 2]));
  const before = counts();
  expect(() => optimizer.step()).toThrowError('SparseAdam does not support dense gradients');
  expect([...p.dataSync(), optimizer.state.size]).toEqual([1, 1, 1, 1, 0]);
  expect(counts()).toEqual(before);
});

describe('LBFGS', () => {
  test.each(classGolden.cases.filter((c) => c.name === 'LBFGS').map((c) => [c.desc, c] as const))(
    'an async closure gives the same numbers: %s',
    async (_, c) => {
      const [sync, later] = [build(c), build(c, true)];
      for (let k = 0; k < 3; k++) {
        const [loss, promised] = [sync.step(k) as tf.Tensor, later.step(k)];
        expect(promised).toBeInstanceOf(Promise);
        expect(Array.from(((await promised) as tf.Tensor).dataSync())).toEqual(Array.from(loss.dataSync()));
      }
      later.params.forEach((p, i) => {
        expect(Array.from(p.dataSync())).toEqual(Array.from(sync.params[i]!.dataSync()));
      });
    },
  );

  test('gradients by backward, a loss that is a number, and no parameters', () => {
    const p = new Parameter(tf.tensor1d([3, -2]));
    const optimizer = new LBFGS([p], { line_search_fn: 'strong_wolfe' });
    const loss = optimizer.step(() => {
      optimizer.zero_grad();
      const l = tf.sum(tf.square(tf.sub(p, [1, 2])));
      l.backward();
      return l.item();
    });
    expect(loss).toBe(20);
    expect(relativeError(p.dataSync(), [1, 2])).toBeLessThanOrEqual(tolerances.optimOps);
    expect(new LBFGS([{ params: [] }]).step(() => 7)).toBe(7);
  });

  test('max_eval of null in a group is that of the constructor: 1.25·max_iter', () => {
    const p = new Parameter(tf.tensor1d([3, -2]));
    const optimizer = new LBFGS([{ params: p, max_eval: null, max_iter: 4 }], { lr: 0.1 });
    let calls = 0;
    optimizer.step(() => {
      calls++;
      setGrad(p, tf.clone(p));
      return tf.sum(tf.square(p)).mul(0.5);
    });
    expect(calls).toBe(4);
  });

  test('a state of another size is refused, and nothing changes', () => {
    const make = (n: number) => {
      const p = new Parameter(tf.ones([n]));
      const optimizer = new LBFGS([p]);
      optimizer.step(() => {
        setGrad(p, tf.clone(p));
        return 1;
      });
      return optimizer;
    };
    const [three, two] = [make(3), make(2)];
    const before = three.state;
    expect(() => three.load_state_dict(two.state_dict())).toThrowError(
      'loaded state dict: d of parameter 0 has shape [2], but it must be [3]',
    );
    expect(three.state).toBe(before);
  });
});
