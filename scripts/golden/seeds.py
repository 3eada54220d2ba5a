"""Runs the Python programs of examples/seeds and records their losses and what they print: test/golden/seeds/*.json.

Run with torch 2.15.0, after `npm test` or `npm start` has installed the digits: python scripts/golden/seeds.py [000/adam ...]
The programs are run as they are. A loss is what `backward` is called on. For the golden file a loader ends an epoch after
`batches` (default 20) and a program after `losses` (default: none) calls of `backward`, as examples/seeds/programs.json says:
torch's ways to compute on a CPU drift apart after that.
"""
import contextlib
import io
import itertools
import json
import runpy
import sys
from pathlib import Path

import torch
from head import head
from torch import nn
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


class Enough(Exception):
    pass


def run(name, threads, mkldnn, channels_last=False, batches=20, losses=None):
    """Every loss, and the lines printed, in the short form."""
    torch.set_num_threads(threads)
    torch.backends.mkldnn.enabled = mkldnn
    seen, text = [], io.StringIO()
    backward, batches_of, convolve = torch.Tensor.backward, DataLoader.__iter__, nn.Conv2d._conv_forward

    def channels_last_conv(self, input, weight, bias):
        inner = [t.contiguous(memory_format=torch.channels_last) for t in (input, weight)]
        return convolve(self, *inner, bias).contiguous()

    def recorded(self, *args, **kwargs):
        if len(seen) == losses:
            raise Enough
        seen.append(self.tolist() if self.dim() == 0 else self.flatten().tolist())
        return backward(self, *args, **kwargs)

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


def main(names):
    sys.path.insert(0, str(folder))
    sys.argv = sys.argv[:1]
    out = root / "test/golden/seeds"
    for name in names or (name for name, form in programs.items() if form.get("python", True)):
        form = {key: programs[name][key] for key in ("batches", "losses") if key in programs[name]}
        golden = {"head": head(seed="the program's"), "variants": {label: run(name, *way, **form) for label, way in VARIANTS.items()}}
        file = out / f"{name}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(golden, separators=(",", ":"), ensure_ascii=False) + "\n")
        print(name, len(golden["variants"]["threads 1, mkldnn"]["losses"]), "losses,", file.stat().st_size, "bytes")


main(sys.argv[1:])
