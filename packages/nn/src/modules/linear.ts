import type * as tf from '@tensorflow/tfjs-core';
import { type Args, bind, type Dtype, empty, type Parameter, type Signature, signature } from '@tfjs-torch/core';
import { linear } from '../functional';
import { Module } from '../module';
import { assertFloat32, bool } from '../names';
import { parameter, resetWeights } from './parameter';

/** Returns its input; takes any arguments, as torch's. */
export class Identity extends Module {
  constructor(..._args: unknown[]) {
    super();
  }

  forward(input: tf.Tensor): tf.Tensor {
    return input;
  }
}

export interface LinearOptions {
  /** Default true. */
  bias?: boolean;
  /** Accepted and ignored. */
  device?: unknown;
  /** Only float32. */
  dtype?: Dtype | null;
}

/** `x · weightᵀ + bias`: [*, in_features] → [*, out_features]. */
export class Linear extends Module {
  readonly in_features: number;
  readonly out_features: number;
  declare weight: Parameter;
  declare bias: Parameter | null;

  constructor(
    ...args: Args<
      [in_features: number, out_features: number, bias: boolean],
      LinearOptions & { in_features?: number; out_features?: number }
    >
  ) {
    super();
    const { in_features, out_features, bias, dtype } = bind(linearSignature, args);
    assertFloat32(dtype);
    this.in_features = in_features;
    this.out_features = out_features;
    this.weight = parameter(empty(out_features, in_features));
    this.register_parameter('bias', bias ? parameter(empty(out_features)) : null);
    this.reset_parameters();
  }

  reset_parameters(): void {
    resetWeights(this.weight, this.bias);
  }

  forward(input: tf.Tensor): tf.Tensor {
    return linear(input, this.weight, this.bias);
  }

  override extra_repr(): string {
    return `in_features=${this.in_features}, out_features=${this.out_features}, bias=${bool(this.bias !== null)}`;
  }
}
const linearSignature: Signature<Required<LinearOptions> & { in_features: number; out_features: number }> = signature(
  'Linear.__init__',
  'in_features, out_features, bias=True, device=None, dtype=None',
);
