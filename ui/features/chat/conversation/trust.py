"""The marks on an answer's statements that contradict the documents, or that a person should compare with them."""

from __future__ import annotations

import re

from ui.components.prose import Mark
from workbench.base.catalogue import translated
from workbench.records.messages import Verification
from workbench.records.trust import describe_statement, marks, own_statements

_MARKUP = re.compile(r"\[\d+\]|[*_`#>|]+|\n")


def marks_of(text: str, verification: Verification | None, *, written: bool = True) -> tuple[Mark, ...]:
    """The pieces of an answer's text to underline, in order, each with the reason. ``written``: it is complete."""
    if verification is None:
        return ()
    return tuple(
        Mark(piece.strip(), translated(describe_statement(statement)))
        for statement in own_statements(verification)
        if marks(statement, verification, written=written)
        for piece in _MARKUP.split(text[statement.start : statement.end])
        if len(piece.strip()) > 1
    )
