"""Records torch.nn's losses, and torch.autograd through them, for test/nn-losses.test.ts: test/golden/nn_losses.json.

Run from the repository's root with torch 2.15.0: python scripts/golden/nn_losses.py

A loss is given as a class of nn or as F.function; its values are of a kind in KINDS. Keywords that are shapes stand for
tensors of rand. Everything is computed in float64 from float32 numbers; the second derivative is that of
sum(gradient²) by the input. programs.py beside this file explains the rest.
"""
import warnings
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

from head import head
from programs import bad, do, f, m, models, sample, signed, t, warned, write, x

SEED = 11
KINDS = {
    "signed": lambda s: signed(*s), "wide": lambda s: signed(*s) * 16, "logs": lambda s: signed(*s) - 1, "unit": torch.rand,
    "bits": lambda s: (torch.rand(s) * 2).floor(), "steps": lambda s: (torch.rand(s) * 3).floor() / 2,
}  # fmt: skip
CONSTANT = ("bits", "steps", "labels")  # targets without a gradient
REDUCTIONS = ["mean", "sum", "none"]


def row(loss, kinds, shape, target=None, **k):
    return loss, kinds, shape, shape if target is None else target, k


EACH = [([4, 3], [4, 3]), ([], []), ([2, 3, 4], [2, 3, 4])]
BROADCAST = [([4, 1], [4]), ([2, 3, 4], [4])]
ROWS = [
    *[row(name, ["wide" if k else "signed", "signed"], *shapes, **k, reduction=r)
      for name, options in (("SmoothL1Loss", [{}, dict(beta=0.5), dict(beta=3), dict(beta=0)]), ("HuberLoss", [{}, dict(delta=0.5), dict(delta=3)]))
      for k in options for r in REDUCTIONS for shapes in EACH + BROADCAST if r == "mean" or shapes == EACH[0]],
    *[row(f"F.{name}", ["wide", "signed"], [4, 3], weight=[4, 3], reduction=r) for name in ("mse_loss", "l1_loss", "huber_loss") for r in REDUCTIONS],
    row("F.huber_loss", ["wide", "signed"], [2, 3, 1], [3], weight=[2, 3, 1], delta=2),
    *[row("BCELoss", kinds, shape, **k, reduction=r)
      for kinds in (["unit", "unit"], ["unit", "bits"], ["steps", "steps"]) for k in ({}, dict(weight=[3]), dict(weight=[4, 1])) for shape in ([4, 3], [4], [])
      for r in REDUCTIONS if (shape == [4, 3]) if r == "mean" or kinds[1] == "unit"],
    row("BCELoss", ["unit", "unit"], []), row("BCELoss", ["unit", "bits"], [64, 1]),
    *[row("BCEWithLogitsLoss", kinds, [4, 3], **k, reduction=r)
      for kinds in (["signed", "unit"], ["wide", "bits"]) for k in ({}, dict(weight=[3]), dict(pos_weight=[3]), dict(pos_weight=[4, 3], weight=[4, 1]), dict(pos_weight=[1]))
      for r in REDUCTIONS if r == "mean" or kinds[1] == "unit"],
    row("BCEWithLogitsLoss", ["wide", "bits"], [64, 1]), row("BCEWithLogitsLoss", ["signed", "unit"], []), row("BCEWithLogitsLoss", ["signed", "unit"], [2, 3, 4], pos_weight=[3, 1]),
    *[row("KLDivLoss", ["logs", kind], *shapes, reduction=r, log_target=kind == "logs")
      for kind in ("unit", "logs") for r in [*REDUCTIONS, "batchmean"] for shapes in EACH + [([4, 1], [4])] if r in ("mean", "batchmean") or shapes == EACH[0]],
    row("KLDivLoss", ["logs", "steps"], [4, 3], reduction="sum"),
    *[row("CrossEntropyLoss", ["wide", "unit"], [2, 3, 4, 5], reduction=r, weight=[3], label_smoothing=0.2) for r in REDUCTIONS],
    *[row("CrossEntropyLoss", ["wide", "labels"], [2, 3, 4, 5], [2, 4, 5], reduction=r, weight=[3], label_smoothing=0.2, ignore_index=2) for r in REDUCTIONS],
    *[row("F.binary_cross_entropy", ["unit", "unit"], [4, 3], size_average=a, reduce=b) for a, b in ((False, None), (None, False))],
    row("F.kl_div", ["logs", "unit"], [4, 3], size_average=False),
    *[row(name, kinds, [100, 1001]) for name, kinds in (("SmoothL1Loss", ["wide", "signed"]), ("BCELoss", ["unit", "unit"]), ("BCEWithLogitsLoss", ["wide", "bits"]), ("KLDivLoss", ["logs", "unit"]))],
]  # fmt: skip
SECOND = [("MSELoss", ["signed", "signed"]), ("SmoothL1Loss", ["wide", "signed"]), ("HuberLoss", ["signed", "signed"]), ("BCELoss", ["unit", "unit"]), ("BCEWithLogitsLoss", ["signed", "unit"]), ("KLDivLoss", ["logs", "unit"])]  # fmt: skip


