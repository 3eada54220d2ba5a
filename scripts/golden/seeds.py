"""Runs the Python programs of examples/seeds and records them in test/golden/seeds: what they print and their losses in
NAME.json, and for teacher forcing NAME.forced.json and NAME.states.gz.

Run with torch 2.15.0, after `npm test` or `npm start` has installed the digits: python scripts/golden/seeds.py [000/adam ...]
The programs are run as they are. A loss is what `backward` is called on. For the golden file a loader ends an epoch after
`batches` (default 20) and a program after `losses` (default: none) calls of `backward`, as examples/seeds/programs.json says:
torch's ways to compute on a CPU drift apart after that.
"""
import base64
import contextlib
import gzip
import io
import itertools
import json
import math
import runpy
import statistics
import sys
from pathlib import Path

import numpy as np
import torch
from head import head
from torch import nn
from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook
from torch.overrides import TorchFunctionMode
from torch.utils.data import DataLoader

root = Path(__file__).resolve().parents[2]
folder = root / "examples/seeds"
programs = json.loads((folder / "programs.json").read_text())

VARIANTS = {
    "threads 1, mkldnn": (1, True),
    "threads 2, mkldnn": (2, True),
    "threads 1, native": (1, False),
    # The layout in which tfjs computes.
    "threads 1, mkldnn, channels last": (1, True, True),
}
# A state of teacher forcing is torch's, rounded: to a grid of which the farthest move of a tensor has so many steps, at most.
LEVELS = 16
# So many entries of each gradient are recorded, evenly spread.
SAMPLES = 16
# `forcedGradient` of test/tolerances.ts.
ABOVE = 1e-5
# A gradient is zero but for rounding that is so much smaller than the largest of its step: of a bias before BatchNorm.
ZERO = 1e-9


DRAWS = (torch.Tensor.uniform_, torch.Tensor.normal_, nn.init.uniform_, nn.init.normal_, nn.init.kaiming_uniform_)


class Enough(Exception):
    pass


def run(name, threads=1, mkldnn=True, channels_last=False, batches=20, losses=None):
    """Every loss, and the lines printed, in the short form."""
    torch.set_num_threads(threads)
    torch.backends.mkldnn.enabled = mkldnn
    seen, text = [], io.StringIO()
    backward, batches_of, convolve = torch.Tensor.backward, DataLoader.__iter__, nn.Conv2d._conv_forward

    def channels_last_conv(self, input, weight, bias):
        inner = [t.contiguous(memory_format=torch.channels_last) for t in (input, weight)]
        return convolve(self, *inner, bias).contiguous()

    def recorded(self, *args):
        if len(seen) == losses:
            raise Enough
        seen.append(self.tolist() if self.dim() == 0 else self.flatten().tolist())
        # Not the method, which a TorchFunctionMode gives back to its name in Tensor: to this.
        return torch.autograd.backward(self, *args)

    torch.Tensor.backward = recorded
    if channels_last:
        nn.Conv2d._conv_forward = channels_last_conv
    DataLoader.__iter__ = lambda self: itertools.islice(batches_of(self), batches)
    try:
        with contextlib.redirect_stdout(text):
            runpy.run_path(str(folder / f"{name}.py"), run_name="__main__")
    except Enough:
        pass
    finally:
        torch.Tensor.backward, DataLoader.__iter__, nn.Conv2d._conv_forward = backward, batches_of, convolve
        torch.set_num_threads(1)
        torch.backends.mkldnn.enabled = True
    return {"losses": seen, "lines": text.getvalue().splitlines()}


