"""Records the learning rates of torch.optim.lr_scheduler for test/lr.test.ts: test/golden/lr.json.

Run with torch 2.15.0: python scripts/golden/lr.py

A row is a scheduler and what is done to it; `trace` holds the rates of all groups after the constructor and after each step.
`by_hand`: [step, group, lr] set before that step. `epochs`: `step(epoch)` in place of `step()`. `resume`: the state dicts are
saved after so many steps, an optimizer and a scheduler are built anew, loaded (scheduler first) and stepped to the end.
`from`: built with last_epoch on groups that have an initial_lr.
"""
import json
import warnings
from pathlib import Path

import torch
from torch.nn import Parameter
from torch.optim import SGD, lr_scheduler

TORCH, FORMAT, STEPS = "2.15.0", 1, 60
TWO, THREE = [0.1, 0.003], [1.0, 0.05, 3e-4]


def rows():
    for gamma in (0.1, 0.5, 0.97, 1, 1.3):
        for step_size in (1, 3, 7, 30, 100):
            yield dict(name="StepLR", kwargs=dict(step_size=step_size, gamma=gamma), lrs=TWO)
    yield dict(name="StepLR", kwargs=dict(step_size=10), lrs=THREE)
    yield dict(name="StepLR", kwargs=dict(step_size=2.5, gamma=0.7), lrs=THREE)
    yield dict(name="StepLR", args=[4, 0.6], kwargs={}, lrs=THREE)
    yield dict(name="StepLR", kwargs=dict(step_size=5, gamma=0.3), lrs=THREE, by_hand=[[0, 1, 0.2], [12, 0, 0.7], [15, 2, 1e-2], [40, 0, 5]])
    for at in (0, 1, 4, 5, 6, 29, 59):
        yield dict(name="StepLR", kwargs=dict(step_size=5, gamma=0.7), lrs=THREE, by_hand=[[3, 1, 0.2]], resume=at)
    yield dict(name="StepLR", kwargs=dict(step_size=5, gamma=0.7), lrs=THREE, epochs=[0, 1, 4, 5, 6, 30, 2, 100])
    for last in (0, 3, 4, 17):
        yield dict(name="StepLR", kwargs=dict(step_size=5, gamma=0.7, last_epoch=last), lrs=TWO, initial=[0.5, 0.25])
    yield dict(name="StepLR", kwargs=dict(step_size=5, gamma=0.7), lrs=TWO, tensor=True)


def build(row):
    lrs = [torch.tensor(x) for x in row["lrs"]] if row.get("tensor") else row["lrs"]
    groups = [{"params": [Parameter(torch.ones(1))], "lr": lr} for lr in lrs]
    for group, initial in zip(groups, row.get("initial", [])):
        group["initial_lr"] = initial
    optimizer = SGD(groups)
    return optimizer, getattr(lr_scheduler, row["name"])(optimizer, *row.get("args", []), **row["kwargs"])


def number(x):
    return x.item() if torch.is_tensor(x) else x


def trace(row):
    optimizer, scheduler = build(row)

    def rates():
        now = [number(g["lr"]) for g in optimizer.param_groups]
        assert now == [number(x) for x in scheduler.get_last_lr()]
        return now

    out = [rates()]
    for k in range(len(row["epochs"]) if "epochs" in row else STEPS):
        if row.get("resume") == k:
            saved = optimizer.state_dict(), scheduler.state_dict()
            optimizer, scheduler = build(row)
            scheduler.load_state_dict(saved[1])
            optimizer.load_state_dict(saved[0])
        for step, group, lr in row.get("by_hand", []):
            if step == k:
                optimizer.param_groups[group]["lr"] = lr
        optimizer.step()
        scheduler.step(*([row["epochs"][k]] if "epochs" in row else []))
        out.append(rates())
    state = {k: [number(v) for v in x] if isinstance(x, list) else x for k, x in scheduler.state_dict().items()}
    return {**row, "trace": out, "state": state, "initial_lrs": [number(g["initial_lr"]) for g in optimizer.param_groups]}


def said(f):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            f()
        except Exception as e:
            return [type(e).__name__, e.args[0]]
    return [[w.category.__name__, str(w.message)] for w in caught]


def messages():
    """What torch says, by the name that test/lr.test.ts gives the same deed."""

    def scheduler_first():
        optimizer, scheduler = build(row)
        scheduler.step()
        scheduler.step()

    def optimizer_first():
        optimizer, scheduler = build(row)
        optimizer.step()
        scheduler.step()

    def step_before_scheduler():
        optimizer = SGD([Parameter(torch.ones(1))])
        optimizer.step()
        lr_scheduler.StepLR(optimizer, 2).step()

    def second_scheduler():
        optimizer, scheduler = build(row)
        optimizer.step()
        lr_scheduler.StepLR(optimizer, 2).step()

    def overridden():
        optimizer, scheduler = build(row)
        optimizer.step = lambda: None
        optimizer.step()
        scheduler.step()

    def epoch():
        optimizer, scheduler = build(row)
        optimizer.step()
        scheduler.step(3)

    def get_lr():
        build(row)[1].get_lr()

    def no_optimizer():
        class Model:
            pass

        lr_scheduler.StepLR(Model(), 2)

    def no_initial_lr():
        lr_scheduler.StepLR(SGD([{"params": [Parameter(torch.ones(1))], "initial_lr": 1}, {"params": [Parameter(torch.ones(1))]}]), 2, 0.1, 5)

    def no_step_size():
        lr_scheduler.StepLR(SGD([Parameter(torch.ones(1))]))

    def too_many():
        lr_scheduler.StepLR(SGD([Parameter(torch.ones(1))]), 1, 2, 3, 4)

    def group_added():
        optimizer, scheduler = build(row)
        optimizer.step()
        optimizer.add_param_group({"params": [Parameter(torch.ones(1))]})
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            scheduler.step(3)

    row = dict(name="StepLR", kwargs=dict(step_size=5), lrs=TWO)
    deeds = [scheduler_first, optimizer_first, step_before_scheduler, second_scheduler, overridden, epoch, get_lr, no_optimizer,
             no_initial_lr, no_step_size, too_many, group_added]
    return {f.__name__: said(f) for f in deeds}


def main():
    assert torch.__version__.split("+")[0] == TORCH, f"these goldens are torch {TORCH}'s"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        traces = [trace(row) for row in rows()]
    head = dict(format=FORMAT, torch=torch.__version__, steps=STEPS, note="host arithmetic: neither seed nor threads matter")
    body = ",\n".join(json.dumps(row, separators=(",", ":")) for row in traces)
    out = Path(__file__).resolve().parents[2] / "test/golden/lr.json"
    out.write_text(f'{{"head": {json.dumps(head)},\n"messages": {json.dumps(messages(), indent=1)},\n"traces": [\n{body}\n]}}\n')
    print(f"{len(traces)} traces, {out.stat().st_size / 1e3:.0f} kB")


main()
