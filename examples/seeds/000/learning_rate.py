"""pytorch ——torch.optim.Adam, 动态调整学习率: adjust_learning_rate, and ReduceLROnPlateau on a validation loss.

Added to the article: the seed, the model and the data, and the training.
"""
import torch
from torch import nn

torch.manual_seed(0)
lr = 0.1


def adjust_learning_rate(optimizer, epoch, t=10):
    """Sets the learning rate to the initial LR decayed by 10 every t epochs,default=10"""
    new_lr = lr * (0.1 ** (epoch // t))
    for param_group in optimizer.param_groups:
        param_group['lr'] = new_lr


inputs = torch.randn(60, 5)
targets = inputs[:, :1] * 2 - inputs[:, 1:2] + 0.3 * torch.randn(60, 1)
train, valid = (inputs[:40], targets[:40]), (inputs[40:], targets[40:])
loss_fn = nn.MSELoss()


def fit(model, optimizer):
    optimizer.zero_grad()
    loss = loss_fn(model(train[0]), train[1])
    loss.backward()
    optimizer.step()
    with torch.no_grad():
        return loss, loss_fn(model(valid[0]), valid[1])


model = nn.Linear(5, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=lr)
for epoch in range(20):
    adjust_learning_rate(optimizer, epoch, t=5)
    loss, valid_loss = fit(model, optimizer)
    print(f"epoch {epoch + 1}: lr {optimizer.param_groups[0]['lr']:.4f} loss {loss.item():.4f} {valid_loss.item():.4f}")

# torch.optim.lr_scheduler.ReduceLROnPlateau 基于验证测量结果来设置不同的学习率.
model = nn.Linear(5, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.3)
scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.5, patience=1)
for epoch in range(20):
    loss, valid_loss = fit(model, optimizer)
    scheduler.step(valid_loss)
    print(f"epoch {epoch + 1}: lr {optimizer.param_groups[0]['lr']:.4f} loss {loss.item():.4f} {valid_loss.item():.4f}")
