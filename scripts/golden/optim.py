"""Records torch.optim's trajectories and errors for test/optim*.test.ts: test/golden/optim.json.

Run with torch 2.15.0 and expecttest (optim_db imports it): python scripts/golden/optim.py

Cases are every option set of torch's own optim_db (torch/testing/_internal/common_optimizers.py) and rows of ours: groups
with options of their own, gradients that are missing now and then, options changed mid-way. Each runs in float64 and in
float32 on one shared problem. Errors are optim_db's error inputs and rows of ours. What JSON cannot say is written
{"$kind": ...}: see `encode`. A float32 is written with the fewest digits that give it back.
"""
import json
import math
import platform
import warnings
from pathlib import Path

import numpy as np
import torch
from torch.nn import Parameter
from torch.testing._internal.common_optimizers import optim_db

TORCH, FORMAT, SEED, STEPS = "2.15.0", 1, 0, 20
NAMES = ["SGD", "Adam", "AdamW"]
SHAPES = [[3, 2], [4], []]
SCALES = [1.0, 1e-3, 1.0]

# group: which group's option changes at `step`, before the update. missing: [step, parameter].
SCATTERED = [[0, 1], [0, 2], [1, 2], [2, 2], [3, 0], [7, 1], [8, 1], [19, 0]]


def ours():
    return [
        dict(name="SGD", desc="groups", kwargs=dict(lr=0.01, momentum=0.9),
             groups=[dict(params=[0]), dict(params=[1, 2], lr=0.1, momentum=0, weight_decay=0.05)]),
        dict(name="SGD", desc="missing gradients, dampening", kwargs=dict(lr=0.02, momentum=0.9, dampening=0.3), missing=SCATTERED),
        dict(name="SGD", desc="momentum turned on mid-way", kwargs=dict(lr=0.02, dampening=0.5),
             changes=[dict(step=5, group=0, momentum=0.9), dict(step=10, group=0, momentum=0), dict(step=12, group=0, momentum=0.8)]),
        dict(name="SGD", desc="everything", kwargs=dict(lr=0.01, momentum=0.9, nesterov=True, weight_decay=0.1, maximize=True)),
        dict(name="SGD", desc="lr, weight_decay and nesterov changed", kwargs=dict(lr=0.1, momentum=0.5),
             changes=[dict(step=4, group=0, lr=0.01), dict(step=9, group=0, weight_decay=0.2), dict(step=13, group=0, nesterov=True)]),
        dict(name="SGD", desc="by position", args=[0.05, 0.9, 0, 0.01, True], kwargs={}),
        dict(name="SGD", desc="named parameters", kwargs=dict(lr=0.05), named=["weight", "bias", "scale"]),
        dict(name="Adam", desc="groups", kwargs=dict(lr=0.01, eps=1e-6),
             groups=[dict(params=[0], amsgrad=True), dict(params=[2, 1], lr=0.1, betas=(0.5, 0.9), weight_decay=0.05)]),
        dict(name="Adam", desc="missing gradients", kwargs=dict(lr=0.02), missing=SCATTERED),
        dict(name="Adam", desc="options changed", kwargs=dict(lr=0.1),
             changes=[dict(step=4, group=0, lr=0.01), dict(step=9, group=0, weight_decay=0.2), dict(step=13, group=0, betas=(0.4, 0.99))]),
        dict(name="Adam", desc="no first moment", kwargs=dict(lr=0.01, betas=(0.0, 0.9))),
        dict(name="Adam", desc="beta1 a half", kwargs=dict(lr=0.01, betas=(0.5, 0.999))),
        dict(name="Adam", desc="decoupled", kwargs=dict(lr=0.01, weight_decay=0.3, decoupled_weight_decay=True, amsgrad=True, maximize=True)),
        dict(name="Adam", desc="tensor lr and betas", kwargs=dict(lr=torch.tensor(0.01), betas=(torch.tensor(0.8), torch.tensor(0.99)))),
        dict(name="Adam", desc="by position", args=[0.05, (0.8, 0.9), 1e-3, 0.1, True], kwargs={}),
        dict(name="AdamW", desc="groups", kwargs=dict(lr=0.02),
             groups=[dict(params=[0, 1]), dict(params=[2], weight_decay=0, name="no decay")]),
        dict(name="AdamW", desc="missing gradients, lr changed", kwargs=dict(lr=0.02, weight_decay=0.5, amsgrad=True),
             missing=SCATTERED, changes=[dict(step=10, group=0, lr=0.002)]),
    ]


