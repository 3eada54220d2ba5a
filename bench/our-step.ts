// Our arm of lenet-step.ts, in a process of its own: `our-step.ts <backend>`. The protocol is torch_step.py's.
import { createInterface } from 'node:readline';
import * as tf from '@tensorflow/tfjs-core';
import { initBackend } from '@tfjs-torch/node';
import torch from 'tfjs-torch';
import { script } from '../test/parity/lenet';

const { backend } = await initBackend({ backend: process.argv[2], quiet: true });
const { net, optimizer, loader } = script(0);
const criterion = new torch.nn.CrossEntropyLoss();
const batches: [torch.Tensor, torch.Tensor][] = [];
for (const [x, y] of loader) {
  batches.push([tf.keep(x), tf.keep(y)]); // else those that wait for their turn would move to the host and back
  if (batches.length === 20) break;
}
const parameters = [...net.parameters()].reduce((sum, p) => sum + p.size, 0);
console.log(JSON.stringify({ name: `tfjs-torch on ${backend}`, parameters }));

let step = 0;
for await (const line of createInterface({ input: process.stdin })) {
  const losses: number[] = [];
  const times: number[] = [];
  for (let i = 0; i < Number(line); i++) {
    const [x, y] = batches[step++ % batches.length]!;
    const start = performance.now();
    const loss = criterion(net(x), y);
    optimizer.zero_grad();
    loss.backward();
    optimizer.step();
    losses.push(loss.item());
    times.push(performance.now() - start);
  }
  console.log(JSON.stringify({ losses, times }));
}
