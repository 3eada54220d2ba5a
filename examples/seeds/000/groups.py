"""pytorch ——torch.optim.Adam, 关于学习率的调整: a learning rate for each module, and for each layer.

Added to the article: the seed, the network and the data, and the training that shows what each optimizer does.
"""
import torch as t
from torch import nn, optim

t.manual_seed(0)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten())
        self.classifiter = nn.Sequential(nn.Linear(4 * 4 * 4, 32), nn.ReLU(), nn.Dropout(0.2), nn.Linear(32, 10))

    def forward(self, x):
        return self.classifiter(self.features(x))


net = Net()
input = t.randn(16, 1, 8, 8)
target = t.randint(0, 10, (16,))
loss_fn = nn.CrossEntropyLoss()


def train(optimizer):
    for _ in range(10):
        optimizer.zero_grad()
        loss = loss_fn(net(input), target)
        loss.backward()
        optimizer.step()
    print(f'{[group["lr"] for group in optimizer.param_groups]} loss {loss.item():.4f}')


# 直接对不同的网络模块制定不同学习率 classifiter的学习率设置为1e-2,所有的momentum=0.9
optimizer = optim.SGD([{'params': net.features.parameters()}, # 默认lr是1e-5
                       {'params': net.classifiter.parameters(), 'lr': 1e-2}], lr=1e-5, momentum=0.9)
train(optimizer)

# 以层为单位,为不同层指定不同的学习率
# 1、提取指定层对象为classifiter模块的第0个和第3个
special_layers = t.nn.ModuleList([net.classifiter[0], net.classifiter[3]])
# 2、获取指定层参数id
special_layers_params = list(map(id, special_layers.parameters()))
print(len(special_layers_params))
# 3、获取非指定层的参数id
base_params = filter(lambda p: id(p) not in special_layers_params, net.parameters())
optimizer = t.optim.SGD([{'params': base_params},
                         {'params': special_layers.parameters(), 'lr': 0.01}], lr=0.001)
train(optimizer)
print([[list(p.shape) for p in group['params']] for group in optimizer.param_groups])
