"""Records torch.nn for test/nn.test.ts: test/golden/nn.json.

Run from the repository's root with torch 2.15.0: python scripts/golden/nn.py

programs.py beside this file says how a case is written down.
Layers and losses are recorded in float64 from float32 inputs, what is drawn at random as it is.
"""
import platform
import warnings
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

from programs import bad, digest, do, evaluate, f, fresh, layers, m, models, put, sample, signed, t, warned, write, x

# ---- layers

CONV = [
    ([1, 6, 5], dict(padding=2), [2, 1, 12, 12]), ([6, 16, 5], {}, [2, 6, 9, 9]), ([3, 4, 3], dict(stride=2), [2, 3, 8, 9]),
    ([3, 4, 3], dict(stride=2, padding=1), [2, 3, 8, 9]), ([2, 3, [3, 2]], dict(stride=[2, 1], padding=[0, 1]), [2, 2, 7, 6]),
    ([2, 3, [1, 4]], dict(padding=[2, 3]), [1, 2, 4, 5]), ([2, 3, 3], dict(padding="same"), [2, 2, 5, 6]),
    ([2, 3, 4], dict(padding="same"), [2, 2, 7, 6]), ([2, 3, [2, 4]], dict(padding="same", dilation=[3, 1]), [1, 2, 7, 6]),
    ([2, 3, 3], dict(padding="valid"), [2, 2, 5, 6]), ([2, 3, 3], dict(dilation=2), [2, 2, 8, 7]),
    ([2, 3, [3, 2]], dict(dilation=[2, 3], stride=[1, 2], padding=1), [2, 2, 8, 9]), ([2, 3, 3], dict(bias=False), [2, 2, 5, 5]),
    ([4, 4, 3], dict(groups=4, padding=1), [2, 4, 6, 5]), ([4, 8, 3], dict(groups=4, stride=2), [2, 4, 7, 7]),
    ([4, 8, 3], dict(groups=4, dilation=2, bias=False), [1, 4, 7, 7]), ([4, 6, 3], dict(groups=2, padding=1, stride=2), [2, 4, 6, 5]),
    ([6, 6, 2], dict(groups=3, dilation=2), [2, 6, 6, 5]), ([4, 4, [3, 2]], dict(groups=4, stride=[1, 2]), [2, 4, 6, 6]),
    ([3, 5, 1], {}, [2, 3, 4, 4]), ([2, 3, 3], dict(padding=1), [2, 5, 6]), ([2, 3, 4], {}, [2, 2, 4, 4]), ([1, 1, 3], {}, [1, 1, 3, 3]),
]  # fmt: skip
POOL = [
    ([2], {}, [2, 3, 6, 8]), ([2], {}, [2, 3, 7, 9]), ([3], dict(stride=2), [2, 2, 7, 8]), ([3, 2, 1], {}, [2, 2, 7, 8]),
    ([[2, 3]], dict(stride=[1, 2], padding=[1, 0]), [2, 2, 5, 7]), ([2], dict(ceil_mode=True), [2, 3, 7, 9]),
    ([3], dict(stride=2, padding=1, ceil_mode=True), [1, 2, 6, 7]), ([2], dict(stride=3, ceil_mode=True), [1, 2, 7, 9]),
    ([2], {}, [3, 6, 5]), ([3], dict(stride=1, padding=1), [2, 1, 5, 5]), ([4], {}, [2, 5, 4, 4]),
]  # fmt: skip
LENET = [
    m("Conv2d", 1, 6, 5, padding=2), m("ReLU"), m("MaxPool2d", 2), m("Conv2d", 6, 16, 5), m("ReLU"), m("MaxPool2d", 2),
    m("Flatten"), m("Linear", 400, 120), m("ReLU"), m("Linear", 120, 84), m("ReLU"), m("Linear", 84, 10),
]  # fmt: skip
LAYERS = [
    *[(m("Linear", *a, **k), shape) for a, k, shape in [
        ([4, 5], {}, [3, 4]), ([4, 5], {}, [4]), ([4, 5], {}, [2, 3, 4]), ([4, 5, False], {}, [3, 4]), ([4, 5], dict(bias=False), [2, 1, 3, 4]),
        ([400, 120], {}, [8, 400]), ([1, 1], {}, [1, 1]),
    ]],
    *[(m("Conv2d", *a, **k), shape) for a, k, shape in CONV],
    *[(m("MaxPool2d", *a, **k), shape) for a, k, shape in POOL],
    *[(m("ReLU", *a), shape) for a, shape in [([], [3, 4]), ([True], [2, 3, 4, 5]), ([], [])]],
    *[(m("Flatten", *a), shape) for a, shape in [([], [2, 3, 4]), ([0], [2, 3, 4]), ([1, 2], [2, 3, 4, 5]), ([0, -1], [])]],
    *[(m(name, dim), shape) for name in ("Softmax", "LogSoftmax") for dim, shape in [(1, [3, 5]), (0, [3, 5]), (-1, [2, 3, 4]), (1, [2, 3, 4, 5]), (0, [7])]],
    (m("Identity", 3, foo=1), [2, 3]),
    (m("Sequential", *LENET), [2, 1, 28, 28]),
    (m("Sequential", m("Conv2d", 2, 3, 3, padding=1), m("MaxPool2d", 2), m("ReLU"), m("Conv2d", 3, 4, 3, 2, 1), m("ReLU"), m("Conv2d", 4, 2, 1)), [2, 2, 9, 8]),
    (m("Sequential", m("Conv2d", 2, 1, 3), m("ReLU"), m("Conv2d", 1, 2, 3), m("MaxPool2d", [2, 3]), m("ReLU"), m("Conv2d", 2, 2, 1), m("Softmax", 1)), [2, 2, 8, 7]),
]  # fmt: skip


