import * as tf from '@tensorflow/tfjs-core';
import { bind, KeyError, signature, ValueError } from '@tfjs-torch/core/base';
import * as internal from '@tfjs-torch/core/update';
import { DeclaredOptimizer } from './declared-optimizer';
import { stateTensor } from './executors/storage';
import type { Loading, ParamState } from './optimizer';
import type { Host } from './options';
import { str } from './python-repr';

const stepSignature = signature<{ closure: (() => unknown) | null }>('Optimizer.step', 'closure=None');

/** Each step updates every parameter once, from its own gradient and state; a subclass says how. */
export abstract class FirstOrderOptimizer<O extends object> extends DeclaredOptimizer<O> {
  /** Updates the parameters from their gradients. Nothing is recorded meanwhile. */
  protected abstract update(): void;

  override step(): null;
  override step<T>(closure: (() => T) | { closure: () => T }): T;
  override step<T>(closure: (() => T) | null | undefined): T | null;
  override step(...args: unknown[]): unknown {
    const { closure } = bind(stepSignature, args);
    if (closure === null) {
      this.#update();
      return null;
    }
    const loss = internal.enable_grad(closure);
    if (loss instanceof Promise) {
      return loss.then((value) => {
        this.#update();
        return value;
      });
    }
    this.#update();
    return loss;
  }

  #update() {
    internal.withGrad(false, () => this.update());
  }

  /** The parameters that have a gradient, with the options of their group; all are checked before the first is given. */
  protected withGradients(): { p: tf.Tensor; grad: tf.Tensor; h: Host<O> }[] {
    return this.param_groups.flatMap((group) => {
      const h = this.hostOptions(group);
      return group.params.flatMap((p) => {
        const grad = internal.peekGrad(p);
        if (grad === null) return [];
        this.byRows(grad, h);
        return [{ p, grad, h }];
      });
    });
  }

  /** The state tensors of a parameter, by name their shapes. */
  protected abstract slots(p: tf.Tensor, h: Host<O>): Record<string, number[]>;

  /** The names of the numbers that a state keeps: float32 scalars in a checkpoint, as in torch. */
  protected numbers(_h: Host<O>): readonly string[] {
    return (this.constructor as typeof FirstOrderOptimizer).declaration.counted ? ['step'] : [];
  }

  protected override exported(value: unknown, key: string): unknown {
    return typeof value === 'number' && this.numbers(this.hostOptions(this.defaults)).includes(key)
      ? tf.scalar(value)
      : super.exported(value, key);
  }

  protected override loaded(entry: ParamState, { p, group, id, keep }: Loading): ParamState {
    const h = this.hostOptions(group);
    const [slots, numbers] = [this.slots(p, h), this.numbers(h)];
    const missing = numbers.find((key) => !(key in entry));
    if (missing !== undefined && Object.keys(entry).length > 0) throw new KeyError(`'${missing}'`);
    const state: ParamState = {};
    for (const [key, value] of Object.entries(entry)) {
      const what = `loaded state dict: ${key} of parameter ${id}`;
      if (numbers.includes(key)) state[key] = key === 'step' ? stepNumber(value, what) : float32(value, what);
      else if (value instanceof tf.Tensor) {
        const shape = slots[key] ?? p.shape;
        if (!tf.util.arraysEqual(value.shape, shape)) {
          throw new ValueError(`${what} has shape [${value.shape}], the parameter has [${p.shape}]`);
        }
        state[key] = keep(stateTensor(tf.cast(value, 'float32')));
      } else if (value !== null && key in slots) {
        throw new TypeError(`${what} must be a tensor, but is ${str(value)}`);
      } else if (value !== null) state[key] = value; // an old torch's SGD saves a buffer that is not there yet as None
    }
    return state;
  }
}

const numberIn = (value: unknown) => (value instanceof tf.Tensor && value.size === 1 ? value.dataSync()[0]! : value);

function stepNumber(value: unknown, what: string): number {
  const step = numberIn(value);
  if (typeof step !== 'number' || !Number.isInteger(step) || step < 0) {
    throw new ValueError(`${what} must be a whole number, but is ${str(value)}`);
  }
  return step;
}

function float32(value: unknown, what: string): number {
  const x = numberIn(value);
  if (typeof x !== 'number') throw new ValueError(`${what} must be a number, but is ${str(value)}`);
  return Math.fround(x);
}
