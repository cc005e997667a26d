"""The formula worker: draws one formula after the other. One that takes too long is ended with it."""

from __future__ import annotations

import threading
from collections.abc import Iterator

from workbench.api.events import Event
from workbench.api.protocol import RequestContext, finish
from workbench.processes.memory_limit import memory_ceiling
from workbench.processes.serve import serve
from workbench.reading.formula_calls import DrawFormula
from workbench.reading.formula_drawing import draw_formula

MEMORY_MB = 400

_one_at_a_time = threading.Lock()  # ziamath keeps its fonts and its settings for the process


def draw(call: DrawFormula, context: RequestContext) -> Iterator[Event]:
    with _one_at_a_time:
        context.raise_if_cancelled()
        with memory_ceiling(MEMORY_MB):
            drawn = draw_formula(call.formula)
    yield finish(drawn)


def main() -> None:
    serve("formulas", DrawFormula, {DrawFormula: draw})
