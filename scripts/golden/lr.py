"""Records torch.optim.lr_scheduler and SWALR for test/lr.test.ts: test/golden/lr.json.

Run with torch 2.15.0: python scripts/golden/lr.py

A row of `traces` is a scheduler and what is done to it; `trace` holds the rates of all groups after the constructor and after
each step, `momenta` the momentum (Adam's first beta) where it changes, `state` the state_dict at the end, `groups` what the
groups hold then besides. Its keys:
  name, args, kwargs   the constructor's; {"fn": name} is a function of FUNCTIONS
  children             of a composite: name, args, kwargs; they are built first, in order
  opt, lrs, group      the optimizer, the rate of each group, further keys of every group
  by_hand              [step, group, lr] set before that step
  epochs               step(epoch) in place of step()
  metrics              step(metrics)
  add                  [step, lr]: add_param_group before that step
  tensor               rates are tensors
  resumes              saved after every one of the 60 steps, built anew, loaded, stepped to the end: exactly the same trace

`said` is what torch says: rows, the actions, and the error ([class, text]) or the warnings.
"""
import itertools
import json
import math
import warnings
from collections import Counter
from copy import deepcopy
from pathlib import Path
from types import MethodType

import torch
from torch.nn import Parameter
from torch.optim import SGD, Adadelta, Adam, RMSprop, lr_scheduler, swa_utils

TORCH, FORMAT, STEPS = "2.15.0", 2, 60
TWO, THREE = [0.1, 0.003], [1.0, 0.05, 3e-4]
FUNCTIONS = dict(
    inverse=lambda t: 1 / (1 + t),
    decay=lambda t: 0.95**t,
    third=lambda t: 1 if t % 3 else 0.9,
    constant=lambda t: 0.97,
    half=lambda x: 0.5,
    inverse_square=lambda x: 1 / (1 + x) ** 2,
)
OPTIMIZERS = dict(SGD=SGD, Adam=Adam, RMSprop=RMSprop, Adadelta=Adadelta)
EXTRA = ("initial_lr", "max_lr", "min_lr", "max_momentum", "base_momentum", "swa_lr")
CHAINABLE = [
    dict(name="StepLR", kwargs=dict(step_size=7, gamma=0.6)),
    dict(name="MultiStepLR", kwargs=dict(milestones=[4, 30], gamma=0.3)),
    dict(name="ConstantLR", kwargs=dict(factor=0.25, total_iters=9)),
    dict(name="LinearLR", kwargs=dict(start_factor=0.2, total_iters=12)),
    dict(name="ExponentialLR", kwargs=dict(gamma=0.93)),
    dict(name="PolynomialLR", kwargs=dict(total_iters=70, power=1.5)),
    dict(name="CosineAnnealingLR", kwargs=dict(T_max=23, eta_min=1e-5)),
    dict(name="MultiplicativeLR", kwargs=dict(lr_lambda={"fn": "constant"})),
]
ABSOLUTE = [
    dict(name="LambdaLR", kwargs=dict(lr_lambda={"fn": "inverse"})),
    dict(name="CosineAnnealingWarmRestarts", kwargs=dict(T_0=6, T_mult=2)),
    dict(name="CyclicLR", kwargs=dict(base_lr=0.01, max_lr=0.2, step_size_up=5)),
    dict(name="OneCycleLR", kwargs=dict(max_lr=0.3, total_steps=80)),
]


def grid(**options):
    for values in itertools.product(*options.values()):
        yield dict(zip(options, values))


