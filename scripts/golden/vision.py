"""Records what torchvision's random transforms make of a picture, and pickles in CIFAR-10's form: test/golden/vision.json.

Run with torch 2.15.0: python scripts/golden/vision.py
torchvision is not needed: `crop` and `flip` draw and pad as its RandomCrop and RandomHorizontalFlip do, by torch and numpy.
"""
import base64
import gzip
import json
import pickle
import struct
from pathlib import Path

import numpy as np
import torch
from head import head

HEIGHT, WIDTH, CHANNELS = 4, 5, 3
IMAGE = (np.arange(HEIGHT * WIDTH * CHANNELS) * 37 % 256).astype(np.uint8).reshape(HEIGHT, WIDTH, CHANNELS)
REPEATS = 6


def pad(image, left, top, right, bottom, fill, mode):
    widths = ((top, bottom), (left, right), (0, 0))
    if mode != "constant":
        return np.pad(image, widths, mode)
    fills = [fill] * image.shape[2] if isinstance(fill, int) else fill
    return np.stack([np.pad(image[:, :, k], widths[:2], constant_values=f) for k, f in enumerate(fills)], -1)


def crop(image, size, padding=None, pad_if_needed=False, fill=0, padding_mode="constant"):
    th, tw = (size, size) if isinstance(size, int) else size
    if padding is not None:
        sides = [padding] * 4 if isinstance(padding, int) else list(padding) * (4 // len(padding))
        image = pad(image, *sides, fill, padding_mode)
    if pad_if_needed and image.shape[1] < tw:
        image = pad(image, tw - image.shape[1], 0, tw - image.shape[1], 0, fill, padding_mode)
    if pad_if_needed and image.shape[0] < th:
        image = pad(image, 0, th - image.shape[0], 0, th - image.shape[0], fill, padding_mode)
    h, w = image.shape[:2]
    if (h, w) == (th, tw):
        return image
    i = torch.randint(0, h - th + 1, size=(1,)).item()
    j = torch.randint(0, w - tw + 1, size=(1,)).item()
    return image[i : i + th, j : j + tw]


def flip(image, p=0.5):
    return image[:, ::-1] if torch.rand(1) < p else image


CASES = [
    ("RandomCrop", {"size": 3}),
    ("RandomCrop", {"size": [2, 4]}),
    ("RandomCrop", {"size": [4, 5]}),
    ("RandomCrop", {"size": [4, 5], "padding": 2}),
    ("RandomCrop", {"size": 4, "padding": [1, 2], "fill": 7}),
    ("RandomCrop", {"size": 4, "padding": [1, 0, 3, 2], "fill": [1, 2, 3]}),
    ("RandomCrop", {"size": 5, "padding": 3, "padding_mode": "edge"}),
    ("RandomCrop", {"size": 5, "padding": 3, "padding_mode": "reflect"}),
    ("RandomCrop", {"size": 5, "padding": 3, "padding_mode": "symmetric"}),
    ("RandomCrop", {"size": [6, 5], "pad_if_needed": True, "fill": 9}),
    ("RandomCrop", {"size": [7, 8], "padding": 1, "pad_if_needed": True, "padding_mode": "edge"}),
    ("RandomHorizontalFlip", {}),
    ("RandomHorizontalFlip", {"p": 0.2}),
    ("RandomHorizontalFlip", {"p": 1}),
]
transforms = {"RandomCrop": crop, "RandomHorizontalFlip": flip}

cases = []
for seed, (name, options) in enumerate(CASES):
    torch.manual_seed(seed)
    made = [transforms[name](IMAGE, **options) for _ in range(REPEATS)]
    shape = list(made[0].shape)
    cases.append({"seed": seed, "name": name, "options": options, "shape": shape, "images": [m.ravel().tolist() for m in made], "rand": torch.rand(1).item()})


def python2_pickle(batch):
    """The bytes that Python 2's cPickle makes of a batch with protocol 2, as CIFAR-10's authors did; compared with Python 2.7.18."""
    out, memo = [b"\x80\x02"], [0]

    def put(code):
        memo[0] += 1
        out.append(code + b"q" + bytes([memo[0]]))

    def text(s):
        put(b"U" + bytes([len(s)]) + s.encode())

    def number(n):
        out.append(b"K" + bytes([n]) if 0 <= n < 256 else b"M" + struct.pack("<H", n) if 0 <= n < 65536 else b"J" + struct.pack("<i", n))

    def items(values, one):
        put(b"]")
        out.append(b"(")
        for v in values:
            one(v)
        out.append(b"e")

    put(b"}")
    out.append(b"(")
    text("data")
    put(b"cnumpy.core.multiarray\n_reconstruct\n")
    put(b"cnumpy\nndarray\n")
    number(0)
    put(b"\x85")
    out.append(b"U\x01b")
    put(b"\x87R")
    out.append(b"(")
    number(1)
    for n in batch["data"].shape:
        number(n)
    put(b"\x86")
    put(b"cnumpy\ndtype\n")
    text("u1")
    number(0)
    number(1)
    put(b"\x87")
    put(b"R")
    out.append(b"(")
    number(3)
    out.append(b"U\x01|NNN")
    for n in (-1, -1, 0):
        number(n)
    put(b"t")
    out.append(b"b\x89")
    content = batch["data"].tobytes()
    put(b"T" + struct.pack("<I", len(content)) + content)
    out.append(b"tb")
    text("labels")
    items(batch["labels"], number)
    text("batch_label")
    text(batch["batch_label"])
    text("filenames")
    items(batch["filenames"], text)
    return b"".join(out) + b"u."


def packed(content):
    return base64.b64encode(gzip.compress(content, mtime=0)).decode()


batch = {
    "batch_label": "testing batch 1 of 1",
    "labels": [3, 8],
    "data": (np.arange(2 * 3072) * 5 % 251).astype(np.uint8).reshape(2, 3072),
    "filenames": ["a.png", "b.png"],
}
python2 = python2_pickle(batch)
again = pickle.loads(python2, encoding="latin1")
assert again["labels"] == batch["labels"] and (again["data"] == batch["data"]).all() and again["filenames"] == batch["filenames"]

top = {
    "head": head(note="each case has its seed"),
    "image": {"height": HEIGHT, "width": WIDTH, "channels": CHANNELS, "data": IMAGE.ravel().tolist()},
    "batch": {"labels": batch["labels"], "pattern": "value i is 5 i mod 251"},
    # gzipped, base64
    "pickles": {"python 2": packed(python2), "python 3, protocol 2": packed(pickle.dumps(batch, 2)), "python 3, protocol 5": packed(pickle.dumps(batch, 5))},
}
path = Path(__file__).parents[2] / "test/golden/vision.json"
text = json.dumps(top, separators=(",", ":"))
path.write_text(text[:-1] + ',"cases":[\n' + ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases) + "\n]}\n")
print(path, path.stat().st_size)
