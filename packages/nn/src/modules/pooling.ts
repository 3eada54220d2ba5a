import type * as tf from '@tensorflow/tfjs-core';
import { type Args, bind, type Signature, signature } from '@tfjs-torch/core';
import {
  type AvgPool1dOptions,
  type AvgPool2dOptions,
  adaptive_avg_pool1d,
  adaptive_avg_pool2d,
  avg_pool1d,
  avg_pool2d,
  type MaxPool1dOptions,
  type MaxPool2dOptions,
  max_pool1d,
  max_pool2d,
  type OutputSize,
} from '../functional';
import { Module } from '../module';
import { bool, tuple } from '../names';
import { type Pair, repeat, type Single, type Sizes } from '../pair';

type MaxPoolArgs<S, Options> = Args<
  [kernel_size: S, stride: S | null, padding: S, dilation: S, return_indices: boolean, ceil_mode: boolean],
  Options & { kernel_size?: S }
>;

/** An option as torch keeps and prints it: a number, or a tuple. */
const show = (x: Sizes) => (typeof x === 'number' ? `${x}` : tuple(x));

abstract class MaxPool<S extends Sizes, Options> extends Module {
  readonly kernel_size: S;
  readonly stride: S;
  readonly padding: S;
  readonly dilation: S;
  readonly return_indices: boolean;
  readonly ceil_mode: boolean;

  constructor(...args: MaxPoolArgs<S, Options>) {
    super();
    const o = bind(maxPoolSignature as Signature<BoundMaxPool<S>>, args);
    this.kernel_size = o.kernel_size;
    this.stride = o.stride ?? o.kernel_size;
    this.padding = o.padding;
    this.dilation = o.dilation;
    this.return_indices = o.return_indices;
    this.ceil_mode = o.ceil_mode;
  }

  override extra_repr(): string {
    return `kernel_size=${show(this.kernel_size)}, stride=${show(this.stride)}, padding=${show(this.padding)}, dilation=${show(this.dilation)}, ceil_mode=${bool(this.ceil_mode)}`;
  }
}
interface BoundMaxPool<S> {
  kernel_size: S;
  stride: S | null;
  padding: S;
  dilation: S;
  return_indices: boolean;
  ceil_mode: boolean;
}
const maxPoolSignature: Signature<BoundMaxPool<Sizes>> = signature(
  '_MaxPoolNd.__init__',
  'kernel_size, stride=None, padding=0, dilation=1, return_indices=False, ceil_mode=False',
);

/** The largest value in each window of [N, C, L] or [C, L]. */
export class MaxPool1d extends MaxPool<Single, MaxPool1dOptions> {
  forward(input: tf.Tensor): tf.Tensor {
    const { kernel_size, stride, padding, dilation, ceil_mode, return_indices } = this;
    return max_pool1d(input, kernel_size, stride, padding, dilation, ceil_mode, return_indices);
  }
}

/** The largest value in each window of [N, C, H, W] or [C, H, W]. */
export class MaxPool2d extends MaxPool<Pair, MaxPool2dOptions> {
  forward(input: tf.Tensor): tf.Tensor {
    const { kernel_size, stride, padding, dilation, ceil_mode, return_indices } = this;
    return max_pool2d(input, kernel_size, stride, padding, dilation, ceil_mode, return_indices);
  }
}

/** The mean of each window of [N, C, L] or [C, L]. */
export class AvgPool1d extends Module {
  readonly kernel_size: readonly number[];
  readonly stride: readonly number[];
  readonly padding: readonly number[];
  readonly ceil_mode: boolean;
  readonly count_include_pad: boolean;

  constructor(
    ...args: Args<
      [kernel_size: Single, stride: Single | null, padding: Single, ceil_mode: boolean, count_include_pad: boolean],
      AvgPool1dOptions & { kernel_size?: Single }
    >
  ) {
    super();
    const o = bind(avgPool1dSignature, args);
    this.kernel_size = repeat(o.kernel_size, 1);
    this.stride = repeat(o.stride ?? o.kernel_size, 1);
    this.padding = repeat(o.padding, 1);
    this.ceil_mode = o.ceil_mode;
    this.count_include_pad = o.count_include_pad;
  }

