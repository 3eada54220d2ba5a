import * as tf from '@tensorflow/tfjs-core';
import * as torch from '@tfjs-torch/core';
import * as nn from '@tfjs-torch/nn';
import { describe, expect, test } from 'vitest';
import {
  type Callable,
  type Digest,
  digest,
  errorOf,
  evaluate,
  label,
  type Program,
  type Programs,
  type Sample,
  testPrograms,
} from './programs';
import { readGolden } from './read-golden';
import { tolerances } from './tolerances';

// scripts/golden/nn_init.py says what is recorded.

interface Drawn {
  keywords: Record<string, number>;
  shape: number[];
  next: number;
}
interface Golden extends Programs {
  head: { seed: number };
  draws: (Drawn & { call: string; values: Digest })[];
  orthogonal: (Drawn & { values: Sample })[];
  seeded: { call: string; a: number[]; values: Digest; next: number }[];
  old: { program: Program; warnings: string[]; values: Digest }[];
}
const golden = readGolden<Golden>('nn_init');
const { seed } = golden.head;
const init = nn.init as unknown as Record<string, Callable>;

describe('what is drawn at random equals torch bit for bit', () => {
  const title = (row: Drawn) => `${label(row.keywords)} [${row.shape}]`;
  test.for(golden.draws.map((row) => [`${row.call} ${title(row)}`, row] as const))('%s', ([, row]) => {
    const tensor = torch.full(row.shape, 7);
    torch.manual_seed(seed);
    expect(init[row.call]!(tensor, row.keywords)).toBe(tensor);
    expect(digest(tensor)).toEqual(row.values);
    expect(torch.rand(1).item()).toBe(row.next);
  });

  test.for(golden.seeded)('$call with a generator of its own', (row) => {
    torch.manual_seed(seed);
    const generator = new torch.Generator().manual_seed(9);
    expect(digest(init[row.call]!(torch.zeros(4, 5), ...row.a, { generator }) as tf.Tensor)).toEqual(row.values);
    expect(torch.rand(1).item()).toBe(row.next);
  });

  test.for(golden.old.map((row) => [label(row.program), row] as const))('%s', ([, { program, warnings, values }]) => {
    torch.manual_seed(seed);
    let drawn: unknown;
    const caught = torch.catch_warnings(() => {
      drawn = evaluate(program);
    });
    expect(caught).toEqual(warnings.map((message) => ({ message, category: 'FutureWarning' })));
    expect(digest(drawn as tf.Tensor)).toEqual(values);
  });

  test.for(golden.orthogonal.map((row) => [title(row), row] as const))(
    'but for rounding: orthogonal_ %s',
    ([, row]) => {
      torch.manual_seed(seed);
      const drawn = nn.init.orthogonal_(torch.zeros(row.shape), row.keywords);
      expect(errorOf(drawn, row.values)).toBeLessThanOrEqual(tolerances.orthogonal);
      expect(torch.rand(1).item()).toBe(row.next);
    },
  );
});

test('parameters are written outside of autograd, and nothing stays behind', () => {
  const p = new nn.Parameter(torch.zeros(6, 3, 3));
  const flat = new nn.Parameter(torch.zeros(6, 9));
  const run = () => {
    nn.init.trunc_normal_(p, { std: 0.5 });
    nn.init.orthogonal_(p);
    nn.init.dirac_(p);
    nn.init.sparse_(flat, 0.5);
  };
  run();
  const before = tf.memory().numTensors;
  run();
  expect(tf.memory().numTensors).toBe(before);
  expect([p.requires_grad, p.is_leaf, flat.is_leaf]).toEqual([true, true, true]);
});

test('a wrong argument changes no value', () => {
  const t = torch.ones(3, 3, 3);
  expect(() => nn.init.trunc_normal_(t, { std: 0 })).toThrow('std must not be 0');
  expect(() => nn.init.trunc_normal_(t, 0, 1, 2, 1)).toThrow('uniform_ expects');
  expect(() => nn.init.dirac_(t, 2)).toThrow('divisible');
  expect(new Set(t.dataSync())).toEqual(new Set([1]));
});

testPrograms(golden);
