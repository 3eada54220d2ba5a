import type * as tf from '@tensorflow/tfjs-core';
import { type Args, bind, type Signature, signature } from '@tfjs-torch/core';
import { dropout, dropout1d, dropout2d } from '../functional';
import { assertProbability } from '../functional/dropout';
import { Module } from '../module';
import { bool } from '../names';

abstract class DropoutNd extends Module {
  p: number;
  readonly inplace: boolean;

  constructor(...args: Args<[p: number, inplace: boolean], { p?: number; inplace?: boolean }>) {
    super();
    const { p, inplace } = bind(dropoutSignature, args);
    assertProbability(p);
    this.p = p;
    this.inplace = inplace;
  }

  override extra_repr(): string {
    return `p=${this.p}, inplace=${bool(this.inplace)}`;
  }
}
const dropoutSignature: Signature<{ p: number; inplace: boolean }> = signature(
  '_DropoutNd.__init__',
  'p=0.5, inplace=False',
);

/** In training, zeroes each element with probability `p` and scales the others by 1 / (1 - p); else the identity. */
export class Dropout extends DropoutNd {
  forward(input: tf.Tensor): tf.Tensor {
    return dropout(input, this.p, this.training, this.inplace);
  }
}

/** As Dropout, but of whole channels of [N, C, L] or [C, L]. */
export class Dropout1d extends DropoutNd {
  forward(input: tf.Tensor): tf.Tensor {
    return dropout1d(input, this.p, this.training, this.inplace);
  }
}

/** As Dropout, but of whole channels of [N, C, H, W]. */
export class Dropout2d extends DropoutNd {
  forward(input: tf.Tensor): tf.Tensor {
    return dropout2d(input, this.p, this.training, this.inplace);
  }
}
