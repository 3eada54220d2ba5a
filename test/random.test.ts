import { createHash } from 'node:crypto';
import * as tf from '@tensorflow/tfjs-core';
import * as torch from '@tfjs-torch/core';
import { Generator } from '@tfjs-torch/core';
import { describe, expect, test } from 'vitest';
import { readGolden } from './read-golden';

type Call = [name: string, ...args: number[]];
type Result = string | number[];
interface Golden {
  torch: string;
  ranges: { call: Call; values: Result }[];
  initial_seeds: Record<string, string>;
  programs: { program: Call[]; seeds: Record<string, Result[]> }[];
}
const golden = readGolden<Golden>('random');

const sha1 = (bytes: Uint8Array | Int32Array | Float32Array) =>
  createHash('sha1').update(bytes).digest('hex').slice(0, 12);

// Values are compared exactly, also those of the normal distribution: the script for the golden file says how they are written.
function digest(t: tf.Tensor): Result {
  const values = t.dataSync();
  t.dispose();
  return values.length > 20 ? `sha1:${sha1(values)}` : [...values];
}

const filled = (n: number, fill: (out: Float32Array) => void) => {
  const out = new Float32Array(n);
  fill(out);
  return tf.tensor1d(out);
};
const probabilities = (n: number) => tf.tensor1d(Float32Array.from({ length: n }, (_, i) => i / n));
const tidied = (f: () => tf.Tensor) => digest(tf.tidy(f));

function run([name, ...args]: Call, generator: Generator): Result {
  const [a, b] = args as [number, number];
  const n = args.at(-1) ?? 0;
  switch (name) {
    case 'rand':
      return digest(torch.rand(n, { generator }));
    case 'randn':
      return digest(torch.randn([n], { generator }));
    case 'uniform':
      return digest(filled(n, (out) => torch.fillUniform(out, a, b, generator)));
    case 'normal':
      return digest(torch.normal(a, b, [n], { generator }));
    case 'bernoulli':
      return digest(tf.tensor1d(torch.bernoulliMask(n, a, generator)));
    case 'bernoulli_tensor':
      return tidied(() => torch.bernoulli(probabilities(n), { generator }));
    case 'normal_tensors':
      return tidied(() => torch.normal(probabilities(n), tf.mul(probabilities(n), 3), { generator }));
    case 'normal_mean':
      return tidied(() => torch.normal(probabilities(n), 0.7, { generator }));
    case 'normal_std':
      return tidied(() => torch.normal(-1.3, probabilities(n), { generator }));
    case 'randint':
      return digest(torch.randint(a, b, [n], { generator }));
    case 'randint_float':
      return digest(torch.randint(a, b, [n], { generator, dtype: torch.float32 }));
    case 'randperm':
      return digest(torch.randperm(n, { generator }));
    case 'multinomial': {
      const weights = torch.tensor([
        [0.1, 0.9, 0, 0.7, 3, 0.6],
        [5, 4, 3, 2, 1, 0.5],
      ]);
      const rows = args[2] ? weights : tf.slice(weights, 0, 1).reshape([6]);
      return digest(torch.multinomial(rows, a, Boolean(b), { generator }));
    }
    case 'multinomial_many': {
      const weights = tf.tensor1d(Float32Array.from({ length: 1000 }, (_, i) => (i % 17) + 1));
      return digest(torch.multinomial(weights, n, { replacement: Boolean(a), generator }));
    }
    case 'seed':
      return String(torch.randomSeed(generator));
    case 'state':
      return sha1(generator.get_state());
    case 'reload': {
      const state = generator.get_state();
      const first = digest(torch.randn(n, { generator }));
      generator.set_state(state);
      expect(digest(torch.randn(n, { generator }))).toEqual(first);
      return first;
    }
    default:
      throw new Error(name);
  }
}

describe(`torch ${golden.torch}'s numbers`, () => {
  test('come from the pinned version', () => expect(golden.torch).toMatch(/^2\.15\.0/));

  for (const { program, seeds } of golden.programs) {
    const calls = program.map((call) => call.join(' ')).join(', ');
    test(calls.length > 60 ? `${calls.slice(0, 57)}…` : calls, () => {
      for (const [seed, results] of Object.entries(seeds)) {
        const generator = new Generator().manual_seed(BigInt(seed));
        for (const [i, call] of program.entries()) {
          expect(run(call, generator), `seed ${seed}, call ${i}: ${call.join(' ')}`).toEqual(results[i]);
        }
      }
    });
  }

  for (const { call, values } of golden.ranges) {
    test(call.join(' '), () => {
      const [name, a, b, c] = call as [string, number, number, number];
      expect(digest(name === 'linspace' ? torch.linspace(a, b, c) : torch.arange(a, b, c))).toEqual(values);
    });
  }
});

