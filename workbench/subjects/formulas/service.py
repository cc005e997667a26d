"""Draws formulas in a worker, which a formula that takes too long does not hold up."""

from __future__ import annotations

import threading
from collections.abc import Iterator

from workbench.api.events import Event
from workbench.api.protocol import RequestContext, finish
from workbench.base.errors import Cancelled, UserError, WorkerDied
from workbench.core.foundation import Foundation
from workbench.processes.host import WorkerHost
from workbench.reading.formula_calls import DrawFormula
from workbench.records.formulas import DrawnFormula, Formula
from workbench.subjects.formulas.calls import MOST_FORMULAS, DrawFormulas
from workbench.subjects.subject import Subject

LIMIT_S = 3.0
"""Seconds for one formula. The ones of textbooks take up to 0.2."""
START_S = 60.0
MOST_OVERDUE = 2
"""Formulas of one call that may take too long; those after them are not tried."""

_TOO_LONG = DrawnFormula(reason="The formula took too long to draw.")
_NOT_TRIED = DrawnFormula(reason="Other formulas of this message took too long to draw.")
_GRACE_S = 0.2
_FIRST = Formula("x")


class FormulaDrawing:
    """The formulas of one home. Made with the core; its worker starts with the first formula."""

    def __init__(self, host: WorkerHost, limit_s: float = LIMIT_S) -> None:
        self.host = host
        self._limit_s = limit_s

    def draw(self, call: DrawFormulas, context: RequestContext) -> Iterator[Event]:
        """Raises UserError for more than ``MOST_FORMULAS`` formulas."""
        if len(call.formulas) > MOST_FORMULAS:
            raise UserError(f"At most {MOST_FORMULAS} formulas are drawn in one call.", "Split the request.")
        drawn: list[DrawnFormula] = []
        for formula in call.formulas:
            context.raise_if_cancelled()
            if drawn.count(_TOO_LONG) >= MOST_OVERDUE:
                drawn.append(_NOT_TRIED)
                continue
            if self.host.state != "ready":
                self._draw(_FIRST, START_S, context)
            drawn.append(self._draw(formula, self._limit_s, context))
        yield finish(tuple(drawn))

    def _draw(self, formula: Formula, limit_s: float, context: RequestContext) -> DrawnFormula:
        """One drawing; at the limit the worker is ended and the formula has a reason. Raises errors.Cancelled."""
        own = RequestContext()
        forget = context.when_cancelled(own.cancel)
        overdue = threading.Timer(limit_s, own.cancel)
        overdue.daemon = True
        overdue.start()
        try:
            return self.host.call(DrawFormula(formula=formula), context=own)
        except (Cancelled, WorkerDied):
            context.raise_if_cancelled()
            return _TOO_LONG
        finally:
            overdue.cancel()
            forget()


def wire(base: Foundation) -> Subject:
    """The subject of formulas."""
    drawing = FormulaDrawing(base.host("formulas", {}, cancel_grace_s=_GRACE_S))
    return Subject(handlers={DrawFormulas: drawing.draw}, hosts=(drawing.host,), close=(drawing.host.close,))
