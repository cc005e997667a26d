"""Regular expressions of rewards: what is wrong with one, and whether a text has a match of it.

The automaton of answer formats tests an expression in linear time, but knows no borders of words and no look-around.
Expressions with these are tested by the library ``regex``, which gives up after a time.
"""

from __future__ import annotations

import re

import regex

from workbench.base.errors import UserError

LONGEST_TEST_S = 1.0
_BORDERS = re.compile(r"(?<!\\)(?:\\\\)*(?:\\[bB]|\(\?<?[=!])")
_NEVER = re.compile(r"\[\^(?:\\s\\S|\\S\\s|\\d\\D|\\w\\W)\]|\(\?!\)")
_AFTER_END = re.compile(r"(?<!\\)(?:\\\\)*\$[A-Za-z0-9]")
_BEFORE_BEGINNING = re.compile(r"(?<![\\(?|])[A-Za-z0-9]\^")


def problem_of(expression: str) -> str:
    """Why an expression is of no use, as the rest of a sentence; "" where nothing is known against it."""
    try:
        regex.compile(expression)
    except regex.error as error:
        return f"it is not valid: {error}"
    outside = re.sub(r"(?<!\\)\[\^?\]?(?:\\.|[^\]\\])*\]", "[]", expression)
    if _NEVER.search(expression):
        return "it can never match: a part of it matches no character"
    if "(?m" not in expression and (_AFTER_END.search(outside) or _BEFORE_BEGINNING.search(outside)):
        return "it can never match: something stands after the end ($), or before the beginning (^), of the answer"
    return ""


def needs_borders(expression: str) -> bool:
    """Whether an expression looks at what stands beside its match, which the automaton cannot."""
    return _BORDERS.search(expression) is not None


def is_matched(expression: str, text: str, *, whole: bool) -> bool:
    """Whether a text has a match, or is one as a ``whole``. Raises UserError where that takes too long."""
    compiled = regex.compile(expression)
    test = compiled.fullmatch if whole else compiled.search
    try:
        return test(text, timeout=LONGEST_TEST_S) is not None
    except TimeoutError as error:
        raise UserError(
            f"The expression {expression!r} takes more than {LONGEST_TEST_S:g} s on an answer.",
            "Write it without repetitions within repetitions.",
        ) from error
