import * as tf from '@tensorflow/tfjs-core';
import { internal, is_grad_enabled } from '@tfjs-torch/core';

type Save = (tensors: tf.Tensor[]) => void;
type Gradients = Record<string, () => tf.Tensor>;

/** What of tfjs's engine is not in its public types. */
const engine = tf.engine() as unknown as {
  runKernel<T extends tf.Tensor>(name: string, inputs: Record<string, tf.Tensor>, attrs: object): T;
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
  const backward = (dy: tf.Tensor | tf.Tensor[], saved: tf.Tensor[]): Gradients => {
    const of = gradients(dy as tf.Tensor, saved);
    if (twice || !is_grad_enabled()) return of;
    // Recorded without a gradient: torch's graph then names the node that has none.
    return Object.fromEntries(
      Object.entries(of).map(([key, compute]) => [
        key,
        () => internal.operation(`${name}Backward`, { ...given, dy: dy as tf.Tensor }, compute, null),
      ]),
    );
  };
  return internal.operation(name, given, forward, backward);
}

interface TensorFlowBackend {
  binding: Record<
    'TF_ATTR_TYPE' | 'TF_ATTR_INT' | 'TF_ATTR_FLOAT' | 'TF_ATTR_BOOL' | 'TF_ATTR_STRING' | 'TF_FLOAT' | 'TF_INT32',
    number
  >;
  isUsingGpuDevice: boolean;
  executeMultipleOutputs(op: string, attrs: object[], inputs: tf.Tensor[], outputs: number): tf.Tensor[];
}

/** The value of an attribute: a type, a text, a flag, a float or a list of whole numbers. */
export type Attribute = 'float32' | 'int32' | { text: string } | boolean | number | readonly number[];

/**
 * A TensorFlow operation by name, where tfjs-node is the backend; null elsewhere, and where the result would have to be
 * a part of the graph, which it is not.
 */
export function tensorflow(
  name: string,
  attrs: Record<string, Attribute>,
  inputs: tf.Tensor[],
  outputs = 1,
): tf.Tensor[] | null {
  if (tf.getBackend() !== 'tensorflow' || internal.isRecording()) return null;
  const backend = tf.backend() as unknown as TensorFlowBackend;
  const { binding } = backend;
  const encode = (value: Attribute): { type: number; value: unknown } => {
    if (value === 'float32') return { type: binding.TF_ATTR_TYPE, value: binding.TF_FLOAT };
    if (value === 'int32') return { type: binding.TF_ATTR_TYPE, value: binding.TF_INT32 };
    if (typeof value === 'boolean') return { type: binding.TF_ATTR_BOOL, value };
    if (typeof value === 'number') return { type: binding.TF_ATTR_FLOAT, value };
    if ('text' in value) return { type: binding.TF_ATTR_STRING, value: value.text };
    return { type: binding.TF_ATTR_INT, value };
  };
  const encoded = Object.entries(attrs).map(([key, value]) => ({ name: key, ...encode(value) }));
  return backend.executeMultipleOutputs(name, encoded, inputs, outputs);
}

const label = { _kernel: { text: 'MklNameChangeOp' } };
const withoutOneDnn = new WeakSet<object>();

/**
 * An operation of oneDNN that TensorFlow keeps for its graph optimizer, under a name and with a kernel label of its own;
 * null where there is none: on other backends and on GPUs, in a TensorFlow that was built without oneDNN.
 */
export function oneDnn(
  name: `_MklNative${string}`,
  attrs: Record<string, Attribute>,
  inputs: () => tf.Tensor[],
  outputs = 1,
): tf.Tensor[] | null {
  if (tf.getBackend() !== 'tensorflow') return null;
  const backend = tf.backend() as unknown as TensorFlowBackend;
  if (backend.isUsingGpuDevice || withoutOneDnn.has(backend)) return null;
  try {
    return tensorflow(name, { ...attrs, ...label }, inputs(), outputs);
  } catch (error) {
    if (!/TF_Status: 5\b/.test(String(error))) throw error; // not found
    withoutOneDnn.add(backend);
    return null;
  }
}
