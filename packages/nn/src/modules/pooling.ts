import type * as tf from '@tensorflow/tfjs-core';
import { type Args, bind, type Signature, signature } from '@tfjs-torch/core';
import { type MaxPool2dOptions, max_pool2d } from '../functional';
import { Module } from '../module';
import { bool, tuple } from '../names';
import type { Pair } from '../pair';

/** The largest value in each window of [N, C, H, W] or [C, H, W]. */
export class MaxPool2d extends Module {
  readonly kernel_size: Pair;
  readonly stride: Pair;
  readonly padding: Pair;
  readonly dilation: Pair;
  readonly return_indices: boolean;
  readonly ceil_mode: boolean;

  constructor(
    ...args: Args<
      [
        kernel_size: Pair,
        stride: Pair | null,
        padding: Pair,
        dilation: Pair,
        return_indices: boolean,
        ceil_mode: boolean,
      ],
      MaxPool2dOptions & { kernel_size?: Pair }
    >
  ) {
    super();
    const o = bind(maxPool2dSignature, args);
    this.kernel_size = o.kernel_size;
    this.stride = o.stride ?? o.kernel_size;
    this.padding = o.padding;
    this.dilation = o.dilation;
    this.return_indices = o.return_indices;
    this.ceil_mode = o.ceil_mode;
  }

  forward(input: tf.Tensor): tf.Tensor {
    const { kernel_size, stride, padding, dilation, ceil_mode, return_indices } = this;
    return max_pool2d(input, kernel_size, stride, padding, dilation, ceil_mode, return_indices);
  }

  override extra_repr(): string {
    const show = (x: Pair) => (typeof x === 'number' ? `${x}` : tuple(x));
    return `kernel_size=${show(this.kernel_size)}, stride=${show(this.stride)}, padding=${show(this.padding)}, dilation=${show(this.dilation)}, ceil_mode=${bool(this.ceil_mode)}`;
  }
}
const maxPool2dSignature: Signature<Required<MaxPool2dOptions> & { kernel_size: Pair }> = signature(
  '_MaxPoolNd.__init__',
  'kernel_size, stride=None, padding=0, dilation=1, return_indices=False, ceil_mode=False',
);