def problem():
    g = torch.Generator().manual_seed(SEED)
    starts = [torch.randn(shape, generator=g) for shape in SHAPES]
    grads = [[torch.randn(shape, generator=g) * scale for shape, scale in zip(SHAPES, SCALES)] for _ in range(STEPS)]
    # A number alone in its tensor, parameter or state, must not cross zero: no relative error means anything there.
    starts[2].fill_(-6)
    for k in range(STEPS):
        grads[k][1][2] = 0  # a weight that never has a gradient: 0 / eps
        grads[k][2].abs_().add_(0.25)
    for k in (8, 9, 10):
        grads[k][0].zero_()  # momentum alone
    return starts, grads


def numbers(t):
    flat = t.detach().reshape(-1)
    return flat.tolist() if t.dtype == torch.float64 else [float(str(x)) for x in flat.numpy()]


def plain(x):
    """An option or a state entry as JSON."""
    if torch.is_tensor(x):
        return {"$tensor": numbers(x), "shape": list(x.shape)}
    if isinstance(x, dict):
        return {k: plain(v) for k, v in x.items()}
    return [plain(v) for v in x] if isinstance(x, (list, tuple)) else x


def run(info, row, dtype, starts, grads):
    params = [Parameter(p.to(dtype, copy=True)) for p in starts]
    args, kwargs = row.get("args", []), dict(row["kwargs"])
    if "groups" in row:
        given = [{**g, "params": [params[i] for i in g["params"]]} for g in row["groups"]]
    else:
        given = list(zip(row["named"], params)) if "named" in row else params
    optimizer = info.optim_cls(given, *args, **kwargs)
    missing = {tuple(m) for m in row.get("missing", [])}
    trace = []
    for k in range(STEPS):
        for change in row.get("changes", []):
            if change["step"] == k:
                optimizer.param_groups[change["group"]].update({n: v for n, v in change.items() if n not in ("step", "group")})
        for i, p in enumerate(params):
            p.grad = None if (k, i) in missing else grads[k][i].to(dtype)
        optimizer.step()
        trace.append([numbers(p) for p in params])
    state = optimizer.state_dict()
    return {**plain({k: v for k, v in row.items() if k != "name"}), "name": info.name, "dtype": str(dtype)[6:], "params": trace,
            "state": plain(state["state"]), "param_groups": plain(state["param_groups"]), "repr": repr(optimizer)}


def cases(starts, grads):
    out = []
    for info in optim_db:
        if info.name not in NAMES:
            continue
        for dtype in (torch.float64, torch.float32):
            torch.set_default_dtype(dtype)
            rows = [dict(desc=i.desc, kwargs=i.kwargs) for i in info.optim_inputs_func("cpu")]
            rows += [{**row, "desc": f"ours: {row['desc']}"} for row in ours() if row["name"] == info.name]
            out += [run(info, row, dtype, starts, grads) for row in rows]
    torch.set_default_dtype(torch.float32)
    return out


# ---- errors


def encode(x, seen):
    """Constructor arguments as JSON; a parameter is known by the order of its first appearance."""
    if isinstance(x, Parameter):
        return {"$param": seen.setdefault(id(x), len(seen)), "shape": list(x.shape)}
    if torch.is_tensor(x):
        return {"$tensor": numbers(x), "shape": list(x.shape)}
    if isinstance(x, dict):
        return {k: encode(v, seen) for k, v in x.items()}
    if isinstance(x, (set, tuple)):
        return {"$" + type(x).__name__: [encode(v, seen) for v in x]}
    if isinstance(x, list):
        return [encode(v, seen) for v in x]
    return {"$nan": True} if isinstance(x, float) and math.isnan(x) else x


