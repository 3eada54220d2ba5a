import * as tf from '@tensorflow/tfjs-core';
import {
  bind,
  default_generator,
  fillIntegers,
  fillUniform,
  type Signature,
  signature,
  ValueError,
} from '@tfjs-torch/core';
import { Image } from './image';
import { constructible, type Transform } from './transform';

type Picture = Image | tf.Tensor;
/** Takes an Image, or a tensor [..., height, width], and returns its like. */
export interface PictureTransform extends Transform<Picture, Picture> {
  <P extends Picture>(picture: P): P;
}

const sizeOf = (picture: Picture): [height: number, width: number] =>
  picture instanceof Image ? [picture.height, picture.width] : [picture.shape.at(-2)!, picture.shape.at(-1)!];

const range = (from: number, to: number, step = 1) =>
  Array.from({ length: Math.max(0, (to - from) / step) }, (_, i) => from + i * step);

/** The picture of the rows and columns given, one by one; those outside of it (below 0) are `fill`, for each channel. */
function pick(image: Image, rows: readonly number[], columns: readonly number[], fill: readonly number[]): Image {
  const { data, width, channels } = image;
  const picked = new Uint8Array(rows.length * columns.length * channels);
  let at = 0;
  for (const row of rows) {
    for (const column of columns) {
      const from = (row * width + column) * channels;
      const outside = row < 0 || column < 0;
      for (let k = 0; k < channels; k++) picked[at++] = outside ? fill[fill.length === 1 ? 0 : k]! : data[from + k]!;
    }
  }
  return new Image(picked, rows.length, columns.length, channels);
}

function pickFromTensor(x: tf.Tensor, rows: readonly number[], columns: readonly number[], fill: number): tf.Tensor {
  return tf.tidy(() => {
    const outside = [...rows, ...columns].some((i) => i < 0);
    const before = x.shape.slice(0, -2).map((): [number, number] => [0, 0]);
    // A row and a column of `fill` in front, which -1 stands for.
    const framed = outside ? tf.pad(x, [...before, [1, 0], [1, 0]], fill) : x;
    const indices = (all: readonly number[]) => tf.tensor1d(outside ? all.map((i) => i + 1) : [...all], 'int32');
    return tf.gather(tf.gather(framed, indices(rows), x.rank - 2), indices(columns), x.rank - 1);
  });
}

const checkPicture = (picture: unknown) => {
  if (picture instanceof Image || (picture instanceof tf.Tensor && picture.rank >= 2)) return;
  const found =
    picture instanceof tf.Tensor ? `a tensor of rank ${picture.rank}` : (Object(picture).constructor?.name ?? picture);
  throw new TypeError(`img should be PIL Image or Tensor image [..., height, width]. Got ${found}`);
};

function pictureTransform(apply: (picture: Picture) => Picture): PictureTransform {
  const call = (picture: Picture) => {
    checkPicture(picture);
    return apply(picture);
  };
  return Object.assign(call as PictureTransform, { geometry: (image: Image) => apply(image) as Image });
}

/** Mirrors left and right, with the probability `p` (0.5). Takes an Image or a tensor [..., height, width]. */
export const RandomHorizontalFlip = constructible((...args: [p?: number] | [options?: { p?: number }]) => {
  const { p } = bind(flipSignature, args);
  return pictureTransform((picture) => {
    if (!(fillUniform(new Float32Array(1))[0]! < p)) return picture;
    if (picture instanceof tf.Tensor) return tf.reverse(picture, picture.rank - 1);
    const [height, width] = sizeOf(picture);
    return pick(picture, range(0, height), range(0, width).reverse(), [0]);
  });
});
const flipSignature: Signature<{ p: number }> = signature('RandomHorizontalFlip.__init__', 'p=0.5');

const modes = ['constant', 'edge', 'reflect', 'symmetric'] as const;
type PaddingMode = (typeof modes)[number];

export interface RandomCropOptions {
  /** Of all sides; [left and right, top and bottom]; or [left, top, right, bottom]. */
  padding?: number | readonly number[] | null;
  /** Pads a picture that is smaller than the crop. */
  pad_if_needed?: boolean;
  /** What padding is made of: a number, or for an Image one for each channel. */
  fill?: number | readonly number[];
  padding_mode?: PaddingMode;
}

type CropArgs =
  | [
      size: number | readonly number[],
      padding: number | readonly number[] | null,
      options?: Omit<RandomCropOptions, 'padding'>,
    ]
  | [size: number | readonly number[], options?: RandomCropOptions];

