import * as tf from '@tensorflow/tfjs-core';
import { type Args, bind, internal, RuntimeError, type Signature, signature } from '@tfjs-torch/core';
import { onHost, spreadOverWindows, sumOfWindows, type Windows } from '../host-pool';
import { list, notImplemented } from '../names';
import { kernel, op } from '../op';
import { type Pair, repeat, type Single, type Sizes } from '../pair';
import { mapped, mappedGradient, type Rows } from '../separable';
import { assertTensor } from './linear';
import {
  assertNotEmpty,
  assertPadding,
  type PoolOptions,
  pooled,
  pooledByWindows,
  poolPair,
  type Two,
} from './pool-windows';

export interface AvgPool1dOptions {
  /** Default: `kernel_size`. */
  stride?: Single | null;
  padding?: Single;
  ceil_mode?: boolean;
  /** Whether zeros of the padding count. Default true. */
  count_include_pad?: boolean;
}
export interface AvgPool2dOptions {
  /** Default: `kernel_size`. */
  stride?: Pair | null;
  padding?: Pair;
  ceil_mode?: boolean;
  /** Whether zeros of the padding count. Default true. */
  count_include_pad?: boolean;
  /** What the sums are divided by instead of the window's size. */
  divisor_override?: number | null;
}

/** The mean of each window. `input` [N, C, H, W] or [C, H, W]. */
export function avg_pool2d(
  input: tf.Tensor,
  kernel_size: Pair,
  ...args: Args<
    [
      stride: Pair | null,
      padding: Pair,
      ceil_mode: boolean,
      count_include_pad: boolean,
      divisor_override: number | null,
    ],
    AvgPool2dOptions
  >
): tf.Tensor {
  const o = bind(avgPool2dSignature, [input, kernel_size, ...args]);
  assertTensor('avg_pool2d', 'input', 1, input);
  const size = poolPair('avg_pool2d', 'kernel_size', kernel_size);
  const windows: PoolOptions = {
    size,
    strides: o.stride === null ? size : poolPair('avg_pool2d', 'stride', o.stride),
    padding: poolPair('avg_pool2d', 'padding', o.padding),
    ceil: o.ceil_mode,
  };
  if (o.divisor_override === 0) throw new RuntimeError('divisor must be not zero');
  if (windows.strides.includes(0)) throw new RuntimeError('stride should not be zero');
  if (input.rank !== 3 && input.rank !== 4) {
    throw new RuntimeError(
      `Expected 3D or 4D (batch mode) tensor with optional 0 dim batch size for input, but got:${list(input.shape)}`,
    );
  }
  assertNotEmpty(input.shape);
  assertPadding(windows);
  return pooledByWindows(input, false, windows, (x, w) => average(x, w, o.count_include_pad, o.divisor_override));
}
const avgPool2dSignature: Signature<Required<AvgPool2dOptions>> = signature(
  'avg_pool2d',
  'input, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True, divisor_override=None',
);

/** The mean of each window. `input` [N, C, L] or [C, L]. */
export function avg_pool1d(
  input: tf.Tensor,
  kernel_size: Single,
  ...args: Args<
    [stride: Single | null, padding: Single, ceil_mode: boolean, count_include_pad: boolean],
    AvgPool1dOptions
  >
): tf.Tensor {
  const o = bind(avgPool1dSignature, [input, kernel_size, ...args]);
  assertTensor('avg_pool1d', 'input', 1, input);
  assertLine('avg_pool1d', input);
  const size = one('avg_pool1d', 'kernel_size', kernel_size);
  const windows: PoolOptions = {
    size: [1, size],
    strides: [1, o.stride === null ? size : one('avg_pool1d', 'stride', o.stride)],
    padding: [0, one('avg_pool1d', 'padding', o.padding)],
    ceil: o.ceil_mode,
  };
  if (windows.strides.includes(0)) throw new RuntimeError('stride should not be zero');
  assertNotEmpty([...input.shape.slice(0, -1), 1, input.shape[input.rank - 1]!]);
  assertPadding(windows);
  return pooledByWindows(input, true, windows, (x, w) => average(x, w, o.count_include_pad, null));
}
const avgPool1dSignature: Signature<Required<AvgPool1dOptions>> = signature(
  'avg_pool1d',
  'input, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True',
);

