// LeNet on MNIST, written as its PyTorch original beside it, main.py.

import { initBackend } from '@tfjs-torch/node';
import torch, { torchvision } from 'tfjs-torch';
import { readArguments } from './arguments';
import { progress } from './progress';

const { nn, optim } = torch;
const { functional: F } = nn;
const { DataLoader } = torch.utils.data;
const { datasets, transforms } = torchvision;

class LeNet extends nn.Module {
  conv1 = new nn.Conv2d(1, 6, 5, { padding: 2 });
  conv2 = new nn.Conv2d(6, 16, 5);
  fc1 = new nn.Linear(400, 120);
  fc2 = new nn.Linear(120, 84);
  fc3 = new nn.Linear(84, 10);

  forward(x: torch.Tensor) {
    x = F.max_pool2d(F.relu(this.conv1(x)), 2);
    x = F.max_pool2d(F.relu(this.conv2(x)), 2);
    x = x.flatten(1);
    x = F.relu(this.fc1(x));
    x = F.relu(this.fc2(x));
    return this.fc3(x);
  }
}

function train(epoch: number) {
  model.train();
  const bar = progress(epoch, train_set.length);
  for (const [images, labels] of train_loader) {
    optimizer.zero_grad();
    const loss = criterion(model(images), labels);
    loss.backward();
    optimizer.step();
    bar.update(labels.size, loss.item());
  }
  bar.stop();
}

function test() {
  model.eval();
  let correct = 0;
  torch.no_grad(() => {
    for (const [images, labels] of test_loader) {
      correct += model(images).argmax(1).eq(labels).sum().item();
    }
  });
  return correct / test_set.length;
}

const args = readArguments();
const { backend } = await initBackend({ backend: args.backend });
console.log(`backend: ${backend}`);

const train_set = new datasets.MNIST(args.data, { train: true, transform: new transforms.ToTensor() });
const test_set = new datasets.MNIST(args.data, { train: false, transform: new transforms.ToTensor() });

torch.manual_seed(args.seed);
const model = new LeNet();
const criterion = new nn.CrossEntropyLoss();
const optimizer = new optim.Adam(model.parameters(), { lr: args.lr });
const train_loader = new DataLoader(train_set, { batch_size: args.batch_size, shuffle: true });
// A generator of its own: evaluation leaves the order of the next epoch alone.
const test_loader = new DataLoader(test_set, { batch_size: 1000, generator: new torch.Generator() });

for (let epoch = 1; epoch <= args.epochs; epoch++) {
  train(epoch);
  console.log(`epoch ${epoch}: test accuracy ${(100 * test()).toFixed(2)} %`);
}
