"""Formulas of LaTeX as SVG, drawn by ziamath. The text is a stranger's: what is long, deep or defines commands of its
own is refused with a reason before it is converted."""

from __future__ import annotations

import re
import warnings
from typing import TYPE_CHECKING

from workbench.records.formulas import FORMULA_COLOUR, LONGEST_FORMULA, DrawnFormula, Formula

if TYPE_CHECKING:
    from ziamath.zmath import Latex

SIZE = 32.0
"""Pixels of the font that formulas are drawn in; their measures are divided by it."""

DEEPEST = 9
"""Braces, brackets and environments within each other. ziamath 0.13 lays each level out twice, so that the time doubles
with every one of them: 9 take up to 2 seconds."""

WIDEST, HIGHEST = 160.0, 80.0
"""In sizes of the font."""

_MARGIN = 1.0
_COMMAND = re.compile(r"\\([A-Za-z]+|.)", re.DOTALL)
_REFUSED = frozenset(
    [
        "def",
        "edef",
        "gdef",
        "xdef",
        "let",
        "futurelet",
        "newcommand",
        "renewcommand",
        "providecommand",
        "DeclareMathOperator",
        "newenvironment",
        "renewenvironment",
        "href",
        "url",
        "class",
        "style",
        "cssId",
        "includegraphics",
        "input",
        "include",
        "require",
        "csname",
        "expandafter",
        "verb",
    ]
)
_DROPPED = re.compile(r"\\(?:label\s*\{[^{}]*\}|nonumber\b|notag\b|allowbreak\b|displaylimits\b)")
_TAG = re.compile(r"\\tag\*?\s*\{([^{}]*)\}")
_WHOLE = re.compile(r"\s*\\begin\{(equation|displaymath|math)\*?\}(.*)\\end\{\1\*?\}\s*", re.DOTALL)
_ENVIRONMENTS = {"gather": "align", "gathered": "align", "multline": "align", "eqnarray": "align", "flalign": "align"}
_ENVIRONMENT = re.compile(r"\\(begin|end)\{(gathered|gather|multline|eqnarray|flalign)\*?\}")
_ROW_SPACE = re.compile(r"\\\\\s*\[[-\d. ]*(?:pt|em|ex|mm|cm|in|px)\]")
_UNKNOWN = re.compile(r">\s*\\[A-Za-z]+\s*<")
_FILL = re.compile(r'(fill|stroke)="(?!none")[^"]*"')


def draw_formula(formula: Formula) -> DrawnFormula:
    """The drawing, or the reason why there is none."""
    reason = refusal_of(formula.source)
    if reason:
        return DrawnFormula(reason=reason)
    try:
        with warnings.catch_warnings(action="ignore"):  # they would write parts of private messages into a log
            return _drawn(formula)
    except RecursionError:
        return DrawnFormula(reason="The formula is nested too deeply.")
    except Exception as error:  # noqa: BLE001 - any text may come, and ziamath has no exception of its own
        return DrawnFormula(reason=f"The formula cannot be read ({type(error).__name__}).")


def refusal_of(source: str) -> str:
    """Why a formula is not tried at all; "" where it is."""
    if not source.strip():
        return "The formula is empty."
    if len(source) > LONGEST_FORMULA:
        return f"The formula has more than {LONGEST_FORMULA:,} characters."
    if any(character < " " and character not in "\n\t" for character in source):
        return "The formula contains control characters."
    depth = 0
    for found in re.finditer(r"\\(?:begin|left|end|right)(?![A-Za-z])|\\.|[{}]", source, re.DOTALL):
        depth += {"{": 1, "\\begin": 1, "\\left": 1, "}": -1, "\\end": -1, "\\right": -1}.get(found.group(), 0)
        if depth > DEEPEST:
            return "The formula is nested too deeply."
    for command in _COMMAND.findall(source):
        if command in _REFUSED:
            return f"The command \\{command} is not allowed."
    return ""


def _drawn(formula: Formula) -> DrawnFormula:
    from ziamath.config import config
    from ziamath.zmath import Latex

    config.svg2 = False  # paths in place, which QtSvg draws; without references to symbols
    made = Latex(_prepared(formula.source), SIZE, color=FORMULA_COLOUR, inline=not formula.display)
    unknown = _UNKNOWN.search(made.mathmlstr())
    if unknown:
        return DrawnFormula(reason=f"The command {unknown.group().strip('<> ')} is not known.")
    return _measured(made)


def _measured(made: Latex) -> DrawnFormula:
    width, height = (part + 2 * _MARGIN for part in made.getsize())
    if not (0 < width <= WIDEST * SIZE and 0 < height <= HIGHEST * SIZE):
        return DrawnFormula(reason="The formula is too large.")
    return DrawnFormula(
        svg=_FILL.sub(rf'\1="{FORMULA_COLOUR}"', made.svg()),
        width=width / SIZE,
        height=height / SIZE,
        depth=max(0.0, _MARGIN - made.getyofst()) / SIZE,
    )


def _prepared(source: str) -> str:
    """The formula as ziamath knows it: without labels, numbers in place, environments by the names that it has."""
    source = _DROPPED.sub("", source)
    source = _TAG.sub(r"\\qquad (\\text{\1})", source)
    whole = _WHOLE.fullmatch(source)
    if whole is not None:
        source = whole.group(2)
    source = _ROW_SPACE.sub(r"\\\\ ", source)
    return _ENVIRONMENT.sub(lambda found: f"\\{found[1]}{{{_ENVIRONMENTS[found[2]]}*}}", source)
