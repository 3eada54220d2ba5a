// 优化器和将优化器加入CIFAR10神经网络, 3. 2.Adam, beside adam.py.
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
// Adam
// Adam 结合了 RMSProp 和动量法的思想,通过自适应调整学习率,同时维护了动量的一阶和二阶矩估计。
// 优点:适应性强,对不同类型的数据表现良好;对超参数不太敏感,默认参数通常效果不错。
// 缺点:有可能会陷入局部最优且收敛慢,特别是在大规模数据集上。
// 适用场景:广泛应用于各种深度学习任务,是目前最常用的优化器之一。
// lr建议是小数点后2个0,lr = 0.01时,loss到epoch16就开始不稳定上升
const optimizer = new optim.Adam(z.parameters(), { lr: 0.001 });

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
