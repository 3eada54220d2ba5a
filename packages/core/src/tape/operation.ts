import type * as tf from '@tensorflow/tfjs-core';
import { engine, type GradientFunction, type Inputs } from '../tensor/engine';
import { fields } from '../tensor/fields';
import { record, save } from './graph';
import { revive, touch } from './memory';
import { isRecording } from './recording';

type Save = (tensors: tf.Tensor[]) => void;
type Forward = (save: Save) => tf.Tensor;

/**
 * Runs `forward` as one operation, called `name` in the graph: nothing in it is recorded, what it makes and does not
 * return is freed. It saves what `gradient` needs; null where there is no gradient.
 */
export function operation(
  name: string,
  inputs: Inputs,
  forward: Forward,
  gradient: GradientFunction | null,
): tf.Tensor {
  const { state } = engine;
  if (state.gradientDepth > 0) return onTape(name, inputs, forward, gradient);
  let needed = false;
  for (const key in inputs) {
    const t = inputs[key]!;
    touch(t);
    if (fields(t)._node) needed = true;
  }
  const recorded = needed && isRecording();
  let saved: tf.Tensor[] = [];
  const keep: Save = (tensors) => {
    if (!recorded) return;
    for (const t of tensors) revive(t);
    saved = save(tensors);
  };
  let result: tf.Tensor | undefined;
  engine.startScope(scopeName(name));
  state.kernelDepth++;
  try {
    result = forward(keep);
  } finally {
    state.kernelDepth--;
    engine.endScope(result);
  }
  touch(result);
  if (recorded) record(name, inputs, [result], gradient, saved, {});
  return result;
}

// The end of a scope with such a name leaves the graph alone.
const scopeName = (name: string) => `${name}__op`;

function onTape(name: string, inputs: Inputs, forward: Forward, gradient: GradientFunction | null): tf.Tensor {
  // The engine names a recorded function after the scope that it runs in.
  engine.startScope(scopeName(name));
  let result: tf.Tensor | undefined;
  try {
    const forwardFunc = (_backend: unknown, keep: Save) => forward(keep);
    result = engine.runKernelFunc({ inputs, forwardFunc, backwardsFunc: gradient }) as tf.Tensor;
    return result;
  } finally {
    engine.endScope(result);
  }
}
