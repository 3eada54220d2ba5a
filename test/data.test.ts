import { createHash } from 'node:crypto';
import * as tf from '@tensorflow/tfjs-core';
import * as torch from '@tfjs-torch/core';
import { Generator } from '@tfjs-torch/core';
import * as data from '@tfjs-torch/data';
import { DataLoader, Dataset, IterableDataset, random_split, Subset, TensorDataset } from '@tfjs-torch/data';
import * as nn from '@tfjs-torch/nn';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { readGolden } from './read-golden';

interface Step {
  rand?: number;
  linear?: [number, number];
  split?: number;
  lengths?: number[];
  sampler?: 'random' | 'subset' | 'weighted' | 'batch' | 'distributed';
  num_replicas?: number;
  rank?: number;
  shuffle_seed?: number;
  n?: number;
  num_samples?: number;
  replacement?: boolean;
  indices?: number[];
  runs?: number;
  loader?: number;
  stream?: number;
  batch_size?: number | null;
  shuffle?: boolean;
  drop_last?: boolean;
  epochs?: number;
  broken_off?: number;
  generator?: number | null;
}
interface Golden {
  head: { torch: string };
  weights: number[];
  cases: { seed: number; steps: Step[]; results: unknown[] }[];
}
const golden = readGolden<Golden>('data');

class Stream extends IterableDataset<number> {
  constructor(readonly n: number) {
    super();
  }
  override *[Symbol.iterator]() {
    for (let i = 0; i < this.n; i++) yield i;
  }
}
const range = (n: number) => Array.from({ length: n }, (_, i) => i);
const listOf = (batch: unknown) => (batch instanceof tf.Tensor ? batch.arraySync() : batch);

function makeSampler(step: Step, generator: Generator | null) {
  switch (step.sampler) {
    case 'random': {
      const { replacement = false, num_samples } = step;
      return new data.RandomSampler(range(step.n!), replacement, num_samples!, { generator });
    }
    case 'subset':
      return new data.SubsetRandomSampler(step.indices!, generator);
    case 'weighted':
      return new data.WeightedRandomSampler(golden.weights, step.num_samples!, {
        replacement: step.replacement,
        generator,
      });
    case 'distributed': {
      const { num_replicas, rank, shuffle, shuffle_seed: seed, drop_last } = step;
      return new data.DistributedSampler(range(step.n!), { num_replicas, rank, shuffle, seed, drop_last });
    }
    default: {
      const inner = new data.RandomSampler(range(step.n!), { generator });
      return new data.BatchSampler(inner, step.batch_size!, step.drop_last!);
    }
  }
}

async function run(step: Step, asynchronous: boolean): Promise<unknown> {
  const generator = step.generator == null ? null : new Generator().manual_seed(step.generator);
  if (step.rand) return [...torch.rand(step.rand).dataSync()];
  if (step.linear) return [...new nn.Linear(...step.linear).bias!.dataSync()];
  if (step.split) {
    const options = generator ? { generator } : {};
    let subsets: Subset<number>[] = [];
    torch.catch_warnings(() => {
      subsets = random_split(range(step.split!), step.lengths!, options);
    });
    return subsets.map((s) => Array.from(s.indices));
  }
  if (step.sampler) {
    const sampler = makeSampler(step, generator);
    const runs = range(step.runs!).map((epoch) => {
      if (sampler instanceof data.DistributedSampler) sampler.set_epoch(epoch);
      return [...sampler];
    });
    return [sampler.length, runs];
  }
  const { batch_size, shuffle, drop_last } = step;
  const dataset = step.loader ? range(step.loader) : new Stream(step.stream!);
  const loader = new DataLoader(dataset, { batch_size, shuffle, drop_last, generator });
  const epochs: unknown[] = [];
  for (let epoch = 0; epoch < step.epochs!; epoch++) {
    const batches: unknown[] = [];
    if (asynchronous) {
      for await (const batch of loader) if (batches.push(listOf(batch)) === step.broken_off) break;
    } else {
      for (const batch of loader) if (batches.push(listOf(batch)) === step.broken_off) break;
    }
    epochs.push(batches);
  }
  return [step.loader ? loader.length : null, epochs];
}

const short = (value: unknown) => {
  const text = JSON.stringify(value);
  return text.length < 2000 ? value : `sha1:${createHash('sha1').update(text).digest('hex')}`;
};

