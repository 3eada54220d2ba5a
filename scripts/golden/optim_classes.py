"""Records the optimizers of torch that are no element-wise rules, for test/optim/classes.test.ts: test/golden/optim-classes.json.

Run with torch 2.15.0 and expecttest: python scripts/golden/optim_classes.py

The format is optim.py's, in float32 only. Muon and Adafactor get the problem's gradients; SparseAdam, and SGD and Adagrad in
rows of ours, sparse ones, uncoalesced, at times empty. LBFGS asks a closure for them:
`Objective` says what it computes, in float64 from the float32 parameters, so that both sides see the same bits. Its cases are
torch's with `exact_sums`; `usual` is what torch as it is makes of them.
"""
import json
import platform
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from torch.nn import Parameter
from torch.optim._muon import _zeropower_via_newtonschulz
from torch.testing._internal.common_optimizers import optim_db

from optim import NAN, P, Q, TORCH, attempt, encode, numbers, plain, run, tup

FORMAT, SEED, STEPS = 2, 1, 20
NAMES = ["Adafactor", "LBFGS", "Muon", "SparseAdam"]
TAKE_SPARSE = ["SGD", "Adagrad"]
MISSING = [[0, 1], [1, 1], [3, 0], [7, 1], [8, 1], [19, 0]]


class Objective:
    """sum(w·(x − a)²)/2 + c·sum((x_i − x_{i+1})⁴) over all parameters as one vector; maximized, its negative."""

    def __init__(self, weights, target, coupling):
        self.weights, self.target, self.coupling = weights, target, coupling

    def __call__(self, x):
        off, gaps = x - self.target, np.diff(x)
        value = (self.weights * off**2).sum() / 2 + self.coupling * (gaps**4).sum()
        slope = 4 * self.coupling * gaps**3
        gradient = self.weights * off
        gradient[1:] += slope
        gradient[:-1] -= slope
        return value, gradient


def problems():
    g = torch.Generator().manual_seed(SEED)

    def draw(shapes):
        return ([torch.randn(shape, generator=g) for shape in shapes],
                [[torch.randn(shape, generator=g) for shape in shapes] for _ in range(STEPS)])

    matrices = draw([[3, 2], [4, 6], [8, 8], [1, 5], [5, 1]])
    mixed = draw([[3, 2], [2, 4, 3], [4], []])
    for k in (5, 6):
        mixed[1][k][0].zero_()
    mixed[0][3].fill_(-3)
    for step in mixed[1]:
        step[3].abs_().add_(0.25)
    return dict(matrices=matrices, mixed=mixed, sparse=sparse_problem(g))


def sparse_problem(g):
    shapes = [[6, 3], [4], [5, 2, 2]]

    def draw(shape, n):
        rows = torch.randint(shape[0] - 1, [1, n], generator=g)  # the last row never has a gradient
        return torch.sparse_coo_tensor(rows, torch.randn([n, *shape[1:]], generator=g), shape, check_invariants=True)

    return ([torch.randn(shape, generator=g) for shape in shapes],
            [[draw(shape, 0 if k in (4, 11) else 4) for shape in shapes] for k in range(STEPS)])


def objectives():
    g = torch.Generator().manual_seed(SEED)
    shapes = [[3, 2], [4], []]
    starts = [torch.randn(shape, generator=g) for shape in shapes]
    n = sum(p.numel() for p in starts)
    weights = (torch.rand(n, generator=g) * 3 + 0.25).double().numpy()
    target = (torch.randn(n, generator=g) + 3).double().numpy()
    return starts, dict(smooth=Objective(weights, target, 0.02), steep=Objective(weights / 4, target, 1.0))


