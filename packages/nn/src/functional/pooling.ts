import * as tf from '@tensorflow/tfjs-core';
import { type Args, bind, NotImplementedError, RuntimeError, type Signature, signature } from '@tfjs-torch/core';
import { maxOfWindows, onHost, scatter, type Windows } from '../host-pool';
import { list } from '../names';
import { kernel, oneDnn, op } from '../op';
import { type Pair, repeat, type Single, type Sizes } from '../pair';
import { assertTensor } from './linear';
import { assertNotEmpty, assertPadding, outputSize, type PoolOptions, pooledByWindows, poolPair } from './pool-windows';

interface MaxPoolOptions<S> {
  /** Default: `kernel_size`. */
  stride?: S | null;
  padding?: S;
  /** Only 1 so far. */
  dilation?: S;
  ceil_mode?: boolean;
  /** Only false so far. */
  return_indices?: boolean;
}
export type MaxPool1dOptions = MaxPoolOptions<Single>;
export type MaxPool2dOptions = MaxPoolOptions<Pair>;

type MaxPoolArgs<S> = Args<
  [stride: S | null, padding: S, dilation: S, ceil_mode: boolean, return_indices: boolean],
  MaxPoolOptions<S>
>;
type Bound = Required<MaxPoolOptions<Sizes>>;
const maxPoolList = 'input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False';

/** The largest value in each window. `input` [N, C, H, W] or [C, H, W]. */
export function max_pool2d(input: tf.Tensor, kernel_size: Pair, ...args: MaxPoolArgs<Pair>): tf.Tensor {
  const o = bind(maxPool2dSignature, [input, kernel_size, ...args]);
  assertTensor('max_pool2d', 'input', 1, input);
  assertNoIndices('max_pool2d', o);
  const pairOf = (name: Parameters<typeof poolPair>[1], x: Sizes) => poolPair('max_pool2d', name, x);
  const size = pairOf('kernel_size', kernel_size);
  const windows: PoolOptions = {
    size,
    strides: o.stride === null ? size : pairOf('stride', o.stride),
    padding: pairOf('padding', o.padding),
    ceil: o.ceil_mode,
  };
  const dilation = pairOf('dilation', o.dilation);
  if (windows.strides.includes(0)) throw new RuntimeError('stride should not be zero');
  if (input.rank !== 3 && input.rank !== 4) {
    throw new RuntimeError('non-empty 3D or 4D (batch mode) tensor expected for input');
  }
  assertNotEmpty(input.shape);
  if (dilation.some((d) => d <= 0)) {
    throw new RuntimeError(
      `dilation should be greater than zero, but got dilationH: ${dilation[0]} dilationW: ${dilation[1]}`,
    );
  }
  assertNoDilation('max_pool2d', dilation);
  assertPadding(windows);
  return pooledByWindows(input, false, windows, maxPool);
}
const maxPool2dSignature: Signature<Bound> = signature('max_pool2d', maxPoolList);

/** The largest value in each window. `input` [N, C, L] or [C, L]. */
export function max_pool1d(input: tf.Tensor, kernel_size: Single, ...args: MaxPoolArgs<Single>): tf.Tensor {
  const o = bind(maxPool1dSignature, [input, kernel_size, ...args]);
  assertTensor('max_pool1d', 'input', 1, input);
  assertNoIndices('max_pool1d', o);
  if ((input.rank !== 2 && input.rank !== 3) || input.shape.slice(-2).includes(0)) {
    throw new RuntimeError(
      `max_pool1d: Expected 2D or 3D (batch mode) tensor with optional 0 dim batch size for input, but got:${list(input.shape)}`,
    );
  }
  const size = one('kernel_size', 'an int, list of ints or tuple of ints', kernel_size);
  const stride = o.stride === null ? size : one('stride', 'None, an int, list of ints, or tuple of ints', o.stride);
  const padding = one('padding', 'an int, list of ints, or tuple of ints', o.padding);
  const dilation = one('dilation', 'an int, list of ints, or tuple of ints', o.dilation);
  const refuse = (text: string) => {
    throw new RuntimeError(`max_pool1d() ${text}`);
  };
  if (size <= 0) refuse(`kernel_size must be greater than zero, but got ${size}`);
  if (stride <= 0) refuse(`stride must be greater than zero, but got ${stride}`);
  if (padding < 0) refuse(`padding must be non-negative, but got ${padding}`);
  if (padding > size / 2) {
    refuse(`padding should be at most half of kernel size, but got padding=${padding} and kernel_size=${size}`);
  }
  if (dilation <= 0) refuse(`dilation must be greater than zero, but got ${dilation}`);
  assertNoDilation('max_pool1d', [dilation]);
  const out = outputSize(input.shape[input.rank - 1]!, size, stride, padding, o.ceil_mode);
  if (out <= 0) refuse(`Invalid computed output size: ${out}`);
  const windows: PoolOptions = {
    size: [1, size],
    strides: [1, stride],
    padding: [0, padding],
    ceil: o.ceil_mode,
  };
  return pooledByWindows(input, true, windows, maxPool);
}
const maxPool1dSignature: Signature<Bound> = signature('max_pool1d', maxPoolList);

function one(name: string, form: string, x: Sizes): number {
  const [value, ...more] = repeat(x, 1);
  if (value !== undefined && more.length === 0) return value;
  throw new RuntimeError(`max_pool1d() ${name} must be ${form} of size 1 but got size ${repeat(x, 1).length}`);
}

function assertNoIndices(call: string, { return_indices }: { return_indices: boolean }): void {
  if (return_indices) throw new NotImplementedError(`${call}: return_indices=True is not available yet`);
}

function assertNoDilation(call: string, dilation: readonly number[]): void {
  if (dilation.some((d) => d !== 1)) {
    throw new NotImplementedError(`${call}: dilation other than 1 is not available yet`);
  }
}

const maxPool = (images: tf.Tensor4D, windows: Windows): tf.Tensor4D =>
  onHost() ? poolOnHost(images, windows) : poolByKernel(images, windows);

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
  const own = {
    T: 'float32',
    ksize: [1, ...size, 1],
    strides: [1, ...strides, 1],
    padding: { text: 'VALID' },
    data_format: { text: 'NHWC' },
    workspace_enabled: true,
  } as const;
  return op(
    node,
    { input },
    (save) => {
      const x = framed ? tf.pad(input, frame, Number.NEGATIVE_INFINITY) : input;
      // It keeps the places; TensorFlow's own gradient looks for them again, in ten times its time.
      const fused = x.dtype === 'float32' ? oneDnn('_MklNativeMaxPool', own, () => [x], 2) : null;
      const [y, places] = (fused ?? [kernel(tf.MaxPool, { x }, attrs)]) as [tf.Tensor, tf.Tensor?];
      save(places ? [x, y, places] : [x, y]);
      return y;
    },
    (dy, saved) => ({
      input: () => {
        const [x, y, places] = saved as [tf.Tensor4D, tf.Tensor4D, tf.Tensor?];
        const dx =
          (places && oneDnn('_MklNativeMaxPoolGrad', own, () => [x, y, dy, places]))?.[0] ??
          kernel(tf.MaxPoolGrad, { dy, input: x, output: y }, attrs);
        return framed ? tf.slice(dx, [0, before[0], before[1], 0], input.shape) : dx;
      },
    }),
  ) as tf.Tensor4D;
}

const node = 'MaxPool2DWithIndices';