describe(`torch ${golden.head.torch}'s orders`, () => {
  test('come from the pinned version', () => expect(golden.head.torch).toMatch(/^2\.15\.0/));

  for (const { seed, steps, results } of golden.cases) {
    for (const asynchronous of steps.some((s) => s.loader || s.stream) ? [false, true] : [false]) {
      test(`seed ${seed}${asynchronous ? ', for await' : ''}: ${JSON.stringify(steps).slice(1, 110)}`, async () => {
        torch.manual_seed(seed);
        for (const [i, step] of steps.entries()) {
          expect(short(await run(step, asynchronous)), `step ${i}`).toEqual(results[i]);
        }
      });
    }
  }
});

/** How many tensors `f` leaves behind, besides what the memory policy had to sweep anyway. */
function leftBy(f: () => unknown): number {
  for (let i = 0; i < 3; i++) torch.internal.sweep();
  const before = tf.memory().numTensors;
  f();
  return tf.memory().numTensors - before;
}

/** How many tensors `f` makes. */
function madeBy(f: () => unknown): number {
  // Tensors are numbered as they are made; a count of those alive would depend on what the round's end sweeps.
  const engine = tf.engine() as unknown as { nextTensorId(): number };
  const before = engine.nextTensorId();
  f();
  return engine.nextTensorId() - before - 1;
}

const images = () => tf.tensor2d([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], [5, 2]);
const labels = () => tf.tensor1d([0, 1, 2, 3, 4], 'int32');

describe('TensorDataset', () => {
  test('its samples are rows', () => {
    const set = new TensorDataset(images(), labels());
    expect(set.length).toBe(5);
    const [x, y] = set.get(1);
    expect([x.shape, [...x.dataSync()], y.shape, y.dtype, [...y.dataSync()]]).toEqual([[2], [2, 3], [], 'int32', [1]]);
    expect([...set.get(-1)[0].dataSync()]).toEqual([8, 9]);
    expectTypeOf(set.get(0)).toEqualTypeOf<[tf.Tensor, tf.Tensor]>();
  });

  test('a batch is built from its values, equal to stacked samples, with no tensor per sample', () => {
    const mask = tf.tensor1d([true, false, true, true, false], 'bool');
    const set = new TensorDataset(images(), labels(), mask);
    const loader = new DataLoader(set, { batch_size: 3 });
    const slow = new DataLoader(set, { batch_size: 3, collate_fn: (samples) => data.default_collate(samples) });
    expect(madeBy(() => loader[Symbol.iterator]().next())).toBe(3);
    const fast = [...loader];
    for (const [k, batch] of [...slow].entries()) {
      for (const [i, t] of batch.entries()) {
        expect([fast[k]![i]!.shape, fast[k]![i]!.dtype, fast[k]![i]!.arraySync()]).toEqual([
          t.shape,
          t.dtype,
          t.arraySync(),
        ]);
      }
    }
  });

  test('sees a tensor that was changed in place', () => {
    const x = images();
    const set = new TensorDataset(x);
    torch.no_grad(() => x.mul_(10));
    expect(listOf([...new DataLoader(set, { batch_size: 2 })][0]![0])).toEqual([
      [0, 10],
      [20, 30],
    ]);
    expect(set.get(2)[0].arraySync()).toEqual([40, 50]);
  });

  test('of no rows', () => {
    const set = new TensorDataset(tf.zeros([0, 3]));
    expect([...new DataLoader(set, 2)]).toEqual([]);
  });
});

test('a subclass that overrides get is heard', () => {
  class Doubled extends TensorDataset<[tf.Tensor]> {
    override get(i: number): [tf.Tensor] {
      return [super.get(i)[0].mul(2)];
    }
  }
  const set = new Doubled(images());
  expect(listOf([...new DataLoader(set, 2)][0]![0])).toEqual([
    [0, 2],
    [4, 6],
  ]);
  class Negated extends Subset<[tf.Tensor]> {
    override get(i: number): [tf.Tensor] {
      return [super.get(i)[0].neg()];
    }
  }
  const subset = new Negated(new TensorDataset(images()) as Dataset<[tf.Tensor]>, [4, 0]);
  expect(listOf([...new DataLoader(subset, 2)][0]![0])).toEqual([
    [-8, -9],
    [-0, -1],
  ]);
  // … and one that overrides both as well.
  class Both extends Doubled {
    override getBatch(indices: readonly number[]): [tf.Tensor] {
      return [tf.fill([indices.length], 7)];
    }
  }
  expect(listOf([...new DataLoader(new Both(images()), 2)][0]![0])).toEqual([7, 7]);
});

