"""Records a training run of torch as a golden for @tfjs-torch/parity. docs/parity.md describes the file.

    from record import record, save

    trace = record(model, optimizer, lambda x, y: criterion(model(x), y), batches)
    save(trace, 'golden.json')

Needs torch and numpy. The folder of the package must be on the path: PYTHONPATH=node_modules/@tfjs-torch/parity
"""

import base64
import gzip
import json
import math
import platform
from pathlib import Path

import numpy as np
import torch

FORMAT = 1
# Up to so many numbers are written as numbers, more as base64.
LISTED = 64
DTYPES = {torch.float64: 'float64', torch.bool: 'bool'}


def record(model, optimizer, loss, batches, *, keep=lambda step: True, after_backward=lambda: None):
    """Trains, and records it.

    A step is `optimizer.step(closure)`, where the closure clears the gradients, computes the loss and goes backward; so it
    serves LBFGS too. Loss and gradients are those of its first evaluation, at the parameters before the step. Between two steps
    `batches` goes on: a generator may step a scheduler after its `yield`.

    model: a Module, or its tensors as (name, tensor) pairs; the optimizer's parameters must be among them.
    loss: called with a batch, gives a scalar.
    batches: tuples or lists of arguments for `loss`; anything else is its only argument.
    keep: which steps are recorded, counted from 0; all are taken.
    after_backward: called between `backward()` and the update: what clips gradients, say. Gradients are recorded after it.
    """
    module = model if isinstance(model, torch.nn.Module) else None
    tensors = None if module else dict(model)
    named = dict(module.named_parameters()) if module else tensors
    names = {id(p): name for name, p in named.items()}
    for i, group in enumerate(optimizer.param_groups):
        for at, p in enumerate(group['params']):
            if id(p) not in names:
                raise ValueError(f"parameter {at} of the optimizer's group {i} is not one of the model's")

    def groups():
        out = []
        for i, group in enumerate(optimizer.param_groups):
            options = {k: v for k, v in group.items() if k not in ('params', 'param_names')}
            out.append({**copied(options, f'group {i}'), 'params': [names[id(p)] for p in group['params']]})
        return out

    def snapshot():
        order = [name for group in groups() for name in group['params']]
        state = {order[i] if isinstance(i, int) else str(i): v for i, v in optimizer.state_dict()['state'].items()}
        entries = (module.state_dict() if module else tensors).items()
        return {
            'model': {name: copied(t, name) for name, t in entries if torch.is_tensor(t)},
            'state': copied(state, 'the state'),
        }

    def gradient(p):
        return None if p.grad is None else copied(p.grad, 'a gradient')

    steps = []
    for number, batch in enumerate(batches):
        batch = batch if isinstance(batch, (tuple, list)) else (batch,)
        first = {}

        def closure():
            for p in named.values():
                p.grad = None
            value = loss(*batch)
            value.backward()
            after_backward()
            if not first:
                first.update(loss=value.item(), grads={name: gradient(p) for name, p in named.items()})
            return value

        kept = keep(number)
        if kept:
            step = dict(step=number, inputs=copied(list(batch), 'inputs'), param_groups=groups(), before=snapshot())
        optimizer.step(closure)
        if not first:
            raise ValueError(f'{type(optimizer).__name__}.step() did not call its closure')
        if kept:
            steps.append({**step, **first, 'after': snapshot()})
    return dict(head=head(optimizer, next(iter(named.values())).dtype), steps=steps)


def head(optimizer, dtype):
    return {
        'format': FORMAT,
        'torch': torch.__version__,
        'tfjs': None,
        'cpu': f'{cpu_model()}, {torch.backends.cpu.get_cpu_capability()}',
        'machine': platform.machine(),
        'threads': torch.get_num_threads(),
        'seed': seed(),
        'dtype': DTYPES.get(dtype, 'float32'),
        'optimizer': {'name': type(optimizer).__name__, 'defaults': copied(optimizer.defaults, 'defaults')},
    }


