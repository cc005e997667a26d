"""Data (json, jsonl): as an outline of names and values, in the order of the file.

Every value stands on a line with its name, without quotes, brackets and escapes, so that words are found as they are
spelt.
"""

from __future__ import annotations

import json
from typing import Any

from workbench.base.errors import UserError
from workbench.reading.extract import Extracted
from workbench.reading.text import clean, decode_text

DEEPEST_INDENT = 40


def read_json(data: bytes) -> Extracted:
    """Text that is not valid JSON (with comments, or cut off) is read as plain text, with a warning.

    Raises UserError for values nested deeper than Python's parser supports (some 1,000 levels).
    """
    text = clean(decode_text(data))
    try:
        value = _parsed(text)
    except ValueError as error:
        return Extracted(text, warnings=(f"The file is not valid JSON ({error}) and was read as plain text.",))
    if isinstance(value, list):
        return Extracted("\n\n".join("\n".join(outline(item)) for item in value))
    return Extracted("\n".join(outline(value)))


def read_jsonl(data: bytes) -> Extracted:
    """A value per line; a blank line separates their outlines. A line that is not JSON is kept as it is, with a
    warning."""
    records: list[str] = []
    broken: list[int] = []
    for number, line in enumerate(clean(decode_text(data)).split("\n"), 1):
        if not line.strip():
            continue
        try:
            records.append("\n".join(outline(_parsed(line))))
        except ValueError:
            broken.append(number)
            records.append(line)
    warnings = (f"{len(broken):,} lines are not valid JSON; the first is line {broken[0]:,}.",) if broken else ()
    return Extracted("\n\n".join(records), warnings=warnings)


def outline(value: Any) -> list[str]:
    """The lines of a value: ``name: value``, ``- value`` for items, indented by two for each level."""
    lines: list[str] = []
    _outline(lines, value, 0, "")
    return lines


def _outline(lines: list[str], value: Any, depth: int, label: str) -> None:
    """``label`` precedes the value on its line: a name, or the dash of an item, or both."""
    indent = "  " * min(depth, DEEPEST_INDENT)
    if isinstance(value, dict) and value:
        if label and label != "- ":
            lines.append(f"{indent}{label}")
            depth, label = depth + 1, ""
        for name, member in value.items():
            _outline(lines, member, depth, f"{label}{name}:")
            if label:  # the first name stands beside the dash, the others below it
                depth, label = depth + 1, ""
    elif isinstance(value, list) and value:
        if label:
            lines.append(f"{indent}{label}".rstrip())
            depth += 1
        for item in value:
            _outline(lines, item, depth, "- ")
    else:
        shown = _scalar(value)
        if label or shown:
            space = " " if label and shown and label != "- " else ""
            lines.append(f"{indent}{label}{space}{shown}".rstrip())


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        return value
    if value is None or value in ({}, []):
        return ""
    return json.dumps(value)


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except RecursionError as error:
        raise UserError("The values are nested too deeply.") from error
