// 0605-优化器, 一、优化器概述: a LeNet, a step of SGD, beside lenet.py.
import torch from 'tfjs-torch';

const t = torch;
const { nn } = torch;
const { Variable: V } = torch.autograd;

t.manual_seed(0);

// 首先定义一个 LeNet 网络

class Net extends nn.Module {
  features = new nn.Sequential(
    new nn.Conv2d(3, 6, 5),
    new nn.ReLU(),
    new nn.MaxPool2d(2, 2),
    new nn.Conv2d(6, 16, 5),
    new nn.ReLU(),
    new nn.MaxPool2d(2, 2),
  );
  classifier = new nn.Sequential(
    new nn.Linear(16 * 5 * 5, 120),
    new nn.ReLU(),
    new nn.Linear(120, 84),
    new nn.ReLU(),
    new nn.Linear(84, 10),
  );

  forward(x: torch.Tensor) {
    x = this.features(x);
    x = x.view(-1, 16 * 5 * 5);
    x = this.classifier(x);
    return x;
  }
}

const net = new Net();
const { optim } = torch;

const optimizer = new optim.SGD(net.parameters(), { lr: 1 });
optimizer.zero_grad(); // 梯度清零,等价于 net.zero_grad()

const inp = V(t.randn(1, 3, 32, 32));
const output = net(inp);
output.backward(output);

optimizer.step(); // 优化参数

console.log(`${net}`);
console.log(`${output}`);
console.log(`${net(inp)}`);
