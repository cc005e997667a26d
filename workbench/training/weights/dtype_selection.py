"""Chooses the number format of a base's frozen weights by memory and measured speed.

Importing this loads no torch; only ``measure_speeds`` does, and ``find_cards`` where there is a driver.
"""

from __future__ import annotations

import ctypes
import functools
import sys
import time
from dataclasses import dataclass
from typing import Literal

from workbench.base.catalogue import Shown
from workbench.records.training import BaseForm

DTypeName = Literal["float32", "bfloat16"]

_ROOM = 0.6  # of the free memory, for weights; the rest is for activations, gradients and the optimiser
_FASTER = 1.1  # times as fast as float32 must bfloat16 be before its fewer digits are worth it
_ROUNDS, _WARM_UP = 12, 4  # the first ones wake threads
_FEWEST_ROWS = 128
_SMALLER = 0.75  # of bfloat16's size must the blocks be before unpacking them all the time is worth it


@dataclass(frozen=True)
class Speeds:
    """Multiplications and additions a second of this machine, measured in a product of two matrices."""

    f32: float
    bf16: float


@dataclass(frozen=True)
class Choice:
    """``dtype`` is that of computation. ``why`` is a sentence for people."""

    form: BaseForm
    dtype: DTypeName
    why: Shown


@dataclass(frozen=True)
class Card:
    """A graphics card: its free memory, and whether it has instructions for bfloat16."""

    free_bytes: int
    fast_bf16: bool


def find_cards(most: int) -> tuple[Card, ...]:
    """The first ``most`` CUDA devices that a base can be loaded to; none where there is no driver for them."""
    try:
        ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return ()
    import torch

    if not torch.cuda.is_available():
        return ()
    bf16 = bool(torch.cuda.is_bf16_supported())
    numbers = range(min(most, torch.cuda.device_count()))
    return tuple(Card(int(torch.cuda.mem_get_info(number)[0]), bf16) for number in numbers)


@functools.cache
def measure_speeds() -> Speeds:
    """Multiply matrices of both types on the processor, once in a process: some tens of milliseconds.

    With another number of rows each time, as passes of a training have: oneDNN makes a kernel for each shape of
    bfloat16, which can take longer than the product itself. The fastest round of each counts, on one thread: other
    programs make rounds slower and none faster, and threads that wait for each other far slower, so that the choice
    between the types does not depend on them.
    """
    import torch

    from workbench.training.weights.frozen_linear import product

    width = 512
    kinds = (torch.float32, torch.bfloat16)
    weights = {kind: torch.ones(width, width, dtype=kind) for kind in kinds}
    found: dict[torch.dtype, list[float]] = {kind: [] for kind in kinds}
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        for rows in range(_FEWEST_ROWS, _FEWEST_ROWS + 8 * _ROUNDS, 8):
            for kind in kinds:
                a = torch.ones(rows, width, dtype=kind)
                began = time.perf_counter()
                for _ in range(3):  # forward, and backward to both sides
                    product(a, weights[kind])
                found[kind].append(6 * rows * width * width / (time.perf_counter() - began))
    finally:
        torch.set_num_threads(threads)
    f32, bf16 = (max(found[kind][_WARM_UP:]) for kind in kinds)
    return Speeds(f32, bf16)


def computing_dtype(speeds: Speeds | None, device: str = "cpu") -> DTypeName:
    """The type to compute in, for forms that say nothing of it: bfloat16 where it is clearly faster."""
    if speeds is None:
        return "bfloat16" if device == "cuda" else "float32"
    return "bfloat16" if speeds.bf16 > _FASTER * speeds.f32 else "float32"


def choose_form(
    parameters: int,
    packed_bytes: int | None,
    *,
    memory_free_bytes: int,
    device: str = "cpu",
    speeds: Speeds | None = None,
) -> Choice:
    """The form for a base of so many ``parameters``, whose file takes ``packed_bytes``.

    ``packed_bytes`` None: it cannot be packed (a safetensors folder), or its weights are to be trained themselves.
    ``memory_free_bytes`` is the device's. Something is always chosen; whether the training fits is another question.
    """
    fast = computing_dtype(speeds, device)
    dense: BaseForm = "bf16" if fast == "bfloat16" else "f32"
    size = parameters * (2 if dense == "bf16" else 4)
    room = int(memory_free_bytes * _ROOM)
    speed = _speed_sentence(speeds, fast, device)
    if size <= room:
        return Choice(dense, fast, f"{speed}, and the weights take {_gb(size)} of {_gb(memory_free_bytes)} free.")
    too_large = f"as {dense} they would take {_gb(size)} of {_gb(memory_free_bytes)} free"
    if packed_bytes is not None and packed_bytes <= _SMALLER * 2 * parameters:
        return Choice("packed", fast, f"The weights stay packed in {_gb(packed_bytes)}: {too_large}. {speed}.")
    return Choice("bf16", fast, f"The weights are held as bf16 in {_gb(2 * parameters)}: {too_large}.")


def _speed_sentence(speeds: Speeds | None, fast: DTypeName, device: str) -> str:
    if speeds is None:
        return f"It computes in {fast}, which suits {'the GPU' if device == 'cuda' else 'a processor'}"
    times = speeds.bf16 / speeds.f32
    said = f"{times:.1f} times as fast as" if times >= 1 else f"{1 / times:.1f} times slower than"
    return f"It computes in {fast}: here bfloat16 is {said} float32"


def _gb(size: int) -> str:
    return f"{size / 1e9:.2f} GB" if size < 10e9 else f"{size / 1e9:.0f} GB"
