import * as tf from '@tensorflow/tfjs-core';
import { manual_seed, Parameter, type SparseTensor, sparse_coo_tensor } from '@tfjs-torch/core';
import * as nn from '@tfjs-torch/nn';
import { describe, expect, test } from 'vitest';
import { readGolden } from './read-golden';
import { relativeError, tolerances } from './tolerances';

// Recorded by scripts/golden/sparse.py.
interface Dense {
  shape: number[];
  values: number[];
}
interface Sparse {
  shape: number[];
  coalesced: boolean;
  indices: number[][];
  values: Dense;
}
interface Golden {
  head: { torch: string; seed: number };
  embeddings: {
    weight: Dense;
    ids: Dense;
    dy: Dense;
    kwargs: nn.functional.EmbeddingFunctionOptions;
    y: Dense;
    grad: Dense | Sparse;
    coalesced: Sparse | null;
  }[];
  modules: {
    args: [number, number];
    kwargs: object;
    repr: string;
    keys: string[];
    padding_idx: number | null;
    weight: Dense;
  }[];
  sums: { turns: string; grad: Dense | Sparse }[];
  prints: { indices: number[][]; values: number[] | number[][]; shape: number[]; text: string }[];
  errors: { desc: string; error: { class: string; text: string } }[];
}
const golden = readGolden<Golden>('sparse');

const tensor = ({ values, shape }: Dense, dtype: 'float32' | 'int32' = 'float32') =>
  tf.tensor(dtype === 'float32' ? Float32Array.from(values) : Int32Array.from(values), shape, dtype);
const single = ({ values }: Dense) => Float32Array.from(values);
const isSparse = (x: Dense | Sparse): x is Sparse => 'indices' in x;

function check(actual: tf.Tensor, expected: Dense | Sparse) {
  expect(actual.is_sparse).toBe(isSparse(expected));
  expect(actual.shape).toEqual(expected.shape);
  if (isSparse(expected)) {
    const sparse = actual as SparseTensor;
    expect(sparse._nnz()).toBe(expected.values.shape[0]);
    const indices = sparse._indices();
    expect([indices.shape[0], ...indices.dataSync()]).toEqual([expected.indices.length, ...expected.indices.flat()]);
    check(sparse._values(), expected.values);
  } else expect(relativeError(actual.dataSync(), single(expected))).toBeLessThanOrEqual(tolerances.embedding);
}

test.each(golden.embeddings.map((r, i) => [`${i}: [${r.ids.shape}], ${JSON.stringify(r.kwargs)}`, r] as const))(
  'embedding %s',
  (_, r) => {
    const weight = new Parameter(tensor(r.weight));
    const y = nn.functional.embedding(tensor(r.ids, 'int32'), weight, r.kwargs);
    check(y, r.y);
    y.backward(tensor(r.dy));
    const grad = weight.grad!;
    check(grad, r.grad);
    if (r.coalesced === null) return;
    const coalesced = (grad as tf.Tensor as SparseTensor).coalesce();
    check(coalesced, r.coalesced);
    expect(coalesced.is_coalesced()).toBe(true);
    expect(coalesced.coalesce()).toBe(coalesced);
  },
);

test.each(golden.modules.map((r) => [r.repr, r] as const))('%s starts as torch’s', (_, r) => {
  manual_seed(golden.head.seed);
  const e = new nn.Embedding(...r.args, r.kwargs);
  expect(String(e)).toBe(r.repr);
  expect([e.weight.shape, e.padding_idx, Object.keys(e.state_dict())]).toEqual([r.weight.shape, r.padding_idx, r.keys]);
  expect(relativeError(e.weight.dataSync(), single(r.weight))).toBeLessThanOrEqual(tolerances.embedding);
});

test.each(golden.sums.map((r) => [r.turns, r] as const))(
  'sparse (s) and dense (d) gradients add up: %s',
  (turns, r) => {
    const w = new Parameter(tf.range(0, 8).reshape([4, 2]));
    const ids = tf.tensor1d([1, 3, 1], 'int32');
    let first: tf.Tensor | null = null;
    for (const turn of turns.includes('+') ? [turns.split('+')] : turns) {
      const losses = [...turn].map((k, i) =>
        tf.sum(tf.mul(nn.functional.embedding(ids, w, { sparse: k === 's' }), i + 1)),
      );
      tf.addN(losses).backward();
      first ??= w.grad;
    }
    check(w.grad!, r.grad);
    // Who holds the gradient sees the sum, unless it had to become dense.
    if (!(turns[0] === 's' && turns.includes('d'))) expect(w.grad).toBe(first);
  },
);

test.each(golden.prints.map((r) => [`[${r.shape}], ${r.indices.length} sparse`, r] as const))(
  'prints as torch: %s',
  (_, { indices, values, shape, text }) => {
    expect(String(sparse_coo_tensor(indices, values, shape))).toBe(text);
  },
);

