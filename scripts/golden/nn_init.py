"""Records the functions of torch.nn.init that test/nn.test.ts has not, for test/nn-init.test.ts: test/golden/nn_init.json.

Run from the repository's root with torch 2.15.0: python scripts/golden/nn_init.py

What is drawn is recorded bit for bit, with the number that the generator gives next. `orthogonal_` is torch's code, but its QR
runs in float64: in float32 it is as far from that as `own` says. programs.py beside this file explains the rest.
"""
from pathlib import Path

import torch
from torch import nn

from head import head
from programs import bad, digest, do, evaluate, f, sample, t, warned, write

SEED = 3
SHAPES = [[3, 5], [7, 4, 3, 3], [40, 60]]
TRUNCATED = [
    {}, dict(std=0.02), dict(mean=0.5, std=0.5, a=0, b=1), dict(a=-0.1, b=0.1), dict(mean=1, std=2, a=2, b=3), dict(std=0.2, a=-0.05, b=0.05), dict(a=1.5, b=4), dict(a=-9, b=9),
    dict(mean=4, a=-1, b=2.5), dict(mean=-6, std=1.5, a=-2, b=2),
]  # fmt: skip
DRAWS = [
    *[("trunc_normal_", k, shape) for k in TRUNCATED for shape in SHAPES],
    *[("sparse_", k, shape) for k in (dict(sparsity=0.1), dict(sparsity=0.5, std=1), dict(sparsity=0), dict(sparsity=1)) for shape in ([3, 5], [40, 60], [1, 1])],
    *[("dirac_", k, shape) for k in ({}, dict(groups=2)) for shape in ([4, 3, 3], [4, 2, 4], [2, 4, 3, 2], [6, 3, 3, 3], [4, 4, 3, 1, 2])],
    *[(name, k, [2, 3]) for name in ("ones_", "zeros_") for k in ({},)], ("constant_", dict(val=-1.5), [0]), ("constant_", dict(val=0.1), []),
]  # fmt: skip
ORTHOGONAL = [(k, shape) for shape in ([3, 5], [5, 3], [4, 4], [1, 5], [5, 1], [20, 20], [7, 4, 3, 3], [40, 60], [64, 64], [2, 0]) for k in ({}, dict(gain=1.7))]
OLD = [
    ("uniform", [1, 2], [2, 3]), ("normal", [1, 2], [2, 3]), ("constant", [3], [2, 3]), ("eye", [], [2, 3]), ("dirac", [1], [2, 3, 3]), ("xavier_uniform", [2], [2, 3]), ("xavier_normal", [2], [2, 3]),
    ("kaiming_uniform", [0.1, "fan_out"], [2, 3]), ("kaiming_normal", [0.1, "fan_out"], [2, 3]), ("sparse", [0.3, 0.1], [2, 3]),
]  # fmt: skip


def draws():
    for name, keywords, shape in DRAWS:
        torch.manual_seed(SEED)
        drawn = evaluate(f(f"init.{name}", t(*shape), **keywords))
        yield {"call": name, "keywords": keywords, "shape": shape, "values": digest(drawn), "next": torch.rand(1).item()}


def orthogonal():
    qr = torch.linalg.qr
    for keywords, shape in ORTHOGONAL:
        torch.manual_seed(SEED)
        own = nn.init.orthogonal_(torch.zeros(shape), **keywords)
        torch.manual_seed(SEED)
        torch.linalg.qr = lambda x: qr(x.double())
        drawn = nn.init.orthogonal_(torch.zeros(shape), **keywords)
        torch.linalg.qr = qr
        yield {"keywords": keywords, "shape": shape, "values": sample(drawn), "next": torch.rand(1).item(), "own": float(f"{(own - drawn).abs().max().item():.2g}") if own.numel() else 0}


def seeded():
    """Generators of their own: the default one is left alone, but by sparse_."""
    for name, a in [("uniform_", []), ("normal_", []), ("trunc_normal_", []), ("xavier_uniform_", []), ("xavier_normal_", []), ("kaiming_uniform_", []), ("kaiming_normal_", []), ("sparse_", [0.5])]:
        torch.manual_seed(SEED)
        own = torch.Generator().manual_seed(9)
        drawn = getattr(nn.init, name)(torch.zeros(4, 5), *a, generator=own)
        yield {"call": name, "a": a, "values": digest(drawn), "next": torch.rand(1).item()}


def old():
    for name, a, shape in OLD:
        torch.manual_seed(SEED)
        program = f(f"init.{name}", t(*shape), *a)
        (warning,) = warned([program])
        torch.manual_seed(SEED)
        yield {**warning, "values": digest(evaluate(program))}


BAD = [
    *[f(f"init.{name}", t(3), *a) for name, a in (("dirac_", []), ("orthogonal_", []), ("sparse_", [0.1]), ("eye_", []), ("xavier_normal_", []), ("kaiming_normal_", []))], f("init.dirac_", t(2, 3)), f("init.dirac_", t(3, 2, 3), 2),
    f("init.dirac_", t(1, 1, 1, 1, 1, 1)), f("init.sparse_", t(2, 3, 4), 0.1), f("init.sparse_", t(2, 3)), f("init.constant_", t(2)), f("init.trunc_normal_", t(2), 0, 1, 2, 1), f("init.sparse_", t(2, 3), 0.1, -1),
    f("init.eye_", t(2, 3, 4)), f("init.orthogonal_", t()), f("init.trunc_normal_", t(2), lower=1), f("init.orthogonal_", t(2, 2), 1, None, 3), f("init.xavier_uniform", t(2)), f("init.calculate_gain", "gelu"), f("init.calculate_gain", "leaky_relu", "x"),
    f("init.kaiming_uniform_", t(2, 2), 0, "fan"), do(t(2, 2), "uniform_", 2, 1),
]  # fmt: skip
WARNED = [
    f("init.trunc_normal_", t(3), 5), f("init.trunc_normal_", t(3), -2.5, 0.1), f("init.trunc_normal_", t(3), 4), f("init.kaiming_normal_", t(2, 0)), f("init.orthogonal_", t(0, 3)), f("init.xavier_uniform_", t(0, 3)),
]  # fmt: skip

golden = {
    "head": head(seed=SEED), "draws": list(draws()), "orthogonal": list(orthogonal()), "seeded": list(seeded()), "old": list(old()), "bad": list(bad(BAD)), "warned": list(warned(WARNED)),
}  # fmt: skip
write(Path(__file__).resolve().parents[2] / "test/golden/nn_init.json", golden)
print("QR in float32 is up to", max(row["own"] for row in golden["orthogonal"]), "from float64")
