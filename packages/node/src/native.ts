import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import * as tf from '@tensorflow/tfjs-core';
import { RuntimeError } from '@tfjs-torch/core';
import { overwritten } from '@tfjs-torch/core/update';
import { type Executor, type Item, internal, type Job } from '@tfjs-torch/optim';
import { build, type Library, loadLibrary } from './compile';
import { ruleSource } from './rule-source';
import { reasonOf } from './tfjs-node';

const { mayOverwrite, ops, recordOf, renew, stateVersion, tensorOf } = internal;
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
  inputs: readonly string[];
  /** What is written, as indices of `inputs`. */
  outputs: readonly number[];
}
// Each operation is rounded on its own, as in TensorFlow's ops.
const exact = ['-O3', '-ffp-contract=off', '-fno-math-errno', '-fno-trapping-math', '-nostdlib'];
const rules = new WeakMap<Trace, Rule>();

/** The compiled rule; the first step that uses one that is not in the cache compiles it. */
function ruleOf({ avx2, load }: Addon, traced: Trace): Rule {
  let rule = rules.get(traced);
  if (!rule) {
    const flags = [...exact, ...(avx2 ? ['-mavx2'] : [])];
    const inputs = ['param', 'grad', ...traced.slots];
    rule = {
      number: loadLibrary({ name: 'rule', source: ruleSource(traced), flags }, load),
      inputs,
      outputs: Object.keys(traced.outputs).map((name) => inputs.indexOf(name)),
    };
    rules.set(traced, rule);
  }
  return rule;
}

/** So many elements are updated in hardly more time alone than it takes to wake another thread. */
const ALONE = 262_144;
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
  const backend = tf.backend() as unknown as TensorflowBackend;
  const call = new Call(backend, jobs, ready);
  stage(call.script);
  const { binding } = backend;
  const [N, M] = [call.ids.length, call.fresh.length];
  const attribute = (name: string, value: number) => ({ name, type: binding.TF_ATTR_INT, value });
  const made = binding.executeOp(opName, [attribute('N', N), attribute('M', M)], call.ids, M);
  for (const { data, at } of call.unknown) data.address = call.script[at]!;
  for (let i = 0; i < M; i++) receive(backend, call.fresh[i]!, made[i]!, call.script);
  call.keep(jobs, ready);
}

/**
 * Gives a tensor what the op has made for it: a new storage; or, if it is a parameter whose storage nothing else has, new
 * memory for that, as tfjs's tables of storages are slow to write. TensorFlow keeps the old memory for what shares it.
 */
function receive(
  { binding, tensorMap }: TensorflowBackend,
  { t, data, at }: Call['fresh'][number],
  { id, shape }: { id: number; shape: number[] },
  script: Float64Array,
) {
  const address = script[at]!;
  if (data?.refCount === 1) {
    binding.deleteTensor(data.id);
    data.id = id;
    data.address = address;
    overwritten(t);
    return;
  }
  const dataId = {};
  tensorMap.set(dataId, { id, shape, dtype: binding.TF_FLOAT, values: null, refCount: 1, address });
  renew(t, dataId);
}

/** The script of a job of its own, by its items: true but for parameters, gradients and scalars until state moves. */
const scripts = new WeakMap<readonly Item[], Kept>();
interface Kept {
  readonly script: Float64Array;
  readonly rule: Rule;
  readonly backend: object;
  /** Of all state. */
  readonly version: number;
}

/** What one call of the op is given. The script is described in native/update.cc. */
class Call {
  readonly script: Float64Array;
  #at = 0;
  readonly ids: number[] = [];
  /** Data whose address the op writes into the script, and where. */
  readonly unknown: { data: TensorData; at: number }[] = [];
  /** Tensors that get new memory, where its address is written, and what tfjs-node keeps for a parameter. */
  readonly fresh: { t: tf.Tensor; at: number; data: TensorData | null }[] = [];
  readonly #backend: TensorflowBackend;

  constructor(backend: TensorflowBackend, jobs: readonly Job[], ready: readonly Rule[]) {
    this.#backend = backend;
    let [length, size] = [1, 0];
    jobs.forEach(({ traced, items }, k) => {
      const { inputs, outputs } = ready[k]!;
      length += 2 + traced.scalars.length + items.length * (2 + inputs.length + outputs.length);
      for (const { param } of items) size += param.size;
    });
    const last = jobs.length === 1 ? scripts.get(jobs[0]!.items) : undefined;
    const known = last?.rule === ready[0] && last?.backend === backend && last?.version === stateVersion();
    this.script = known ? last!.script : new Float64Array(length);
    this.#write(size < ALONE ? 1 : threads);
    jobs.forEach(({ traced, scalars, items }, k) => {
      this.#write(ready[k]!.number);
      this.#write(items.length);
      for (const name of traced.scalars) this.#write(scalars[name]!);
      for (const item of items) {
        if (known) this.#rewriteItem(ready[k]!, item);
        else this.#writeItem(ready[k]!, item);
      }
    });
  }

  /** To be called after the op: keeps the script for the next step, if the parameters alone got new memory, and all did. */
  keep([job, ...others]: readonly Job[], [rule]: readonly Rule[]) {
    const { script, fresh } = this;
    if (others.length > 0 || fresh.length !== job!.items.length || fresh.some(({ data }) => data === null)) return;
    scripts.set(job!.items, { script, rule: rule!, backend: this.#backend, version: stateVersion() });
  }

  #write(x: number) {
    this.script[this.#at++] = x;
  }

  #writeItem({ inputs, outputs }: Rule, item: Item) {
    const { size } = item.param;
    this.#write(size);
    const mask = this.#at++;
    const data = this.#writeInput('param', item.param, size);
    for (let i = 1; i < inputs.length; i++) this.#writeInput(inputs[i]!, tensorOf(item, inputs[i]!), size);
    for (let i = 0; i < outputs.length; i++, this.#at++) {
      const input = outputs[i]!;
      const t = tensorOf(item, inputs[input]!);
      if (mayOverwrite(t)) continue;
      this.script[mask] = this.script[mask]! + 2 ** i;
      this.fresh.push({ t, at: this.#at, data: input === 0 ? data : null });
    }
  }

  #rewriteItem({ inputs, outputs }: Rule, { param, grad }: Item) {
    const size = this.script[this.#at]!;
    const firstOutput = this.#at + 2 + inputs.length;
    this.#at += 2;
    const data = this.#writeInput('param', param, size);
    this.#writeInput('grad', grad, size);
    this.fresh.push({ t: param, at: firstOutput + outputs.indexOf(0), data });
    this.#at = firstOutput + outputs.length;
  }

  #writeInput(name: string, t: tf.Tensor, size: number): TensorData {
    if (t.isDisposed) throw new RuntimeError(`'${name}' of shape [${t.shape}] is disposed`);
    if (t.size !== size) throw new RuntimeError(`'${name}' has shape [${t.shape}], its parameter another`);
    const data = recordOf(t, this.#backend, this.#backend.tensorMap);
    if (data.address && name !== 'grad') {
      this.#write(data.address);
      return data;
    }
    if (data.values !== null) {
      data.id = this.#backend.binding.createTensor(data.shape, data.dtype, data.values);
      data.values = null;
    }
    this.ids.push(data.id);
    this.script[this.#at] = 0;
    this.unknown.push({ data, at: this.#at++ });
    return data;
  }
}
