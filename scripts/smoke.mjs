// Trains a small convolutional network with the built packages on one backend: `node scripts/smoke.mjs wasm`.

import * as tf from '@tensorflow/tfjs-core';
import { initBackend } from '@tfjs-torch/node';
import torch from 'tfjs-torch';

const { nn, optim } = torch;
const { backend } = await initBackend({ backend: process.argv[2] });

torch.manual_seed(0);
const model = new nn.Sequential(
  new nn.Conv2d(1, 4, 3, { padding: 1 }),
  new nn.ReLU(),
  new nn.MaxPool2d(2),
  new nn.Flatten(),
  new nn.Linear(64, 3),
);
const criterion = new nn.CrossEntropyLoss();
const optimizer = new optim.Adam(model.parameters(), { lr: 0.02 });
const images = torch.randn(12, 1, 8, 8);
const labels = torch.tensor([0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2], { dtype: 'int32' });

const losses = [];
const tensors = [];
for (let step = 0; step < 40; step++) {
  optimizer.zero_grad();
  const loss = criterion(model(images), labels);
  loss.backward();
  optimizer.step();
  losses.push(loss.item());
  tensors.push(tf.memory().numTensors);
}
const [first, last] = [losses[0], losses.at(-1)];
console.log(
  `node ${process.version}, ${backend}: loss ${first.toFixed(4)} -> ${last.toFixed(4)}, ${tensors.at(-1)} tensors`,
);
if (!(last < first / 4)) throw new Error(`the loss did not fall: ${losses}`);
if (tensors.at(-1) > Math.max(...tensors.slice(4, 10))) throw new Error(`the number of tensors grows: ${tensors}`);
