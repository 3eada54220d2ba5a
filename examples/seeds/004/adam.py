"""优化器和将优化器加入CIFAR10神经网络, 3. 2.Adam.

Added to the article: the seed, and the folder of the data. torchvision's CIFAR10 with ToTensor reads the same files; datasets.py
does so without it.
"""
import sys
from pathlib import Path

import torch
from torch import nn
from torch.nn import L1Loss,MSELoss,Sequential,Conv2d,MaxPool2d,Linear,Flatten
from torch.utils.data import DataLoader
import torch.optim as optim

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from datasets import CIFAR10

torch.manual_seed(1)


class Zilliax(nn.Module):
    def __init__(self):
        super(Zilliax , self).__init__()
        self.model = Sequential(
            Conv2d(3,32, 5, padding = 2),
            MaxPool2d(2),
            Conv2d(32 , 32 , 5 , padding = 2),
            MaxPool2d(2),
            Conv2d(32 , 64 , 5 , padding = 2),
            MaxPool2d(2),
            Flatten(),
            Linear(1024 , 64),
            Linear(64 , 10),
        )

    def forward(self , x):
        x = self.model(x)
        return x


dataset = CIFAR10(train = False)
dataloader = DataLoader(dataset , batch_size = 64)
loss = nn.CrossEntropyLoss()
z = Zilliax()
# Adam
"""
Adam 结合了 RMSProp 和动量法的思想,通过自适应调整学习率,同时维护了动量的一阶和二阶矩估计。
优点:适应性强,对不同类型的数据表现良好;对超参数不太敏感,默认参数通常效果不错。
缺点:有可能会陷入局部最优且收敛慢,特别是在大规模数据集上。
适用场景:广泛应用于各种深度学习任务,是目前最常用的优化器之一。
lr建议是小数点后2个0,lr = 0.01时,loss到epoch16就开始不稳定上升
"""
optimizer = optim.Adam(z.parameters() , lr = 0.001)

for epoch in range(20):
    running_loss = 0.0
    for data in dataloader:
        imgs,targets = data
        outputs = z(imgs)
        result = loss(outputs , targets)  # 交叉熵自带softmax
        optimizer.zero_grad()  # 重新设置梯度,清空上一次存入的梯度
        result.backward()
        optimizer.step()
        running_loss = running_loss + result
    print(running_loss)
