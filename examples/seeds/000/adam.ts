// pytorch ——torch.optim.Adam: its arguments, the Example, step(closure), what the optimizer holds, beside adam.py.
import torch from 'tfjs-torch';

const { nn } = torch;

torch.manual_seed(0);
const model = new nn.Sequential(new nn.Linear(10, 16), new nn.Tanh(), new nn.Linear(16, 1));
const input = torch.randn(20, 10);
const target = torch.randn(20, 1);
const loss_fn = new nn.MSELoss();

const sgd = new torch.optim.SGD(model.parameters(), { lr: 0.1, momentum: 0.9 });
for (let i = 0; i < 5; i++) {
  sgd.zero_grad();
  loss_fn(model(input), target).backward();
  sgd.step();
}
console.log(`after 5 steps of SGD: loss ${loss_fn(model(input), target).item().toFixed(4)}`);

const optimizer = new torch.optim.Adam(model.parameters(), {
  lr: 0.001,
  betas: [0.9, 0.999],
  eps: 1e-8,
  weight_decay: 0,
});

// step(closure=None)函数:执行单一的优化步骤
// closure (callable, optional):用于重新评估模型并返回损失的一个闭包
const closure = () => {
  optimizer.zero_grad();
  const loss = loss_fn(model(input), target);
  loss.backward();
  return loss;
};

for (let step = 0; step < 15; step++) {
  const loss = optimizer.step(closure);
  console.log(`step ${step + 1}: loss ${loss.item().toFixed(4)}`);
}

// 网络模型参数和优化器的参数都保存在列表 self.param_groups 的元素中 ... 可以通过两层循环访问网络模型的每一个参数 p
for (const group of optimizer.param_groups) {
  for (const p of group.params) {
    const state = optimizer.state.get(p)!;
    const exp_avg = state.exp_avg as torch.Tensor;
    console.log(`[${p.shape.join(', ')}] ${state.step} ${exp_avg.abs().mean().item().toFixed(4)}`);
  }
}
console.log(`${optimizer}`);
