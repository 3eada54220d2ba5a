import * as tf from '@tensorflow/tfjs-core';

type Method = (this: tf.Tensor, ...args: never[]) => unknown;

/**
 * tfjs's chained methods. tfjs-core ships their registration only as a module that Node cannot import beside its
 * CommonJS build, and all of them are one line: the op, with the tensor first.
 */
const sameAsOp =
  'abs acos acosh add all any argMax argMin asin asinh atan atan2 atanh avgPool batchToSpaceND batchNorm broadcastTo cast ceil clipByValue conv1d conv2d conv2dTranspose cos cosh cumprod cumsum depthToSpace depthwiseConv2d dilation2d div divNoNan dot elu equal erf euclideanNorm exp expandDims expm1 fft floor floorDiv gather greater greaterEqual ifft irfft isFinite isInf isNaN leakyRelu less lessEqual localResponseNormalization log log1p logSigmoid logSoftmax logSumExp logicalAnd logicalNot logicalOr logicalXor matMul max maxPool maximum mean min minimum mirrorPad mod mul neg norm notEqual oneHot onesLike pad pool pow prelu prod reciprocal relu relu6 reshape resizeBilinear resizeNearestNeighbor reverse rfft round rsqrt selu separableConv2d sigmoid sign sin sinh slice softmax softplus spaceToBatchND split sqrt square squaredDifference squeeze step stridedSlice sub sum tan tanh tile topk transpose unique unsortedSegmentSum unstack zerosLike'.split(
    ' ',
  );

const list = (x: tf.Tensor | tf.Tensor[]) => (Array.isArray(x) ? x : [x]);

const others: Record<string, Method> = {
  as1D() {
    return tf.reshape(this, [this.size]);
  },
  as2D(...shape: [number, number]) {
    return tf.reshape(this, shape);
  },
  as3D(...shape: [number, number, number]) {
    return tf.reshape(this, shape);
  },
  as4D(...shape: [number, number, number, number]) {
    return tf.reshape(this, shape);
  },
  as5D(...shape: [number, number, number, number, number]) {
    return tf.reshape(this, shape);
  },
  asScalar() {
    tf.util.assert(this.size === 1, () => 'The array must have only 1 element.');
    return tf.reshape(this, []);
  },
  asType(dtype: tf.DataType) {
    return tf.cast(this, dtype);
  },
  concat(x: tf.Tensor | tf.Tensor[], axis?: number) {
    return tf.concat([this, ...list(x)], axis);
  },
  flatten() {
    return tf.reshape(this, [this.size]);
  },
  reshapeAs(x: tf.Tensor) {
    return tf.reshape(this, x.shape);
  },
  stack(x: tf.Tensor | tf.Tensor[], axis?: number) {
    return tf.stack([this, ...list(x)], axis);
  },
  toBool() {
    return tf.cast(this, 'bool');
  },
  toFloat() {
    return tf.cast(this, 'float32');
  },
  toInt() {
    return tf.cast(this, 'int32');
  },
  where(condition: tf.Tensor, x: tf.Tensor) {
    return tf.where(condition, this, x);
  },
};

const ops = { ...tf, ...tf.image } as unknown as Record<string, (...args: unknown[]) => unknown>;

/** Every chained method of tfjs by name. */
export const chainedOps: ReadonlyMap<string, Method> = new Map([
  ...sameAsOp.map((name): [string, Method] => {
    const op = ops[name];
    if (!op) throw new Error(`tfjs-core has no op ${name}`);
    return [
      name,
      function (this: tf.Tensor, ...args: unknown[]) {
        this.throwIfDisposed();
        return op(this, ...args);
      },
    ];
  }),
  ...Object.entries(others),
]);
