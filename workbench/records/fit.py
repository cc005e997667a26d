"""Fit: whether a model fits this machine, what it takes where, and how fast it will be."""

from __future__ import annotations

from typing import Literal

import msgspec

from workbench.base.catalogue import Shown

Verdict = Literal["gpu", "partly", "processor", "too big", "unknown"]
"""Where a model would run: all layers on GPUs; some of them; on the processor; nowhere; not known."""

VERDICTS: dict[Verdict, Shown] = {
    "gpu": "On the GPU",
    "partly": "Partly on the GPU",
    "processor": "On the processor",
    "too big": "Too big",
    "unknown": "Fit unknown",
}


class MemoryPart(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes on a device ("": the processor's memory): weights, the cache of the conversation, and intermediate
    results. ``free`` is what the device has for it, 0 where that is not known. ``mapped``: the weights are pages of the
    mapped file, which the system counts as free."""

    device: str = ""
    weights: int = 0
    cache: int = 0
    computing: int = 0
    free: int = 0
    mapped: bool = False

    @property
    def total(self) -> int:
        return self.weights + self.cache + self.computing


class Fit(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a model fits this machine now.

    ``parts`` are what it takes on each device with a context of ``context_tokens`` tokens (``trained_tokens``: the
    length it was trained with). ``source``: llama.cpp's own count of a load without memory, or the planner's estimate.
    ``released`` are bytes that the model loaded now takes and gives back. ``kept``: so many bytes more may be taken by
    saved states of recent conversations, as far as they are free; they are not ``needed``. ``tokens_per_s`` is the
    expected speed of one answer, 0 where it is not known: the bytes that a token reads, over the measured bandwidth of
    the memory. ``kind`` says what is special about its architecture, ``problem`` why it would not answer here although
    it fits, ``reason`` why it fits or not, ``hint`` what would fit.
    """

    verdict: Verdict
    context_tokens: int = 0
    trained_tokens: int = 0
    layers: int = 0
    gpu_layers: int = 0
    parts: tuple[MemoryPart, ...] = ()
    source: Literal["llama.cpp", "estimate", ""] = ""
    released: int = 0
    kept: int = 0
    token_bytes: int = 0
    tokens_per_s: float = 0.0
    architecture: str = ""
    kind: Shown = ""
    problem: Shown = ""
    reason: Shown = ""
    hint: Shown = ""

    @property
    def needed(self) -> int:
        """Bytes on all devices together."""
        return sum(part.total for part in self.parts)


def describe_experts(experts: int, used: int, active: int = 0, parameters: int = 0) -> str:
    """``Mixture of experts: a token uses 8 of 128 experts, 3.3 of 30.5 billion parameters``; all of them are in memory.
    ``active`` parameters are those that a token uses, 0 where they were not counted."""
    how = f"a token uses {used} of {experts} experts" if used else f"{experts} experts"
    if used and active and parameters:
        unit, name = (1e9, "billion") if parameters >= 1e9 else (1e6, "million")
        how += f", {active / unit:.1f} of {parameters / unit:.1f} {name} parameters"
    return f"Mixture of experts: {how}, and all are in memory"
