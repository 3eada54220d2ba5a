"""pytorch ——torch.optim.Adam, 4、集成方法: bagging, boosting, stacking.

The article describes the three and shows no program: this is one. 200 points to learn from, 400 to test with, in two classes.
"""
import math

import torch
from torch import nn

torch.manual_seed(0)


def points(n):
    """In class 1 where sin(2x) > y, but for one label in ten."""
    x = torch.rand(n, 2) * 4 - 2
    y = torch.sin(2 * x[:, 0]) > x[:, 1]
    flipped = torch.rand(n) < 0.1
    return x, (y != flipped).long()


inputs, targets = points(200)
test_inputs, test_targets = points(400)
loss_fn = nn.CrossEntropyLoss(reduction='none')


def fit(model, x, y, weights=None, steps=40, lr=0.05):
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    for _ in range(steps):
        optimizer.zero_grad()
        losses = loss_fn(model(x), y)
        loss = losses.mean() if weights is None else (losses * weights).sum()
        loss.backward()
        optimizer.step()
    return model


def scores(model, x):
    with torch.no_grad():
        return torch.softmax(model(x), 1)


def accuracy(score, y):
    return (score.argmax(1) == y).sum().item() / len(y)


def report(name, models, ensemble):
    alone = [accuracy(scores(model, test_inputs), test_targets) for model in models]
    print(f'{name}: alone {min(alone):.3f} to {max(alone):.3f}, together {accuracy(ensemble, test_targets):.3f}')


# bagging: 同质弱学习器,相互独立地并行学习这些弱学习器,并按照某种确定性的平均过程将它们组合起来
def strong():
    return nn.Sequential(nn.Linear(2, 32), nn.Tanh(), nn.Linear(32, 2))


models = []
for _ in range(6):
    chosen = torch.randint(0, 200, (200,))
    models.append(fit(strong(), inputs[chosen], targets[chosen]))
report('bagging', models, sum(scores(model, test_inputs) for model in models))

# boosting: 以一种高度自适应的方法顺序地学习这些弱学习器(每个基础模型都依赖于前面的模型)
weights = torch.full((200,), 1 / 200)
models, votes, ensemble = [], [], torch.zeros(400, 2)
for _ in range(6):
    model = fit(nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 2)), inputs, targets, weights)
    wrong = (scores(model, inputs).argmax(1) != targets).float()
    error = (weights * wrong).sum().item()
    vote = math.log((1 - error) / error)
    weights = weights * torch.exp(vote * wrong)
    weights = weights / weights.sum()
    models.append(model)
    ensemble = ensemble + vote * torch.eye(2)[scores(model, test_inputs).argmax(1)]
report('boosting', models, ensemble)

# stacking: 异质弱学习器,并行地学习它们,并通过训练一个「元模型」将它们组合起来
models = [
    fit(nn.Linear(2, 2), inputs[:100], targets[:100]),
    fit(nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 2)), inputs[:100], targets[:100]),
    fit(nn.Sequential(nn.Linear(2, 8), nn.Sigmoid(), nn.Linear(8, 2)), inputs[:100], targets[:100]),
]


def opinions(x):
    return torch.cat([scores(model, x) for model in models], 1)


meta = fit(nn.Linear(6, 2), opinions(inputs[100:]), targets[100:])
report('stacking', models, scores(meta, opinions(test_inputs)))