def ours():
    return [
        dict(name="Muon", desc="groups", kwargs=dict(lr=0.01),
             groups=[dict(params=[0, 1], momentum=0.5, adjust_lr_fn="match_rms_adamw"), dict(params=[4, 3], lr=0.002, weight_decay=0)]),
        dict(name="Muon", desc="missing gradients, no nesterov", kwargs=dict(nesterov=False), missing=MISSING),
        dict(name="Muon", desc="by position", args=[2e-3, 0.05, 0.9, False, (3.25, -4.5, 1.5), 1e-5, 3, "spectral_unclamped"], kwargs={}),
        dict(name="Muon", desc="named parameters", kwargs=dict(adjust_lr_fn="original"), named=["a", "b", "c", "d", "e"]),
        dict(name="Muon", desc="options changed", kwargs=dict(lr=0.004),
             changes=[dict(step=4, group=0, lr=0.001), dict(step=9, group=0, momentum=0.4), dict(step=13, group=0, ns_steps=2)]),
        dict(name="Adafactor", desc="groups", kwargs=dict(lr=0.02),
             groups=[dict(params=[0, 2], d=2.5, weight_decay=0.1), dict(params=[3, 1], lr=0.5, eps=(1e-4, 0.5), beta2_decay=-0.5)]),
        dict(name="Adafactor", desc="missing gradients", kwargs=dict(lr=0.05), missing=MISSING),
        dict(name="Adafactor", desc="by position", args=[0.05, -0.6, (0.3, 0.01), 1.25, 0.02], kwargs=dict(foreach=False, maximize=True)),
        dict(name="Adafactor", desc="tensor lr", kwargs=dict(lr=torch.tensor(0.03))),
        dict(name="Adafactor", desc="named parameters", kwargs={}, named=["a", "b", "c", "d"]),
        dict(name="Adafactor", desc="options changed", kwargs=dict(lr=0.1),
             changes=[dict(step=4, group=0, lr=0.01), dict(step=9, group=0, weight_decay=0.2), dict(step=13, group=0, d=3.5)]),
        dict(name="SparseAdam", desc="groups", kwargs=dict(lr=0.02, eps=1e-6),
             groups=[dict(params=[0], betas=(0.5, 0.9)), dict(params=[2, 1], lr=0.1, maximize=True)]),
        dict(name="SparseAdam", desc="missing gradients", kwargs=dict(lr=0.02), missing=MISSING),
        dict(name="SparseAdam", desc="by position", args=[0.05, (0.0, 0.9), 1e-3, True], kwargs={}),
        dict(name="SparseAdam", desc="lr changed", kwargs={}, changes=[dict(step=4, group=0, lr=0.02), dict(step=9, group=0, betas=(0.5, 0.99))]),
        dict(name="SGD", desc="sparse", kwargs=dict(lr=0.1)),
        dict(name="SGD", desc="sparse, maximize, lr changed", kwargs=dict(lr=0.1, maximize=True), changes=[dict(step=5, group=0, lr=0.01)]),
        dict(name="SGD", desc="sparse, momentum", kwargs=dict(lr=0.05, momentum=0.9, dampening=0.25), missing=MISSING),
        dict(name="SGD", desc="sparse, nesterov", kwargs=dict(lr=0.05, momentum=0.5, nesterov=True)),
        dict(name="Adagrad", desc="sparse", kwargs=dict(lr=0.1)),
        dict(name="Adagrad", desc="sparse, everything", kwargs=dict(lr=0.1, lr_decay=0.1, initial_accumulator_value=0.5, maximize=True, eps=1e-4)),
        dict(name="LBFGS", desc="few iterations, short history", kwargs=dict(lr=0.4, max_iter=3, history_size=2)),
        dict(name="LBFGS", desc="one iteration", kwargs=dict(lr=0.1, max_iter=1)),
        dict(name="LBFGS", desc="strong_wolfe, few iterations", kwargs=dict(max_iter=3, history_size=4, line_search_fn="strong_wolfe")),
        dict(name="LBFGS", desc="strong_wolfe, steep", kwargs=dict(lr=30, max_iter=3, line_search_fn="strong_wolfe"), problem="steep"),
        dict(name="LBFGS", desc="strong_wolfe, steep, short steps", kwargs=dict(lr=1e-3, max_iter=2, line_search_fn="strong_wolfe"), problem="steep"),
        dict(name="LBFGS", desc="max_eval", kwargs=dict(max_eval=4, line_search_fn="strong_wolfe"), problem="steep"),
        dict(name="LBFGS", desc="loose tolerances", kwargs=dict(lr=0.2, tolerance_grad=0.5, tolerance_change=1e-2)),
        dict(name="LBFGS", desc="missing gradients", kwargs=dict(lr=0.3, max_iter=3), missing=MISSING),
        dict(name="LBFGS", desc="options changed", kwargs=dict(lr=0.2, max_iter=2),
             changes=[dict(step=4, group=0, lr=0.5), dict(step=9, group=0, max_iter=4), dict(step=13, group=0, line_search_fn="strong_wolfe")]),
        dict(name="LBFGS", desc="by position", args=[0.8, 4, None, 1e-5, 1e-7, 5, "strong_wolfe"], kwargs=dict(maximize=True)),
        dict(name="LBFGS", desc="a group with names", kwargs=dict(lr=0.3), groups=[dict(params=[0, 1, 2], max_iter=2)], named=["a", "b", "c"]),
    ]


