import * as tf from '@tensorflow/tfjs-core';
import * as torch from '@tfjs-torch/core';
import * as nn from '@tfjs-torch/nn';
import { expect, test } from 'vitest';
import { relativeError, tolerances } from './tolerances';

interface NodeBackend {
  isUsingGpuDevice: boolean;
  executeMultipleOutputs(op: string, ...rest: unknown[]): tf.Tensor[];
}

const runIf = test.runIf(process.env.TFJS_TORCH_BACKEND === 'tensorflow');

/** Values and gradients of a small net, and how many of oneDNN's operations made them. */
function step(registered: boolean): { values: Float32Array[]; oneDnn: number } {
  const backend = tf.backend() as unknown as NodeBackend;
  torch.manual_seed(0);
  const net = new nn.Sequential(
    new nn.Conv2d(3, 5, 3, { padding: 1 }),
    new nn.MaxPool2d(3, 2, 1),
    new nn.Conv2d(5, 4, 3, 2),
    new nn.MaxPool2d(2),
  );
  // Few values, so that windows have several largest ones.
  const images = torch.randint(0, 3, [2, 3, 21, 18]).float().requires_grad_();
  const { executeMultipleOutputs } = backend;
  let oneDnn = 0;
  backend.executeMultipleOutputs = (name, ...rest) => {
    const own = name.startsWith('_Mkl');
    if (own && !registered)
      throw new Error(`Invalid TF_Status: 5\nMessage: '${name}' is neither a type of a primitive`);
    if (own) oneDnn++;
    return executeMultipleOutputs.call(backend, name, ...rest);
  };
  try {
    const output = net(images);
    output.square().sum().backward();
    const tensors = [output, images.grad!, ...[...net.parameters()].map((p) => p.grad!)];
    return { values: tensors.map((t) => t.dataSync<'float32'>()), oneDnn };
  } finally {
    backend.executeMultipleOutputs = executeMultipleOutputs;
  }
}

runIf('a step is the same with oneDNN, on a GPU and in a TensorFlow built without it', () => {
  const backend = tf.backend() as unknown as NodeBackend;
  const fast = step(true);
  backend.isUsingGpuDevice = true;
  const gpu = step(true);
  backend.isUsingGpuDevice = false;
  const without = step(false);
  expect([fast.oneDnn, gpu.oneDnn, without.oneDnn]).toEqual([10, 0, 0]);
  for (const plain of [gpu, without]) {
    for (const [i, values] of plain.values.entries()) {
      expect(relativeError(fast.values[i]!, values)).toBeLessThan(tolerances.layer);
    }
  }
});