# ---- losses

REDUCTIONS = ["mean", "sum", "none"]
LABELLED = [([4, 3], [4]), ([64, 10], [64]), ([5], []), ([2, 3, 4], [2, 4]), ([2, 3, 4, 5], [2, 4, 5]), ([2, 3, 2, 2, 3], [2, 2, 2, 3])]
LOSSES = [
    *[(name, dict(reduction=r, **k), shape, ["labels", target], scale)
      for name in ("CrossEntropyLoss", "NLLLoss") for shape, target in LABELLED for r in REDUCTIONS
      for k in ({}, dict(weight=True), dict(ignore_index=1), dict(weight=True, ignore_index=1)) for scale in (1,)
      if r == "mean" or shape in ([4, 3], [2, 3, 4, 5])],
    *[("CrossEntropyLoss", dict(reduction=r, label_smoothing=0.1, **k), shape, ["labels", target], 1)
      for shape, target in LABELLED for r in REDUCTIONS for k in ({}, dict(weight=True, ignore_index=1)) if r == "mean" or shape == [4, 3]],
    *[("CrossEntropyLoss", dict(reduction=r, **k), shape, ["shares", shape], 1)
      for shape in ([4, 3], [5], [2, 3, 4]) for r in REDUCTIONS for k in ({}, dict(weight=True), dict(label_smoothing=0.25, weight=True)) if r == "mean" or shape == [4, 3]],
    ("CrossEntropyLoss", {}, [64, 10], ["labels", [64]], 64), ("CrossEntropyLoss", {}, [6, 1000], ["labels", [6]], 8),
    *[(name, dict(reduction=r), shape, ["values", target], 1)
      for name in ("MSELoss", "L1Loss") for r in REDUCTIONS for shape, target in [([4, 3], [4, 3]), ([], []), ([4, 1], [4]), ([2, 3, 4], [4])] if r == "mean" or shape != []],
    *[(name, {}, [100, 1001], ["values", [100, 1001]], 1) for name in ("MSELoss", "L1Loss")],
    *[(name, dict(size_average=a, reduce=b), [4, 3], ["values", [4, 3]], 1) for name in ("MSELoss",) for a in (True, False, None) for b in (True, False) ],
]  # fmt: skip


