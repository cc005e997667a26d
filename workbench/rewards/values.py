"""The values of rewards that need nothing but the answer's text and the accepted answers.

Imports nothing but the standard library, ``workbench.text.metrics`` and ``workbench.text.normalisation``: they are
copied into an exported training, which scores by the same code. Each function takes the answer and the accepted
answers, then the settings of its reward; None: it does not apply.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction

from workbench.text.metrics import contains_answer
from workbench.text.normalisation.readings import Reading, reading_of, readings
from workbench.text.normalisation.words import numbers_of

_ANSWER_IS = re.compile(
    r"####|(?:answer|result|antwort|ergebnis|réponse|résultat|respuesta|resultado|resposta|risposta|risultato|antwoord"
    r"|resultaat)\**\s*(?:is|ist|lautet|est|es|è|é|=|:)(?!\w)\**:?|(?:答案|结果|答え|結果)\s*(?:是|为|は|[:：])",
    re.IGNORECASE,
)


def number(answer: str, expected: Sequence[str], absolute: float = 0.0, relative: float = 0.0) -> float | None:
    """1 where the number that the answer comes to is an expected one within either tolerance, else 0."""
    pairs = [
        (said, wanted)
        for text in expected
        for mine, other in readings(answer, text)
        if (wanted := _number_of(text, other)) is not None
        for said in (_number_of(answer, mine),)
    ]
    if not pairs:
        return None
    return float(
        any(
            said is not None and abs(said - wanted) <= max(Fraction(absolute), Fraction(relative) * abs(wanted))
            for said, wanted in pairs
        )
    )


def listed_words(
    answer: str, expected: Sequence[str], wanted: Sequence[str] = (), unwanted: Sequence[str] = ()
) -> float | None:
    """The share of the listed words that are where they should be; in [0, 1]."""
    listed = len(wanted) + len(unwanted)
    if not listed:
        return None
    wrong = sum(not contains_answer(answer, word) for word in wanted)
    return 1.0 - (wrong + sum(contains_answer(answer, word) for word in unwanted)) / listed


def letter_share(
    answer: str, expected: Sequence[str], letters: str = "e", prefer: str = "few", scale: float = 8.0
) -> float:
    """``scale`` times the share of the letters, or 1 minus that; 0 for an answer without letters."""
    share = share_of(answer, letters)
    if share is None:
        return 0.0
    return scale * share if prefer == "many" else 1.0 - scale * share


def share_of(answer: str, letters: str) -> float | None:
    """The share of ``letters``, in either case, among all letters of the answer; None where it has none."""
    there = [character for character in answer.casefold() if character.isalpha()]
    counted = set(letters.casefold())
    return sum(letter in counted for letter in there) / len(there) if there else None


def last_number(text: str) -> Fraction | None:
    """The number that a text comes to, in the notation of its language; 3/4 is a fraction."""
    return _number_of(text, reading_of(text))


def _number_of(text: str, reading: Reading) -> Fraction | None:
    reading = reading._replace(dates="", code=False)
    after = after_answer_is(text)
    numbers = numbers_of(after, reading)[:1] if after else ()
    numbers = numbers or numbers_of(text, reading)[-1:]
    return Fraction(numbers[0]) if numbers else None


def after_answer_is(text: str) -> str:
    """What follows the last "answer is" or "####"; "" where there is neither."""
    ends = [found.end() for found in _ANSWER_IS.finditer(text)]
    return text[ends[-1] :] if ends else ""
