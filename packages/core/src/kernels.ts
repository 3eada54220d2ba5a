import * as tf from '@tensorflow/tfjs-core';

// Gradients that tfjs-backend-wasm lacks or is slow at, composed from kernels that it has; most are faster than
// tfjs-backend-cpu's too. The engine runs them with the tape off.

type Window = [number, number];
type Shape4D = [number, number, number, number];
type Padding = Parameters<typeof tf.backend_util.computeConv2DInfo>[4];

interface ConvAttrs {
  strides: Window | number;
  pad: Padding;
  dataFormat?: 'NHWC' | 'NCHW';
  dimRoundingMode?: 'floor' | 'round' | 'ceil';
  dilations?: Window | number;
}

/** The sizes of a convolution in NHWC, whichever layout its tensors have. */
function geometry(x: number[], filter: number[], attrs: ConvAttrs, depthwise: boolean) {
  const { strides, pad, dataFormat, dimRoundingMode, dilations } = attrs;
  const format = tf.backend_util.convertConv2DDataFormat(dataFormat ?? 'NHWC');
  const info = tf.backend_util.computeConv2DInfo(
    x as Shape4D,
    filter as Shape4D,
    strides,
    dilations ?? 1,
    pad,
    dimRoundingMode,
    depthwise,
    format,
  );
  return {
    info,
    strides: [info.strideHeight, info.strideWidth] as Window,
    dilations: [info.dilationHeight, info.dilationWidth] as Window,
    nhwc: (t: tf.Tensor4D) => (dataFormat === 'NCHW' ? tf.transpose(t, [0, 2, 3, 1]) : t),
    original: (t: tf.Tensor4D) => (dataFormat === 'NCHW' ? tf.transpose(t, [0, 3, 1, 2]) : t),
  };
}
type Geometry = ReturnType<typeof geometry>;

/** Pads or crops height and width of an NHWC tensor; the sizes after the amounts before decide what comes last. */
function frame(t: tf.Tensor4D, before: Window, size: Window): tf.Tensor4D {
  const after = [size[0] - before[0] - t.shape[1], size[1] - before[1] - t.shape[2]] as Window;
  const positive = ([a, b]: Window): Window => [Math.max(a, 0), Math.max(b, 0)];
  const [top, left] = positive(before);
  const [bottom, right] = positive(after);
  const padded =
    top + left + bottom + right > 0
      ? tf.pad(t, [
          [0, 0],
          [top, bottom],
          [left, right],
          [0, 0],
        ])
      : t;
  if (padded.shape[1] === size[0] && padded.shape[2] === size[1]) return padded;
  const start: Shape4D = [0, top - before[0], left - before[1], 0];
  return tf.slice(padded, start, [t.shape[0], size[0], size[1], t.shape[3]]);
}

/** The part of the padded input that the windows cover. */
function covered(x: tf.Tensor4D, { info, strides }: Geometry): tf.Tensor4D {
  return frame(
    x,
    [info.padInfo.top, info.padInfo.left],
    [
      (info.outHeight - 1) * strides[0] + info.effectiveFilterHeight,
      (info.outWidth - 1) * strides[1] + info.effectiveFilterWidth,
    ],
  );
}

/** The output's gradient, set apart by the strides and framed so that the flipped filter gives the input's gradient. */
function spread(dy: tf.Tensor4D, { info, strides: [down, right] }: Geometry): tf.Tensor4D {
  const [batch, height, width, channels] = dy.shape;
  let apart = dy;
  if (down > 1 || right > 1) {
    const cells = tf.reshape(dy, [batch, height, 1, width, 1, channels]);
    const gaps: Array<[number, number]> = [
      [0, 0],
      [0, 0],
      [0, down - 1],
      [0, 0],
      [0, right - 1],
      [0, 0],
    ];
    apart = tf.reshape(tf.pad(cells, gaps), [batch, height * down, width * right, channels]);
  }
  const before: Window = [
    info.effectiveFilterHeight - 1 - info.padInfo.top,
    info.effectiveFilterWidth - 1 - info.padInfo.left,
  ];
  return frame(apart, before, [
    info.inHeight + info.effectiveFilterHeight - 1,
    info.inWidth + info.effectiveFilterWidth - 1,
  ]);
}

const flip = (filter: tf.Tensor4D): tf.Tensor4D => tf.reverse(filter, [0, 1]);

// A convolution whose images are the input's channels, whose channels are the images, and whose filter is dy: what was
// a stride is a dilation of it.
function conv2DBackpropFilter({ x, dy }: Tensors<'x' | 'dy'>, attrs: ConvAttrs & { filterShape: Shape4D }) {
  const g = geometry(x.shape, attrs.filterShape, attrs, false);
  const images = tf.transpose(covered(g.nhwc(x), g), [3, 1, 2, 0]);
  const filter = tf.transpose(g.nhwc(dy), [1, 2, 0, 3]);
  return tf.transpose(tf.conv2d(images, filter, 1, 'valid', 'NHWC', g.strides), [1, 2, 0, 3]);
}

