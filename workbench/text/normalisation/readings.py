"""The readings under which two texts are compared: what a text does not say itself, and the other may."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import product
from typing import NamedTuple

from workbench.text.normalisation import dates
from workbench.text.normalisation.numbers import decimal_commas, is_ambiguous, language_of
from workbench.text.normalisation.plain_text import is_mark, plain_text

_CODE = re.compile(r"[=<>!+*/-]=|=>|->|\+\+|--|&&|\|\||[{}]|;\s*$|\w\[|\w\(.*\)|\w\s[=<>]\s[\w\"'(\[-]", re.DOTALL)


class Reading(NamedTuple):
    """How a text is read where it can be read in several ways. ``commas``: decimal numbers have a comma. ``dates``: the
    order of day and month. ``joined``: parts with a hyphen between them are one word. ``code``: signs count.
    ``marks``: bracketed numbers are no citations."""

    commas: bool = False
    dates: dates.Order = "day first"
    joined: bool = False
    code: bool = False
    marks: bool = False
    language: str = ""


@lru_cache(maxsize=1024)
def readings(first: str, second: str) -> tuple[tuple[Reading, Reading], ...]:
    """The readings under which two texts are compared, the second of which is what is expected; the likeliest first."""
    if _is_code(second):
        reading = Reading(code=True, marks=bool(re.search(r"[\[\]]", second)))
        return ((reading, reading),)
    # a list of numbers in brackets is no citation where it is all that is said, or expected
    marks = (is_mark(first) or is_mark(second)), is_mark(second)
    plain = plain_text(first, keep_marks=marks[0]), plain_text(second, keep_marks=marks[1])
    spoken = [language_of(text) for text in plain]
    languages = spoken[0] or spoken[1], spoken[1] or spoken[0]
    written = [decimal_commas(text, language) for text, language in zip(plain, spoken, strict=True)]
    commas = [(one if one is not None else other) for one, other in (written, written[::-1])]
    notations: list[tuple[bool, bool]] = [(bool(commas[0]), bool(commas[1]))]
    if commas[0] is None and any(map(is_ambiguous, plain)):
        notations = [(False, False), (True, True)]
    orders: list[dates.Order] = ["day first", "month first", ""]
    if any(language not in ("", "en") for language in languages):
        orders.remove("month first")
    if not any(map(_may_hold_date, plain)):
        orders = ["day first"]
    joins = (False, True) if any(re.search(r"\w[-_]\w", text) for text in plain) else (False,)
    return tuple(
        (
            Reading(mine, order, joined, marks=marks[0], language=languages[0]),
            Reading(other, order, joined, marks=marks[1], language=languages[1]),
        )
        for joined, order, (mine, other) in product(joins, orders, notations)
    )


def reading_of(text: str) -> Reading:
    """The likeliest reading of a text by itself."""
    plain = plain_text(text)
    language = language_of(plain)
    return Reading(commas=bool(decimal_commas(plain, language)), language=language, marks=is_mark(text))


# -- parts ---------------------------------------------------------------------------------------------


def _is_code(text: str) -> bool:
    return "```" in text or _CODE.search(text.strip().strip("`")) is not None


def _may_hold_date(text: str) -> bool:
    if re.search(r"\d[-/.]\d|\d\s?[年月년월]", text):
        return True
    return any(word in dates.MONTHS for word in re.findall(r"[^\W\d_]+", text.casefold()))
