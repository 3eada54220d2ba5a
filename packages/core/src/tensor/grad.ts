/** `.grad` of any tensor, whoever computed it: the tape, tfjs's own gradients or the user. */
import * as tf from '@tensorflow/tfjs-core';
import { RuntimeError } from '../python/errors';
import { defineData, type WithData } from './data';
import { engine } from './engine';
import { fields, stored } from './fields';

declare module '@tensorflow/tfjs-core/dist/tensor.js' {
  interface Tensor<R extends tf.Rank = tf.Rank> {
    /** The gradient that was accumulated by `backward()` or assigned; null until there is one. Same shape as the tensor. */
    get grad(): WithData | null;
    set grad(value: tf.Tensor | null);
  }
}

export const requiresGrad = (t: tf.Tensor): boolean => fields(t)._node !== undefined;

/** The gradient without handing it to the user: what optimizers and clip_grad read. */
export const peekGrad = (t: tf.Tensor): tf.Tensor | null => fields(t)._grad ?? null;

/** `.grad`: from here on the tensor may be in the user's hands. */
function readGrad(t: tf.Tensor): WithData | null {
  const grad = peekGrad(t);
  if (!grad) return null;
  fields(grad)._seen = true;
  defineData(grad);
  return grad as WithData;
}

/** Sets the gradient to null, and frees it if nobody else can hold it. */
export function clearGrad(t: tf.Tensor): void {
  const grad = peekGrad(t);
  setGrad(t, null);
  if (grad) freeGrad(grad);
}

/** Frees a gradient that is nobody's `.grad` any more, if nobody else can hold it. */
export function freeGrad(grad: tf.Tensor): void {
  if (fields(grad)._seen) release(grad);
  else grad.dispose();
}

/** A gradient that the user has read is theirs now: it goes the way of any tensor of the loop. */
function release(grad: tf.Tensor): void {
  grad.kept = false;
  const { scopeStack } = engine.state;
  scopeStack[0]?.track.push(stored(grad));
}

export function setGrad(t: tf.Tensor, grad: tf.Tensor | null): void {
  const f = fields(t);
  f._grad = grad;
  if (f._held) f._held.grad = grad;
}

/** `t.grad = g`. The tensor is used as it is, not copied, as in torch. */
function assignGrad(t: tf.Tensor, grad: tf.Tensor | null): void {
  if (grad === peekGrad(t)) return;
  if (grad !== null) {
    if (!(grad instanceof tf.Tensor))
      throw new TypeError(`assigned grad expected to be a Tensor or None but got ${typeof grad}`);
    if (grad.dtype !== t.dtype)
      throw new RuntimeError(`assigned grad has data of a different type: expected ${t.dtype}, got ${grad.dtype}`);
    if (!tf.util.arraysEqual(grad.shape, t.shape))
      throw new RuntimeError(
        `attempting to assign a gradient of size '[${grad.shape.join(', ')}]' to a tensor of size '[${t.shape.join(', ')}]'. Please ensure that the gradient and the tensor are the same size`,
      );
    fields(grad)._seen = true;
    grad.kept = true;
  }
  const old = peekGrad(t);
  setGrad(t, grad);
  if (old) freeGrad(old);
}

const define = (name: string, attributes: PropertyDescriptor & ThisType<tf.Tensor>) =>
  Object.defineProperty(tf.Tensor.prototype, name, { ...attributes, configurable: true });

define('grad', {
  get() {
    return readGrad(this);
  },
  set(grad: tf.Tensor | null) {
    assignGrad(this, grad);
  },
});

// Without the tape, nothing requires a gradient. Where it is loaded (autograd.ts, tensor-methods.ts), it replaces these.
function refuse(): never {
  throw new RuntimeError(
    "requires_grad and backward() need torch's tensors: import '@tfjs-torch/core', '@tfjs-torch/nn' or 'tfjs-torch'. " +
      'Without them, optimizer.minimize(f) computes gradients in the way of tfjs.',
  );
}
define('requires_grad', {
  get() {
    return requiresGrad(this);
  },
  set(required: boolean) {
    if (required) refuse();
  },
});
define('backward', { value: refuse, writable: true });
