import * as tf from '@tensorflow/tfjs-core';
import * as torch from '@tfjs-torch/core';
import { expect, test } from 'vitest';

const { tensor } = torch;
const f32 = (...values: number[]) => [...Float32Array.from(values)];

test.each<[string, () => tf.Tensor, number[], string, number[]]>([
  ['a number', () => tensor(3), [], 'float32', [3]],
  ['a boolean', () => tensor(true), [], 'bool', [1]],
  [
    'nested numbers',
    () =>
      tensor([
        [1, 2.5],
        [3, 4],
      ]),
    [2, 2],
    'float32',
    [1, 2.5, 3, 4],
  ],
  ['int64 by name', () => tensor([1.7, -1.7], { dtype: torch.int64 }), [2], 'int32', [1, -1]],
  ['long', () => tensor([1, 2], { dtype: 'long' }), [2], 'int32', [1, 2]],
  ['nested booleans', () => tensor([[true], [false]]), [2, 1], 'bool', [1, 0]],
  ['numbers as bool', () => tensor([0, 0.5, 2], { dtype: torch.bool }), [3], 'bool', [0, 1, 1]],
  ['booleans among numbers', () => tensor([true, 2]), [2], 'float32', [1, 2]],
  ['Float32Array', () => tensor(new Float32Array([1.5])), [1], 'float32', [1.5]],
  ['Float64Array', () => tensor(new Float64Array([0.1])), [1], 'float32', f32(0.1)],
  ['Int32Array', () => tensor(new Int32Array([-5])), [1], 'int32', [-5]],
  ['Uint8Array as float', () => tensor(new Uint8Array([7]), { dtype: 'float32' }), [1], 'float32', [7]],
  ['BigInt64Array', () => tensor(new BigInt64Array([9n])), [1], 'int32', [9]],
  ['bigints', () => tensor([1n, 2n]), [2], 'int32', [1, 2]],
  [
    'typed arrays in an array',
    () => tensor([new Float32Array([1, 2]), new Float32Array([3, 4])]),
    [2, 2],
    'float32',
    [1, 2, 3, 4],
  ],
  ['tensors in an array', () => tensor([tf.scalar(1), tf.scalar(2)]), [2], 'float32', [1, 2]],
  ['a tensor', () => tensor(tf.tensor2d([[1, 2]], undefined, 'int32')), [1, 2], 'int32', [1, 2]],
  ['nothing', () => tensor([]), [0], 'float32', []],
  ['two times nothing', () => tensor([[], []]), [2, 0], 'float32', []],
  ['as_tensor', () => torch.as_tensor([1, 2]), [2], 'float32', [1, 2]],
  ['zeros', () => torch.zeros(2, 1), [2, 1], 'float32', [0, 0]],
  ['zeros of an array', () => torch.zeros([2], { dtype: torch.long }), [2], 'int32', [0, 0]],
  ['zeros, a scalar', () => torch.zeros([]), [], 'float32', [0]],
  ['ones, bool', () => torch.ones(2, { dtype: torch.bool }), [2], 'bool', [1, 1]],
  ['empty', () => torch.empty(0, 3), [0, 3], 'float32', []],
  ['full', () => torch.full([2], 1.5), [2], 'float32', [1.5, 1.5]],
  ['full, boolean', () => torch.full([1], true), [1], 'bool', [1]],
  ['full, int', () => torch.full([1], 3, { dtype: torch.int32 }), [1], 'int32', [3]],
  ['zeros_like', () => torch.zeros_like(tf.ones([2], 'int32')), [2], 'int32', [0, 0]],
  ['ones_like, dtype', () => torch.ones_like(tf.ones([2], 'int32'), { dtype: 'float32' }), [2], 'float32', [1, 1]],
  ['full_like', () => torch.full_like(tf.ones([2], 'int32'), 4), [2], 'int32', [4, 4]],
  ['empty_like', () => torch.empty_like(tf.ones([1, 2])), [1, 2], 'float32', [0, 0]],
  ['eye', () => torch.eye(2), [2, 2], 'float32', [1, 0, 0, 1]],
  ['eye n m', () => torch.eye(1, 2, { dtype: 'int32' }), [1, 2], 'int32', [1, 0]],
  ['arange of integers', () => torch.arange(3), [3], 'int32', [0, 1, 2]],
  ['arange float', () => torch.arange(3, { dtype: torch.float32 }), [3], 'float32', [0, 1, 2]],
  ['arange start end', () => torch.arange(2, 4), [2], 'int32', [2, 3]],
  ['arange step by keyword', () => torch.arange(1, 7, { step: 3 }), [2], 'int32', [1, 4]],
  ['arange down', () => torch.arange(3, 0, -2), [2], 'int32', [3, 1]],
  ['arange of fractions', () => torch.arange(0, 0.3, 0.1), [3], 'float32', f32(0, 0.1, 0.2)],
  ['arange, empty', () => torch.arange(0), [0], 'int32', []],
  ['linspace', () => torch.linspace(0, 1, 3), [3], 'float32', [0, 0.5, 1]],
  ['linspace of one', () => torch.linspace(2, 9, 1), [1], 'float32', [2]],
])('%s', (_, make, shape, dtype, values) => {
  const t = make();
  expect([t.shape, t.dtype, [...t.dataSync()]]).toEqual([shape, dtype, values]);
});

