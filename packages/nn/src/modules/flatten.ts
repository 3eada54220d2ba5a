import type * as tf from '@tensorflow/tfjs-core';
import { type Args, bind, type Signature, signature } from '@tfjs-torch/core';
import { flatten } from '../functional';
import { unflatten } from '../functional/shape';
import { Module } from '../module';
import { tuple, typename } from '../names';

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

/** Splits the dimension `dim` into the dimensions `unflattened_size`, of which one may be -1. */
export class Unflatten extends Module {
  readonly dim: number;
  readonly unflattened_size: readonly number[];

  /** @throws TypeError where the sizes are no whole numbers */
  constructor(
    ...args: Args<
      [dim: number, unflattened_size: readonly number[]],
      { dim?: number; unflattened_size?: readonly number[] }
    >
  ) {
    super();
    const { dim, unflattened_size } = bind(unflattenSignature, args);
    if (!Array.isArray(unflattened_size)) {
      throw new TypeError(`unflattened_size must be a tuple of ints, but found type ${typename(unflattened_size)}`);
    }
    const wrong = unflattened_size.findIndex((n) => !Number.isInteger(n));
    if (wrong >= 0) {
      throw new TypeError(
        `unflattened_size must be tuple of ints, but found element of type ${typename(unflattened_size[wrong])} at pos ${wrong}`,
      );
    }
    this.dim = dim;
    this.unflattened_size = [...unflattened_size];
  }

  forward(input: tf.Tensor): tf.Tensor {
    return unflatten(input, this.dim, this.unflattened_size);
  }

  override extra_repr(): string {
    return `dim=${this.dim}, unflattened_size=${tuple(this.unflattened_size)}`;
  }
}
const unflattenSignature: Signature<{ dim: number; unflattened_size: readonly number[] }> = signature(
  'Unflatten.__init__',
  'dim, unflattened_size',
);
