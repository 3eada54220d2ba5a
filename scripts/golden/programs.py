"""A case of torch.nn as a program in JSON that a script here and a test both run: test/programs.ts. Imported by the scripts beside it.

Inputs need not be stored: they come from the generator, whose numbers are the same on both sides. The forms:
  {"m": class, "a": args, "k": keywords}      a module of nn
  {"f": name, "a": args, "k": keywords}       a function: F.relu, init.normal_, nn.Parameter
  {"x": module, "a": args}                    a call of a module
  {"of": value, "do": method, "a": args, "k"} a method's call, {"of": value, "set": name, "to": value} an assignment
  {"t": shape, "dtype": name}                 a tensor of zeros
"""
import hashlib
import json
import warnings

import torch
import torch.nn.functional as F
from torch import nn

MOST = 48  # values kept of one tensor, evenly spread


def m(name, *a, **k):
    return {"m": name, "a": list(a), **({"k": k} if k else {})}


def f(name, *a, **k):
    return {"f": name, "a": list(a), **({"k": k} if k else {})}


def x(module, *a):
    return {"x": module, "a": list(a)}


def do(of, method, *a, **k):
    return {"of": of, "do": method, "a": list(a), **({"k": k} if k else {})}


def put(of, name, to):
    return {"of": of, "set": name, "to": to}


def t(*shape, dtype="float32"):
    return {"t": list(shape), **({"dtype": dtype} if dtype != "float32" else {})}


def evaluate(p):
    if isinstance(p, list):
        values = [evaluate(v) for v in p]
        return tuple(values) if all(v is None or isinstance(v, int) for v in values) else values
    if not isinstance(p, dict):
        return p
    args, kwargs = [evaluate(v) for v in p.get("a", [])], {key: evaluate(v) for key, v in p.get("k", {}).items()}
    if "m" in p:
        return getattr(nn, p["m"])(*args, **kwargs)
    if "f" in p:
        space, name = p["f"].split(".")
        return getattr({"F": F, "init": nn.init, "nn": nn, "torch": torch}[space], name)(*args, **kwargs)
    if "x" in p:
        return evaluate(p["x"])(*args)
    if "do" in p:
        return getattr(evaluate(p["of"]), p["do"])(*args, **kwargs)
    if "set" in p:
        return setattr(evaluate(p["of"]), p["set"], evaluate(p["to"]))
    if "t" in p:
        return torch.zeros(p["t"], dtype=getattr(torch, p.get("dtype", "float32")))
    return {key: evaluate(v) for key, v in p.items()}


def signed(*shape):
    """Exact in float32, whatever multiplies it by a power of two."""
    return torch.rand(shape) * 2 - 1


def digest(v):
    v = v.detach()
    if v.numel() <= 20:
        return v.flatten().tolist()
    return "sha1:" + hashlib.sha1(v.contiguous().numpy().tobytes()).hexdigest()[:12]


def sample(v):
    v = v.detach().double()
    flat = v.flatten()
    step = -(-flat.numel() // MOST) or 1
    return {
        "shape": list(v.shape),
        "largest": float(f"{flat.abs().max().item() if flat.numel() else 0:.6g}"),
        "step": step,
        "values": [float(f"{n:.9g}") for n in flat[::step].tolist()],
    }


def layers(cases):
    """Output and gradients of modules in float64, from float32 weights and inputs."""
    for program, shape in cases:
        torch.manual_seed(7)
        module = evaluate(program).double()
        given = signed(*shape).double().requires_grad_()
        output = module(given.clone())  # an in-place ReLU refuses a leaf
        output.backward(signed(*output.shape).double())
        yield {
            "module": program, "input": shape, "output": sample(output), "input_gradient": sample(given.grad),
            "gradients": {name: sample(p.grad) for name, p in module.named_parameters()},
        }  # fmt: skip


def fresh(programs):
    """Parameters as they are drawn."""
    for program in programs:
        for seed in (0, 1, 42, 2**31 + 5):
            torch.manual_seed(seed)
            module = evaluate(program)
            yield {"module": program, "seed": seed, "parameters": {name: digest(p) for name, p in module.named_parameters()}, "next": torch.rand(1).item()}


def models(programs):
    for program in programs:
        module = evaluate(program)
        yield {
            "module": program, "repr": repr(module), "state_dict": [[k, list(v.shape)] for k, v in module.state_dict().items()],
            "named_modules": [name for name, _ in module.named_modules()], "named_parameters": [name for name, _ in module.named_parameters()],
            "children": [name for name, _ in module.named_children()],
        }  # fmt: skip


def bad(programs):
    """torch's class and text for what it refuses."""
    for program in programs:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                evaluate(program)
        except Exception as error:
            yield {"program": program, "error": type(error).__name__, "text": str(error.args[0])}
        else:
            raise AssertionError(f"no error: {program}")


def warned(programs):
    for program in programs:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            evaluate(program)
        yield {"program": program, "warnings": [str(w.message) for w in caught]}


def write(path, golden):
    """One line for each case."""
    text = "{\n" + ",\n".join(
        f"{json.dumps(key)}: " + ("[\n" + ",\n".join(json.dumps(v, separators=(",", ":")) for v in value) + "\n]" if isinstance(value, list) else json.dumps(value))
        for key, value in golden.items()
    ) + "\n}\n"
    path.write_text(text)
    print({key: len(value) for key, value in golden.items()}, path.stat().st_size)