def decode(x, made):
    if isinstance(x, list):
        return [decode(v, made) for v in x]
    if not isinstance(x, dict):
        return x
    if "$param" in x:
        return made.setdefault(x["$param"], Parameter(torch.ones(x.get("shape", [2]))))
    if "$tensor" in x:
        return torch.tensor(x["$tensor"]).reshape(x["shape"])
    if "$nonleaf" in x:
        return decode(x["$nonleaf"], made) * 2
    if "$set" in x:
        return {decode(v, made) for v in x["$set"]}
    if "$tuple" in x:
        return tuple(decode(v, made) for v in x["$tuple"])
    if "$generator" in x:
        return (decode(v, made) for v in x["$generator"])
    return math.nan if "$nan" in x else {k: decode(v, made) for k, v in x.items()}


P, Q, R = {"$param": 0}, {"$param": 1}, {"$param": 2, "shape": [3]}
NAN = {"$nan": True}


def tup(*items):
    return {"$tuple": list(items)}


def error_rows():
    def row(name, desc, params, *calls, args=(), **kwargs):
        return dict(name=name, desc=f"ours: {desc}", params=params, args=list(args), kwargs=kwargs, calls=[list(c) for c in calls])

    group = dict(lr=0.1, momentum=0, dampening=0, weight_decay=0, nesterov=False, maximize=False, foreach=None, differentiable=False,
                 fused=None)
    adam = dict(lr=0.1, betas=tup(0.9, 0.999), eps=1e-8, weight_decay=0, amsgrad=False, maximize=False, foreach=None, capturable=False,
                differentiable=False, fused=None, decoupled_weight_decay=False)
    yield row("SGD", "no parameters", [])
    yield row("SGD", "an exhausted generator", {"$generator": []})
    yield row("SGD", "a number for params", 5)
    yield row("SGD", "a number among the parameters", [P, 3])
    yield row("SGD", "a float among the parameters", [P, 3.5])
    yield row("SGD", "a string among the parameters", [P, "weight"])
    yield row("SGD", "None among the parameters", [P, None])
    yield row("SGD", "a dict after a tensor", [P, {"params": [Q]}])
    yield row("SGD", "not a leaf", [{"$nonleaf": P}])
    yield row("SGD", "a tensor after a group", [{"params": [P]}, [Q]])
    yield row("SGD", "a group without params", [{"lr": 0.1}])
    yield row("SGD", "a set in a group", [{"params": {"$set": [P]}}])
    yield row("SGD", "a group of no iterable", [{"params": 3}])
    yield row("SGD", "names for the first group only", [{"params": [tup("a", P)]}, {"params": [Q]}])
    yield row("SGD", "add a list", [P], ["add_param_group", [Q]])
    yield row("SGD", "add a group without params", [P], ["add_param_group", {"lr": 1}])
    yield row("SGD", "add a parameter twice", [P], ["add_param_group", {"params": [Q, P]}])
    yield row("SGD", "add names", [P], ["add_param_group", {"params": [tup("q", Q)]}])
    yield row("SGD", "add a non-leaf", [P], ["add_param_group", {"params": {"$nonleaf": Q}}])
    yield row("SGD", "params missing", {"$missing": True})
    yield row("SGD", "too many arguments", [P], args=[0.1, 0, 0, 0, False, True])
    yield row("SGD", "lr twice", [P], args=[0.1], lr=0.2)
    yield row("SGD", "unknown option", [P], lrr=0.2)
    yield row("SGD", "another optimizer's option", [P], betas=tup(0.9, 0.99))
    yield row("SGD", "negative lr", [P], lr=-0.1)
    yield row("SGD", "negative weight_decay", [P], weight_decay=-1)
    yield row("SGD", "nesterov without momentum", [P], nesterov=True)
    yield row("SGD", "nesterov with dampening", [P], nesterov=True, momentum=0.9, dampening=0.1)
    yield row("SGD", "fused and foreach", [P], fused=True, foreach=True)
    yield row("SGD", "fused and differentiable", [P], fused=True, differentiable=True)
    yield row("SGD", "load fewer groups", [P], ["load_state_dict", {"state": {}, "param_groups": []}])
    yield row("SGD", "load a group of another size", [P], ["load_state_dict", {"state": {}, "param_groups": [{**group, "params": [0, 1]}]}])
    yield row("SGD", "load without param_groups", [P], ["load_state_dict", {"state": {}}])
    yield row("SGD", "load without state", [P], ["load_state_dict", {"param_groups": [{**group, "params": [0]}]}])
    yield row("Adam", "negative lr", [P], lr=-3)
    yield row("Adam", "lr is NaN", [P], lr=NAN)
    yield row("Adam", "negative eps", [P], eps=-1e-8)
    yield row("Adam", "eps is NaN", [P], eps=NAN)
    yield row("Adam", "beta2 of 1", [P], betas=tup(0.9, 1.0))
    yield row("Adam", "negative beta1", [P], betas=tup(-0.25, 0.9))
    yield row("Adam", "unknown option", [P], momentum=0.9)
    yield row("Adam", "fused and foreach", [P], fused=True, foreach=True)
    yield row("Adam", "load a state without step", [P], ["load_state_dict", {
        "state": {"0": {"exp_avg": {"$tensor": [0, 0], "shape": [2]}, "exp_avg_sq": {"$tensor": [0, 0], "shape": [2]}}},
        "param_groups": [{**adam, "params": [0]}]}], ["step"])
    yield row("Adam", "amsgrad turned on by a load", [P], ["load_state_dict", {
        "state": {"0": {"step": 3, "exp_avg": {"$tensor": [0, 0], "shape": [2]}, "exp_avg_sq": {"$tensor": [0, 0], "shape": [2]}}},
        "param_groups": [{**adam, "amsgrad": True, "params": [0]}]}], ["step"])
    yield row("AdamW", "decoupled_weight_decay is no argument", [P], decoupled_weight_decay=False)
    yield row("AdamW", "negative weight_decay", [P], weight_decay=-2)


