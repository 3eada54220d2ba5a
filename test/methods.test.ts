import { inspect } from 'node:util';
import type * as tf from '@tensorflow/tfjs-core';
import * as torch from '@tfjs-torch/core';
import { device, ones, Parameter, tensor, zeros } from '@tfjs-torch/core';
import { describe, expect, test } from 'vitest';

const x = () =>
  tensor([
    [-7, 7],
    [1.5, -1.5],
  ]);
const list = (t: tf.Tensor) => t.arraySync();
/** What TypeScript refuses, as plain JavaScript passes it. */
// biome-ignore lint/suspicious/noExplicitAny: the point of it
const loose = (t: tf.Tensor) => t as any;

describe('keywords stand in one plain object at the end', () => {
  const rows: [name: string, call: () => unknown, wanted: unknown][] = [
    ['requires_grad_', () => ones(2).requires_grad_({ requires_grad: false }).requires_grad, false],
    ['requires_grad_ without', () => ones(2).requires_grad_().requires_grad, true],
    ['new Parameter', () => new Parameter(ones(2), { requires_grad: false }).requires_grad, false],
    ['flatten', () => ones(2, 3, 4).flatten({ start_dim: 1 }).shape, [2, 12]],
    ['flatten, mixed', () => ones(2, 3, 4).flatten(0, { end_dim: 1 }).shape, [6, 4]],
    ['torch.flatten', () => torch.flatten(ones(2, 3, 4), { start_dim: 1 }).shape, [2, 12]],
    ['argmax', () => list(x().argmax(1, { keepdim: false })), [1, 0]],
    ['argmax by dim', () => list(x().argmax({ dim: 0, keepdim: true })), [[1, 0]]],
    [
      'div floor',
      () => list(x().div(2, { rounding_mode: 'floor' })),
      [
        [-4, 3],
        [0, -1],
      ],
    ],
    [
      'div trunc',
      () => list(x().div(2, { rounding_mode: 'trunc' })),
      [
        [-3, 3],
        [0, -0],
      ],
    ],
    [
      'div none',
      () => list(x().div(2, { rounding_mode: null })),
      [
        [-3.5, 3.5],
        [0.75, -0.75],
      ],
    ],
    ['div floor of what rounds up', () => list(tensor([1]).div(tensor([0.1]), { rounding_mode: 'floor' })), [9]],
    [
      'div_ floor',
      () => list(x().div_(2, { rounding_mode: 'floor' })),
      [
        [-4, 3],
        [0, -1],
      ],
    ],
    [
      'torch.div',
      () => list(torch.div(x(), 2, { rounding_mode: 'floor' })),
      [
        [-4, 3],
        [0, -1],
      ],
    ],
    ['normal_', () => list(zeros(2).normal_({ mean: 5, std: 0 })), [5, 5]],
    ['uniform_', () => list(zeros(2).uniform_({ from: 3, to: 3 })), [3, 3]],
    ['add alpha', () => list(ones(2).add(1, { alpha: 2 })), [3, 3]],
    ['add, old form', () => list(loose(ones(2)).add(2, ones(2))), [3, 3]],
    ['add_ alpha', () => list(ones(2).add_(1, { alpha: 3 })), [4, 4]],
    ['add_, old form', () => list(ones(2).add_(3, ones(2))), [4, 4]],
    ['addcmul_', () => list(ones(2).addcmul_(ones(2), tensor([2, 3]), { value: 10 })), [21, 31]],
    ['addcmul_, old form', () => list(ones(2).addcmul_(10, ones(2), tensor([2, 3]))), [21, 31]],
    ['addcdiv_, old form', () => list(ones(2).addcdiv_(10, ones(2), tensor([2, 5]))), [6, 3]],
    [
      'clamp',
      () => list(x().clamp({ min: 0 })),
      [
        [0, 7],
        [1.5, 0],
      ],
    ],
    [
      'clamp_ by position',
      () => list(x().clamp_(null, 1)),
      [
        [-7, 1],
        [1, -1.5],
      ],
    ],
    ['unsqueeze', () => ones(2).unsqueeze({ dim: 0 }).shape, [1, 2]],
    ['squeeze', () => ones(1, 2, 1).squeeze({ dim: 0 }).shape, [2, 1]],
    ['lerp_', () => list(zeros(2).lerp_(ones(2), { weight: 0.25 })), [0.25, 0.25]],
    ['sum', () => list(x().sum({ dim: 1 })), [0, 0]],
    ['sum keepdim', () => list(x().sum(1, { keepdim: true })), [[0], [0]]],
    ['mean of all', () => list(x().mean({ keepdim: false })), 0],
    ['torch.split', () => torch.split(ones(2, 3), 2, { dim: 1 }).map((t) => t.shape[1]), [2, 1]],
    ['torch.chunk', () => torch.chunk(ones(2, 4), 2, { dim: 1 }).map((t) => t.shape[1]), [2, 2]],
    ['torch.squeeze', () => torch.squeeze(ones(1, 2, 1), { dim: 0 }).shape, [2, 1]],
    ['torch.squeeze of all', () => torch.squeeze(ones(1, 2, 1)).shape, [2]],
    ['view', () => ones(2, 3).view({ size: [3, -1] }).shape, [3, 2]],
    ['permute', () => ones(2, 3).permute({ dims: [1, 0] }).shape, [3, 2]],
    ['transpose', () => ones(2, 3).transpose({ dim0: 0, dim1: 1 }).shape, [3, 2]],
    ['to', () => ones(2).to('cuda', { non_blocking: true }).dtype, 'float32'],
    ['to a device object and a dtype', () => ones(2).to(device('cpu'), torch.long).dtype, 'int32'],
    ['to by keyword', () => ones(2).to({ device: device('cpu'), dtype: torch.long }).dtype, 'int32'],
    // tfjs's own calls
    ['tfjs: sum', () => list(x().sum(1, true)), [[0], [0]]],
    ['tfjs: max', () => list(x().max(1)), [7, 1.5]],
    ['tfjs: add of a list', () => list(ones(2).add([1, 2])), [2, 3]],
    ['tfjs: transpose', () => ones(2, 3).transpose([1, 0]).shape, [3, 2]],
    ['tfjs: reshape', () => ones(2, 3).reshape([3, 2]).shape, [3, 2]],
  ];
  test.each(rows)('%s', (_, call, wanted) => {
    expect(call()).toEqual(wanted);
  });
});

