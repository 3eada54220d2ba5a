import type { Tensor } from '@tensorflow/tfjs-core';

/** How torch prints a tensor. */
export function format(t: Tensor): string {
  return String(t.dataSync());
}
