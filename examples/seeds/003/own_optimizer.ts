// 0605-优化器, 一、优化器概述: 所有的优化方法都继承基类 optim.Optimizer,并实现了自己的优化步骤, beside own_optimizer.py.
import torch from 'tfjs-torch';

const t = torch;
const { nn, optim } = torch;

t.manual_seed(0);

interface OwnSGDOptions {
  lr: number;
  momentum: number;
}

class OwnSGD extends optim.Optimizer<OwnSGDOptions> {
  constructor(
    params: torch.optim.ParamsInput<OwnSGDOptions>,
    { lr = 1e-2, momentum = 0.9 }: Partial<OwnSGDOptions> = {},
  ) {
    super(params, { lr, momentum });
  }

  override step() {
    for (const group of this.param_groups) {
      for (const p of group.params) {
        if (p.grad === null) continue;
        const state = this.state.get(p) ?? { buffer: t.zeros_like(p) };
        this.state.set(p, state);
        const buffer = state.buffer as torch.Tensor;
        buffer.mul_(group.momentum).add_(p.grad);
        p.add_(buffer, { alpha: -group.lr });
      }
    }
    return null;
  }
}

const net = new nn.Sequential(new nn.Linear(4, 16), new nn.ReLU(), new nn.Linear(16, 1));
const inp = t.randn(32, 4);
const target = inp.sum(1, { keepdim: true });
const criterion = new nn.MSELoss();
const optimizer = new OwnSGD([{ params: net[0]!.parameters() }, { params: net[2]!.parameters(), lr: 0.02 }], {
  lr: 0.01,
});
const scheduler = new optim.lr_scheduler.StepLR(optimizer, { step_size: 10, gamma: 0.5 });

for (let epoch = 0; epoch < 20; epoch++) {
  optimizer.zero_grad();
  const loss = criterion(net(inp), target);
  loss.backward();
  optimizer.step();
  scheduler.step();
  console.log(`epoch ${epoch + 1}: loss ${loss.item().toFixed(4)}`);
}
console.log(`${optimizer}`);
