import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs-core';
import { RuntimeError, ValueError } from '@tfjs-torch/core';
import { initBackend } from '@tfjs-torch/node';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const current = process.env.TFJS_TORCH_BACKEND!;

test('what was asked for is reported with the reason', async () => {
  const asked = await initBackend({ backend: current });
  expect(asked).toMatchObject({ backend: current, why: 'asked for by the caller' });
  expect(asked.found[0]).toMatchObject({ backend: current, available: true });
  expect(await initBackend()).toMatchObject({ backend: current, why: 'asked for by TFJS_TORCH_BACKEND' });
  expect(tf.getBackend()).toBe(current);
});

test('a name that is no backend', async () => {
  const message = "Unknown backend 'webgl': expected one of tensorflow-gpu, tensorflow, wasm, cpu";
  await expect(initBackend({ backend: 'webgl' })).rejects.toThrow(new ValueError(message));
});

test('a backend that is not installed', async () => {
  const message =
    "Backend 'tensorflow-gpu' cannot be used: @tensorflow/tfjs-node-gpu is not installed. " +
    'Run `npm install @tensorflow/tfjs-node-gpu` on a machine with CUDA.';
  await expect(initBackend({ backend: 'tensorflow-gpu' })).rejects.toThrow(new RuntimeError(message));
});

test('an uncaught error is not rethrown by the wasm backend', () => {
  const handlers = [...process.listeners('uncaughtException'), ...process.listeners('unhandledRejection')];
  expect(handlers.filter((handler) => /ExitStatus|throw reason/.test(String(handler)))).toEqual([]);
});

test('there is one engine and one Tensor class', () => {
  const require = createRequire(join(root, 'packages', 'node', 'package.json'));
  const copies: Array<typeof tf> = [require('@tensorflow/tfjs-core')];
  if (current === 'tensorflow') copies.push(require('@tensorflow/tfjs-node'));
  for (const copy of copies) {
    expect(copy.engine()).toBe(tf.engine());
    expect(copy.Tensor).toBe(tf.Tensor);
    expect(copy.Variable).toBe(tf.Variable);
  }
});
