"""The marks on an answer's statements that the documents do not support."""

from __future__ import annotations

import re

from ui.components.prose import Mark
from workbench.records.messages import Verification
from workbench.records.trust import describe_statement, own_statements

_MARKUP = re.compile(r"\[\d+\]|[*_`#>|]+|\n")


def marks_of(text: str, verification: Verification | None) -> tuple[Mark, ...]:
    """The pieces of an answer's text to underline, in order, each with the reason."""
    statements = own_statements(verification) if verification is not None else ()
    return tuple(
        Mark(piece.strip(), describe_statement(statement))
        for statement in statements
        if statement.verdict != "supported"
        for piece in _MARKUP.split(text[statement.start : statement.end])
        if len(piece.strip()) > 1
    )
