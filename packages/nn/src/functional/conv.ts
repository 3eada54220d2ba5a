import * as tf from '@tensorflow/tfjs-core';
import { type Args, bind, internal, RuntimeError, type Signature, signature } from '@tfjs-torch/core';
import { type Geometry, kindOf, type Shape4D, sumOfPixels } from '../conv-kernels';
import { nchwFrom, nhwc } from '../layout';
import { list, scalarType } from '../names';
import { op } from '../op';
import { convSizes, type Pair, type Single, type Sizes } from '../pair';
import { assertTensor } from './linear';

interface Shared<S> {
  bias?: tf.Tensor | null;
  stride?: S;
  dilation?: S;
  groups?: number;
}
interface ConvOptions<S> extends Shared<S> {
  padding?: S | 'same' | 'valid';
}
interface ConvTransposeOptions<S> extends Shared<S> {
  padding?: S;
  /** Added to one side of the result's size. */
  output_padding?: S;
}
export type Conv1dFunctionOptions = ConvOptions<Single>;
export type Conv2dFunctionOptions = ConvOptions<Pair>;
export type ConvTranspose1dFunctionOptions = ConvTransposeOptions<Single>;
export type ConvTranspose2dFunctionOptions = ConvTransposeOptions<Pair>;

type ConvArgs<S> = Args<
  [bias: tf.Tensor | null, stride: S, padding: S | 'same' | 'valid', dilation: S, groups: number],
  ConvOptions<S>
>;
type ConvTransposeArgs<S> = Args<
  [bias: tf.Tensor | null, stride: S, padding: S, output_padding: S, groups: number, dilation: S],
  ConvTransposeOptions<S>
>;

type Bound = Required<ConvOptions<Sizes>>;
type BoundTransposed = Required<ConvTransposeOptions<Sizes>>;
const convList = 'input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1';
const transposedList = 'input, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1';

/** 1-D cross-correlation. `input` [N, in, L] or [in, L], `weight` [out, in / groups, k], `bias` [out]. */
export const conv1d = (input: tf.Tensor, weight: tf.Tensor, ...args: ConvArgs<Single>): tf.Tensor =>
  convolve('conv1d', 1, input, weight, bind(conv1dSignature, [input, weight, ...args]));
const conv1dSignature: Signature<Bound> = signature('conv1d', convList);

/** 2-D cross-correlation. `input` [N, in, H, W] or [in, H, W], `weight` [out, in / groups, kh, kw], `bias` [out]. */
export const conv2d = (input: tf.Tensor, weight: tf.Tensor, ...args: ConvArgs<Pair>): tf.Tensor =>
  convolve('conv2d', 2, input, weight, bind(conv2dSignature, [input, weight, ...args]));
const conv2dSignature: Signature<Bound> = signature('conv2d', convList);

/** The gradient of `conv1d` by its input. `input` [N, in, L] or [in, L], `weight` [in, out / groups, k], `bias` [out]. */
export const conv_transpose1d = (input: tf.Tensor, weight: tf.Tensor, ...args: ConvTransposeArgs<Single>): tf.Tensor =>
  convolveTransposed('conv_transpose1d', 1, input, weight, bind(transposed1dSignature, [input, weight, ...args]));
const transposed1dSignature: Signature<BoundTransposed> = signature('conv_transpose1d', transposedList);

/**
 * The gradient of `conv2d` by its input: it enlarges by the stride. `input` [N, in, H, W] or [in, H, W], `weight`
 * [in, out / groups, kh, kw], `bias` [out].
 */
export const conv_transpose2d = (input: tf.Tensor, weight: tf.Tensor, ...args: ConvTransposeArgs<Pair>): tf.Tensor =>
  convolveTransposed('conv_transpose2d', 2, input, weight, bind(transposed2dSignature, [input, weight, ...args]));
const transposed2dSignature: Signature<BoundTransposed> = signature('conv_transpose2d', transposedList);

// ---- sizes: one number for each dimension of space

type Two = [number, number];

