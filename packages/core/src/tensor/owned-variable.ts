import * as tf from '@tensorflow/tfjs-core';
import { engine } from './engine';
import { fields } from './fields';
import { hold, unhold } from './finalizer';

/**
 * A tf.Variable that is not in the engine's global list, which would hold it for ever and train it in every
 * `minimize` without a list. It is freed when it is disposed of, or when nobody holds it any more.
 */
export class OwnedVariable extends tf.Variable {
  /** tfjs tests by shape ("has an assign"); ours is the class. */
  static override [Symbol.hasInstance](x: unknown): boolean {
    // biome-ignore lint/complexity/noThisInStatic: a subclass inherits this and means itself
    return Function.prototype[Symbol.hasInstance].call(this, x);
  }

  /** @param initial shares its storage until one of the two is written to; the caller keeps its own handle. */
  constructor(initial: tf.Tensor, trainable: boolean) {
    const id = engine.nextTensorId();
    super(initial, trainable, `tfjs-torch/${id}`, id);
    engine.incRef(this, null);
    hold(this);
  }

  override assign(value: tf.Tensor): void {
    super.assign(value);
    const held = fields(this)._held;
    if (held) held.dataId = this.dataId;
  }

  /** Gives back the values and the gradient. */
  override dispose(): void {
    if (this.isDisposed) return;
    unhold(this);
    fields(this)._grad?.dispose();
    fields(this)._grad = null;
    super.dispose();
  }
}
