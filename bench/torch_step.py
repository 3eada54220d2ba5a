"""torch's arm of lenet-step.ts: for every number n on stdin, runs n training steps and prints their times and losses.

The same protocol as our-step.ts.
"""

import json
import sys
import time
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / 'scripts/golden'))
import lenet  # noqa: E402

threads = int(sys.argv[1])
torch.set_num_threads(threads)
net, optimizer, loader = lenet.script(seed=0)
batches = [(x, y) for _, (x, y, _) in zip(range(20), loader)]
print(json.dumps({'name': f'torch {torch.__version__}', 'parameters': sum(p.numel() for p in net.parameters())}), flush=True)

step = 0
for line in sys.stdin:
    losses, times = [], []
    for _ in range(int(line)):
        x, y = batches[step % len(batches)]
        step += 1
        start = time.perf_counter()
        loss = lenet.criterion(net(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        times.append(1000 * (time.perf_counter() - start))
    print(json.dumps({'losses': losses, 'times': times}), flush=True)
