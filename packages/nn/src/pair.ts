import { RuntimeError } from '@tfjs-torch/core';
import { list } from './names';

/** One number, for a layer that works on lines. */
export type Single = number | readonly [number];
/** One number for height and width, or one for each. */
export type Pair = number | readonly [number, number];
/** One number for all dimensions of space, or one for each. */
export type Sizes = number | readonly number[];

/** What a layer keeps of its option: torch's `_single` and `_pair`. */
export const repeat = (x: Sizes, dims: number): number[] => (typeof x === 'number' ? Array(dims).fill(x) : [...x]);
export const pair = (x: Sizes): number[] => repeat(x, 2);

/** The numbers for each of `dims` dimensions, as `wanted` by the weight. @throws torch's error for another count */
export function convSizes(name: string, x: Sizes, dims: number, wanted = dims): number[] {
  const sizes = repeat(x, dims);
  if (wanted !== dims || (sizes.length !== 1 && sizes.length !== dims)) {
    throw new RuntimeError(
      `expected ${name} to be a single integer value or a list of ${wanted} values to match the convolution dimensions, but got ${name}=${list(sizes)}`,
    );
  }
  return sizes.length === dims ? sizes : repeat(sizes[0]!, dims);
}