  forward(input: tf.Tensor): tf.Tensor {
    const [kernel_size, stride, padding] = [this.kernel_size, this.stride, this.padding] as unknown as [
      [number],
      [number],
      [number],
    ];
    return avg_pool1d(input, kernel_size, stride, padding, this.ceil_mode, this.count_include_pad);
  }

  override extra_repr(): string {
    return `kernel_size=${tuple(this.kernel_size)}, stride=${tuple(this.stride)}, padding=${tuple(this.padding)}`;
  }
}
const avgPool1dSignature: Signature<Required<AvgPool1dOptions> & { kernel_size: Single }> = signature(
  'AvgPool1d.__init__',
  'kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True',
);

/** The mean of each window of [N, C, H, W] or [C, H, W]. */
export class AvgPool2d extends Module {
  readonly kernel_size: Pair;
  readonly stride: Pair;
  readonly padding: Pair;
  readonly ceil_mode: boolean;
  readonly count_include_pad: boolean;
  readonly divisor_override: number | null;

  constructor(
    ...args: Args<
      [
        kernel_size: Pair,
        stride: Pair | null,
        padding: Pair,
        ceil_mode: boolean,
        count_include_pad: boolean,
        divisor_override: number | null,
      ],
      AvgPool2dOptions & { kernel_size?: Pair }
    >
  ) {
    super();
    const o = bind(avgPool2dSignature, args);
    this.kernel_size = o.kernel_size;
    this.stride = o.stride ?? o.kernel_size;
    this.padding = o.padding;
    this.ceil_mode = o.ceil_mode;
    this.count_include_pad = o.count_include_pad;
    this.divisor_override = o.divisor_override;
  }

  forward(input: tf.Tensor): tf.Tensor {
    const { kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override } = this;
    return avg_pool2d(input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override);
  }

  override extra_repr(): string {
    return `kernel_size=${show(this.kernel_size)}, stride=${show(this.stride)}, padding=${show(this.padding)}`;
  }
}
const avgPool2dSignature: Signature<Required<AvgPool2dOptions> & { kernel_size: Pair }> = signature(
  'AvgPool2d.__init__',
  'kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True, divisor_override=None',
);

abstract class AdaptiveAvgPool<S extends OutputSize> extends Module {
  readonly output_size: S;

  constructor(...args: [output_size: S] | [options: { output_size: S }]) {
    super();
    this.output_size = bind(adaptiveSignature as Signature<{ output_size: S }>, args).output_size;
  }

  override extra_repr(): string {
    const text = (x: number | null) => (x === null ? 'None' : `${x}`);
    const size: OutputSize = this.output_size;
    if (!Array.isArray(size)) return `output_size=${text(size as number | null)}`;
    return `output_size=(${size.map(text).join(', ')}${size.length === 1 ? ',' : ''})`;
  }
}
const adaptiveSignature: Signature<{ output_size: OutputSize }> = signature(
  '_AdaptiveAvgPoolNd.__init__',
  'output_size',
);

/** The mean over `output_size` windows that cover [N, C, L] or [C, L]. */
export class AdaptiveAvgPool1d extends AdaptiveAvgPool<number> {
  forward(input: tf.Tensor): tf.Tensor {
    return adaptive_avg_pool1d(input, this.output_size);
  }
}

/** The mean over `output_size` windows that cover [N, C, H, W] or [C, H, W]; `null` keeps a size. */
export class AdaptiveAvgPool2d extends AdaptiveAvgPool<OutputSize> {
  forward(input: tf.Tensor): tf.Tensor {
    return adaptive_avg_pool2d(input, this.output_size);
  }
}