class Float64(TorchFunctionMode):
    """A program's problem, computed in float64: what is made without a gradient is data, and stays what float32 holds; random
    numbers are those of float32."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        tensors = [x for x in (*args, *kwargs.values()) if torch.is_tensor(x)]
        if tensors and func in DRAWS and tensors[0].dtype == torch.float64:
            [drawn] = tensors
            kwargs, args = {k: v for k, v in kwargs.items() if v is not drawn}, [x for x in args if x is not drawn]
            return drawn.detach().copy_(func(drawn.detach().float(), *args, **kwargs))
        out = func(*args, **kwargs)
        if not torch.is_tensor(out) or not out.is_floating_point() or out.grad_fn or any(out is x for x in tensors):
            return out
        if isinstance(out, nn.Parameter):
            return out
        return out.detach().float().double().requires_grad_(out.requires_grad)


def parameters(optimizer):
    return [p for group in optimizer.param_groups for p in group["params"]]


@contextlib.contextmanager
def steps(taken):
    """Calls `taken` after the n-th step of the program, whichever optimizer's, with it and what every parameter began with."""
    begun, number = {}, itertools.count()

    def before(optimizer, args, kwargs):
        for p in parameters(optimizer):
            begun.setdefault(p, p.detach().clone())

    handles = [
        register_optimizer_step_pre_hook(before),
        register_optimizer_step_post_hook(lambda optimizer, args, kwargs: taken(next(number), parameters(optimizer), begun)),
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def sample(grad):
    """The largest magnitude, and some entries."""
    values = (grad.to_dense() if grad.is_sparse else grad).detach().flatten()
    return [values.abs().max().item(), *values[:: math.ceil(len(values) / SAMPLES)].tolist()]


def forced(name, file, every=1, **form):
    """Records the states of a run, every so many steps, and what torch.float64 computes from them."""
    kept = lambda n: (n + 1) % every == 0
    trajectory, starts = {}, {}

    def record(n, params, begun):
        # A loss is judged that follows a kept step.
        if kept(n + 1):
            trajectory[n] = [(p, (p.detach() - begun[p])) for p in params]
        starts.update(begun)

    with steps(record):
        run(name, **form)
    farthest = dict.fromkeys(starts, 0.0)
    for moves in trajectory.values():
        for p, move in moves:
            farthest[p] = max(farthest[p], move.abs().max().item())
    # A power of two, so that a move is exact in float32 and the weight that it makes is rounded once.
    grids = {p: 2.0 ** math.ceil(math.log2(most / LEVELS)) if most else 1.0 for p, most in farthest.items()}
    cells = {n: [torch.round(move / grids[p]) for p, move in moves] for n, moves in trajectory.items()}

    def forcing(gradients):
        def force(n, params, begun):
            if kept(n):
                gradients.append([sample(p.grad) for p in params])
            if n in cells:
                with torch.no_grad():
                    for p, cell, (origin, _) in zip(params, cells[n], trajectory[n]):
                        p.copy_(begun[p].float() + cell * grids[origin])

        return steps(force)

    exact = []
    with forcing(exact), Float64():
        losses = run(name, **form)["losses"]
    own = {label: [] for label in VARIANTS}
    for label, way in VARIANTS.items():
        with forcing(own[label]):
            run(name, *way, **form)

    last, written = {p: torch.zeros_like(start) for p, start in starts.items()}, []
    for n, moves in trajectory.items():
        for (p, _), cell in zip(moves, cells[n]):
            written.append((cell - last[p]).to(torch.int8).numpy().tobytes())
            last[p] = cell
    packed = gzip.compress(b"".join(written), 9, mtime=0)
    file.with_suffix(".states.gz").write_bytes(packed)

    flat = np.array([x for tensors in exact for tensor in tensors for x in tensor], dtype=np.float32)
    relative = lambda a, e: max(abs(x - y) for x, y in zip(a, e)) / (max(map(abs, e)) or 1)

    def distance(actual, expected):
        """Of a step's gradients, but for those that are zero but for rounding."""
        most = max(largest for largest, *_ in expected)
        return max(relative(a, e) for a, e in zip(actual, expected) if e[0] > ZERO * most or most == 0)

    distances = [list(map(distance, gradients, exact)) for gradients in own.values()]
    golden = {
        "head": head(seed="the program's"),
        "every": every,
        "grids": [grids[p] for p in starts],
        "losses": [loss for i, loss in enumerate(losses) if kept(i)],
        "gradients": {"dtype": "float32", "shape": [len(flat)], "data": base64.b64encode(flat.tobytes()).decode()},
        "own": {"gradient": max(map(statistics.median, distances)), "above": max(sum(d > ABOVE for d in way) for way in distances)},
    }
    target = file.with_suffix(".forced.json")
    target.write_text(json.dumps(golden, separators=(",", ":")) + "\n")
    print(name, "forced:", len(golden["losses"]), "losses,", target.stat().st_size, "and", len(packed), "bytes,", golden["own"])


def main(names):
    sys.path.insert(0, str(folder))
    sys.argv = sys.argv[:1]
    out = root / "test/golden/seeds"
    for name in names or (name for name, form in programs.items() if form.get("python", True)):
        form = {key: programs[name][key] for key in ("batches", "losses") if key in programs[name]}
        file = out / f"{name}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        golden = {"head": head(seed="the program's"), "variants": {label: run(name, *way, **form) for label, way in VARIANTS.items()}}
        file.write_text(json.dumps(golden, separators=(",", ":"), ensure_ascii=False) + "\n")
        print(name, len(golden["variants"]["threads 1, mkldnn"]["losses"]), "losses,", file.stat().st_size, "bytes")
        own = programs[name].get("forced", {})
        forced(name, file, **form | {key: own[key] for key in ("losses", "every") if key in own})


main(sys.argv[1:])
