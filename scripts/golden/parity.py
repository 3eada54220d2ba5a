"""Records small trainings by torch for test/parity-package.test.ts: test/golden/parity/*.json, in the format of docs/parity.md.

Run with torch 2.15.0: python scripts/golden/parity.py

One golden for each of torch.optim's optimizers, on a model of two layers (SparseAdam: an embedding; Muon: weights alone), three
steps in float32, with what a script does besides: groups, a scheduler, clipping, a buffer, a parameter without a gradient.
"""
import sys
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "packages/parity"))
from record import record, save  # noqa: E402

TORCH, SEED, STEPS = "2.15.0", 0, 3

# The options that make an optimizer keep all the state it has.
ROWS = {
    "SGD": dict(lr=0.1, momentum=0.9, weight_decay=0.01),
    "Adam": dict(lr=0.01, amsgrad=True),
    "AdamW": dict(lr=0.01, weight_decay=0.1),
    "NAdam": dict(lr=0.01),
    "RAdam": dict(lr=0.01),
    "Adamax": dict(lr=0.01),
    "Adagrad": dict(lr=0.05, initial_accumulator_value=0.1),
    "Adadelta": dict(lr=1.0),
    "RMSprop": dict(lr=0.01, momentum=0.9, centered=True),
    "Rprop": dict(lr=0.01),
    "ASGD": dict(lr=0.05, t0=1),
    "LBFGS": dict(lr=0.5, max_iter=3, line_search_fn="strong_wolfe"),
    "Adafactor": dict(lr=0.01),
    "Muon": dict(lr=0.01),
    "SparseAdam": dict(lr=0.05),
}


class Net(nn.Module):
    """`unused` never has a gradient, `scale` is a buffer."""

    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(3, 4)
        self.out = nn.Linear(4, 2)
        self.unused = nn.Parameter(torch.zeros(2))
        self.register_buffer("scale", torch.tensor([1.0, 2.0]))

    def forward(self, x):
        return self.out(torch.relu(self.hidden(x))) * self.scale


def dense(name, options):
    model = Net()
    params = list(model.parameters())
    if name == "Muon":
        params = [model.hidden.weight, model.out.weight]
    elif name == "Adam":
        params = [dict(params=[model.out.weight, model.out.bias], lr=0.05), dict(params=[model.hidden.weight, model.unused, model.hidden.bias])]
    optimizer = getattr(torch.optim, name)(params, **options)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.5)

    def batches():
        for _ in range(STEPS):
            yield torch.randn(5, 3), torch.randint(2, [5])
            scheduler.step()

    clip = dict(after_backward=lambda: nn.utils.clip_grad_value_(model.parameters(), 0.05)) if name == "SGD" else {}
    return record(model, optimizer, lambda x, y: F.cross_entropy(model(x), y), batches(), **clip)


def sparse(options):
    model = nn.Embedding(6, 3, sparse=True)
    batches = [torch.randint(5, [4]) for _ in range(STEPS)]
    optimizer = torch.optim.SparseAdam(model.parameters(), **options)
    return record(model, optimizer, lambda ids: model(ids).square().sum(), batches)


def main():
    assert torch.__version__.split("+")[0] == TORCH, f"these goldens are torch {TORCH}'s"
    torch.set_num_threads(1)
    folder = ROOT / "test/golden/parity"
    folder.mkdir(exist_ok=True)
    for name, options in ROWS.items():
        torch.manual_seed(SEED)
        trace = sparse(options) if name == "SparseAdam" else dense(name, options)
        save(trace, folder / f"{name}.json")
    print(f"{sum(f.stat().st_size for f in folder.iterdir()) / 1e3:.0f} kB")


main()
