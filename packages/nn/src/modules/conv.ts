import type * as tf from '@tensorflow/tfjs-core';
import {
  type Args,
  bind,
  type Dtype,
  empty,
  type Parameter,
  type Signature,
  signature,
  ValueError,
} from '@tfjs-torch/core';
import { conv_transpose1d, conv_transpose2d, conv1d, conv2d, type PaddingMode, pad } from '../functional';
import { Module } from '../module';
import { assertFloat32, size, tuple } from '../names';
import { type Pair, repeat, type Single, type Sizes } from '../pair';
import { parameter, resetWeights } from './parameter';

type Mode = 'zeros' | Exclude<PaddingMode, 'constant'>;

interface Shared<S> {
  /** Default 1. */
  stride?: S;
  /** Default 1. */
  dilation?: S;
  /** Default 1. */
  groups?: number;
  /** Default true. */
  bias?: boolean;
  /** Accepted and ignored. */
  device?: unknown;
  /** Only float32. */
  dtype?: Dtype | null;
}
interface ConvOptions<S> extends Shared<S> {
  /** What is added on each side; 'same' keeps the size. Default 0. */
  padding?: S | 'same' | 'valid';
  /** What the padding holds. Default 'zeros'. */
  padding_mode?: Mode;
}
interface ConvTransposeOptions<S> extends Shared<S> {
  /** Taken away on each side. Default 0. */
  padding?: S;
  /** Added at the end of each dimension. Default 0. */
  output_padding?: S;
  /** Only 'zeros'. */
  padding_mode?: 'zeros';
}
export type Conv1dOptions = ConvOptions<Single>;
export type Conv2dOptions = ConvOptions<Pair>;
export type ConvTranspose1dOptions = ConvTransposeOptions<Single>;
export type ConvTranspose2dOptions = ConvTransposeOptions<Pair>;

interface Channels<S> {
  in_channels: number;
  out_channels: number;
  kernel_size: S;
}
type ConvArgs<S> = Args<
  [
    in_channels: number,
    out_channels: number,
    kernel_size: S,
    stride: S,
    padding: S | 'same' | 'valid',
    dilation: S,
    groups: number,
    bias: boolean,
    padding_mode: Mode,
  ],
  ConvOptions<S> & Partial<Channels<S>>
>;
type ConvTransposeArgs<S> = Args<
  [
    in_channels: number,
    out_channels: number,
    kernel_size: S,
    stride: S,
    padding: S,
    output_padding: S,
    groups: number,
    bias: boolean,
    dilation: S,
    padding_mode: 'zeros',
  ],
  ConvTransposeOptions<S> & Partial<Channels<S>>
>;
type Bound = Required<ConvOptions<Sizes>> & Channels<Sizes>;
type BoundTransposed = Required<ConvTransposeOptions<Sizes>> & Channels<Sizes>;

const convSignature = (name: string): Signature<Bound> =>
  signature(
    `${name}.__init__`,
    "in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1, groups=1, bias=True, padding_mode='zeros', device=None, dtype=None",
  );
const transposedSignature = (name: string): Signature<BoundTransposed> =>
  signature(
    `${name}.__init__`,
    "in_channels, out_channels, kernel_size, stride=1, padding=0, output_padding=0, groups=1, bias=True, dilation=1, padding_mode='zeros', device=None, dtype=None",
  );

// The order is that of the message; torch prints a Python set, in any order.
const paddingModes = ['zeros', 'reflect', 'replicate', 'circular'];

/** Base of the convolutions: `torch.nn.modules.conv._ConvNd`. */
export abstract class _ConvNd extends Module {
  readonly in_channels: number;
  readonly out_channels: number;
  readonly kernel_size: readonly number[];
  readonly stride: readonly number[];
  readonly padding: readonly number[] | 'same' | 'valid';
  readonly dilation: readonly number[];
  readonly output_padding: readonly number[];
  readonly transposed: boolean;
  readonly groups: number;
  readonly padding_mode: Mode;
  declare weight: Parameter;
  declare bias: Parameter | null;