const w = () => tf.zeros([4, 3]);
const i = () => tf.tensor1d([1], 'int32');
const { embedding } = nn.functional;
const calls: Record<string, () => unknown> = {
  'F: index too large': () => embedding(tf.tensor1d([4], 'int32'), w()),
  'F: negative index': () => embedding(tf.tensor1d([-1], 'int32'), w()),
  'F: float indices': () => embedding(tf.tensor1d([1]), w()),
  'F: a list': () => embedding([1] as unknown as tf.Tensor, w()),
  'F: padding_idx too large': () => embedding(i(), w(), { padding_idx: 4 }),
  'F: padding_idx too small': () => embedding(i(), w(), { padding_idx: -5 }),
  'F: weight of one dimension': () => embedding(i(), tf.zeros([3])),
  'nn: padding_idx too large': () => new nn.Embedding(3, 4, { padding_idx: 3 }),
  'nn: padding_idx too small': () => new nn.Embedding(3, 4, -4),
  'nn: a weight of another shape': () => new nn.Embedding(3, 4, { _weight: tf.zeros([2, 2]) }),
  'nn: one size': () => new nn.Embedding(3),
  'nn: negative size': () => new nn.Embedding(-3, 2),
  'nn: unknown option': () => new nn.Embedding(3, 2, { pading_idx: 1 } as object),
  'nn: from_pretrained of one dimension': () => nn.Embedding.from_pretrained(tf.zeros([3])),
  'coo: too few values': () => sparse_coo_tensor([[0, 1]], tf.ones([3, 3]), [4, 3]),
  'coo: values of another width': () => sparse_coo_tensor([[0, 1]], tf.ones([2, 2]), [4, 3]),
  'coo: indices of an uncoalesced': () => sparse_coo_tensor([[1, 1]], tf.ones([2, 3]), [4, 3]).indices(),
  'coo: values of an uncoalesced': () => sparse_coo_tensor([[1, 1]], tf.ones([2, 3]), [4, 3]).values(),
};
test.each(golden.errors.map((r) => [r.desc, r] as const))('torch’s error: %s', (desc, { error }) => {
  let thrown: unknown;
  try {
    calls[desc]!();
  } catch (e) {
    thrown = e;
  }
  expect((thrown as Error)?.name).toBe(error.class);
  expect((thrown as Error).message.replace(/\. Did you mean '\w+'\?$/, '')).toBe(error.text);
});

describe('a sparse tensor', () => {
  const make = () =>
    sparse_coo_tensor(
      [[2, 0, 2]],
      [
        [1, 2],
        [3, 4],
        [5, 6],
      ],
      [4, 2],
    );

  test('is the dense one to whoever knows nothing of it', () => {
    const t = make();
    const dense = [3, 4, 0, 0, 6, 8, 0, 0];
    expect(Array.from(t.to_dense().dataSync())).toEqual(dense);
    expect(Array.from(t.dataSync())).toEqual(dense);
    expect(Array.from(tf.mul(t, 2).dataSync())).toEqual(dense.map((x) => 2 * x));
    expect([t.is_sparse, tf.ones([1]).is_sparse, t.sparse_dim(), t.dense_dim()]).toEqual([true, false, 1, 1]);
  });

  test('may have several sparse dimensions', () => {
    const t = sparse_coo_tensor(
      [
        [1, 0, 1],
        [2, 1, 2],
      ],
      [1, 2, 3],
      [2, 3],
    ).coalesce();
    expect(t.indices().arraySync()).toEqual([
      [0, 1],
      [1, 2],
    ]);
    expect(Array.from(t.values().dataSync())).toEqual([2, 4]);
    expect(t.to_dense().arraySync()).toEqual([
      [0, 2, 0],
      [0, 0, 4],
    ]);
  });

  test.each<[string, number[][], string]>([
    ['too large', [[0, 4]], 'size is inconsistent with indices: for dim 0, size is 4 but found index 4'],
    ['negative', [[-1, 0]], 'found negative index -1 for dim 0'],
  ])('an index that is %s is refused, which torch leaves to chance', (_, indices, text) => {
    expect(() => sparse_coo_tensor(indices, tf.ones([2, 3]), [4, 3])).toThrowError(text);
  });

  test('cannot be written to in place, but be multiplied and emptied', () => {
    const t = make();
    expect(() => t.add_(2)).toThrowError('in place, a sparse tensor can only be zeroed or multiplied');
    expect(() => t.mul_(tf.ones([4, 2]))).toThrowError('in place, a sparse tensor can only be zeroed or multiplied');
    expect(
      Array.from(
        t
          .mul_(2)
          .mul_(tf.tensor([0.5]))
          .mul_(3)
          .dataSync(),
      ),
    ).toEqual([9, 12, 0, 0, 18, 24, 0, 0]);
    expect([t._nnz(), t.is_coalesced()]).toEqual([3, false]);
    t.zero_();
    expect([t._nnz(), ...t.dataSync()]).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0]);
  });
});

test('tensors, buffers and bytes are constant, and all is given back', () => {
  const counts = () => {
    const { numTensors, numDataBuffers, numBytes } = tf.memory();
    return { numTensors, numDataBuffers, numBytes };
  };
  const e = new nn.Embedding(10, 4, { sparse: true });
  const ids = tf.tensor2d(
    [
      [1, 2],
      [1, 9],
    ],
    [2, 2],
    'int32',
  );
  const before = counts();
  for (let turn = 0; turn < 4; turn++) {
    tf.tidy(() => {
      // The second adds to the first; a dense one makes a dense sum of it.
      for (let k = 0; k < 2; k++) tf.sum(tf.square(e.forward(ids))).backward();
      tf.sum(nn.functional.embedding(ids, e.weight, { sparse: turn % 2 === 0 })).backward();
    });
    e.zero_grad();
    expect(counts()).toEqual(before);
  }
});