describe('Generator', () => {
  for (const [seed, initial] of Object.entries(golden.initial_seeds)) {
    test(`initial_seed of ${seed}`, () => {
      expect(String(new Generator().manual_seed(BigInt(seed)).initial_seed())).toBe(initial);
      if (Number.isSafeInteger(Number(seed))) {
        expect(new Generator().manual_seed(Number(seed)).get_state()).toEqual(
          new Generator().manual_seed(BigInt(seed)).get_state(),
        );
      }
    });
  }

  test('starts from the same seed every time; seed() does not', () => {
    expect(new Generator().initial_seed()).toBe(67280421310721);
    const generator = new Generator();
    const [first, second] = [generator.seed(), generator.seed()];
    expect(first).not.toBe(second);
    expect(generator.initial_seed()).toBe(second);
    expect(generator.get_state()).toEqual(new Generator().manual_seed(second).get_state());
  });

  test('manual_seed seeds what the functions use and returns it', () => {
    expect(torch.manual_seed(7)).toBe(torch.default_generator);
    expect(torch.initial_seed()).toBe(7);
    const expected = digest(torch.rand(4, { generator: new Generator().manual_seed(7) }));
    expect(digest(torch.rand(4))).toEqual(expected);
    torch.manual_seed(7.9);
    const state = torch.get_rng_state();
    expect(digest(torch.rand(4))).toEqual(expected);
    torch.set_rng_state(state);
    expect(digest(torch.rand(2, 2))).toEqual(expected);
  });

  const state = new Generator().get_state();
  const badState = (change: (view: DataView) => void) => {
    const copy = state.slice();
    change(new DataView(copy.buffer));
    return copy;
  };
  const refused: [string, () => unknown, new (message: string) => Error, string][] = [
    ['seed 2^64', () => new Generator().manual_seed(2n ** 64n), torch.ValueError, 'Overflow when unpacking long long'],
    ['seed < -2^63', () => torch.manual_seed(-(2 ** 64)), torch.ValueError, 'Overflow when unpacking long long'],
    [
      'fraction',
      () => new Generator().manual_seed(1.7),
      torch.RuntimeError,
      'manual_seed expected a long, but got float',
    ],
    ['NaN', () => torch.manual_seed(Number.NaN), torch.RuntimeError, 'manual_seed expected a long, but got NaN'],
    [
      'short state',
      () => new Generator().set_state(new Uint8Array(5)),
      torch.RuntimeError,
      'Expected a CPUGeneratorImplState of size 5056 but found the input RNG state size to be 5',
    ],
    ['zero state', () => new Generator().set_state(new Uint8Array(5056)), torch.RuntimeError, 'Invalid mt19937 state'],
    [
      'bad position',
      () => new Generator().set_state(badState((v) => v.setUint32(16, 625, true))),
      torch.RuntimeError,
      'Invalid mt19937 state',
    ],
  ];
  for (const [name, call, type, message] of refused) {
    test(`refuses a ${name}`, () => {
      expect(call).toThrow(type);
      expect(call).toThrow(message);
    });
  }

  test('a refused state leaves the generator as it was', () => {
    const generator = new Generator().manual_seed(3);
    generator.random();
    const before = generator.get_state();
    expect(() => generator.set_state(new Uint8Array(5056))).toThrow();
    expect(() => generator.manual_seed(0.5)).toThrow();
    expect(generator.get_state()).toEqual(before);
  });
});