def losses():
    for name, options, shape, (kind, target_shape), scale in LOSSES:
        torch.manual_seed(11)
        # Log-probabilities are not above 0.
        given = (signed(*shape) - int(name == "NLLLoss")).mul(scale).double().requires_grad_()
        classes = shape[0 if len(shape) == 1 else 1] if shape else 1
        if kind == "labels":
            target = torch.randint(0, classes, target_shape)
        else:
            target = (torch.rand(target_shape) if kind == "shares" else signed(*target_shape)).double().requires_grad_()
        keywords = dict(options)
        if options.get("weight"):
            keywords["weight"] = torch.rand(classes).double()
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            loss = getattr(nn, name)(**keywords)(given, target)
        loss.backward(signed(*loss.shape).double())
        yield {
            "loss": name, "options": options, "input": shape, "target": [kind, target_shape], "scale": scale,
            "value": sample(loss), "input_gradient": sample(given.grad),
            **({} if kind == "labels" else {"target_gradient": sample(target.grad)}),
            **({"warnings": [str(w.message) for w in caught]} if caught else {}),
        }  # fmt: skip


# ---- what is drawn at random

FRESH = [
    m("Linear", 4, 5), m("Linear", 784, 256), m("Linear", 3, 2, False), m("Linear", 1, 1), m("Conv2d", 1, 6, 5), m("Conv2d", 3, 32, 5, padding=2),
    m("Conv2d", 2, 4, [3, 2], groups=2), m("Conv2d", 8, 8, 3, bias=False), m("Sequential", *LENET),
]  # fmt: skip
DRAWS = [
    *[(f"init.{name}", k, shape) for shape in ([3, 5], [7, 4, 3, 3], [40, 60]) for name, k in [
        ("uniform_", {}), ("uniform_", dict(a=-0.3, b=0.7)), ("normal_", {}), ("normal_", dict(mean=0.5, std=0.02)), ("xavier_uniform_", {}), ("xavier_uniform_", dict(gain=1.7)),
        ("xavier_normal_", {}), ("xavier_normal_", dict(gain=0.3)), ("kaiming_uniform_", {}), ("kaiming_uniform_", dict(a=0.2, mode="fan_out")),
        ("kaiming_uniform_", dict(nonlinearity="relu")), ("kaiming_normal_", {}), ("kaiming_normal_", dict(mode="fan_out", nonlinearity="relu")),
        ("kaiming_normal_", dict(a=0.1, nonlinearity="leaky_relu")), ("kaiming_normal_", dict(nonlinearity="tanh")),
    ]],
    *[(f"init.{name}", {}, shape) for shape in ([3], [2, 3]) for name in ("ones_", "zeros_", "uniform_", "normal_")],
    ("init.constant_", dict(val=0.3), [2, 3]), ("init.eye_", {}, [3, 3]), ("init.eye_", {}, [2, 4]), ("init.eye_", {}, [4, 2]),
]  # fmt: skip
DROPOUTS = [(p, shape) for p in (0.0, 0.1, 0.5, 0.9, 1.0) for shape in ([7], [64, 120], [2, 3, 4, 5])]
GAINS = [["linear"], ["conv2d"], ["conv_transpose3d"], ["sigmoid"], ["tanh"], ["relu"], ["leaky_relu"], ["leaky_relu", 0.2], ["leaky_relu", 0], ["selu"]]


def draws():
    for function, keywords, shape in DRAWS:
        torch.manual_seed(3)
        drawn = evaluate(f(function, t(*shape), **keywords))
        yield {"call": function, "keywords": keywords, "shape": shape, "values": digest(drawn), "next": torch.rand(1).item()}


