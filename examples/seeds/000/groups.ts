// pytorch ——torch.optim.Adam, 关于学习率的调整: a learning rate for each module, and for each layer, beside groups.py.
import torch from 'tfjs-torch';

const t = torch;
const { nn, optim } = torch;

t.manual_seed(0);

class Net extends nn.Module {
  features = new nn.Sequential(
    new nn.Conv2d(1, 4, 3, { padding: 1 }),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Flatten(),
  );
  classifiter = new nn.Sequential(
    new nn.Linear(4 * 4 * 4, 32),
    new nn.ReLU(),
    new nn.Dropout(0.2),
    new nn.Linear(32, 10),
  );

  forward(x: torch.Tensor) {
    return this.classifiter(this.features(x));
  }
}

const net = new Net();
const input = t.randn(16, 1, 8, 8);
const target = t.randint(0, 10, [16]);
const loss_fn = new nn.CrossEntropyLoss();

function train(optimizer: torch.optim.SGD) {
  let last = Number.NaN;
  for (let i = 0; i < 10; i++) {
    optimizer.zero_grad();
    const loss = loss_fn(net(input), target);
    loss.backward();
    optimizer.step();
    last = loss.item();
  }
  console.log(`[${optimizer.param_groups.map((group) => group.lr).join(', ')}] loss ${last.toFixed(4)}`);
}

// 直接对不同的网络模块制定不同学习率 classifiter的学习率设置为1e-2,所有的momentum=0.9
let optimizer = new optim.SGD(
  [
    { params: net.features.parameters() }, // 默认lr是1e-5
    { params: net.classifiter.parameters(), lr: 1e-2 },
  ],
  { lr: 1e-5, momentum: 0.9 },
);
train(optimizer);

// 以层为单位,为不同层指定不同的学习率
// 1、提取指定层对象为classifiter模块的第0个和第3个
const special_layers = new t.nn.ModuleList([net.classifiter[0]!, net.classifiter[3]!]);
// 2、获取指定层参数id: an object is its own id here
const special_layers_params = [...special_layers.parameters()];
console.log(special_layers_params.length);
// 3、获取非指定层的参数id
const base_params = [...net.parameters()].filter((p) => !special_layers_params.includes(p));
optimizer = new t.optim.SGD([{ params: base_params }, { params: special_layers.parameters(), lr: 0.01 }], {
  lr: 0.001,
});
train(optimizer);
const shapes = optimizer.param_groups.map((group) => group.params.map((p) => `[${p.shape.join(', ')}]`));
console.log(`[${shapes.map((group) => `[${group.join(', ')}]`).join(', ')}]`);
