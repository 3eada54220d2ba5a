import * as tf from '@tensorflow/tfjs-core';
import { internal } from '@tfjs-torch/core';
import { expect } from 'vitest';
import { finish, type Loop } from './loops';

export const long = Number(process.env.TFJS_TORCH_MEMORY_ITERATIONS ?? 2000);
/** A turn of the event loop now and then, so that finalizers run in the asynchronous form as they do for a user. */
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

const tensors = () => {
  const { numTensors, numDataBuffers, numBytes } = tf.memory();
  return { numTensors, numDataBuffers, numBytes };
};
type WasmBackend = { wasm?: { HEAPU8: Uint8Array } };
const wasmHeap = () => (tf.backend() as unknown as WasmBackend).wasm?.HEAPU8.byteLength ?? 0;
const heap = () => {
  gc!();
  gc!();
  return process.memoryUsage().heapUsed;
};

/** A leaked Tensor object costs the heap about 300 bytes, so does a leaked node of the graph. */
const BYTES_PER_ITERATION = 100;
/** What allocators keep by way of slack; a leak of one batch (1 kB) an iteration would be 1 MB. */
const RSS_SLACK = 24 * 2 ** 20;

/** Lets the garbage collector free what nobody holds. */
async function collect(): Promise<void> {
  for (let i = 0; i < 4; i++) {
    gc!();
    await turn();
  }
}

/** Runs a loop and judges its memory. */
export async function drive(
  { run, period = 1, visits, keepsObjects }: Loop,
  asynchronous: boolean,
  iterations = long,
): Promise<void> {
  // What earlier loops dropped goes first, so that it is not counted as this loop's.
  for (let i = 0; i < 3; i++) internal.sweep();
  await collect();
  finish(false);
  const loop = run();
  let wanted: ReturnType<typeof tensors> | undefined;
  const half = Math.floor(iterations / 2 / period) * period;
  let middle = { heap: 0, wasm: 0, rss: 0 };
  for (let i = 1; ; i++) {
    if (i === iterations) finish(true);
    const step = loop.next();
    if (asynchronous) await (i % 10 === 0 ? turn() : null);
    if (step.done) {
      step.value();
      break;
    }
    // The fourth iteration on; where the loop repeats itself only after several, from the third repetition.
    const first = period === 1 ? 4 : 3 * period;
    const visited = visits !== undefined && i >= visits && i % visits < 3;
    if (i >= first && i % period === 0 && !visited) {
      if (wanted === undefined) {
        if (asynchronous) await collect();
        wanted = tensors();
      } else expect(tensors(), `tf.memory() at ${i}, against ${first}`).toEqual(wanted);
    }
    if (i === half) middle = { heap: heap(), wasm: wasmHeap(), rss: process.memoryUsage().rss };
    if (i === iterations) {
      const end = { heap: heap(), wasm: wasmHeap(), rss: process.memoryUsage().rss };
      const perIteration = (end.heap - middle.heap) / (iterations - half);
      if (!keepsObjects && iterations === long)
        expect(perIteration, 'bytes of JS heap an iteration').toBeLessThan(BYTES_PER_ITERATION);
      expect(end.wasm, 'wasm heap').toBe(middle.wasm);
      expect(end.rss - middle.rss, 'growth of RSS').toBeLessThan(RSS_SLACK);
    }
  }
}