def attempt(row, cls):
    made = {}
    decoded = decode(row["params"], made)
    args = [] if row["params"] == {"$missing": True} else [decoded]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            optimizer = cls(*args, *decode(row["args"], made), **decode(row["kwargs"], made))
            for name, *given in row["calls"]:
                given = decode(given, made)
                if name == "step":
                    for p in made.values():
                        p.grad = torch.ones_like(p)
                if name == "load_state_dict" and "state" in given[0]:
                    given[0]["state"] = {int(k): v for k, v in given[0]["state"].items()}
                getattr(optimizer, name)(*given)
        except Exception as e:
            return {"class": type(e).__name__, "text": str(e)}
    assert caught, f"{row['name']} accepts {row['desc']}"
    return {"class": caught[0].category.__name__, "text": str(caught[0].message), "warning": True}


def errors():
    rows = []
    for info in optim_db:
        if info.name not in NAMES:
            continue
        for e in info.optim_error_inputs_func("cpu", torch.float32):
            seen, given = {}, e.optimizer_error_input
            params = [{"$param": 0, "shape": [2, 3]}] if given.params is None else encode(given.params, seen)
            rows.append(dict(name=info.name, desc=given.desc, params=params, args=[], kwargs=encode(given.kwargs, seen), calls=[]))
    rows += [r for r in error_rows() if r["name"] in NAMES]
    return [{**row, "error": attempt(row, getattr(torch.optim, row["name"]))} for row in rows]


def main():
    assert torch.__version__.split("+")[0] == TORCH, f"these goldens are torch {TORCH}'s"
    torch.set_num_threads(1)
    starts, grads = problem()
    head = dict(format=FORMAT, torch=torch.__version__, seed=SEED, steps=STEPS, threads=torch.get_num_threads(),
                cpu=torch.backends.cpu.get_cpu_capability(), machine=platform.machine())
    shared = dict(shapes=SHAPES, starts=[numbers(p) for p in starts], grads=[[numbers(g) for g in step] for step in grads])
    lines = [f'"head": {json.dumps(head)}', f'"problem": {json.dumps(shared)}']
    for key, rows in (("cases", cases(starts, grads)), ("errors", errors())):
        body = ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows)
        lines.append(f'"{key}": [\n{body}\n]')
        print(f"{len(rows)} {key}")
    out = Path(__file__).resolve().parents[2] / "test/golden/optim.json"
    out.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    print(f"{out.stat().st_size / 1e3:.0f} kB")


main()
