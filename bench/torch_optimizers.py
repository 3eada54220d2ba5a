"""torch's arms of optimizers.ts: `torch_optimizers.py <threads>`.

A line on stdin, a JSON of `optimizer`, `options`, `shapes`, `variant` (`for-loop`, `foreach`, `fused`) and `steps`, runs so
many steps of that optimizer, which stays until other shapes or another optimizer are asked for. The answer is a line of
JSON: the times of the steps in ms; `null` where torch has no such variant.
"""

import json
import sys
import time

import torch

torch.set_num_threads(int(sys.argv[1]))
FLAGS = {'for-loop': {'foreach': False}, 'foreach': {'foreach': True}, 'fused': {'fused': True}}


class Arm:
    def __init__(self, optimizer, options, shapes, variant):
        self.params = [torch.nn.Parameter(torch.rand(shape) - 0.5) for shape in shapes]
        self.grads = [torch.rand(shape) + 0.1 for shape in shapes]
        self.optimizer = getattr(torch.optim, optimizer)(self.params, **options, **FLAGS[variant])
        self.done = 0

    def step(self):
        for p, g in zip(self.params, self.grads):
            p.grad = g * (1 + 0.5 * (self.done % 3))
        with torch.no_grad():
            sum((p * 0.5).sum() for p in self.params).item()
            if self.done % 5 == 4:
                self.params[0].mul_(0.5)
        self.done += 1
        start = time.perf_counter()
        self.optimizer.step()
        return 1000 * (time.perf_counter() - start)


print(json.dumps(torch.__version__), flush=True)
current, arms = None, {}
for line in sys.stdin:
    asked = json.loads(line)
    steps, variant = asked.pop('steps'), asked.pop('variant')
    if asked != current:
        current, arms = asked, {}
    try:
        if variant not in arms:
            arms[variant] = Arm(variant=variant, **asked)
        answer = [arms[variant].step() for _ in range(steps)]
    except (TypeError, RuntimeError):  # RMSprop has no fused kernel
        answer = None
    print(json.dumps(answer), flush=True)
