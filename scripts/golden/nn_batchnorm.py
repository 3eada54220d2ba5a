"""Records batch normalization and torch.optim.swa_utils for test/nn-batchnorm.test.ts: test/golden/nn_batchnorm.json.

Run with torch 2.15.0: python scripts/golden/nn_batchnorm.py

Inputs come from the generator, 2 · rand − 1 after manual_seed(SEED), and are not stored. Everything is computed in float64
from float32 inputs.
"""
import json
import warnings
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn
from torch.optim import SGD
from torch.optim.swa_utils import AveragedModel, get_ema_avg_fn, get_ema_multi_avg_fn, get_swa_avg_fn, get_swa_multi_avg_fn, update_bn

TORCH, FORMAT, SEED, BATCHES = "2.15.0", 1, 5, 3


def signed(*shape):
    return torch.rand(shape) * 2 - 1


def numbers(x):
    return None if x is None else x.detach().double().flatten().tolist()


def layer_rows():
    for name, shapes in [("BatchNorm1d", [[5, 3], [4, 3, 6], [1, 3, 2]]), ("BatchNorm2d", [[2, 3, 4, 5], [4, 1, 3, 3], [3, 2, 1, 1], [1, 4, 2, 2]])]:
        for shape in shapes:
            for k in [{}, dict(momentum=None), dict(affine=False), dict(track_running_stats=False), dict(eps=1e-2, momentum=0.5), dict(bias=False), dict(affine=False, track_running_stats=False)]:
                yield name, [shape[1]], k, shape


def buffers(m):
    return {name: numbers(b) for name, b in m.named_buffers()}


def step(m, x, dy):
    x = x.double().requires_grad_()
    m.zero_grad()
    y = m(x)
    y.backward(dy.double())
    return dict(output=numbers(y), input_gradient=numbers(x.grad), gradients={n: numbers(p.grad) for n, p in m.named_parameters()}, buffers=buffers(m))


def layer(name, a, k, shape):
    torch.manual_seed(SEED)
    m = getattr(nn, name)(*a, **k)
    for p in m.parameters():
        p.data.copy_(signed(*p.shape))
    m = m.double()
    row = dict(name=name, a=a, k=k, shape=shape, repr=str(m), state=list(m.state_dict()))
    row["train"] = [step(m, signed(*shape), signed(*shape)) for _ in range(BATCHES)]
    m.eval()
    row["eval"] = step(m, signed(*shape), signed(*shape))
    return row


def net():
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 2))


def states(m):
    return {k: numbers(v) for k, v in m.state_dict().items()}


def average(k, make):
    """A model trained by hand: its parameters and buffers get new values before each update."""
    torch.manual_seed(SEED)
    model = net()
    averaged = AveragedModel(model, **k, **make())
    out = []
    for i in range(4):
        for t in model.parameters():
            t.data.copy_(signed(*t.shape))
        model(signed(6, 3))
        averaged.update_parameters(model)
        out.append(states(averaged))
    return dict(k=k, states=out, keys=list(averaged.state_dict()), output=numbers(averaged.eval()(signed(2, 3))))


def bn_pass(lists):
    torch.manual_seed(SEED)
    model = nn.Sequential(nn.Conv2d(2, 3, 2), nn.BatchNorm2d(3, momentum=0.3), nn.Flatten(), nn.Linear(12, 2), nn.BatchNorm1d(2))
    model(signed(4, 2, 3, 3))
    model.eval()
    model[4].train()
    data = [signed(n, 2, 3, 3) for n in (4, 7, 2)]
    update_bn([(x, 0) for x in data] if lists else data, model)
    return dict(states=states(model), training=[m.training for m in model.modules()], momenta=[model[1].momentum, model[4].momentum])


def said(f):
    try:
        f()
    except Exception as e:
        return [type(e).__name__, str(e)]
    raise AssertionError("nothing was said")


def errors():
    z = torch.zeros
    rows = dict(
        one_value=lambda: nn.BatchNorm1d(3)(z(1, 3)),
        one_pixel=lambda: nn.BatchNorm2d(3)(z(1, 3, 1, 1)),
        rank_1d=lambda: nn.BatchNorm1d(3)(z(2, 3, 4, 5)),
        rank_2d=lambda: nn.BatchNorm2d(3)(z(2, 3, 4)),
        channels=lambda: nn.BatchNorm2d(3)(z(2, 4, 2, 2)),
        weights=lambda: F.batch_norm(z(2, 4), None, None, z(3), None, True),
        eps_training=lambda: F.batch_norm(z(2, 4), None, None, training=True, eps=0),
        eps_negative=lambda: F.batch_norm(z(2, 4), z(4), z(4), eps=-1),
        no_features=lambda: nn.BatchNorm1d(),
        decay=lambda: get_ema_avg_fn(1.5),
        decay_multi=lambda: get_ema_multi_avg_fn(-0.5),
        two_functions=lambda: AveragedModel(net(), avg_fn=get_swa_avg_fn(), multi_avg_fn=get_swa_multi_avg_fn()),
    )
    return {name: said(f) for name, f in rows.items()}


AVERAGES = [
    ("none", dict, dict()),
    ("none", dict, dict(use_buffers=True)),
    ("swa", lambda: dict(avg_fn=get_swa_avg_fn()), dict()),
    ("swa_multi", lambda: dict(multi_avg_fn=get_swa_multi_avg_fn()), dict()),
    ("ema", lambda: dict(avg_fn=get_ema_avg_fn(0.9)), dict()),
    ("ema", lambda: dict(avg_fn=get_ema_avg_fn(0.9)), dict(use_buffers=True)),
    ("ema_multi", lambda: dict(multi_avg_fn=get_ema_multi_avg_fn(0.9)), dict()),
    ("ema_multi", lambda: dict(multi_avg_fn=get_ema_multi_avg_fn(0.4)), dict(use_buffers=True)),
]


def main():
    assert torch.__version__.split("+")[0] == TORCH, f"these goldens are torch {TORCH}'s"
    torch.set_num_threads(1)
    rows = [layer(*r) for r in layer_rows() if not (r[3][0] == 1 and r[0] == "BatchNorm1d" and len(r[3]) == 2)]
    averages = [dict(name=name, **average(k, make)) for name, make, k in AVERAGES]
    head = dict(format=FORMAT, torch=torch.__version__, seed=SEED, threads=1)
    parts = dict(layers=rows, averages=averages, update_bn=[bn_pass(False), bn_pass(True)])
    short = lambda x: json.dumps(x, separators=(",", ":"))
    body = ",\n".join(f'"{k}": [\n' + ",\n".join(map(short, v)) + "\n]" for k, v in parts.items())
    out = Path(__file__).resolve().parents[2] / "test/golden/nn_batchnorm.json"
    out.write_text(f'{{"head": {short(head)},\n"errors": {json.dumps(errors(), indent=1)},\n{body}}}\n')
    print(f"{len(rows)} layers, {out.stat().st_size / 1e3:.0f} kB")


main()