interface Window {
  size: number[];
  strides: number[];
  dilations: number[];
  /** The kernel's size with the dilation's gaps. */
  effective: number[];
}

function windowOf(
  input: tf.Tensor,
  weight: tf.Tensor,
  dims: number,
  options: { stride: Sizes; dilation: Sizes; groups: number },
): Window {
  if (options.groups <= 0) throw new RuntimeError('non-positive groups is not supported');
  if (dims === 1 && weight.rank > 3) {
    throw new RuntimeError(
      `Expected ${weight.rank}-dimensional input for ${weight.rank}-dimensional weight ${list(weight.shape)}, but got ${input.rank}-dimensional input of size ${list(input.shape)} instead`,
    );
  }
  const strides = convSizes('stride', options.stride, dims, weight.rank - 2);
  const dilations = convSizes('dilation', options.dilation, dims);
  const size = weight.shape.slice(2);
  return { size, strides, dilations, effective: size.map((k, i) => dilations[i]! * (k - 1) + 1) };
}

function assertPositive({ strides, dilations }: Window, padding: readonly number[]): void {
  if (strides.some((s) => s <= 0)) throw new RuntimeError('non-positive stride is not supported');
  if (dilations.some((d) => d <= 0)) throw new RuntimeError('non-positive dilation is not supported');
  if (padding.some((p) => p < 0)) throw new RuntimeError('negative padding is not supported');
}

function paddingBefore(padding: Sizes | string, { effective, strides }: Window): number[] {
  if (typeof padding !== 'string') return convSizes('padding', padding, strides.length);
  if (padding === 'valid') return effective.map(() => 0);
  if (padding !== 'same') throw new RuntimeError(`Invalid padding string: '${padding}'`);
  if (strides.some((s) => s !== 1)) throw new RuntimeError("padding='same' is not supported for strided convolutions");
  return effective.map((k) => Math.floor((k - 1) / 2));
}

/** Whether tfjs's 'same' puts what is missing where torch does: half of it before, rounded down. */
const isSame = (n: number, out: number, before: number, effective: number, stride: number): boolean =>
  Math.ceil(n / stride) === out && before === Math.floor(Math.max((out - 1) * stride + effective - n, 0) / 2);

/** For images: a line is one row. */
const asTwo = (xs: readonly number[], row: number): Two => (xs.length === 1 ? [row, xs[0]!] : [xs[0]!, xs[1]!]);
const as4D = ([a = 0, b = 0, ...space]: readonly number[]): Shape4D => [a, b, ...asTwo(space, 1)];

const kernelGeometry = ({ strides, dilations }: Window, groups: number, same: boolean): Geometry => ({
  strides: asTwo(strides, strides[0]!),
  dilations: asTwo(dilations, 1),
  groups,
  pad: same ? 'same' : 'valid',
});

// ---- checks

function assertRank(call: string, dims: number, input: tf.Tensor, weight: tf.Tensor): void {
  assertTensor(call, 'input', 1, input);
  assertTensor(call, 'weight', 2, weight);
  if (input.rank !== dims + 1 && input.rank !== dims + 2) {
    throw new RuntimeError(
      `Expected ${dims + 1}D (unbatched) or ${dims + 2}D (batched) input to ${call}, but got input of size: ${list(input.shape)}`,
    );
  }
}

function assertGroups(weight: tf.Tensor, groups: number): void {
  if (weight.shape[0]! % groups === 0) return;
  throw new RuntimeError(
    `Given groups=${groups}, expected weight to be divisible by ${groups} at dimension 0, but got weight of size [${list(weight.shape)}] instead`,
  );
}

function assertFits(input: tf.Tensor, weight: tf.Tensor, bias: tf.Tensor | null, groups: number): void {
  const [out = 0, inPerGroup = 0] = weight.shape;
  const channels = input.shape[1]!;
  assertGroups(weight, groups);
  if (channels !== inPerGroup * groups) {
    throw new RuntimeError(
      `Given groups=${groups}, weight of size ${list(weight.shape)}, expected input${list(input.shape)} to have ${inPerGroup * groups} channels, but got ${channels} channels instead`,
    );
  }
  assertBias('Given', weight, bias, out);
}

