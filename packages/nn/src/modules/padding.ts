import type * as tf from '@tensorflow/tfjs-core';
import { type Args, bind, type Signature, signature } from '@tfjs-torch/core';
import { type PaddingMode, pad } from '../functional';
import { Module } from '../module';
import { float, tuple } from '../names';

/** One number for all sides, or one for each; a negative one takes away. */
export type Frame = number | readonly [left: number, right: number, top: number, bottom: number];

abstract class Pad2d extends Module {
  readonly padding: readonly number[];
  protected readonly mode: PaddingMode = 'constant';
  readonly value: number = 0;

  constructor(...args: Args<[padding: Frame], { padding?: Frame }>) {
    super();
    const { padding } = bind(padSignature(this._get_name()), args);
    this.padding = four(padding);
  }

  forward(input: tf.Tensor): tf.Tensor {
    return pad(input, this.padding, this.mode, this.value);
  }

  override extra_repr(): string {
    return tuple(this.padding);
  }
}
const four = (x: Frame): number[] => (typeof x === 'number' ? [x, x, x, x] : [...x]);
const padSignature = (name: string): Signature<{ padding: Frame }> => signature(`${name}.__init__`, 'padding');

/** Images [N, C, H, W] or [C, H, W] with their mirror images around them, without the edge itself. */
export class ReflectionPad2d extends Pad2d {
  protected override readonly mode = 'reflect';
}

/** Images [N, C, H, W] or [C, H, W] with their edges repeated around them. */
export class ReplicationPad2d extends Pad2d {
  protected override readonly mode = 'replicate';
}

/** Images [N, C, H, W] or [C, H, W] with themselves around them. */
export class CircularPad2d extends Pad2d {
  protected override readonly mode = 'circular';
}

/** The last two dimensions with zeros around them. */
export class ZeroPad2d extends Pad2d {}

/** The last two dimensions with `value` around them. */
export class ConstantPad2d extends Pad2d {
  override readonly value: number;

  constructor(...args: Args<[padding: Frame, value: number], { padding?: Frame; value?: number }>) {
    const { padding, value } = bind(constantSignature, args);
    super(padding);
    this.value = value;
  }

  override extra_repr(): string {
    return `padding=${tuple(this.padding)}, value=${float(this.value)}`;
  }
}
const constantSignature: Signature<{ padding: Frame; value: number }> = signature(
  'ConstantPad2d.__init__',
  'padding, value',
);
