// 0605-优化器, 二、三、四: a learning rate for each network, for each layer, and one that changes, beside learning_rates.py.
import torch from 'tfjs-torch';

const t = torch;
const { nn, optim } = torch;

t.manual_seed(0);

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
const inp = t.randn(8, 3, 32, 32);
const target = t.randint(0, 10, [8]);
const criterion = new nn.CrossEntropyLoss();

function train(optimizer: torch.optim.SGD, steps: number) {
  for (let i = 0; i < steps; i++) {
    optimizer.zero_grad();
    const loss = criterion(net(inp), target);
    loss.backward();
    optimizer.step();
    console.log(`[${optimizer.param_groups.map((group) => group.lr).join(', ')}] loss ${loss.item().toFixed(4)}`);
  }
}

// 为不同子网络设置不同的学习率,在 finetune 中经常用到
// 如果对某个参数不指定学习率,就使用默认学习率
let optimizer = new optim.SGD(
  [
    {
      params: net.features.parameters(),
    }, // 学习率为 1e-5
    {
      params: net.classifier.parameters(),
      lr: 1e-2,
    },
  ],
  { lr: 1e-5 },
);
train(optimizer, 5);

// 只为两个全连接层设置较大的学习率,其余层的学习率较小
const special_layers = new nn.ModuleList([net.classifier[0]!, net.classifier[3]!]);
// An object is its own id here.
const special_layers_params = [...special_layers.parameters()]; // 得到特殊层的 id

// 筛选出不属于特殊层的层
const base_params = [...net.parameters()].filter((p) => !special_layers_params.includes(p));

// 对于特殊层和非特殊层设定不同的 lr
optimizer = new t.optim.SGD(
  [
    {
      params: base_params,
    },
    {
      params: special_layers.parameters(),
      lr: 0.01,
    },
  ],
  { lr: 0.001 },
);
train(optimizer, 5);

// 直接修改 optimizer.param_groups 中对应的学习率(不推荐)
for (const param_group of optimizer.param_groups) {
  param_group.lr = (param_group.lr as number) * 2;
}
train(optimizer, 5);

// 调整学习率,新建一个 optimizer
const old_lr = 0.1;

optimizer = new optim.SGD(
  [
    {
      params: net.features.parameters(),
    },
    {
      params: net.classifier.parameters(),
      lr: old_lr * 0.1,
    },
  ],
  { lr: 1e-5 },
);
train(optimizer, 5);
