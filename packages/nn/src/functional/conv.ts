import * as tf from '@tensorflow/tfjs-core';
import { type Args, bind, RuntimeError, type Signature, signature } from '@tfjs-torch/core';
import { nchwFrom, nhwc } from '../layout';
import { list } from '../names';
import { kernel, op } from '../op';
import { convPair, type Pair, pair } from '../pair';
import { assertTensor } from './linear';

export interface Conv2dFunctionOptions {
  bias?: tf.Tensor | null;
  stride?: Pair;
  padding?: Pair | 'same' | 'valid';
  dilation?: Pair;
  groups?: number;
}

/**
 * 2-D cross-correlation. `input` [N, in, H, W] or [in, H, W], `weight` [out, in / groups, kh, kw], `bias` [out].
 */
export function conv2d(
  input: tf.Tensor,
  weight: tf.Tensor,
  ...args: Args<
    [bias: tf.Tensor | null, stride: Pair, padding: Pair | 'same' | 'valid', dilation: Pair, groups: number],
    Conv2dFunctionOptions
  >
): tf.Tensor {
  const bound = bind(conv2dSignature, [input, weight, ...args]);
  const { bias, groups } = bound;
  assertTensor('conv2d', 'input', 1, input);
  assertTensor('conv2d', 'weight', 2, weight);
  if (input.rank !== 3 && input.rank !== 4) {
    throw new RuntimeError(
      `Expected 3D (unbatched) or 4D (batched) input to conv2d, but got input of size: ${list(input.shape)}`,
    );
  }
  const batched = (input.rank === 4 ? input : tf.expandDims(input)) as tf.Tensor4D;
  const filter = weight as tf.Tensor4D;
  const geometry = geometryOf(batched, filter, bound);
  assertFits(batched, filter, bias, groups);
  const output = convolution(batched, filter, bias, geometry);
  return input.rank === 4 ? output : tf.reshape(output, output.shape.slice(1));
}
const conv2dSignature: Signature<Required<Conv2dFunctionOptions>> = signature(
  'conv2d',
  'input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1',
);

type Two = [number, number];
type Shape4D = [number, number, number, number];

interface Geometry {
  strides: Two;
  dilations: Two;
  /** What is added before and after height and width; null where tfjs's 'same' does it. */
  frame: [Two, Two] | null;
  groups: number;
  output: Shape4D;
}

function geometryOf(input: tf.Tensor4D, weight: tf.Tensor4D, options: Required<Conv2dFunctionOptions>): Geometry {
  if (weight.rank !== 4) {
    throw new RuntimeError(
      `expected stride to be a single integer value or a list of ${weight.rank - 2} values to match the convolution dimensions, but got stride=${list(pair(options.stride))}`,
    );
  }
  const strides = convPair('stride', options.stride);
  const dilations = convPair('dilation', options.dilation);
  const kernelSize: Two = [weight.shape[2], weight.shape[3]];
  const effective = kernelSize.map((k, i) => dilations[i]! * (k - 1) + 1) as Two;
  const before = beforeOf(options.padding, effective, strides);
  const after = options.padding === 'same' ? (effective.map((k, i) => k - 1 - before[i]!) as Two) : before;
  if (strides.some((s) => s <= 0)) throw new RuntimeError('non-positive stride is not supported');
  if (dilations.some((d) => d <= 0)) throw new RuntimeError('non-positive dilation is not supported');
  if (before.some((p) => p < 0)) throw new RuntimeError('negative padding is not supported');
  const [batch, , height, width] = input.shape;
  const padded = [height, width].map((n, i) => n + before[i]! + after[i]!) as Two;
  const [h, w] = padded.map((n, i) => Math.floor((n - effective[i]!) / strides[i]!) + 1) as Two;
  // tfjs's 'same' adds what is missing at the end, as torch does.
  const same = [0, 1].every(
    (i) => strides[i] === 1 && before[i]! + after[i]! === effective[i]! - 1 && before[i]! <= after[i]!,
  );
  return {
    strides,
    dilations,
    frame: same ? null : [before, after],
    groups: options.groups,
    output: [batch, h, w, weight.shape[0]],
  };
}