function assertFitsTransposed(input: tf.Tensor, weight: tf.Tensor, bias: tf.Tensor | null, groups: number): void {
  const [inputs = 0, outPerGroup = 0] = weight.shape;
  const channels = input.shape[1]!;
  assertGroups(weight, groups);
  if (channels !== inputs) {
    throw new RuntimeError(
      `Given transposed=1, weight of size ${list(weight.shape)}, expected input${list(input.shape)} to have ${inputs} channels, but got ${channels} channels instead`,
    );
  }
  assertBias('Given transposed=1,', weight, bias, outPerGroup * groups);
}

function assertBias(given: string, weight: tf.Tensor, bias: tf.Tensor | null, out: number): void {
  if (!bias || (bias.rank === 1 && bias.shape[0] === out)) return;
  throw new RuntimeError(
    `${given} weight of size ${list(weight.shape)}, expected bias to be 1-dimensional with ${out} elements, but got bias of size ${list(bias.shape)} instead`,
  );
}

function assertTypes(input: tf.Tensor, weight: tf.Tensor, bias: tf.Tensor | null): void {
  if (input.dtype === weight.dtype) return;
  throw new RuntimeError(
    bias
      ? `Input type (${cType(input)}) and bias type (float) should be the same`
      : `expected scalar type ${scalarType[input.dtype]} but found Float`,
  );
}
const cType = (t: tf.Tensor) => ({ float32: 'float', int32: 'long int', bool: 'bool' })[t.dtype as string] ?? t.dtype;

// ---- the convolution

const reshaped = <T extends tf.Tensor>(t: tf.Tensor, shape: number[]): T =>
  (tf.util.arraysEqual(t.shape, shape) ? t : tf.reshape(t, shape)) as T;

function convolve(call: string, dims: number, input: tf.Tensor, weight: tf.Tensor, options: Bound): tf.Tensor {
  assertRank(call, dims, input, weight);
  if (input.rank === dims + 1) return unbatched(input, (x) => convolve(call, dims, x, weight, options));
  const { bias, groups } = options;
  const window = windowOf(input, weight, dims, options);
  const { effective, strides } = window;
  const before = paddingBefore(options.padding, window);
  const after = options.padding === 'same' ? effective.map((k, i) => k - 1 - before[i]!) : before;
  assertPositive(window, before);
  assertFits(input, weight, bias, groups);
  const space = input.shape.slice(2);
  const padded = space.map((n, i) => n + before[i]! + after[i]!);
  const output = padded.map((n, i) => Math.floor((n - effective[i]!) / strides[i]!) + 1);
  if (output.some((n) => n <= 0)) {
    throw new RuntimeError(
      `Calculated padded input size per channel: (${padded.join(' x ')}). Kernel size: (${window.size.join(' x ')}). Kernel size can't be greater than actual input size`,
    );
  }
  assertTypes(input, weight, bias);

  const same = space.every((n, i) => isSame(n, output[i]!, before[i]!, effective[i]!, strides[i]!));
  const kind = kindOf(input.shape[1]!, as4D(weight.shape), kernelGeometry(window, groups, same));
  const images = nhwc(input);
  const [, height, width] = images.shape;
  const frame: Two = same ? [0, 0] : asTwo(before, 0);
  const framed: Two = same ? [height, width] : asTwo(padded, 1);
  const y = op(
    'Convolution',
    { input: images, weight, bias },
    (save) => {
      if (images.size === 0) return tf.zeros([images.shape[0], ...asTwo(output, 1), weight.shape[0]!]);
      const x = internal.frame(images, frame, framed);
      const filter = kind.filter(reshaped(weight, as4D(weight.shape)));
      save([x, filter]);
      return kind.forward(x, filter, bias);
    },
    (dy, saved) => {
      const [x, filter] = saved as [tf.Tensor4D, tf.Tensor4D];
      const d = dy as tf.Tensor4D;
      return {
        input: () => {
          const dx = kind.inputGradient(d, filter, x.shape);
          return internal.frame(dx, [-frame[0], -frame[1]], [height, width]);
        },
        weight: () => reshaped(kind.weightGradient(x, d, filter.shape), weight.shape),
        bias: () => sumOfPixels(d),
      };
    },
  );
  return nchwFrom(y as tf.Tensor4D, input.rank);
}

