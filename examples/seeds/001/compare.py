"""深度学习--优化器篇(超详细付代码测试流程包含:SGD,SGDM,NAG,Adagrad,RMSProp,Adam,Adadelta,Nadam等常用优化器): the comparison.

The article tests its optimizers on the CNN of another one, which it does not show: this is a CNN for MNIST's digits, trained by
each optimizer from the same weights on the same 300 batches.
"""
import sys
from pathlib import Path

import torch
from torch import nn
from torch.utils.data import DataLoader, Subset

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from datasets import mnist

BATCHES = 300


class CNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Sequential(nn.Conv2d(1, 8, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2))
        self.conv2 = nn.Sequential(nn.Conv2d(8, 16, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2))
        self.out = nn.Linear(16 * 7 * 7, 10)

    def forward(self, x):
        x = self.conv1(x)
        x = self.conv2(x)
        x = x.view(x.size(0), -1)
        return self.out(x)


OPTIMIZERS = {
    'SGD': lambda params: torch.optim.SGD(params, lr=0.01),
    'SGDM': lambda params: torch.optim.SGD(params, lr=0.01, momentum=0.9),
    'NAG': lambda params: torch.optim.SGD(params, lr=0.01, momentum=0.9, nesterov=True),
    'Adagrad': lambda params: torch.optim.Adagrad(params, lr=0.01, lr_decay=0, weight_decay=0, initial_accumulator_value=0),
    'RMSprop': lambda params: torch.optim.RMSprop(params, lr=0.001, alpha=0.9, eps=1e-08, weight_decay=0, momentum=0, centered=False),
    'Adadelta': lambda params: torch.optim.Adadelta(params, lr=1.0, rho=0.9, eps=1e-06, weight_decay=0),
    'Adam': lambda params: torch.optim.Adam(params, lr=0.001, betas=(0.9, 0.999), eps=1e-08, weight_decay=0, amsgrad=False),
    'NAdam': lambda params: torch.optim.NAdam(params, lr=0.002, betas=(0.9, 0.999), eps=1e-08, weight_decay=0, momentum_decay=0.004),
}

train_set, test_set = mnist(train=True), Subset(mnist(train=False), range(2000))
criterion = nn.CrossEntropyLoss()


def train(make):
    torch.manual_seed(0)
    model = CNN()
    optimizer = make(model.parameters())
    loader = DataLoader(train_set, batch_size=64, shuffle=True)
    losses = []
    for images, labels in loader:
        optimizer.zero_grad()
        loss = criterion(model(images), labels)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        if len(losses) == BATCHES:
            break
    correct = 0
    with torch.no_grad():
        for images, labels in DataLoader(test_set, batch_size=500):
            correct += (model(images).argmax(1) == labels).sum().item()
    return losses, 100 * correct / len(test_set)


curves = {}
print('optimizer | first | last 20 | test accuracy')
for name, make in OPTIMIZERS.items():
    losses, accuracy = train(make)
    curves[name] = losses
    print(f'{name:9} | {losses[0]:.4f} | {sum(losses[-20:]) / len(losses[-20:]):.4f} | {accuracy:.2f} %')
