"""Records the layers of torch.nn that nn.py does not, for test/nn-layers.test.ts: test/golden/nn_layers.json.

Run from the repository's root with torch 2.15.0: python scripts/golden/nn_layers.py
programs.py beside this file says how a case is written down.
"""
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

from head import head
from programs import bad, digest, do, evaluate, f, fresh, layers, m, models, put, sample, signed, t, warned, write, x

I = lambda *shape: t(*shape, dtype="int64")  # noqa: E731

# ---- output and gradients in float64

CONV1D = [
    ([2, 3, 3], {}, [2, 2, 8]), ([2, 3, 4], dict(stride=2, padding=1), [2, 2, 9]), ([2, 3, 3], dict(padding="same", dilation=2), [2, 2, 9]), ([4, 6, 3], dict(groups=2, dilation=2, padding=2), [2, 4, 9]),
    ([4, 8, 3], dict(groups=4, stride=2), [2, 4, 9]), ([2, 3, 1], dict(bias=False), [2, 2, 5]), ([2, 3, [4]], dict(padding="same"), [2, 2, 7]), ([2, 3, 3], {}, [2, 6]),
    ([2, 3, 3], dict(padding=2, padding_mode="reflect"), [2, 2, 7]), ([2, 3, 3], dict(padding=[1], padding_mode="circular", stride=2), [1, 2, 6]), ([2, 3, 4], dict(padding="same", padding_mode="replicate"), [2, 6]),
]  # fmt: skip
CONV2D = [
    *[([2, 3, 3], dict(padding=p, padding_mode=mode), [2, 2, 5, 6]) for mode in ("reflect", "replicate", "circular") for p in (1, [2, 0], "same", "valid")],
    ([2, 3, [3, 2]], dict(padding=2, padding_mode="circular", stride=2, dilation=[1, 2]), [2, 2, 6, 5]), ([4, 4, 3], dict(padding=1, padding_mode="reflect", groups=4), [2, 4, 5, 5]),
    ([2, 3, [4, 3]], dict(padding="same", padding_mode="replicate", dilation=[1, 2]), [2, 6, 5]),
    ([2, 3, 4], dict(stride=2, padding=1), [2, 2, 8, 8]), ([2, 3, 4], dict(stride=2, padding=1), [2, 2, 8, 7]), ([4, 4, 4], dict(stride=2, padding=1, groups=4), [2, 4, 8, 6]), ([2, 3, 3], dict(stride=2, padding=1), [2, 2, 9, 7]),
    ([6, 4, 3], dict(groups=2, stride=[2, 1], padding=[1, 2], dilation=[2, 1]), [2, 6, 8, 7]), ([4, 8, [3, 2]], dict(groups=4, dilation=[1, 3], padding=1), [2, 4, 6, 7]), ([6, 6, 3], dict(groups=3, padding="same"), [2, 6, 5, 4]),
]  # fmt: skip
TRANSPOSED = [
    ([3, 2, 3], {}, [2, 3, 4, 5]), ([3, 2, 4, 2, 1], {}, [2, 3, 4, 4]), ([3, 2, 3], dict(stride=2, padding=1, output_padding=1), [2, 3, 4, 5]), ([3, 2, 3], dict(stride=2, output_padding=1), [2, 3, 4, 3]),
    ([3, 2, [2, 3]], dict(stride=[1, 3], padding=[0, 1], output_padding=[0, 2], bias=False), [2, 3, 3, 4]), ([4, 6, 3], dict(groups=2, stride=2), [2, 4, 4, 3]), ([4, 4, 4], dict(groups=4, stride=2, padding=1), [2, 4, 4, 3]),
    ([4, 8, 3], dict(groups=4, dilation=2, padding=1), [2, 4, 4, 5]), ([3, 2, 3], dict(dilation=3, stride=2, output_padding=2, padding=1), [2, 3, 4, 3]), ([3, 2, 1], dict(stride=3), [2, 3, 3, 2]),
    ([5, 4, 4], dict(bias=False), [3, 5, 1, 1]), ([3, 2, 3], dict(padding=2), [2, 3, 5, 5]), ([3, 2, 3, 2], {}, [3, 4, 4]),
]  # fmt: skip
AVERAGE = [
    ([2], {}, [2, 3, 6, 8]), ([2], {}, [2, 3, 7, 9]), ([3, 2, 1], {}, [2, 2, 7, 8]), ([3, 2, 1], dict(count_include_pad=False), [2, 2, 7, 8]), ([[2, 3]], dict(stride=[1, 2], padding=[1, 0]), [2, 2, 5, 7]),
    ([2], dict(ceil_mode=True), [2, 3, 7, 9]), ([3], dict(stride=2, padding=1, ceil_mode=True), [1, 2, 6, 7]), ([3], dict(stride=2, padding=1, ceil_mode=True, count_include_pad=False), [1, 2, 6, 7]),
    ([2], dict(stride=3, ceil_mode=True), [1, 2, 7, 9]), ([3], dict(divisor_override=5, padding=1), [2, 2, 6, 6]), ([3], dict(divisor_override=-2, ceil_mode=True), [2, 2, 5, 6]), ([2], {}, [3, 6, 5]), ([4], {}, [2, 5, 4, 4]), ([1], {}, [2, 1, 3, 3]),
]  # fmt: skip
ADAPTIVE = [(1, [2, 3, 7, 5]), (2, [2, 3, 4, 6]), (3, [2, 3, 7, 5]), ([5, 7], [2, 3, 3, 2]), ([None, 3], [2, 3, 4, 6]), ([1, None], [3, 5, 4]), (4, [2, 2, 4, 4]), ([7, 7], [1, 2, 10, 13])]
ELEMENTWISE = [
    m("Sigmoid"), m("Tanh"), m("LeakyReLU"), m("LeakyReLU", 0.3), m("LeakyReLU", -0.5), m("ELU"), m("ELU", 0.4), m("SELU"), m("GELU"), m("GELU", "tanh"), m("SiLU"), m("Mish"), m("Softplus"), m("Softplus", 3.0), m("Softplus", 2.0, 1.0),
    m("LogSigmoid"), m("Softsign"), m("Hardtanh"), m("Hardtanh", -0.25, 0.5), m("ReLU6"), m("LeakyReLU", 0.2, True), m("ELU", 1.0, True), m("Hardswish"), m("Hardsigmoid"), m("CELU", 0.5),
]  # fmt: skip
GENERATOR = [
    m("Linear", 6, 24), m("Unflatten", 1, [6, 2, 2]), m("BatchNorm2d", 6), m("ReLU"), m("ConvTranspose2d", 6, 4, 4, 2, 1, bias=False), m("LeakyReLU", 0.2),
    m("ConvTranspose2d", 4, 2, 3, 2, 1, 1), m("Tanh"), m("AvgPool2d", 2), m("Conv2d", 2, 3, 3, padding=1, padding_mode="reflect"), m("GELU"), m("AdaptiveAvgPool2d", 1), m("Flatten"), m("LayerNorm", 3), m("SiLU"),
]  # fmt: skip
LINES = [
    m("Conv1d", 2, 4, 3, padding=1, bias=False), m("BatchNorm1d", 4), m("ReLU"), m("MaxPool1d", 2), m("Conv1d", 4, 4, 3, groups=4), m("SiLU"), m("AvgPool1d", 2), m("ConvTranspose1d", 4, 2, 4, 2), m("Tanh"), m("AdaptiveAvgPool1d", 3), m("Flatten"),
]  # fmt: skip
LAYERS = [
    *[(m("Conv1d", *a, **k), shape) for a, k, shape in CONV1D],
    *[(m("Conv2d", *a, **k), shape) for a, k, shape in CONV2D],
    *[(m("ConvTranspose2d", *a, **k), shape) for a, k, shape in TRANSPOSED],
    *[(m("ConvTranspose1d", *a, **k), shape) for a, k, shape in [([3, 2, 3], {}, [2, 3, 5]), ([3, 2, 4, 2, 1], {}, [2, 3, 5]), ([4, 6, [3]], dict(groups=2, stride=3, output_padding=[2]), [4, 4]), ([4, 4, 3], dict(groups=4, dilation=2), [2, 4, 5])]],
    *[(m("AvgPool2d", *a, **k), shape) for a, k, shape in AVERAGE],
    *[(m("AvgPool1d", *a, **k), shape) for a, k, shape in [([2], {}, [2, 3, 7]), ([3, 2, 1], dict(count_include_pad=False), [2, 3, 8]), ([[3]], dict(stride=2, ceil_mode=True), [3, 8])]],
    *[(m("MaxPool1d", *a, **k), shape) for a, k, shape in [([2], {}, [2, 3, 7]), ([3, 2, 1], {}, [2, 3, 8]), ([[3]], dict(stride=2, ceil_mode=True), [3, 8])]],
    *[(m("AdaptiveAvgPool2d", size), shape) for size, shape in ADAPTIVE],
    *[(m("AdaptiveAvgPool1d", size), shape) for size, shape in [(1, [2, 3, 7]), (3, [2, 3, 7]), ([4], [3, 8])]],
    *[(program, [3, 9]) for program in ELEMENTWISE], (m("Sigmoid"), []), (m("GELU"), [2, 3, 2, 2]),
    *[(m("Sequential", m("LayerNorm", 5, elementwise_affine=False), program), [6, 5]) for program in ELEMENTWISE if program["m"] != "LogSigmoid"],
    *[(m("LayerNorm", *a, **k), shape) for a, k, shape in [
        ([5], {}, [4, 5]), ([5], {}, [5]), ([[3, 4]], {}, [2, 3, 4]), ([4], dict(eps=0.1), [2, 3, 4]), ([4], dict(bias=False), [2, 4]), ([4], dict(elementwise_affine=False), [2, 3, 4]), ([[2, 3, 3]], {}, [4, 2, 3, 3]), ([96], {}, [16, 96])
    ]],
    *[(m(name, *a), shape) for name in ("ReflectionPad2d", "ReplicationPad2d", "CircularPad2d", "ZeroPad2d") for a, shape in [([1], [2, 2, 4, 3]), ([[2, 0, 1, 3]], [2, 4, 3]), ([[-1, 2, 0, -1]], [1, 2, 4, 4])]],
    (m("ConstantPad2d", [1, 2, 0, 1], 0.5), [1, 2, 3, 3]), (m("ConstantPad2d", 1, -2), [2, 3]),
    (m("Softmax", 1), [2, 3, 4, 4]), (m("Softmax2d"), [2, 3, 4, 4]), (m("Softmax2d"), [3, 4, 4]), (m("Sequential", m("Conv2d", 2, 3, 3), m("LogSoftmax", 1), m("Conv2d", 3, 2, 1)), [2, 2, 5, 5]),
    *[(m("Unflatten", *a), shape) for a, shape in [([1, [2, 3]], [4, 6]), ([-1, [3, -1, 1]], [2, 6]), ([0, [2, 2]], [4, 3])]],
    (m("Sequential", *GENERATOR), [3, 6]), (m("Sequential", *LINES), [3, 2, 16]),
]  # fmt: skip