test('tensor copies typed arrays', () => {
  const values = new Float32Array([1, 2]);
  const t = tensor(values);
  values[0] = 9;
  expect([...t.dataSync()]).toEqual([1, 2]);
});

test('as_tensor gives a tensor back as it is', () => {
  const t = tf.zeros([2]);
  expect(torch.as_tensor(t)).toBe(t);
  expect(torch.as_tensor(t, { dtype: torch.int64 }).dtype).toBe('int32');
});

test.each([
  ['tensor', () => tensor([1, 2], { requires_grad: true })],
  ['zeros', () => torch.zeros(2, { requires_grad: true })],
  ['rand', () => torch.rand(2, { requires_grad: true })],
])('%s with requires_grad', (_, make) => expect(make()).toHaveProperty('requires_grad', true));

const { RuntimeError, ValueError } = torch;
test.each<[string, () => unknown, new (message: string) => Error, string]>([
  ['ragged', () => tensor([[1], [1, 2]]), ValueError, 'expected sequence of length 1 at dim 1 (got 2)'],
  ['a number among lists', () => tensor([[1, 2], 3]), TypeError, 'not a sequence'],
  ['a list among numbers', () => tensor([1, [2]]), TypeError, 'only integer tensors of a single element'],
  ['a string', () => tensor('a' as unknown as number), TypeError, "new(): invalid data type 'str'"],
  ['null', () => tensor([null as unknown as number]), TypeError, "new(): invalid data type 'NoneType'"],
  [
    'integers that require grad',
    () => tensor([1], { dtype: 'int64', requires_grad: true }),
    RuntimeError,
    'Only Tensors of floating point and complex dtype can require gradients',
  ],
  [
    'a dtype that tfjs lacks',
    () => tensor(1, { dtype: 'float64' as 'float' }),
    RuntimeError,
    'dtype float64 is not available',
  ],
  [
    'a misspelt option',
    () => tensor(1, { dtpe: 'bool' } as object),
    TypeError,
    "tensor() got an unexpected keyword argument 'dtpe'. Did you mean 'dtype'?",
  ],
  [
    'a fractional size',
    () => torch.zeros(2.5),
    TypeError,
    "zeros(): argument 'size' (position 1) must be tuple of ints, not float",
  ],
  [
    'a negative size',
    () => torch.ones(2, -1),
    RuntimeError,
    'Trying to create tensor with negative dimension -1: [2, -1]',
  ],
  [
    'arange upwards to below',
    () => torch.arange(1, 0),
    RuntimeError,
    'upper bound and lower bound inconsistent with step sign',
  ],
  ['arange step 0', () => torch.arange(0, 5, 0), RuntimeError, 'step must be nonzero'],
  ['arange NaN', () => torch.arange(Number.NaN), RuntimeError, 'unsupported range: 0 -> nan'],
  ['linspace steps', () => torch.linspace(0, 1, -1), RuntimeError, 'number of steps must be non-negative'],
  ['eye', () => torch.eye(-1), RuntimeError, 'n must be greater or equal to 0, got -1'],
  ['eye m', () => torch.eye(1, -2), RuntimeError, 'm must be greater or equal to 0, got -2'],
])('refuses %s', (_, call, type, message) => {
  expect(call).toThrow(type);
  expect(call).toThrow(message);
});
