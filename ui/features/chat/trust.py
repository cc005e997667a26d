"""How far an answer can be trusted, in words: the line under it, and the marks on statements without support."""

from __future__ import annotations

import re

from ui.components.prose import Mark
from workbench.api.calls import StoredMessage
from workbench.records.messages import Statement, Verification

QUOTED = "Quoted from your documents, word for word."
UNSURE = "This may not answer your question: compare it with the sources."
_VERDICTS = {
    "partly": "Only part of this is in the cited passage.",
    "unsupported": "The passages do not support this.",
    "outside": "This is not from your documents.",
}
_MARKUP = re.compile(r"\[\d+\]|[*_`#>|]+|\n")


def describe_trust(message: StoredMessage) -> tuple[str, bool]:
    """The line under an answer, and whether it warns. "" where there is nothing to say."""
    checked = message.verification
    if checked is None or message.declined:
        return "", False
    own = _own(checked)
    parts = [QUOTED] if checked.quoted else []
    supported = sum(statement.verdict == "supported" for statement in own)
    if own:
        parts.append(_count(supported, len(own), bool(checked.quoted)))
    if checked.problem:
        parts.append(checked.problem)
    elif checked.unsure and (own or not checked.quoted):
        parts.append(UNSURE)
    return " ".join(parts), supported < len(own) or checked.unsure


def marks_of(message: StoredMessage) -> tuple[Mark, ...]:
    """The statements that are not supported, as the texts to underline, in order."""
    found = []
    for statement in _own(message.verification) if message.verification is not None else ():
        if statement.verdict == "supported":
            continue
        text = message.text[statement.start : statement.end]
        words = _VERDICTS[statement.verdict]
        if statement.conflicts and statement.conflicts != ("negation",):
            words += f" Not in the passage: {', '.join(c for c in statement.conflicts if c != 'negation')}."
        elif statement.conflicts:
            words += " The passage says the opposite."
        found += [Mark(piece.strip(), words) for piece in _MARKUP.split(text) if len(piece.strip()) > 1]
    return tuple(found)


def _own(checked: Verification) -> tuple[Statement, ...]:
    """The statements in the model's own words."""
    return tuple(statement for statement in checked.statements if statement.start >= checked.quoted)


def _count(supported: int, count: int, quoted: bool) -> str:
    whose = "the model's own statements" if quoted else "statements"
    if count == 1:
        return (
            "Your documents support this statement." if supported else "Your documents do not support this statement."
        )
    if not supported:
        return f"Your documents support none of the {count} {whose}."
    if supported == count:
        return f"Your documents support all {count} {whose}."
    return f"Your documents support {supported} of {count} {whose}."
