import * as tf from '@tensorflow/tfjs-core';
import * as torch from '@tfjs-torch/core';
import * as nn from '@tfjs-torch/nn';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { type Digest, digest, errorOf, label, type Sample, signed } from './programs';
import { readGolden } from './read-golden';
import { relativeError, tolerances } from './tolerances';

// scripts/golden/nn_utils.py says what is recorded.

const { utils, Parameter } = nn;
type NormType = NonNullable<nn.utils.NormOptions['norm_type']>;
type Shape = number[] | null;
interface Clipped {
  shapes: string;
  after: (Sample | null)[];
}
const golden = readGolden<{
  head: { seed: number };
  shapes: Record<string, Shape[]>;
  norms: (Clipped & { norm_type: NormType; scale: number; max_norm: number; norm: Sample })[];
  values: (Clipped & { clip_value: number })[];
  spoiled: { call: string; spoil: string; norm: string | number | null; after: (string | number)[] }[];
  sparse: { norm: number; indices: number[][]; values: number[]; inf: number };
  vectors: { shapes: string; vector: Digest; gradients: Digest[]; after: Digest[] }[];
  errors: Record<string, [string, string]>;
  warnings: Record<string, [string, string][]>;
}>('nn_utils');

function parameters(shapes: string, scale = 1): nn.Parameter[] {
  torch.manual_seed(golden.head.seed);
  return golden.shapes[shapes]!.map((shape) => {
    const p = new Parameter(torch.zeros(shape ?? [2]));
    if (shape) p.grad = signed(shape).mul(scale);
    return p;
  });
}

function expectGradients(given: nn.Parameter[], after: (Sample | null)[]) {
  given.forEach((p, i) => {
    if (after[i] === null) expect(p.grad).toBeNull();
    else expect(errorOf(p.grad, after[i]!)).toBeLessThanOrEqual(tolerances.loss);
  });
}

/** Python's words for what JSON lacks. */
const written = (xs: Iterable<number>) =>
  [...xs].map((x) => (Number.isFinite(x) ? x : `${x}`.replace('Infinity', 'inf').replace('NaN', 'nan')));

const grad = (...values: number[]) => {
  const p = new Parameter(torch.zeros(values.length));
  p.grad = torch.tensor(values);
  return p;
};

describe('clipping equals torch.float64', () => {
  const title = (row: object) => label({ ...row, after: undefined, norm: undefined });
  test.for(golden.norms.map((row) => [title(row), row] as const))('%s', ([, row]) => {
    const given = parameters(row.shapes, row.scale);
    const gradients = given.map((p) => p.grad);
    const norm = utils.clip_grad_norm_(given, row.max_norm, row.norm_type);
    expect(errorOf(norm, row.norm)).toBeLessThanOrEqual(tolerances.loss);
    expectGradients(given, row.after);
    // In place.
    expect(given.map((p) => p.grad)).toEqual(gradients);
  });

  test.for(golden.values.map((row) => [title(row), row] as const))('%s', ([, row]) => {
    const given = parameters(row.shapes);
    utils.clip_grad_value_(given, { clip_value: row.clip_value, foreach: true });
    expectGradients(given, row.after);
  });

  test.for(golden.spoiled)('$call passes $spoil on', ({ call, spoil, norm, after }) => {
    const [p] = parameters('one', 0.5);
    const values = p!.grad!.dataSync().slice();
    values[1] = Number(spoil.replace('inf', 'Infinity'));
    p!.grad = torch.tensor(values).reshape(2, 2);
    if (call === 'clip_grad_value_') utils.clip_grad_value_(p!, 0.125);
    else {
      const found = utils.clip_grad_norm_(p!, 1, call.endsWith('inf') ? 'inf' : 2);
      expect(written([found.item()])).toEqual([norm]);
    }
    expect(written(p!.grad!.dataSync())).toEqual(after);
  });

  test('in steps: get_total_norm, then clip_grads_with_norm_', () => {
    const [whole, steps] = [parameters('net', 8), parameters('net', 8)];
    const norm = utils.clip_grad_norm_(whole, 1);
    const same = utils.get_total_norm(steps.map((p) => p.grad!));
    utils.clip_grads_with_norm_(steps, 1, same);
    expect(same.item()).toBe(norm.item());
    expect(steps.map((p) => digest(p.grad!))).toEqual(whole.map((p) => digest(p.grad!)));
  });

  test('parameters may come from a generator, once', () => {
    const given = parameters('net', 8);
    const norm = utils.clip_grad_norm_(
      (function* () {
        yield* given;
      })(),
      1,
    );
    expect(utils.get_total_norm(given.map((p) => p.grad!)).item()).toBeCloseTo(1, 5);
    expect(norm.item()).toBeGreaterThan(1);
  });
});

