"""Records a model of one's own in torch, for main.ts: examples/parity/golden.json

    PYTHONPATH=packages/parity python examples/parity/main.py     (of an installed package: node_modules/@tfjs-torch/parity)
"""

from pathlib import Path

import torch
from record import record, save
from torch import nn

STEPS = 12


class Gated(nn.Module):
    """A layer that torch does not have: tanh of one half, times sigmoid of the other."""

    def __init__(self, inputs, outputs):
        super().__init__()
        self.linear = nn.Linear(inputs, 2 * outputs)

    def forward(self, x):
        values, gates = self.linear(x).chunk(2, 1)
        return values.tanh() * gates.sigmoid()


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = Gated(1, 8)
        self.second = Gated(8, 8)
        self.out = nn.Linear(8, 1)

    def forward(self, x):
        return self.out(self.second(self.first(x)))


torch.set_num_threads(1)
torch.manual_seed(0)
net = Net()
optimizer = torch.optim.AdamW(net.parameters(), lr=0.05, weight_decay=0.1)
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)


def batches():
    for _ in range(STEPS):
        x = torch.rand(16, 1) * 6 - 3
        yield x, torch.sin(2 * x)
        scheduler.step()  # when the step has been taken


trace = record(net, optimizer, lambda x, y: nn.functional.mse_loss(net(x), y), batches())
save(trace, Path(__file__).parent / 'golden.json')
