"""Writes test/golden/autograd.json: small programs over x [2,3], w [3,2], b [2], their values and their gradients.

test/autograd.test.ts holds the same programs by name.
"""
import json
import pathlib

import torch
import torch.nn.functional as F
from head import head


def accumulate(x, w, b):
    (x * 2).sum().backward()
    y = (x * x).sum()
    y.backward()
    return y


def retain(x, w, b):
    y = (x.exp() * 0.5).sum()
    y.backward(retain_graph=True)
    y.backward()
    return y


def shared(x, w, b):
    h = x @ w
    return (h * h + h).sum()


def branches(x, w, b):
    h = torch.tanh(x @ w + b)
    (h[:, :1] * 3).sum().backward(retain_graph=True)
    return (h * h).mean()


def double_backward(x, w, b):
    y = (x * x * x).sum()
    (g,) = torch.autograd.grad(y, x, create_graph=True)
    return (g * g).sum()


def penalty(x, w, b):
    (g,) = torch.autograd.grad(torch.tanh(x @ w).sum(), x, create_graph=True)
    return ((g.norm() - 1) ** 2)


def in_place(x, w, b):
    h = x @ w
    h.add_(b)
    h.mul_(2)
    return (h * h).sum()


def detached(x, w, b):
    h = x @ w
    return (h * h.detach()).sum()


def gradient_given(x, w, b):
    h = x @ w + b
    h.backward(h)
    return h


def no_grad_part(x, w, b):
    with torch.no_grad():
        scale = (x * x).sum()
    return ((x @ w) * scale).sum()


def frozen(x, w, b):
    w.requires_grad_(False)
    return (x @ w + b).sum()


def retained(x, w, b):
    h = x @ w
    h.retain_grad()
    y = (h * h).sum()
    y.backward()
    b.grad = h.grad.sum(0)
    return y


PROGRAMS = {
    "add_broadcast": lambda x, w, b: (x @ w + b).sum(),
    "sub_broadcast": lambda x, w, b: (b - x @ w).pow(2).sum(),
    "mul_broadcast": lambda x, w, b: ((x @ w) * b).sum(),
    "div": lambda x, w, b: (b / (x @ w + 3)).sum(),
    "relu": lambda x, w, b: F.relu(x @ w + b).sum(),
    "mean_axis": lambda x, w, b: (x.mean(0) * x.mean(1, keepdim=True)).sum(),
    "max": lambda x, w, b: (x @ w).max(),
    "transpose": lambda x, w, b: (x.transpose(0, 1).reshape(2, 3) * x).sum(),
    "cat": lambda x, w, b: torch.cat([x @ w, b.expand(1, 2)]).pow(3).sum(),
    "softmax": lambda x, w, b: (torch.softmax(x @ w, 1) * b).sum(),
    "log_sigmoid_sqrt": lambda x, w, b: (torch.log(torch.sigmoid(x)) * torch.sqrt(torch.abs(x))).sum(),
    "view": lambda x, w, b: (x.view(-1, 2).unsqueeze(0).squeeze(0).flatten(0) * 2).pow(2).sum(),
    "alpha": lambda x, w, b: (x @ w).add(b, alpha=0.5).sub(b, alpha=3).pow(2).sum(),
    "accumulate": accumulate,
    "retain": retain,
    "shared": shared,
    "branches": branches,
    "double_backward": double_backward,
    "penalty": penalty,
    "in_place": in_place,
    "detached": detached,
    "gradient_given": gradient_given,
    "no_grad_part": no_grad_part,
    "frozen": frozen,
    "retained": retained,
}
SELF_CONTAINED = {"accumulate", "retain", "gradient_given", "retained"}

torch.manual_seed(0)
inputs = {"x": torch.randn(2, 3), "w": torch.randn(3, 2), "b": torch.randn(2)}
rows = {}
for name, program in PROGRAMS.items():
    leaves = {k: v.clone().requires_grad_() for k, v in inputs.items()}
    y = program(**leaves)
    if name not in SELF_CONTAINED:
        y.backward()
    rows[name] = {"value": y.detach().tolist(),
                  "grads": {k: None if v.grad is None else v.grad.tolist() for k, v in leaves.items()}}

errors = {}


def error(name, f):
    try:
        f()
    except Exception as e:  # the text is the golden
        errors[name] = {"type": type(e).__name__, "message": str(e)}
    else:
        raise AssertionError(name)


leaf = torch.ones(3, requires_grad=True)


def twice():
    y = leaf.exp().sum()
    y.backward()
    y.backward()


error("no grad_fn", lambda: torch.ones(1).backward())
error("not a scalar", lambda: (leaf * 2).backward())
error("twice", twice)
error("gradient of another shape", lambda: (leaf * 2).backward(torch.ones(2)))
error("requires_grad of a computed tensor", lambda: setattr(leaf * 2, "requires_grad", False))
error("requires_grad of integers", lambda: torch.tensor([1, 2]).requires_grad_())
error("in place on a leaf", lambda: leaf.add_(1))
error("in place with another shape", lambda: torch.ones(3).add_(torch.ones(2, 3)))
error("grad of an input without grad", lambda: torch.autograd.grad(leaf.sum(), torch.ones(3)))
error("grad of an unused input", lambda: torch.autograd.grad(leaf.sum(), torch.ones(3, requires_grad=True)))
error("grad of another size", lambda: setattr(leaf, "grad", torch.ones(2)))
error("item of several", lambda: torch.ones(2).item())
error("view of a wrong size", lambda: torch.ones(6).view(4, -1))
error("view of two unknowns", lambda: torch.ones(6).view(-1, -1))
error("retain_grad without", lambda: torch.ones(2).retain_grad())

out = pathlib.Path(__file__).parents[2] / "test/golden/autograd.json"
out.write_text(json.dumps({"head": head(seed=0),
                           "inputs": {k: v.tolist() for k, v in inputs.items()}, "rows": rows, "errors": errors}))
print(len(rows), "programs,", len(errors), "errors,", out.stat().st_size, "bytes")
