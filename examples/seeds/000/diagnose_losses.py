"""pytorch ——torch.optim.Adam, 在训练过程中关于loss的一些说明: the table as a function, used on curves of real runs.

Added to the article: all but the table.
"""
import math

import torch
from torch import nn

TABLE = {
    ('falls', 'falls'): (1, '网络正在学习', 'the network is learning: go on'),
    ('falls', 'flat'): (2, '网络过拟合', 'overfitting: stop here, or more data, weight decay, dropout'),
    ('flat', 'flat'): (3, '学习遇到瓶颈', 'stuck: lower the learning rate or the batch size'),
    ('flat', 'falls'): (4, '数据集100%有问题', 'something is wrong with the data'),
    ('rises', 'rises'): (5, '网络结构设计不当,训练超参数设置不当,程序bug等', 'the network, a hyperparameter or a bug: check them'),
}


def trend(losses):
    """What becomes of a curve: its last quarter beside its first, by a tenth. A loss that is no number any more has risen."""
    quarter = max(1, len(losses) // 4)
    first, last = sum(losses[:quarter]) / quarter, sum(losses[-quarter:]) / quarter
    if not math.isfinite(last) or last > 1.1 * first:
        return 'rises'
    return 'falls' if last < 0.9 * first else 'flat'


def diagnose_losses(train, test):
    """The row of the article's table for two curves, what it says, and an advice; None where the table has no such row."""
    trends = trend(train), trend(test)
    return trends, TABLE.get(trends)


def curves(seed, n, noise, lr, hidden, maximize=False, epochs=40):
    """Losses on `n` points whose labels are wrong with the probability `noise`, and on 200 others that are right."""
    torch.manual_seed(seed)
    inputs, test_inputs = torch.randn(n, 6), torch.randn(200, 6)
    right = inputs[:, 0] > inputs[:, 1]
    targets = (right != (torch.rand(n) < noise)).long()
    test_targets = (test_inputs[:, 0] > test_inputs[:, 1]).long()
    model = nn.Sequential(nn.Linear(6, hidden), nn.Tanh(), nn.Linear(hidden, 2))
    optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9, maximize=maximize)
    loss_fn = nn.CrossEntropyLoss()
    train, test = [], []
    for epoch in range(epochs):
        optimizer.zero_grad()
        loss = loss_fn(model(inputs), targets)
        loss.backward()
        optimizer.step()
        train.append(loss.item())
        with torch.no_grad():
            test.append(loss_fn(model(test_inputs), test_targets).item())
    return train, test


RUNS = {
    'a network that learns': dict(seed=0, n=200, noise=0, lr=0.05, hidden=16),
    '24 points for 450 weights': dict(seed=1, n=24, noise=0.1, lr=0.05, hidden=50),
    'a learning rate near nothing': dict(seed=0, n=200, noise=0, lr=1e-6, hidden=16),
    'four labels in ten wrong': dict(seed=0, n=400, noise=0.4, lr=0.05, hidden=16),
    'a bug, the loss is maximized': dict(seed=0, n=200, noise=0, lr=0.05, hidden=16, maximize=True),
}

for name, options in RUNS.items():
    train, test = curves(**options)
    trends, row = diagnose_losses(train, test)
    print(f'{name}: train {train[0]:.4g} to {train[-1]:.4g} {trends[0]}, test {test[0]:.4g} to {test[-1]:.4g} {trends[1]}')
    print('  ' + ('not in the table' if row is None else f'{row[0]} {row[1]}: {row[2]}'))