def inputs(kinds, shape, target):
    given = KINDS[kinds[0]](shape).double().requires_grad_()
    if kinds[1] == "labels":
        return given, torch.randint(0, shape[1], target)
    goal = KINDS[kinds[1]](target).double()
    return given, goal.requires_grad_(kinds[1] not in CONSTANT)


def losses():
    for name, kinds, shape, target, keywords in ROWS:
        torch.manual_seed(SEED)
        given, goal = inputs(kinds, shape, target)
        k = {key: torch.rand(v).double() if isinstance(v, list) else v for key, v in keywords.items()}
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            loss = getattr(F, name[2:])(given, goal, **k) if name.startswith("F.") else getattr(nn, name)(**k)(given, goal)
        loss.backward(signed(*loss.shape).double())
        yield {
            "loss": name, "kinds": kinds, "input": shape, "target": target, "options": keywords, "value": sample(loss), "input_gradient": sample(given.grad),
            **({"target_gradient": sample(goal.grad)} if goal.requires_grad else {}), **({"warnings": [str(w.message) for w in caught]} if caught else {}),
        }  # fmt: skip


def second():
    for name, kinds in SECOND:
        torch.manual_seed(SEED)
        given, goal = inputs(kinds, [4, 3], [4, 3])
        # KLDivLoss is linear in its input.
        by = "target" if name == "KLDivLoss" else "input"
        x = goal if by == "target" else given
        (gradient,) = torch.autograd.grad(getattr(nn, name)(reduction="sum")(given, goal), x, create_graph=True)
        gradient.square().sum().backward()
        yield {"loss": name, "kinds": kinds, "input": [4, 3], "by": by, "gradient": sample(x.grad)}