@contextmanager
def exact_sums():
    """
    LBFGS's dot products and sums, added up in float64 and then rounded. How torch's own are rounded depends on the CPU, and LBFGS divides
    differences of them: with another order of the same terms torch is as far from itself as with these.
    """
    dot, total = torch.Tensor.dot, torch.Tensor.sum
    torch.Tensor.dot = lambda a, b: dot(a.double(), b.double()).to(a.dtype)
    torch.Tensor.sum = lambda a: total(a.double()).to(a.dtype)
    try:
        yield
    finally:
        torch.Tensor.dot, torch.Tensor.sum = dot, total


def run_closure(row, starts, objective):
    params = [Parameter(p.clone()) for p in starts]
    given = list(zip(row["named"], params)) if "named" in row else params
    given = [{**row["groups"][0], "params": given}] if "groups" in row else given
    optimizer = torch.optim.LBFGS(given, *row.get("args", []), **row["kwargs"])
    missing = {tuple(m) for m in row.get("missing", [])}
    sign = -1 if optimizer.param_groups[0]["maximize"] else 1
    trace, losses = [], []
    for k in range(STEPS):
        for change in row.get("changes", []):
            if change["step"] == k:
                optimizer.param_groups[0].update({n: v for n, v in change.items() if n not in ("step", "group")})

        def closure():
            value, gradient = objective(np.concatenate([p.detach().numpy().reshape(-1) for p in params]).astype(np.float64))
            offset = 0
            for i, p in enumerate(params):
                part = torch.from_numpy(sign * gradient[offset:offset + p.numel()]).float().reshape(p.shape)
                p.grad = None if (k, i) in missing else part
                offset += p.numel()
            return torch.tensor(sign * value, dtype=torch.float32)

        losses.append(numbers(optimizer.step(closure))[0])
        trace.append([numbers(p) for p in params])
    state = optimizer.state_dict()
    return {**plain({k: v for k, v in row.items() if k != "name"}), "name": "LBFGS", "dtype": "float32", "losses": losses, "params": trace,
            "state": plain(state["state"]), "param_groups": plain(state["param_groups"]), "repr": repr(optimizer)}


def cases(shared):
    starts, targets = objectives()
    out = []
    for info in optim_db:
        if info.name not in NAMES + TAKE_SPARSE:
            continue
        rows = [dict(desc=i.desc, kwargs=i.kwargs) for i in info.optim_inputs_func("cpu")] if info.name in NAMES else []
        rows += [{**row, "desc": f"ours: {row['desc']}"} for row in ours() if row["name"] == info.name]
        for row in rows:
            if info.name == "LBFGS":
                objective = targets[row.get("problem", "smooth")]
                usual = run_closure(row, starts, objective)
                with exact_sums():
                    exact = run_closure(row, starts, objective)
                out.append({**exact, "usual": {key: usual[key] for key in ("params", "losses")}})
            else:
                out.append(run(info, {"problem": dict(Muon="matrices", Adafactor="mixed").get(info.name, "sparse"), **row}, STEPS, torch.float32, shared))
    return out


def orthogonalized():
    """Muon's Newton-Schulz by itself: random matrices of several shapes and sizes, and what torch makes of them."""
    g = torch.Generator().manual_seed(SEED)
    rows = []
    for shape in ([1, 1], [3, 2], [2, 5], [8, 8], [16, 5], [12, 20]):
        for scale in (1.0, 1e-5, 1e4):
            x = torch.randn(shape, generator=g) * scale
            y = _zeropower_via_newtonschulz(x, (3.4445, -4.7750, 2.0315), 5, 1e-7).float()
            rows.append(dict(shape=shape, x=numbers(x), y=numbers(y)))
    return rows


M, N = {"$param": 0, "shape": [2, 3]}, {"$param": 1, "shape": [3, 2]}