function beforeOf(padding: Pair | 'same' | 'valid', effective: Two, strides: Two): Two {
  if (typeof padding !== 'string') return convPair('padding', padding);
  if (padding === 'valid') return [0, 0];
  if (padding !== 'same') throw new RuntimeError(`Invalid padding string: '${padding}'`);
  if (strides.some((s) => s !== 1)) throw new RuntimeError("padding='same' is not supported for strided convolutions");
  return effective.map((k) => Math.floor((k - 1) / 2)) as Two;
}

function assertFits(input: tf.Tensor4D, weight: tf.Tensor4D, bias: tf.Tensor | null, groups: number): void {
  const [out, inPerGroup] = weight.shape;
  const channels = input.shape[1];
  if (out % groups !== 0) {
    throw new RuntimeError(
      `Given groups=${groups}, expected weight to be divisible by ${groups} at dimension 0, but got weight of size [${list(weight.shape)}] instead`,
    );
  }
  if (channels !== inPerGroup * groups) {
    throw new RuntimeError(
      `Given groups=${groups}, weight of size ${list(weight.shape)}, expected input${list(input.shape)} to have ${inPerGroup * groups} channels, but got ${channels} channels instead`,
    );
  }
  if (bias && (bias.rank !== 1 || bias.shape[0] !== out)) {
    throw new RuntimeError(
      `Given weight of size ${list(weight.shape)}, expected bias to be 1-dimensional with ${out} elements, but got bias of size ${list(bias.shape)} instead`,
    );
  }
}

function convolution(input: tf.Tensor4D, weight: tf.Tensor4D, bias: tf.Tensor | null, g: Geometry): tf.Tensor4D {
  const [, , kh, kw] = weight.shape;
  const [, h, w] = g.output;
  if (h <= 0 || w <= 0) {
    const [ph, pw] = [0, 1].map((i) => input.shape[i + 2]! + (g.frame ? g.frame[0][i]! + g.frame[1][i]! : 0));
    throw new RuntimeError(
      `Calculated padded input size per channel: (${ph} x ${pw}). Kernel size: (${kh} x ${kw}). Kernel size can't be greater than actual input size`,
    );
  }
  if (input.dtype !== weight.dtype) {
    throw new RuntimeError(
      `Input type (${cType(input)}) and ${bias ? 'bias' : 'weight'} type (float) should be the same`,
    );
  }
  const kind = kindOf(input, weight, g);
  const [n, c, height, width] = input.shape;
  const images = nhwc(input);
  const output = op(
    'Convolution',
    { input: images, weight, bias },
    (save) => {
      if (n === 0) return tf.zeros([n, h, w, weight.shape[0]]);
      const x = addFrame(images, g.frame);
      const filter = kind.filter(weight);
      save([x, filter]);
      return kind.forward(x, filter, bias);
    },
    (dy, saved) => {
      const [x, filter] = saved as [tf.Tensor4D, tf.Tensor4D];
      const d = dy as tf.Tensor4D;
      return {
        input: () => dropFrame(kind.inputGradient(d, filter, x.shape), g.frame, [n, height, width, c]),
        weight: () => kind.weightGradient(x, d, filter.shape),
        bias: () => sumOfPixels(d),
      };
    },
  );
  return nchwFrom(output as tf.Tensor4D);
}

const cType = (t: tf.Tensor) => ({ float32: 'float', int32: 'long int', bool: 'bool' })[t.dtype as string] ?? t.dtype;

