import * as tf from '@tensorflow/tfjs-core';
import { type Args, bind, NotImplementedError, RuntimeError, type Signature, signature } from '@tfjs-torch/core';
import { maxOfWindows, scatter, type Windows } from '../host-pool';
import { nchwFrom, nhwc } from '../layout';
import { list } from '../names';
import { kernel, op } from '../op';
import { type Pair, pair } from '../pair';
import { assertTensor } from './linear';

export interface MaxPool2dOptions {
  /** Default: `kernel_size`. */
  stride?: Pair | null;
  padding?: Pair;
  /** Only 1 so far. */
  dilation?: Pair;
  ceil_mode?: boolean;
  /** Only false so far. */
  return_indices?: boolean;
}

/** The largest value in each window. `input` [N, C, H, W] or [C, H, W]. */
export function max_pool2d(
  input: tf.Tensor,
  kernel_size: Pair,
  ...args: Args<
    [stride: Pair | null, padding: Pair, dilation: Pair, ceil_mode: boolean, return_indices: boolean],
    MaxPool2dOptions
  >
): tf.Tensor {
  const { stride, padding, dilation, ceil_mode, return_indices } = bind(maxPool2dSignature, [
    input,
    kernel_size,
    ...args,
  ]);
  assertTensor('max_pool2d', 'input', 1, input);
  if (return_indices) throw new NotImplementedError('max_pool2d: return_indices=True is not available yet');
  const size = poolPair('kernel_size', kernel_size);
  const windows: Options = {
    size,
    strides: stride === null ? size : poolPair('stride', stride),
    padding: poolPair('padding', padding),
    ceil: ceil_mode,
  };
  assertWindows(input, windows, poolPair('dilation', dilation));
  const batched = (input.rank === 4 ? input : tf.expandDims(input)) as tf.Tensor4D;
  const output = maxPool(batched, windows);
  return input.rank === 4 ? output : tf.reshape(output, output.shape.slice(1));
}
const maxPool2dSignature: Signature<Required<MaxPool2dOptions>> = signature(
  'max_pool2d',
  'input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False',
);

type Two = [number, number];

interface Options {
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

function poolPair(name: keyof typeof forms, x: Pair): Two {
  const [h, w, ...more] = pair(x);
  if (h === undefined || more.length > 0) {
    throw new RuntimeError(`max_pool2d: ${name} must ${forms[name]}, or a tuple of two ints`);
  }
  return [h, w ?? h];
}

function assertWindows(input: tf.Tensor, { size, strides, padding }: Options, dilation: Two): void {
  if (strides.includes(0)) throw new RuntimeError('stride should not be zero');
  if ((input.rank !== 3 && input.rank !== 4) || input.shape.slice(-3).includes(0)) {
    throw new RuntimeError(
      input.rank === 3 || input.rank === 4
        ? `Expected 3D or 4D (batch mode) tensor with optional 0 dim batch size for input, but got:${list(input.shape)}`
        : 'non-empty 3D or 4D (batch mode) tensor expected for input',
    );
  }
  if (dilation.some((d) => d <= 0)) {
    throw new RuntimeError(
      `dilation should be greater than zero, but got dilationH: ${dilation[0]} dilationW: ${dilation[1]}`,
    );
  }
  if (dilation.some((d) => d !== 1))
    throw new NotImplementedError('max_pool2d: dilation other than 1 is not available yet');
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
function outputSize(n: number, size: number, stride: number, padding: number, ceil: boolean): number {
  const free = n + 2 * padding - size;
  const out = Math.floor((free + (ceil ? stride - 1 : 0)) / stride) + 1;
  return ceil && (out - 1) * stride >= n + padding ? out - 1 : out;
}

function maxPool(input: tf.Tensor4D, { size, strides, padding, ceil }: Options): tf.Tensor {
  const [n, c, height, width] = input.shape;
  const out = [height, width].map((x, i) => outputSize(x, size[i]!, strides[i]!, padding[i]!, ceil)) as Two;
  if (out.some((x) => x < 1)) {
    throw new RuntimeError(
      `Given input size: (${c}x${height}x${width}). Calculated output size: (${c}x${out.map((x) => Math.max(x, 0)).join('x')}). Output size is too small`,
    );
  }
  const windows = { input: [n, height, width, c], output: out, size, strides, before: padding } as const;
  if (n === 0) return tf.zeros([n, c, ...out]);
  const images = nhwc(input);
  return nchwFrom(hostBackends.has(tf.getBackend()) ? poolOnHost(images, windows) : poolByKernel(images, windows));
}

/** Backends whose memory JavaScript reads at no cost to speak of. */
const hostBackends = new Set(['cpu', 'wasm']);

function poolOnHost(input: tf.Tensor4D, windows: Windows): tf.Tensor4D {
  let places: Int32Array;
  return op(
    node,
    { input },
    () => {
      const found = maxOfWindows(input.dataSync<'float32'>(), windows);
      places = found.places;
      return tf.tensor4d(found.values, [input.shape[0], ...windows.output, input.shape[3]]);
    },
    (dy) => ({ input: () => tf.tensor4d(scatter(dy.dataSync<'float32'>(), places, input.size), input.shape) }),
  ) as tf.Tensor4D;
}

function poolByKernel(input: tf.Tensor4D, { output, size, strides, before }: Windows): tf.Tensor4D {
  const [, height, width] = input.shape;
  const after = [height, width].map((x, i) => (output[i]! - 1) * strides[i]! + size[i]! - x - before[i]!);
  const frame: [number, number][] = [
    [0, 0],
    [before[0], Math.max(after[0]!, 0)],
    [before[1], Math.max(after[1]!, 0)],
    [0, 0],
  ];
  const framed = frame.flat().some((p) => p > 0);
  const attrs = { filterSize: size, strides, pad: 'valid' };
  return op(
    node,
    { input },
    (save) => {
      const x = framed ? tf.pad(input, frame, Number.NEGATIVE_INFINITY) : input;
      const y = kernel(tf.MaxPool, { x }, attrs);
      save([x, y]);
      return y;
    },
    (dy, saved) => ({
      input: () => {
        const [x, y] = saved as [tf.Tensor4D, tf.Tensor4D];
        const dx = kernel(tf.MaxPoolGrad, { dy, input: x, output: y }, attrs);
        return framed ? tf.slice(dx, [0, before[0], before[1], 0], input.shape) : dx;
      },
    }),
  ) as tf.Tensor4D;
}

const node = 'MaxPool2DWithIndices';