# ---- what is drawn at random

FRESH = [m("Conv1d", 2, 4, 3), m("Conv1d", 4, 6, 3, groups=2, bias=False), m("ConvTranspose2d", 3, 4, 3), m("ConvTranspose2d", 4, 6, [2, 3], groups=2), m("ConvTranspose1d", 3, 5, 4), m("LayerNorm", 3), m("Sequential", *GENERATOR)]
DROPOUTS = [("Dropout2d", 0.5, [2, 3, 4, 5]), ("Dropout2d", 0.2, [4, 8, 2, 2]), ("Dropout2d", 1, [2, 3, 2, 2]), ("Dropout2d", 0, [2, 3, 2, 2]), ("Dropout2d", 0.5, [2, 3, 4]), ("Dropout1d", 0.3, [2, 5, 4]), ("Dropout1d", 0.5, [5, 4])]


def dropouts():
    for name, p, shape in DROPOUTS:
        torch.manual_seed(5)
        given = signed(*shape).requires_grad_()
        output = getattr(nn, name)(p)(given)
        output.backward(torch.ones(shape))
        yield {"layer": name, "p": p, "shape": shape, "output": digest(output), "gradient": digest(given.grad), "next": torch.rand(1).item()}
    torch.manual_seed(5)
    net = nn.Sequential(nn.Conv2d(2, 5, 3), nn.ReLU(), nn.Dropout2d(0.4), nn.Conv2d(5, 2, 2))
    given = signed(3, 2, 6, 5)
    output = net(given)
    output.sum().backward()
    yield {"layer": "net", "shape": [3, 2, 6, 5], "output": sample(output), "gradient": sample(net[0].weight.grad), "next": torch.rand(1).item()}


