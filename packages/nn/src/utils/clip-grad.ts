import * as tf from '@tensorflow/tfjs-core';
import {
  type Args,
  AttributeError,
  bind,
  internal,
  NotImplementedError,
  RuntimeError,
  type Signature,
  SparseTensor,
  signature,
  ValueError,
  warn,
} from '@tfjs-torch/core';
import { limited, readsAtOnce } from '../backend';
import { total } from '../functional/reduction';
import { scalarType, typename } from '../names';

/** One tensor, or any number of them: `model.parameters()`, an array, a set. */
export type TensorOrTensors = tf.Tensor | Iterable<tf.Tensor>;

type NormType = number | 'inf' | '-inf';

interface Foreach {
  /** Accepted and ignored. */
  foreach?: boolean | null;
}
export interface NormOptions extends Foreach {
  /** p of the p-norm, `'inf'` for the largest magnitude. Default 2. */
  norm_type?: NormType;
  /** Throw where the total norm is NaN or infinite. Default false. */
  error_if_nonfinite?: boolean;
}
export interface ClipGradNormOptions extends NormOptions {
  max_norm?: number;
}
type NormArgs = [norm_type: NormType, error_if_nonfinite: boolean, foreach: boolean | null];
type Norm = Required<NormOptions>;
const normList = 'norm_type=2.0, error_if_nonfinite=False, foreach=None';

/**
 * The norm of the tensors, as if all were one vector: a scalar. For p = 0, as in torch, the number of tensors that are not 0.
 * @throws RuntimeError with `error_if_nonfinite`; NotImplementedError for tensors that are not float32
 */
export function get_total_norm(tensors: TensorOrTensors, ...args: Args<NormArgs, NormOptions>): tf.Tensor {
  const { norm_type, error_if_nonfinite } = bind(totalNormSignature, [tensors, ...args]);
  return totalNorm(listOf(tensors), float(norm_type), error_if_nonfinite);
}
const totalNormSignature: Signature<Norm> = signature('get_total_norm', `tensors, ${normList}`);

function totalNorm(tensors: tf.Tensor[], p: number, strict: boolean): tf.Tensor {
  for (const t of tensors) {
    if (!(t instanceof tf.Tensor)) throw new AttributeError(`'${typename(t)}' object has no attribute 'device'`);
    if (t.dtype !== 'float32') {
      throw new NotImplementedError(
        `linalg.vector_norm: Expected a floating point or complex tensor as input. Got ${scalarType[t.dtype]}`,
      );
    }
    if (t.size === 0 && (p < 0 || p === Number.POSITIVE_INFINITY)) {
      throw new RuntimeError(
        p < 0
          ? `linalg.vector_norm cannot compute the ${p} norm on an empty tensor because the operation does not have an identity`
          : '_foreach_norm cannot compute the infinity norm on an empty tensor because the operation does not have an identity',
      );
    }
  }
  const norm = internal.withGrad(false, () =>
    tf.tidy(() => {
      if (tensors.length === 0) return tf.scalar(0);
      const flat = tensors.map((t) => tf.reshape(entries(t), [-1]));
      // Only this one is not the norm of all elements.
      if (p === 0) return vectorNorm(tf.stack(flat.map((t) => vectorNorm(t, 0))), 0);
      return vectorNorm(flat.length === 1 ? flat[0]! : tf.concat(flat), p);
    }),
  );
  if (strict && !Number.isFinite(norm.dataSync()[0])) {
    throw new RuntimeError(
      `The total norm of order ${pythonFloat(p)} for gradients from \`parameters\` is non-finite, so it cannot be clipped. To disable this error and scale the gradients by the non-finite norm anyway, set \`error_if_nonfinite=False\``,
    );
  }
  return norm;
}

/** What a tensor holds, each place once. */
const entries = (t: tf.Tensor) => (t instanceof SparseTensor ? t.coalesce()._values() : t);

function vectorNorm(x: tf.Tensor, p: number): tf.Tensor {
  switch (p) {
    case 0:
      return total(tf.cast(tf.notEqual(x, 0), 'float32'));
    case 1:
      return total(tf.abs(x));
    case 2:
      return tf.sqrt(total(tf.square(x)));
    case Number.POSITIVE_INFINITY:
      return tf.max(tf.abs(x));
    case Number.NEGATIVE_INFINITY:
      return tf.min(tf.abs(x));
    default:
      return tf.pow(total(tf.pow(tf.abs(x), p)), 1 / p);
  }
}

/**
 * Multiplies the gradients of `parameters`, in place, by max_norm / total_norm where that is below 1.
 * @param total_norm a scalar, as `get_total_norm` gives it
 */
export function clip_grads_with_norm_(
  parameters: TensorOrTensors,
  max_norm: number,
  total_norm: tf.Tensor,
  ...args: Args<[foreach: boolean | null], Foreach>
): void {
  bind(withNormSignature, [parameters, max_norm, total_norm, ...args]);
  scale(gradientsOf(listOf(parameters)), float(max_norm), total_norm);
}
const withNormSignature: Signature<Required<Foreach>> = signature(
  'clip_grads_with_norm_',
  'parameters, max_norm, total_norm, foreach=None',
);

