import type * as tf from '@tensorflow/tfjs-core';
import { type Args, AssertionError, bind, type Signature, signature, ValueError, warn } from '@tfjs-torch/core';
import {
  celu,
  elu,
  gelu,
  hardsigmoid,
  hardswish,
  hardtanh,
  leaky_relu,
  log_softmax,
  logsigmoid,
  mish,
  relu,
  selu,
  sigmoid,
  silu,
  softmax,
  softplus,
  softsign,
  tanh,
} from '../functional';
import { Module } from '../module';
import { float, typename } from '../names';

type InPlaceArgs = Args<[inplace: boolean], { inplace?: boolean }>;

/** Activations whose one option is `inplace`: the result is a new tensor all the same, and the input keeps its values. */
abstract class InPlace extends Module {
  readonly inplace: boolean;

  constructor(...args: InPlaceArgs) {
    super();
    this.inplace = bind(inPlaceSignature(this._get_name()), args).inplace;
  }

  override extra_repr(): string {
    return this.inplace ? 'inplace=True' : '';
  }
}
const inPlaceSignature = (name: string): Signature<{ inplace: boolean }> =>
  signature(`${name}.__init__`, 'inplace=False');

/** max(x, 0) */
export class ReLU extends InPlace {
  forward(input: tf.Tensor): tf.Tensor {
    return relu(input, this.inplace);
  }
}

/** x · sigmoid(x) */
export class SiLU extends InPlace {
  forward(input: tf.Tensor): tf.Tensor {
    return silu(input, this.inplace);
  }
}

/** x · tanh(softplus(x)) */
export class Mish extends InPlace {
  forward(input: tf.Tensor): tf.Tensor {
    return mish(input, this.inplace);
  }
}

/** ELU with the scale and alpha at which activations keep a mean of 0 and a variance of 1. */
export class SELU extends InPlace {
  forward(input: tf.Tensor): tf.Tensor {
    return selu(input, this.inplace);
  }
}

/** (x + 3) / 6, at least 0 and at most 1. */
export class Hardsigmoid extends InPlace {
  forward(input: tf.Tensor): tf.Tensor {
    return hardsigmoid(input, this.inplace);
  }
  override extra_repr(): string {
    return '';
  }
}

/** x · hardsigmoid(x) */
export class Hardswish extends InPlace {
  forward(input: tf.Tensor): tf.Tensor {
    return hardswish(input, this.inplace);
  }
  override extra_repr(): string {
    return '';
  }
}

/** 1 / (1 + exp(-x)) */
export class Sigmoid extends Module {
  forward(input: tf.Tensor): tf.Tensor {
    return sigmoid(input);
  }
}

/** (exp(x) - exp(-x)) / (exp(x) + exp(-x)) */
export class Tanh extends Module {
  forward(input: tf.Tensor): tf.Tensor {
    return tanh(input);
  }
}

/** x / (1 + |x|) */
export class Softsign extends Module {
  forward(input: tf.Tensor): tf.Tensor {
    return softsign(input);
  }
}

/** log(sigmoid(x)) */
export class LogSigmoid extends Module {
  forward(input: tf.Tensor): tf.Tensor {
    return logsigmoid(input);
  }
}

const inPlaceText = (inplace: boolean) => (inplace ? ', inplace=True' : '');

/** x where it is above 0, else `negative_slope` · x. */
export class LeakyReLU extends Module {
  readonly negative_slope: number;
  readonly inplace: boolean;

  constructor(
    ...args: Args<[negative_slope: number, inplace: boolean], { negative_slope?: number; inplace?: boolean }>
  ) {
    super();
    const { negative_slope, inplace } = bind(leakyReluSignature, args);
    this.negative_slope = negative_slope;
    this.inplace = inplace;
  }

  forward(input: tf.Tensor): tf.Tensor {
    return leaky_relu(input, this.negative_slope, this.inplace);
  }

  override extra_repr(): string {
    return `negative_slope=${float(this.negative_slope)}${inPlaceText(this.inplace)}`;
  }
}
const leakyReluSignature: Signature<{ negative_slope: number; inplace: boolean }> = signature(
  'LeakyReLU.__init__',
  'negative_slope=0.01, inplace=False',
);

abstract class WithAlpha extends Module {
  readonly alpha: number;
  readonly inplace: boolean;

  constructor(...args: Args<[alpha: number, inplace: boolean], { alpha?: number; inplace?: boolean }>) {
    super();
    const { alpha, inplace } = bind(alphaSignature(this._get_name()), args);
    this.alpha = alpha;
    this.inplace = inplace;
  }