describe('random functions', () => {
  test('take sizes one by one or as an array, shapes and dtypes as torch', () => {
    const made: [tf.Tensor, number[], string][] = [
      [torch.rand(2, 3), [2, 3], 'float32'],
      [torch.rand([2, 3]), [2, 3], 'float32'],
      [torch.rand(), [], 'float32'],
      [torch.rand([]), [], 'float32'],
      [torch.randn(0, 4), [0, 4], 'float32'],
      [torch.randint(5, [2, 2]), [2, 2], 'int32'],
      [torch.randint(3, 5, [2], { dtype: 'float32' }), [2], 'float32'],
      [torch.randperm(4), [4], 'int32'],
      [torch.randn_like(torch.zeros(3, 1)), [3, 1], 'float32'],
      [torch.rand_like(torch.zeros([3, 1], { dtype: torch.long }), { dtype: 'float32' }), [3, 1], 'float32'],
      [torch.normal(0, 1, [2, 1]), [2, 1], 'float32'],
      [torch.normal(torch.zeros(2, 1), torch.ones(3)), [2, 3], 'float32'],
      [torch.bernoulli(torch.ones(2), 0.5), [2], 'float32'],
    ];
    for (const [t, shape, dtype] of made) expect([t.shape, t.dtype]).toEqual([shape, dtype]);
  });

  const refused: [string, () => unknown, new (message: string) => Error, string][] = [
    [
      'negative size',
      () => torch.rand(-1),
      torch.RuntimeError,
      'Trying to create tensor with negative dimension -1: [-1]',
    ],
    [
      'fractional size',
      () => torch.randn(2, 2.5),
      TypeError,
      "randn(): argument 'size' (position 1) must be tuple of ints, not float",
    ],
    [
      'negative randperm',
      () => torch.randperm(-1),
      torch.RuntimeError,
      'Trying to create tensor with negative dimension -1: [-1]',
    ],
    [
      'randint, low >= high',
      () => torch.randint(5, 3, [2]),
      torch.RuntimeError,
      "random_ expects 'from' to be less than 'to', but got from=5 >= to=3",
    ],
    [
      'randint beyond int32',
      () => torch.randint(2 ** 31 + 1, [2]),
      torch.RuntimeError,
      'to - 1 is out of bounds for int',
    ],
    [
      'uniform, low > high',
      () => torch.fillUniform(new Float32Array(3), 2, 1),
      torch.RuntimeError,
      'uniform_ expects to return a [from, to) range, but found from=2 > to=1',
    ],
    ['negative std', () => torch.normal(0, -1, [3]), torch.RuntimeError, 'normal expects std >= 0.0, but found std -1'],
    [
      'negative std element',
      () => torch.normal(torch.zeros(2), torch.tensor([1, -1])),
      torch.RuntimeError,
      'normal expects all elements of std >= 0.0',
    ],
    [
      'p > 1',
      () => torch.bernoulliMask(3, 1.5),
      torch.RuntimeError,
      'bernoulli_ expects p to be in [0, 1], but got p=1.5',
    ],
    [
      'p element > 1',
      () => torch.bernoulli(torch.tensor([1.5])),
      torch.RuntimeError,
      'Expected p_in >= 0 && p_in <= 1 to be true',
    ],
    [
      'multinomial: more than there are',
      () => torch.multinomial(torch.ones(2), 3),
      torch.RuntimeError,
      'cannot sample n_sample > prob_dist.size(-1) samples without replacement',
    ],
    [
      'multinomial: none',
      () => torch.multinomial(torch.ones(2), 0),
      torch.RuntimeError,
      'cannot sample n_sample <= 0 samples',
    ],
    [
      'multinomial: negative',
      () => torch.multinomial(torch.tensor([1, -1]), 1),
      torch.RuntimeError,
      'probability tensor contains either `inf`, `nan` or element < 0',
    ],
    [
      'multinomial: nothing likely',
      () => torch.multinomial(torch.zeros(2), 1),
      torch.RuntimeError,
      'invalid multinomial distribution (sum of probabilities <= 0)',
    ],
    [
      'multinomial: 3 dimensions',
      () => torch.multinomial(torch.ones(1, 1, 1), 1),
      torch.RuntimeError,
      'prob_dist must be 1 or 2 dim',
    ],
    [
      'integer randn',
      () => torch.randn(3, { dtype: 'int64' }),
      torch.NotImplementedError,
      '"normal_kernel_cpu" not implemented for \'Long\'',
    ],
    [
      'integer rand_like',
      () => torch.rand_like(torch.zeros(2, { dtype: 'int64' })),
      torch.NotImplementedError,
      '"check_uniform_bounds" not implemented for \'Long\'',
    ],
    [
      'unknown option',
      // @ts-expect-error a typo does not compile
      () => torch.rand(3, { generatr: null }),
      TypeError,
      "rand() got an unexpected keyword argument 'generatr'. Did you mean 'generator'?",
    ],
    ['float64', () => torch.rand(3, { dtype: 'float64' as 'float32' }), torch.RuntimeError, 'dtype float64'],
    [
      'integers that require grad',
      () => torch.randperm(3, { requires_grad: true }),
      torch.RuntimeError,
      'Only Tensors of floating point and complex dtype can require gradients',
    ],
  ];
  for (const [name, call, type, message] of refused) {
    test(`refuse: ${name}`, () => {
      expect(call).toThrow(type);
      expect(call).toThrow(message);
    });
  }
});
