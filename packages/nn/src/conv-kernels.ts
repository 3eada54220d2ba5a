import * as tf from '@tensorflow/tfjs-core';
import { internal } from '@tfjs-torch/core';
import { floats, kernel, oneDnn, tensorflow } from './op';

type Two = [number, number];
export type Shape4D = [number, number, number, number];

export interface Geometry {
  strides: Two;
  dilations: Two;
  groups: number;
  pad: 'same' | 'valid';
}

/** How tfjs computes a convolution in NHWC: plain, depthwise, or in groups. */
export interface ConvolutionKind {
  /** torch's weight as tfjs's filter, with the dilation's gaps. */
  filter(weight: tf.Tensor4D): tf.Tensor4D;
  forward(x: tf.Tensor4D, filter: tf.Tensor4D, bias: tf.Tensor | null): tf.Tensor4D;
  inputGradient(dy: tf.Tensor4D, filter: tf.Tensor4D, shape: Shape4D): tf.Tensor4D;
  /** In the layout of torch's weight. */
  weightGradient(x: tf.Tensor4D, dy: tf.Tensor4D, filterShape: Shape4D): tf.Tensor4D;
}

/** For images of `channels` and a weight [out, in / groups, kh, kw]. */
export function kindOf(channels: number, weight: Shape4D, g: Geometry): ConvolutionKind {
  if (g.groups === 1) return plain(weight, g);
  // TensorFlow's depthwise kernels know one stride.
  if (g.groups === channels && g.strides[0] === g.strides[1]) return depthwise(weight, g);
  return grouped(weight, g);
}

const attrsOf = (g: Geometry) => ({
  strides: g.strides,
  pad: g.pad,
  dataFormat: 'NHWC',
  dilations: [1, 1],
});

function plain(weightShape: Shape4D, g: Geometry): ConvolutionKind {
  const attrs = attrsOf(g);
  const own = {
    T: 'float32',
    strides: [1, ...g.strides, 1],
    padding: { text: g.pad.toUpperCase() },
    data_format: { text: 'NHWC' },
    dilations: [1, 1, 1, 1],
  } as const;
  // TensorFlow turns a convolution into oneDNN's unless its padding is explicit.
  const withoutOneDnn = { ...own, padding: { text: 'EXPLICIT' }, explicit_paddings: [0, 0, 0, 0, 0, 0, 0, 0] } as const;
  return {
    filter: (weight) => addGaps(tf.transpose(weight, [2, 3, 1, 0]), g.dilations),
    forward: (x, filter, bias) => {
      if (!bias) return kernel(tf.Conv2D, { x, filter }, attrs);
      const fused = oneDnn('_MklNativeConv2DWithBias', own, () => [x, filter, bias]);
      if (fused) return fused[0] as tf.Tensor4D;
      // tfjs-node adds the bias in a second pass all the same.
      if (tf.getBackend() === 'tensorflow') return biased(kernel(tf.Conv2D, { x, filter }, attrs), bias);
      return kernel(tf.FusedConv2D, { x, filter, bias }, { ...attrs, activation: 'linear' });
    },
    inputGradient: (dy, filter, inputShape) => {
      const inputs = () => [internal.constant(inputShape), filter, dy];
      // oneDNN computes channels by eights: from more to fewer, TensorFlow's own kernel takes a quarter less.
      const few = inputShape[3] < 8 && weightShape[0] >= 12 && g.pad === 'valid' && internal.onTensorflowCpu();
      const [gradient] = (few
        ? tensorflow('Conv2DBackpropInput', withoutOneDnn, inputs())
        : oneDnn('_MklNativeConv2DBackpropInput', own, inputs)) ?? [
        kernel(tf.Conv2DBackpropInput, { dy, filter }, { ...attrs, inputShape }),
      ];
      return gradient as tf.Tensor4D;
    },
    weightGradient: (x, dy, filterShape) => {
      const inputs = () => [x, internal.constant(filterShape), dy];
      const [gradient] = oneDnn('_MklNativeConv2DBackpropFilter', own, inputs) ?? [
        kernel(tf.Conv2DBackpropFilter, { x, dy }, { ...attrs, filterShape }),
      ];
      return tf.transpose(dropGaps(gradient as tf.Tensor4D, g.dilations, weightShape), [3, 2, 0, 1]);
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
      const gradient = (part: tf.Tensor4D, i: number) =>
        each.weightGradient(part, parts[i]!, [fh, fw, inPerGroup, out / groups]);
      return tf.concat(split(x).map(gradient), 0);
    },
  };
}

const biased = (y: tf.Tensor4D, bias: tf.Tensor | null): tf.Tensor4D => (bias ? tf.add(y, bias) : y);

/** The sum over all but the channels. */
export function sumOfPixels(dy: tf.Tensor4D): tf.Tensor {
  const own = tensorflow('BiasAddGrad', floats, [dy]);
  if (own) return own[0]!;
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
