import type * as tf from '@tensorflow/tfjs-core';
import {
  type Args,
  bind,
  type Dtype,
  empty,
  NotImplementedError,
  type Parameter,
  type Signature,
  signature,
  ValueError,
} from '@tfjs-torch/core';
import { conv2d } from '../functional';
import { Module } from '../module';
import { assertFloat32, tuple } from '../names';
import { type Pair, pair } from '../pair';
import { parameter, resetWeights } from './parameter';

export interface Conv2dOptions {
  /** Default 1. */
  stride?: Pair;
  /** Zeros added on each side; 'same' keeps the size. Default 0. */
  padding?: Pair | 'same' | 'valid';
  /** Default 1. */
  dilation?: Pair;
  /** Default 1. */
  groups?: number;
  /** Default true. */
  bias?: boolean;
  /** Only 'zeros' so far. */
  padding_mode?: 'zeros' | 'reflect' | 'replicate' | 'circular';
  /** Accepted and ignored. */
  device?: unknown;
  /** Only float32. */
  dtype?: Dtype | null;
}

type Positional = [
  in_channels: number,
  out_channels: number,
  kernel_size: Pair,
  stride: Pair,
  padding: Pair | 'same' | 'valid',
  dilation: Pair,
  groups: number,
  bias: boolean,
  padding_mode: 'zeros' | 'reflect' | 'replicate' | 'circular',
];

/**
 * 2-D cross-correlation of [N, in_channels, H, W] or [in_channels, H, W]; weight [out, in / groups, kh, kw].
 */
export class Conv2d extends Module {
  readonly in_channels: number;
  readonly out_channels: number;
  readonly kernel_size: readonly number[];
  readonly stride: readonly number[];
  readonly padding: readonly number[] | 'same' | 'valid';
  readonly dilation: readonly number[];
  readonly groups: number;
  readonly padding_mode: string;
  declare weight: Parameter;
  declare bias: Parameter | null;

  constructor(
    ...args: Args<Positional, Conv2dOptions & { in_channels?: number; out_channels?: number; kernel_size?: Pair }>
  ) {
    super();
    const o = bind(conv2dSignature, args);
    const { in_channels, out_channels, groups, padding_mode } = o;
    const stride = pair(o.stride);
    assertFloat32(o.dtype);
    if (groups <= 0) throw new ValueError('groups must be a positive integer');
    if (in_channels % groups !== 0) throw new ValueError('in_channels must be divisible by groups');
    if (out_channels % groups !== 0) throw new ValueError('out_channels must be divisible by groups');
    if (typeof o.padding === 'string' && o.padding !== 'same' && o.padding !== 'valid') {
      throw new ValueError(`Invalid padding string '${o.padding}', should be one of {'valid', 'same'}`);
    }
    if (o.padding === 'same' && stride.some((s) => s !== 1)) {
      throw new ValueError("padding='same' is not supported for strided convolutions");
    }
    if (!paddingModes.includes(padding_mode)) {
      throw new ValueError(
        `padding_mode must be one of {${paddingModes.map((m) => `'${m}'`).join(', ')}}, but got padding_mode='${padding_mode}'`,
      );
    }
    if (padding_mode !== 'zeros') {
      throw new NotImplementedError(
        `Conv2d: padding_mode='${padding_mode}' is not available yet; pad the input instead`,
      );
    }
    this.in_channels = in_channels;
    this.out_channels = out_channels;
    this.kernel_size = pair(o.kernel_size);
    this.stride = stride;
    this.padding = typeof o.padding === 'string' ? o.padding : pair(o.padding);
    this.dilation = pair(o.dilation);
    this.groups = groups;
    this.padding_mode = padding_mode;
    this.weight = parameter(empty(out_channels, in_channels / groups, ...this.kernel_size));
    this.register_parameter('bias', o.bias ? parameter(empty(out_channels)) : null);
    this.reset_parameters();
  }

  reset_parameters(): void {
    resetWeights(this.weight, this.bias);
  }

  forward(input: tf.Tensor): tf.Tensor {
    const { weight, bias, stride, padding, dilation, groups } = this;
    return conv2d(input, weight, bias, stride as Pair, padding as Pair | 'same', dilation as Pair, groups);
  }

  override extra_repr(): string {
    const { padding, dilation, groups, kernel_size } = this;
    const parts = [
      `${this.in_channels}, ${this.out_channels}, kernel_size=${tuple(kernel_size)}, stride=${tuple(this.stride)}`,
    ];
    if (typeof padding === 'string') parts.push(`padding=${padding}`);
    else if (padding.some((p) => p !== 0)) parts.push(`padding=${tuple(padding)}`);
    if (dilation.some((d) => d !== 1)) parts.push(`dilation=${tuple(dilation)}`);
    if (groups !== 1) parts.push(`groups=${groups}`);
    if (this.bias === null) parts.push('bias=False');
    return parts.join(', ');
  }
}
// The order is that of the message; torch prints a Python set, in any order.
const paddingModes = ['zeros', 'reflect', 'replicate', 'circular'];
const conv2dSignature: Signature<
  Required<Conv2dOptions> & { in_channels: number; out_channels: number; kernel_size: Pair }
> = signature(
  'Conv2d.__init__',
  "in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1, groups=1, bias=True, padding_mode='zeros', device=None, dtype=None",
);
