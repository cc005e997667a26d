"""The formulas of a chat are drawn before it is shown: a message whose formulas come later grows under the eyes of the
reader."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from PySide6.QtCore import QObject

from ui.components.formula_text import split_formulas
from ui.components.formulas import current_formulas
from ui.components.markdown_blocks import make_parser, parse
from workbench.records.answers import StoredMessage

MOST_MS = 900
"""Milliseconds that a chat waits for its drawings: what has not come then comes while it is read."""
_FIRST = 8  # messages, from the end: those that are laid out first
_MOST_BEHIND = 200  # formulas above them, which are drawn for the time when the reader comes to them


def draw_first(path: Sequence[StoredMessage], then: Callable[[], None], owner: QObject) -> bool:
    """Call ``then`` as soon as the formulas at the end of a branch are drawn; at once where there are none or all are
    known, never where ``owner`` has gone. Returns whether it waits."""
    formulas = current_formulas()
    waits = formulas.prepare(_sources(path[-_FIRST:]), then, MOST_MS, owner)
    for number, source in enumerate(_sources(path[:-_FIRST][::-1])):
        if number >= _MOST_BEHIND:
            break
        formulas.find(source)
    return waits


def _sources(messages: Sequence[StoredMessage]) -> Iterator[str]:
    for message in messages:
        if "$" not in message.text and "\\" not in message.text:
            continue
        if message.role == "user":
            yield from (piece for piece, style in split_formulas(message.text) if style is not None)
            continue
        for leaf in parse(message.text, make_parser()):
            rows = [cell for row in leaf.rows for cell in row]
            yield from (span.text for spans in (leaf.spans, *rows) for span in spans if span.formula)