const functions = { add: torch.add, sub: torch.sub, mul: torch.mul, div: torch.div };

describe('errors', () => {
  const rows: [name: string, call: () => unknown, type: string, message: string][] = [
    [
      'sum',
      () => loose(x()).sum(1, { keep_dim: true }),
      'TypeError',
      "sum() got an unexpected keyword argument 'keep_dim'. Did you mean 'keepdim'?",
    ],
    [
      'add',
      () => loose(x()).add(1, { alfa: 2 }),
      'TypeError',
      "add() got an unexpected keyword argument 'alfa'. Did you mean 'alpha'?",
    ],
    [
      'torch.add',
      () => torch.add(x(), 1, { alfa: 2 } as object),
      'TypeError',
      "add() got an unexpected keyword argument 'alfa'. Did you mean 'alpha'?",
    ],
    [
      'add_',
      () => loose(x()).add_(1, { alfa: 3 }),
      'TypeError',
      "add_() got an unexpected keyword argument 'alfa'. Did you mean 'alpha'?",
    ],
    [
      'backward',
      () => loose(x()).backward({ retain_grph: true }),
      'TypeError',
      "Tensor.backward() got an unexpected keyword argument 'retain_grph'. Did you mean 'retain_graph'?",
    ],
    ['zero_', () => loose(x()).zero_({ a: 3 }), 'TypeError', "zero_() got an unexpected keyword argument 'a'"],
    [
      'max',
      () => loose(x()).max(1, { keepdim: true }),
      'TypeError',
      "max() of a tensor is tfjs's and takes no keywords: use torch.max(x, dim), which gives [values, indices]",
    ],
    [
      'new Parameter',
      () => new Parameter(ones(2), { requires_gard: false } as object),
      'TypeError',
      "Parameter.__new__() got an unexpected keyword argument 'requires_gard'. Did you mean 'requires_grad'?",
    ],
    [
      'new Parameter of a list',
      () => new Parameter([1, 2] as unknown as tf.Tensor),
      'TypeError',
      "Parameter.__new__(): argument 'data' (position 1) must be Tensor, not list: new nn.Parameter(torch.tensor([1, 2]))",
    ],
    [
      'addcmul_',
      () => loose(x()).addcmul_(1, x()),
      'TypeError',
      "addcmul_(): argument 'tensor1' (position 1) must be Tensor, not int",
    ],
    [
      'div',
      () => loose(x()).div(1, { rounding_mode: 'up' }),
      'RuntimeError',
      "div expected rounding_mode to be one of None, 'trunc', or 'floor' but found 'up'",
    ],
    [
      'matmul',
      () => zeros(2, 3).matmul(zeros(2, 3)),
      'RuntimeError',
      'mm: mat1 and mat2 shapes cannot be multiplied (2x3 and 2x3)',
    ],
    [
      'matmul of a batch',
      () => torch.matmul(zeros(5, 2, 3), zeros(2, 3)),
      'RuntimeError',
      'mm: mat1 and mat2 shapes cannot be multiplied (10x3 and 2x3)',
    ],
    ...(['add', 'sub', 'mul', 'div'] as const).flatMap((name) =>
      (
        [
          [`${name} of other shapes`, () => zeros(2, 3)[name](zeros(2, 4))],
          [`${name}_ of other shapes`, () => zeros(2, 3)[`${name}_`](zeros(2, 4))],
          [`torch.${name} of other shapes`, () => functions[name](zeros(2, 3), zeros(4))],
        ] as [string, () => unknown][]
      ).map(([what, call]): [string, () => unknown, string, string] => [
        what,
        call,
        'RuntimeError',
        'The size of tensor a (3) must match the size of tensor b (4) at non-singleton dimension 1',
      ]),
    ),
  ];
  test.each(rows)('%s', (_, call, type, message) => {
    let thrown: Error | undefined;
    try {
      call();
    } catch (error) {
      thrown = error as Error;
    }
    expect(thrown?.message).toBe(message);
    expect(thrown?.name).toBe(type);
  });
});