function conv2DBackpropInput({ dy, filter }: Tensors<'dy' | 'filter'>, attrs: ConvAttrs & { inputShape: Shape4D }) {
  const g = geometry(attrs.inputShape, filter.shape, attrs, false);
  const flipped = tf.transpose(flip(filter), [0, 1, 3, 2]);
  return g.original(tf.conv2d(spread(g.nhwc(dy), g), flipped, 1, 'valid'));
}

// As for conv2DBackpropFilter; every pair of image and channel is a channel.
function depthwiseBackpropFilter({ x, dy }: Tensors<'x' | 'dy'>, attrs: ConvAttrs & { filterShape: Shape4D }) {
  const g = geometry(x.shape, attrs.filterShape, attrs, true);
  const [height, width, channels, multiplier] = attrs.filterShape;
  const { batchSize: batch, outHeight, outWidth } = g.info;
  const region = covered(x, g);
  const pairs = batch * channels;
  const image = tf.reshape(tf.transpose(region, [1, 2, 0, 3]), [1, region.shape[1], region.shape[2], pairs]);
  const filter = tf.reshape(tf.transpose(dy, [1, 2, 0, 3]), [outHeight, outWidth, pairs, multiplier]);
  const all = tf.depthwiseConv2d(image as tf.Tensor4D, filter as tf.Tensor4D, g.dilations, 'valid', 'NHWC', g.strides);
  return tf.sum(tf.reshape(all, [height, width, batch, channels, multiplier]), 2);
}

function depthwiseBackpropInput({ dy, filter }: Tensors<'dy' | 'filter'>, attrs: ConvAttrs & { inputShape: Shape4D }) {
  const g = geometry(attrs.inputShape, filter.shape, attrs, true);
  const [height, width, channels, multiplier] = filter.shape;
  const single: tf.Tensor4D = tf.reshape(flip(filter), [height, width, channels * multiplier, 1]);
  const each = tf.depthwiseConv2d(spread(dy, g), single, 1, 'valid', 'NHWC', g.dilations);
  return multiplier === 1 ? each : tf.sum(tf.reshape(each, [...each.shape.slice(0, 3), channels, multiplier]), 4);
}

// An id outside of the segments is dropped, as tfjs does; a scatter would write past the end.
function unsortedSegmentSum(
  { x, segmentIds }: { x: tf.Tensor; segmentIds: tf.Tensor },
  attrs: { numSegments: number },
) {
  const { numSegments } = attrs;
  const inner = x.shape.slice(segmentIds.rank);
  const inside = tf.logicalAnd(tf.greaterEqual(segmentIds, 0), tf.less(segmentIds, numSegments));
  const ids = tf.where(inside, segmentIds, tf.scalar(numSegments, 'int32'));
  const indices: tf.Tensor2D = tf.reshape(ids, [-1, 1]);
  const sums = tf.scatterND(indices, tf.reshape(x, [indices.shape[0], ...inner]), [numSegments + 1, ...inner]);
  return tf.slice(sums, 0, numSegments);
}

type Tensors<Names extends string> = Record<Names, tf.Tensor4D>;
// Each takes the inputs and the attributes of its own kernel: only the engine, which knows them by name, calls it.
type Composed = (inputs: never, attrs: never) => tf.Tensor;

const kernels: Array<[kernel: string, backends: string[], composed: Composed]> = [
  [tf.Conv2DBackpropFilter, ['wasm', 'cpu'], conv2DBackpropFilter],
  [tf.Conv2DBackpropInput, ['wasm'], conv2DBackpropInput],
  [tf.DepthwiseConv2dNativeBackpropFilter, ['wasm'], depthwiseBackpropFilter],
  [tf.DepthwiseConv2dNativeBackpropInput, ['wasm'], depthwiseBackpropInput],
  [tf.UnsortedSegmentSum, ['wasm', 'cpu'], unsortedSegmentSum],
];

const replaced = new Map<string, tf.KernelConfig>();

/** tfjs's own kernel that `registerMissingKernels` has replaced, the oracle of its tests. */
export const replacedKernel = (name: string, backend: string): tf.KernelConfig | undefined =>
  replaced.get(`${backend}/${name}`);

const ours = new WeakSet<tf.KernelFunc>();

/**
 * Gives the backends that are loaded the kernels that training needs and that they lack, or are slow at: without them
 * `wasm` trains neither convolutions nor embeddings. Call it after a backend's package was loaded; again is harmless.
 */
export function registerMissingKernels(): void {
  for (const [kernelName, backends, composed] of kernels) {
    for (const backendName of backends.filter((name) => tf.findBackendFactory(name))) {
      const present = tf.getKernel(kernelName, backendName);
      if (present && ours.has(present.kernelFunc)) continue;
      if (present) {
        replaced.set(`${backendName}/${kernelName}`, present);
        tf.unregisterKernel(kernelName, backendName);
      }
      const kernelFunc: tf.KernelFunc = ({ inputs, attrs }) => tf.tidy(() => composed(inputs as never, attrs as never));
      ours.add(kernelFunc);
      tf.registerKernel({ kernelName, backendName, kernelFunc });
    }
  }
}
