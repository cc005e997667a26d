"""Words of a question that a sentence tells without having them: "price" by an amount of money, "höchstens" by "up to".

The words by which a question asks for a type are told by what is of the type; those that bound a value by other words
for the same bound.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from workbench.techniques.retrieval.answer_types import AnswerType, asked_types, cue_words, holds_type
from workbench.techniques.retrieval.sentence_units import Unit
from workbench.text.language import split_words
from workbench.text.terms import Vocabulary

_BOUNDS = {
    "=most": r"\b(?:höchstens|längst\w*|maxim\w*|max|limit\w*|longest|highest|largest|most|at most|up to|no more than"
    r"|not more than|bis zu|nicht mehr als|au plus|jusqu.à|como máximo|máxim[oa]s?|hasta)\b",
    "=least": r"\b(?:mindest\w*|wenigstens|minim\w*|min|smallest|lowest|shortest|least|at least|no less than"
    r"|not less than|nicht weniger als|au moins|como mínimo|mínim[oa]s?|al menos|por lo menos)\b",
}
"""What bounds a value from above and from below: "höchstens" is told by "maximal", "longest" by "up to"."""

_BOUND = {sign: re.compile(pattern, re.IGNORECASE) for sign, pattern in _BOUNDS.items()}


class ToldWords:
    """Those of a question, which asks for the ``kinds``. ``words``: all of them, in lower case."""

    def __init__(self, question: str, kinds: Sequence[AnswerType]) -> None:
        self._question = question
        spoken = split_words(question)
        if "person" in kinds and "count" not in asked_types(question):
            kinds = [kind for kind in kinds if kind != "money"]  # who pays is not told by what is paid
        cued = {kind: cue_words(question, kind) for kind in kinds}
        cues = {kind: [word for word in spoken if word in words] for kind, words in cued.items()}
        self._cues = {kind: words for kind, words in cues.items() if words}
        bounds = {sign: [word for word in spoken if bound.fullmatch(word)] for sign, bound in _BOUND.items()}
        self._bounds = {sign: words for sign, words in bounds.items() if words}
        self.words = frozenset(word for of in (self._cues, self._bounds) for words in of.values() for word in words)

    def add_to(self, kin: dict[str, set[str]], vocabulary: Vocabulary) -> Callable[[str], set[str]]:
        """Make signs kin of the terms that are told by what they stand for. Returns what gives the signs of a text."""
        kinds = [kind for kind, words in self._cues.items() if _add(f"={kind}", words, kin, vocabulary)]
        bounds = [sign for sign, words in self._bounds.items() if _add(sign, words, kin, vocabulary)]

        def signs(text: str) -> set[str]:
            told = {f"={kind}" for kind in kinds if holds_type(text, kind, self._question)}
            return told | {sign for sign in bounds if _BOUND[sign].search(text)}

        return signs


def _add(sign: str, words: Sequence[str], kin: dict[str, set[str]], vocabulary: Vocabulary) -> bool:
    known = {vocabulary.stem(word) for word in words} & set(kin)
    for term in known:
        kin[term] = kin[term] | {sign}
    return bool(known)


def with_head(unit: Unit, units: Sequence[Unit]) -> str:
    """The text of a unit, and where it is a row with a figure the head of its table, which may have the unit: "EUR"."""
    if unit.kind != "row" or unit.lead is None or not re.search(r"\d", unit.text):
        return unit.text
    return f"{unit.text} | {units[unit.lead].text}"
