// 优化器和将优化器加入CIFAR10神经网络, 3. 1.使用SGD, beside sgd.py.
import torch, { torchvision } from 'tfjs-torch';
import { cifar10Root } from '../cifar10';

const { nn, optim } = torch;
const { Sequential, Conv2d, MaxPool2d, Linear, Flatten } = nn;
const { DataLoader } = torch.utils.data;

torch.manual_seed(0);

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
// 随机梯度下降
// torch.optim.SGD(parameters() , lr , )
// lr是learning rate,设置太大,模型训练并不稳定,设置太小,模型又比较慢,一般开始大参数,后面小参数,在SGD里建议是小数点后面1个0就可以
const optimizer = new optim.SGD(z.parameters(), { lr: 0.01 });

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
