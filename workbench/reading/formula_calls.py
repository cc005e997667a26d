"""The call that the formula worker answers."""

from __future__ import annotations

from workbench.api.protocol import Call
from workbench.records.formulas import DrawnFormula, Formula


class DrawFormula(Call[DrawnFormula], frozen=True, kw_only=True):
    """Draw one formula. What cannot be drawn ends with a reason, never with an error."""

    formula: Formula