def error_rows():
    def row(name, desc, params, *calls, args=(), **kwargs):
        return dict(name=name, desc=f"ours: {desc}", params=params, args=list(args), kwargs=kwargs, calls=[list(c) for c in calls])

    for name in NAMES:
        yield row(name, "lr is NaN", [M], lr=NAN)
        yield row(name, "negative lr", [M], lr=-0.5)
        yield row(name, "unknown option", [M], momentun=0.9)
    yield row("Adafactor", "negative weight_decay", [M], weight_decay=-0.5)
    yield row("Adafactor", "negative epsilon2", [M], eps=tup(None, -0.5))
    yield row("Adafactor", "d is NaN", [M], d=NAN)
    yield row("Adafactor", "too many arguments", [M], args=[0.1, -0.8, tup(None, 0.5), 1.0, 0, True])
    yield row("Muon", "negative momentum", [M], momentum=-0.5)
    yield row("Muon", "negative weight_decay", [M], weight_decay=-0.5)
    yield row("Muon", "a vector among matrices", [M, P | {"$param": 2}])
    yield row("Muon", "a hundred steps", [M], ["step"], ns_steps=100)
    yield row("Muon", "maximize is no option", [M], maximize=True)
    for name in ("Adafactor", "Muon", "Adam", "AdamW", "NAdam", "RAdam", "Adamax", "Adadelta", "RMSprop", "Rprop", "ASGD"):
        yield row(name, "a sparse gradient", [M], ["sparse_step"])
    yield row("SGD", "a sparse gradient and weight_decay", [P], ["sparse_step"], weight_decay=0.5)
    yield row("Adagrad", "a sparse gradient and weight_decay", [P], ["sparse_step"], weight_decay=0.5)
    yield row("SparseAdam", "a dense gradient", [P], ["step"])
    yield row("SparseAdam", "lr of 0", [P], lr=0)
    yield row("SparseAdam", "eps of 0", [P], eps=0)
    yield row("SparseAdam", "eps is NaN", [P], eps=NAN)
    yield row("SparseAdam", "beta2 of 1", [P], betas=tup(0.5, 1.0))
    yield row("SparseAdam", "weight_decay is no option", [P], weight_decay=0.5)
    yield row("SparseAdam", "two sparse parameters", [{"params": [P]}, {"params": [{"$sparse": [3]}, Q, {"$sparse": [2, 2]}]}])
    yield row("LBFGS", "two groups", [{"params": [P]}, {"params": [Q]}])
    yield row("LBFGS", "a group added", [P], ["add_param_group", {"params": [Q]}], ["step", {"$closure": 1.0}])
    yield row("LBFGS", "step without a closure", [P], ["step"])
    yield row("LBFGS", "another line search", [P], ["step", {"$closure": 1.0}], line_search_fn="armijo")
    yield row("LBFGS", "a loss of two elements", [P], ["step", {"$closure": [1.0, 2.0]}])
    yield row("LBFGS", "too many arguments", [P], args=[1, 20, None, 0.5, 0.5, 10, None, True])


def is_complex(x):
    if isinstance(x, dict):
        return any(map(is_complex, x.values()))
    return any(map(is_complex, x)) if isinstance(x, (list, tuple, set)) else torch.is_tensor(x) and x.is_complex()


def errors():
    torch.manual_seed(SEED)  # optim_db draws some of its parameters
    rows = []
    for info in optim_db:
        if info.name not in NAMES:
            continue
        for e in info.optim_error_inputs_func("cpu", torch.float32):
            seen, given = {}, e.optimizer_error_input
            if is_complex(given.params):
                continue
            params = [M] if given.params is None else encode(given.params, seen)
            rows.append(dict(name=info.name, desc=given.desc, params=params, args=[], kwargs=encode(given.kwargs, seen), calls=[]))
    rows += list(error_rows())
    return [{**row, "error": attempt(row, getattr(torch.optim, row["name"]))} for row in rows]


def main():
    assert torch.__version__.split("+")[0] == TORCH, f"these goldens are torch {TORCH}'s"
    torch.set_num_threads(1)
    shared = problems()
    starts, targets = objectives()
    head = dict(format=FORMAT, torch=torch.__version__, seed=SEED, threads=torch.get_num_threads(),
                cpu=torch.backends.cpu.get_cpu_capability(), machine=platform.machine())

    def dump(g):
        return dict(rows=g._indices()[0].tolist(), values=numbers(g._values())) if g.is_sparse else numbers(g)

    given = {name: dict(shapes=[list(p.shape) for p in starts], starts=[numbers(p) for p in starts],
                        grads=[[dump(g) for g in step] for step in grads]) for name, (starts, grads) in shared.items()}
    closures = {name: dict(shapes=[list(p.shape) for p in starts], starts=[numbers(p) for p in starts], weights=o.weights.tolist(),
                           target=o.target.tolist(), coupling=o.coupling) for name, o in targets.items()}
    lines = [f'"head": {json.dumps(head)}', f'"problems": {json.dumps(given)}', f'"objectives": {json.dumps(closures)}']
    for key, rows in (("cases", cases(shared)), ("newtonSchulz", orthogonalized()), ("errors", errors())):
        body = ",\n".join(json.dumps(row, separators=(",", ":"), allow_nan=False) for row in rows)
        lines.append(f'"{key}": [\n{body}\n]')
        print(f"{len(rows)} {key}")
    out = Path(__file__).resolve().parents[2] / "test/golden/optim-classes.json"
    out.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    print(f"{out.stat().st_size / 1e3:.0f} kB")


main()
