"""Records the orders in which torch's loaders, samplers and random_split give a dataset, and its transforms: test/golden/data.json.

Run with torch 2.15.0: python scripts/golden/data.py
A case is a list of steps on one process's default generator, seeded first; `generator` seeds a generator of the step's own.
"""
import hashlib
import json
from pathlib import Path

import torch
from head import head
from torch import nn
from torch.utils.data import (
    BatchSampler,
    ConcatDataset,
    DataLoader,
    DistributedSampler,
    IterableDataset,
    RandomSampler,
    SequentialSampler,
    SubsetRandomSampler,
    WeightedRandomSampler,
    random_split,
)


class Stream(IterableDataset):
    def __init__(self, n):
        self.n = n

    def __iter__(self):
        return iter(range(self.n))


WEIGHTS = [0.1, 0.9, 0.4, 0.7, 3.0, 0.6]

CASES = []
for seed in (0, 42, 2**40 + 3):
    for n, options in [
        (10, {"batch_size": 5}),
        (10, {"batch_size": 4, "drop_last": True}),
        (11, {"batch_size": 3}),
        (1, {"batch_size": 3}),
        (7, {}),
        (7, {"batch_size": None}),
        (1000, {"batch_size": 64}),
    ]:
        for generator in (None, 7):
            CASES.append({"seed": seed, "steps": [{"loader": n, "shuffle": True, "epochs": 3, "generator": generator, **options}, {"rand": 3}]})
CASES += [
    # What a training script draws before, between and after.
    {"seed": 1, "steps": [{"linear": [8, 5]}, {"loader": 20, "shuffle": True, "batch_size": 6, "epochs": 2}, {"linear": [3, 2]}, {"rand": 2}, {"loader": 20, "shuffle": True, "batch_size": 6, "epochs": 1}, {"rand": 2}]},
    {"seed": 1, "steps": [{"loader": 9, "shuffle": False, "batch_size": 2, "epochs": 2}, {"rand": 2}]},
    {"seed": 1, "steps": [{"loader": 9, "shuffle": False, "batch_size": 2, "epochs": 2, "generator": 3}, {"rand": 2}]},
    {"seed": 1, "steps": [{"loader": 9, "shuffle": True, "batch_size": 2, "epochs": 3, "broken_off": 2}, {"rand": 2}]},
    {"seed": 1, "steps": [{"loader": 9, "shuffle": True, "batch_size": 2, "epochs": 3, "broken_off": 2, "generator": 5}, {"rand": 2}]},
    {"seed": 2, "steps": [{"stream": 7, "batch_size": 3, "epochs": 2}, {"rand": 1}]},
    {"seed": 2, "steps": [{"stream": 7, "batch_size": 3, "drop_last": True, "epochs": 2}, {"rand": 1}]},
    {"seed": 2, "steps": [{"stream": 3, "batch_size": None, "epochs": 1}, {"rand": 1}]},
    {"seed": 3, "steps": [{"split": 10, "lengths": [3, 7]}, {"rand": 1}, {"split": 10, "lengths": [7, 3]}, {"rand": 1}]},
    {"seed": 3, "steps": [{"split": 30, "lengths": [0.3, 0.3, 0.4], "generator": 42}, {"rand": 1}]},
    {"seed": 3, "steps": [{"split": 11, "lengths": [0.5, 0.25, 0.25]}, {"rand": 1}]},
    {"seed": 3, "steps": [{"split": 2, "lengths": [0.25, 0.25, 0.25, 0.25]}, {"rand": 1}]},
    {"seed": 3, "steps": [{"split": 5, "lengths": [5, 0]}, {"split": 1, "lengths": [1]}, {"rand": 1}]},
    {"seed": 4, "steps": [{"sampler": "random", "n": 5, "num_samples": 13, "runs": 2}, {"rand": 1}]},
    {"seed": 4, "steps": [{"sampler": "random", "n": 5, "num_samples": 3, "runs": 2, "generator": 1}, {"rand": 1}]},
    {"seed": 4, "steps": [{"sampler": "random", "n": 5, "num_samples": 70, "replacement": True, "runs": 2}, {"rand": 1}]},
    {"seed": 4, "steps": [{"sampler": "random", "n": 5, "num_samples": 64, "replacement": True, "runs": 2, "generator": 1}, {"rand": 1}]},
    {"seed": 4, "steps": [{"sampler": "subset", "indices": [3, 1, 4, 15, 9], "runs": 2}, {"rand": 1}]},
    {"seed": 4, "steps": [{"sampler": "subset", "indices": [3, 1, 4, 15, 9], "runs": 2, "generator": 1}, {"rand": 1}]},
    {"seed": 4, "steps": [{"sampler": "weighted", "num_samples": 40, "replacement": True, "runs": 2}, {"rand": 1}]},
    {"seed": 4, "steps": [{"sampler": "weighted", "num_samples": 5, "replacement": False, "runs": 2, "generator": 1}, {"rand": 1}]},
    {"seed": 4, "steps": [{"sampler": "weighted", "num_samples": 1, "replacement": True, "runs": 2}, {"rand": 1}]},
    *(
        {"seed": 5, "steps": [{"sampler": "distributed", "n": n, "num_replicas": replicas, "rank": rank, "runs": 3, **options}, {"rand": 1}]}
        for n, replicas, rank, options in [
            (10, 2, 0, {}),
            (10, 3, 2, {"shuffle_seed": 9}),
            (10, 4, 1, {"drop_last": True}),
            (10, 4, 3, {"shuffle": False}),
            (2, 7, 6, {}),
            (8, 4, 0, {"drop_last": True, "shuffle": False}),
        ]
    ),
    {"seed": 4, "steps": [{"sampler": "batch", "n": 7, "batch_size": 3, "drop_last": False, "runs": 1}, {"sampler": "batch", "n": 7, "batch_size": 3, "drop_last": True, "runs": 2}, {"rand": 1}]},
]