I = lambda *shape: t(*shape, dtype="int64")  # noqa: E731
B = lambda *shape: t(*shape, dtype="bool")  # noqa: E731
P = lambda *shape: do(t(*shape), "requires_grad_")  # noqa: E731
NAMES = ["mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss", "binary_cross_entropy", "binary_cross_entropy_with_logits", "kl_div"]
BAD = [
    *[f(f"F.{name}", *a, **k) for name in NAMES for a, k in [
        ([I(3), I(3)], {}), ([t(3, 2), t(3)], {}), ([t(2, 3), t(4, 2, 2)], {}), ([t(3), t(3)], dict(reduction="foo")), ([t(3)], {}), ([t(3), t(3)], dict(redution="sum")),
    ]],
    *[f(f"F.{name}", t(2), t(2), weight=t(3)) for name in NAMES[:2] + NAMES[3:6]], *[f(f"F.{name}", t(2), t(2), weight=t(2), reduction="foo") for name in NAMES[:2] + NAMES[3:4]],
    *[f(f"F.{name}", B(3), B(3)) for name in NAMES if name != "kl_div"], f("F.l1_loss", B(3), t(3)), f("F.huber_loss", I(3), t(3)),
    *[f(f"F.{name}", *a) for name in NAMES[4:] for a in ([t(3), I(3)], [I(3), t(3)])],
    *[f(f"F.{name}", t(2, 3), t(2, 3), weight=t(*w)) for name in NAMES[4:6] for w in ([2], [4], [4, 2, 3], [3, 3])],
    *[f("F.binary_cross_entropy_with_logits", t(2, 3), t(2, 3), pos_weight=t(*w)) for w in ([2], [4], [4, 2, 3])],
    *[f("F.binary_cross_entropy", f("torch.add", t(2), v), f("torch.add", t(2), w)) for v, w in ((1.5, 0), (-0.5, 0), (0.5, 2), (0.5, -1), (2, 2))],
    f("F.binary_cross_entropy", f("torch.log", f("torch.sub", t(2), 1)), t(2)),
    f("F.binary_cross_entropy", t(2), t(2), P(2)), f("F.binary_cross_entropy_with_logits", t(2), t(2), P(2)), f("F.binary_cross_entropy_with_logits", t(2), t(2), pos_weight=P(2)),
    f("F.smooth_l1_loss", t(2), t(2), beta=-1), f("F.huber_loss", t(2), t(2), delta=0), x(m("HuberLoss", delta=-1), t(2), t(2)), x(m("SmoothL1Loss", beta=-0.5), t(2), t(2)),
    x(m("BCELoss"), t(3, 1), t(3)), x(m("BCEWithLogitsLoss"), t(3, 1), t(3)), m("HuberLoss", "mean", 1.0, 2), m("KLDivLoss", log_targets=True), m("BCELoss", 1, 2, 3, 4, 5),
    do(m("BCEWithLogitsLoss", pos_weight=t(3)), "load_state_dict", {"pos_weight": t(4), "weight": t(3)}), do(m("BCELoss", t(3)), "load_state_dict", {}),
    f("F.cross_entropy", I(2, 3), I(2)), f("F.nll_loss", I(2, 3), I(2)), f("F.cross_entropy", I(2, 3), t(2, 3)), f("F.cross_entropy", t(2, 3), I(2), weight=I(3)), f("F.cross_entropy", t(2, 3), I(2), label_smoothing=2),
    *[f(f"F.{name}", I(2, 3, 4), I(2, 4)) for name in ("cross_entropy", "nll_loss")], f("F.nll_loss", t(2, 3), I(2), weight=I(3)), f("F.cross_entropy", I(2, 3), I(3)),
    *[m(name, 1, 2, 3, 4, 5, 6, 7) for name in ("MSELoss", "L1Loss", "SmoothL1Loss", "BCEWithLogitsLoss", "KLDivLoss")],
    x(m("CrossEntropyLoss"), t(4, 10), f("torch.full", [4], 10)), x(m("NLLLoss"), t(4, 10, 2), f("torch.full", [4, 2], -1)), x(m("CrossEntropyLoss", ignore_index=7), t(4, 10), f("torch.full", [4], 12)),
]  # fmt: skip
WARNED = [
    *[f(f"F.{name}", t(4, 1), t(4)) for name in NAMES[:4]], f("F.kl_div", t(2), t(2)), f("F.kl_div", t(2), t(2), reduction="batchmean"), x(m("KLDivLoss"), t(2, 2), t(2, 2)),
    *[f(f"F.{name}", t(2), t(2), size_average=False) for name in NAMES if name != "huber_loss"], m("KLDivLoss", reduce=True), m("BCELoss", size_average=True), m("SmoothL1Loss", reduce=False),
]  # fmt: skip
MODELS = [
    *[m(name) for name in ("BCELoss", "BCEWithLogitsLoss", "SmoothL1Loss", "HuberLoss", "KLDivLoss")], m("BCELoss", t(3)), m("BCEWithLogitsLoss", pos_weight=t(3)), m("BCEWithLogitsLoss", t(2), pos_weight=t(3)),
    m("SmoothL1Loss", None, None, "sum", 2.0), m("HuberLoss", "none", 0.5), m("KLDivLoss", None, None, "batchmean", True),
]  # fmt: skip

torch.set_num_threads(1)
golden = {"head": head(seed=SEED), "losses": list(losses()), "second": list(second()), "models": list(models(MODELS)), "bad": list(bad(BAD)), "warned": list(warned(WARNED))}
write(Path(__file__).resolve().parents[2] / "test/golden/nn_losses.json", golden)