/** Where the padded line of length `n` takes its values from: -1 is `fill`. */
function padded(n: number, before: number, after: number, mode: PaddingMode): number[] {
  if (mode === 'reflect' && Math.max(before, after) >= n) {
    throw new ValueError(`padding_mode 'reflect' needs a padding below the size ${n}, got ${Math.max(before, after)}`);
  }
  const fold: Record<PaddingMode, (i: number) => number> = {
    constant: (i) => (i < 0 || i >= n ? -1 : i),
    edge: (i) => Math.min(Math.max(i, 0), n - 1),
    reflect: (i) => (i < 0 ? -i : i >= n ? 2 * n - 2 - i : i),
    symmetric: (i) => {
      const j = ((i % (2 * n)) + 2 * n) % (2 * n);
      return j < n ? j : 2 * n - 1 - j;
    },
  };
  return range(-before, n + after).map(fold[mode]);
}

/**
 * A part of `size` at a random place, after padding. Takes an Image or a tensor [..., height, width].
 *
 * @throws ValueError where the crop is larger than the padded picture
 */
export const RandomCrop = constructible((...args: CropArgs) => {
  const { size, padding, pad_if_needed, fill, padding_mode } = bind(cropSignature, args);
  const [height, width] = cropSize(size);
  const [left, top, right, bottom] = sides(padding);
  const fills = [fill].flat() as number[];
  if (!modes.includes(padding_mode)) {
    throw new ValueError('Padding mode should be either constant, edge, reflect or symmetric');
  }
  return pictureTransform((picture) => {
    const [h, w] = sizeOf(picture);
    checkFill(picture, fills);
    const line = (n: number, before: number, after: number, wanted: number) => {
      const short = pad_if_needed ? Math.max(0, wanted - (n + before + after)) : 0;
      const once = padded(n, before, after, padding_mode);
      // As torchvision pads: once more, and the padded picture.
      return short === 0 ? once : padded(once.length, short, short, padding_mode).map((i) => (i < 0 ? -1 : once[i]!));
    };
    const columns = line(w, left, right, width);
    const rows = line(h, top, bottom, height);
    if (rows.length < height || columns.length < width) {
      throw new ValueError(
        `Required crop size (${height}, ${width}) is larger than input image size (${rows.length}, ${columns.length})`,
      );
    }
    const whole = rows.length === height && columns.length === width;
    const draw = (n: number) => (whole ? 0 : fillIntegers(new Int32Array(1), 0, n, default_generator)[0]!);
    const i = draw(rows.length - height + 1);
    const j = draw(columns.length - width + 1);
    const part = [rows.slice(i, i + height), columns.slice(j, j + width)] as const;
    return picture instanceof tf.Tensor ? pickFromTensor(picture, ...part, fills[0]!) : pick(picture, ...part, fills);
  });
});
const cropSignature: Signature<Required<RandomCropOptions> & { size: number | readonly number[] }> = signature(
  'RandomCrop.__init__',
  "size, padding=None, pad_if_needed=False, fill=0, padding_mode='constant'",
);

function cropSize(size: number | readonly number[]): [height: number, width: number] {
  const sizes = [size].flat() as number[];
  if (sizes.length < 1 || sizes.length > 2) throw new ValueError('Please provide only two dimensions (h, w) for size.');
  return [sizes[0]!, sizes.at(-1)!];
}

function sides(padding: number | readonly number[] | null): [left: number, top: number, right: number, bottom: number] {
  const all = [padding ?? 0].flat() as number[];
  if (![1, 2, 4].includes(all.length)) {
    throw new ValueError(`Padding must be an int or a 1, 2, or 4 element tuple, not a ${all.length} element tuple`);
  }
  const stray = all.find((n) => !Number.isInteger(n) || n < 0);
  if (stray !== undefined) throw new ValueError(`Padding must be whole numbers, 0 or more, got ${stray}`);
  const [left, top = left, right = left, bottom = top] = all as [number];
  return [left, top, right, bottom];
}

function checkFill(picture: Picture, fill: readonly number[]): void {
  if (fill.length === 1) return;
  if (picture instanceof tf.Tensor) throw new TypeError('Got inappropriate fill arg: a tensor takes one number');
  if (fill.length !== picture.channels) {
    throw new ValueError(
      `The number of elements in 'fill' does not match the number of channels of the image (${fill.length} != ${picture.channels})`,
    );
  }
}
