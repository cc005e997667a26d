"""The marks on an answer's statements that the documents do not support."""

from __future__ import annotations

import re

from ui.components.prose import Mark
from workbench.api.calls import StoredMessage
from workbench.records.trust import describe_statement, own_statements

_MARKUP = re.compile(r"\[\d+\]|[*_`#>|]+|\n")


def marks_of(message: StoredMessage) -> tuple[Mark, ...]:
    """The texts to underline, in order, each with the reason."""
    statements = own_statements(message.verification) if message.verification is not None else ()
    return tuple(
        Mark(piece.strip(), describe_statement(statement))
        for statement in statements
        if statement.verdict != "supported"
        for piece in _MARKUP.split(message.text[statement.start : statement.end])
        if len(piece.strip()) > 1
    )
