import * as tf from '@tensorflow/tfjs-core';
import { initial_seed, ValueError } from '@tfjs-torch/core';
import type { Optimizer } from '@tfjs-torch/optim';
import { hostValue, type Model, Subject } from './host';
import type { DType, Head, Step, Trace } from './trace';

/** The loss of a batch, a scalar that depends on the model's parameters. */
export type Loss<B extends readonly unknown[]> = (...batch: B) => tf.Tensor;

/** What {@link record} keeps, and what happens between gradients and update. */
export interface RecordOptions {
  /** Which steps are recorded, counted from 0; all are taken. @defaultValue all */
  keep?: (step: number) => boolean;
  /** Called between `backward()` and the update: what clips gradients, say. The gradients are recorded after it. */
  after_backward?: () => void;
}

const seed = () => {
  const given = initial_seed();
  return typeof given === 'number' ? given : String(given);
};

export function headOf({ params, optimizer }: Subject): Head {
  const [first] = params.values();
  return {
    format: 1,
    torch: null,
    tfjs: `${tf.version_core} ${tf.getBackend()}`,
    cpu: null,
    machine: null,
    threads: null,
    seed: seed(),
    dtype: (first?.dtype ?? 'float32') as DType,
    optimizer: {
      name: optimizer?.constructor.name ?? '',
      defaults: hostValue(optimizer?.defaults ?? {}, 'defaults') as Head['optimizer']['defaults'],
    },
  };
}

/** Takes a step, or only computes the gradients without an optimizer. Loss and gradients are the first evaluation's. */
export function evaluate<B extends readonly unknown[]>(
  subject: Subject,
  loss: Loss<B>,
  batch: B,
  after_backward?: () => void,
): Pick<Step, 'loss' | 'grads'> {
  let first: Pick<Step, 'loss' | 'grads'> | null = null;
  const closure = () => {
    subject.clearGrads();
    const value = loss(...batch);
    if (!(value instanceof tf.Tensor)) {
      throw new TypeError(
        `the loss must be a tensor, and not async, but it is ${Object.prototype.toString.call(value)}`,
      );
    }
    value.backward();
    after_backward?.();
    first ??= { loss: value.item(), grads: subject.grads() };
    return value;
  };
  if (subject.optimizer) subject.optimizer.step(closure);
  else tf.tidy(() => void closure());
  if (!first) throw new ValueError(`${subject.optimizer?.constructor.name}.step() did not call its closure`);
  return first;
}

/**
 * Trains, and records it: the twin of `record` in record.py.
 *
 * A step is `optimizer.step(closure)`, where the closure clears the gradients, computes the loss and goes backward. Between
 * two steps `batches` goes on: a generator may step a scheduler after its `yield`.
 *
 * @param model a module, or its named tensors; the optimizer's parameters must be among them
 * @param loss of a batch: `(x, y) => criterion(model(x), y)`; not async
 * @throws ValueError for what a trace cannot hold
 */
export function record<B extends readonly unknown[]>(
  model: Model,
  optimizer: Optimizer<object>,
  loss: Loss<B>,
  batches: Iterable<B>,
  { keep = () => true, after_backward }: RecordOptions = {},
): Trace {
  const subject = new Subject(model, optimizer);
  const head = headOf(subject);
  const steps: Step[] = [];
  let step = 0;
  for (const batch of batches) {
    if (keep(step)) {
      const inputs = batch.map((x, i) => hostValue(x, `input ${i}`));
      const param_groups = subject.groups();
      const before = subject.snapshot();
      const { loss: value, grads } = evaluate(subject, loss, batch, after_backward);
      steps.push({ step, inputs, param_groups, before, loss: value, grads, after: subject.snapshot() });
    } else evaluate(subject, loss, batch, after_backward);
    step++;
  }
  return { head, steps };
}
