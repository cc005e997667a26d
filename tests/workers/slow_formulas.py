"""A formula worker that never ends the formula ``slow``."""

from __future__ import annotations

import threading
from collections.abc import Iterator

from workbench.api.events import Event
from workbench.api.protocol import RequestContext, finish
from workbench.processes.serve import serve
from workbench.reading.formula_calls import DrawFormula
from workbench.records.formulas import DrawnFormula


def draw(call: DrawFormula, context: RequestContext) -> Iterator[Event]:
    if call.formula.source == "slow":
        threading.Event().wait()
    yield finish(DrawnFormula(svg="<svg/>", width=1, height=1))


serve("formulas", DrawFormula, {DrawFormula: draw})
