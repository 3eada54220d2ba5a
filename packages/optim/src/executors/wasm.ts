import * as tf from '@tensorflow/tfjs-core';
import { RuntimeError } from '@tfjs-torch/core/base';
import * as internal from '@tfjs-torch/core/update';
import { getOrMake } from '../get-or-make';
import { Expr } from '../rule/expr';
import type { Trace } from '../rule/rule';
import type { Executor, Job } from './index';
import { onlyOn } from './only-on';
import { mayOverwrite, renew, storageOf, tensorOf } from './storage';
import { assemble, operands } from './wasm-module';

/** What is used of tfjs-backend-wasm. Where its memory is, is a detail of Emscripten's. */
interface WasmBackend {
  readonly wasm: {
    readonly asm?: { readonly memory?: unknown };
    readonly wasmMemory?: unknown;
    readonly tfjs: {
      registerTensor(id: number, size: number, memoryOffset: number): void;
      disposeData(id: number): void;
    };
  };
  readonly dataIdMap: { get(dataId: tf.DataId): Storage };
  write(values: Int32Array | null, shape: number[], dtype: 'float32' | 'int32'): tf.DataId;
  disposeData(dataId: tf.DataId): boolean;
}

interface Storage {
  readonly id: number;
  readonly memoryOffset: number;
  readonly refCount: number;
}

type Kernel = (from: number, to: number, ...scalars: number[]) => void;

const currentBackend = () => tf.backend() as unknown as WasmBackend;

/** The memory of the backend's tensors: its module's own, or in the threaded build the one that its workers share. */
const memoryOf = ({ wasm }: WasmBackend) =>
  [wasm.asm?.memory, wasm.wasmMemory].find((memory) => memory instanceof WebAssembly.Memory);

/** At once, as a module has but a kilobyte. */
function compile(traced: Trace, memory: WebAssembly.Memory): Kernel {
  const shared = typeof SharedArrayBuffer !== 'undefined' && memory.buffer instanceof SharedArrayBuffer;
  const module = new WebAssembly.Module(assemble(traced, shared));
  return new WebAssembly.Instance(module, { m: { m: memory } }).exports.f as Kernel;
}

const kernels = new WeakMap<WebAssembly.Memory, WeakMap<Trace, Kernel>>();
const kernelOf = (traced: Trace, memory: WebAssembly.Memory) =>
  getOrMake(
    getOrMake(kernels, memory, () => new WeakMap<Trace, Kernel>()),
    traced,
    () => compile(traced, memory),
  );

const smallest: Trace = { slots: [], scalars: [], outputs: { param: Expr.leaf('input', 'param').neg() } };

/** A SIMD module for each rule, inside the memory of tfjs-backend-wasm; one call updates all parameters of a job. */
export const wasm: Executor = {
  name: 'wasm',
  unavailable() {
    const elsewhere = onlyOn('wasm');
    if (elsewhere !== null) return elsewhere;
    const memory = memoryOf(currentBackend());
    if (!memory) return 'this build of tfjs-backend-wasm hides its memory';
    try {
      kernelOf(smallest, memory);
      return null;
    } catch (error) {
      return `WebAssembly cannot compile its kernels here: ${(error as Error).message}`;
    }
  },
  run(jobs) {
    const backend = currentBackend();
    const memory = memoryOf(backend)!;
    const step: Step = { backend, table: [], overwritten: [], fresh: [] };
    try {
      const calls = jobs.map((job) => {
        const kernel = kernelOf(job.traced, memory);
        const from = step.table.length;
        addRows(step, job);
        const to = step.table.length;
        const scalars = job.traced.scalars.map((name) => job.scalars[name]!);
        return (start: number) => kernel(start + 4 * from, start + 4 * to, ...scalars);
      });
      const table = allocate(backend, [step.table.length], 'int32', new Int32Array(step.table));
      for (const call of calls) call(table.address);
      backend.disposeData(table.dataId);
    } catch (error) {
      for (const [, dataId] of step.fresh) backend.disposeData(dataId);
      throw error;
    }
    for (const [t, { id, memoryOffset }] of step.overwritten) {
      // The backend keeps packed weights by this number; to it, this is another tensor in the same place.
      backend.wasm.tfjs.disposeData(id);
      backend.wasm.tfjs.registerTensor(id, t.size, memoryOffset);
      internal.overwritten(t);
    }
    for (const [t, dataId] of step.fresh) renew(t, dataId);
  },
};

interface Step {
  backend: WasmBackend;
  table: number[];
  /** Parameters that are written in place. */
  overwritten: [param: tf.Tensor, storage: Storage][];
  /** To be given a new storage. */
  fresh: [t: tf.Tensor, dataId: tf.DataId][];
}

/** Adds a row for each parameter of a job. */
function addRows({ backend, table, overwritten, fresh }: Step, { traced, items }: Job): void {
  const { inputs, outputs } = operands(traced);
  for (const item of items) {
    const addresses = inputs.map((name) => backend.dataIdMap.get(storageOf(tensorOf(item, name))).memoryOffset);
    table.push(item.param.size * 4, ...addresses);
    for (const name of outputs) {
      const t = tensorOf(item, name);
      if (mayOverwrite(t) || (t === item.param && unshared(t))) table.push(addresses[inputs.indexOf(name)]!);
      else {
        const { dataId, address } = allocate(backend, t.shape, 'float32', null);
        fresh.push([t, dataId]);
        table.push(address);
      }
    }
  }

  /** Here the count of references tells: nothing shares memory without one, and a read is a copy. */
  function unshared(param: tf.Tensor): boolean {
    const storage = backend.dataIdMap.get(storageOf(param));
    if (storage.refCount !== 1) return false;
    overwritten.push([param, storage]);
    return true;
  }
}

function allocate(backend: WasmBackend, shape: number[], dtype: 'float32' | 'int32', values: Int32Array | null) {
  const dataId = backend.write(values, shape, dtype);
  const address = backend.dataIdMap.get(dataId).memoryOffset;
  if (address !== 0) return { dataId, address };
  backend.disposeData(dataId);
  throw new RuntimeError(`tfjs-backend-wasm has no memory left for [${shape}]`);
}
