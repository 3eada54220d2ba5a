import type * as tf from '@tensorflow/tfjs-core';
import { type Args, bind, type Signature, signature } from '@tfjs-torch/core';
import {
  type CrossEntropyOptions,
  cross_entropy,
  type LossOptions,
  l1_loss,
  mse_loss,
  type NLLLossOptions,
  nll_loss,
  type Reduction,
} from '../functional';
import { legacyReduction } from '../functional/reduction';
import { Module } from '../module';

type LossArgs = Args<[size_average: boolean | null, reduce: boolean | null, reduction: Reduction], LossOptions>;
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
const mseSignature: Signature<Required<LossOptions>> = signature('MSELoss.__init__', lossList);

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
const l1Signature: Signature<Required<LossOptions>> = signature('L1Loss.__init__', lossList);

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
