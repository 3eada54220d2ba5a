import type * as tf from '@tensorflow/tfjs-core';
import { type Args, bind, type Signature, signature } from '@tfjs-torch/core';
import {
  type BCEWithLogitsOptions,
  binary_cross_entropy,
  binary_cross_entropy_with_logits,
  type CrossEntropyOptions,
  cross_entropy,
  type ElementLossOptions,
  type HuberLossOptions,
  huber_loss,
  type KLDivOptions,
  kl_div,
  type LossOptions,
  l1_loss,
  mse_loss,
  type NLLLossOptions,
  nll_loss,
  type Reduction,
  type SmoothL1LossOptions,
  smooth_l1_loss,
} from '../functional';
import { legacyReduction } from '../functional/reduction';
import { Module } from '../module';

type LossArgs = Args<[size_average: boolean | null, reduce: boolean | null, reduction: Reduction], LossOptions>;
// Some of torch's losses inherit their constructor, whose name stands in its errors.
const lossList = "size_average=None, reduce=None, reduction='mean'";

/** (input - target)² */
export class MSELoss extends Module {
  readonly reduction: Reduction;

  constructor(...args: LossArgs) {
    super();
    this.reduction = legacyReduction(bind(mseSignature, args));
  }

  forward(input: tf.Tensor, target: tf.Tensor): tf.Tensor {
    return mse_loss(input, target, { reduction: this.reduction });
  }
}
const mseSignature: Signature<Required<LossOptions>> = signature('_Loss.__init__', lossList);

/** |input - target| */
export class L1Loss extends Module {
  readonly reduction: Reduction;

  constructor(...args: LossArgs) {
    super();
    this.reduction = legacyReduction(bind(l1Signature, args));
  }

  forward(input: tf.Tensor, target: tf.Tensor): tf.Tensor {
    return l1_loss(input, target, { reduction: this.reduction });
  }
}
const l1Signature: Signature<Required<LossOptions>> = signature('_Loss.__init__', lossList);

/** A parabola near 0, |input - target| further on. See `nn.functional.smooth_l1_loss`. */
export class SmoothL1Loss extends Module {
  readonly reduction: Reduction;
  readonly beta: number;

  constructor(
    ...args: Args<
      [size_average: boolean | null, reduce: boolean | null, reduction: Reduction, beta: number],
      SmoothL1LossOptions
    >
  ) {
    super();
    const options = bind(smoothL1Signature, args);
    this.reduction = legacyReduction(options);
    this.beta = options.beta;
  }

  forward(input: tf.Tensor, target: tf.Tensor): tf.Tensor {
    const { reduction, beta } = this;
    return smooth_l1_loss(input, target, { reduction, beta });
  }
}
const smoothL1Signature: Signature<Required<SmoothL1LossOptions>> = signature(
  'SmoothL1Loss.__init__',
  `${lossList}, beta=1.0`,
);

/** A parabola near 0, delta · |input - target| further on. See `nn.functional.huber_loss`. */
export class HuberLoss extends Module {
  readonly reduction: Reduction;
  readonly delta: number;

  constructor(...args: Args<[reduction: Reduction, delta: number], HuberLossOptions>) {
    super();
    const { reduction, delta } = bind(huberSignature, args);
    this.reduction = reduction;
    this.delta = delta;
  }

  forward(input: tf.Tensor, target: tf.Tensor): tf.Tensor {
    const { reduction, delta } = this;
    return huber_loss(input, target, { reduction, delta });
  }
}
const huberSignature: Signature<Required<HuberLossOptions>> = signature(
  'HuberLoss.__init__',
  "reduction='mean', delta=1.0",
);

/** The Kullback-Leibler divergence; `input` holds log-probabilities. See `nn.functional.kl_div`. */
export class KLDivLoss extends Module {
  readonly reduction: Reduction | 'batchmean';
  readonly log_target: boolean;

  constructor(
    ...args: Args<
      [size_average: boolean | null, reduce: boolean | null, reduction: Reduction | 'batchmean', log_target: boolean],
      KLDivOptions
    >
  ) {
    super();
    const options = bind(klSignature, args);
    this.reduction = legacyReduction(options);
    this.log_target = options.log_target;
  }

  forward(input: tf.Tensor, target: tf.Tensor): tf.Tensor {
    const { reduction, log_target } = this;
    return kl_div(input, target, { reduction, log_target });
  }
}
const klSignature: Signature<Required<KLDivOptions>> = signature('KLDivLoss.__init__', `${lossList}, log_target=False`);