describe('sparse gradients', () => {
  const make = () => {
    const p = new Parameter(torch.zeros(4, 2));
    p.grad = torch.sparse_coo_tensor(
      [[0, 1, 0]],
      [
        [3, 0],
        [4, 1],
        [1, 1],
      ],
      [4, 2],
    );
    return p;
  };

  test('are clipped by their norm, and stay sparse', () => {
    const p = make();
    const grad = p.grad as tf.Tensor as torch.SparseTensor;
    const norm = utils.clip_grad_norm_(p, 1);
    expect(norm.item()).toBeCloseTo(golden.sparse.norm, 6);
    expect(p.grad).toBe(grad);
    expect(grad._indices().arraySync()).toEqual(golden.sparse.indices);
    expect(relativeError(grad._values().dataSync(), golden.sparse.values)).toBeLessThanOrEqual(tolerances.loss);
    expect(utils.get_total_norm(make().grad!, { norm_type: 'inf' }).item()).toBe(golden.sparse.inf);
  });

  test('are not clipped by value, and nothing else is then', () => {
    const other = grad(3);
    expect(() => utils.clip_grad_value_([other, make()], 1)).toThrow(
      /^Could not run 'aten::clamp_min_' with arguments from the 'SparseCPU' backend\./,
    );
    expect(other.grad!.item()).toBe(3);
  });
});

describe('vectors', () => {
  test.for(golden.vectors)('of $shapes equal torch bit for bit', ({ shapes, vector, gradients, after }) => {
    torch.manual_seed(golden.head.seed);
    const given = golden.shapes[shapes]!.map((shape) => new Parameter(signed(shape!)));
    const joined = utils.parameters_to_vector(given);
    joined.mul(torch.arange(joined.numel())).sum().backward();
    utils.vector_to_parameters(torch.arange(joined.numel() + 3).float(), given);
    expect(digest(joined)).toEqual(vector);
    expect(given.map((p) => digest(p.grad!))).toEqual(gradients);
    expect(given.map(digest)).toEqual(after);
    expect(given.every((p) => p.is_leaf && p.requires_grad)).toBe(true);
  });

  test('one that is too short changes nothing', () => {
    const given = [new Parameter(torch.zeros(2)), new Parameter(torch.zeros(2))];
    expect(() => utils.vector_to_parameters(torch.ones(3), given)).toThrow(
      "shape '[2]' is invalid for input of size 1",
    );
    expect(given.flatMap((p) => [...p.dataSync()])).toEqual([0, 0, 0, 0]);
  });

  test('one in rows, and one of as many as there are', () => {
    const given = [new Parameter(torch.zeros(2, 2)), new Parameter(torch.zeros(2))];
    utils.vector_to_parameters(torch.arange(6).float().reshape(6, 1), given);
    expect(given.flatMap((p) => [...p.dataSync()])).toEqual([0, 1, 2, 3, 4, 5]);
    const [first] = given;
    utils.vector_to_parameters(torch.ones(4), [first!]);
    expect([...first!.dataSync()]).toEqual([1, 1, 1, 1]);
  });
});

test('clipping and converting leave nothing behind but the norm', () => {
  const given = parameters('net', 8);
  const step = () => {
    const norm = utils.clip_grad_norm_(given, 1);
    utils.clip_grad_value_(given, 0.01);
    norm.dispose();
    const vector = torch.no_grad(() => utils.parameters_to_vector(given));
    utils.vector_to_parameters(vector, given);
    vector.dispose();
  };
  step();
  const before = tf.memory();
  for (let i = 0; i < 3; i++) step();
  const { numTensors, numBytes, numDataBuffers } = before;
  expect(tf.memory()).toMatchObject({ numTensors, numBytes, numDataBuffers });
});

