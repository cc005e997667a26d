"""Imports the packages of training and computes a little with them, and writes what is wrong to stdout as JSON.

A process of its own: a library for another system may end it (``subjects/machine/training_folder.py``).
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import threading

from workbench.base.training_environment import PACKAGES


def _leave_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(1)


def main() -> None:
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    problem = ""
    try:
        for name in PACKAGES:
            importlib.import_module(name)
        import torch

        weights = torch.ones(2, 2, requires_grad=True)
        (weights @ torch.ones(2, 1)).sum().backward()
        if weights.grad is None or float(weights.grad.sum()) != 4.0:
            problem = "torch computes something wrong."
    except Exception as error:  # noqa: BLE001 - whatever an import raises is what is wrong
        problem = f"{type(error).__name__}: {error}".splitlines()[0][:500]
    sys.stdout.write(json.dumps({"problem": problem}) + "\n")