def seed():
    """JavaScript's numbers have 53 bits."""
    given = torch.initial_seed()
    return given if given < 2**53 else str(given)


def cpu_model():
    try:
        return next(line.split(':')[1].strip() for line in open('/proc/cpuinfo') if line.startswith('model name'))
    except (OSError, StopIteration):
        return platform.processor() or 'unknown'


def copied(x, what):
    """A copy that later steps leave alone, as the file can hold it: tensors dense and on the CPU, tuples as lists."""
    if torch.is_tensor(x):
        x = x.detach().to_dense() if x.is_sparse else x.detach()
        if x.is_complex():
            raise ValueError(f'a golden cannot hold {what}: it is complex')
        if not x.is_floating_point() and x.dtype != torch.bool:
            if x.numel() and (x.max() > 2**31 - 1 or x.min() < -(2**31)):
                raise ValueError(f'a golden cannot hold {what}: an integer of it has more than 32 bits')
            return x.to('cpu', torch.int32, copy=True)
        return x.to('cpu', x.dtype if x.dtype in DTYPES else torch.float32, copy=True)
    if isinstance(x, dict):
        return {str(k): copied(v, f'{what}.{k}') for k, v in x.items()}
    if isinstance(x, (list, tuple)):
        return [copied(v, f'{what}[{i}]') for i, v in enumerate(x)]
    if x is None or isinstance(x, (bool, int, float, str)):
        return x
    raise ValueError(f'a golden cannot hold {what}, a {type(x).__name__}: it holds tensors, numbers, strings, lists and dicts')


def is_plain(x):
    """Whether JSON has a number for it that JavaScript writes alike."""
    return math.isfinite(x) and not (x == 0 and math.copysign(1, x) < 0)


def listed(values):
    """An array as numbers, float32 with the fewest digits that give it back; None if JSON has none for one of them."""
    if values.dtype == np.float32:
        numbers = [float(str(v)) for v in values]
    else:
        numbers = (values.astype(np.int32) if values.dtype == bool else values).tolist()
    return numbers if all(map(is_plain, numbers)) else None


def encode(x):
    if torch.is_tensor(x):
        values = x.contiguous().numpy().reshape(-1)
        numbers = listed(values) if len(values) <= LISTED else None
        if numbers is None:
            numbers = base64.b64encode(values.astype(values.dtype.newbyteorder('<')).tobytes()).decode()
        return {'dtype': str(values.dtype), 'shape': list(x.shape), 'data': numbers}
    if isinstance(x, dict):
        return {k: encode(v) for k, v in x.items()}
    if isinstance(x, list):
        return [encode(v) for v in x]
    if isinstance(x, float) and not is_plain(x):
        return {'number': 'NaN' if math.isnan(x) else '-0' if x == 0 else 'Infinity' if x > 0 else '-Infinity'}
    return x


def encoded(trace):
    """The trace as it is written: `before` and `param_groups` are left out where they are what they were."""
    steps, last = [], {}
    for step in map(encode, trace['steps']):
        same = [key for key, was in (('before', 'after'), ('param_groups', 'param_groups')) if last and step[key] == last[was]]
        steps.append({key: value for key, value in step.items() if key not in same})
        last = step
    return {'head': encode(trace['head']), 'steps': steps}


def save(trace, path):
    """Writes a golden: head and steps on a line each; gzipped if the name ends with .gz."""
    written = encoded(trace)
    line = lambda x: json.dumps(x, separators=(',', ':'), ensure_ascii=False, allow_nan=False)
    steps = ',\n'.join(map(line, written['steps']))
    text = f'{{"head":{line(written["head"])},\n"steps":[\n{steps}\n]}}\n'.encode()
    Path(path).write_bytes(gzip.compress(text, 9, mtime=0) if str(path).endswith('.gz') else text)
