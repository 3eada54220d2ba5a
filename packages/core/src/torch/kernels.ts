import * as tf from '@tensorflow/tfjs-core';
import { type Attributes, constant, oneDnn, onTensorflowCpu, tensorflow } from '../tape/tensorflow';

// Gradients that a backend lacks, is slow at or gets wrong, composed from kernels that it has.
// The engine runs them with the tape off.

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
// The gradient of the filter, and of the input: what they are given.
interface FilterInputs {
  x: tf.Tensor4D;
  dy: tf.Tensor4D;
}
interface InputInputs {
  dy: tf.Tensor4D;
  filter: tf.Tensor4D;
}
type FilterAttrs = ConvAttrs & { filterShape: Shape4D };
type InputAttrs = ConvAttrs & { inputShape: Shape4D };

/** The sizes of a convolution, whichever layout its tensors have. */
function geometry(x: number[], filter: number[], attrs: ConvAttrs, depthwise: boolean) {
  const { strides, pad, dataFormat, dimRoundingMode, dilations } = attrs;
  const info = tf.backend_util.computeConv2DInfo(
    x as Shape4D,
    filter as Shape4D,
    strides,
    dilations ?? 1,
    pad,
    dimRoundingMode,
    depthwise,
    tf.backend_util.convertConv2DDataFormat(dataFormat ?? 'NHWC'),
  );
  return {
    ...info,
    strides: [info.strideHeight, info.strideWidth] as Window,
    dilations: [info.dilationHeight, info.dilationWidth] as Window,
    /** Height and width of the padded input that the windows cover. */
    covered: [
      (info.outHeight - 1) * info.strideHeight + info.effectiveFilterHeight,
      (info.outWidth - 1) * info.strideWidth + info.effectiveFilterWidth,
    ] as Window,
    nhwc: (t: tf.Tensor4D) => (dataFormat === 'NCHW' ? tf.transpose(t, [0, 2, 3, 1]) : t),
    original: (t: tf.Tensor4D) => (dataFormat === 'NCHW' ? tf.transpose(t, [0, 3, 1, 2]) : t),
  };
}
type Geometry = ReturnType<typeof geometry>;