/** The convolution that leads from the result's shape to the input's, walked backwards. */
function convolveTransposed(
  call: string,
  dims: number,
  input: tf.Tensor,
  weight: tf.Tensor,
  options: BoundTransposed,
): tf.Tensor {
  assertRank(call, dims, input, weight);
  if (input.rank === dims + 1) return unbatched(input, (x) => convolveTransposed(call, dims, x, weight, options));
  const { bias, groups } = options;
  const window = windowOf(input, weight, dims, options);
  const { effective, strides, dilations } = window;
  const before = convSizes('padding', options.padding, dims);
  const more = convSizes('output_padding', options.output_padding, dims);
  assertPositive(window, before);
  if (more.some((p) => p < 0)) throw new RuntimeError('negative output_padding is not supported');
  assertFitsTransposed(input, weight, bias, groups);
  const [h, w] = asTwo(more, 0);
  if (more.some((p, i) => p >= strides[i]! && p >= dilations[i]!)) {
    const [[sh, sw], [dh, dw]] = [asTwo(strides, 1), asTwo(dilations, 1)];
    throw new RuntimeError(
      `output padding must be smaller than either stride or dilation, but got output_padding_height: ${h} output_padding_width: ${w} stride_height: ${sh} stride_width: ${sw} dilation_height: ${dh} dilation_width: ${dw}`,
    );
  }
  const space = input.shape.slice(2);
  const covered = space.map((n, i) => (n - 1) * strides[i]! + effective[i]!);
  const output = covered.map((n, i) => n - 2 * before[i]! + more[i]!);
  if (output.some((n) => n <= 0)) {
    throw new RuntimeError(
      `Given input size per channel: (${space.join(' x ')}). Calculated output size per channel: (${output.join(' x ')}). Output size is too small`,
    );
  }
  assertTypes(input, weight, null);

  const channels = weight.shape[1]! * groups;
  const same = output.every((n, i) => isSame(n, space[i]!, before[i]!, effective[i]!, strides[i]!));
  const kind = kindOf(channels, as4D(weight.shape), kernelGeometry(window, groups, same));
  const images = nhwc(input);
  const [height, width] = asTwo(output, 1);
  const frame: Two = same ? [0, 0] : asTwo(before, 0);
  const framed: Two = same ? [height, width] : asTwo(covered, 1);
  const y = op(
    'Convolution',
    { input: images, weight, bias },
    (save) => {
      if (images.size === 0) return tf.zeros([images.shape[0], height, width, channels]);
      const filter = kind.filter(reshaped(weight, as4D(weight.shape)));
      save([images, filter]);
      const whole = kind.inputGradient(images, filter, [images.shape[0], ...framed, channels]);
      const result = internal.frame(whole, [-frame[0], -frame[1]], [height, width]);
      return bias ? tf.add(result, bias) : result;
    },
    (dy, saved) => {
      const [x, filter] = saved as [tf.Tensor4D, tf.Tensor4D];
      const d = () => internal.frame(dy as tf.Tensor4D, frame, framed);
      return {
        input: () => kind.forward(d(), filter, null),
        weight: () => reshaped(kind.weightGradient(d(), x, filter.shape), weight.shape),
        bias: () => sumOfPixels(dy as tf.Tensor4D),
      };
    },
  );
  return nchwFrom(y as tf.Tensor4D, input.rank);
}

/** Applies what works on batches to one element. */
function unbatched(input: tf.Tensor, f: (batch: tf.Tensor) => tf.Tensor): tf.Tensor {
  const output = f(tf.expandDims(input));
  return tf.reshape(output, output.shape.slice(1));
}
