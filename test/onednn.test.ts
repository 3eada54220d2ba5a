import * as tf from '@tensorflow/tfjs-core';
import * as torch from '@tfjs-torch/core';
import * as nn from '@tfjs-torch/nn';
import { expect, test } from 'vitest';
import { relativeError, tolerances } from './tolerances';

interface NodeBackend {
  isUsingGpuDevice: boolean;
  executeMultipleOutputs(op: string, ...rest: unknown[]): tf.Tensor[];
}

// tfjs-node has those operations of oneDNN; a GPU and a TensorFlow built without oneDNN have not.
test.runIf(process.env.TFJS_TORCH_BACKEND === 'tensorflow')('a step is the same with and without oneDNN', () => {
  const backend = tf.backend() as unknown as NodeBackend;
  const run = () => {
    torch.manual_seed(0);
    const net = new nn.Sequential(
      new nn.Conv2d(3, 5, 3, { padding: 1 }),
      new nn.MaxPool2d(3, 2, 1),
      new nn.Conv2d(5, 4, 3, 2),
      new nn.MaxPool2d(2),
    );
    // Few values, so that windows have several largest ones.
    const images = torch.randint(0, 3, [2, 3, 21, 18]).float().requires_grad_();
    const used: string[] = [];
    const { executeMultipleOutputs } = backend;
    backend.executeMultipleOutputs = (name, ...rest) => {
      used.push(name);
      return executeMultipleOutputs.call(backend, name, ...rest);
    };
    try {
      const output = net(images);
      output.square().sum().backward();
      const values = [output, images.grad!, ...[...net.parameters()].map((p) => p.grad!)].map((t) => t.dataSync());
      return { values, oneDnn: used.filter((name) => name.startsWith('_Mkl')).length };
    } finally {
      backend.executeMultipleOutputs = executeMultipleOutputs;
    }
  };
  const fast = run();
  backend.isUsingGpuDevice = true;
  try {
    const plain = run();
    expect([fast.oneDnn, plain.oneDnn]).toEqual([8, 0]);
    for (const [i, values] of plain.values.entries()) {
      expect(relativeError(fast.values[i]!, values)).toBeLessThan(tolerances.layer);
    }
  } finally {
    backend.isUsingGpuDevice = false;
  }
});
