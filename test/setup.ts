import * as tf from '@tensorflow/tfjs-core';
import { initBackend } from '@tfjs-torch/node';
import { beforeAll } from 'vitest';

beforeAll(async () => {
  await initBackend({ backend: process.env.TFJS_TORCH_BACKEND, quiet: true });
  await tf.ready();
});