describe('Subset and ConcatDataset', () => {
  test('reach through, by sample and by batch', () => {
    const set = new Subset(new Subset(new TensorDataset(images(), labels()), [4, 3, 2]), [2, 0]);
    expect([set.length, set.get(0)[1].arraySync(), set.get(-1)[1].arraySync()]).toEqual([2, 2, 4]);
    const [[, y]] = [...new DataLoader(set, 2)] as [[tf.Tensor, tf.Tensor]];
    expect(y.arraySync()).toEqual([2, 4]);
  });

  test('join', () => {
    const set = new data.ConcatDataset<number>([[10, 11], [], [12], new Subset([20, 21, 22], [2, 0])]);
    expect([set.length, set.cumulative_sizes]).toEqual([5, [2, 2, 3, 5]]);
    expect(range(5).map((i) => set.get(i))).toEqual([10, 11, 12, 22, 20]);
    expect([set.get(-1), set.get(-5)]).toEqual([20, 10]);
  });
});

describe('default_collate', () => {
  const { default_collate } = data;
  const tensorOf = (t: unknown) => {
    const tensor = t as tf.Tensor;
    return [tensor.dtype, tensor.arraySync()];
  };
  test.each<[string, unknown[], unknown]>([
    ['integers', [1, 2], ['int32', [1, 2]]],
    ['fractions', [1, 2.5], ['float32', [1, 2.5]]],
    ['booleans', [true, false], ['bool', [1, 0]]],
    ['bigints', [1n, 2n], ['int32', [1, 2]]],
    [
      'tensors',
      [tf.tensor1d([1, 2]), tf.tensor1d([3, 4])],
      [
        'float32',
        [
          [1, 2],
          [3, 4],
        ],
      ],
    ],
    ['scalars', [tf.scalar(1), tf.scalar(2)], ['float32', [1, 2]]],
    ['Float64Array', [new Float64Array([0.5]), new Float64Array([2])], ['float32', [[0.5], [2]]]],
    ['Uint8Array', [new Uint8Array([1, 255])], ['int32', [[1, 255]]]],
  ])('%s', (_, samples, expected) => expect(tensorOf(default_collate(samples))).toEqual(expected));

  test('strings, tuples, objects and what is in them', () => {
    expect(default_collate(['a', 'b'])).toEqual(['a', 'b']);
    const [x, name, more] = default_collate<[number, string, { y: number; z: number[] }]>([
      [1, 'a', { y: 2.5, z: [1, 2] }],
      [2, 'b', { y: 3, z: [3, 4] }],
    ]);
    expectTypeOf(name).toEqualTypeOf<string[]>();
    expectTypeOf(more).toEqualTypeOf<{ y: tf.Tensor; z: tf.Tensor[] }>();
    expect([tensorOf(x), name, tensorOf(more.y), more.z.map(tensorOf)]).toEqual([
      ['int32', [1, 2]],
      ['a', 'b'],
      ['float32', [2.5, 3]],
      [
        ['int32', [1, 3]],
        ['int32', [2, 4]],
      ],
    ]);
  });

  class Picture {}
  test.each<[string, unknown[], new (message: string) => Error, string]>([
    [
      'unequal tensors',
      [tf.zeros([3]), tf.zeros([4])],
      torch.RuntimeError,
      'stack expects each tensor to be equal size, but got [3] at entry 0 and [4] at entry 1',
    ],
    [
      'unequal typed arrays',
      [new Float32Array(1), new Float32Array(2)],
      torch.RuntimeError,
      'stack expects each tensor to be equal size, but got [1] at entry 0 and [2] at entry 1',
    ],
    ['unequal lists', [[1, 2], [1]], torch.RuntimeError, 'each element in list of batch should be of equal size'],
    ['nothing', [], torch.IndexError, 'list index out of range'],
    ['a missing key', [{ a: 1 }, { b: 2 }], torch.KeyError, "'a'"],
    [
      'null',
      [null],
      TypeError,
      "default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found <class 'NoneType'>",
    ],
    ['a class instance', [new Picture()], TypeError, "found <class 'Picture'>"],
    ['a promise', [Promise.resolve(1)], TypeError, 'iterate with `for await`'],
    ['a string among numbers', [1, 'a'], TypeError, "new(): invalid data type 'str'"],
  ])('refuses %s', (_, samples, type, message) => {
    expect(() => default_collate(samples)).toThrow(type);
    expect(() => default_collate(samples)).toThrow(message);
  });
});

