"""Formulas in messages: what is asked to be drawn, and a drawing that fits every size and colour."""

from __future__ import annotations

import msgspec

from workbench.base.catalogue import Shown

FORMULA_COLOUR = "#010203"
"""The colour that stands in a drawing for the colour of the text."""

LONGEST_FORMULA = 2_000
"""Maximum characters of a formula that is drawn."""


class Formula(msgspec.Struct, frozen=True):
    """LaTeX without its delimiters. ``display`` formulas stand in a line of their own."""

    source: str
    display: bool = False


class DrawnFormula(msgspec.Struct, frozen=True):
    """The drawing of a formula as SVG with ``FORMULA_COLOUR``, and its measures in sizes of the font. ``depth`` is
    how far it reaches below the baseline. A formula that cannot be drawn has a ``reason`` in place of them."""

    svg: str = ""
    width: float = 0.0
    height: float = 0.0
    depth: float = 0.0
    reason: Shown = ""
