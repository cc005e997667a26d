"""Data that a step read or made, as a list that a person reads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from workbench.records.approvals import shown

_LARGEST = 200_000  # characters
_LINE = 100  # characters of values that stand in one line
_DEEPEST = 12


def readable(text: str) -> str:
    """A text that is a JSON object or list as lines of names and values; any other text as it is."""
    if text.strip()[:1] not in ("{", "[") or len(text) > _LARGEST:
        return text
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return text
    return "\n".join(_lines(value, 0)) if value and isinstance(value, dict | list) else text


def _lines(value: Any, depth: int) -> Iterator[str]:
    indent = "    " * depth
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _named(f"{indent}{name}:", inner, depth)
    else:
        for number, inner in enumerate(value, 1):
            yield from _named(f"{indent}{number}.", inner, depth)


def _named(head: str, value: Any, depth: int) -> Iterator[str]:
    """A name with its value beside it where that is short, else below it."""
    if isinstance(value, list) and not any(isinstance(one, dict | list) for one in value):
        words = ", ".join(map(shown, value))
        if len(words) <= _LINE and "\n" not in words:
            yield f"{head} {words}".rstrip()
            return
    if isinstance(value, dict | list) and value and depth < _DEEPEST:
        yield head
        yield from _lines(value, depth + 1)
    elif isinstance(value, dict | list):
        yield f"{head} {msgspec.json.encode(value).decode()}" if value else head
    else:
        yield f"{head} {shown(value)}"