def dropouts():
    for p, shape in DROPOUTS:
        torch.manual_seed(5)
        given = signed(*shape).requires_grad_()
        output = F.dropout(given, p)
        output.backward(torch.ones(shape))
        yield {"p": p, "shape": shape, "output": digest(output), "gradient": digest(given.grad), "next": torch.rand(1).item()}
    # Behind a convolution the mask still has the order of NCHW.
    torch.manual_seed(5)
    net = nn.Sequential(nn.Conv2d(2, 3, 3), nn.ReLU(), nn.Dropout(0.3), nn.MaxPool2d(2), nn.Dropout(0.5), nn.Flatten())
    given = signed(2, 2, 8, 9)
    output = net(given)
    output.sum().backward()
    yield {"p": "net", "shape": [2, 2, 8, 9], "output": sample(output), "gradient": sample(net[0].weight.grad), "next": torch.rand(1).item()}


# ---- structure

MODELS = [
    m("Linear", 4, 5), m("Linear", 4, 5, bias=False), m("Conv2d", 3, 32, 5), m("Conv2d", 3, 32, [5, 3], 2, [1, 0], [1, 2]), m("Conv2d", 4, 8, 3, padding="same", groups=2, bias=False),
    m("Conv2d", 4, 8, 3, padding="valid"), m("MaxPool2d", 2), m("MaxPool2d", [2, 3], stride=[2, 1], padding=1, ceil_mode=True), m("ReLU"), m("ReLU", True), m("Flatten"), m("Flatten", 0, 2),
    m("Dropout"), m("Dropout", 0.25, True), m("Dropout", 1), m("Identity", 5), m("Softmax", 1), m("LogSoftmax"), m("CrossEntropyLoss"), m("NLLLoss"), m("MSELoss", reduction="sum"), m("L1Loss"),
    m("CrossEntropyLoss", weight=t(3)), m("Sequential"), m("Sequential", *LENET), m("Sequential", m("Sequential", m("Linear", 2, 3), m("ReLU")), m("Linear", 3, 1)), m("ModuleList"),
    m("ModuleList", [m("Linear", 2, 2), m("Linear", 2, 2), m("ReLU"), m("Linear", 2, 2)]), m("ModuleList", [m("Sequential", m("Linear", 2, 2)), m("Sequential", m("Linear", 2, 2))]),
    m("ModuleDict", {"conv": m("Conv2d", 1, 2, 3), "pool": m("MaxPool2d", 2)}), m("Module"),
]  # fmt: skip


# ---- bad input: torch's class and text

