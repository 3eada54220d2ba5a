import type * as tf from '@tensorflow/tfjs-core';
import { type Args, bind, type Signature, signature } from '@tfjs-torch/core';
import { flatten } from '../functional';
import { Module } from '../module';

interface FlattenOptions {
  /** Default 1. */
  start_dim?: number;
  /** Default -1. */
  end_dim?: number;
}

/** Joins the dimensions from `start_dim` to `end_dim` into one. */
export class Flatten extends Module {
  readonly start_dim: number;
  readonly end_dim: number;

  constructor(...args: Args<[start_dim: number, end_dim: number], FlattenOptions>) {
    super();
    const { start_dim, end_dim } = bind(flattenSignature, args);
    this.start_dim = start_dim;
    this.end_dim = end_dim;
  }

  forward(input: tf.Tensor): tf.Tensor {
    return flatten(input, this.start_dim, this.end_dim);
  }

  override extra_repr(): string {
    return `start_dim=${this.start_dim}, end_dim=${this.end_dim}`;
  }
}
const flattenSignature: Signature<Required<FlattenOptions>> = signature('Flatten.__init__', 'start_dim=1, end_dim=-1');
