"""Two documents compared: the units that belong together and differ, and those that only one of them has.

Units belong together by the words that they share, by their likeness and by the headings above them; the best pairs are
taken first, each unit once. Two that say the same are left out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePath

import msgspec
import numpy as np

from workbench.records.documents import DocumentComparison, DocumentDifference, DocumentText
from workbench.techniques.retrieval.extracts import Similarities
from workbench.techniques.retrieval.outline import Section, Unit, read_outline
from workbench.techniques.retrieval.sentence_features import NUMERALS
from workbench.text.language import detect_language
from workbench.text.terms import Vocabulary

MOST_UNITS = 400
"""Of each document: more are not compared."""

_WORDS_WEIGHT, _HEADING_WEIGHT, _NUMBER_WEIGHT = 0.6, 0.25, 0.2
_LEAST = 0.42


_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")


class Difference(msgspec.Struct, frozen=True):
    """Units that belong together and differ; one of them is None where the other document has nothing like it.
    ``section`` is the other's heading path where ``first`` is None."""

    first: tuple[Section, Unit] | None
    second: tuple[Section, Unit] | None


def compare_units(
    first: Sequence[Section], second: Sequence[Section], similarities: Similarities, language: str
) -> list[Difference]:
    """The differences, in the second document's order; those of units that only the first one has come last."""
    vocabulary = Vocabulary(language)
    ones = [(section, unit) for section in first for unit in section.units if _says(unit)][:MOST_UNITS]
    others = [(section, unit) for section in second for unit in section.units if _says(unit)][:MOST_UNITS]
    if not ones or not others:
        return []
    score = _scores(ones, others, similarities, vocabulary)
    partner_of: dict[int, int] = {}
    taken: set[int] = set()
    for flat in np.argsort(-score, axis=None, kind="stable").tolist():
        a, b = divmod(flat, len(others))
        if score[a, b] < _LEAST:
            break
        if a not in taken and b not in partner_of:
            taken.add(a)
            partner_of[b] = a
    found: list[Difference] = []
    for b, other in enumerate(others):
        if b not in partner_of:
            found.append(Difference(None, other))
        elif _norm(ones[partner_of[b]][1].text) != _norm(other[1].text):
            found.append(Difference(ones[partner_of[b]], other))
    return found + [Difference(one, None) for a, one in enumerate(ones) if a not in taken]


def tells_other_figures(difference: Difference) -> bool:
    """Whether two units tell other figures, or one that stands alone tells some: what differs in words alone is seldom
    what a person wants to know first."""
    first, second = (_figures(side[1]) if side is not None else frozenset() for side in _sides(difference))
    return first != second


def choose_differences(differences: Sequence[Difference], most: int, words: int) -> list[Difference]:
    """As many differences as fit, those with other figures before those in words alone; in their order."""
    chosen: list[int] = []
    for n in sorted(range(len(differences)), key=lambda n: (not tells_other_figures(differences[n]), n)):
        length = sum(len(side[1].text.split()) for side in _sides(differences[n]) if side is not None)
        if len(chosen) < most and (length <= words or not chosen):
            chosen.append(n)
            words -= length
    return [differences[n] for n in sorted(chosen)]


def _figures(unit: Unit) -> frozenset[str]:
    return frozenset(unit.figures) | NUMERALS.intersection(unit.text.casefold().split())


def _sides(difference: Difference) -> tuple[tuple[Section, Unit] | None, ...]:
    return difference.first, difference.second


def year_of(document: DocumentText) -> int:
    """The year of a document by its file's name, else by its title, else by its beginning; 0 without one."""
    described = document.document
    for text in (PurePath(described.path).name, described.title, document.text[:400]):
        if years := [int(year) for year in _YEAR.findall(text)]:
            return max(years)
    return 0


def compare_documents(one: DocumentText, other: DocumentText, similarities: Similarities) -> DocumentComparison:
    """What differs between two documents, the older one first."""
    first, second = sorted((one, other), key=year_of)
    found = compare_units(read_outline(first), read_outline(second), similarities, detect_language(second.text))
    return DocumentComparison(
        first=first,
        second=second,
        differences=tuple(
            DocumentDifference(
                first=_place(difference.first),
                second=_place(difference.second),
                section=next(side[0].title for side in (difference.second, difference.first) if side is not None),
            )
            for difference in found
        ),
    )


def _place(side: tuple[Section, Unit] | None) -> tuple[int, int]:
    return (side[1].start, side[1].end) if side is not None else (0, 0)


def _scores(
    ones: Sequence[tuple[Section, Unit]],
    others: Sequence[tuple[Section, Unit]],
    similarities: Similarities,
    vocabulary: Vocabulary,
) -> np.ndarray:
    cosines = np.asarray(similarities([unit.text for _, unit in ones], [unit.text for _, unit in others]))
    middle = float(np.median(cosines))
    score = np.clip((cosines - middle) / max(1e-6, 1 - middle), 0.0, 1.0) * (1 - _WORDS_WEIGHT)
    own, theirs = _features(ones, vocabulary), _features(others, vocabulary)
    for a, (words, heading, number) in enumerate(own):
        for b, (other_words, other_heading, other_number) in enumerate(theirs):
            shared = len(words & other_words) / max(1, min(len(words), len(other_words)))
            shared *= min(len(words), len(other_words), 3) / 3  # one shared word alone says little
            score[a, b] += _WORDS_WEIGHT * shared
            score[a, b] += _HEADING_WEIGHT * bool(heading & other_heading)
            score[a, b] += _NUMBER_WEIGHT * (bool(number) and number == other_number and bool(words & other_words))
    return score


def _features(
    units: Sequence[tuple[Section, Unit]], vocabulary: Vocabulary
) -> list[tuple[frozenset[str], frozenset[str], str]]:
    """Of each unit its words without figures, those of its heading, and its number in a list."""
    found = []
    for section, unit in units:
        words = frozenset(t for t in vocabulary.content_terms(_without_column_names(unit)) if not t[0].isdigit())
        heading = frozenset(t for t in vocabulary.content_terms(section.title) if not t[0].isdigit())
        number = re.match(r"\(?(\d{1,2}(?:\.\d{1,2})*)[.)]", unit.text)
        found.append((words, heading, number[1] if number else ""))
    return found


def _without_column_names(unit: Unit) -> str:
    """A row's values: the names of its columns are the same in all rows."""
    return (
        re.sub(r"(?:^|(?<= \| ))[^|:]{1,40}: ", "", unit.text)
        if unit.kind == "row" and " | " in unit.text
        else unit.text
    )


def _says(unit: Unit) -> bool:
    return len(unit.text.split()) > 1


def _norm(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))