# ---- structure

MODELS = [
    *ELEMENTWISE, m("Conv1d", 2, 4, 3), m("Conv1d", 2, 4, [3], 2, padding=1, dilation=2, groups=2, bias=False, padding_mode="circular"), m("Conv2d", 2, 4, 3, padding="same", padding_mode="reflect"), m("ConvTranspose2d", 3, 4, 3, 2, 1, 1),
    m("ConvTranspose2d", 4, 4, [2, 3], groups=2, bias=False, dilation=2), m("ConvTranspose1d", 4, 4, 2, output_padding=1, stride=2), m("AvgPool2d", 2), m("AvgPool2d", [2, 3], 1, padding=1, ceil_mode=True, count_include_pad=False), m("AvgPool1d", 3), m("AvgPool1d", [3], [2], 1),
    m("MaxPool1d", 3), m("MaxPool1d", 3, 2, 1, ceil_mode=True), m("AdaptiveAvgPool2d", 1), m("AdaptiveAvgPool2d", [None, 3]), m("AdaptiveAvgPool1d", 2), m("LayerNorm", 4), m("LayerNorm", [2, 3], eps=1e-3, bias=False), m("LayerNorm", 4, elementwise_affine=False),
    m("Dropout2d"), m("Dropout1d", 0.1, True), m("Unflatten", 1, [2, 3]), m("ReflectionPad2d", 1), m("ReplicationPad2d", [1, 2, 3, 4]), m("ZeroPad2d", 2), m("CircularPad2d", 1), m("ConstantPad2d", 1, 0.5), m("Softmax2d"), m("Sequential", *GENERATOR), m("Sequential", *LINES),
    m("Embedding", 5, 3, padding_idx=-1), m("BatchNorm2d", 4),
]  # fmt: skip

