import * as tf from '@tensorflow/tfjs-core';
import { RuntimeError } from '../python/errors';
import { isLeaf } from '../tape/autograd';
import { fields } from '../tensor/fields';
import { requiresGrad } from '../tensor/grad';
import { is_grad_enabled } from '../tensor/grad-mode';
import { lerp } from '../tensor/lerp';
import { write } from '../tensor/write';
import type { Generator } from './generator';
import { fillNormal, fillUniform } from './random';
import { broadcasting, type Operand } from './shape-errors';
import { torchMethods } from './signatures';

const names: Record<string, string> = { float32: 'Float', int32: 'Int', bool: 'Bool' };

/** `t` takes the values that `compute` gives; torch's checks for operations in place. Returns `t`. */
function inPlace(t: tf.Tensor, compute: () => tf.Tensor): tf.Tensor {
  if (is_grad_enabled()) {
    if (requiresGrad(t) && isLeaf(t))
      throw new RuntimeError('a leaf Variable that requires grad is being used in an in-place operation.');
    const base = fields(t)._base;
    // A detached view has no history of its own and may be written through; others would lose the base's gradient.
    if (base && requiresGrad(t) && requiresGrad(base) && isLeaf(base))
      throw new RuntimeError('a view of a leaf Variable that requires grad is being used in an in-place operation.');
  }
  const value = tf.tidy(() => {
    const result = compute();
    if (!tf.util.arraysEqual(result.shape, t.shape))
      throw new RuntimeError(
        `output with shape [${t.shape.join(', ')}] doesn't match the broadcast shape [${result.shape.join(', ')}]`,
      );
    if (result.dtype !== t.dtype && t.dtype !== 'float32')
      throw new RuntimeError(
        `result type ${names[result.dtype]} can't be cast to the desired output type ${names[t.dtype]}`,
      );
    // A handle of its own: the result may be an operand, or share its storage with one.
    return tf.cast(result === t ? tf.clone(result) : result, t.dtype as 'float32');
  });
  write(t, value);
  return t;
}

/** factor · x */
export const scaled = (x: Operand, factor: number): Operand => (factor === 1 ? x : tf.mul(x, factor));

/** `this` takes op(this, x). */
const binary = (t: tf.Tensor, x: Operand, op: (a: tf.Tensor, b: Operand) => tf.Tensor) =>
  inPlace(t, () => broadcasting(t, x, () => op(t, x)));

/** By name, with the arguments in the order of torch's signature. */
export const inPlaceMethods = torchMethods({
  add_(x: Operand, alpha: number) {
    return binary(this, x, () => tf.add(this, scaled(x, alpha)));
  },
  sub_(x: Operand, alpha: number) {
    return binary(this, x, () => tf.sub(this, scaled(x, alpha)));
  },
  mul_(x: Operand) {
    return binary(this, x, tf.mul);
  },
  div_(x: Operand, rounding_mode: string | null) {
    return binary(this, x, () => divide(this, x, rounding_mode));
  },
  pow_(x: Operand) {
    return binary(this, x, tf.pow);
  },
  /** this + value · t1 · t2 */
  addcmul_(t1: tf.Tensor, t2: tf.Tensor, value: number) {
    return inPlace(this, () => tf.add(this, tf.mul(scaled(t1, value), t2)));
  },
  /** this + value · t1 / t2 */
  addcdiv_(t1: tf.Tensor, t2: tf.Tensor, value: number) {
    return inPlace(this, () => tf.add(this, tf.div(scaled(t1, value), t2)));
  },
  lerp_(end: tf.Tensor, weight: Operand) {
    return inPlace(this, () => lerp(this, end, weight));
  },
  neg_() {
    return inPlace(this, () => tf.neg(this));
  },
  abs_() {
    return inPlace(this, () => tf.abs(this));
  },
  sqrt_() {
    return inPlace(this, () => tf.sqrt(this));
  },
  exp_() {
    return inPlace(this, () => tf.exp(this));
  },
  clamp_(min: number | null, max: number | null) {
    return inPlace(this, () => clamp(this, min, max));
  },
  copy_(source: tf.Tensor) {
    return inPlace(this, () => tf.broadcastTo(tf.cast(source, this.dtype as 'float32'), this.shape));
  },
  fill_(value: number) {
    return inPlace(this, () => tf.fill(this.shape, value, this.dtype as 'float32'));
  },
  zero_() {
    return inPlace(this, () => tf.zeros(this.shape, this.dtype as 'float32'));
  },
  /** Independent samples of the normal distribution, torch's for the generator's state. */
  normal_(mean: number, std: number, generator: Generator | null) {
    return inPlace(this, () => filled(this, (out) => fillNormal(out, mean, std, generator ?? undefined)));
  },
  /** Independent samples, uniform in [from, to). */
  uniform_(from: number, to: number, generator: Generator | null) {
    return inPlace(this, () => filled(this, (out) => fillUniform(out, from, to, generator ?? undefined)));
  },
});

/** a / b; with a rounding mode, rounded down ('floor') or towards zero ('trunc'). */
export function divide(a: tf.Tensor, b: Operand, rounding_mode: string | null): tf.Tensor {
  if (rounding_mode === null) return tf.div(a, b);
  if (rounding_mode !== 'floor' && rounding_mode !== 'trunc')
    throw new RuntimeError(
      `div expected rounding_mode to be one of None, 'trunc', or 'floor' but found '${rounding_mode}'`,
    );
  return tf.tidy(() => {
    const quotient = tf.div(tf.cast(a, 'float32'), typeof b === 'number' ? b : tf.cast(b, 'float32'));
    if (rounding_mode === 'trunc') return tf.cast(tf.mul(tf.sign(quotient), tf.floor(tf.abs(quotient))), a.dtype);
    // Not the floor of the quotient, which may have been rounded up to an integer: 1 // 0.1 is 9, as in Python.
    const whole = tf.round(tf.div(tf.sub(a, tf.mod(a, b)), b));
    return tf.cast(tf.where(tf.isFinite(quotient), whole, quotient), a.dtype);
  });
}

/** The nearest value within [min, max]; either may be null. NaN stays NaN. */
export function clamp(t: tf.Tensor, min: number | null, max: number | null): tf.Tensor {
  if (min === null && max === null)
    throw new RuntimeError("torch.clamp: At least one of 'min' or 'max' must not be None");
  const low = min === null ? t : tf.where(tf.less(t, min), tf.fill(t.shape, min), t);
  return max === null ? low : tf.where(tf.greater(low, max), tf.fill(t.shape, max), low);
}

function filled(t: tf.Tensor, fill: (out: Float32Array) => void): tf.Tensor {
  const out = new Float32Array(t.size);
  fill(out);
  return tf.tensor(out, t.shape);
}