def singles():
    for kwargs in grid(gamma=(0.1, 0.5, 0.97, 1, 1.3), step_size=(1, 3, 7, 30, 100)):
        yield dict(name="StepLR", kwargs=kwargs, lrs=TWO)
    yield dict(name="StepLR", kwargs=dict(step_size=10), lrs=THREE)
    yield dict(name="StepLR", kwargs=dict(step_size=2.5, gamma=0.7), lrs=THREE)
    yield dict(name="StepLR", args=[4, 0.6], kwargs={}, lrs=THREE)
    for kwargs in grid(milestones=([3, 10, 50], [1], [0, 5, 5, 20], [90], [], [20, 7.5, 2]), gamma=(0.1, 0.9)):
        yield dict(name="MultiStepLR", kwargs=kwargs, lrs=TWO)
    for kwargs in grid(factor=(1 / 3, 0.1, 1.0), total_iters=(0, 1, 5, 40, 100)):
        yield dict(name="ConstantLR", kwargs=kwargs, lrs=TWO)
    yield dict(name="ConstantLR", kwargs={}, lrs=THREE)
    for kwargs in grid(start_factor=(1 / 3, 0.01, 1.0), end_factor=(1.0, 0.5, 0.0), total_iters=(1, 5, 40, 100)):
        yield dict(name="LinearLR", kwargs=kwargs, lrs=TWO)
    yield dict(name="LinearLR", kwargs={}, lrs=THREE)
    for gamma in (0.9, 0.999, 1.05, 0):
        yield dict(name="ExponentialLR", kwargs=dict(gamma=gamma), lrs=THREE)
    for kwargs in grid(total_iters=(1, 5, 59, 60, 100), power=(0.5, 1.0, 2, 0.9)):
        yield dict(name="PolynomialLR", kwargs=kwargs, lrs=TWO)
    for kwargs in grid(T_max=(1, 2, 10, 25, 60, 100), eta_min=(0.0, 1e-4, 0.05)):
        yield dict(name="CosineAnnealingLR", kwargs=kwargs, lrs=TWO)
    for name in ("LambdaLR", "MultiplicativeLR"):
        for fn in ("inverse", "decay", "third"):
            yield dict(name=name, kwargs=dict(lr_lambda={"fn": fn}), lrs=TWO)
        yield dict(name=name, kwargs=dict(lr_lambda=[{"fn": "decay"}, {"fn": "inverse"}, {"fn": "third"}]), lrs=THREE)
    for kwargs in grid(T_0=(1, 5, 17, 90), T_mult=(1, 2, 3), eta_min=(0.0, 1e-3)):
        yield dict(name="CosineAnnealingWarmRestarts", kwargs=kwargs, lrs=TWO)
    for kwargs in grid(step_size_up=(1, 4, 25), step_size_down=(None, 7), mode=("triangular", "triangular2", "exp_range")):
        yield dict(name="CyclicLR", kwargs=dict(base_lr=0.01, max_lr=0.1, gamma=0.98, **kwargs), lrs=TWO)
    for kwargs in grid(scale_fn=({"fn": "half"}, {"fn": "inverse_square"}), scale_mode=("cycle", "iterations")):
        yield dict(name="CyclicLR", kwargs=dict(base_lr=0.01, max_lr=0.1, step_size_up=6, **kwargs), lrs=TWO)
    yield dict(name="CyclicLR", args=[[0.1, 0.2, 0.3], [1, 2, 3], 10, 5], kwargs=dict(base_momentum=[0.5, 0.6, 0.7], max_momentum=[0.9, 0.8, 0.95]), lrs=THREE)
    yield dict(name="CyclicLR", kwargs=dict(base_lr=0.01, max_lr=0.1, step_size_up=7), opt="Adam", lrs=TWO)
    yield dict(name="CyclicLR", kwargs=dict(base_lr=0.01, max_lr=0.1, step_size_up=7), opt="RMSprop", lrs=TWO)
    yield dict(name="CyclicLR", kwargs=dict(base_lr=0.01, max_lr=0.1, step_size_up=7, cycle_momentum=False), opt="Adadelta", lrs=TWO)
    for kwargs in grid(total_steps=(60, 61, 100), anneal_strategy=("cos", "linear"), three_phase=(False, True)):
        yield dict(name="OneCycleLR", kwargs=dict(max_lr=0.1, **kwargs), lrs=TWO)
    for kwargs in grid(pct_start=(0.0, 0.05, 0.5, 0.75), three_phase=(False, True)):
        yield dict(name="OneCycleLR", kwargs=dict(max_lr=[0.1, 0.4], total_steps=60, div_factor=10, final_div_factor=100, **kwargs), lrs=TWO)
    yield dict(name="OneCycleLR", args=[0.5], kwargs=dict(epochs=7, steps_per_epoch=9, base_momentum=[0.5, 0.6, 0.7], max_momentum=[0.9, 0.8, 0.95]), lrs=THREE)
    yield dict(name="OneCycleLR", kwargs=dict(max_lr=0.1, total_steps=70), opt="Adam", lrs=TWO)
    yield dict(name="OneCycleLR", kwargs=dict(max_lr=0.1, total_steps=70, cycle_momentum=False), opt="Adadelta", lrs=TWO)
    for kwargs in grid(anneal_epochs=(0, 1, 10, 59, 100), anneal_strategy=("cos", "linear")):
        yield dict(name="SWALR", kwargs=dict(swa_lr=0.05, **kwargs), lrs=TWO)
    yield dict(name="SWALR", args=[[0.5, 0.05, 1e-3]], kwargs={}, lrs=THREE)

    falling = [round(1 / (1 + 0.2 * t), 4) for t in range(STEPS)]
    noisy = [round(math.exp(-t / 15) + 0.2 * math.sin(3.7 * t), 4) for t in range(STEPS)]
    flat = [1.0] * 20 + [0.5] * 20 + [math.inf, math.nan] * 10
    for metrics in (falling, noisy, flat):
        for kwargs in grid(mode=("min", "max"), threshold_mode=("rel", "abs"), patience=(0, 3)):
            yield dict(name="ReduceLROnPlateau", kwargs=dict(factor=0.5, threshold=0.01, **kwargs), lrs=TWO, metrics=metrics)
    yield dict(name="ReduceLROnPlateau", kwargs={}, lrs=THREE, metrics=noisy)
    yield dict(name="ReduceLROnPlateau", args=["max", 0.2, 2], kwargs=dict(cooldown=4, min_lr=[0.1, 0.02, 1e-4], eps=1e-3), lrs=THREE, metrics=noisy)
    yield dict(name="ReduceLROnPlateau", kwargs=dict(patience=1, cooldown=2, min_lr=0.002, factor=0.9), lrs=TWO, metrics=flat, add=[30, 0.7])


