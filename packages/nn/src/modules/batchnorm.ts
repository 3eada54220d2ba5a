import * as tf from '@tensorflow/tfjs-core';
import {
  type Args,
  bind,
  type Dtype,
  internal,
  no_grad,
  ones,
  type Parameter,
  type Signature,
  signature,
  ValueError,
  zeros,
} from '@tfjs-torch/core';
import { batch_norm } from '../functional';
import * as init from '../init';
import { Module } from '../module';
import { assertFloat32, bool, float } from '../names';
import { parameter } from './parameter';

export interface BatchNormOptions {
  /** Added to the variance. Default 1e-5. */
  eps?: number;
  /** The share of a batch in the running statistics; `null` for the mean over all batches. Default 0.1. */
  momentum?: number | null;
  /** Whether there are a weight and a bias. Default true. */
  affine?: boolean;
  /** Whether running statistics are kept, which `eval()` uses. Default true. */
  track_running_stats?: boolean;
  /** Accepted and ignored. */
  device?: unknown;
  /** Only float32. */
  dtype?: Dtype | null;
  /** Whether there is a bias beside the weight. Default true. */
  bias?: boolean;
}

/** Base of the batch normalizations: `torch.nn.modules.batchnorm._BatchNorm`. */
export abstract class _BatchNorm extends Module {
  readonly num_features: number;
  readonly eps: number;
  momentum: number | null;
  readonly affine: boolean;
  readonly track_running_stats: boolean;
  declare weight: Parameter | null;
  declare bias: Parameter | null;
  declare running_mean: tf.Tensor | null;
  declare running_var: tf.Tensor | null;
  declare num_batches_tracked: tf.Tensor | null;

  constructor(
    ...args: Args<
      [
        num_features: number,
        eps: number,
        momentum: number | null,
        affine: boolean,
        track_running_stats: boolean,
        device: unknown,
        dtype: Dtype | null,
      ],
      BatchNormOptions & { num_features?: number }
    >
  ) {
    super();
    const o = bind(batchNormSignature, args);
    assertFloat32(o.dtype);
    this.num_features = o.num_features;
    this.eps = o.eps;
    this.momentum = o.momentum;
    this.affine = o.affine;
    this.track_running_stats = o.track_running_stats;
    const made = <T>(wanted: boolean, make: () => T) => (wanted ? make() : null);
    this.register_parameter(
      'weight',
      made(o.affine, () => parameter(ones(o.num_features))),
    );
    this.register_parameter(
      'bias',
      made(o.affine && o.bias, () => parameter(zeros(o.num_features))),
    );
    this.register_buffer(
      'running_mean',
      made(o.track_running_stats, () => zeros(o.num_features)),
    );
    this.register_buffer(
      'running_var',
      made(o.track_running_stats, () => ones(o.num_features)),
    );
    this.register_buffer(
      'num_batches_tracked',
      made(o.track_running_stats, () => tf.scalar(0, 'int32')),
    );
  }

  reset_running_stats(): void {
    if (!this.track_running_stats) return;
    no_grad(() => {
      this.running_mean!.zero_();
      this.running_var!.fill_(1);
      this.num_batches_tracked!.zero_();
    });
  }

  reset_parameters(): void {
    this.reset_running_stats();
    if (this.weight) init.ones_(this.weight);
    if (this.bias) init.zeros_(this.bias);
  }

  /** @throws ValueError for an input of a rank that the layer does not take */
  protected abstract _check_input_dim(input: tf.Tensor): void;

  forward(input: tf.Tensor): tf.Tensor {
    this._check_input_dim(input);
    const { training, track_running_stats, running_mean, running_var } = this;
    const used = !training || track_running_stats;
    return batch_norm(
      input,
      used ? running_mean : null,
      used ? running_var : null,
      this.weight,
      this.bias,
      training || (running_mean === null && running_var === null),
      training && track_running_stats ? this.count() : (this.momentum ?? 0),
      this.eps,
    );
  }

  /** Counts a batch; returns its share in the running statistics. */
  private count(): number {
    const { num_batches_tracked, momentum } = this;
    if (!num_batches_tracked) return momentum ?? 0;
    no_grad(() => internal.update(num_batches_tracked, tf.add(num_batches_tracked, tf.scalar(1, 'int32'))));
    return momentum ?? 1 / num_batches_tracked.dataSync()[0]!;
  }

  override extra_repr(): string {
    const { num_features, eps, momentum, affine, bias, track_running_stats } = this;
    return (
      `${num_features}, eps=${float(eps)}, momentum=${float(momentum)}, affine=${bool(affine)}, ` +
      `bias=${bool(bias !== null)}, track_running_stats=${bool(track_running_stats)}`
    );
  }
}
const batchNormSignature: Signature<Required<BatchNormOptions> & { num_features: number }> = signature(
  '_BatchNorm.__init__',
  'num_features, eps=1e-5, momentum=0.1, affine=True, track_running_stats=True, device=None, dtype=None, *, bias=True',
);

/** Batch normalization of [N, C] or [N, C, L]. */
export class BatchNorm1d extends _BatchNorm {
  protected override _check_input_dim({ rank }: tf.Tensor): void {
    if (rank !== 2 && rank !== 3) throw new ValueError(`expected 2D or 3D input (got ${rank}D input)`);
  }
}

/** Batch normalization of [N, C, H, W]. */
export class BatchNorm2d extends _BatchNorm {
  protected override _check_input_dim({ rank }: tf.Tensor): void {
    if (rank !== 4) throw new ValueError(`expected 4D input (got ${rank}D input)`);
  }
}