function assertLine(call: string, input: tf.Tensor): void {
  if (input.rank === 2 || input.rank === 3) return;
  throw new RuntimeError(
    `Expected 2 to 3 dimensions, but got ${input.rank}-dimensional tensor for argument #1 'self' (while checking arguments for ${call})`,
  );
}

function one(call: string, name: string, x: Sizes): number {
  const [value, ...more] = repeat(x, 1);
  if (value !== undefined && more.length === 0) return value;
  throw new RuntimeError(`${call}() argument '${name}' should contain one int (got ${more.length + 1})`);
}

/** How many elements of a dimension each window counts, of the padding too where that is `included`. */
function counts(w: Windows, axis: 0 | 1, included: boolean): number[] {
  const n = w.input[axis + 1]!;
  const padding = w.before[axis];
  const [low, high] = included ? [-padding, n + padding] : [0, n];
  return Array.from({ length: w.output[axis] }, (_, i) => {
    const start = i * w.strides[axis] - padding;
    return Math.min(start + w.size[axis], high) - Math.max(start, low);
  });
}

/** What the sum of each window is multiplied by, [h · w]. */
function factorsOf(w: Windows, included: boolean, divisor: number | null): Float32Array {
  const [rows, columns] = [counts(w, 0, included), counts(w, 1, included)];
  return Float32Array.from(rows.flatMap((n) => columns.map((m) => 1 / (divisor ?? n * m))));
}

function average(input: tf.Tensor4D, w: Windows, included: boolean, divisor: number | null): tf.Tensor4D {
  const factors = factorsOf(w, included, divisor);
  return onHost() ? averageOnHost(input, w, factors) : averageByKernel(input, w, factors);
}

// On cpu tfjs's kernels take up to ten times as long, its gradient on wasm up to three times.
function averageOnHost(input: tf.Tensor4D, w: Windows, factors: Float32Array): tf.Tensor4D {
  const { shape } = input;
  const y = op(
    node,
    { input },
    () => tf.tensor4d(sumOfWindows(input.dataSync<'float32'>(), w, factors), [shape[0], ...w.output, shape[3]]),
    (dy) => ({ input: () => tf.tensor4d(spreadOverWindows(dy.dataSync<'float32'>(), w, factors), shape) }),
  );
  return y as tf.Tensor4D;
}

function averageByKernel(input: tf.Tensor4D, w: Windows, factors: Float32Array): tf.Tensor4D {
  const [, height, width] = input.shape;
  const before: Two = [...w.before];
  // Zeros up to where the last windows end.
  const framed = [height, width].map((n, i) =>
    Math.max((w.output[i]! - 1) * w.strides[i]! + w.size[i]!, n + before[i]!),
  ) as Two;
  const attrs = { filterSize: w.size, strides: w.strides, pad: 'valid' };
  const area = w.size[0] * w.size[1];
  const whole = factors.every((f) => f === Math.fround(1 / area));
  /** From means over whole windows to what is wanted. */
  const scaled = (y: tf.Tensor): tf.Tensor =>
    whole
      ? y
      : tf.mul(
          y,
          tf.tensor4d(
            factors.map((f) => f * area),
            [1, ...w.output, 1],
          ),
        );
  const y = op(
    node,
    { input },
    (save) => {
      const x = internal.frame(input, before, framed);
      save([x]);
      return scaled(kernel(tf.AvgPool, { x }, attrs));
    },
    (dy, [x]) => ({
      input: () => {
        const dx = kernel(tf.AvgPoolGrad, { dy: scaled(dy), input: x! }, attrs);
        return internal.frame(dx, [-before[0], -before[1]], [height, width]);
      },
    }),
  );
  return y as tf.Tensor4D;
}

