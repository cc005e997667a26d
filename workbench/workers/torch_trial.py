"""Tries the torch of this process on a GPU, and writes what it found to stdout as one line of JSON.

A process of its own: a driver that crashes or hangs ends this one only (``core/runtime/torch_trial.py``).
"""

from __future__ import annotations

import json
import sys

SIZE = 1024
TOLERANCE = 0.05
"""Of the largest value: GPUs may multiply with fewer bits (TF32)."""


def main() -> None:
    import torch

    found = {"version": torch.__version__, "device": "", "problem": ""}
    if not torch.cuda.is_available():
        found["problem"] = "It found no GPU on this machine."
    else:
        found["device"] = torch.cuda.get_device_name(0)
        left, right = torch.randn(2, SIZE, SIZE, generator=torch.Generator().manual_seed(0))
        expected, computed = left @ right, (left.cuda() @ right.cuda()).cpu()
        if not bool(((expected - computed).abs() <= TOLERANCE * expected.abs().max()).all()):
            found["problem"] = "It computes something else than the processor."
    sys.stdout.write(json.dumps(found) + "\n")
