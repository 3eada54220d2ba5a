// 优化器和将优化器加入CIFAR10神经网络: L1Loss, MSELoss, CrossEntropyLoss, beside losses.py.
import torch, { torchvision } from 'tfjs-torch';
import { cifar10Root } from '../cifar10';

const { nn } = torch;
const { L1Loss, MSELoss, Sequential, Conv2d, MaxPool2d, Linear, Flatten } = nn;
const { DataLoader } = torch.utils.data;

class Zilliax extends nn.Module {
  model = new Sequential(
    new Conv2d(3, 32, 5, { padding: 2 }),
    new MaxPool2d(2),
    new Conv2d(32, 32, 5, { padding: 2 }),
    new MaxPool2d(2),
    new Conv2d(32, 64, 5, { padding: 2 }),
    new MaxPool2d(2),
    new Flatten(),
    new Linear(1024, 64),
    new Linear(64, 10),
  );

  forward(x: torch.Tensor) {
    x = this.model(x);
    return x;
  }
}

const dataset = new torchvision.datasets.CIFAR10(cifar10Root(), {
  train: false,
  transform: torchvision.transforms.ToTensor(),
  download: true,
});
const dataloader = new DataLoader(dataset, { batch_size: 32 });
for (const loss of [new L1Loss(), new MSELoss(), new nn.CrossEntropyLoss()]) {
  torch.manual_seed(0);
  const z = new Zilliax();
  const optimizer = new torch.optim.SGD(z.parameters(), { lr: 0.01 });
  let running_loss = torch.tensor(0.0);
  for (const data of dataloader) {
    const [imgs, labels] = data;
    let targets: torch.Tensor = labels;
    const outputs = z(imgs);
    if (!(loss instanceof nn.CrossEntropyLoss)) {
      targets = torch.eye(10).gather(labels);
    }
    const result = loss(outputs, targets);
    optimizer.zero_grad();
    result.backward();
    optimizer.step();
    running_loss = running_loss.add(result);
  }
  console.log(`${loss} ${running_loss}`);
}
