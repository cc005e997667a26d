"""The fitting worker: loads headers without memory. A header on which llama.cpp aborts ends it."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec

from workbench.api.events import Event
from workbench.api.protocol import RequestContext, finish
from workbench.base.errors import UserError
from workbench.engine.bandwidth import measure_bandwidth
from workbench.engine.dry_load import DryModel
from workbench.engine.fitting import (
    active_parameters,
    bytes_per_token,
    cannot_answer,
    describe_fit,
    plan_fit,
    released_bytes,
    with_released,
)
from workbench.engine.fitting_calls import MeasureFit
from workbench.engine.library import list_devices, start_library
from workbench.engine.machine import read_machine
from workbench.engine.memory_breakdown import can_count
from workbench.engine.memory_planner import with_projector
from workbench.engine.offloading import weigh_tensors
from workbench.gguf.model import describe_gguf
from workbench.gguf.reader import read_pieces
from workbench.processes.serve import serve
from workbench.records.fit import Fit


class FittingServer:
    """One count at a time: llama.cpp's log, and with it the reason of a refusal, is shared."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._bandwidth = 0.0

    def measure(self, call: MeasureFit, context: RequestContext) -> Iterator[Event]:
        with self._turn:
            context.raise_if_cancelled()
            yield finish(self._fit(call))

    def _fit(self, call: MeasureFit) -> Fit:
        log = start_library()
        path = Path(call.load.path)
        details = describe_gguf(path)
        devices = list_devices()
        machine, free = with_released(read_machine(path.parent, devices), devices, call.released)
        tensors = [tensor for piece in read_pieces(path) for tensor in piece.tensors]
        plan, refusal = plan_fit(call.load, details, machine, free, weigh_tensors(details, tensors))
        active = active_parameters(details, tensors)
        fit = describe_fit(details, plan, refusal, "estimate", active=active)
        problem = cannot_answer(details)
        if can_count():
            names = [(device.name, device.description or device.name) for device in devices]
            try:
                with contextlib.closing(DryModel(call.load.path, plan, log)) as model:
                    plan = model.choose_load_mode(plan, details.model.bytes)
                    counted = with_projector(model.count(plan, plan.contexts), call.load, plan.gpu_layers)
                    fit = describe_fit(details, plan, refusal, "llama.cpp", counted, names, active)
            except UserError as error:
                problem = problem or error.message
        if problem and fit.source == "estimate":
            fit = msgspec.structs.replace(fit, verdict="unknown", reason=problem)
        elif problem:
            fit = msgspec.structs.replace(fit, problem=problem)
        read = bytes_per_token(details, tensors, plan)
        if not self._bandwidth:
            self._bandwidth = measure_bandwidth(plan.threads)
        return msgspec.structs.replace(
            fit,
            token_bytes=read,
            tokens_per_s=self._bandwidth / read if read and fit.verdict in ("partly", "processor") else 0.0,
            released=sum(map(released_bytes, call.released)),
            kept=call.load.prefix_cache_bytes if fit.parts else 0,
        )


def main() -> None:
    serve("fitting", MeasureFit, {MeasureFit: FittingServer().measure})
