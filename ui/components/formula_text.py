"""Where formulas stand in a text: which parts between brackets with a backslash, or between dollars, are formulas, and
which dollars are money. Without any Qt."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from workbench.records.formulas import Formula

Style = Literal["inline", "display"]

_INLINE = re.compile(
    r"\\\((?P<round>.{1,1000}?)\\\)"
    r"|\\\[(?P<square>.{1,2000}?)\\\]"
    r"|\$\$(?!\$)(?P<double>[^$]{1,2000}?)\$\$(?!\$)"
    r"|\$(?=[^\s$])(?P<single>(?:\\.|[^$\n`\\]){1,500}(?<=[^\s\\]))\$(?![\w$])",
    re.DOTALL,
)
_ENVIRONMENTS = (
    "equation|align|aligned|gather|gathered|multline|eqnarray|flalign|split|cases|matrix|pmatrix|bmatrix|Bmatrix|"
    "vmatrix|Vmatrix|array|displaymath|math"
)
_OPENING = re.compile(rf" {{0,3}}(?P<opening>\$\$|\\\[|\\begin\{{(?P<name>(?:{_ENVIRONMENTS})\*?)\}})")
_WORDS_INSIDE = re.compile(r"\\(?:text\w*|mathrm|mathbf|mathit|operatorname\*?|mbox|hbox)\s*\{[^{}]*\}|\\[A-Za-z]+")
_AMOUNT = re.compile(r"\d[\d.,]*")
_WORD = re.compile(r"[^\W\d_]{2,}")
_OPERATOR = re.compile(r"[\\^_=<>+*/×·÷≤≥≠≈∈-]")
_CODE = re.compile(r"(?P<ticks>`+)(?!`).*?(?<!`)(?P=ticks)(?!`)", re.DOTALL)
LONGEST_BLOCK = 4_000


@dataclass(frozen=True)
class Found:
    """A formula in a text: where it ends, and its whole source with the delimiters."""

    end: int
    source: str
    style: Style


def formula_of(source: str) -> Formula:
    """The formula within its delimiters."""
    for opening, closing, display in (
        ("$$", "$$", True),
        ("\\[", "\\]", True),
        ("\\(", "\\)", False),
        ("$", "$", False),
    ):
        if source.startswith(opening) and source.endswith(closing) and len(source) >= len(opening) + len(closing):
            return Formula(source[len(opening) : len(source) - len(closing)].strip(), display)
    return Formula(source.strip(), True)


def formula_at(text: str, position: int, end: int) -> Found | None:
    """The formula that begins at a position and ends before ``end``; None where there is none, or where a dollar is
    money."""
    if text[position] not in "\\$":
        return None
    match = _INLINE.match(text, position, end)
    if match is None:
        return None
    kind = match.lastgroup or ""
    inside = match.group(kind)
    if kind in ("single", "double") and position and (text[position - 1] in "$\\" or text[position - 1].isalnum()):
        return None
    if not _is_formula(kind, inside):
        return None
    return Found(match.end(), match.group(), "display" if kind in ("square", "double") else "inline")


def _is_formula(kind: str, inside: str) -> bool:
    if not inside.strip() or not re.search(r"[\w\\]", inside):
        return False
    bare = _WORDS_INSIDE.sub(" ", inside)
    if kind == "single" and _AMOUNT.match(inside):
        return not _WORD.search(bare) and bool(_OPERATOR.search(inside) or _AMOUNT.fullmatch(inside) or "\\" in inside)
    if kind in ("single", "square"):  # a sentence between two dollars, or in brackets that are only escaped
        words = len(_WORD.findall(bare))
        return words < 3 if _OPERATOR.search(inside) else words <= 1 and not inside.strip().isdecimal()
    return True


def opens_at(text: str, position: int) -> bool:
    """Whether a formula begins here whose end has not come, or never comes."""
    closing = {"\\(": "\\)", "\\[": "\\]"}.get(text[position : position + 2])
    return closing is not None and text.find(closing, position + 2) < 0


@dataclass(frozen=True)
class Block:
    """A formula that takes whole lines: how many, the punctuation behind it, and whether its end has come."""

    lines: int
    source: str
    behind: str
    closed: bool


def block_at(lines: list[str]) -> Block | None:
    """The formula that these lines begin with. It may not have ended yet where the lines do; a blank line, and words
    behind its end, show that it is none."""
    opened = _OPENING.match(lines[0]) if lines else None
    if opened is None:
        return None
    begin, name = opened["opening"], opened["name"]
    closing = {"$$": "$$", "\\[": "\\]"}.get(begin) or f"\\end{{{name}}}"
    source = ""
    for number, line in enumerate(lines):
        if not line.strip():
            return None
        source += ("\n" if number else "") + line.strip()
        if len(source) > LONGEST_BLOCK:
            return None
        place = source.find(closing, len(begin))
        if place >= 0:
            behind = source[place + len(closing) :].strip()
            inside = source[len(begin) : place]
            known = not behind.strip(".,;") and (name or _is_formula("double" if begin == "$$" else "square", inside))
            return Block(number + 1, source[: place + len(closing)], behind, True) if known else None
    return Block(len(lines), source, "", False)


def split_formulas(text: str) -> Iterator[tuple[str, Style | None]]:
    """The pieces of a plain text, each with the style of a formula or None. What stands between backticks is code."""
    last = position = 0
    codes = {found.start(): found.end() for found in _CODE.finditer(text)} if "`" in text else {}
    while position < len(text):
        if position in codes:
            position = codes[position]
            continue
        found = formula_at(text, position, len(text)) if text[position] in "\\$" else None
        if found is None:
            position += 2 if text[position] == "\\" else 1
            continue
        if position > last:
            yield text[last:position], None
        yield found.source, found.style
        last = position = found.end
    if last < len(text):
        yield text[last:], None
