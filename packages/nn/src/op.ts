import * as tf from '@tensorflow/tfjs-core';
import { is_grad_enabled } from '@tfjs-torch/core';

type Save = (tensors: tf.Tensor[]) => void;
type Gradients = Record<string, () => tf.Tensor>;

/** What of tfjs's engine is not in its public types. */
const engine = tf.engine() as unknown as {
  runKernelFunc(call: {
    inputs: Record<string, tf.Tensor>;
    forwardFunc: (backend: unknown, save: Save) => tf.Tensor;
    backwardsFunc: ((dy: tf.Tensor, saved: tf.Tensor[]) => Gradients) | null;
  }): tf.Tensor;
  runKernel<T extends tf.Tensor>(name: string, inputs: Record<string, tf.Tensor>, attrs: object): T;
  startScope(name: string): void;
  endScope(result?: tf.Tensor): void;
};

/** Runs a kernel that tfjs exports no op for. */
export const kernel = <T extends tf.Tensor = tf.Tensor4D>(
  name: string,
  inputs: Record<string, tf.Tensor>,
  attrs: object = {},
): T => engine.runKernel<T>(name, inputs, attrs);

/**
 * One recorded operation, as `tf.customGrad`, but each input's gradient is computed only if it is asked for.
 * `name` is that of torch's autograd node. What `forward` runs is not recorded; it saves what `gradients` needs.
 * An operation whose gradients are written in recorded tfjs ops of `dy` and of saved inputs may say that it can be
 * differentiated `twice`; the others fail in the second backward of `create_graph`.
 */
export function op(
  name: string,
  inputs: Record<string, tf.Tensor | null>,
  forward: (save: Save) => tf.Tensor,
  gradients: (dy: tf.Tensor, saved: tf.Tensor[]) => Gradients,
  twice = false,
): tf.Tensor {
  const given: Record<string, tf.Tensor> = {};
  for (const key in inputs) if (inputs[key]) given[key] = inputs[key];
  const backward = (dy: tf.Tensor, saved: tf.Tensor[]): Gradients => {
    const of = gradients(dy, saved);
    if (twice || !is_grad_enabled()) return of;
    // Recorded without a gradient: torch's graph then names the node that has none.
    return Object.fromEntries(
      Object.entries(of).map(([key, compute]) => [
        key,
        () => scoped(`${name}Backward`, { ...given, dy }, compute, null),
      ]),
    );
  };
  return scoped(name, given, forward, backward);
}

function scoped(
  name: string,
  inputs: Record<string, tf.Tensor>,
  forward: (save: Save) => tf.Tensor,
  backwardsFunc: ((dy: tf.Tensor, saved: tf.Tensor[]) => Gradients) | null,
): tf.Tensor {
  // The engine names a recorded function after the scope that it runs in.
  engine.startScope(`${name}__op`);
  let result: tf.Tensor | undefined;
  try {
    result = engine.runKernelFunc({ inputs, forwardFunc: (_backend, save) => forward(save), backwardsFunc });
    return result;
  } finally {
    engine.endScope(result);
  }
}

interface TensorFlowBackend {
  binding: Record<'TF_ATTR_TYPE' | 'TF_ATTR_FLOAT' | 'TF_FLOAT' | 'TF_INT32', number>;
  executeMultipleOutputs(op: string, attrs: object[], inputs: tf.Tensor[], outputs: number): tf.Tensor[];
}

/** A TensorFlow operation by name, where tfjs-node is the backend; null elsewhere. Attributes: types and floats. */
export function tensorflow(
  name: string,
  attributes: Record<string, 'float32' | 'int32' | number>,
  inputs: tf.Tensor[],
  outputs = 1,
): tf.Tensor[] | null {
  if (tf.getBackend() !== 'tensorflow') return null;
  const backend = tf.backend() as unknown as TensorFlowBackend;
  const { binding } = backend;
  const attrs = Object.entries(attributes).map(([name, value]) =>
    typeof value === 'number'
      ? { name, type: binding.TF_ATTR_FLOAT, value }
      : { name, type: binding.TF_ATTR_TYPE, value: value === 'float32' ? binding.TF_FLOAT : binding.TF_INT32 },
  );
  return backend.executeMultipleOutputs(name, attrs, inputs, outputs);
}
