"""torch's arm of training-step.ts: `torch_step.py <threads>`. The same protocol as our-step.ts.

A line on stdin, `steps <network> <count>` or `kernels <network> <count>`, runs so many training steps. The answer is a
line of JSON with their losses, their times in ms (forward, backward, optimizer, all) and, for `kernels`, the calls and
milliseconds a step of each of torch's operations, without those that it calls.
"""

import json
import sys
import time

import torch
from torch import nn
from torch.profiler import ProfilerActivity, profile

BATCH_SIZE, BATCH_COUNT = 64, 10

NETWORKS = {
    'cifar': (
        [3, 32, 32],
        lambda: nn.Sequential(
            nn.Conv2d(3, 32, 5, padding=2), nn.MaxPool2d(2),
            nn.Conv2d(32, 32, 5, padding=2), nn.MaxPool2d(2),
            nn.Conv2d(32, 64, 5, padding=2), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(1024, 64), nn.Linear(64, 10),
        ),
    ),
    'lenet': (
        [1, 28, 28],
        lambda: nn.Sequential(
            nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10),
        ),
    ),
    'mlp': (
        [784],
        lambda: nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 10)),
    ),
}  # fmt: skip

torch.set_num_threads(int(sys.argv[1]))
criterion = nn.CrossEntropyLoss()


def training(name):
    image, make = NETWORKS[name]
    torch.manual_seed(0)
    batches = [(torch.rand([BATCH_SIZE, *image]), torch.randint(0, 10, [BATCH_SIZE])) for _ in range(BATCH_COUNT)]
    net = make()
    optimizer = torch.optim.Adam(net.parameters())
    done = 0

    def step():
        nonlocal done
        x, y = batches[done % BATCH_COUNT]
        done += 1
        start = time.perf_counter()
        loss = criterion(net(x), y)
        forward = time.perf_counter()
        optimizer.zero_grad()
        loss.backward()
        backward = time.perf_counter()
        optimizer.step()
        value = loss.item()
        end = time.perf_counter()
        return value, [1000 * t for t in (forward - start, backward - forward, end - backward, end - start)]

    return step


trainings = {}
print(json.dumps({'name': f'torch {torch.__version__}'}), flush=True)
for line in sys.stdin:
    command, name, count = line.split()
    if name not in trainings:
        trainings[name] = training(name)
    kernels = []
    if command == 'kernels':
        with profile(activities=[ProfilerActivity.CPU]) as profiled:
            steps = [trainings[name]() for _ in range(int(count))]
        for event in profiled.key_averages():
            kernels.append([event.key, event.count / len(steps), event.self_cpu_time_total / 1000 / len(steps)])
    else:
        steps = [trainings[name]() for _ in range(int(count))]
    losses, times = zip(*steps)
    print(json.dumps({'losses': losses, 'times': times, 'kernels': kernels}), flush=True)