describe('DataLoader', () => {
  test('takes options by position or by name, and keeps them as torch does', () => {
    const loader = new DataLoader(range(10), 4, true, { drop_last: true });
    expect([loader.batch_size, loader.drop_last, loader.length]).toEqual([4, true, 2]);
    expect(loader.sampler).toBeInstanceOf(data.RandomSampler);
    expect(new DataLoader(range(3)).length).toBe(3);
    expect(() => Object.assign(loader, { batch_size: 3 })).toThrow(
      'batch_size attribute should not be set after DataLoader is initialized',
    );
    // @ts-expect-error a typo does not compile
    expect(() => new DataLoader(range(3), { batchsize: 2 })).toThrow(
      "DataLoader.__init__() got an unexpected keyword argument 'batchsize'. Did you mean 'batch_size'?",
    );
  });

  test('uses a sampler, a batch_sampler, a collate_fn', () => {
    const sampled = new DataLoader(range(10), { batch_size: 2, sampler: [9, 8, 7] });
    expect([sampled.length, [...sampled].map(listOf)]).toEqual([2, [[9, 8], [7]]]);
    const batches = new DataLoader(range(10), { batch_sampler: [[1], [2, 3]] });
    expect([batches.length, batches.batch_size, [...batches].map(listOf)]).toEqual([2, null, [[1], [2, 3]]]);
    const joined = new DataLoader(range(3), { batch_size: 2, collate_fn: (samples) => samples.join('+') });
    expectTypeOf<Iterable<string>>(joined);
    expect([...joined]).toEqual(['0+1', '2']);
    const single = new DataLoader([new Float32Array([1, 2])], { batch_size: null });
    expect([...single].map(listOf)).toEqual([[1, 2]]);
  });

  test('accepts what workers would need', () => {
    const loader = new DataLoader(range(2), {
      num_workers: 4,
      pin_memory: true,
      persistent_workers: true,
      prefetch_factor: 2,
      timeout: 3,
    });
    expect([...loader].map(listOf)).toEqual([[0], [1]]);
  });

  test('persistent workers draw one seed for all epochs', () => {
    const draws = (persistent_workers: boolean) => {
      torch.manual_seed(0);
      const loader = new DataLoader(range(2), { num_workers: 1, persistent_workers });
      for (let epoch = 0; epoch < 2; epoch++) for (const _ of loader);
      return torch.default_generator.get_state();
    };
    const words = (n: number) => {
      torch.manual_seed(0);
      for (let i = 0; i < n; i++) torch.default_generator.random();
      return torch.default_generator.get_state();
    };
    expect([draws(true), draws(false)]).toEqual([words(2), words(4)]);
  });

  test('datasets of users', () => {
    class Squares extends Dataset<[tf.Tensor, number]> {
      readonly length = 4;
      override get(i: number): [tf.Tensor, number] {
        return [tf.scalar(i * i), i];
      }
    }
    const loader = new DataLoader(new Squares(), { batch_size: 2 });
    expectTypeOf(loader).toExtend<Iterable<[tf.Tensor, tf.Tensor]>>();
    expect([...loader].map((batch) => batch.map(listOf))).toEqual([
      [
        [0, 1],
        [0, 1],
      ],
      [
        [4, 9],
        [2, 3],
      ],
    ]);
    const plain = { length: 3, get: (i: number) => ({ i }) };
    expect([...new DataLoader(plain, { batch_size: 3 })].map(({ i }) => listOf(i))).toEqual([[0, 1, 2]]);
    class Unfinished extends Dataset<number> {
      readonly length = 1;
    }
    expect(() => [...new DataLoader(new Unfinished())]).toThrow(torch.NotImplementedError);
  });

  test('for await waits for samples, streams and collate_fn', async () => {
    const later = <T>(value: T) => new Promise<T>((resolve) => setTimeout(resolve, 1, value));
    const dataset = { length: 3, get: (i: number) => later(i) };
    const batches: unknown[] = [];
    for await (const batch of new DataLoader(dataset, { batch_size: 2 })) batches.push(listOf(batch));
    expect(batches).toEqual([[0, 1], [2]]);
    expect(() => [...new DataLoader(dataset)]).toThrow('iterate with `for await`');

    class Slow extends IterableDataset<number> {
      async *[Symbol.asyncIterator]() {
        for (let i = 0; i < 3; i++) yield await later(i);
      }
    }
    const joined: string[] = [];
    const collate_fn = (samples: number[]) => later(samples.join('+'));
    for await (const batch of new DataLoader(new Slow(), { batch_size: 2, collate_fn })) joined.push(batch);
    expect(joined).toEqual(['0+1', '2']);
    expect(() => [...new DataLoader(new Slow())]).toThrow('Slow is asynchronous: iterate with `for await`');
  });

  test('for await with num_workers begins batches ahead of their turn, in order', async () => {
    const begun: number[] = [];
    const dataset = {
      length: 10,
      get: async (i: number) => {
        begun.push(i);
        // Later ones are ready earlier.
        await new Promise((resolve) => setTimeout(resolve, i % 3 === 0 ? 6 : 1));
        return i;
      },
    };
    const aheadOf = async (options: object) => {
      begun.length = 0;
      const batches: unknown[] = [];
      const ahead: number[] = [];
      for await (const batch of new DataLoader(dataset, { batch_size: 2, ...options })) {
        batches.push(listOf(batch));
        ahead.push(begun.length / 2 - batches.length);
      }
      expect(batches).toEqual([
        [0, 1],
        [2, 3],
        [4, 5],
        [6, 7],
        [8, 9],
      ]);
      return ahead;
    };
    expect(await aheadOf({})).toEqual([0, 0, 0, 0, 0]);
    expect(await aheadOf({ num_workers: 1 })).toEqual([2, 2, 2, 1, 0]);
    expect(await aheadOf({ num_workers: 1, prefetch_factor: 1 })).toEqual([1, 1, 1, 1, 0]);
    expect(await aheadOf({ num_workers: 2, prefetch_factor: 3 })).toEqual([4, 3, 2, 1, 0]);
  });

  test('an error among the batches begun ahead comes in its turn', async () => {
    const dataset = {
      length: 4,
      get: async (i: number) => {
        if (i === 2) throw new RangeError('of sample 2');
        return i;
      },
    };
    const seen: unknown[] = [];
    const run = async () => {
      for await (const batch of new DataLoader(dataset, { num_workers: 2 })) seen.push(listOf(batch));
    };
    await expect(run()).rejects.toThrow('of sample 2');
    expect(seen).toEqual([[0], [1]]);
    class Broken extends IterableDataset<number> {
      async *[Symbol.asyncIterator]() {
        yield 7;
        throw new RangeError('of the stream');
      }
    }
    const stream: unknown[] = [];
    const runStream = async () => {
      for await (const batch of new DataLoader(new Broken(), { num_workers: 3 })) stream.push(listOf(batch));
    };
    await expect(runStream()).rejects.toThrow('of the stream');
    expect(stream).toEqual([[7]]);
  });

  test('batches made ahead keep their values while a loop trains, in constant memory', async () => {
    const x = tf.range(0, 4000);
    const loader = new DataLoader(new TensorDataset(x), { batch_size: 100, num_workers: 2 });
    const weight = torch.tensor([1], { requires_grad: true });
    const counts: number[] = [];
    for (let epoch = 0; epoch < 3; epoch++) {
      let first = 0;
      for await (const [batch] of loader) {
        expect([batch!.dataSync()[0], batch!.size]).toEqual([first, 100]);
        first += 100;
        batch!.mul(weight).sum().backward();
        if (first === 2000) counts.push(tf.memory().numTensors);
      }
    }
    expect(counts[2]).toBe(counts[1]);
  });

  test('a sampler of the user', () => {
    class Even extends data.Sampler<number> {
      constructor(readonly n: number) {
        super();
      }
      override get length() {
        return Math.ceil(this.n / 2);
      }
      override *[Symbol.iterator]() {
        for (let i = 0; i < this.n; i += 2) yield i;
      }
    }
    const loader = new DataLoader(range(7), { sampler: new Even(7), batch_size: 3 });
    expect([loader.length, [...loader].map(listOf)]).toEqual([2, [[0, 2, 4], [6]]]);
  });

  test('for await lets the event loop turn', async () => {
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    const busy = {
      length: 5,
      get: (i: number) => {
        const end = performance.now() + 20;
        while (performance.now() < end);
        return i;
      },
    };
    for await (const _ of new DataLoader(busy));
    clearInterval(timer);
    expect(turns).toBeGreaterThan(1);
  });

  test('a stream has a length if its dataset says one, and warns if it is exceeded', () => {
    class Sized extends Stream {
      get length() {
        return 2;
      }
    }
    const loader = new DataLoader(new Sized(3));
    expect(torch.catch_warnings(() => void [...loader])).toEqual([]);
    expect([loader.length, new DataLoader(new Sized(3), { batch_size: 4 }).length]).toEqual([2, 1]);
    expect(torch.catch_warnings(() => void [...loader])).toEqual([
      {
        category: 'UserWarning',
        message:
          'Length of IterableDataset Sized was reported to be 2(when accessing len(dataloader)), but 3 samples have been fetched. ',
      },
    ]);
    expect(() => new DataLoader(new Stream(2)).length).toThrow("object of type 'Stream' has no len()");
  });

  test('dispose frees its last batch', () => {
    const set = new TensorDataset(images(), labels());
    const loader = new DataLoader(set, { batch_size: 5 });
    const [batch] = [...loader];
    expect(batch!.map((t) => t.isDisposed)).toEqual([false, false]);
    loader.dispose();
    expect(batch!.map((t) => t.isDisposed)).toEqual([true, true]);
    expect(
      leftBy(() => {
        using disposable = new DataLoader(set, { batch_size: 5 });
        for (const _ of disposable);
      }),
    ).toBe(0);
  });
});