L, C = m("Linear", 4, 5), m("Conv2d", 1, 6, 5)
I = lambda *shape: t(*shape, dtype="int64")  # noqa: E731
M = m("Module")
BAD = [
    x(L, t(2, 3)), x(L, t(3)), x(L, t(2, 2, 3)), x(m("Linear", 4, 5, False), t(3)), x(L, t()), x(L, I(2, 4)), x(L, t(2, 4, dtype="bool")), f("F.linear", t(2, 4), t(5, 4), t(6)), x(L, "a"),
    x(C, t(2, 3, 28, 28)), x(C, t(28, 28)), x(C, t(1, 1, 1, 28, 28)), x(C, t(3, 28, 28)), x(C, t(1, 1, 3, 3)), x(m("Conv2d", 1, 6, 5, padding=[1, 0]), t(1, 1, 2, 3)), x(C, I(1, 1, 28, 28)),
    x(m("Conv2d", 1, 6, 5, stride=0), t(1, 1, 28, 28)), x(m("Conv2d", 1, 6, 5, dilation=0), t(1, 1, 28, 28)), x(m("Conv2d", 1, 6, 5, padding=-1), t(1, 1, 28, 28)),
    m("Conv2d", 3, 6, 5, groups=2), m("Conv2d", 4, 5, 5, groups=2), m("Conv2d", 4, 5, 5, groups=0), m("Conv2d", 4, 5, 5, padding="same", stride=2), m("Linear", -1, 5),
    f("F.conv2d", t(1, 1, 8, 8), t(6, 1, 3, 3), t(5)), f("F.conv2d", t(1, 4, 8, 8), t(6, 3, 3, 3), groups=2), f("F.conv2d", t(1, 4, 8, 8), t(5, 2, 3, 3), groups=2), f("F.conv2d", t(1, 4, 8, 8), t(5, 2, 3)),
    f("F.conv2d", t(1, 1, 8, 8), t(5, 1, 3, 3), stride=[1, 2, 3]), f("F.conv2d", t(1, 1, 8, 8), t(5, 1, 3, 3), stride=2, padding="same"), f("F.conv2d", t(1, 1, 8, 8), t(5, 1, 3, 3), padding="foo"),
    f("F.max_pool2d", t(8, 8), 2), f("F.max_pool2d", t(1, 1, 1, 8, 8), 2), f("F.max_pool2d", t(1, 1, 8, 8), 2, padding=2), f("F.max_pool2d", t(1, 1, 1, 1), 2), f("F.max_pool2d", t(1, 1, 8, 8), 2, 0),
    f("F.max_pool2d", t(1, 1, 8, 8), 2, dilation=0), f("F.max_pool2d", t(1, 1, 8, 8), [2, 2, 2]), f("F.max_pool2d", t(1, 0, 8, 8), 2), f("F.max_pool2d", t(1, 1, 8, 8), 2, padding=-1),
    f("F.max_pool2d", t(1, 1, 8, 8), 2, [1, 2, 3]), f("F.max_pool2d", t(1, 1, 8, 8), 2, 1, [1, 2, 3]),
    *[f(f"F.{name}", *args, **k) for name in ("cross_entropy", "nll_loss") for args, k in [
        ([t(4, 3), I(3)], {}), ([t(2, 3), f("torch.full", [2], 10)], {}), ([t(2, 3), f("torch.full", [2], -1)], {}), ([t(2, 3), t(2)], {}), ([t(2, 3), t(2, dtype="bool")], {}), ([t(2, 3, 4, 5), I(2, 4, 6)], {}),
        ([t(2, 3, 4), I(2)], {}), ([t(2, 3), I(2, 1)], {}), ([t(2, 3), I(2), t(4)], {}), ([t(2, 3), I(2), t(3, 1)], {}), ([t(2, 3, 4, 5), I(2, 4)], {}), ([t(2, 3, 4), I(3, 4)], {}), ([t(2, 3), I(2)], dict(reduction="foo")),
        ([t(2, 3, 4, 5), I(2, 4, 5), t(4)], {}),
    ]],
    f("F.cross_entropy", t(2, 3), I(2, 3)), f("F.cross_entropy", t(2, 3), t(2, 3), t(4)), f("F.cross_entropy", t(2, 3), t(2, 3), ignore_index=1), f("F.cross_entropy", t(2, 3), I(2), label_smoothing=1.5),
    f("F.cross_entropy", t(2, 3), t(2, 3), label_smoothing=1.5), f("F.nll_loss", t(), I()), f("F.mse_loss", t(4, 2), t(3)), f("F.mse_loss", t(1), t(1), reduction="foo"), f("F.mse_loss", t(2), t(2), weight=t(3)),
    f("F.l1_loss", t(4, 2), t(3, 2)), m("Dropout", 1.5), m("Dropout", -0.1), f("F.dropout", t(2), -0.5), f("F.softmax", t(2, 3), 5), f("F.log_softmax", t(2, 3), -3),
    x(m("Flatten", 2, 1), t(2, 3, 4)), x(m("Flatten", 3), t(2, 3, 4)), x(m("Flatten", 0, -4), t(2, 3, 4)), x(m("Flatten"), t(3)), m("Softmax", 1.5),
    do(L, "load_state_dict", {"weight": 1.5, "bias": t(5)}), do(L, "load_state_dict", ["a"]), do(L, "load_state_dict", {}), do(L, "load_state_dict", {"weight": t(5, 5), "bias": t(5)}, False),
    do(m("Sequential", L, C), "load_state_dict", {"0.weight": t(5, 5), "1.foo": t(1), "2.bar": t(1), "y": t(1), "0.bias.q": t(1)}),
    do(M, "register_parameter", "a.b", None), do(M, "register_parameter", "forward", None), do(M, "register_parameter", "w", t(1)), do(M, "register_parameter", "", None), do(L, "register_parameter", "in_features", None),
    do(M, "register_buffer", "a.b", None), do(M, "register_buffer", "w", 3), do(L, "register_buffer", "weight", t(1)), do(M, "add_module", "a.b", None), do(M, "add_module", "a", 3), do(M, "add_module", "", None),
    do(L, "add_module", "weight", None), do(m("Sequential", L), "get_submodule", "3"), do(m("Sequential", L), "get_parameter", "0.foo"), do(m("Sequential", L), "get_parameter", "0.in_features"),
    do(m("Sequential", L), "get_buffer", "0.weight"), do(m("Sequential", L), "get_submodule", "0.weight"), put(L, "weight", t(1)), put(m("Sequential", L), "0", 3), put(L, "bias", "a"),
    put(m("CrossEntropyLoss", weight=t(3)), "weight", 3), do(L, "train", 1), x(M, 1), m("ModuleList", 3), m("ModuleList", [3]), m("Sequential", 3), do(m("Sequential", L), "insert", 3, L), do(m("ModuleList", [L]), "append", 3),
    f("init.xavier_uniform_", t(3)), f("init.kaiming_uniform_", t(3, 3), mode="foo"), f("init.kaiming_normal_", t(3, 3), nonlinearity="foo"), f("init.eye_", t(3)), f("init.calculate_gain", "leaky_relu", "a"),
    f("init.uniform_", t(3), 2, 1), f("init.normal_", t(3), 0, -1), f("init.kaiming_uniform_", t(3)),
    m("Linear", 4), m("Linear", 4, 5, True, None, None, 7), m("Linear", 4, 5, foo=1), m("Conv2d", 3), m("Conv2d", 1, 2, 3, kernelsize=3), m("Dropout", 0.5, p=0.1), m("MaxPool2d"),
    m("CrossEntropyLoss", label_smooting=0.1), f("F.cross_entropy", t(2, 3)),
]  # fmt: skip
WARNED = [
    f("F.mse_loss", t(4, 1), t(4)), f("F.l1_loss", t(4, 1), t(4)), f("F.softmax", t(2, 3)), f("F.log_softmax", t(2, 3, 4)), f("init.kaiming_uniform_", t(0, 3)), m("Linear", 0, 3),
    f("F.cross_entropy", t(2, 3), I(2), size_average=False), m("CrossEntropyLoss", reduce=False), m("NLLLoss", size_average=True), f("F.mse_loss", t(2), t(2), reduction="elementwise_mean"),
]  # fmt: skip


torch.set_num_threads(1)
assert torch.__version__.startswith("2.15.0"), torch.__version__
sections = dict(
    layers=layers(LAYERS), losses=losses(), fresh=fresh(FRESH), draws=draws(), dropouts=dropouts(), models=models(MODELS),
    bad=bad(BAD), warned=warned(WARNED),
)  # fmt: skip
golden = {"torch": torch.__version__, "cpu": f"{platform.machine()} {torch.backends.cpu.get_cpu_capability()}"}
golden |= {name: list(cases) for name, cases in sections.items()}
golden["gains"] = [[g, nn.init.calculate_gain(*g)] for g in GAINS]
write(Path(__file__).resolve().parents[2] / "test/golden/nn.json", golden)