/** Pads or crops height and width of an NHWC tensor; the sizes after the amounts before decide what comes last. */
export function frame(t: tf.Tensor4D, before: Window, size: Window): tf.Tensor4D {
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

const coveredPart = (x: tf.Tensor4D, { padInfo, covered }: Geometry) => frame(x, [padInfo.top, padInfo.left], covered);

/** The output's gradient, set apart by the strides and framed so that the flipped filter gives the input's gradient. */
function spread(dy: tf.Tensor4D, g: Geometry): tf.Tensor4D {
  const [batch, height, width, channels] = dy.shape;
  const [down, right] = g.strides;
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
  const edge: Window = [g.effectiveFilterHeight - 1, g.effectiveFilterWidth - 1];
  const before: Window = [edge[0] - g.padInfo.top, edge[1] - g.padInfo.left];
  return frame(apart, before, [g.inHeight + edge[0], g.inWidth + edge[1]]);
}

const flip = (filter: tf.Tensor4D): tf.Tensor4D => tf.reverse(filter, [0, 1]);

// A convolution whose images are the input's channels, whose channels are the images, and whose filter is dy: what was
// a stride is a dilation of it, and the other way round.
function conv2DBackpropFilter({ x, dy }: FilterInputs, attrs: FilterAttrs) {
  const g = geometry(x.shape, attrs.filterShape, attrs, false);
  const images = tf.transpose(coveredPart(g.nhwc(x), g), [3, 1, 2, 0]);
  const filter = tf.transpose(g.nhwc(dy), [1, 2, 0, 3]);
  return tf.transpose(tf.conv2d(images, filter, g.dilations, 'valid', 'NHWC', g.strides), [1, 2, 0, 3]);
}

function conv2DBackpropInput({ dy, filter }: InputInputs, attrs: InputAttrs) {
  const g = geometry(attrs.inputShape, filter.shape, attrs, false);
  const flipped = tf.transpose(flip(filter), [0, 1, 3, 2]);
  return g.original(tf.conv2d(spread(g.nhwc(dy), g), flipped, 1, 'valid', 'NHWC', g.dilations));
}

// As for conv2DBackpropFilter; every pair of image and channel is a channel.
function depthwiseBackpropFilter({ x, dy }: FilterInputs, attrs: FilterAttrs) {
  const g = geometry(x.shape, attrs.filterShape, attrs, true);
  const [height, width, channels, multiplier] = attrs.filterShape;
  const pairs = g.batchSize * channels;
  const image: tf.Tensor4D = tf.reshape(tf.transpose(coveredPart(x, g), [1, 2, 0, 3]), [1, ...g.covered, pairs]);
  const filter: tf.Tensor4D = tf.reshape(tf.transpose(dy, [1, 2, 0, 3]), [g.outHeight, g.outWidth, pairs, multiplier]);
  const each = tf.depthwiseConv2d(image, filter, g.dilations, 'valid', 'NHWC', g.strides);
  return tf.sum(tf.reshape(each, [height, width, g.batchSize, channels, multiplier]), 2);
}

function depthwiseBackpropInput({ dy, filter }: InputInputs, attrs: InputAttrs) {
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

// Each takes the inputs and the attributes of its own kernel: only the engine, which knows them by name, calls it.
type Kernel = (inputs: never, attrs: never) => tf.TensorInfo;
type Wrap = (composed: Kernel, own: Kernel, depthwise: boolean) => Kernel;

const always: Wrap = (composed) => composed;

const isDilated = ({ dilations = 1 }: ConvAttrs) => [dilations].flat().some((d) => d !== 1);

// tfjs-backend-cpu ignores dilations here.
const ifDilated: Wrap = (composed, own) => (inputs, attrs) => (isDilated(attrs) ? composed : own)(inputs, attrs);

// TensorFlow has no dilated gradients on a CPU, tfjs-node none with explicit padding: those run on the framed input.
const ifDilatedOrPadded: Wrap =
  (composed, own, depthwise) => (inputs: FilterInputs & InputInputs, attrs: FilterAttrs & InputAttrs) => {
    if (isDilated(attrs)) return composed(inputs as never, attrs as never);
    if (typeof attrs.pad === 'string') return own(inputs as never, attrs as never);
    const { x, dy, filter } = inputs;
    const g = geometry(x?.shape ?? attrs.inputShape, filter?.shape ?? attrs.filterShape, attrs, depthwise);
    const valid = { ...attrs, pad: 'valid', inputShape: [g.batchSize, ...g.covered, g.inChannels] };
    const out = own((x ? { x: coveredPart(x, g), dy } : inputs) as never, valid as never);
    if (x) return out;
    // tfjs-node's kernels return tensors.
    return frame(out as tf.Tensor4D, [-g.padInfo.top, -g.padInfo.left], [g.inHeight, g.inWidth]);
  };

const kernels: Array<[name: string, composed: Kernel, depthwise: boolean, backends: Record<string, Wrap>]> = [
  [tf.Conv2DBackpropFilter, conv2DBackpropFilter, false, { wasm: always, cpu: always, tensorflow: ifDilatedOrPadded }],
  [tf.Conv2DBackpropInput, conv2DBackpropInput, false, { wasm: always, cpu: ifDilated, tensorflow: ifDilatedOrPadded }],
  [
    tf.DepthwiseConv2dNativeBackpropFilter,
    depthwiseBackpropFilter,
    true,
    { wasm: always, cpu: always, tensorflow: ifDilatedOrPadded },
  ],
  [
    tf.DepthwiseConv2dNativeBackpropInput,
    depthwiseBackpropInput,
    true,
    { wasm: always, cpu: ifDilated, tensorflow: ifDilatedOrPadded },
  ],
  [tf.UnsortedSegmentSum, unsortedSegmentSum, false, { wasm: always, cpu: always }],
];

// tfjs-node makes a tensor of every permutation and every shape, each time.

const transposing: Attributes = { T: 'float32', Tperm: 'int32' };
const reshaping: Attributes = { T: 'float32', Tshape: 'int32' };

function transpose({ x }: { x: tf.Tensor }, { perm }: { perm: number[] }): tf.Tensor | null {
  if (x.dtype !== 'float32') return null;
  // TensorFlow takes longer to start: a filter of 2,400 values takes it 90 µs.
  if (x.size <= 4096 && onTensorflowCpu()) return transposedOnHost(x, perm);
  const inputs = [x, constant(perm)];
  // Two to three times as fast as TensorFlow's own.
  const fast = oneDnn('_MklTranspose', transposing, () => inputs);
  return (fast ?? tensorflow('Transpose', transposing, inputs))?.[0] ?? null;
}

function transposedOnHost(x: tf.Tensor, perm: readonly number[]): tf.Tensor {
  const from = x.dataSync<'float32'>();
  const to = new Float32Array(from.length);
  const strides = tf.util.computeStrides(x.shape);
  const shape = perm.map((axis) => x.shape[axis]!);
  const steps = perm.map((axis) => strides[axis] ?? 1);
  const last = perm.length - 1;
  const [length = 1, step = 1] = [shape[last], steps[last]];
  const place = shape.map(() => 0);
  for (let at = 0, start = 0; at < to.length; ) {
    for (let i = 0; i < length; i++) to[at++] = from[start + i * step]!;
    for (let axis = last - 1; axis >= 0; axis--) {
      start += steps[axis]!;
      if (++place[axis]! < shape[axis]!) break;
      start -= steps[axis]! * shape[axis]!;
      place[axis] = 0;
    }
  }
  return tf.tensor(to, shape);
}

function reshape({ x }: { x: tf.Tensor }, { shape }: { shape: number[] }): tf.Tensor | null {
  return x.dtype === 'float32' ? (tensorflow('Reshape', reshaping, [x, constant(shape)])?.[0] ?? null) : null;
}

// Null: by tfjs-node's own kernel.
type Shortcut = (inputs: never, attrs: never) => tf.Tensor | null;
const shortcuts: Array<[name: string, shortcut: Shortcut]> = [
  [tf.Transpose, transpose],
  [tf.Reshape, reshape],
];

const replaced = new Map<string, tf.KernelConfig>();

/** tfjs's own kernel that `registerMissingKernels` has replaced: the oracle of its tests. */
export const replacedKernel = (name: string, backend: string): tf.KernelConfig | undefined =>
  replaced.get(`${backend}/${name}`);

const ours = new WeakSet<tf.KernelFunc>();

/**
 * Gives the backends that are loaded the kernels that training needs and that they lack, or are slow at: without them
 * `wasm` trains neither convolutions nor embeddings. Call it after a backend's package was loaded; again is harmless.
 */
export function registerMissingKernels(): void {
  for (const [kernelName, composed, depthwise, backends] of kernels) {
    for (const [backendName, wrap] of Object.entries(backends)) {
      replace(kernelName, backendName, (own) => {
        const kernel = wrap(composed, own, depthwise);
        return (inputs, attrs) => tidy(() => kernel(inputs, attrs));
      });
    }
  }
  for (const [kernelName, shortcut] of shortcuts) {
    replace(kernelName, 'tensorflow', (own) => (inputs, attrs) => shortcut(inputs, attrs) ?? own(inputs, attrs));
  }
}

/** Registers a kernel made from the backend's own. */
function replace(kernelName: string, backendName: string, make: (own: Kernel) => Kernel): void {
  const present = tf.getKernel(kernelName, backendName);
  if (!tf.findBackendFactory(backendName) || (present && ours.has(present.kernelFunc))) return;
  if (present) {
    replaced.set(`${backendName}/${kernelName}`, present);
    tf.unregisterKernel(kernelName, backendName);
  }
  const kernel = make((inputs, attrs) => present.kernelFunc({ inputs, attrs, backend: tf.backend() }) as tf.TensorInfo);
  const kernelFunc: tf.KernelFunc = ({ inputs, attrs }) => kernel(inputs as never, attrs as never);
  ours.add(kernelFunc);
  tf.registerKernel({ kernelName, backendName, kernelFunc });
}

// tf.tidy's type wants a Tensor, but a kernel of tfjs returns what is not yet one.
const tidy = (f: () => tf.TensorInfo): tf.TensorInfo => tf.tidy(f as () => tf.Tensor);
