"""Records torch's embeddings and sparse gradients for test/sparse.test.ts: test/golden/sparse.json.

Run with torch 2.15.0: python scripts/golden/sparse.py

embedding: weight, indices, the gradient of the output; then the output and the weight's gradient, dense or sparse, in float32.
modules: repr and weight after manual_seed. errors: class and text.
"""
import json
import platform
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

TORCH, FORMAT, SEED = "2.15.0", 1, 3


def numbers(t):
    return [float(str(x)) for x in t.detach().reshape(-1).numpy()]


def tensor(t):
    if t is None:
        return None
    if t.is_sparse:
        return dict(shape=list(t.shape), coalesced=t.is_coalesced(), indices=t._indices().tolist(), values=tensor(t._values()))
    return dict(shape=list(t.shape), values=numbers(t))


def embeddings():
    g = torch.Generator().manual_seed(SEED)
    rows = []
    for num, dim, shape, kwargs in (
        (5, 3, [4], {}), (5, 3, [2, 3], dict(padding_idx=0)), (5, 3, [2, 3], dict(padding_idx=-1)), (7, 1, [], {}), (4, 2, [0], {}),
        (5, 3, [6], dict(sparse=True)), (5, 3, [3, 4], dict(sparse=True, padding_idx=2)), (3, 2, [2], dict(sparse=True, padding_idx=1)),
        (4, 2, [0], dict(sparse=True)), (50, 8, [40], dict(sparse=True)), (50, 8, [40], {}),
    ):
        weight = torch.randn(num, dim, generator=g).requires_grad_()
        ids = torch.randint(num, shape, generator=g)
        if num == 3:
            ids.fill_(1)  # nothing but padding
        dy = torch.randn([*shape, dim], generator=g)
        y = F.embedding(ids, weight, **kwargs)
        y.backward(dy)
        rows.append(dict(weight=tensor(weight), ids=dict(shape=shape, values=ids.reshape(-1).tolist()), dy=tensor(dy), kwargs=kwargs,
                         y=tensor(y), grad=tensor(weight.grad), coalesced=tensor(weight.grad.coalesce()) if weight.grad.is_sparse else None))
    return rows


def modules():
    rows = []
    for args, kwargs in (([4, 3], {}), ([10, 16], {}), ([4, 3], dict(padding_idx=1)), ([4, 3, -1], {}), ([3, 5], dict(sparse=True)),
                         ([3, 5, 0, None, 1.5], dict(sparse=True)), ([0, 3], {})):
        torch.manual_seed(SEED)
        e = nn.Embedding(*args, **kwargs)
        rows.append(dict(args=args, kwargs=kwargs, repr=repr(e), keys=list(e.state_dict()), padding_idx=e.padding_idx, weight=tensor(e.weight)))
    return rows


def sums():
    """What a leaf's gradient becomes when dense and sparse ones meet: by turns of backward, and within one."""
    rows = []
    for turns in ("ss", "sd", "ds", "sds", "s+s", "s+d", "d+s"):
        w = torch.arange(8.0).reshape(4, 2).requires_grad_()
        ids = torch.tensor([1, 3, 1])
        for turn in [turns.split("+")] if "+" in turns else turns:
            sum((F.embedding(ids, w, sparse=k == "s") * (i + 1)).sum() for i, k in enumerate(turn)).backward()
        rows.append(dict(turns=turns, grad=tensor(w.grad)))
    return rows


def prints():
    return [dict(indices=i, values=v, shape=s, text=str(torch.sparse_coo_tensor(i, v, s)))
            for i, v, s in (([[2, 0]], [[1.5, 2], [3, 4]], [4, 2]), ([[2, 0], [1, 1]], [1.0, 2], [4, 2]), ([[3]], [[1e-5, 1]], [4, 2]))]


def errors():
    w, i = torch.zeros(4, 3), torch.tensor([1])
    calls = {
        "F: index too large": lambda: F.embedding(torch.tensor([4]), w),
        "F: negative index": lambda: F.embedding(torch.tensor([-1]), w),
        "F: float indices": lambda: F.embedding(torch.tensor([1.0]), w),
        "F: a list": lambda: F.embedding([1], w),
        "F: padding_idx too large": lambda: F.embedding(i, w, padding_idx=4),
        "F: padding_idx too small": lambda: F.embedding(i, w, padding_idx=-5),
        "F: weight of one dimension": lambda: F.embedding(i, torch.zeros(3)),
        "nn: padding_idx too large": lambda: nn.Embedding(3, 4, padding_idx=3),
        "nn: padding_idx too small": lambda: nn.Embedding(3, 4, padding_idx=-4),
        "nn: a weight of another shape": lambda: nn.Embedding(3, 4, _weight=torch.zeros(2, 2)),
        "nn: one size": lambda: nn.Embedding(3),
        "nn: negative size": lambda: nn.Embedding(-3, 2),
        "nn: unknown option": lambda: nn.Embedding(3, 2, pading_idx=1),
        "nn: from_pretrained of one dimension": lambda: nn.Embedding.from_pretrained(torch.zeros(3)),
        "coo: too few values": lambda: torch.sparse_coo_tensor([[0, 1]], torch.ones(3, 3), (4, 3)),
        "coo: values of another width": lambda: torch.sparse_coo_tensor([[0, 1]], torch.ones(2, 2), (4, 3)),
        "coo: indices of an uncoalesced": lambda: torch.sparse_coo_tensor([[1, 1]], torch.ones(2, 3), (4, 3)).indices(),
        "coo: values of an uncoalesced": lambda: torch.sparse_coo_tensor([[1, 1]], torch.ones(2, 3), (4, 3)).values(),
    }
    rows = []
    for desc, call in calls.items():
        try:
            call()
        except Exception as e:
            rows.append(dict(desc=desc, error={"class": type(e).__name__, "text": str(e)}))
    assert len(rows) == len(calls)
    return rows


def main():
    assert torch.__version__.split("+")[0] == TORCH, f"these goldens are torch {TORCH}'s"
    torch.set_num_threads(1)
    head = dict(format=FORMAT, torch=torch.__version__, seed=SEED, threads=torch.get_num_threads(),
                cpu=torch.backends.cpu.get_cpu_capability(), machine=platform.machine())
    lines = [f'"head": {json.dumps(head)}']
    for key, rows in (("embeddings", embeddings()), ("modules", modules()), ("sums", sums()), ("prints", prints()), ("errors", errors())):
        body = ",\n".join(json.dumps(row, separators=(",", ":"), allow_nan=False) for row in rows)
        lines.append(f'"{key}": [\n{body}\n]')
        print(f"{len(rows)} {key}")
    out = Path(__file__).resolve().parents[2] / "test/golden/sparse.json"
    out.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    print(f"{out.stat().st_size / 1e3:.0f} kB")


main()