  /** @throws ValueError for options that do not fit together */
  constructor(dims: number, o: Bound | BoundTransposed) {
    super();
    const { in_channels, out_channels, groups, padding_mode } = o;
    const stride = repeat(o.stride, dims);
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
    this.in_channels = in_channels;
    this.out_channels = out_channels;
    this.kernel_size = repeat(o.kernel_size, dims);
    this.stride = stride;
    this.padding = typeof o.padding === 'string' ? o.padding : repeat(o.padding, dims);
    this.dilation = repeat(o.dilation, dims);
    this.transposed = 'output_padding' in o;
    this.output_padding = repeat('output_padding' in o ? o.output_padding : 0, dims);
    this.groups = groups;
    this.padding_mode = padding_mode;
    const channels = this.transposed ? [in_channels, out_channels / groups] : [out_channels, in_channels / groups];
    this.weight = parameter(empty(...channels, ...this.kernel_size));
    this.register_parameter('bias', o.bias ? parameter(empty(out_channels)) : null);
    this.reset_parameters();
  }

  reset_parameters(): void {
    resetWeights(this.weight, this.bias);
  }

  override extra_repr(): string {
    const { padding, dilation, output_padding, groups, kernel_size, padding_mode } = this;
    const parts = [
      `${this.in_channels}, ${this.out_channels}, kernel_size=${tuple(kernel_size)}, stride=${tuple(this.stride)}`,
    ];
    if (typeof padding === 'string') parts.push(`padding=${padding}`);
    else if (padding.some((p) => p !== 0)) parts.push(`padding=${tuple(padding)}`);
    if (dilation.some((d) => d !== 1)) parts.push(`dilation=${tuple(dilation)}`);
    if (output_padding.some((p) => p !== 0)) parts.push(`output_padding=${tuple(output_padding)}`);
    if (groups !== 1) parts.push(`groups=${groups}`);
    if (this.bias === null) parts.push('bias=False');
    if (padding_mode !== 'zeros') parts.push(`padding_mode=${padding_mode}`);
    return parts.join(', ');
  }
}

type Convolve<S> = (
  input: tf.Tensor,
  weight: tf.Tensor,
  bias: tf.Tensor | null,
  stride: S,
  padding: S | 'same' | 'valid',
  dilation: S,
  groups: number,
) => tf.Tensor;

/** Runs a convolution of a layer, behind its own padding where that is not of zeros. */
function convolved<S extends Sizes>(layer: _ConvNd, input: tf.Tensor, convolve: Convolve<S>): tf.Tensor {
  const { weight, bias, stride, padding, dilation, groups, padding_mode } = layer;
  const [s, d] = [stride, dilation] as readonly Sizes[] as [S, S];
  if (padding_mode === 'zeros') return convolve(input, weight, bias, s, padding as S, d, groups);
  const around = layer.kernel_size.flatMap((k, i) => {
    if (typeof padding !== 'string') return [[padding[i]!, padding[i]!]];
    const total = padding === 'same' ? dilation[i]! * (k - 1) : 0;
    return [[Math.floor(total / 2), Math.ceil(total / 2)]];
  });
  return convolve(pad(input, around.reverse().flat(), padding_mode), weight, bias, s, 'valid', d, groups);
}

/** 1-D cross-correlation of [N, in_channels, L] or [in_channels, L]; weight [out, in / groups, k]. */
export class Conv1d extends _ConvNd {
  constructor(...args: ConvArgs<Single>) {
    super(1, bind(convSignature('Conv1d'), args));
  }
  forward(input: tf.Tensor): tf.Tensor {
    return convolved<Single>(this, input, conv1d);
  }
}

