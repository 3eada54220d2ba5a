"""Records torch's CPU random numbers for test/random.test.ts: test/golden/random.json.

Run with torch 2.15.0: python scripts/golden/random_numbers.py (named random.py it would hide Python's own module).
A program is a list of calls on one generator; each seed runs it from a fresh start. Up to 20 values are written out, more
are given by SHA-1 of their float32 or int32 bytes.
"""
import hashlib
import json
import platform
from pathlib import Path

import torch

SIZES = [1, 5, 15, 16, 17, 20, 100, 1000, 10007]
SEEDS = [0, 42]
ALL_SEEDS = [0, 1, 42, -1, -5, -(2**63), 2**32 - 1, 2**32 + 7, 2**63, 2**64 - 1, 67280421310721, 123456789012345678]

RANGES = [[0, 10], [0, 2], [-7, 5], [0, 2**27], [0, 2**28 - 1], [0, 2**28], [-(2**31), 2**31], [1, 2**31 - 1]]
KINDS = [["rand"], ["randn"], ["uniform", -0.3, 0.7], ["uniform", 1e-3, 12345.678], ["uniform", -1 / 7, 1 / 7], ["normal", 0.1, 0.02], ["normal", -3, 7.7]]
KINDS += [["bernoulli", p] for p in (0.0, 0.1, 0.5, 0.8, 1.0)] + [["bernoulli_tensor"]]
KINDS += [["normal_tensors"], ["normal_mean"], ["normal_std"]]
KINDS += [["randint", low, high] for low, high in RANGES] + [["randint_float", -(2**24), 2**24]]

PROGRAMS = [[[*kind, n]] for kind in KINDS for n in SIZES]
PROGRAMS += [[["multinomial", n, replacement, rows]] for n in (1, 4) for replacement in (0, 1) for rows in (0, 1)]
PROGRAMS += [[["multinomial_many", replacement, n]] for n in (1, 10, 900) for replacement in (0, 1)]
PROGRAMS += [[["randperm", n]] for n in [0, 1, 2, *SIZES[1:], 60000]]

MIXED = [
    [["randn", 3], ["rand", 5], ["randn", 2], ["state"], ["randn", 1], ["state"], ["randn", 16], ["randn", 4], ["randperm", 17],
     ["bernoulli", 0.3, 7], ["randn", 5], ["randint", 0, 10, 6], ["seed"], ["randn", 20], ["state"], ["normal", 1.5, 2, 7],
     ["uniform", -1, 1, 700], ["state"], ["multinomial", 4, 1, 0], ["multinomial", 4, 0, 1], ["state"], ["randint", 0, 2**30, 3], ["randn", 1001], ["rand", 1], ["state"]],
    [["state"], ["rand", 624], ["state"], ["rand", 1], ["state"], ["randn", 1], ["reload", 5], ["randn", 2], ["reload", 19], ["rand", 3]],
]


def probabilities(n):
    return torch.arange(n, dtype=torch.float32) / n


def run(call, g):
    name, *args = call
    n = args[-1] if args else 0
    if name == "rand":
        return torch.rand(n, generator=g)
    if name == "randn":
        return torch.randn(n, generator=g)
    if name == "uniform":
        return torch.empty(n).uniform_(args[0], args[1], generator=g)
    if name == "normal":
        return torch.empty(n).normal_(args[0], args[1], generator=g)
    if name == "bernoulli":
        return torch.empty(n).bernoulli_(args[0], generator=g)
    if name == "bernoulli_tensor":
        return torch.bernoulli(probabilities(n), generator=g)
    if name == "normal_tensors":
        return torch.normal(probabilities(n), probabilities(n) * 3, generator=g)
    if name == "normal_mean":
        return torch.normal(probabilities(n), 0.7, generator=g)
    if name == "normal_std":
        return torch.normal(-1.3, probabilities(n), generator=g)
    if name == "randint":
        return torch.randint(args[0], args[1], (n,), generator=g).int()
    if name == "randint_float":
        return torch.randint(args[0], args[1], (n,), generator=g, dtype=torch.float32)
    if name == "randperm":
        return torch.randperm(n, generator=g).int()
    if name == "multinomial":
        weights = torch.tensor([[0.1, 0.9, 0.0, 0.7, 3.0, 0.6], [5, 4, 3, 2, 1, 0.5]], dtype=torch.float32)
        return torch.multinomial(weights if args[2] else weights[0], args[0], bool(args[1]), generator=g).int().flatten()
    if name == "multinomial_many":
        return torch.multinomial((torch.arange(1000) % 17).float() + 1, n, bool(args[0]), generator=g).int()
    if name == "seed":
        return str(torch.empty((), dtype=torch.int64).random_(generator=g).item())
    if name == "state":
        return hashlib.sha1(g.get_state().numpy().tobytes()).hexdigest()[:12]
    if name == "reload":
        state = g.get_state()
        first = torch.randn(n, generator=g)
        g.set_state(state)
        assert torch.equal(first, torch.randn(n, generator=g))
        return first
    raise ValueError(name)


def digest(result):
    if isinstance(result, str):
        return result
    if result.numel() > 20:
        return "sha1:" + hashlib.sha1(result.numpy().tobytes()).hexdigest()[:12]
    return result.tolist()


def play(program, seed):
    g = torch.Generator().manual_seed(seed)
    return [digest(run(call, g)) for call in program]


RANGE_CALLS = [
    ["linspace", 0, 1, 1], ["linspace", 0, 1, 2], ["linspace", 0, 1, 7], ["linspace", -3, 2.5, 20], ["linspace", 0.1, 10.7, 1003],
    ["arange", 0, 1, 0.1], ["arange", -2, 3, 0.37], ["arange", 1, 0, -0.013], ["arange", 0.5, 1000.25, 0.731],
]

golden = {
    "torch": torch.__version__,
    "cpu": f"{platform.machine()} {torch.backends.cpu.get_cpu_capability()}",
    "programs": [{"program": p, "seeds": {str(s): play(p, s) for s in SEEDS}} for p in PROGRAMS]
    + [{"program": p, "seeds": {str(s): play(p, s) for s in ALL_SEEDS}} for p in MIXED],
    "ranges": [{"call": c, "values": digest(getattr(torch, c[0])(*c[1:], dtype=torch.float32))} for c in RANGE_CALLS],
    "initial_seeds": {str(s): str(torch.Generator().manual_seed(s).initial_seed()) for s in ALL_SEEDS},
}
path = Path(__file__).parents[2] / "test/golden/random.json"
path.parent.mkdir(exist_ok=True)
# One program a line: differences stay readable.
rows = ",\n".join(json.dumps(row, separators=(",", ":")) for row in golden.pop("programs"))
head = json.dumps(golden, separators=(",", ":"))
path.write_text(head[:-1] + ',"programs":[\n' + rows + "\n]}\n")
print(path, path.stat().st_size)