describe('tfjs is called no more than it must be', () => {
  afterEach(() => vi.restoreAllMocks());
  const kernels = (f: () => void) => {
    const spy = vi.spyOn(tf.engine(), 'runKernel').mockClear();
    f();
    return spy.mock.calls.filter(([name]) => name !== 'Reshape' && name !== 'Identity').length;
  };

  test('gradients that need no clipping are not touched', () => {
    const given = Array.from({ length: 20 }, () => grad(1, 2));
    expect(kernels(() => utils.clip_grad_norm_(given, 1000))).toBeLessThan(10);
    expect(kernels(() => utils.clip_grad_norm_(given, 1))).toBeLessThan(20 + 10);
  });

  test('a vector is split once', () => {
    const given = Array.from({ length: 20 }, () => grad(1, 2));
    expect(kernels(() => utils.vector_to_parameters(torch.ones(40), given))).toBeLessThan(5);
  });
});

// The same calls, by name, as in scripts/golden/nn_utils.py; what does not compile there is for JavaScript.
const any = (x: unknown) => x as never;
const calls: Record<string, () => unknown> = {
  nonfinite: () => utils.clip_grad_norm_([grad(Number.POSITIVE_INFINITY, 1)], 1, { error_if_nonfinite: true }),
  'nonfinite 1.5': () => utils.clip_grad_norm_([grad(Number.NaN, 1)], 1, 1.5, true),
  'nonfinite inf': () =>
    utils.get_total_norm([torch.tensor([Number.POSITIVE_INFINITY])], 'inf', { error_if_nonfinite: true }),
  norm_type: () => utils.clip_grad_norm_([grad(1)], 1, any('foo')),
  'norm_type None': () => utils.clip_grad_norm_([grad(1)], 1, any(null)),
  max_norm: () => utils.clip_grad_norm_([grad(1)], any('x')),
  'no max_norm': () => utils.clip_grad_norm_([grad(1)]),
  'unknown keyword': () => utils.clip_grad_norm_([grad(1)], 1, any({ normtype: 2 })),
  None: () => utils.clip_grad_norm_(any(null), 1),
  numbers: () => utils.clip_grad_norm_(any([1, 2]), 1),
  'norm of None': () => utils.get_total_norm(any([null])),
  'norm of int': () => utils.get_total_norm([torch.ones(2, { dtype: torch.int64 })]),
  'inf of nothing': () => utils.get_total_norm([torch.ones(0)], 'inf'),
  clip_value: () => utils.clip_grad_value_([grad(1)], any('a')),
  'value of numbers': () => utils.clip_grad_value_(any([1, 2]), 1),
  'no parameters': () => utils.parameters_to_vector([]),
  'vector of numbers': () => utils.parameters_to_vector(any([3])),
  'vector too short': () => utils.vector_to_parameters(torch.ones(3), [new Parameter(torch.ones(2, 2))]),
  'vector too short later': () =>
    utils.vector_to_parameters(torch.ones(5), [new Parameter(torch.ones(2, 2)), new Parameter(torch.ones(3))]),
  'vector is list': () => utils.vector_to_parameters(any([1]), [new Parameter(torch.ones(2, 2))]),
  'vector is number': () => utils.vector_to_parameters(any(1.5), []),
  'vector is None': () => utils.vector_to_parameters(any(null), []),
  'vector of int': () =>
    utils.vector_to_parameters(torch.ones(4, { dtype: torch.int64 }), [new Parameter(torch.ones(2, 2))]),
  'vector is scalar': () => utils.vector_to_parameters(torch.tensor(1), [new Parameter(torch.ones(1))]),
  'empty generator': () => utils.clip_grad_norm_(new nn.Identity().parameters(), 1),
  clip_grad_norm: () => utils.clip_grad_norm([grad(3, 4)], 1),
  'empty list': () => utils.clip_grad_norm_([], 1),
};

describe('bad input', () => {
  const plain = (text: string) => text.replace(/\. Did you mean '\w+'\?$/, '');
  test.for(Object.entries(golden.errors))('%s', ([name, [error, text]]) => {
    let caught: Error | undefined;
    try {
      calls[name]!();
    } catch (e) {
      caught = e as Error;
    }
    expect([caught?.name, plain(caught?.message ?? '')]).toEqual([error, text]);
  });

  test.for(Object.entries(golden.warnings))('warns: %s', ([name, warnings]) => {
    const caught = torch.catch_warnings(() => {
      calls[name]!();
    });
    expect(caught).toEqual(warnings.map(([category, message]) => ({ category, message })));
  });
});
