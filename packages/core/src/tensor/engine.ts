import * as tf from '@tensorflow/tfjs-core';

/** What core needs of tfjs's engine and does not find in its public types (tfjs-core 4.22, upstream frozen). */
interface Engine {
  readonly state: {
    kernelDepth: number;
    gradientDepth: number;
    scopeStack: Scope[];
    activeScope: Scope | null;
    nextScopeId: number;
    numTensors: number;
    numBytes: number;
    numDataBuffers: number;
    tensorInfo: WeakMap<tf.DataId, { backend: Backend; dtype: tf.DataType; shape: number[]; bytes: number }>;
    registeredVariables: Record<string, tf.Variable>;
  };
  readonly backend: Backend;
  readonly backendName: string;
  nextTensorId(): number;
  track(t: tf.Tensor): tf.Tensor;
  incRef(t: tf.Tensor, backend: Backend | null): void;
  disposeTensor(t: Pick<tf.Tensor, 'dataId' | 'size' | 'dtype'>): void;
  isTapeOn(): boolean;
  runKernelFunc(call: KernelCall): tf.Tensor | tf.Tensor[];
  getTensorsForGradient(kernel: string, inputs: Inputs, outputs: tf.Tensor[]): tf.Tensor[];
  saveTensorsForBackwardMode(tensors: tf.Tensor[]): tf.Tensor[];
  addTapeNode(
    kernel: string,
    inputs: Inputs,
    outputs: tf.Tensor[],
    gradient: GradientFunction | null,
    saved: tf.Tensor[],
    attrs: tf.NamedAttrMap,
  ): void;
  startScope(name?: string): void;
  endScope(result?: tf.TensorContainer): void;
  clone(x: tf.Tensor): tf.Tensor;
  moveData(backend: Backend, dataId: tf.DataId): void;
  readSync(dataId: tf.DataId): tf.BackendValues;
  read(dataId: tf.DataId): Promise<tf.BackendValues>;
}

export interface Backend {
  refCount(dataId: tf.DataId): number;
  incRef(dataId: tf.DataId): void;
  readSync(dataId: tf.DataId): tf.BackendValues;
  disposeData(dataId: tf.DataId, force?: boolean): boolean;
  move(dataId: tf.DataId, values: tf.BackendValues, shape: number[], dtype: tf.DataType, refCount: number): void;
}

export interface Scope {
  id: number;
  name: string;
  track: tf.Tensor[];
}

export type Inputs = Record<string, tf.Tensor | undefined>;
export type Gradients = Record<string, () => tf.Tensor>;
export type GradientFunction = (dy: tf.Tensor | tf.Tensor[], saved: tf.Tensor[], attrs: tf.NamedAttrMap) => Gradients;
/** A kernel by its name, or a function with a gradient of its own. */
export type KernelCall =
  | { kernelName: string; inputs: Inputs; attrs?: tf.NamedAttrMap }
  | {
      inputs: Inputs;
      forwardFunc: (backend: unknown, save: (tensors: tf.Tensor[]) => void) => tf.Tensor;
      backwardsFunc: GradientFunction | null;
    };

/** tfjs's one engine: shared even by two copies of tfjs-core. */
export const engine = tf.engine() as unknown as Engine;

/** Counts a storage that the current backend has just made for `t`, which alone holds it; no scope is to track it. */
export function countStorage({ dtype, shape, size }: tf.Tensor, dataId: tf.DataId): void {
  const { state, backend } = engine;
  const bytes = size * tf.util.bytesPerElement(dtype);
  state.tensorInfo.set(dataId, { backend, dtype, shape, bytes });
  state.numTensors++;
  state.numDataBuffers++;
  state.numBytes += bytes;
}

const copies = globalThis as unknown as Record<symbol, string | undefined>;
const key = Symbol.for('tfjs-torch');

/** Core's state (engine hooks, the graph) must exist once in a process. */
function assertOneCopy(): void {
  const here = import.meta.url;
  if (copies[key] !== undefined && copies[key] !== here)
    throw new Error(
      `Two copies of @tfjs-torch/core are loaded:\n  ${copies[key]}\n  ${here}\nThey would keep two graphs over one engine. ` +
        'Make your package manager install one (npm dedupe, or one version in package.json).',
    );
  copies[key] = here;
}
assertOneCopy();
