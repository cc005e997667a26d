"""The call of the fitting worker. Light: importing this loads no llama.cpp."""

from __future__ import annotations

from workbench.api.protocol import Call
from workbench.engine.inference_calls import Load
from workbench.records.fit import Fit, MemoryPart


class MeasureFit(Call[Fit], frozen=True, kw_only=True, tag="fit"):
    """How the model of ``load`` would fit. Its file may be a header with a hole behind it. ``released`` are what the
    model loaded now takes, and gives back when it is unloaded for this one."""

    load: Load
    released: tuple[MemoryPart, ...] = ()
