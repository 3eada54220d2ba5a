import { bind, RuntimeError, type Signature, signature } from '@tfjs-torch/core';
import type { Image } from '../image';
import { download } from './download';
import { joinPath, node, readArchive, readFile } from './files';
import { ByteArray, readPickle } from './pickle';
import { type Bound, checkLabels, type Pictures, VisionDataset, type VisionOptions, visionParameters } from './vision';

const cifarSignature: Signature<unknown> = signature('CIFAR10.__init__', `root, ${visionParameters}`);

const size = 32;
const channels = 3;
const values = channels * size * size;

/** Pictures of a file, each channel after the other as the file has them. */
interface Batch {
  labels: ArrayLike<number>;
  planes: Uint8Array[];
}

/** One of the two forms in which CIFAR-10 is given out. */
interface Form {
  folder: string;
  archive: string;
  /** What a batch's file name ends in. */
  suffix: string;
  read: (file: string, bytes: Uint8Array) => Batch;
}

const forms: readonly Form[] = [
  { folder: 'cifar-10-batches-py', archive: 'cifar-10-python.tar.gz', suffix: '', read: readPython },
  { folder: 'cifar-10-batches-bin', archive: 'cifar-10-binary.tar.gz', suffix: '.bin', read: readBinary },
];

/**
 * 32 × 32 colour pictures of ten things. `root` is a folder with CIFAR-10's python or binary version: the .tar.gz, the folder
 * that it unpacks to, or that folder's files. A sample is [image, label], as the transforms leave them.
 *
 * @throws RuntimeError where a file is missing, damaged or another's: its name, what was expected and what was found.
 */
export class CIFAR10<X = Image, Y = number> extends VisionDataset<X, Y> {
  static readonly classes: readonly string[] = [
    'airplane',
    'automobile',
    'bird',
    'cat',
    'deer',
    'dog',
    'frog',
    'horse',
    'ship',
    'truck',
  ];
  /** Where `download` fetches from, and the md5 of what is there. */
  static url = 'https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz';
  static tgz_md5 = 'c58f30108f718f92721af3b95e74349a';

  readonly classes = CIFAR10.classes;

  constructor(root: string, options?: VisionOptions<X, Y>);
  constructor(root: string, train: boolean, options?: Omit<VisionOptions<X, Y>, 'train'>);
  constructor(options: VisionOptions<X, Y> & { root: string });
  constructor(...args: unknown[]) {
    const bound = bind(cifarSignature as Signature<Bound<X, Y, string>>, args);
    super(read(new.target, bound), bound);
  }
}

interface Source {
  readonly url: string;
  readonly tgz_md5: string;
}

function read(source: Source, { root, train, download: fetching, mirror }: Bound<unknown, unknown, string>): Pictures {
  const folder = joinPath(root);
  const batches = train ? [1, 2, 3, 4, 5].map((i) => `data_batch_${i}`) : ['test_batch'];
  const first = forms[0]!;
  let found = findBatches(folder, batches);
  if (found === null && fetching) {
    const { url, tgz_md5: md5 } = source;
    download({ dataset: 'CIFAR10', name: first.archive, md5, urls: [url] }, folder, mirror);
    found = findBatches(folder, batches);
  }
  if (found === null) {
    const places = forms.map((form) => `${form.archive} or ${form.folder}`);
    throw new RuntimeError(
      `Dataset not found or corrupted. You can use download=True to download it: no ${places.join(', no ')} in ${folder}`,
    );
  }
  return join(found);
}

/** The batches wherever in `root` they lie, the first place that has them; null if none does. */
function findBatches(root: string, names: readonly string[]): Batch[] | null {
  const { fs, path } = node();
  for (const form of forms) {
    const files = names.map((name) => name + form.suffix);
    for (const folder of [path.join(root, form.folder), root]) {
      const missing = files.filter((file) => !fs.existsSync(path.join(folder, file)));
      if (missing.length === 0) {
        return files.map((file) => form.read(path.join(folder, file), readFile(path.join(folder, file))));
      }
      if (missing.length < files.length) throw new RuntimeError(`${folder} has no ${missing.join(', no ')}`);
    }
    const archive = path.join(root, form.archive);
    if (!fs.existsSync(archive)) continue;
    const packed = readArchive(archive);
    return files.map((file) => {
      const bytes = packed.get(`${form.folder}/${file}`);
      if (!bytes) throw new RuntimeError(`${archive} has no ${form.folder}/${file}`);
      return form.read(`${archive}: ${file}`, bytes);
    });
  }
  return null;
}

/** A pickled dict with `data`, uint8 [n, 3072], and `labels`, a list. */
function readPython(file: string, bytes: Uint8Array): Batch {
  const content = readPickle(file, bytes);
  const data = content instanceof Map ? content.get('data') : undefined;
  const labels = content instanceof Map ? content.get('labels') : undefined;
  if (!(data instanceof ByteArray) || data.shape[1] !== values || !Array.isArray(labels)) {
    throw new RuntimeError(
      `${file}: expected a batch of CIFAR-10, with labels and data of [n, ${values}]; found another's`,
    );
  }
  const n = data.shape[0]!;
  if (labels.length !== n)
    throw new RuntimeError(`${file}: expected ${n} labels for ${n} images, found ${labels.length}`);
  checkLabels(file, labels, 10);
  return { labels, planes: Array.from({ length: n }, (_, i) => data.data.subarray(i * values, (i + 1) * values)) };
}

/** Records of a label and 3072 values. */
function readBinary(file: string, bytes: Uint8Array): Batch {
  const record = 1 + values;
  const n = bytes.length / record;
  if (n === 0 || !Number.isInteger(n)) {
    throw new RuntimeError(
      `${file}: expected images of ${record} bytes, found ${bytes.length} bytes in all (truncated)`,
    );
  }
  const starts = Array.from({ length: n }, (_, i) => i * record);
  const labels = starts.map((start) => bytes[start]!);
  checkLabels(file, labels, 10);
  return { labels, planes: starts.map((start) => bytes.subarray(start + 1, start + record)) };
}

function join(batches: readonly Batch[]): Pictures {
  const planes = batches.flatMap((batch) => batch.planes);
  const data = new Uint8Array(planes.length * values);
  const pixels = size * size;
  for (const [i, picture] of planes.entries()) {
    for (let k = 0; k < channels; k++) {
      for (let j = 0; j < pixels; j++) data[i * values + j * channels + k] = picture[k * pixels + j]!;
    }
  }
  const targets = Int32Array.from(batches.flatMap((batch) => Array.from(batch.labels)));
  return { data, targets, height: size, width: size, channels };
}
