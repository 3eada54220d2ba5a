import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import * as tf from '@tensorflow/tfjs-core';
import { RuntimeError } from '@tfjs-torch/core';
import { type Executor, internal, type Job } from '@tfjs-torch/optim';
import { build, type Library, loadLibrary } from './compile';
import { ruleSource } from './rule-source';
import { reasonOf } from './tfjs-node';

const { mayOverwrite, ops, renew, storageOf, tensorOf } = internal;
type Trace = Job['traced'];

/** What is used of tfjs-node. */
interface TensorflowBackend {
  isUsingGpuDevice: boolean;
  tensorMap: {
    get(dataId: tf.DataId): TensorData;
    set(dataId: tf.DataId, data: TensorData): void;
  };
  binding: {
    TF_FLOAT: number;
    TF_INT32: number;
    TF_ATTR_INT: number;
    createTensor(shape: number[], dtype: number, values: unknown): number;
    deleteTensor(id: number): void;
    executeOp(name: string, attributes: object[], inputs: number[], outputs: number): { id: number; shape: number[] }[];
  };
}
interface TensorData {
  id: number;
  shape: number[];
  dtype: number;
  /** Of a tensor that no op has used yet. */
  values: unknown;
  refCount: number;
  /** Where the values are, if the op has had them: for as long as this record is in the map. */
  address?: number;
}

/** The addon of native/update.cc. */
interface Addon {
  /** Whether this CPU has these instructions. */
  avx2: boolean;
  /** Loads a compiled rule; returns its number. */
  load(path: string): number;
  /** Says what the next call of the op on this thread does; it writes addresses into the script. */
  stage(script: Float64Array): void;
}

const ownRequire = createRequire(import.meta.url);
let opName = '';

/** The addon's source; its op is named after it, because TensorFlow cannot forget an op that another version brought. */
function addonLibrary(): Library {
  if (process.platform !== 'linux') throw new Error(`it is for Linux, and this is ${process.platform}`);
  const source = readFileSync(new URL('../native/update.cc', import.meta.url), 'utf8');
  opName = `TfjsTorchUpdate${createHash('sha256').update(source).digest('hex').slice(0, 16)}`;
  const defines = ['-DNAPI_VERSION=8', '-DNODE_GYP_MODULE_NAME=tfjs_torch', `-DOP="${opName}"`];
  return {
    name: 'update',
    source,
    flags: ['-O2', '-pthread', ...defines, '-Wl,-z,nodelete'],
    include: ownRequire('node-api-headers').include_dir,
  };
}

/** Builds the addon if it is not in the cache. @throws if it cannot be built */
export const setUpNative = (): string => build(addonLibrary());

let addon: Addon | Error | undefined;
/** The addon, built if it is not in the cache; or why it cannot be had, for the rest of the process. */
function nativeAddon(): Addon | Error {
  try {
    addon ??= loadLibrary(addonLibrary(), (path): Addon => ownRequire(path));
  } catch (error) {
    addon = new Error(reasonOf(error));
  }
  return addon;
}

interface Rule {
  number: number;
  outputs: readonly string[];
  inputs: readonly string[];
}
// Each operation is rounded on its own, as in TensorFlow's ops.
const exact = ['-O3', '-ffp-contract=off', '-fno-math-errno', '-fno-trapping-math', '-nostdlib'];
const rules = new WeakMap<Trace, Rule>();

/** The compiled rule; the first step that uses one that is not in the cache compiles it. */
function ruleOf({ avx2, load }: Addon, traced: Trace): Rule {
  let rule = rules.get(traced);
  if (!rule) {
    const flags = [...exact, ...(avx2 ? ['-mavx2'] : [])];
    rule = {
      number: loadLibrary({ name: 'rule', source: ruleSource(traced), flags }, load),
      inputs: ['param', 'grad', ...traced.slots],
      outputs: Object.keys(traced.outputs),
    };
    rules.set(traced, rule);
  }
  return rule;
}