# ---- bad input: torch's class and text

T = lambda *a, **k: f("F.conv_transpose2d", *a, **k)  # noqa: E731
PADS = [
    ([t(2, 3), [1]], {}), ([t(2, 3), [1] * 6], {}), ([t(1, 2, 3), [3, 1], "reflect"], {}), ([t(1, 2, 3, 3), [3, 1, 1, 1], "reflect"], {}), ([t(1, 2, 3, 3), [1, 1, 3, 1], "reflect"], {}), ([t(1, 2, 3, 3), [4, 1, 1, 1], "circular"], {}),
    ([t(1, 2, 3, 3), [1, 1], "circular"], {}), ([t(1, 2, 3), [1, 1], "foo"], {}), ([t(1, 2, 3), [1, 1], "reflect", 1.5], {}), ([t(1, 2, 3), [-4, 1]], {}), ([t(3), [1, 1], "circular"], {}), ([t(2, 3), [1] * 4, "replicate"], {}),
]  # fmt: skip
AVGS = [
    ([t(1, 1, 1, 8, 8), 2], {}), ([t(1, 1, 8, 8), 2], dict(padding=2)), ([t(1, 1, 1, 1), 2], {}), ([t(1, 1, 8, 8), 2, 0], {}), ([t(1, 1, 8, 8), [2, 2, 2]], {}), ([t(1, 1, 8, 8), 2, [1, 2, 3]], {}), ([t(1, 1, 8, 8), 2, 1, [1, 2, 3]], {}),
    ([t(1, 0, 8, 8), 2], {}), ([t(1, 1, 8, 8), 2], dict(padding=-1)), ([t(1, 1, 8, 8), 2], dict(divisor_override=0)), (["a", 2], {}),
]  # fmt: skip
LINE_POOLS = [([t(8), 2], {}), ([t(1, 1, 8, 8), 2], {}), ([t(1, 1, 8), 2], dict(padding=2)), ([t(1, 1, 1), 2], {}), ([t(1, 1, 8), 2, 0], {}), ([t(1, 1, 8), [2, 2]], {}), ([t(1, 1, 8), 2, [1, 2]], {}), ([t(1, 1, 8), 2, 1, [1, 2]], {}), ([t(1, 0, 8), 2], {}), ([t(1, 1, 8), 2], dict(padding=-1))]  # fmt: skip
BAD = [
    f("F.conv1d", t(2, 3, 5, 5), t(3, 4, 3)), f("F.conv1d", t(2, 3, 5), t(3, 4, 3)), f("F.conv1d", t(2, 3, 2), t(4, 3, 3)), f("F.conv1d", t(2, 3, 4), t(4, 3, 3), stride=[1, 2]), f("F.conv1d", t(2, 3, 4), t(4, 3, 3, 3)), f("F.conv1d", t(2, 3, 8), t(4, 3, 3), t(5)),
    f("F.conv1d", t(8), t(4, 3, 3)), f("F.conv1d", I(2, 3, 8), t(4, 3, 3)), f("F.conv2d", t(2, 3, 4, 4), t(4, 3, 3, 3), groups=0), x(m("Conv1d", 3, 4, 3), t(2, 2, 8)), x(m("Conv2d", 3, 4, 3, padding=3, padding_mode="reflect"), t(2, 3, 3, 5)),
    T(t(2, 2, 5, 5), t(3, 4, 3, 3)), T(t(5, 5), t(3, 4, 3, 3)), T(t(2, 3, 5, 5), t(3, 4, 3, 3), t(5)), T(t(2, 3, 5, 5), t(3, 4, 3, 3), output_padding=1), T(t(2, 3, 5, 5), t(3, 4, 3, 3), stride=2, output_padding=2), T(t(2, 3, 5, 5), t(3, 4, 3, 3), stride=0),
    T(t(2, 3, 5, 5), t(3, 4, 3, 3), padding=-1), T(t(2, 3, 5, 5), t(3, 4, 3, 3), output_padding=-1), T(t(2, 3, 5, 5), t(3, 4, 3, 3), groups=2), T(I(2, 3, 5, 5), t(3, 4, 3, 3)), x(m("ConvTranspose2d", 3, 4, 3), I(2, 3, 5, 5)), T(t(2, 3, 5, 5), t(3, 4, 3)),
    T(t(2, 3, 5, 5), t(3, 4, 3, 3), output_padding=[1, 2, 3]), f("F.conv_transpose1d", t(2, 3, 5), t(3, 4, 3), output_padding=1), x(m("ConvTranspose2d", 2, 3, 3, stride=2), t(1, 2, 4, 4), [8, 8]), x(m("ConvTranspose2d", 2, 3, 3, stride=2), t(1, 2, 4, 4), [8]),
    m("ConvTranspose2d", 2, 3, 3, padding_mode="reflect"), m("ConvTranspose2d", 3, 4, 3, groups=2), m("Conv1d", 3, 4, 3, 2, padding="same"), m("Conv1d", 3), m("ConvTranspose2d", 3, 4, 3, pading=1),
    *[f("F.pad", *a, **k) for a, k in PADS], *[f("F.avg_pool2d", *a, **k) for a, k in AVGS], *[f(f"F.{name}", *a, **k) for name in ("avg_pool1d", "max_pool1d") for a, k in LINE_POOLS], f("F.max_pool1d", t(1, 1, 8), 0), f("F.max_pool1d", t(1, 1, 8), 2, dilation=0),
    *[f("F.adaptive_avg_pool2d", *a) for a in [[t(8, 8), 2], [t(1, 1, 8, 8), [2, 2, 2]], [t(1, 1, 8, 8), [2]], [t(1, 1, 8, 8), -1], [t(1, 1, 0, 8), 2], [I(1, 1, 8, 8), 2]]],
    *[f("F.adaptive_avg_pool1d", *a) for a in [[t(8), 2], [t(1, 1, 8), [2, 2]], [t(1, 1, 8), -1]]],
    *[f(f"F.{name}", I(2)) for name in ("leaky_relu", "elu", "selu", "celu", "gelu", "silu", "mish", "softplus", "logsigmoid", "hardswish", "hardsigmoid")], *[f(f"F.{name}", "a") for name in ("leaky_relu", "elu", "gelu", "silu", "softplus", "hardtanh", "relu6")],
    x(m("GELU", "foo"), t(2)), m("Hardtanh", 1, 0), f("F.hardtanh", t(2), 1, 0), m("LeakyReLU", slope=0.1),
    *[f("F.layer_norm", *a) for a in [[I(2, 4), [4]], [t(2, 4), [5]], [t(2, 4), []], [t(4), [2, 4]], [t(2, 4), [4], t(5)], [t(2, 4), [4], None, t(5)], ["a", [4]]]], x(m("LayerNorm", 4), t(2, 5)),
    m("Dropout2d", 2), f("F.dropout1d", t(2)), f("F.dropout2d", t(2)), f("F.dropout2d", I(2, 3, 4, 4)),
    m("Unflatten", 1, 3), m("Unflatten", 1, [2.5, 1]), x(m("Unflatten", 1, [2, 2]), t(2, 5)), x(m("Unflatten", 1, [2, -1]), t(2, 5)), x(m("Unflatten", 5, [2, -1]), t(2, 5)), x(m("Unflatten", 1, []), t(2, 5)), x(m("Softmax2d"), t(2, 3)),
    x(m("BatchNorm2d", 3), I(2, 3, 4, 4)), x(m("BatchNorm1d", 3), I(2, 3)), x(m("BatchNorm2d", 3), t(2, 4, 4, 4)), x(m("BatchNorm1d", 3), t(2, 4)), x(m("Embedding", 3, 4), t(2)), m("Embedding", 3, 4, padding_idx=3), m("Embedding", 3, 4, padding_idx=-4),
]  # fmt: skip
WARNED = [f("F.dropout2d", t(2, 3)), f("F.dropout2d", t(2, 3, 4)), f("F.dropout2d", t(2, 3, 4, 5)), m("Hardtanh", min_value=-2), m("Hardtanh", max_value=3)]

torch.set_num_threads(1)
golden = {"head": head()} | {name: list(cases) for name, cases in dict(
    layers=layers(LAYERS), fresh=fresh(FRESH), dropouts=dropouts(), models=models(MODELS), bad=bad(BAD), warned=warned(WARNED),
).items()}  # fmt: skip
write(Path(__file__).resolve().parents[2] / "test/golden/nn_layers.json", golden)
