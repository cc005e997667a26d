r"""Rewards as a person writes them, one per line: the name of a reward, its settings, and its weight.

letter-share letters=e prefer=few
listed-words unwanted="very,really" weight=0.5
expression-match pattern=(?i)\b(we|our)\b

Settings have quotes around spaces. A backslash stays, since expressions are written with it: it only takes the meaning
of a quote, a space or another backslash after it. In single quotes it always stays, in double quotes it is before a
double quote or a backslash alone. So a line that was written for a shell's rules reads as before, except that no
backslash is lost.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Any

import msgspec

from workbench.base.errors import UserError
from workbench.base.fields import find_field, parse_text
from workbench.records.methods import Methods

WEIGHT = "weight"

_ESCAPED = {"": "\"'\\ \t\n", '"': '"\\'}
"""The quote that is open -> the signs whose meaning a backslash takes."""


def split_line(line: str) -> list[str]:
    """The words of a line. Raises ValueError for a quote that is not closed."""
    words: list[str] = []
    word: list[str] | None = None
    quote, place = "", 0
    while place < len(line):
        sign = line[place]
        if sign == "\\" and line[place + 1 : place + 2] and line[place + 1] in _ESCAPED.get(quote, ""):
            place += 1
            word = [*(word or []), line[place]]
        elif quote and sign == quote:
            quote = ""
        elif not quote and sign in "\"'":
            quote, word = sign, word or []
        elif not quote and sign.isspace():
            words += ["".join(word)] if word is not None else []
            word = None
        else:
            word = [*(word or []), sign]
        place += 1
    if quote:
        raise ValueError(f"the quotation mark {quote} is not closed")
    return [*words, "".join(word)] if word is not None else words


def join_line(words: Sequence[str]) -> str:
    """The line that ``split_line`` reads as these words."""
    return shlex.join(words)


class RewardLine(msgspec.Struct, frozen=True, kw_only=True):
    """A reward by its name in the registry, its ``options`` as they were typed, decoded, and its weight."""

    name: str
    options: dict[str, Any] = {}
    weight: float = 1.0


def read_line(line: str, methods: Methods[Any]) -> RewardLine:
    """Raises UserError that names the line and what is wrong."""
    try:
        name, *settings = split_line(line)
    except ValueError as error:
        raise UserError(
            f"The reward {line!r} cannot be read.", "Write NAME setting=value …, with quotes around spaces."
        ) from error
    fields = methods.find(name, "reward").fields
    options: dict[str, Any] = {}
    weight = 1.0
    for setting in settings:
        field, equals, text = setting.partition("=")
        if not equals:
            raise UserError(f"{setting!r} in the reward {line!r} is no setting.", "Write setting=value.")
        if field == WEIGHT:
            weight = _weight(text, line)
        else:
            options[field] = parse_text(find_field(fields, field), text)
    return RewardLine(name=name, options=options, weight=weight)


def write_line(reward: RewardLine) -> str:
    """The line that ``read_line`` reads as this reward."""
    settings = [f"{name}={_typed(value)}" for name, value in reward.options.items()]
    if reward.weight != 1.0:
        settings.append(f"{WEIGHT}={reward.weight:g}")
    return join_line([reward.name, *settings])


def _weight(text: str, line: str) -> float:
    try:
        return msgspec.convert(text, float, strict=False)
    except msgspec.ValidationError as error:
        raise UserError(f"The weight {text!r} in the reward {line!r} is no number.") from error


def _typed(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ",".join(value)
    return str(value).lower() if isinstance(value, bool) else str(value)
