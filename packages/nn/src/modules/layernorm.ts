import type * as tf from '@tensorflow/tfjs-core';
import { type Args, bind, type Dtype, empty, type Parameter, type Signature, signature } from '@tfjs-torch/core';
import { layer_norm } from '../functional';
import * as init from '../init';
import { Module } from '../module';
import { assertFloat32, bool, float, tuple } from '../names';
import { parameter } from './parameter';

export interface LayerNormOptions {
  /** Added to the variance. Default 1e-5. */
  eps?: number;
  /** Whether there are a weight and a bias. Default true. */
  elementwise_affine?: boolean;
  /** Whether there is a bias beside the weight. Default true. */
  bias?: boolean;
  /** Accepted and ignored. */
  device?: unknown;
  /** Only float32. */
  dtype?: Dtype | null;
}
type Shape = number | readonly number[];

/** Layer normalization of [*, …normalized_shape]: each element of the batch by its own mean and variance. */
export class LayerNorm extends Module {
  readonly normalized_shape: readonly number[];
  readonly eps: number;
  readonly elementwise_affine: boolean;
  declare weight: Parameter | null;
  declare bias: Parameter | null;

  constructor(
    ...args: Args<
      [normalized_shape: Shape, eps: number, elementwise_affine: boolean, bias: boolean],
      LayerNormOptions & { normalized_shape?: Shape }
    >
  ) {
    super();
    const o = bind(layerNormSignature, args);
    assertFloat32(o.dtype);
    this.normalized_shape = typeof o.normalized_shape === 'number' ? [o.normalized_shape] : [...o.normalized_shape];
    this.eps = o.eps;
    this.elementwise_affine = o.elementwise_affine;
    const made = (wanted: boolean) => (wanted ? parameter(empty(...this.normalized_shape)) : null);
    this.register_parameter('weight', made(o.elementwise_affine));
    this.register_parameter('bias', made(o.elementwise_affine && o.bias));
    this.reset_parameters();
  }

  reset_parameters(): void {
    if (this.weight) init.ones_(this.weight);
    if (this.bias) init.zeros_(this.bias);
  }

  forward(input: tf.Tensor): tf.Tensor {
    return layer_norm(input, this.normalized_shape, this.weight, this.bias, this.eps);
  }

  override extra_repr(): string {
    const { normalized_shape, eps, elementwise_affine, bias } = this;
    return `${tuple(normalized_shape)}, eps=${float(eps)}, elementwise_affine=${bool(elementwise_affine)}, bias=${bool(bias !== null)}`;
  }
}
const layerNormSignature: Signature<Required<LayerNormOptions> & { normalized_shape: Shape }> = signature(
  'LayerNorm.__init__',
  'normalized_shape, eps=1e-5, elementwise_affine=True, bias=True, device=None, dtype=None',
);
