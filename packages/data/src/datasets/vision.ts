import type * as tf from '@tensorflow/tfjs-core';
import { RuntimeError } from '@tfjs-torch/core';
import { type Collated, fromHost } from '../collate';
import { checkIndex, Dataset } from '../dataset';
import { Image, lookUp } from '../image';
import type { Transform } from '../transform';
import type { DownloadOptions } from './download';

export interface VisionOptions<X, Y> extends DownloadOptions {
  /** The images for training, else those for tests. Default true. */
  train?: boolean;
  transform?: Transform<Image, X> | null;
  target_transform?: ((label: number) => Y) | null;
}
/** The parameters of every dataset here, but for its root. */
export const visionParameters = 'train=True, transform=None, target_transform=None, download=False, *, mirror=None';

/** What a dataset has of its arguments. */
export interface Bound<X, Y, Root> extends Required<VisionOptions<X, Y>> {
  root: Root;
}

/** Pictures of one size, and a label for each. */
export interface Pictures {
  /** Picture after picture, row after row of pixels of channels. */
  data: Uint8Array;
  targets: Int32Array;
  height: number;
  width: number;
  channels: number;
}

/** Base class of datasets of labelled pictures. A sample is [image, label], as the transforms leave them. */
export abstract class VisionDataset<X = Image, Y = number> extends Dataset<[X, Y]> {
  readonly transform: Transform<Image, X> | null;
  readonly target_transform: ((label: number) => Y) | null;
  readonly train: boolean;
  /** All pixels, image after image, row after row, the channels of a pixel side by side. */
  readonly data: Uint8Array;
  readonly targets: Int32Array;
  readonly #height: number;
  readonly #width: number;
  readonly #channels: number;
  #tables: Float32Array[] | null = null;

  constructor(pictures: Pictures, { train = true, transform, target_transform }: VisionOptions<X, Y>) {
    super();
    this.transform = transform ?? null;
    this.target_transform = target_transform ?? null;
    this.train = train;
    this.data = pictures.data;
    this.targets = pictures.targets;
    this.#height = pictures.height;
    this.#width = pictures.width;
    this.#channels = pictures.channels;
  }

  get length(): number {
    return this.targets.length;
  }

  override get(index: number): [X, Y] {
    const message = `index ${index} is out of bounds for dimension 0 with size ${this.length}`;
    const i = checkIndex(index, this.length, message);
    const image = this.#image(i);
    const label = this.targets[i]!;
    return [
      (this.transform ? this.transform(image) : image) as X,
      (this.target_transform ? this.target_transform(label) : label) as Y,
    ];
  }

  /** Null where a transform wants whole samples. */
  getBatch(indices: readonly number[]): Collated<[Awaited<X>, Awaited<Y>]> | null {
    this.#tables ??= this.transform?.tables?.(this.#channels) ?? null;
    if (this.#tables === null || this.target_transform) return null;
    const shape = this.transform?.geometry;
    const images = indices.map((index) => {
      const image = this.#image(checkIndex(index, this.length));
      return shape ? shape(image) : image;
    });
    const [{ height, width }] = images as [Image];
    const size = this.#channels * height * width;
    const values = new Float32Array(images.length * size);
    for (const [j, { data }] of images.entries()) lookUp(this.#tables, height * width, data, values, j * size);
    const labels = Int32Array.from(indices, (index) => this.targets[checkIndex(index, this.length)]!);
    const batch: [tf.Tensor, tf.Tensor] = [
      fromHost(values, [images.length, this.#channels, height, width], 'float32'),
      fromHost(labels, [images.length], 'int32'),
    ];
    return batch as Collated<[Awaited<X>, Awaited<Y>]>;
  }

  #image(i: number): Image {
    const size = this.#height * this.#width * this.#channels;
    return new Image(this.data.slice(i * size, (i + 1) * size), this.#height, this.#width, this.#channels);
  }
}

/** Labels from 0 to `classes` - 1. @throws RuntimeError that names the file */
export function checkLabels(file: string, labels: ArrayLike<number>, classes: number) {
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i]!;
    if (!Number.isInteger(label) || label < 0 || label >= classes) {
      throw new RuntimeError(`${file}: expected labels from 0 to ${classes - 1}, found ${label} at index ${i}`);
    }
  }
}
