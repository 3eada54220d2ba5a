"""Records torch.nn.utils for test/nn-utils.test.ts: test/golden/nn_utils.json.

Run from the repository's root with torch 2.15.0: python scripts/golden/nn_utils.py

Gradients of the shapes in SHAPES are 2 · rand - 1 after manual_seed, times a scale; null stands for a parameter without one, a
number in their place for a gradient that holds it everywhere. Clipping runs in float64.
"""
import json
import warnings
from pathlib import Path

import torch
from torch.nn import Parameter, utils

from head import head
from programs import digest, sample, signed

SEED, INF, NAN = 8, float("inf"), float("nan")
SHAPES = {"net": [[6, 1, 5, 5], [6], [10, 6], [10]], "large": [[300, 100], [300], [1, 300]], "holes": [[3, 2], None, [4], None], "one": [[2, 2]], "none": [None, None], "scalar": [[], [3]], "nothing": []}
NORMS = [2.0, 1.0, 3.0, 0.5, 0, -1.0, "inf", "-inf"]


def written(x):
    """JSON has neither infinity nor NaN."""
    return [str(v) if v != v or v in (INF, -INF) else v for v in x]


def parameters(shapes, scale=1, spoil=None):
    torch.manual_seed(SEED)
    given = []
    for shape in SHAPES[shapes]:
        p = Parameter(torch.zeros([2] if shape is None else shape).double())
        if shape is not None:
            p.grad = signed(*shape).mul(scale).double()
        given.append(p)
    if spoil is not None:
        given[0].grad.view(-1)[1] = spoil
    return given


def after(given):
    return [None if p.grad is None else sample(p.grad) for p in given]


def norms():
    cases = [(shapes, p, scale, limit) for shapes in SHAPES for p in NORMS for scale, limit in ((1, 0.5), (1, 1000), (8, 3)) if shapes in ("net", "holes") or (limit == 0.5 and p in (2.0, "inf"))]
    for shapes, p, scale, limit in [*cases, ("net", 2.0, 1, -1), ("net", 2.0, 1, 0), ("net", 2.0, 1, 1e30)]:
        given = parameters(shapes, scale)
        norm = utils.clip_grad_norm_(given, limit, p)
        yield {"shapes": shapes, "norm_type": p, "scale": scale, "max_norm": limit, "norm": sample(norm), "after": after(given)}


def values():
    for shapes, limit in (("net", 0.25), ("holes", 0.5), ("net", 2), ("one", -0.5), ("scalar", 0.1)):
        given = parameters(shapes)
        utils.clip_grad_value_(given, limit)
        yield {"shapes": shapes, "clip_value": limit, "after": after(given)}


def spoiled():
    """What a NaN and an infinity do."""
    for name, call in (("clip_grad_norm_", lambda g: utils.clip_grad_norm_(g, 1.0)), ("clip_grad_norm_ inf", lambda g: utils.clip_grad_norm_(g, 1.0, "inf")), ("clip_grad_value_", lambda g: utils.clip_grad_value_(g, 0.125))):
        for spoil in (NAN, INF, -INF):
            given = parameters("one", 0.5, spoil)
            norm = call(given)
            yield {"call": name, "spoil": str(spoil), "norm": None if norm is None else written([norm.item()])[0], "after": written(given[0].grad.flatten().tolist())}


def sparse():
    def make():
        p = Parameter(torch.zeros(4, 2))
        p.grad = torch.sparse_coo_tensor([[0, 1, 0]], [[3.0, 0.0], [4.0, 1.0], [1.0, 1.0]], (4, 2))
        return p

    p = make()
    norm = utils.clip_grad_norm_([p], 1.0)
    return {"norm": norm.item(), "indices": p.grad._indices().tolist(), "values": p.grad._values().flatten().tolist(), "inf": utils.get_total_norm([make().grad.to_dense()], INF).item()}


def vectors():
    for shapes in ("net", "one", "scalar"):
        torch.manual_seed(SEED)
        given = [Parameter(signed(*shape)) for shape in SHAPES[shapes]]
        vector = utils.parameters_to_vector(given)
        (vector * torch.arange(vector.numel())).sum().backward()
        utils.vector_to_parameters(torch.arange(vector.numel() + 3.0), given)
        yield {"shapes": shapes, "vector": digest(vector), "gradients": [digest(p.grad) for p in given], "after": [digest(p) for p in given]}


