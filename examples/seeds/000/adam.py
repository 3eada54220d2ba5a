"""pytorch ——torch.optim.Adam: its arguments, the Example, step(closure), what the optimizer holds.

Added to the article: the seed, the model and the data, and the prints.
"""
import torch
from torch import nn

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(10, 16), nn.Tanh(), nn.Linear(16, 1))
input = torch.randn(20, 10)
target = torch.randn(20, 1)
loss_fn = nn.MSELoss()

optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
for _ in range(5):
    optimizer.zero_grad()
    loss_fn(model(input), target).backward()
    optimizer.step()
print(f'after 5 steps of SGD: loss {loss_fn(model(input), target).item():.4f}')

optimizer = torch.optim.Adam(model.parameters(), lr=0.001, betas=(0.9, 0.999), eps=1e-08, weight_decay=0)


# step(closure=None)函数:执行单一的优化步骤
# closure (callable, optional):用于重新评估模型并返回损失的一个闭包
def closure():
    optimizer.zero_grad()
    loss = loss_fn(model(input), target)
    loss.backward()
    return loss


for step in range(15):
    loss = optimizer.step(closure)
    print(f'step {step + 1}: loss {loss.item():.4f}')

# 网络模型参数和优化器的参数都保存在列表 self.param_groups 的元素中 ... 可以通过两层循环访问网络模型的每一个参数 p
for group in optimizer.param_groups:
    for p in group['params']:
        state = optimizer.state[p]
        print(list(p.shape), state['step'].item(), f"{state['exp_avg'].abs().mean().item():.4f}")
print(optimizer)