function addFrame(x: tf.Tensor4D, frame: Geometry['frame']): tf.Tensor4D {
  if (!frame || frame.every(([h, w]) => h === 0 && w === 0)) return x;
  const [[top, left], [bottom, right]] = frame;
  return tf.pad(x, [
    [0, 0],
    [top, bottom],
    [left, right],
    [0, 0],
  ]);
}

function dropFrame(x: tf.Tensor4D, frame: Geometry['frame'], shape: Shape4D): tf.Tensor4D {
  if (tf.util.arraysEqual(x.shape, shape)) return x;
  const [top, left] = frame?.[0] ?? [0, 0];
  return tf.slice(x, [0, top, left, 0], shape);
}

/** How tfjs computes a convolution in NHWC: plain, depthwise, or in groups. */
interface ConvolutionKind {
  /** torch's weight as tfjs's filter, with the dilation's gaps. */
  filter(weight: tf.Tensor4D): tf.Tensor4D;
  forward(x: tf.Tensor4D, filter: tf.Tensor4D, bias: tf.Tensor | null): tf.Tensor4D;
  inputGradient(dy: tf.Tensor4D, filter: tf.Tensor4D, shape: Shape4D): tf.Tensor4D;
  /** In the layout of torch's weight. */
  weightGradient(x: tf.Tensor4D, dy: tf.Tensor4D, filterShape: Shape4D): tf.Tensor4D;
}

function kindOf(input: tf.Tensor4D, weight: tf.Tensor4D, g: Geometry): ConvolutionKind {
  if (g.groups === 1) return plain(weight.shape, g);
  // TensorFlow's depthwise kernels know one stride.
  if (g.groups === input.shape[1] && g.strides[0] === g.strides[1]) return depthwise(weight.shape, g);
  return grouped(weight.shape, g);
}

const attrsOf = (g: Geometry) => ({
  strides: g.strides,
  pad: g.frame ? 'valid' : 'same',
  dataFormat: 'NHWC',
  dilations: [1, 1],
});

function plain(weightShape: Shape4D, g: Geometry): ConvolutionKind {
  const attrs = attrsOf(g);
  return {
    filter: (weight) => addGaps(tf.transpose(weight, [2, 3, 1, 0]), g.dilations),
    forward: (x, filter, bias) => {
      // tfjs-node adds the bias in a second pass all the same.
      if (bias && tf.getBackend() !== 'tensorflow') {
        return kernel(tf.FusedConv2D, { x, filter, bias }, { ...attrs, activation: 'linear' });
      }
      return biased(kernel(tf.Conv2D, { x, filter }, attrs), bias);
    },
    inputGradient: (dy, filter, inputShape) => kernel(tf.Conv2DBackpropInput, { dy, filter }, { ...attrs, inputShape }),
    weightGradient: (x, dy, filterShape) => {
      const gradient = kernel(tf.Conv2DBackpropFilter, { x, dy }, { ...attrs, filterShape });
      return tf.transpose(dropGaps(gradient, g.dilations, weightShape), [3, 2, 0, 1]);
    },
  };
}

// One filter of tfjs's holds, for each input channel, the outputs that it makes: [kh, kw, in, out / in].
function depthwise([out, , kh, kw]: Shape4D, g: Geometry): ConvolutionKind {
  const attrs = attrsOf(g);
  const multiplier = out / g.groups;
  return {
    filter: (weight) =>
      addGaps(tf.transpose(tf.reshape(weight, [g.groups, multiplier, kh, kw]), [2, 3, 0, 1]), g.dilations),
    forward: (x, filter, bias) => biased(kernel(tf.DepthwiseConv2dNative, { x, filter }, attrs), bias),
    inputGradient: (dy, filter, inputShape) =>
      kernel(tf.DepthwiseConv2dNativeBackpropInput, { dy, filter }, { ...attrs, inputShape }),
    weightGradient: (x, dy, filterShape) => {
      const gradient = kernel(tf.DepthwiseConv2dNativeBackpropFilter, { x, dy }, { ...attrs, filterShape });
      const own = dropGaps(gradient, g.dilations, [g.groups, multiplier, kh, kw]);
      return tf.reshape(tf.transpose(own, [2, 3, 0, 1]), [out, 1, kh, kw]);
    },
  };
}

