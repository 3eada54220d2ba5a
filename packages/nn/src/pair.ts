import { RuntimeError } from '@tfjs-torch/core';
import { list } from './names';

/** One number for height and width, or one for each. */
export type Pair = number | readonly [number, number];

/** What a layer keeps of its option: torch's `_pair`. */
export const pair = (x: number | readonly number[]): number[] => (typeof x === 'number' ? [x, x] : [...x]);

/** The numbers for height and width. @throws torch's error for another count */
export function convPair(name: string, x: number | readonly number[]): [number, number] {
  const [h, w, ...more] = pair(x);
  if (h === undefined || more.length > 0) {
    throw new RuntimeError(
      `expected ${name} to be a single integer value or a list of 2 values to match the convolution dimensions, but got ${name}=${list(pair(x))}`,
    );
  }
  return [h, w ?? h];
}
