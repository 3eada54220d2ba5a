import * as tf from '@tensorflow/tfjs-core';
import { RuntimeError } from '@tfjs-torch/core/base';
import * as internal from '@tfjs-torch/core/update';
import { getOrMake } from '../get-or-make';
import { Expr } from '../rule/expr';
import type { Trace } from '../rule/rule';
import type { Executor, Job } from './index';
import { onlyOn } from './only-on';
import { mayOverwrite, recordOf, renew, tensorOf } from './storage';
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
    const kernels = jobs.map(({ traced }) => kernelOf(traced, memory));
    const words = jobs.map(
      ({ items }, k) => items.length * (1 + kernels[k]!.inputs.length + kernels[k]!.outputs.length),
    );
    const table = new Int32Array(words.reduce((sum, n) => sum + n, 0));
    const step: Step = { backend, table, end: 0, overwritten: [], fresh: [] };
    try {
      jobs.forEach((job, k) => {
        addRows(step, kernels[k]!, job);
      });
      const { dataId, address } = allocate(backend, [table.length], 'int32', table);
      let row = address;
      jobs.forEach(({ traced, scalars }, k) => {
        const end = row + 4 * words[k]!;
        kernels[k]!.run(row, end, ...traced.scalars.map((name) => scalars[name]!));
        row = end;
      });
      backend.disposeData(dataId);
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
  table: Int32Array;
  /** So many words of the table are written. */
  end: number;
  /** Parameters that are written in place. */
  overwritten: [param: tf.Tensor, storage: Storage][];
  /** To be given a new storage. */
  fresh: [t: tf.Tensor, dataId: tf.DataId][];
}

/** Adds a row for each parameter of a job. */
function addRows(step: Step, { inputs, outputs }: Kernel, { items }: Job): void {
  const { backend, table, overwritten, fresh } = step;
  const { dataIdMap } = backend;
  const tensors: tf.Tensor[] = [];
  let at = step.end;
  for (const item of items) {
    const { param } = item;
    const storage = recordOf(param, backend, dataIdMap);
    table[at++] = param.size * 4;
    const first = at;
    tensors[0] = param;
    table[at++] = storage.memoryOffset;
    for (let i = 1; i < inputs.length; i++) {
      const t = tensorOf(item, inputs[i]!);
      tensors[i] = t;
      table[at++] = recordOf(t, backend, dataIdMap).memoryOffset;
    }
    for (let k = 0; k < outputs.length; k++) {
      const i = outputs[k]!;
      const t = tensors[i]!;
      // Here the count of references tells: nothing shares memory without one, and a read is a copy.
      const alone = i === 0 && storage.refCount === 1;
      if (alone) overwritten.push([t, storage]);
      if (alone || mayOverwrite(t)) table[at++] = table[first + i]!;
      else {
        const { dataId, address } = allocate(backend, t.shape, 'float32', null);
        fresh.push([t, dataId]);
        table[at++] = address;
      }
    }
  }
  step.end = at;
}

function allocate(backend: WasmBackend, shape: number[], dtype: 'float32' | 'int32', values: Int32Array | null) {
  const dataId = backend.write(values, shape, dtype);
  const address = backend.dataIdMap.get(dataId).memoryOffset;
  if (address !== 0) return { dataId, address };
  backend.disposeData(dataId);
  throw new RuntimeError(`tfjs-backend-wasm has no memory left for [${shape}]`);
}
