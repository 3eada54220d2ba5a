"""pytorch ——torch.optim.Adam, 其他调参的策略: weight decay, batch normalization, dropout.

Added to the article: the seed, the network and the data, and the training.
"""
import torch
from torch import nn

torch.manual_seed(0)
LR = 0.01

# 3、加入dropout层:dropout一般设置为0.5
dropout = nn.Dropout(0.5)
print(dropout(torch.ones(4, 12)))

# 2、batch normalization: 在神经网络中激活函数的前面,将按照特征进行normalization
net_Adam = nn.Sequential(nn.Linear(6, 24), nn.BatchNorm1d(24), nn.ReLU(), nn.Dropout(0.5), nn.Linear(24, 3))
inputs = torch.randn(48, 6)
targets = inputs[:, :3].argmax(1)
loss_fn = nn.CrossEntropyLoss()

# 1.L2-正则化防止过拟合: 【weight_decay,一般建议0.0005】
opt_Adam = torch.optim.Adam(net_Adam.parameters(), lr=LR, betas=(0.9, 0.99), eps=1e-06, weight_decay=0.0005)
for epoch in range(20):
    net_Adam.train()
    opt_Adam.zero_grad()
    loss = loss_fn(net_Adam(inputs), targets)
    loss.backward()
    opt_Adam.step()
    net_Adam.eval()
    with torch.no_grad():
        print(f'epoch {epoch + 1}: loss {loss.item():.4f}, without dropout {loss_fn(net_Adam(inputs), targets).item():.4f}')
print(net_Adam[1].running_mean[:4])
print(net_Adam[1].running_var[:4])
