import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { relativeError, tolerances } from '../../../../test/tolerances';
import { registerMissingKernels, replacedKernel } from './kernels';

// The oracle is tfjs's own cpu kernel, which sums in float64.
let current: string;
beforeAll(() => {
  current = tf.getBackend();
  registerMissingKernels();
});
afterAll(async () => void (await tf.setBackend(current)));

type Attrs = Record<string, unknown>;
interface Case {
  kernel: string;
  inputs: Record<string, tf.Tensor>;
  attrs: Attrs;
}
type Made = (c: ConvCase) => Case;

const values = (shape: number[], salt: number) => {
  let state = salt * 7919 + 17;
  const data = Float32Array.from({ length: tf.util.sizeFromShape(shape) }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
  return tf.tensor(data, shape);
};

const read = (t: tf.Tensor) => Array.from(t.dataSync());

/** Zeros between a filter's values make it the dilated one: tfjs-backend-cpu knows no dilations in these kernels. */
const dilatedShape = ([height, width, ...rest]: number[], [down, right]: Pair) =>
  [(height! - 1) * down + 1, (width! - 1) * right + 1, ...rest] as number[];

function dilate(filter: tf.Tensor, [down, right]: Pair): tf.Tensor {
  const [height, width, channels, out] = filter.shape as [number, number, number, number];
  const gaps: Array<[number, number]> = [[0, 0], [0, down - 1], [0, 0], [0, right - 1], [0, 0], [0, 0]]; // biome-ignore format: one per axis
  const apart = tf.reshape(tf.pad(tf.reshape(filter, [height, 1, width, 1, channels, out]), gaps), [
    height * down,
    width * right,
    channels,
    out,
  ]);
  return tf.slice(apart, 0, dilatedShape(filter.shape, [down, right]));
}

async function oracle({ kernel, attrs, inputs }: Case) {
  await tf.setBackend('cpu');
  const config = replacedKernel(kernel, 'cpu') ?? tf.getKernel(kernel, 'cpu');
  const { filterShape, dilations = [1, 1] } = attrs as { filterShape?: number[]; dilations?: Pair };
  const out = config.kernelFunc({
    inputs: inputs.filter ? { ...inputs, filter: dilate(inputs.filter, dilations) } : inputs,
    attrs: {
      ...attrs,
      dilations: [1, 1],
      ...(filterShape && { filterShape: dilatedShape(filterShape, dilations) }),
    } as never,
    backend: tf.backend(),
  });
  const full = tf.engine().makeTensorFromTensorInfo(out as tf.TensorInfo);
  const result = filterShape ? tf.stridedSlice(full, [0, 0, 0, 0], full.shape, [...dilations, 1, 1]) : full;
  return { shape: result.shape, values: read(result) };
}

/** The kernel's result on the backend under test and tfjs's on cpu, from the same inputs. */
async function both(make: () => Case) {
  await tf.setBackend('cpu');
  const expected = await oracle(make());
  await tf.setBackend(current);
  const { kernel, inputs, attrs } = make();
  for (const t of Object.values(inputs)) t.dataSync(); // on tfjs-node a tensor is uploaded by its first use
  const before = tf.memory();
  const out = tf.engine().runKernel(kernel, inputs, attrs as tf.NamedAttrMap) as tf.Tensor;
  const actual = { shape: out.shape, values: read(out) };
  out.dispose();
  const after = tf.memory();
  tf.dispose(inputs);
  return {
    expected,
    actual,
    leaked: [after.numTensors - before.numTensors, after.numDataBuffers - before.numDataBuffers],
  };
}

type Pad = 'valid' | 'same' | number | Array<[number, number]>;
type Pair = [number, number];
interface ConvCase {
  x: number[]; // NHWC
  filter: number[]; // height, width, in, out or multiplier
  strides: Pair;
  pad: Pad;
  dilations?: Pair;
}

const explicit = (top: number, bottom: number, left: number, right: number): Pad => [[0, 0], [top, bottom], [left, right], [0, 0]]; // biome-ignore format: reads as torch's pairs

const convCases: ConvCase[] = [
  { x: [2, 6, 6, 3], filter: [3, 3, 3, 4], strides: [1, 1], pad: 'valid' },
  { x: [2, 7, 5, 3], filter: [3, 3, 3, 4], strides: [1, 1], pad: 'same' },
  { x: [3, 28, 28, 1], filter: [5, 5, 1, 6], strides: [1, 1], pad: 2 },
  { x: [3, 14, 14, 6], filter: [5, 5, 6, 16], strides: [1, 1], pad: 'valid' },
  { x: [1, 5, 5, 2], filter: [1, 1, 2, 3], strides: [1, 1], pad: 'valid' },
  { x: [1, 5, 5, 2], filter: [1, 1, 2, 3], strides: [2, 2], pad: 'valid' },
  { x: [2, 8, 8, 3], filter: [4, 4, 3, 5], strides: [2, 2], pad: 1 },
  { x: [2, 9, 7, 2], filter: [3, 3, 2, 3], strides: [2, 3], pad: 'same' },
  { x: [2, 10, 11, 2], filter: [3, 2, 2, 3], strides: [3, 2], pad: 'valid' },
  { x: [2, 8, 8, 2], filter: [2, 2, 2, 3], strides: [3, 3], pad: 'valid' },
  { x: [2, 6, 7, 2], filter: [3, 4, 2, 3], strides: [1, 1], pad: explicit(0, 2, 1, 0) },
  { x: [2, 6, 7, 2], filter: [3, 4, 2, 3], strides: [2, 2], pad: explicit(2, 1, 0, 3) },
  { x: [2, 4, 4, 2], filter: [2, 2, 2, 3], strides: [1, 1], pad: 3 },
  { x: [4, 1, 1, 8], filter: [4, 4, 8, 3], strides: [1, 1], pad: 3 },
  { x: [2, 9, 8, 2], filter: [3, 3, 2, 4], strides: [1, 1], pad: 'same', dilations: [2, 2] },
  { x: [2, 9, 10, 2], filter: [3, 2, 2, 4], strides: [1, 1], pad: explicit(1, 2, 0, 3), dilations: [2, 3] },
];
const depthwiseCases: ConvCase[] = [
  { x: [2, 6, 6, 3], filter: [3, 3, 3, 1], strides: [1, 1], pad: 'same' },
  { x: [2, 7, 6, 3], filter: [3, 2, 3, 2], strides: [1, 1], pad: 'valid' },
  { x: [2, 9, 9, 2], filter: [3, 3, 2, 1], strides: [2, 2], pad: 'same' },
  { x: [3, 8, 8, 2], filter: [3, 3, 2, 3], strides: [2, 2], pad: 1 },
  { x: [1, 12, 12, 4], filter: [5, 5, 4, 1], strides: [1, 1], pad: 2 },
  { x: [2, 9, 8, 2], filter: [3, 3, 2, 2], strides: [1, 1], pad: 'same', dilations: [2, 2] },
  { x: [2, 9, 10, 2], filter: [3, 3, 2, 1], strides: [1, 1], pad: 'valid', dilations: [2, 3] },
];

const info = ({ x, filter, strides, pad, dilations }: ConvCase, depthwise: boolean) =>
  tf.backend_util.computeConv2DInfo(
    x as [number, number, number, number],
    filter as [number, number, number, number],
    strides,
    dilations ?? 1,
    pad as never,
    undefined,
    depthwise,
  );

const toNCHW = (t: tf.Tensor) => tf.transpose(t, [0, 3, 1, 2]);

const conv2D =
  (of: 'filter' | 'input', dataFormat: 'NHWC' | 'NCHW' = 'NHWC') =>
  (c: ConvCase): Case => {
    const layout = (t: tf.Tensor) => (dataFormat === 'NCHW' ? toNCHW(t) : t);
    const x = layout(values(c.x, 1));
    const dy = layout(values(info(c, false).outShape, 2));
    const order = dataFormat === 'NCHW' ? [0, 3, 1, 2] : [0, 1, 2, 3];
    const pad = Array.isArray(c.pad) ? order.map((axis) => (c.pad as Pair[])[axis]) : c.pad;
    const attrs = { strides: c.strides, pad, dataFormat, dilations: c.dilations ?? [1, 1] };
    return of === 'filter'
      ? { kernel: tf.Conv2DBackpropFilter, inputs: { x, dy }, attrs: { ...attrs, filterShape: c.filter } }
      : {
          kernel: tf.Conv2DBackpropInput,
          inputs: { dy, filter: values(c.filter, 3) },
          attrs: { ...attrs, inputShape: x.shape },
        };
  };

const depthwise =
  (of: 'filter' | 'input') =>
  (c: ConvCase): Case => {
    const x = values(c.x, 1);
    const dy = values(info(c, true).outShape, 2);
    const attrs = { strides: c.strides, pad: c.pad, dilations: c.dilations ?? [1, 1] };
    return of === 'filter'
      ? {
          kernel: tf.DepthwiseConv2dNativeBackpropFilter,
          inputs: { x, dy },
          attrs: { ...attrs, filterShape: c.filter },
        }
      : {
          kernel: tf.DepthwiseConv2dNativeBackpropInput,
          inputs: { dy, filter: values(c.filter, 3) },
          attrs: { ...attrs, inputShape: c.x },
        };
  };

const table: Array<[name: string, cases: ConvCase[], make: Made]> = [
  ['Conv2DBackpropFilter', convCases, conv2D('filter')],
  ['Conv2DBackpropInput', convCases, conv2D('input')],
  ['DepthwiseConv2dNativeBackpropFilter', depthwiseCases, depthwise('filter')],
  ['DepthwiseConv2dNativeBackpropInput', depthwiseCases, depthwise('input')],
];

describe.each(table)('%s', (_name, cases, make) => {
  test.each(cases.map((c) => [JSON.stringify(c), c] as const))('%s', async (_title, c) => {
    // TensorFlow has no dilated depthwise convolution on a CPU, forward neither.
    if (current === 'tensorflow' && cases === depthwiseCases && c.dilations) return;
    const { expected, actual, leaked } = await both(() => make(c));
    expect(actual.shape).toEqual(expected.shape);
    expect(relativeError(actual.values, expected.values)).toBeLessThan(tolerances.kernel);
    expect(leaked).toEqual([0, 0]);
  });
});

// TensorFlow's own kernels know NHWC only on a CPU.
test.each(['filter', 'input'] as const)('convolution gradient of the %s in NCHW', async (of) => {
  if (current === 'tensorflow') return;
  for (const c of convCases) {
    const { expected, actual, leaked } = await both(() => conv2D(of, 'NCHW')(c));
    expect(actual.shape).toEqual(expected.shape);
    expect(relativeError(actual.values, expected.values)).toBeLessThan(tolerances.kernel);
    expect(leaked).toEqual([0, 0]);
  }
});

test.each([
  ['repeated and missing ids', [5, 3], [0, 2, 2, 0, 4], 5],
  ['one value each', [4], [1, 1, 0, 3], 4],
  ['a negative id is dropped', [4, 2], [1, -1, 0, 2], 3],
  ['many segments', [6, 4], [999, 0, 500, 500, 1, 999], 1000],
  ['rank 3', [3, 2, 2], [2, 0, 2], 3],
] as const)('UnsortedSegmentSum: %s', async (_name, shape, ids, numSegments) => {
  const { expected, actual, leaked } = await both(() => ({
    kernel: tf.UnsortedSegmentSum,
    inputs: { x: values([...shape], 1), segmentIds: tf.tensor1d([...ids], 'int32') },
    attrs: { numSegments },
  }));
  expect(actual.shape).toEqual(expected.shape);
  expect(actual.values).toEqual(expected.values);
  expect(leaked).toEqual([0, 0]);
});

// TensorFlow refuses them.
test('UnsortedSegmentSum drops ids beyond the segments', () => {
  if (current === 'tensorflow') return;
  const sums = tf.unsortedSegmentSum(tf.tensor2d([[1, 2], [3, 4], [5, 6]]), tf.tensor1d([7, 0, 3], 'int32'), 3); // biome-ignore format: rows
  expect(sums.arraySync()).toEqual([[3, 4], [0, 0], [0, 0]]); // biome-ignore format: rows
});

test.each([
  ['few values', [2, 3, 5, 4], [0, 3, 1, 2], 'float32'],
  ['channels last to first', [7, 11, 9, 13], [0, 3, 1, 2], 'float32'],
  ['channels first to last', [7, 13, 11, 9], [0, 2, 3, 1], 'float32'],
  ['a filter', [32, 16, 5, 5], [2, 3, 1, 0], 'float32'],
  ['a matrix', [123, 45], [1, 0], 'float32'],
  ['six dimensions', [3, 4, 5, 6, 7, 8], [5, 0, 3, 2, 4, 1], 'float32'],
  ['few values of six dimensions', [3, 2, 4, 2, 3, 2], [5, 0, 3, 2, 4, 1], 'float32'],
  ['a small matrix', [7, 5], [1, 0], 'float32'],
  ['one dimension', [9], [0], 'float32'],
  ['nothing moves', [80, 80], [0, 1], 'float32'],
  ['no elements', [0, 80, 80], [2, 0, 1], 'float32'],
  ['whole numbers', [9, 11, 8, 7], [3, 2, 1, 0], 'int32'],
] as const)('Transpose: %s', async (_name, shape, perm, dtype) => {
  const { expected, actual, leaked } = await both(() => ({
    kernel: tf.Transpose,
    inputs: { x: tf.cast(tf.mul(values([...shape], 3), 1000), dtype) },
    attrs: { perm: [...perm] },
  }));
  expect(actual).toEqual(expected);
  expect(leaked).toEqual([0, 0]);
});

test('more shapes than are remembered', () => {
  for (let n = 1; n <= 1500; n++) expect(tf.reshape(tf.ones([n]), [1, n, 1]).shape).toEqual([1, n, 1]);
  expect(read(tf.transpose(tf.reshape(tf.range(0, 6), [2, 3])))).toEqual([0, 3, 1, 4, 2, 5]);
});

test('registering again changes nothing and warns of nothing', () => {
  const warn = vi.spyOn(console, 'warn');
  const before = tf.getKernel(tf.Conv2DBackpropFilter, current);
  registerMissingKernels();
  expect(tf.getKernel(tf.Conv2DBackpropFilter, current)).toBe(before);
  expect(warn).not.toHaveBeenCalled();
});