// tfjs has no kernel for groups: one plain convolution each.
function grouped([out, inPerGroup, kh, kw]: Shape4D, g: Geometry): ConvolutionKind {
  const { groups } = g;
  const each = plain([out / groups, inPerGroup, kh, kw], g);
  const split = (x: tf.Tensor4D): tf.Tensor4D[] => tf.split(x, groups, 3);
  return {
    filter: each.filter,
    forward: (x, filter, bias) => {
      const filters = split(filter);
      const parts = split(x).map((part, i) => each.forward(part, filters[i]!, null));
      return biased(tf.concat(parts, 3), bias);
    },
    inputGradient: (dy, filter, [n, h, w]) => {
      const filters = split(filter);
      return tf.concat(
        split(dy).map((part, i) => each.inputGradient(part, filters[i]!, [n, h, w, inPerGroup])),
        3,
      );
    },
    weightGradient: (x, dy, [fh, fw]) => {
      const parts = split(dy);
      return tf.concat(
        split(x).map((part, i) => each.weightGradient(part, parts[i]!, [fh, fw, inPerGroup, out / groups])),
        0,
      );
    },
  };
}

const biased = (y: tf.Tensor4D, bias: tf.Tensor | null): tf.Tensor4D => (bias ? tf.add(y, bias) : y);

/** The sum over all but the channels. */
export function sumOfPixels(dy: tf.Tensor4D): tf.Tensor {
  if (tf.getBackend() !== 'wasm') return tf.sum(dy, [0, 1, 2]);
  // Its sum over leading axes transposes first; the product is three to twelve times as fast.
  const channels = dy.shape[3];
  const pixels: tf.Tensor2D = tf.reshape(dy, [dy.size / channels, channels]);
  return tf.reshape(tf.matMul(tf.ones([1, pixels.shape[0]]), pixels), [channels]);
}

// tfjs has no gradients for dilated convolutions: the filter is spread instead, with zeros between its elements.
function addGaps(filter: tf.Tensor4D, [dh, dw]: Two): tf.Tensor4D {
  if (dh === 1 && dw === 1) return filter;
  const [kh, kw, i, o] = filter.shape;
  const rows = tf.pad(tf.reshape(filter, [kh, 1, kw * i * o]), [
    [0, 0],
    [0, dh - 1],
    [0, 0],
  ]);
  const cells = tf.pad(tf.reshape(rows, [kh * dh, kw, 1, i * o]), [
    [0, 0],
    [0, 0],
    [0, dw - 1],
    [0, 0],
  ]);
  const spread: tf.Tensor4D = tf.reshape(cells, [kh * dh, kw * dw, i, o]);
  return tf.slice(spread, [0, 0, 0, 0], [(kh - 1) * dh + 1, (kw - 1) * dw + 1, i, o]);
}

/** The elements of a spread filter that are not gaps. `weightShape` is [out, in, kh, kw]. */
function dropGaps(spread: tf.Tensor4D, [dh, dw]: Two, [, , kh, kw]: Shape4D): tf.Tensor4D {
  if (dh === 1 && dw === 1) return spread;
  const [, , i, o] = spread.shape;
  const whole = tf.pad(spread, [
    [0, dh - 1],
    [0, dw - 1],
    [0, 0],
    [0, 0],
  ]);
  const rows = tf.slice(tf.reshape(whole, [kh, dh, kw * dw * i * o]), [0, 0, 0], [kh, 1, kw * dw * i * o]);
  const cells = tf.slice(tf.reshape(rows, [kh, kw, dw, i * o]), [0, 0, 0, 0], [kh, kw, 1, i * o]);
  return tf.reshape(cells, [kh, kw, i, o]);
}