def compositions():
    # Every kind on either side of a milestone and of a chain.
    everything = [*CHAINABLE, *ABSOLUTE, dict(name="SWALR", kwargs=dict(swa_lr=0.02, anneal_epochs=5))]
    for one in everything:
        warm = dict(name="LinearLR", kwargs=dict(start_factor=0.1, total_iters=5))
        yield dict(name="SequentialLR", children=[warm, one], kwargs=dict(milestones=[5]), lrs=TWO)
        yield dict(name="SequentialLR", children=[one, dict(name="ExponentialLR", kwargs=dict(gamma=0.9))], kwargs=dict(milestones=[17]), lrs=TWO)
        yield dict(name="ChainedScheduler", children=[warm, one], kwargs={}, lrs=TWO)
        yield dict(name="ChainedScheduler", children=[one, dict(name="StepLR", kwargs=dict(step_size=8, gamma=0.5))], kwargs={}, lrs=TWO)
    for i, one in enumerate(everything):
        three = [one, everything[(i + 3) % len(everything)], everything[(i + 7) % len(everything)]]
        yield dict(name="SequentialLR", children=three, kwargs=dict(milestones=[9, 31]), lrs=THREE)
        yield dict(name="ChainedScheduler", children=three, kwargs={}, lrs=THREE)
    pair = CHAINABLE[3:5]
    for milestones in ([0], [1], [60], [100]):
        yield dict(name="SequentialLR", children=pair, kwargs=dict(milestones=milestones), lrs=TWO)
    yield dict(name="SequentialLR", children=[*pair, CHAINABLE[0]], kwargs=dict(milestones=[20, 20]), lrs=TWO)
    yield dict(name="SequentialLR", children=pair[:1], kwargs=dict(milestones=[]), lrs=TWO)
    yield dict(name="SequentialLR", children=pair, args=[], kwargs=dict(milestones=[10], last_epoch=3), lrs=TWO)
    chain = dict(name="ChainedScheduler", children=pair, kwargs={})
    sequence = dict(name="SequentialLR", children=pair, kwargs=dict(milestones=[6]))
    yield dict(name="ChainedScheduler", children=[sequence, CHAINABLE[0]], kwargs={}, lrs=TWO)
    yield dict(name="ChainedScheduler", children=[chain, CHAINABLE[0]], kwargs={}, lrs=TWO)
    # torch is an epoch off here: the sequence within is undone twice.
    yield dict(name="SequentialLR", children=[sequence, CHAINABLE[0]], kwargs=dict(milestones=[30]), lrs=TWO)
    yield dict(name="SequentialLR", children=[chain, CHAINABLE[0]], kwargs=dict(milestones=[30]), lrs=TWO)


