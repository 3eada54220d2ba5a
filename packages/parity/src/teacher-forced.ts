import * as tf from '@tensorflow/tfjs-core';
import type { Optimizer } from '@tfjs-torch/optim';
import { deviceValue, type Model, Subject } from './host';
import { evaluate, headOf, type Loss, type RecordOptions } from './record';
import type { Trace } from './trace';

/**
 * Takes one step of ours from each of the golden's states: its parameters, its state, its options, its batch. Rounding does not
 * grow from step to step, so the distances say what one step of ours is worth.
 *
 * Model and optimizer are left in the last of the golden's states, a step further.
 *
 * @param optimizer null if only losses and gradients are wanted
 * @param loss is given the golden's batch, as tensors
 * @throws ValueError, or what `load_state_dict` throws, where the golden does not fit model or optimizer
 */
export function teacherForced<B extends readonly unknown[]>(
  golden: Trace,
  model: Model,
  optimizer: Optimizer<object> | null,
  loss: Loss<B>,
  { after_backward }: Pick<RecordOptions, 'after_backward'> = {},
): Trace {
  const subject = new Subject(model, optimizer);
  const steps = golden.steps.map(({ step, inputs, param_groups, before }) => {
    subject.load(before, param_groups);
    const batch = inputs.map(deviceValue) as unknown as B;
    const begun = { step, inputs, param_groups: subject.groups(), before: subject.snapshot() };
    const evaluated = evaluate(subject, loss, batch, after_backward);
    subject.clearGrads();
    tf.dispose([...batch] as tf.TensorContainer);
    return { ...begun, ...evaluated, after: optimizer && subject.snapshot() };
  });
  return { head: headOf(subject), steps };
}