const set = range(3);
const stream = new Stream(3);
const { ValueError, IndexError, AssertionError } = torch;
test.each<[string, () => unknown, new (message: string) => Error, string]>([
  [
    'batch_size 0',
    () => new DataLoader(set, 0),
    ValueError,
    'batch_size should be a positive integer value, but got batch_size=0',
  ],
  [
    'batch_size 1.5',
    () => new DataLoader(set, 1.5),
    ValueError,
    'batch_size should be a positive integer value, but got batch_size=1.5',
  ],
  [
    'shuffling nothing',
    () => new DataLoader([], { shuffle: true }),
    ValueError,
    'num_samples should be a positive integer value, but got num_samples=0',
  ],
  [
    'num_workers -1',
    () => new DataLoader(set, { num_workers: -1 }),
    ValueError,
    'num_workers option should be non-negative; use num_workers=0 to disable multiprocessing.',
  ],
  ['timeout -1', () => new DataLoader(set, { timeout: -1 }), ValueError, 'timeout option should be non-negative'],
  [
    'timeout without workers',
    () => new DataLoader(set, { timeout: 1 }),
    AssertionError,
    '_SingleProcessDataLoaderIter requires timeout == 0',
  ],
  [
    'prefetch without workers',
    () => new DataLoader(set, { prefetch_factor: 2 }),
    ValueError,
    'prefetch_factor option could only be specified in multiprocessing.',
  ],
  [
    'persistent without workers',
    () => new DataLoader(set, { persistent_workers: true }),
    ValueError,
    'persistent_workers option needs num_workers > 0',
  ],
  [
    'shuffle and sampler',
    () => new DataLoader(set, { shuffle: true, sampler: [1] }),
    ValueError,
    'sampler option is mutually exclusive with shuffle',
  ],
  [
    'batch_size and batch_sampler',
    () => new DataLoader(set, 2, { batch_sampler: [[1]] }),
    ValueError,
    'batch_sampler option is mutually exclusive with batch_size, shuffle, sampler, and drop_last',
  ],
  [
    'drop_last without batches',
    () => new DataLoader(set, null, { drop_last: true }),
    ValueError,
    'batch_size=None option disables auto-batching and is mutually exclusive with drop_last',
  ],
  [
    'shuffling a stream',
    () => new DataLoader(stream, { shuffle: true }),
    ValueError,
    'DataLoader with IterableDataset: expected unspecified shuffle option, but got shuffle=True',
  ],
  [
    'sampling a stream',
    () => new DataLoader(stream, { sampler: [1] }),
    ValueError,
    'DataLoader with IterableDataset: expected unspecified sampler option',
  ],
  [
    'something else',
    () => new DataLoader(new Set() as unknown as number[]),
    TypeError,
    'dataset should be an array, an object with get(index) and length',
  ],
  [
    'something without a length',
    () => [...new DataLoader(new Map([[0, 'a']]) as unknown as string[])],
    TypeError,
    "object of type 'Map' has no len()",
  ],
  [
    'no dataset',
    () => new (DataLoader as unknown as new () => unknown)(),
    TypeError,
    "DataLoader.__init__() missing 1 required positional argument: 'dataset'",
  ],
  [
    'a sampler that leaves the dataset',
    () => [...new DataLoader(set, { sampler: [3] })],
    IndexError,
    'list index out of range',
  ],
  [
    'TensorDataset, sizes',
    () => new TensorDataset(tf.zeros([3]), tf.zeros([2])),
    AssertionError,
    'Size mismatch between tensors',
  ],
  [
    'TensorDataset, scalar',
    () => new TensorDataset(tf.scalar(1)),
    IndexError,
    'Dimension specified as 0 but tensor has no dimensions',
  ],
  [
    'TensorDataset, index',
    () => new TensorDataset(tf.zeros([3])).get(5),
    IndexError,
    'index 5 is out of bounds for dimension 0 with size 3',
  ],
  [
    'ConcatDataset of nothing',
    () => new data.ConcatDataset([]),
    AssertionError,
    'datasets should not be an empty iterable',
  ],
  [
    'ConcatDataset of a stream',
    () => new data.ConcatDataset([stream as unknown as number[]]),
    AssertionError,
    'ConcatDataset does not support IterableDataset',
  ],
  ['ConcatDataset, index', () => new data.ConcatDataset([set]).get(3), IndexError, 'list index out of range'],
  [
    'ConcatDataset, negative index',
    () => new data.ConcatDataset([set]).get(-4),
    ValueError,
    'absolute value of index should not exceed dataset length',
  ],
  [
    'random_split, lengths',
    () => random_split(set, [1, 1]),
    ValueError,
    'Sum of input lengths does not equal the length of the input dataset!',
  ],
  [
    'random_split, fractions',
    () => random_split(set, [1.5, -0.5]),
    ValueError,
    'Fraction at index 0 is not between 0 and 1',
  ],
  [
    'RandomSampler, num_samples',
    () => new data.RandomSampler(set, false, 0),
    ValueError,
    'num_samples should be a positive integer value, but got num_samples=0',
  ],
  [
    'RandomSampler, replacement',
    () => new data.RandomSampler(set, 1 as unknown as boolean),
    TypeError,
    'replacement should be a boolean value, but got replacement=1',
  ],
  [
    'WeightedRandomSampler, num_samples',
    () => new data.WeightedRandomSampler([1], 0),
    ValueError,
    'num_samples should be a positive integer value, but got num_samples=0',
  ],
  [
    'WeightedRandomSampler, shape',
    () => new data.WeightedRandomSampler([[1]] as unknown as number[], 2),
    ValueError,
    'weights should be a 1d sequence but given weights have shape (1, 1)',
  ],
  [
    'DistributedSampler without a rank',
    () => new data.DistributedSampler(set, 2),
    torch.RuntimeError,
    'Requires distributed package to be available',
  ],
  [
    'DistributedSampler, rank',
    () => new data.DistributedSampler(set, 2, 2),
    ValueError,
    'Invalid rank 2, rank should be in the interval [0, 1]',
  ],
  [
    'BatchSampler, drop_last',
    () => new data.BatchSampler(set, 2, 1 as unknown as boolean),
    ValueError,
    'drop_last should be a boolean value, but got drop_last=1',
  ],
])('refuses %s', (_, call, type, message) => {
  expect(call).toThrow(type);
  expect(call).toThrow(message);
});

test('random_split warns of an empty part', () => {
  const warnings = torch.catch_warnings(() => random_split([1, 2], [0.25, 0.25, 0.25, 0.25]));
  expect(warnings.map((w) => w.message)).toEqual([
    'Length of split at index 2 is 0. This might result in an empty dataset.',
    'Length of split at index 3 is 0. This might result in an empty dataset.',
  ]);
});
