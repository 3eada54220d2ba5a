"""Records torch.optim's trajectories and errors for test/optim*.test.ts: test/golden/optim.json.

Run with torch 2.15.0 and expecttest (optim_db imports it): python scripts/golden/optim.py

Cases are every option set of torch's own optim_db (torch/testing/_internal/common_optimizers.py) for 20 steps, and rows of
ours for 50: groups with options of their own, gradients that are missing now and then or tiny and huge, options changed
mid-way, parameters without elements. Each runs in float64 and in float32 on a problem that it shares with others. Errors are optim_db's error inputs and rows of ours. What JSON cannot say is written
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

TORCH, FORMAT, SEED, STEPS, OURS = "2.15.0", 2, 0, 20, 50
NAMES = ["SGD", "Adam", "AdamW", "NAdam", "RAdam", "Adamax", "Adagrad", "Adadelta", "RMSprop", "Rprop", "ASGD"]

# group: which group's option changes at `step`, before the update. missing: [step, parameter].
SCATTERED = [[0, 1], [0, 2], [1, 2], [2, 2], [3, 0], [7, 1], [8, 1], [19, 0]]


def ours():
    rows = [
        dict(name="SGD", desc="groups", kwargs=dict(lr=0.01, momentum=0.9),
             groups=[dict(params=[0]), dict(params=[1, 2], lr=0.1, momentum=0, weight_decay=0.05)]),
        dict(name="SGD", desc="missing gradients, dampening", kwargs=dict(lr=0.02, momentum=0.9, dampening=0.3), missing=SCATTERED),
        dict(name="SGD", desc="momentum turned on mid-way", kwargs=dict(lr=0.02, dampening=0.5),
             changes=[dict(step=5, group=0, momentum=0.9), dict(step=10, group=0, momentum=0), dict(step=12, group=0, momentum=0.8)]),
        dict(name="SGD", desc="everything", kwargs=dict(lr=0.002, momentum=0.9, nesterov=True, weight_decay=0.1, maximize=True)),
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

        dict(name="NAdam", desc="groups", kwargs=dict(lr=0.01),
             groups=[dict(params=[0], momentum_decay=0.1), dict(params=[2, 1], lr=0.02, betas=(0.4, 0.9), weight_decay=0.05)]),
        dict(name="NAdam", desc="decoupled, maximize", kwargs=dict(weight_decay=0.3, decoupled_weight_decay=True, maximize=True)),
        dict(name="NAdam", desc="by position", args=[0.01, (0.8, 0.9), 1e-3, 0.1, 0.02, True], kwargs={}),
        dict(name="RAdam", desc="groups", kwargs=dict(lr=0.01),
             groups=[dict(params=[0], eps=1e-3), dict(params=[2, 1], lr=0.02, betas=(0.4, 0.9), weight_decay=0.05)]),
        dict(name="RAdam", desc="never rectified", kwargs=dict(betas=(0.9, 0.6))),
        dict(name="RAdam", desc="by position", args=[0.01, (0.8, 0.9), 1e-3, 0.1, True], kwargs={}),
        dict(name="Adamax", desc="groups", kwargs=dict(lr=0.01),
             groups=[dict(params=[0], eps=1e-3), dict(params=[2, 1], lr=0.02, betas=(0.4, 0.9), weight_decay=0.05)]),
        dict(name="Adamax", desc="by position", args=[0.01, (0.0, 0.9), 1e-3, 0.1, None], kwargs={}),
        dict(name="Adagrad", desc="groups; their initial_accumulator_value is ignored", kwargs=dict(lr=0.05, initial_accumulator_value=0.2),
             groups=[dict(params=[0], initial_accumulator_value=7), dict(params=[2, 1], lr=0.1, lr_decay=0.1, weight_decay=0.05)]),
        dict(name="Adagrad", desc="a parameter that never has a gradient", kwargs={}, missing=[[k, 1] for k in range(OURS)]),
        dict(name="Adagrad", desc="by position", args=[0.05, 0.1, 0.1, 0.5, 1e-3, None], kwargs={}),
        dict(name="Adadelta", desc="groups", kwargs=dict(lr=0.5),
             groups=[dict(params=[0], eps=1e-3), dict(params=[2, 1], lr=2.5, rho=0.5, weight_decay=0.05)]),
        dict(name="Adadelta", desc="rho of 0", kwargs=dict(rho=0)),
        dict(name="Adadelta", desc="by position", args=[0.5, 0.8, 1e-3, 0.1, None], kwargs={}),
        dict(name="RMSprop", desc="groups", kwargs=dict(momentum=0.5),
             groups=[dict(params=[0], centered=True), dict(params=[2, 1], lr=0.005, alpha=0.4, momentum=0, weight_decay=0.05)]),
        dict(name="RMSprop", desc="momentum", kwargs=dict(momentum=0.9)),
        dict(name="RMSprop", desc="centered", kwargs=dict(lr=0.001, alpha=0.9, centered=True)),
        dict(name="RMSprop", desc="by position", args=[0.005, 0.9, 1e-3, 0.1, 0.5, True, False, None, True, False], kwargs={}),
        dict(name="Rprop", desc="groups", kwargs=dict(lr=0.02),
             groups=[dict(params=[0], etas=(0.25, 1.1)), dict(params=[2, 1], lr=0.1)]),
        dict(name="Rprop", desc="sizes within bounds", kwargs=dict(step_sizes=(0.005, 0.02))),
        dict(name="Rprop", desc="by position", args=[0.02, (0.3, 1.5), (1e-3, 0.0625)], kwargs=dict(maximize=True)),
        dict(name="ASGD", desc="groups", kwargs=dict(lr=0.02, t0=5),
             groups=[dict(params=[0], alpha=0.5), dict(params=[2, 1], lr=0.1, lambd=0.01, t0=20, weight_decay=0.05)]),
        dict(name="ASGD", desc="averages from step 3 on", kwargs=dict(t0=2)),
        dict(name="ASGD", desc="t0 changed", kwargs=dict(t0=4), changes=[dict(step=20, group=0, t0=1e6), dict(step=30, group=0, t0=0)]),
        dict(name="ASGD", desc="by position", args=[0.02, 1e-2, 0.5, 10, 0.1, None, False, False, False], kwargs={}),
    ]
    plain = dict(SGD=dict(lr=0.01, momentum=0.9), Adagrad=dict(initial_accumulator_value=0.1), ASGD=dict(t0=10), RMSprop=dict(momentum=0.5))
    for name in NAMES:
        kwargs = plain.get(name, {})
        rows.append(dict(name=name, desc="tiny and huge gradients", kwargs=kwargs, problem="extreme"))
        rows.append(dict(name=name, desc="parameters without elements and of one", kwargs=kwargs, problem="sizes"))
        if name in ("SGD", "Adam", "AdamW"):
            continue
        decay = {} if name == "Rprop" else dict(weight_decay=0.2)
        rows.append(dict(name=name, desc="missing gradients", kwargs=kwargs, missing=SCATTERED))
        rows.append(dict(name=name, desc="options changed", kwargs=kwargs,
                         changes=[dict(step=4, group=0, lr=0.02), dict(step=9, group=0, **decay), dict(step=13, group=0, lr=0.001)]))
        rows.append(dict(name=name, desc="tensor lr", kwargs={**kwargs, "lr": torch.tensor(0.01)}))
        rows.append(dict(name=name, desc="named parameters", kwargs=kwargs, named=["weight", "bias", "scale"]))
    return rows


def problems():
    """Starts and gradients. A number alone in its tensor must not cross zero: no relative error means anything there."""
    g = torch.Generator().manual_seed(SEED)

    def draw(shapes, scales):
        return ([torch.randn(shape, generator=g) for shape in shapes],
                [[torch.randn(shape, generator=g) * scale for shape, scale in zip(shapes, scales)] for _ in range(OURS)])

    def one_way(starts, grads, i):
        starts[i].fill_(-6)
        for step in grads:
            step[i].abs_().add_(0.25)

    starts, grads = main = draw([[3, 2], [4], []], [1.0, 1e-3, 1.0])
    one_way(starts, grads, 2)
    for k in range(OURS):
        grads[k][1][2] = 0  # a weight that never has a gradient: 0 / eps
    for k in (8, 9, 10):
        grads[k][0].zero_()  # momentum alone

    # Squares of them stay clear of denormals, which tfjs-node flushes to zero.
    starts, grads = extreme = draw([[2, 2], [3], []], [1e-12, 1e12, 1.0])
    one_way(starts, grads, 2)
    for k in range(OURS):
        grads[k][2] *= 1e6 if k % 5 == 3 else 1e-6

    starts, grads = sizes = draw([[0, 3], [], [1], [2, 0], [5]], [1.0] * 5)
    one_way(starts, grads, 1)
    one_way(starts, grads, 2)
    return dict(main=main, extreme=extreme, sizes=sizes)


def numbers(t):
    flat = (t.to_dense() if t.is_sparse else t).detach().reshape(-1)
    return flat.tolist() if t.dtype == torch.float64 else [float(str(x)) for x in flat.numpy()]


def plain(x):
    """An option or a state entry as JSON."""
    if torch.is_tensor(x):
        return {"$tensor": numbers(x), "shape": list(x.shape)}
    if isinstance(x, dict):
        return {k: plain(v) for k, v in x.items()}
    return [plain(v) for v in x] if isinstance(x, (list, tuple)) else x


def run(info, row, steps, dtype, shared):
    starts, grads = shared[row.get("problem", "main")]
    params = [Parameter(p.to(dtype, copy=True)) for p in starts]
    args, kwargs = row.get("args", []), dict(row["kwargs"])
    if "groups" in row:
        given = [{**g, "params": [params[i] for i in g["params"]]} for g in row["groups"]]
    else:
        given = list(zip(row["named"], params)) if "named" in row else params
    optimizer = info.optim_cls(given, *args, **kwargs)
    missing = {tuple(m) for m in row.get("missing", [])}
    trace = []
    for k in range(steps):
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


def cases(shared):
    out = []
    for info in optim_db:
        if info.name not in NAMES:
            continue
        for dtype in (torch.float64, torch.float32):
            torch.set_default_dtype(dtype)
            out += [run(info, dict(desc=i.desc, kwargs=i.kwargs), STEPS, dtype, shared) for i in info.optim_inputs_func("cpu")]
            out += [run(info, {**row, "desc": f"ours: {row['desc']}"}, OURS, dtype, shared) for row in ours() if row["name"] == info.name]
    torch.set_default_dtype(torch.float32)
    return out


# ---- errors


def encode(x, seen):
    """Constructor arguments as JSON; a parameter is known by the order of its first appearance."""
    if isinstance(x, Parameter):
        return {"$param": seen.setdefault(id(x), len(seen)), "shape": list(x.shape)}
    if torch.is_tensor(x) and x.is_sparse:
        return {"$sparse": list(x.shape)}
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
    if "$sparse" in x:
        return torch.zeros(x["$sparse"], layout=torch.sparse_coo)
    if "$closure" in x:
        return lambda: torch.tensor(x["$closure"])
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
    yield row("SGD", "load a group without params", [P], ["load_state_dict", {"state": {}, "param_groups": [group]}])
    yield row("SGD", "load without state", [P], ["load_state_dict", {"param_groups": [{**group, "params": [0]}]}])
    yield row("Adam", "negative lr", [P], lr=-3)
    yield row("Adam", "lr is NaN", [P], lr=NAN)
    yield row("Adam", "negative eps", [P], eps=-1e-8)
    yield row("Adam", "eps is NaN", [P], eps=NAN)
    yield row("Adam", "beta2 of 1", [P], betas=tup(0.9, 1.0))
    yield row("Adam", "negative beta1", [P], betas=tup(-0.25, 0.9))
    yield row("Adam", "unknown option", [P], momentum=0.9)
    yield row("Adam", "fused and foreach", [P], fused=True, foreach=True)
    yield row("Adam", "load another optimizer's options", [P], ["load_state_dict", {"state": {}, "param_groups": [{**group, "params": [0]}]}],
              ["step"])
    yield row("Adam", "load a state without step", [P], ["load_state_dict", {
        "state": {"0": {"exp_avg": {"$tensor": [0, 0], "shape": [2]}, "exp_avg_sq": {"$tensor": [0, 0], "shape": [2]}}},
        "param_groups": [{**adam, "params": [0]}]}], ["step"])
    yield row("Adam", "amsgrad turned on by a load", [P], ["load_state_dict", {
        "state": {"0": {"step": 3, "exp_avg": {"$tensor": [0, 0], "shape": [2]}, "exp_avg_sq": {"$tensor": [0, 0], "shape": [2]}}},
        "param_groups": [{**adam, "amsgrad": True, "params": [0]}]}], ["step"])
    yield row("AdamW", "decoupled_weight_decay is no argument", [P], decoupled_weight_decay=False)
    yield row("AdamW", "negative weight_decay", [P], weight_decay=-2)

    for name in NAMES[3:]:
        yield row(name, "lr is NaN", [P], lr=NAN)
        yield row(name, "unknown option", [P], momentun=0.9)
        yield row(name, "negative lr", [P], lr=-1)
        yield row(name, "lr of two elements", [P], lr={"$tensor": [0.5, 0.25], "shape": [2]})
        if name != "Rprop":
            yield row(name, "negative weight_decay", [P], weight_decay=-1)
        if name not in ("Rprop", "ASGD"):
            yield row(name, "eps is NaN", [P], eps=NAN)
    for name in ("NAdam", "RAdam", "Adamax"):
        yield row(name, "beta1 of 1", [P], betas=tup(1.0, 0.9))
        yield row(name, "negative beta2", [P], betas=tup(0.5, -0.25))
    yield row("NAdam", "negative momentum_decay", [P], momentum_decay=-0.5)
    yield row("Adagrad", "negative lr_decay", [P], lr_decay=-0.5)
    yield row("Adagrad", "negative initial_accumulator_value", [P], initial_accumulator_value=-0.5)
    yield row("Adagrad", "fused and foreach", [P], fused=True, foreach=True)
    yield row("Adagrad", "fused and differentiable", [P], fused=True, differentiable=True)
    yield row("Adadelta", "rho above 1", [P], rho=1.1)
    yield row("Adadelta", "rho is NaN", [P], rho=NAN)
    yield row("RMSprop", "negative momentum", [P], momentum=-0.5)
    yield row("RMSprop", "negative alpha", [P], alpha=-0.5)
    yield row("RMSprop", "too many arguments", [P], args=[0.1, 0.9, 1e-8, 0, 0, False, False, None, False, False, 1])
    yield row("Rprop", "etas the wrong way round", [P], etas=tup(1.2, 0.5))
    yield row("Rprop", "an eta of 1", [P], etas=tup(0.5, 1.0))
    yield row("Rprop", "capturable by position", [P], args=[0.1, tup(0.5, 1.2), tup(1e-6, 50), False])
    yield row("ASGD", "negative lambd", [P], lambd=-0.5)
    yield row("ASGD", "negative alpha", [P], alpha=-0.5)

    zeros = {"$tensor": [0, 0], "shape": [2]}
    flags = dict(maximize=False, foreach=None, capturable=False, differentiable=False)
    rms = dict(lr=0.1, momentum=0, alpha=0.9, eps=1e-8, centered=False, weight_decay=0, **flags)
    nadam = dict(lr=0.1, betas=tup(0.9, 0.999), eps=1e-8, weight_decay=0, momentum_decay=0, decoupled_weight_decay=False, **flags)
    asgd = dict(lr=0.1, lambd=0, alpha=1, t0=1, weight_decay=0, **flags)

    def load(group, state):
        return ["load_state_dict", {"state": {"0": state}, "param_groups": [{**group, "params": [0]}]}]

    yield row("RMSprop", "momentum turned on by a load", [P], load({**rms, "momentum": 0.5}, {"step": 1, "square_avg": zeros}), ["step"])
    yield row("RMSprop", "centered turned on by a load", [P], load({**rms, "centered": True}, {"step": 1, "square_avg": zeros}), ["step"])
    yield row("NAdam", "load a state without mu_product", [P], load(nadam, {"step": 1, "exp_avg": zeros, "exp_avg_sq": zeros}))
    yield row("ASGD", "load a state without eta", [P], load(asgd, {"step": 1, "mu": 1, "ax": zeros}))
    yield row("ASGD", "load a state without ax", [P], load(asgd, {"step": 1, "mu": 1, "eta": 1}), ["step"])


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
                if name == "sparse_step":
                    name = "step"
                    for p in made.values():
                        p.grad = torch.ones_like(p).to_sparse(1)
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
    made = problems()
    head = dict(format=FORMAT, torch=torch.__version__, seed=SEED, threads=torch.get_num_threads(),
                cpu=torch.backends.cpu.get_cpu_capability(), machine=platform.machine())
    shared = {name: dict(shapes=[list(p.shape) for p in starts], starts=[numbers(p) for p in starts],
                         grads=[[numbers(g) for g in step] for step in grads]) for name, (starts, grads) in made.items()}
    lines = [f'"head": {json.dumps(head)}', f'"problems": {json.dumps(shared)}']
    for key, rows in (("cases", cases(made)), ("errors", errors())):
        body = ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows)
        lines.append(f'"{key}": [\n{body}\n]')
        print(f"{len(rows)} {key}")
    out = Path(__file__).resolve().parents[2] / "test/golden/optim.json"
    out.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    print(f"{out.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
