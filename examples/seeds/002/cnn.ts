// 机器学习之Adam(Adaptive Moment Estimation)自适应学习率: the second script, beside cnn.py.
import torch from 'tfjs-torch';

const { nn, optim } = torch;

torch.manual_seed(0);

class SimpleModel extends nn.Module {
  conv1 = new nn.Conv2d(1, 32, { kernel_size: 3, padding: 1 });
  relu1 = new nn.ReLU();
  pool1 = new nn.MaxPool2d({ kernel_size: 2, stride: 2 }); // 添加池化层
  conv2 = new nn.Conv2d(32, 64, { kernel_size: 3, padding: 1 });
  relu2 = new nn.ReLU();
  pool2 = new nn.MaxPool2d({ kernel_size: 2, stride: 2 }); // 添加池化层
  fc1 = new nn.Linear(64 * 7 * 7, 128);
  relu3 = new nn.ReLU();
  fc2 = new nn.Linear(128, 10);

  forward(x: torch.Tensor) {
    x = this.pool1(this.relu1(this.conv1(x)));
    x = this.pool2(this.relu2(this.conv2(x)));
    x = x.view(-1, 64 * 7 * 7); // 将特征图展平
    x = this.relu3(this.fc1(x));
    x = this.fc2(x);
    return x;
  }
}

// 创建模型和随机输入数据
const model = new SimpleModel();
const data = torch.randn(1, 1, 28, 28); // 输入数据,假设是28x28的单通道图像
const target = torch.randint(0, 10, [1]);

// 定义损失函数和Adam优化器
const criterion = new nn.CrossEntropyLoss();
const optimizer = new optim.Adam(model.parameters(), { lr: 0.001 });

for (let epoch = 0; epoch < 100; epoch++) {
  optimizer.zero_grad(); // 梯度清零
  const outputs = model(data); // 前向传播
  const loss = criterion(outputs, target); // 计算损失
  loss.backward(); // 反向传播,计算梯度
  optimizer.step(); // 更新模型参数

  if ((epoch + 1) % 10 === 0) {
    console.log(`Epoch [${epoch + 1}/100], Loss: ${loss.item()}`);
  }
}

// 模型训练完成,可以使用训练好的模型进行预测等任务