def make_sampler(step, generator):
    kind = step["sampler"]
    if kind == "random":
        return RandomSampler(range(step["n"]), step.get("replacement", False), step["num_samples"], generator)
    if kind == "subset":
        return SubsetRandomSampler(step["indices"], generator)
    if kind == "weighted":
        return WeightedRandomSampler(WEIGHTS, step["num_samples"], step["replacement"], generator)
    if kind == "distributed":
        return DistributedSampler(range(step["n"]), step["num_replicas"], step["rank"], step.get("shuffle", True), step.get("shuffle_seed", 0), step.get("drop_last", False))
    return BatchSampler(RandomSampler(range(step["n"]), generator=generator), step["batch_size"], step["drop_last"])


def run(step):
    generator = None if step.get("generator") is None else torch.Generator().manual_seed(step["generator"])
    if "rand" in step:
        return torch.rand(step["rand"]).tolist()
    if "linear" in step:
        return nn.Linear(*step["linear"]).bias.tolist()
    if "split" in step:
        extra = {} if generator is None else {"generator": generator}
        return [list(s.indices) for s in random_split(range(step["split"]), step["lengths"], **extra)]
    if "sampler" in step:
        sampler = make_sampler(step, generator)
        runs = []
        for epoch in range(step["runs"]):
            if step["sampler"] == "distributed":
                sampler.set_epoch(epoch)
            runs.append(list(sampler))
        return [len(sampler), runs]
    dataset = list(range(step["loader"])) if "loader" in step else Stream(step["stream"])
    options = {k: v for k, v in step.items() if k in ("batch_size", "shuffle", "drop_last")}
    loader = DataLoader(dataset, generator=generator, **options)
    epochs = []
    for _ in range(step["epochs"]):
        batches = []
        for batch in loader:
            batches.append(batch.tolist() if isinstance(batch, torch.Tensor) else batch)
            if len(batches) == step.get("broken_off"):
                break
        epochs.append(batches)
    return [len(loader) if "loader" in step else None, epochs]


def short(value):
    text = json.dumps(value, separators=(",", ":"))
    return value if len(text) < 2000 else "sha1:" + hashlib.sha1(text.encode()).hexdigest()


rows = []
for case in CASES:
    torch.manual_seed(case["seed"])
    rows.append(json.dumps({**case, "results": [short(run(step)) for step in case["steps"]]}, separators=(",", ":")))
# What torchvision's ToTensor and Normalize compute.
unit = torch.arange(256, dtype=torch.uint8).to(torch.float32).div(255)
normalized = [
    {"mean": m, "std": s, "values": unit.clone().sub_(torch.as_tensor(m)).div_(torch.as_tensor(s)).tolist()}
    for m, s in ((0.1307, 0.3081), (0.5, 0.5), (0.485, 0.229))
]
top = json.dumps({"head": head(note="each case has its seed"), "unit": unit.tolist(), "normalized": normalized, "weights": WEIGHTS}, separators=(",", ":"))
path = Path(__file__).parents[2] / "test/golden/data.json"
path.write_text(top[:-1] + ',"cases":[\n' + ",\n".join(rows) + "\n]}\n")
print(path, path.stat().st_size)
