"""What a golden file says of its making: torch's version, the seed and the CPU. Imported by the scripts beside it."""
import platform

import torch

TORCH = "2.15.0"


def head(**more):
    assert torch.__version__.startswith(TORCH), torch.__version__
    return {"torch": torch.__version__, **more, "cpu": torch.backends.cpu.get_cpu_capability(), "machine": platform.machine()}
