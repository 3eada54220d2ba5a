"""优化器和将优化器加入CIFAR10神经网络: L1Loss, MSELoss, CrossEntropyLoss.

The article imports L1Loss and MSELoss and uses neither: here the network of its program is trained with each of the three, 20
batches of 32, L1Loss and MSELoss against the label as ten zeros and ones.
"""
import sys
from pathlib import Path

import torch
from torch import nn
from torch.nn import L1Loss,MSELoss,Sequential,Conv2d,MaxPool2d,Linear,Flatten
from torch.utils.data import DataLoader

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from datasets import CIFAR10


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
dataloader = DataLoader(dataset , batch_size = 32)
for loss in (L1Loss(), MSELoss(), nn.CrossEntropyLoss()):
    torch.manual_seed(0)
    z = Zilliax()
    optimizer = torch.optim.SGD(z.parameters() ,lr = 0.01)
    running_loss = 0.0
    for data in dataloader:
        imgs,targets = data
        outputs = z(imgs)
        if not isinstance(loss, nn.CrossEntropyLoss):
            targets = torch.eye(10)[targets]
        result = loss(outputs , targets)
        optimizer.zero_grad()
        result.backward()
        optimizer.step()
        running_loss = running_loss + result
    print(loss, running_loss)