  override extra_repr(): string {
    return `alpha=${float(this.alpha)}${inPlaceText(this.inplace)}`;
  }
}
const alphaSignature = (name: string): Signature<{ alpha: number; inplace: boolean }> =>
  signature(`${name}.__init__`, 'alpha=1.0, inplace=False');

/** x where it is above 0, else `alpha` · (exp(x) - 1). */
export class ELU extends WithAlpha {
  forward(input: tf.Tensor): tf.Tensor {
    return elu(input, this.alpha, this.inplace);
  }
}

/** x where it is above 0, else `alpha` · (exp(x / alpha) - 1). */
export class CELU extends WithAlpha {
  forward(input: tf.Tensor): tf.Tensor {
    return celu(input, this.alpha, this.inplace);
  }
}

/** x · Φ(x), of the normal distribution; with 'tanh' by a formula that is close to it. */
export class GELU extends Module {
  readonly approximate: 'none' | 'tanh';

  constructor(...args: Args<[approximate: 'none' | 'tanh'], { approximate?: 'none' | 'tanh' }>) {
    super();
    this.approximate = bind(geluSignature, args).approximate;
  }

  forward(input: tf.Tensor): tf.Tensor {
    return gelu(input, { approximate: this.approximate });
  }

  override extra_repr(): string {
    return `approximate='${this.approximate}'`;
  }
}
const geluSignature: Signature<{ approximate: 'none' | 'tanh' }> = signature('GELU.__init__', "approximate='none'");

/** log(1 + exp(beta · x)) / beta; x itself where beta · x is above `threshold`. */
export class Softplus extends Module {
  readonly beta: number;
  readonly threshold: number;

  constructor(...args: Args<[beta: number, threshold: number], { beta?: number; threshold?: number }>) {
    super();
    const { beta, threshold } = bind(softplusSignature, args);
    this.beta = beta;
    this.threshold = threshold;
  }

  forward(input: tf.Tensor): tf.Tensor {
    return softplus(input, this.beta, this.threshold);
  }

  override extra_repr(): string {
    return `beta=${float(this.beta)}, threshold=${float(this.threshold)}`;
  }
}
const softplusSignature: Signature<{ beta: number; threshold: number }> = signature(
  'Softplus.__init__',
  'beta=1.0, threshold=20.0',
);

interface HardtanhOptions {
  /** Default -1. */
  min_val?: number;
  /** Default 1. */
  max_val?: number;
  inplace?: boolean;
  /** Deprecated: use `min_val`. */
  min_value?: number | null;
  /** Deprecated: use `max_val`. */
  max_value?: number | null;
}

/** x, at least `min_val` and at most `max_val`. */
export class Hardtanh extends Module {
  readonly min_val: number;
  readonly max_val: number;
  readonly inplace: boolean;

  constructor(...args: Args<[min_val: number, max_val: number, inplace: boolean], HardtanhOptions>) {
    super();
    const o = bind(hardtanhSignature, args);
    const renamed = (old: 'min_value' | 'max_value', name: 'min_val' | 'max_val') => {
      if (o[old] === null) return o[name];
      warn(`keyword argument \`${old}\` is deprecated and renamed to \`${name}\``, 'FutureWarning');
      return o[old];
    };
    this.min_val = renamed('min_value', 'min_val');
    this.max_val = renamed('max_value', 'max_val');
    this.inplace = o.inplace;
    if (this.max_val <= this.min_val) {
      throw new AssertionError(`max_val (${this.max_val}) must be greater than min_val (${this.min_val})`);
    }
  }

  forward(input: tf.Tensor): tf.Tensor {
    return hardtanh(input, this.min_val, this.max_val, this.inplace);
  }

  override extra_repr(): string {
    return `min_val=${float(this.min_val)}, max_val=${float(this.max_val)}${inPlaceText(this.inplace)}`;
  }
}
const hardtanhSignature: Signature<Required<HardtanhOptions>> = signature(
  'Hardtanh.__init__',
  'min_val=-1.0, max_val=1.0, inplace=False, min_value=None, max_value=None',
);

/** x, at least 0 and at most 6. */
export class ReLU6 extends Hardtanh {
  constructor(...args: InPlaceArgs) {
    super(0, 6, bind(inPlaceSignature('ReLU6'), args).inplace);
  }
  override extra_repr(): string {
    return this.inplace ? 'inplace=True' : '';
  }
}

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

/** Softmax over the channels of [N, C, H, W] or [C, H, W]. */
export class Softmax2d extends Module {
  /** @throws ValueError for an input of another rank */
  forward(input: tf.Tensor): tf.Tensor {
    if (input.rank !== 3 && input.rank !== 4) {
      throw new ValueError(`Softmax2d: expected input to be 3D or 4D, got ${input.rank}D instead`);
    }
    return softmax(input, -3);
  }
}
