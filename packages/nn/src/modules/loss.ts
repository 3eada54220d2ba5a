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
import { type LossPositional, legacyReduction } from '../functional/reduction';
import { Module } from '../module';

const lossList = "size_average=None, reduce=None, reduction='mean'";

abstract class _Loss<R extends string = Reduction> extends Module {
  readonly reduction: R | Reduction;

  constructor(...args: Args<LossPositional<R>, Omit<LossOptions, 'reduction'> & { reduction?: R }>) {
    super();
    this.reduction = legacyReduction(bind(lossSignature as Signature<BoundLoss<R>>, args));
  }
}
type BoundLoss<R> = Required<Omit<LossOptions, 'reduction'>> & { reduction: R };
const lossSignature: Signature<BoundLoss<string>> = signature('_Loss.__init__', lossList);

abstract class _WeightedLoss extends _Loss {
  declare weight: tf.Tensor | null;

  constructor(...args: Args<[weight: tf.Tensor | null, ...LossPositional], ElementLossOptions>) {
    const { weight, size_average, reduce, reduction } = bind(weightedSignature, args);
    super(size_average, reduce, reduction);
    this.register_buffer('weight', weight);
  }
}
const weightedSignature: Signature<Required<ElementLossOptions>> = signature(
  '_WeightedLoss.__init__',
  `weight=None, ${lossList}`,
);

/** (input - target)² */
export class MSELoss extends _Loss {
  forward(input: tf.Tensor, target: tf.Tensor): tf.Tensor {
    return mse_loss(input, target, { reduction: this.reduction });
  }
}

/** |input - target| */
export class L1Loss extends _Loss {
  forward(input: tf.Tensor, target: tf.Tensor): tf.Tensor {
    return l1_loss(input, target, { reduction: this.reduction });
  }
}

/** A parabola near 0, |input - target| further on. See `nn.functional.smooth_l1_loss`. */
export class SmoothL1Loss extends _Loss {
  readonly beta: number;

  constructor(...args: Args<[...LossPositional, beta: number], SmoothL1LossOptions>) {
    const { size_average, reduce, reduction, beta } = bind(smoothL1Signature, args);
    super(size_average, reduce, reduction);
    this.beta = beta;
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
export class HuberLoss extends _Loss {
  readonly delta: number;

  constructor(...args: Args<[reduction: Reduction, delta: number], HuberLossOptions>) {
    const { reduction, delta } = bind(huberSignature, args);
    super({ reduction });
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
export class KLDivLoss extends _Loss<Reduction | 'batchmean'> {
  readonly log_target: boolean;

  constructor(...args: Args<[...LossPositional<Reduction | 'batchmean'>, log_target: boolean], KLDivOptions>) {
    const { size_average, reduce, reduction, log_target } = bind(klSignature, args);
    super(size_average, reduce, reduction);
    this.log_target = log_target;
  }

  forward(input: tf.Tensor, target: tf.Tensor): tf.Tensor {
    const { reduction, log_target } = this;
    return kl_div(input, target, { reduction, log_target });
  }
}
const klSignature: Signature<Required<KLDivOptions>> = signature('KLDivLoss.__init__', `${lossList}, log_target=False`);

/** Binary cross entropy of probabilities. See `nn.functional.binary_cross_entropy`. */
export class BCELoss extends _WeightedLoss {
  forward(input: tf.Tensor, target: tf.Tensor): tf.Tensor {
    const { weight, reduction } = this;
    return binary_cross_entropy(input, target, { weight, reduction });
  }
}

/** Binary cross entropy of logits. See `nn.functional.binary_cross_entropy_with_logits`. */
export class BCEWithLogitsLoss extends _WeightedLoss {
  declare pos_weight: tf.Tensor | null;

  constructor(
    ...args: Args<[weight: tf.Tensor | null, ...LossPositional, pos_weight: tf.Tensor | null], BCEWithLogitsOptions>
  ) {
    const { weight, size_average, reduce, reduction, pos_weight } = bind(logitsSignature, args);
    super(weight, size_average, reduce, reduction);
    this.register_buffer('pos_weight', pos_weight);
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
export class NLLLoss extends _WeightedLoss {
  readonly ignore_index: number;

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
    const { weight, size_average, ignore_index, reduce, reduction } = bind(nllSignature, args);
    super(weight, size_average, reduce, reduction);
    this.ignore_index = ignore_index;
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
export class CrossEntropyLoss extends _WeightedLoss {
  readonly ignore_index: number;
  readonly label_smoothing: number;

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
    const options = bind(crossEntropySignature, args);
    super(options.weight, options.size_average, options.reduce, options.reduction);
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