describe('what is written into a view reaches its base', () => {
  const rows: [name: string, view: (a: tf.Tensor) => tf.Tensor][] = [
    ['view', (a) => a.view(-1)],
    ['t', (a) => a.t()],
    ['T', (a) => a.T],
    ['transpose', (a) => a.transpose(0, 1)],
    ['permute', (a) => a.permute(1, 0)],
    ['a view of a view', (a) => a.t().unsqueeze(0)],
  ];
  test.each(rows)('%s', (_, view) => {
    const a = x();
    view(a).mul_(2);
    expect(list(a)).toEqual([
      [-14, 14],
      [3, -3],
    ]);
  });

  test('through a permutation of three dimensions, each value at its place', () => {
    const a = torch.arange(1, 25).view(2, 3, 4);
    const wanted = list(a.mul(-1));
    const v = a.permute(2, 0, 1);
    v.copy_(v.mul(-1));
    expect(list(a)).toEqual(wanted);
  });

  test('with its history', () => {
    const w = ones(2, 2).requires_grad_();
    const a = w.mul(3);
    a.t().mul_(
      tensor([
        [1, 2],
        [3, 4],
      ]),
    );
    a.sum().backward();
    expect(list(w.grad!)).toEqual([
      [3, 9],
      [6, 12],
    ]);
    expect(() => w.t().fill_(1)).toThrow(/a view of a leaf Variable that requires grad/);
  });
});

test('console.log shows what print does', () => {
  expect(inspect(tensor([1, 2]))).toBe('tensor([1., 2.])');
  const p = new Parameter(tensor([1, 2]));
  expect(inspect({ p })).toContain('tensor([1., 2.], requires_grad=True)');
  const t = tensor([1, 2]);
  t.dispose();
  expect(inspect(t)).toBe('tensor(size=(2), dtype=float32, disposed)');
});
