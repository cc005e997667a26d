"""Figures of texts in scripts without spaces (Chinese, Japanese): numbers, and what they count."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from workbench.text.language import split_words
from workbench.text.numbers import counted_once
from workbench.text.terms import NUMBER_WORDS, Vocabulary

_NUMBER_AND_MEASURE = re.compile(r"(\d[\d.,]*)\s*[个個]?([公英美欧歐平立小千百]?[^\W\d_]|[%‰°€$£¥])")
_BESIDE_DIGITS = re.compile(r"(?<=[^\d\s.,])(?=\d)|(?<=\d)(?=[^\d\s.,])")
_DIGIT_GROUPS = re.compile(r"(?<=\d)[,'’ ](?=\d{3}\b)")


@dataclass(frozen=True)
class Figures:
    """How often each number occurs in a text, spelled ones up to twenty included, except "one"; the pairs of a number
    and the measure after it; what there is one of."""

    numbers: Counter[str]
    units: frozenset[tuple[str, str]]
    once: frozenset[str]


def figures_of(text: str, vocabulary: Vocabulary) -> Figures:
    words = split_words(_DIGIT_GROUPS.sub("", _BESIDE_DIGITS.sub(" ", text)))
    spelled = " ".join(vocabulary.stem(w) if w in NUMBER_WORDS else w for w in split_words(text))
    return Figures(
        Counter(
            vocabulary.stem(word) for word in words if word[0].isdigit() or (word in NUMBER_WORDS and word != "one")
        ),
        frozenset(
            (number.rstrip(".,"), vocabulary.stem(unit.lower()))
            for source in (text, spelled)
            for number, unit in _NUMBER_AND_MEASURE.findall(source)
            if not vocabulary.is_function_word(unit.lower())
        ),
        frozenset(map(vocabulary.stem, counted_once(text))),
    )


def differing_figures(said: Figures, held: Figures, asked: Figures, stems: frozenset[str]) -> list[str]:
    """The figures of a statement that a sentence with these ``stems`` does not have, nor the question."""
    missing = said.numbers - (held.numbers | asked.numbers)
    if said.once & held.once:
        missing.pop("1", None)
    found = sorted(missing)
    counted = {unit for _, unit in held.units} - held.once - {unit for _, unit in asked.units}
    found += [f"1 {unit}" for unit in sorted(said.once & counted) if "1" not in found]
    known = {number for number, _ in held.units}
    found += [
        f"{number} {unit}"
        for number, unit in sorted(said.units)
        if number in known and (number, unit) not in held.units and unit not in stems
    ]
    return found
