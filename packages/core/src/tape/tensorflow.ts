/** TensorFlow's own operations, where tfjs-node is the backend. */
import * as tf from '@tensorflow/tfjs-core';
import { isRecording } from './recording';

type DataHandle = Pick<tf.Tensor, 'dataId'>;

interface TensorFlowBackend {
  binding: Record<
    'TF_ATTR_TYPE' | 'TF_ATTR_INT' | 'TF_ATTR_FLOAT' | 'TF_ATTR_BOOL' | 'TF_ATTR_STRING' | 'TF_FLOAT' | 'TF_INT32',
    number
  >;
  isUsingGpuDevice: boolean;
  tensorMap: { get(dataId: tf.DataId): { values: tf.BackendValues | null } };
  executeMultipleOutputs(op: string, attrs: object[], inputs: DataHandle[], outputs: number): tf.Tensor[];
  write(values: tf.BackendValues, shape: number[], dtype: tf.DataType): tf.DataId;
  disposeData(dataId: tf.DataId): boolean;
}

/** The value of an attribute: a type, a text, a flag, a float or a list of whole numbers. */
export type Attribute = 'float32' | 'int32' | { text: string } | boolean | number | readonly number[];
export type Attributes = Readonly<Record<string, Attribute>>;

/** The attributes of an operation on floats that has no others. */
export const floats = { T: 'float32' } as const;

const backendOf = (): TensorFlowBackend | null =>
  tf.getBackend() === 'tensorflow' ? (tf.backend() as unknown as TensorFlowBackend) : null;

/** Whether tfjs-node is the backend and computes on the CPU. */
export const onTensorflowCpu = (): boolean => backendOf()?.isUsingGpuDevice === false;

const encoded = new WeakMap<Attributes, object[]>();

/** Attributes as tfjs-node wants them, made once for each object of them. */
function encode(attrs: Attributes, { binding }: TensorFlowBackend): object[] {
  const known = encoded.get(attrs);
  if (known) return known;
  const list: object[] = [];
  for (const name in attrs) list.push({ name, ...encodedValue(attrs[name]!, binding) });
  encoded.set(attrs, list);
  return list;
}

function encodedValue(value: Attribute, binding: TensorFlowBackend['binding']): { type: number; value: unknown } {
  if (value === 'float32') return { type: binding.TF_ATTR_TYPE, value: binding.TF_FLOAT };
  if (value === 'int32') return { type: binding.TF_ATTR_TYPE, value: binding.TF_INT32 };
  if (typeof value === 'boolean') return { type: binding.TF_ATTR_BOOL, value };
  if (typeof value === 'number') return { type: binding.TF_ATTR_FLOAT, value };
  if ('text' in value) return { type: binding.TF_ATTR_STRING, value: value.text };
  return { type: binding.TF_ATTR_INT, value };
}

/**
 * A TensorFlow operation by name, where tfjs-node is the backend; null elsewhere, and where the result would have to be
 * a part of the graph, which it is not.
 */
export function tensorflow(name: string, attrs: Attributes, inputs: DataHandle[], outputs = 1): tf.Tensor[] | null {
  const backend = backendOf();
  if (!backend || isRecording()) return null;
  return backend.executeMultipleOutputs(name, encode(attrs, backend), inputs, outputs);
}

const withLabel = new WeakMap<Attributes, Attributes>();
const withoutOneDnn = new WeakSet<object>();

/**
 * An operation of oneDNN that TensorFlow keeps for its graph optimizer, under a name and with a kernel label of its own;
 * null where there is none: on other backends and on GPUs, in a TensorFlow that was built without oneDNN.
 */
export function oneDnn(
  name: `_Mkl${string}`,
  attrs: Attributes,
  inputs: () => DataHandle[],
  outputs = 1,
): tf.Tensor[] | null {
  const backend = backendOf();
  if (!backend || backend.isUsingGpuDevice || withoutOneDnn.has(backend)) return null;
  let labelled = withLabel.get(attrs);
  if (!labelled) {
    labelled = { ...attrs, _kernel: { text: 'MklNameChangeOp' } };
    withLabel.set(attrs, labelled);
  }
  try {
    return tensorflow(name, labelled, inputs(), outputs);
  } catch (error) {
    if (!/TF_Status: 5\b/.test(String(error))) throw error; // not found
    withoutOneDnn.add(backend);
    return null;
  }
}

const most = 1000;
const constants = new WeakMap<object, Map<string, DataHandle>>();

/** Whole numbers that operations are given again and again: a shape, a permutation. Only for tfjs-node. */
export function constant(values: readonly number[]): DataHandle {
  const backend = tf.backend() as unknown as TensorFlowBackend;
  const known = constants.get(backend) ?? new Map<string, DataHandle>();
  constants.set(backend, known);
  const key = values.join();
  let found = known.get(key);
  if (!found) {
    if (known.size >= most) {
      for (const { dataId } of known.values()) backend.disposeData(dataId);
      known.clear();
    }
    found = { dataId: backend.write(Int32Array.from(values), [values.length], 'int32') };
    known.set(key, found);
  }
  return found;
}

/** The values of a tensor that tfjs-node has not yet given to TensorFlow; null if they are there. */
export function valuesOnHost(t: tf.Tensor): tf.BackendValues | null {
  return backendOf()?.tensorMap.get(t.dataId)?.values ?? null;
}