/** So many elements are updated in less time than it takes to wake another thread. */
const ALONE = 32_768;
// As many as TensorFlow takes for its own kernels.
const threads = Number(process.env.TF_NUM_INTRAOP_THREADS) || availableParallelism();

/** A kernel of our own in the TensorFlow that tfjs-node has loaded: all parameters of a step in one call, on all cores. */
export const native: Executor = {
  name: 'native',
  unavailable() {
    if (tf.getBackend() !== 'tensorflow') {
      return `it is for the backend 'tensorflow', and tfjs runs '${tf.getBackend()}'`;
    }
    if ((tf.backend() as unknown as TensorflowBackend).isUsingGpuDevice) return 'the tensors are on a GPU';
    const found = nativeAddon();
    return found instanceof Error ? found.message : null;
  },
  run(jobs) {
    const found = nativeAddon();
    if (found instanceof Error) throw found;
    let ready: Rule[];
    try {
      ready = jobs.map(({ traced }) => ruleOf(found, traced));
    } catch (error) {
      addon = new Error(reasonOf(error));
      return ops.run(jobs);
    }
    update(found, jobs, ready);
  },
};

function update({ stage }: Addon, jobs: readonly Job[], ready: readonly Rule[]) {
  const { binding, tensorMap } = tf.backend() as unknown as TensorflowBackend;
  const length = jobs.reduce((sum, { traced, items }, k) => {
    const { inputs, outputs } = ready[k]!;
    return sum + 2 + traced.scalars.length + items.length * (2 + inputs.length + outputs.length);
  }, 1);
  const script = new Float64Array(length);
  const ids: number[] = [];
  /** Tensors whose address the op writes into the script, and where. */
  const unknown: [data: TensorData, at: number][] = [];
  const fresh: [t: tf.Tensor, at: number][] = [];
  let at = 0;
  const size = jobs.reduce((sum, { items }) => items.reduce((n, { param }) => n + param.size, sum), 0);
  script[at++] = size < ALONE ? 1 : threads;
  jobs.forEach(({ traced, scalars, items }, k) => {
    const { number, outputs, inputs } = ready[k]!;
    script[at++] = number;
    script[at++] = items.length;
    for (const name of traced.scalars) script[at++] = scalars[name]!;
    for (const item of items) {
      script[at++] = item.param.size;
      const mask = at++;
      for (const name of inputs) {
        const t = tensorOf(item, name);
        if (t.isDisposed) throw new RuntimeError(`'${name}' of shape [${t.shape}] is disposed`);
        if (t.size !== item.param.size)
          throw new RuntimeError(`'${name}' has shape [${t.shape}], its parameter another`);
        const data = tensorMap.get(storageOf(t));
        if (data.address && name !== 'grad') script[at++] = data.address;
        else {
          if (data.values !== null) {
            data.id = binding.createTensor(data.shape, data.dtype, data.values);
            data.values = null;
          }
          ids.push(data.id);
          unknown.push([data, at++]);
        }
      }
      outputs.forEach((name, i) => {
        const t = tensorOf(item, name);
        if (!mayOverwrite(t)) {
          script[mask]! += 2 ** i;
          fresh.push([t, at]);
        }
        at++;
      });
    }
  });

  const attribute = (name: string, value: number) => ({ name, type: binding.TF_ATTR_INT, value });
  stage(script);
  const made = binding.executeOp(opName, [attribute('N', ids.length), attribute('M', fresh.length)], ids, fresh.length);
  for (const [data, where] of unknown) data.address = script[where]!;
  made.forEach(({ id, shape }, i) => {
    const [t, where] = fresh[i]!;
    const dataId = {};
    const dtype = binding.TF_FLOAT;
    tensorMap.set(dataId, { id, shape, dtype, values: null, refCount: 1, address: script[where]! });
    renew(t, dataId);
  });
}
