import * as tf from '@tensorflow/tfjs-core';
import { type Args, bind, RuntimeError, type Signature, signature } from '@tfjs-torch/core';
import { list, scalarType, typename } from '../names';
import { floats, oneDnn, op, tensorflow } from '../op';

/** `input · weightᵀ + bias`. `input` [*, in], `weight` [out, in], `bias` [out] → [*, out]. */
export function linear(
  input: tf.Tensor,
  weight: tf.Tensor,
  ...args: Args<[bias: tf.Tensor | null], { bias?: tf.Tensor | null }>
): tf.Tensor {
  const { bias } = bind(linearSignature, [input, weight, ...args]);
  assertTensor('linear', 'input', 1, input);
  if (input.rank === 0) {
    throw new RuntimeError(`both arguments to linear need to be at least 1D, but they are 0D and ${weight.rank}D`);
  }
  if (weight.rank !== 2) throw new RuntimeError(`linear(): weight must be [out, in], but got ${list(weight.shape)}`);
  if (input.dtype !== weight.dtype) {
    throw new RuntimeError(
      `mat1 and mat2 must have the same dtype, but got ${scalarType[input.dtype]} and ${scalarType[weight.dtype]}`,
    );
  }
  const [out, features] = weight.shape as [number, number];
  const outer = input.shape.slice(0, -1);
  const rows = outer.reduce((a, b) => a * b, 1);
  if (input.shape[input.rank - 1] !== features) {
    throw new RuntimeError(
      `${bias ? 'addmm' : 'mm'}: mat1 and mat2 shapes cannot be multiplied (${rows}x${input.shape[input.rank - 1]} and ${features}x${out})`,
    );
  }
  if (bias && (bias.rank !== 1 || bias.shape[0] !== out)) {
    throw new RuntimeError(
      `The expanded size of the tensor (${out}) must match the existing size (${bias.shape[bias.rank - 1] ?? 1}) at non-singleton dimension 1.  Target sizes: ${list([rows, out])}.  Tensor sizes: ${list(bias.shape)}`,
    );
  }
  const matrix = input.rank === 2 ? input : tf.reshape(input, [rows, features]);
  const result = addmm(matrix as tf.Tensor2D, weight as tf.Tensor2D, bias);
  return input.rank === 2 ? result : tf.reshape(result, [...outer, out]);
}
const linearSignature: Signature<{ bias: tf.Tensor | null }> = signature('linear', 'input, weight, bias=None');

const addmm = (input: tf.Tensor2D, weight: tf.Tensor2D, bias: tf.Tensor | null) =>
  op(
    bias ? 'Addmm' : 'Mm',
    { input, weight, bias },
    (save) => {
      save([input, weight]);
      if (input.size === 0) return tf.zeros([input.shape[0], weight.shape[0]]);
      const y = product(input, weight, false, true);
      return bias ? (ofFloats('BiasAdd', [y, bias]) ?? tf.add(y, bias)) : y;
    },
    (dy, [x, w]) => ({
      input: () => product(dy, w!),
      weight: () => product(dy, x!, true),
      bias: () => ofFloats('BiasAddGrad', [dy]) ?? tf.sum(dy, 0),
    }),
    true,
  );

/** tf.matMul takes the kernel for batches of matrices on tfjs-node, and TensorFlow's MatMul is oneDNN's by a detour. */
function product(a: tf.Tensor, b: tf.Tensor, transpose_a = false, transpose_b = false): tf.Tensor {
  if (a.dtype !== 'float32') return tf.matMul(a, b, transpose_a, transpose_b);
  const attrs = productAttributes[transpose_a ? 1 : 0][transpose_b ? 1 : 0];
  const [own] = oneDnn('_MklMatMul', attrs, () => [a, b]) ?? tensorflow('MatMul', attrs, [a, b]) ?? [];
  return own ?? tf.matMul(a, b, transpose_a, transpose_b);
}
const transposing = (transpose_a: boolean, transpose_b: boolean) => ({ ...floats, transpose_a, transpose_b });
const productAttributes = [
  [transposing(false, false), transposing(false, true)],
  [transposing(true, false), transposing(true, true)],
] as const;

const ofFloats = (name: string, inputs: tf.Tensor[]): tf.Tensor | undefined =>
  inputs[0]!.dtype === 'float32' ? tensorflow(name, floats, inputs)?.[0] : undefined;

/** @throws torch's TypeError where `value` is no tensor */
export function assertTensor(call: string, name: string, position: number, value: unknown): void {
  if (value instanceof tf.Tensor) return;
  throw new TypeError(`${call}(): argument '${name}' (position ${position}) must be Tensor, not ${typename(value)}`);
}