/** 2-D cross-correlation of [N, in_channels, H, W] or [in_channels, H, W]; weight [out, in / groups, kh, kw]. */
export class Conv2d extends _ConvNd {
  constructor(...args: ConvArgs<Pair>) {
    super(2, bind(convSignature('Conv2d'), args));
  }
  forward(input: tf.Tensor): tf.Tensor {
    return convolved<Pair>(this, input, conv2d);
  }
}

function transposedSizes<S extends Sizes>(layer: _ConvNd, input: tf.Tensor, output_size: readonly number[] | null) {
  const { stride, padding, dilation } = layer;
  const sizes = { stride, padding, output_padding: paddingFor(layer, input, output_size), dilation };
  return sizes as Record<keyof typeof sizes, unknown> as Record<keyof typeof sizes, S>;
}

/** The output padding with which a transposed convolution gives `output_size`. @throws ValueError where none does */
function paddingFor(layer: _ConvNd, input: tf.Tensor, output_size: readonly number[] | null): readonly number[] {
  if (output_size === null) return layer.output_padding;
  const { kernel_size, stride, dilation } = layer;
  const padding = layer.padding as readonly number[];
  const dims = kernel_size.length;
  const others = input.rank === dims + 2 ? 2 : 1;
  const wanted = output_size.length === others + dims ? output_size.slice(others) : output_size;
  if (wanted.length !== dims) {
    throw new ValueError(
      `ConvTranspose${dims}D: for ${input.rank}D input, output_size must have ${dims} or ${others + dims} elements (got ${wanted.length})`,
    );
  }
  const least = kernel_size.map(
    (k, i) => (input.shape[others + i]! - 1) * stride[i]! - 2 * padding[i]! + dilation[i]! * (k - 1) + 1,
  );
  const most = least.map((n, i) => n + stride[i]! - 1);
  if (wanted.some((n, i) => n < least[i]! || n > most[i]!)) {
    throw new ValueError(
      `requested an output size of ${tuple(wanted)}, but valid sizes range from [${least.join(', ')}] to [${most.join(', ')}] (for an input of ${size(input.shape.slice(2))})`,
    );
  }
  return wanted.map((n, i) => n - least[i]!);
}

function onlyZeros(name: string, o: BoundTransposed): BoundTransposed {
  if (o.padding_mode === 'zeros') return o;
  throw new ValueError(`Only "zeros" padding mode is supported for ${name}`);
}

/** The gradient of Conv1d by its input: [N, in_channels, L] or [in_channels, L]; weight [in, out / groups, k]. */
export class ConvTranspose1d extends _ConvNd {
  constructor(...args: ConvTransposeArgs<Single>) {
    super(1, onlyZeros('ConvTranspose1d', bind(transposedSignature('ConvTranspose1d'), args)));
  }

  /** @param output_size of space, or of the whole result: chooses where the stride leaves a choice */
  forward(input: tf.Tensor, output_size: readonly number[] | null = null): tf.Tensor {
    const { weight, bias, groups } = this;
    const { stride, padding, output_padding, dilation } = transposedSizes<Single>(this, input, output_size);
    return conv_transpose1d(input, weight, bias, stride, padding, output_padding, groups, dilation);
  }
}

/** The gradient of Conv2d by its input: [N, in_channels, H, W] or [in_channels, H, W]; weight [in, out / groups, kh, kw]. */
export class ConvTranspose2d extends _ConvNd {
  constructor(...args: ConvTransposeArgs<Pair>) {
    super(2, onlyZeros('ConvTranspose2d', bind(transposedSignature('ConvTranspose2d'), args)));
  }

  /** @param output_size of space, or of the whole result: chooses where the stride leaves a choice */
  forward(input: tf.Tensor, output_size: readonly number[] | null = null): tf.Tensor {
    const { weight, bias, groups } = this;
    const { stride, padding, output_padding, dilation } = transposedSizes<Pair>(this, input, output_size);
    return conv_transpose2d(input, weight, bias, stride, padding, output_padding, groups, dilation);
  }
}