function scale(gradients: tf.Tensor[], max: number, norm: tf.Tensor): void {
  if (gradients.length === 0) return;
  internal.withGrad(false, () => {
    const factor = tf.tidy(() => tf.minimum(tf.div(max, tf.add(norm, 1e-6)), 1));
    // Times 1 changes nothing: mostly there is nothing to clip.
    if (!readsAtOnce() || factor.dataSync()[0] !== 1) {
      for (const gradient of gradients) {
        if (gradient instanceof SparseTensor) gradient.mul_(factor);
        else internal.update(gradient, tf.mul(gradient, factor));
      }
    }
    factor.dispose();
  });
}

/**
 * Makes the norm of all gradients together at most `max_norm`, in place. Returns the norm that they had.
 * @throws RuntimeError where that is NaN or infinite, with `error_if_nonfinite`; nothing is changed then
 */
export function clip_grad_norm_(
  parameters: TensorOrTensors,
  ...args: Args<[max_norm: number, ...NormArgs], ClipGradNormOptions>
): tf.Tensor {
  const { max_norm, norm_type, error_if_nonfinite } = bind(clipNormSignature, [parameters, ...args]);
  const tensors = listOf(parameters);
  if (tensors.length === 0 && Object.prototype.toString.call(parameters) === '[object Generator]') {
    warn('`parameters` is an empty generator, no gradient clipping will occur.');
  }
  const gradients = gradientsOf(tensors);
  const max = float(max_norm);
  const norm = totalNorm(gradients, float(norm_type), error_if_nonfinite);
  scale(gradients, max, norm);
  return norm;
}
const clipNormSignature: Signature<Required<ClipGradNormOptions>> = signature(
  'clip_grad_norm_',
  `parameters, max_norm, ${normList}`,
);

/** @deprecated Use {@link clip_grad_norm_}. */
export function clip_grad_norm(
  parameters: TensorOrTensors,
  ...args: Args<[max_norm: number, ...NormArgs], ClipGradNormOptions>
): tf.Tensor {
  warn(
    '`torch.nn.utils.clip_grad_norm` is now deprecated in favor of `torch.nn.utils.clip_grad_norm_`.',
    'FutureWarning',
  );
  return clip_grad_norm_(parameters, ...args);
}

/**
 * Limits each gradient to [-clip_value, clip_value], in place.
 * @throws NotImplementedError for sparse gradients, as torch; nothing is changed then
 */
export function clip_grad_value_(
  parameters: TensorOrTensors,
  ...args: Args<[clip_value: number, foreach: boolean | null], Foreach & { clip_value?: number }>
): void {
  const { clip_value } = bind(clipValueSignature, [parameters, ...args]);
  const limit = float(clip_value);
  const gradients = gradientsOf(listOf(parameters));
  if (gradients.some((g) => g.is_sparse)) {
    throw new NotImplementedError("Could not run 'aten::clamp_min_' with arguments from the 'SparseCPU' backend.");
  }
  internal.withGrad(false, () => {
    for (const gradient of gradients) {
      internal.update(
        gradient,
        tf.tidy(() => limited(gradient, -limit, limit)),
      );
    }
  });
}
const clipValueSignature: Signature<Required<Foreach> & { clip_value: number }> = signature(
  'clip_grad_value_',
  'parameters, clip_value, foreach=None',
);

function listOf(tensors: TensorOrTensors): tf.Tensor[] {
  if (tensors instanceof tf.Tensor) return [tensors];
  const iterable: unknown = tensors;
  if (typeof (iterable as Iterable<tf.Tensor> | null)?.[Symbol.iterator] !== 'function') {
    throw new TypeError(`'${typename(iterable)}' object is not iterable`);
  }
  return [...tensors];
}

function gradientsOf(parameters: tf.Tensor[]): tf.Tensor[] {
  return parameters.flatMap((p) => {
    if (!(p instanceof tf.Tensor)) throw new AttributeError(`'${typename(p)}' object has no attribute 'grad'`);
    return internal.peekGrad(p) ?? [];
  });
}

/** Python's `float(x)`. */
function float(x: unknown): number {
  if (typeof x === 'number') return x;
  if (typeof x !== 'string') {
    throw new TypeError(`float() argument must be a string or a real number, not '${typename(x)}'`);
  }
  const value = Number(x.replace(/^([+-]?)inf$/i, '$1Infinity'));
  if (x.trim() === '' || Number.isNaN(value)) throw new ValueError(`could not convert string to float: '${x}'`);
  return value;
}

const pythonFloat = (x: number) => (Number.isInteger(x) ? x.toFixed(1) : `${x}`.replace('Infinity', 'inf'));