const node = 'AvgPool2D';

// ---- as many windows as wanted

/** A size of the result for height and width; `null` keeps that of the input. */
export type OutputSize = number | null | readonly [number | null, number | null];

/** The mean over `output_size` windows that cover [N, C, H, W] or [C, H, W]. */
export function adaptive_avg_pool2d(input: tf.Tensor, output_size: OutputSize): tf.Tensor {
  assertTensor('adaptive_avg_pool2d', 'input', 1, input);
  if (input.rank !== 3 && input.rank !== 4) {
    throw new RuntimeError(`adaptive_avg_pool2d(): Expected 3D or 4D tensor, but got ${list(input.shape)}`);
  }
  const sizes: readonly (number | null)[] =
    typeof output_size === 'number' || output_size === null ? [output_size, output_size] : output_size;
  if (sizes.length !== 2) throw new RuntimeError('adaptive_avg_pool2d: output_size must be 2');
  const wanted = sizes.map((n, i) => n ?? input.shape[input.rank - 2 + i]!) as Two;
  return adaptive(input, false, wanted);
}

/** The mean over `output_size` windows that cover [N, C, L] or [C, L]. */
export function adaptive_avg_pool1d(input: tf.Tensor, output_size: Single): tf.Tensor {
  assertTensor('adaptive_avg_pool1d', 'input', 1, input);
  assertLine('adaptive_avg_pool1d', input);
  return adaptive(input, true, [1, one('adaptive_avg_pool1d', 'output_size', output_size)]);
}

function adaptive(input: tf.Tensor, lines: boolean, wanted: Two): tf.Tensor {
  if (wanted.some((n) => n < 0)) {
    throw new RuntimeError(
      `adaptive_avg_pool2d: elements of output_size must be greater than or equal to 0 but received {${wanted.join(', ')}}`,
    );
  }
  const empty = input.shape.findIndex((n, i) => n === 0 && i >= input.rank - (lines ? 1 : 2));
  if (empty >= 0) {
    throw new RuntimeError(
      `adaptive_avg_pool2d(): Expected input to have non-zero size for non-batch dimensions, but input has sizes ${list(input.shape)} with dimension ${empty} being empty`,
    );
  }
  if (input.dtype !== 'float32') throw notImplemented('adaptive_avg_pool2d', input);
  return pooled(
    input,
    lines,
    () => wanted,
    (images, output) => {
      const [, h, w] = images.shape;
      const size: Two = [h / output[0], w / output[1]];
      return size.every(Number.isInteger)
        ? average(images, { input: images.shape, output, size, strides: size, before: [0, 0] }, true, null)
        : uneven(images, output);
    },
  );
}

/** Where the windows differ in size. */
function uneven(images: tf.Tensor4D, [height, width]: Two): tf.Tensor4D {
  const [, h, w] = images.shape;
  const [rows, columns] = [sharesOf(h, height), sharesOf(w, width)];
  const y = op(
    'AdaptiveAvgPool2D',
    { images },
    () => mapped(images, rows, columns),
    (dy) => ({ images: () => mappedGradient(dy as tf.Tensor4D, rows, columns, [h, w]) }),
  );
  return y as tf.Tensor4D;
}

/** torch's windows: from ⌊i·n/out⌋ to ⌈(i+1)·n/out⌉, so they overlap where they must. */
const sharesOf = (n: number, out: number): Rows =>
  Array.from({ length: out }, (_, i) => {
    const start = Math.floor((i * n) / out);
    const length = Math.ceil(((i + 1) * n) / out) - start;
    return Array.from({ length }, (_, k): [number, number] => [start + k, 1 / length]);
  });
