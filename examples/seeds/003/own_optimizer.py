"""0605-优化器, 一、优化器概述: 所有的优化方法都继承基类 optim.Optimizer,并实现了自己的优化步骤.

The article says that one's own optimizer extends optim.Optimizer, and shows none: this is one, SGD with momentum.
"""
import torch as t
from torch import nn, optim

t.manual_seed(0)


class OwnSGD(optim.Optimizer):
    def __init__(self, params, lr=1e-2, momentum=0.9):
        super(OwnSGD, self).__init__(params, dict(lr=lr, momentum=momentum))

    @t.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in group['params']:
                if p.grad is None:
                    continue
                state = self.state[p]
                if len(state) == 0:
                    state['buffer'] = t.zeros_like(p)
                state['buffer'].mul_(group['momentum']).add_(p.grad)
                p.add_(state['buffer'], alpha=-group['lr'])


net = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 1))
inp = t.randn(32, 4)
target = inp.sum(1, keepdim=True)
criterion = nn.MSELoss()
optimizer = OwnSGD([{'params': net[0].parameters()}, {'params': net[2].parameters(), 'lr': 0.02}], lr=0.01)
scheduler = optim.lr_scheduler.StepLR(optimizer, step_size=10, gamma=0.5)

for epoch in range(20):
    optimizer.zero_grad()
    loss = criterion(net(inp), target)
    loss.backward()
    optimizer.step()
    scheduler.step()
    print(f'epoch {epoch + 1}: loss {loss.item():.4f}')
print(optimizer)
