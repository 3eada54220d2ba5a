// 优化器和将优化器加入CIFAR10神经网络, 2. 3.AdamW in the program of 3, beside adamw.py.
import torch, { torchvision } from 'tfjs-torch';
import { cifar10Root } from '../cifar10';

const { nn, optim } = torch;
const { Sequential, Conv2d, MaxPool2d, Linear, Flatten } = nn;
const { DataLoader } = torch.utils.data;

torch.manual_seed(1);

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
const dataloader = new DataLoader(dataset, { batch_size: 64 });
const loss = new nn.CrossEntropyLoss();
const z = new Zilliax();
// AdamW
// 神中神,AdamW 是 Adam 的一种改进版本,在每次参数更新时加入了权重衰减(weight decay)来防止模型过拟合。
const optimizer = new optim.AdamW(z.parameters(), { lr: 0.001 });

for (let epoch = 0; epoch < 20; epoch++) {
  let running_loss = torch.tensor(0.0);
  for (const data of dataloader) {
    const [imgs, targets] = data;
    const outputs = z(imgs);
    const result = loss(outputs, targets); // 交叉熵自带softmax
    optimizer.zero_grad(); // 重新设置梯度,清空上一次存入的梯度
    result.backward();
    optimizer.step();
    running_loss = running_loss.add(result);
  }
  console.log(`${running_loss}`);
}
