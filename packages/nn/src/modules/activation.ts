import type * as tf from '@tensorflow/tfjs-core';
import { type Args, bind, type Signature, signature } from '@tfjs-torch/core';
import { log_softmax, relu, softmax } from '../functional';
import { Module } from '../module';
import { typename } from '../names';

/** max(x, 0). With `inplace` the result is a new tensor too, and the input keeps its values. */
export class ReLU extends Module {
  readonly inplace: boolean;

  constructor(...args: Args<[inplace: boolean], { inplace?: boolean }>) {
    super();
    this.inplace = bind(reluSignature, args).inplace;
  }

  forward(input: tf.Tensor): tf.Tensor {
    return relu(input, this.inplace);
  }

  override extra_repr(): string {
    return this.inplace ? 'inplace=True' : '';
  }
}
const reluSignature: Signature<{ inplace: boolean }> = signature('ReLU.__init__', 'inplace=False');

type DimArgs = Args<[dim: number | null], { dim?: number | null }>;

abstract class AlongDim extends Module {
  readonly dim: number | null;

  constructor(...args: DimArgs) {
    super();
    const { dim } = bind(dimSignature(this._get_name()), args);
    if (dim !== null && !Number.isInteger(dim)) {
      throw new TypeError(`dim must be an int or None, got <class '${typename(dim)}'>`);
    }
    this.dim = dim;
  }

  override extra_repr(): string {
    return `dim=${this.dim ?? 'None'}`;
  }
}
const dimSignature = (name: string): Signature<{ dim: number | null }> => signature(`${name}.__init__`, 'dim=None');

/** exp(x) / Σ exp(x) along `dim`. */
export class Softmax extends AlongDim {
  forward(input: tf.Tensor): tf.Tensor {
    return softmax(input, this.dim);
  }
}

/** log(softmax(x)) along `dim`. */
export class LogSoftmax extends AlongDim {
  forward(input: tf.Tensor): tf.Tensor {
    return log_softmax(input, this.dim);
  }
}
