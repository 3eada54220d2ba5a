import * as tf from '@tensorflow/tfjs-core';
import { type Dtype, NotImplementedError, pythonType, resolveDtype } from '@tfjs-torch/core';

/** A shape as torch prints it. */
export const size = (shape: readonly number[]): string => `torch.Size([${shape.join(', ')}])`;

/** A shape as ATen's messages print it. */
export const list = (shape: readonly number[]): string => `[${shape.join(', ')}]`;

/** Python's repr of a tuple of numbers. */
export const tuple = (xs: readonly number[]): string => (xs.length === 1 ? `(${xs[0]},)` : `(${xs.join(', ')})`);

export const bool = (x: boolean): string => (x ? 'True' : 'False');

/** Python's repr of a float or None. */
export function float(x: number | null): string {
  if (x === null) return 'None';
  const size = Math.abs(x);
  if (size === 0 || (size >= 1e-4 && size < 1e16)) return Number.isInteger(x) ? `${x}.0` : `${x}`;
  return x.toExponential().replace(/e([+-])(\d)$/, 'e$10$2');
}

/** tfjs's dtypes under ATen's names. int32 stands for torch's int64. */
export const scalarType: Readonly<Record<string, string>> = { float32: 'Float', int32: 'Long', bool: 'Bool' };

/** ATen's error for a dtype that a kernel of torch's is not made for. */
export const notImplemented = (kernel: string, { dtype }: tf.Tensor): NotImplementedError =>
  new NotImplementedError(`"${kernel}" not implemented for '${scalarType[dtype] ?? dtype}'`);

/** torch.typename: of what class a value is, for messages. */
export const typename = (value: unknown): string =>
  value instanceof tf.Tensor ? `torch.${scalarType[value.dtype] ?? value.dtype}Tensor` : pythonType(value);

/** @throws for a dtype in which tfjs cannot compute a layer */
export function assertFloat32(dtype: Dtype | null): void {
  if (dtype === null || resolveDtype(dtype) === 'float32') return;
  throw new NotImplementedError(`a layer cannot be ${dtype}: tfjs computes in float32`);
}