/** Binary cross entropy of probabilities. See `nn.functional.binary_cross_entropy`. */
export class BCELoss extends Module {
  readonly reduction: Reduction;
  declare weight: tf.Tensor | null;

  constructor(
    ...args: Args<
      [weight: tf.Tensor | null, size_average: boolean | null, reduce: boolean | null, reduction: Reduction],
      ElementLossOptions
    >
  ) {
    super();
    const options = bind(bceSignature, args);
    this.reduction = legacyReduction(options);
    this.register_buffer('weight', options.weight);
  }

  forward(input: tf.Tensor, target: tf.Tensor): tf.Tensor {
    const { weight, reduction } = this;
    return binary_cross_entropy(input, target, { weight, reduction });
  }
}
const bceSignature: Signature<Required<ElementLossOptions>> = signature(
  '_WeightedLoss.__init__',
  `weight=None, ${lossList}`,
);

/** Binary cross entropy of logits. See `nn.functional.binary_cross_entropy_with_logits`. */
export class BCEWithLogitsLoss extends Module {
  readonly reduction: Reduction;
  declare weight: tf.Tensor | null;
  declare pos_weight: tf.Tensor | null;

  constructor(
    ...args: Args<
      [
        weight: tf.Tensor | null,
        size_average: boolean | null,
        reduce: boolean | null,
        reduction: Reduction,
        pos_weight: tf.Tensor | null,
      ],
      BCEWithLogitsOptions
    >
  ) {
    super();
    const options = bind(logitsSignature, args);
    this.reduction = legacyReduction(options);
    this.register_buffer('weight', options.weight);
    this.register_buffer('pos_weight', options.pos_weight);
  }

  forward(input: tf.Tensor, target: tf.Tensor): tf.Tensor {
    const { weight, pos_weight, reduction } = this;
    return binary_cross_entropy_with_logits(input, target, { weight, reduction, pos_weight });
  }
}
const logitsSignature: Signature<Required<BCEWithLogitsOptions>> = signature(
  'BCEWithLogitsLoss.__init__',
  `weight=None, ${lossList}, pos_weight=None`,
);

/** Minus the log-probability of the target class; `input` holds log-probabilities. See `nn.functional.nll_loss`. */
export class NLLLoss extends Module {
  readonly ignore_index: number;
  readonly reduction: Reduction;
  declare weight: tf.Tensor | null;

  constructor(
    ...args: Args<
      [
        weight: tf.Tensor | null,
        size_average: boolean | null,
        ignore_index: number,
        reduce: boolean | null,
        reduction: Reduction,
      ],
      NLLLossOptions
    >
  ) {
    super();
    const options = bind(nllSignature, args);
    this.reduction = legacyReduction(options);
    this.register_buffer('weight', options.weight);
    this.ignore_index = options.ignore_index;
  }

  forward(input: tf.Tensor, target: tf.Tensor): tf.Tensor {
    const { weight, ignore_index, reduction } = this;
    return nll_loss(input, target, { weight, ignore_index, reduction });
  }
}
const nllSignature: Signature<Required<NLLLossOptions>> = signature(
  'NLLLoss.__init__',
  "weight=None, size_average=None, ignore_index=-100, reduce=None, reduction='mean'",
);

/** Cross entropy of logits with class indices or class probabilities. See `nn.functional.cross_entropy`. */
export class CrossEntropyLoss extends Module {
  readonly ignore_index: number;
  readonly label_smoothing: number;
  readonly reduction: Reduction;
  declare weight: tf.Tensor | null;

  constructor(
    ...args: Args<
      [
        weight: tf.Tensor | null,
        size_average: boolean | null,
        ignore_index: number,
        reduce: boolean | null,
        reduction: Reduction,
        label_smoothing: number,
      ],
      CrossEntropyOptions
    >
  ) {
    super();
    const options = bind(crossEntropySignature, args);
    this.reduction = legacyReduction(options);
    this.register_buffer('weight', options.weight);
    this.ignore_index = options.ignore_index;
    this.label_smoothing = options.label_smoothing;
  }

  forward(input: tf.Tensor, target: tf.Tensor): tf.Tensor {
    const { weight, ignore_index, reduction, label_smoothing } = this;
    return cross_entropy(input, target, { weight, ignore_index, reduction, label_smoothing });
  }
}
const crossEntropySignature: Signature<Required<CrossEntropyOptions>> = signature(
  'CrossEntropyLoss.__init__',
  "weight=None, size_average=None, ignore_index=-100, reduce=None, reduction='mean', label_smoothing=0.0",
);
