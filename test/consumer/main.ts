// What a user's program may write, checked by `npm test` against the built declarations; it is not run.
import type * as tf from '@tensorflow/tfjs-core';
import { DataLoader as Loader } from '@tfjs-torch/data';
import { initBackend } from '@tfjs-torch/node';
import torch, { torchvision, ValueError } from 'tfjs-torch';

const { nn, optim } = torch;
const { functional: F } = nn;
const { DataLoader } = torch.utils.data;
const { datasets, transforms } = torchvision;

const { backend }: { backend: string } = await initBackend({ backend: 'wasm' });
const train_set = new datasets.MNIST({ train: true, transform: new transforms.ToTensor() });

// README
torch.manual_seed(0);
const model = new nn.Sequential(
  new nn.Conv2d(1, 6, 5, { padding: 2 }),
  new nn.ReLU(),
  new nn.MaxPool2d(2),
  new nn.Conv2d(6, 16, 5),
  new nn.ReLU(),
  new nn.MaxPool2d(2),
  new nn.Flatten(),
  new nn.Linear(400, 10),
);
const criterion = new nn.CrossEntropyLoss();
const optimizer = new optim.Adam(model.parameters(), { lr: 1e-3 });
const loader = new DataLoader(train_set, { batch_size: 64, shuffle: true });

for (const [images, labels] of loader) {
  optimizer.zero_grad();
  const loss = criterion(model(images), labels);
  loss.backward();
  optimizer.step();
  console.log(loss.item());
}

class Net extends nn.Module {
  conv = new nn.Conv2d(1, 4, 3);
  fc = new nn.Linear(4, 1);

  forward(x: torch.Tensor) {
    return this.fc(F.relu(this.conv(x)).mean([2, 3]));
  }
}

const net = new Net();
const out: torch.Tensor = net(torch.randn(2, 1, 8, 8));
const loss: tf.Tensor = out.mul(2).relu().sum(); // chained methods of tfjs
loss.backward();
const gradient: torch.Tensor | null = net.fc.weight.grad;
const value: number = loss.item();
for (const p of net.parameters()) p.data.add_(p.grad ?? 0, { alpha: -0.1 });
const linear: torch.nn.Linear = net.fc;
const scheduler: torch.optim.lr_scheduler.LRScheduler = new optim.lr_scheduler.StepLR(optimizer, 1, { gamma: 0.7 });
scheduler.step();
optimizer.param_groups[0]!.lr = 1e-4;
const correct: number = torch.no_grad(() => model(out).argmax(1).eq(out).sum().item());
console.log(backend, gradient, value, linear, correct, Loader === DataLoader, ValueError);

// @ts-expect-error: a typo
new optim.Adam(model.parameters(), { lrr: 1e-3 });
// @ts-expect-error: a typo
new nn.Conv2d(1, 6, 5, { paddin: 2 });
// @ts-expect-error: a typo
loss.bakward();
// @ts-expect-error: a string is no tensor
net('x');