def ones(*shape, dtype=torch.float32):
    return torch.ones(shape, dtype=dtype)


def grad(*values):
    p = Parameter(torch.zeros(len(values)))
    p.grad = torch.tensor(values)
    return p


# By name: the test has the same calls in TypeScript.
ERRORS = {
    "nonfinite": lambda: utils.clip_grad_norm_([grad(INF, 1.0)], 1.0, error_if_nonfinite=True),
    "nonfinite 1.5": lambda: utils.clip_grad_norm_([grad(NAN, 1.0)], 1.0, 1.5, True),
    "nonfinite inf": lambda: utils.get_total_norm([torch.tensor([INF])], "inf", error_if_nonfinite=True),
    "norm_type": lambda: utils.clip_grad_norm_([grad(1.0)], 1.0, "foo"),
    "norm_type None": lambda: utils.clip_grad_norm_([grad(1.0)], 1.0, None),
    "max_norm": lambda: utils.clip_grad_norm_([grad(1.0)], "x"),
    "no max_norm": lambda: utils.clip_grad_norm_([grad(1.0)]),
    "unknown keyword": lambda: utils.clip_grad_norm_([grad(1.0)], 1.0, normtype=2),
    "None": lambda: utils.clip_grad_norm_(None, 1.0),
    "numbers": lambda: utils.clip_grad_norm_([1, 2], 1.0),
    "norm of None": lambda: utils.get_total_norm([None]),
    "norm of int": lambda: utils.get_total_norm([ones(2, dtype=torch.int64)]),
    "inf of nothing": lambda: utils.get_total_norm([ones(0)], "inf"),
    "clip_value": lambda: utils.clip_grad_value_([grad(1.0)], "a"),
    "value of numbers": lambda: utils.clip_grad_value_([1, 2], 1.0),
    "no parameters": lambda: utils.parameters_to_vector([]),
    "vector of numbers": lambda: utils.parameters_to_vector([3]),
    "vector too short": lambda: utils.vector_to_parameters(ones(3), [Parameter(ones(2, 2))]),
    "vector too short later": lambda: utils.vector_to_parameters(ones(5), [Parameter(ones(2, 2)), Parameter(ones(3))]),
    "vector is list": lambda: utils.vector_to_parameters([1.0], [Parameter(ones(2, 2))]),
    "vector is number": lambda: utils.vector_to_parameters(1.5, []),
    "vector is None": lambda: utils.vector_to_parameters(None, []),
    "vector of int": lambda: utils.vector_to_parameters(ones(4, dtype=torch.int64), [Parameter(ones(2, 2))]),
    "vector is scalar": lambda: utils.vector_to_parameters(torch.tensor(1.0), [Parameter(ones(1))]),
}
WARNINGS = {"empty generator": lambda: utils.clip_grad_norm_((p for p in []), 1.0), "clip_grad_norm": lambda: utils.clip_grad_norm([grad(3.0, 4.0)], 1.0), "empty list": lambda: utils.clip_grad_norm_([], 1.0)}


def error(f):
    try:
        f()
    except Exception as e:
        return [type(e).__name__, str(e)]
    raise AssertionError("no error")


def warning(f):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        f()
    return [[w.category.__name__, str(w.message)] for w in caught]


torch.set_num_threads(1)
golden = {
    "head": head(seed=SEED), "shapes": SHAPES, "norms": list(norms()), "values": list(values()), "spoiled": list(spoiled()), "sparse": sparse(), "vectors": list(vectors()),
    "errors": {name: error(f) for name, f in ERRORS.items()}, "warnings": {name: warning(f) for name, f in WARNINGS.items()},
}  # fmt: skip
path = Path(__file__).resolve().parents[2] / "test/golden/nn_utils.json"
path.write_text("{\n" + ",\n".join(f"{json.dumps(k)}: " + ("[\n" + ",\n".join(json.dumps(r, separators=(",", ":"), allow_nan=False) for r in v) + "\n]" if isinstance(v, list) else json.dumps(v, separators=(",", ":"), allow_nan=False)) for k, v in golden.items()) + "\n}\n")
print({k: len(v) for k, v in golden.items()}, path.stat().st_size)
