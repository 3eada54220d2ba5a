/** What the poolings share: options, checks, and the way from torch's shapes to windows over NHWC images and back. */
import * as tf from '@tensorflow/tfjs-core';
import { RuntimeError } from '@tfjs-torch/core';
import type { Windows } from '../host-pool';
import { nchwFrom, nhwc } from '../layout';
import { list } from '../names';
import { pair, type Sizes } from '../pair';

export type Two = [number, number];

export interface PoolOptions {
  size: Two;
  strides: Two;
  padding: Two;
  ceil: boolean;
}

const forms = {
  kernel_size: 'either be a single int',
  stride: 'either be omitted, a single int',
  padding: 'either be a single int',
  dilation: 'be either a single int',
};

/** An option for height and width. @throws torch's error for another count */
export function poolPair(call: string, name: keyof typeof forms, x: Sizes): Two {
  const [h, w, ...more] = pair(x);
  if (h === undefined || more.length > 0) {
    throw new RuntimeError(`${call}: ${name} must ${forms[name]}, or a tuple of two ints`);
  }
  return [h, w ?? h];
}

/** @throws torch's error for an image without pixels or channels */
export function assertNotEmpty(shape: readonly number[]): void {
  if (!shape.slice(-3).includes(0)) return;
  throw new RuntimeError(
    `Expected 3D or 4D (batch mode) tensor with optional 0 dim batch size for input, but got:${list(shape)}`,
  );
}

/** @throws torch's error for padding that no window can have */
export function assertPadding({ size, padding }: PoolOptions): void {
  for (const [i, p] of padding.entries()) {
    if (p < 0) throw new RuntimeError(`pad must be non-negative, but got pad: ${p}`);
    if (p > size[i]! / 2) {
      throw new RuntimeError(
        `pad should be at most half of effective kernel size, but got pad=${p}, kernel_size=${size[i]} and dilation=1`,
      );
    }
  }
}

/** torch's pooling_output_shape: in ceil mode the last window must start inside of the input or the padding before it. */
export function outputSize(n: number, size: number, stride: number, padding: number, ceil: boolean): number {
  const free = n + 2 * padding - size;
  const out = Math.floor((free + (ceil ? stride - 1 : 0)) / stride) + 1;
  return ceil && (out - 1) * stride >= n + padding ? out - 1 : out;
}

/**
 * Applies a pooling of NHWC images to [N, C, H, W] or [C, H, W]; with `lines` to [N, C, L] or [C, L] as images of one
 * row.
 */
export function pooled(
  input: tf.Tensor,
  lines: boolean,
  output: (height: number, width: number) => Two,
  pool: (images: tf.Tensor4D, output: Two) => tf.Tensor4D,
): tf.Tensor {
  const rank = lines ? 3 : 4;
  const batch = input.rank === rank ? input : tf.expandDims(input);
  const [n = 0, c = 0, ...space] = batch.shape;
  const [height, width] = lines ? [1, space[0]!] : (space as Two);
  const out = output(height, width);
  if (out.some((x) => x < 1)) {
    throw new RuntimeError(
      `Given input size: (${c}x${height}x${width}). Calculated output size: (${c}x${out.map((x) => Math.max(x, 0)).join('x')}). Output size is too small`,
    );
  }
  const result = n === 0 ? tf.zeros([n, c, ...(lines ? out.slice(1) : out)]) : nchwFrom(pool(nhwc(batch), out), rank);
  return input.rank === rank ? result : tf.reshape(result, result.shape.slice(1));
}

/** As `pooled`, where one window serves all places. */
export function pooledByWindows(
  input: tf.Tensor,
  lines: boolean,
  { size, strides, padding, ceil }: PoolOptions,
  pool: (images: tf.Tensor4D, windows: Windows) => tf.Tensor4D,
): tf.Tensor {
  return pooled(
    input,
    lines,
    (...space) => space.map((n, i) => outputSize(n, size[i]!, strides[i]!, padding[i]!, ceil)) as Two,
    (images, output) => pool(images, { input: images.shape, output, size, strides, before: padding }),
  );
}
