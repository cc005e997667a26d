"""The calls about formulas."""

from __future__ import annotations

from workbench.api.protocol import Call
from workbench.records.formulas import DrawnFormula, Formula

MOST_FORMULAS = 64


class DrawFormulas(Call[tuple[DrawnFormula, ...]], frozen=True, kw_only=True):
    """Draw up to ``MOST_FORMULAS`` formulas, in their order. Nothing is stored. One that cannot be drawn has a reason
    in the place of its drawing."""

    made_by = ("window", "The terminal shows formulas as their source.")

    formulas: tuple[Formula, ...]
