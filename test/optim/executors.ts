import { type ExecutorName, setExecutor } from '@tfjs-torch/optim';
import { expect, type TestContext } from 'vitest';

const ofBackend: Record<string, ExecutorName> = { cpu: 'cpu', wasm: 'wasm', tensorflow: 'native' };
/** The fused executor of the backend under test. */
export const fused = ofBackend[process.env.TFJS_TORCH_BACKEND ?? '']!;
export const executors = ['ops', fused] as const;

export function withExecutor<T>(name: ExecutorName, f: () => T): T {
  setExecutor(name);
  try {
    return f();
  } finally {
    setExecutor(null);
  }
}

/** Skips a test, by name and with the reason, where the executor cannot run. */
export function needs(name: ExecutorName, { skip }: TestContext) {
  try {
    withExecutor(name, () => {});
  } catch (error) {
    skip((error as Error).message);
  }
}

/** Bit for bit, but for the sign and the payload of a NaN. */
export function expectSameBits(actual: ArrayLike<number>, expected: ArrayLike<number>, what = '') {
  let first = actual.length === expected.length ? -1 : Math.min(actual.length, expected.length);
  for (let i = 0; i < expected.length && first < 0; i++) if (!Object.is(actual[i], expected[i])) first = i;
  if (first >= 0) expect.fail(`${what}[${first}]: ${actual[first]}, but expected ${expected[first]}`);
}
