import * as tf from '@tensorflow/tfjs-core';
import { RuntimeError } from '@tfjs-torch/core/base';
import * as internal from '@tfjs-torch/core/update';
import { getOrMake } from '../get-or-make';
import { Expr } from '../rule/expr';
import type { Trace } from '../rule/rule';
import type { Executor, Item, Job } from './index';
import { onlyOn } from './only-on';
import { mayOverwrite, recordOf, renew, stateVersion } from './storage';
import { assemble, operands } from './wasm-module';

/** What is used of tfjs-backend-wasm. Where its memory is, is a detail of Emscripten's. */
interface WasmBackend {
  readonly wasm: {
    readonly asm?: { readonly memory?: unknown };
    readonly wasmMemory?: unknown;
    readonly HEAPU8: Uint8Array;
    _malloc(bytes: number): number;
    _free(address: number): void;
    readonly tfjs: {
      registerTensor(id: number, size: number, memoryOffset: number): void;
      disposeData(id: number): void;
    };
  };
  readonly dataIdMap: { get(dataId: tf.DataId): Storage };
  write(values: null, shape: number[], dtype: 'float32'): tf.DataId;
  disposeData(dataId: tf.DataId): boolean;
}

interface Storage {
  readonly id: number;
  readonly memoryOffset: number;
  readonly refCount: number;
}

interface Kernel {
  run(from: number, to: number, ...scalars: number[]): void;
  inputs: readonly string[];
  /** What is written, as indices of `inputs`. */
  outputs: readonly number[];
}

const currentBackend = () => tf.backend() as unknown as WasmBackend;

/** The memory of the backend's tensors: its module's own, or in the threaded build the one that its workers share. */
const memoryOf = ({ wasm }: WasmBackend) =>
  [wasm.asm?.memory, wasm.wasmMemory].find((memory) => memory instanceof WebAssembly.Memory);

/** At once, as a module has but a kilobyte. */
function compile(traced: Trace, memory: WebAssembly.Memory): Kernel {
  const shared = typeof SharedArrayBuffer !== 'undefined' && memory.buffer instanceof SharedArrayBuffer;
  const module = new WebAssembly.Module(assemble(traced, shared));
  const { inputs, outputs } = operands(traced);
  return {
    run: new WebAssembly.Instance(module, { m: { m: memory } }).exports.f as Kernel['run'],
    inputs,
    outputs: outputs.map((name) => inputs.indexOf(name)),
  };
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
    const fresh: Fresh[] = [];
    const ready: { job: Job; rows: Rows; address: number }[] = [];
    try {
      for (const job of jobs) {
        const rows = rowsOf(backend, kernelOf(job.traced, memory), job.items, fresh);
        ready.push({ job, rows, address: copied(backend, rows.table) });
      }
      for (const { job, rows, address } of ready) {
        const scalars = job.traced.scalars.map((name) => job.scalars[name]!);
        rows.kernel.run(address, address + rows.table.byteLength, ...scalars);
      }
    } catch (error) {
      for (const { dataId } of fresh) backend.disposeData(dataId);
      throw error;
    } finally {
      for (const { address } of ready) backend.wasm._free(address);
    }
    for (const { job, rows } of ready) {
      for (let i = 0; i < job.items.length; i++) {
        const storage = rows.overwritten[i];
        if (!storage) continue;
        const { param } = job.items[i]!;
        // The backend keeps packed weights by this number; to it, this is another tensor in the same place.
        backend.wasm.tfjs.disposeData(storage.id);
        backend.wasm.tfjs.registerTensor(storage.id, param.size, storage.memoryOffset);
        internal.overwritten(param);
      }
    }
    for (const { t, dataId } of fresh) renew(t, dataId);
  },
};

/** A new storage for a tensor. */
interface Fresh {
  t: tf.Tensor;
  dataId: tf.DataId;
}

/** The table of a kernel's call. */
interface Rows {
  readonly kernel: Kernel;
  readonly table: Int32Array;
  /** The storages of the parameters that are written in place, else null. */
  readonly overwritten: (Storage | null)[];
  /** The version of state at which all of it was written in place. */
  version: number;
}

const tables = new WeakMap<readonly Item[], Rows>();

/** The table for these items: that of the last step, but for parameters and gradients, if their state is where it was. */
function rowsOf(backend: WasmBackend, kernel: Kernel, items: readonly Item[], fresh: Fresh[]): Rows {
  const { inputs, outputs } = kernel;
  const { dataIdMap } = backend;
  const width = 1 + inputs.length + outputs.length;
  const version = stateVersion();
  const last = tables.get(items);
  const known = last?.kernel === kernel && last.version === version;
  const rows = known ? last : { kernel, table: new Int32Array(items.length * width), overwritten: [], version: -1 };
  const { table, overwritten } = rows;
  let inPlace = true;
  for (let i = 0; i < items.length; i++) {
    const { param, grad, slots } = items[i]!;
    const storage = recordOf(param, backend, dataIdMap);
    // Here the count of references tells: nothing shares memory without one, and a read is a copy.
    const alone = storage.refCount === 1;
    overwritten[i] = alone ? storage : null;
    const from = i * width + 1;
    table[from - 1] = param.size * 4;
    table[from] = storage.memoryOffset;
    table[from + 1] = recordOf(grad, backend, dataIdMap).memoryOffset;
    if (!known) {
      for (let k = 2; k < inputs.length; k++) {
        table[from + k] = recordOf(slots[inputs[k]!]!, backend, dataIdMap).memoryOffset;
      }
    }
    for (let k = 0; k < outputs.length; k++) {
      const input = outputs[k]!;
      if (known && input > 0) continue;
      const t = input === 0 ? param : slots[inputs[input]!]!;
      let address = table[from + input]!;
      if (input === 0 ? !alone : !mayOverwrite(t)) {
        const made = allocate(backend, t.shape);
        fresh.push({ t, dataId: made.dataId });
        address = made.address;
        inPlace &&= input === 0;
      }
      table[from + inputs.length + k] = address;
    }
  }
  rows.version = inPlace ? version : -1;
  tables.set(items, rows);
  return rows;
}

function allocate(backend: WasmBackend, shape: number[]) {
  const dataId = backend.write(null, shape, 'float32');
  const address = backend.dataIdMap.get(dataId).memoryOffset;
  if (address !== 0) return { dataId, address };
  backend.disposeData(dataId);
  throw noMemory(`[${shape}]`);
}

/** A copy in the backend's memory, past its books: one entry more would have V8 rebuild its table of all tensors at times. */
function copied({ wasm }: WasmBackend, table: Int32Array): number {
  const address = wasm._malloc(table.byteLength) >>> 0;
  if (address === 0) throw noMemory(`a table of ${table.byteLength} bytes`);
  wasm.HEAPU8.set(new Uint8Array(table.buffer), address);
  return address;
}

const noMemory = (what: string) => new RuntimeError(`tfjs-backend-wasm has no memory left for ${what}`);