def disturbed():
    """By hand, by epoch, by last_epoch, with another group, with tensors."""
    hand = [[0, 1, 0.2], [12, 0, 0.7], [15, 1, 1e-2], [40, 0, 5]]
    everything = [*CHAINABLE, *ABSOLUTE, dict(name="SWALR", kwargs=dict(swa_lr=0.02, anneal_epochs=50))]
    sequence = dict(name="SequentialLR", children=[CHAINABLE[3], CHAINABLE[6]], kwargs=dict(milestones=[12]))
    for one in [*everything, sequence, dict(name="ChainedScheduler", children=CHAINABLE[2:5], kwargs={})]:
        yield dict(one, lrs=TWO, by_hand=hand)
    for one in everything:
        yield dict(one, lrs=TWO, epochs=[0, 1, 4, 5, 6, 30, 2, 70])
    for last in (0, 3, 6, 22, 23, 24):
        for one in everything:
            cycle = dict(max_lr=0.3, min_lr=1e-6, max_momentum=0.95, base_momentum=0.85, momentum=0.9) if one["name"] in ("OneCycleLR", "CyclicLR") else {}
            kwargs = dict(one["kwargs"], last_epoch=last)
            yield dict(one, kwargs=kwargs, lrs=TWO, group=dict(initial_lr=0.5, **cycle), steps=8)
    for T_mult in range(2, 8):
        # The restarts and their neighbours, where the logarithm of torch's formula rounds.
        starts = [3 * (T_mult**n - 1) // (T_mult - 1) for n in range(1, 9)]
        epochs = [e for s in starts for e in (s - 1, s - 0.25, s, s + 0.5, s + 1)]
        yield dict(name="CosineAnnealingWarmRestarts", kwargs=dict(T_0=3, T_mult=T_mult, eta_min=1e-4), lrs=TWO, epochs=epochs)
    yield dict(name="CosineAnnealingWarmRestarts", kwargs=dict(T_0=4), lrs=TWO, epochs=[0.25, 0.5, 3.75, 4, 4.5, 10, 9, 2])
    for name, kwargs in [("StepLR", dict(step_size=7)), ("ExponentialLR", dict(gamma=0.9)), ("CosineAnnealingLR", dict(T_max=70)), ("LinearLR", dict(total_iters=30)), ("PolynomialLR", dict(total_iters=80))]:
        yield dict(name=name, kwargs=kwargs, lrs=TWO, add=[11, 1.0])
    for one in everything:
        yield dict(one, lrs=TWO, tensor=True, steps=20)


def value(x):
    if isinstance(x, dict) and "fn" in x:
        return FUNCTIONS[x["fn"]]
    return [value(y) for y in x] if isinstance(x, list) and x and isinstance(x[0], dict) else x


def make(spec, optimizer):
    cls = getattr(swa_utils if spec["name"] == "SWALR" else lr_scheduler, spec["name"])
    args, kwargs = list(map(value, spec.get("args", []))), {k: value(v) for k, v in spec["kwargs"].items()}
    if "children" not in spec:
        return cls(optimizer, *args, **kwargs)
    children = [make(child, optimizer) for child in spec["children"]]
    return cls(children, optimizer, **kwargs) if spec["name"] == "ChainedScheduler" else cls(optimizer, children, **kwargs)


def optimizer_of(row):
    lrs = [torch.tensor(x) for x in row["lrs"]] if row.get("tensor") else row["lrs"]
    groups = [{"params": [Parameter(torch.ones(1))], "lr": lr, **row.get("group", {})} for lr in lrs]
    return OPTIMIZERS[row.get("opt", "SGD")](groups)


def number(x):
    return x.item() if torch.is_tensor(x) else x


def rates(optimizer):
    return [number(g["lr"]) for g in optimizer.param_groups]


def momenta(optimizer):
    return [g["betas"][0] if "betas" in g else g.get("momentum") for g in optimizer.param_groups]


def plain(x):
    """As JSON: numbers for tensors, names for infinities; a Counter by rising keys."""
    if isinstance(x, Counter):
        return {str(k): x[k] for k in sorted(x)}
    if isinstance(x, dict):
        return {k: plain(v) for k, v in x.items()}
    if isinstance(x, (list, tuple)):
        return [plain(v) for v in x]
    x = number(x)
    return str(x) if isinstance(x, float) and not math.isfinite(x) else x


def steps_of(row):
    return len(row["epochs"]) if "epochs" in row else row.get("steps", STEPS)


def go_on(row, optimizer, scheduler, start, saved=None):
    """The rates and momenta from step `start` to the end; each state on the way goes to `saved`."""
    out, momentum = [], []
    for k in range(start, steps_of(row)):
        if saved is not None:
            saved.append(deepcopy((optimizer.state_dict(), scheduler.state_dict())))
        for step, group, lr in row.get("by_hand", []):
            if step == k:
                optimizer.param_groups[group]["lr"] = lr
        if "add" in row and row["add"][0] == k:
            optimizer.add_param_group({"params": [Parameter(torch.ones(1))], "lr": row["add"][1]})
        scheduler.step(*([row["epochs"][k]] if "epochs" in row else [row["metrics"][k]] if "metrics" in row else []))
        out.append(rates(optimizer))
        momentum.append(momenta(optimizer))
        assert out[-1] == [number(x) for x in scheduler.get_last_lr()], row
    return out, momentum


def trace(row):
    optimizer = optimizer_of(row)
    scheduler = make(row, optimizer)
    out, momentum, saved = [rates(optimizer)], [momenta(optimizer)], []
    for all_of, rest in zip((out, momentum), go_on(row, optimizer, scheduler, 0, saved)):
        all_of.extend(rest)
    result = {**{k: plain(v) if k == "metrics" else v for k, v in row.items()}, "trace": out}
    if any(m != momentum[0] for m in momentum):
        result["momenta"] = momentum
    result["state"] = plain(scheduler.state_dict())
    result["groups"] = [{k: plain(g[k]) for k in EXTRA if k in g} for g in optimizer.param_groups]
    if not {"epochs", "tensor", "group", "add"} & row.keys():
        for k, (optimizer_state, scheduler_state) in enumerate(saved):
            optimizer = optimizer_of(row)
            scheduler = make(row, optimizer)
            scheduler.load_state_dict(scheduler_state)
            optimizer.load_state_dict(optimizer_state)
            assert go_on(row, optimizer, scheduler, k) == (out[k + 1 :], momentum[k + 1 :]), (row, k)
        result["resumes"] = True
    return result


def said(f):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            f()
        except Exception as e:
            # A KeyError prints the key in quotes, and a message as it is.
            text = e.args[0]
            return [type(e).__name__, f"'{text}'" if isinstance(e, KeyError) and " " not in text else text]
    return [[w.category.__name__, str(w.message)] for w in caught]


ORDERS = [
    ["step", "step"],
    ["opt", "step"],
    ["opt", "step", "step", "step"],
    ["step", "opt", "step"],
    ["override", "opt", "step"],
    ["opt", "override", "step"],
    ["override", "again", "step", "opt"],
    ["opt", "again", "step again"],
    ["again", "opt", "step again", "step"],
    ["get_lr"],
]


def actions():
    """[row, actions]: what is done after the constructor."""
    step = dict(name="StepLR", kwargs=dict(step_size=5), lrs=TWO)
    children = [CHAINABLE[3], CHAINABLE[4]]
    specs = [
        *CHAINABLE,
        *ABSOLUTE,
        dict(name="SWALR", kwargs=dict(swa_lr=0.02)),
        dict(name="SequentialLR", children=children, kwargs=dict(milestones=[1])),
        dict(name="ChainedScheduler", children=children, kwargs={}),
    ]
    for spec in specs:
        for deed in ORDERS:
            if deed == ["get_lr"] and "children" in spec:
                continue
            yield dict(spec, lrs=TWO), deed
        if "children" not in spec:
            yield dict(spec, lrs=TWO), ["opt", ["step", 3]]
            yield dict(spec, lrs=TWO), ["opt", "add", "step"]
            yield dict(spec, lrs=TWO, group=dict(max_lr=1)), ["opt", "add", "step"]
    plateau = dict(name="ReduceLROnPlateau", kwargs=dict(patience=0, min_lr=[0, 0]), lrs=TWO)
    yield plateau, [["step", 1.0], ["step", 1.0]]
    yield plateau, ["override", ["step", 1.0]]
    yield plateau, [["step", 1.0, 4]]
    yield plateau, ["step"]
    yield plateau, ["opt", "add", ["step", 1.0], ["step", 1.0]]
    yield dict(name="CosineAnnealingWarmRestarts", kwargs=dict(T_0=5), lrs=TWO), [["step", -1]]
    yield dict(name="OneCycleLR", kwargs=dict(max_lr=1, total_steps=3), lrs=TWO), ["opt", *["step"] * 4]
    yield step, ["before", "step"]


def act(row, deeds):
    optimizer = optimizer_of(row)
    if "before" in deeds:
        optimizer.step()
    scheduler = make(row, optimizer)
    for deed in deeds:
        if isinstance(deed, list):
            scheduler.step(*deed[1:])
        elif deed == "step":
            scheduler.step()
        elif deed == "opt":
            optimizer.step()
        elif deed == "override":
            optimizer.step = MethodType(lambda self: None, optimizer)
        elif deed == "again":
            again = lr_scheduler.StepLR(optimizer, 2)
        elif deed == "step again":
            again.step()
        elif deed == "add":
            optimizer.add_param_group({"params": [Parameter(torch.ones(1))]})
        elif deed == "get_lr":
            scheduler.get_lr()


def refusals():
    """Rows that a constructor refuses. {"fn": ...} and children as in traces; `other`: the child of another optimizer."""
    one, two = CHAINABLE[4], CHAINABLE[0]
    plateau = dict(name="ReduceLROnPlateau", kwargs={})
    for name, args, kwargs in [
        ("StepLR", [], {}),
        ("StepLR", [1, 2, 3, 4], {}),
        ("StepLR", [1], dict(step_size=2)),
        ("LambdaLR", [], {}),
        ("LambdaLR", [[{"fn": "decay"}]], {}),
        ("MultiplicativeLR", [[{"fn": "decay"}]], {}),
        ("MultiplicativeLR", [3], {}),
        ("MultiplicativeLR", ["x"], {}),
        ("MultiStepLR", [], {}),
        ("ConstantLR", [1.5], {}),
        ("ConstantLR", [-0.5], {}),
        ("LinearLR", [0], {}),
        ("LinearLR", [1.5], {}),
        ("LinearLR", [0.5, 1.5], {}),
        ("LinearLR", [0.5, -1], {}),
        ("ExponentialLR", [], {}),
        ("CosineAnnealingLR", [], {}),
        ("CosineAnnealingWarmRestarts", [0], {}),
        ("CosineAnnealingWarmRestarts", [2.5], {}),
        ("CosineAnnealingWarmRestarts", [5, 0], {}),
        ("CosineAnnealingWarmRestarts", [5, 1.5], {}),
        ("CosineAnnealingWarmRestarts", [5, 1, "x"], {}),
        ("CyclicLR", [0.1], {}),
        ("CyclicLR", [[0.1], 1], {}),
        ("CyclicLR", [0.1, [1, 2, 3]], {}),
        ("CyclicLR", [0.1, 1], dict(mode="sine")),
        ("CyclicLR", [0.1, 1], dict(base_momentum=[0.1])),
        ("CyclicLR", [0.1, 1], dict(max_momentum=[0.1, 0.2, 0.3])),
        ("OneCycleLR", [1], {}),
        ("OneCycleLR", [1], dict(epochs=3)),
        ("OneCycleLR", [1, 0], {}),
        ("OneCycleLR", [1, 2.5], {}),
        ("OneCycleLR", [1], dict(epochs=0, steps_per_epoch=3)),
        ("OneCycleLR", [1], dict(epochs=3, steps_per_epoch=1.5)),
        ("OneCycleLR", [1, 10], dict(pct_start=1.5)),
        ("OneCycleLR", [1, 10], dict(pct_start=-0.5)),
        ("OneCycleLR", [1, 10], dict(anneal_strategy="sine")),
        ("OneCycleLR", [[1], 10], {}),
        ("OneCycleLR", [1, 10], dict(max_momentum=[0.1])),
        ("SWALR", [1], dict(anneal_strategy="sine")),
        ("SWALR", [1, -1], {}),
        ("SWALR", [1, 1.5], {}),
        ("SWALR", [[1]], {}),
        ("ReduceLROnPlateau", [], dict(factor=1.0)),
        ("ReduceLROnPlateau", [], dict(mode="best")),
        ("ReduceLROnPlateau", [], dict(threshold_mode="best")),
        ("ReduceLROnPlateau", [], dict(min_lr=[0.1])),
    ]:
        yield dict(name=name, args=args, kwargs=kwargs, lrs=TWO)
    for name, kwargs in [("CyclicLR", dict(base_lr=0.1, max_lr=1)), ("OneCycleLR", dict(max_lr=1, total_steps=10))]:
        yield dict(name=name, kwargs=kwargs, opt="Adadelta", lrs=TWO)
    for spec in [*CHAINABLE, *ABSOLUTE, dict(name="SWALR", kwargs=dict(swa_lr=1))]:
        yield dict(spec, kwargs=dict(spec["kwargs"], last_epoch=5), lrs=TWO)
        yield dict(spec, no_optimizer=True, lrs=TWO)
    yield dict(plateau, no_optimizer=True, lrs=TWO)
    yield dict(name="SequentialLR", children=[], kwargs=dict(milestones=[]), lrs=TWO)
    yield dict(name="SequentialLR", children=[one, two], kwargs=dict(milestones=[]), lrs=TWO)
    yield dict(name="SequentialLR", children=[one, two], kwargs=dict(milestones=[1, 2]), lrs=TWO)
    yield dict(name="ChainedScheduler", children=[], kwargs={}, lrs=TWO)
    for name, kwargs in [("SequentialLR", dict(milestones=[5])), ("ChainedScheduler", {})]:
        yield dict(name=name, children=[one, two], kwargs=kwargs, lrs=TWO, other=1)
        yield dict(name=name, children=[one, two], kwargs=kwargs, lrs=TWO, other=0)


def refused(row):
    class Model:
        pass

    optimizer = Model() if row.get("no_optimizer") else optimizer_of(row)
    if row.get("no_optimizer"):
        optimizer.param_groups = [{"lr": 1.0}, {"lr": 1.0}]
    if "other" not in row:
        return make(row, optimizer)
    children = [make(c, optimizer_of(row) if i == row["other"] else optimizer) for i, c in enumerate(row["children"])]
    if row["name"] == "ChainedScheduler":
        return lr_scheduler.ChainedScheduler(children, optimizer)
    return lr_scheduler.SequentialLR(optimizer, children, **row["kwargs"])


def lines(items):
    return ",\n".join(json.dumps(item, separators=(",", ":"), allow_nan=False) for item in items)


def main():
    assert torch.__version__.split("+")[0] == TORCH, f"these goldens are torch {TORCH}'s"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        traces = [trace(row) for row in [*singles(), *compositions(), *disturbed()]]
    acted = [dict(row=row, actions=deeds, said=said(lambda: act(row, deeds))) for row, deeds in actions()]
    refusal = [dict(row=row, said=said(lambda: refused(row))) for row in refusals()]
    for item in refusal:
        assert item["said"] and isinstance(item["said"][0], str), item
    head = dict(format=FORMAT, torch=torch.__version__, steps=STEPS, note="host arithmetic: neither seed nor threads matter")
    out = Path(__file__).resolve().parents[2] / "test/golden/lr.json"
    out.write_text(
        f'{{"head": {json.dumps(head)},\n"said": [\n{lines(acted)}\n],\n"refused": [\n{lines(refusal)}\n],\n"traces": [\n{lines(traces)}\n]}}\n'
    )
    print(f"{len(traces)} traces, {sum('resumes' in t for t in traces)} resumed, {len(acted)} said, {len(refusal)} refused, {out.stat().st_size / 1e3:.0f} kB")


main()
