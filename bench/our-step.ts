// Our arm of training-step.ts, in a process of its own: `our-step.ts <backend>`. The protocol is torch_step.py's.
import { createInterface } from 'node:readline';
import * as tf from '@tensorflow/tfjs-core';
import { initBackend } from '@tfjs-torch/node';
import torch from 'tfjs-torch';
import { cifar, lenet } from '../test/nets';

const { nn } = torch;
const batchSize = 64;
const batchCount = 10;

const networks = {
  cifar: { image: [3, 32, 32], make: cifar },
  lenet: { image: [1, 28, 28], make: lenet },
  mlp: {
    image: [784],
    make: () =>
      new nn.Sequential(
        new nn.Linear(784, 256),
        new nn.ReLU(),
        new nn.Linear(256, 128),
        new nn.ReLU(),
        new nn.Linear(128, 10),
      ),
  },
};

const { backend } = await initBackend({ backend: process.argv[2], quiet: true });
const criterion = new nn.CrossEntropyLoss();

function training(name: keyof typeof networks) {
  const { image, make } = networks[name];
  torch.manual_seed(0);
  const batches = Array.from({ length: batchCount }, () => [
    torch.rand([batchSize, ...image]),
    torch.randint(0, 10, [batchSize]),
  ]);
  const net = make();
  const optimizer = new torch.optim.Adam(net.parameters());
  let done = 0;
  return () => {
    const [x, y] = batches[done++ % batchCount] as [torch.Tensor, torch.Tensor];
    const start = performance.now();
    const loss = criterion(net(x), y);
    const forward = performance.now();
    optimizer.zero_grad();
    loss.backward();
    const backward = performance.now();
    optimizer.step();
    const value = loss.item();
    const end = performance.now();
    return { loss: value, times: [forward - start, backward - forward, end - backward, end - start] };
  };
}

const trainings = new Map<string, ReturnType<typeof training>>();
const kernels = new Map<string, { count: number; ms: number }>();

/** Counts and times what tfjs-node runs from here on. */
function watchKernels() {
  const backendOfTfjs = tf.backend() as unknown as { binding?: Record<string, (...args: unknown[]) => unknown> };
  const { binding } = backendOfTfjs;
  if (!binding) return;
  const watched = Object.create(binding);
  for (const entry of ['executeOp', 'createTensor', 'tensorDataSync', 'deleteTensor']) {
    const value = (...args: unknown[]) => {
      const name = entry === 'executeOp' ? (args[0] as string) : `(${entry})`;
      const kernel = kernels.get(name) ?? { count: 0, ms: 0 };
      kernels.set(name, kernel);
      const start = performance.now();
      try {
        return binding[entry]!(...args);
      } finally {
        kernel.count++;
        kernel.ms += performance.now() - start;
      }
    };
    Object.defineProperty(watched, entry, { value });
  }
  backendOfTfjs.binding = watched;
}

console.log(JSON.stringify({ name: `tfjs-torch on ${backend}` }));
for await (const line of createInterface({ input: process.stdin })) {
  const [command, name, count] = line.split(' ') as ['steps' | 'kernels', keyof typeof networks, string];
  const step = trainings.get(name) ?? training(name);
  trainings.set(name, step);
  if (command === 'kernels' && kernels.size === 0) watchKernels();
  kernels.clear();
  const steps = Array.from({ length: Number(count) }, step);
  console.log(
    JSON.stringify({
      losses: steps.map(({ loss }) => loss),
      times: steps.map(({ times }) => times),
      kernels: [...kernels].map(([kernel, { count: n, ms }]) => [kernel, n / steps.length, ms / steps.length]),
    }),
  );
}
