"""What stands for a document: the units that make a summary, and those that a request for a list means.

A summary takes from each section what comes first, holds figures and is most like the rest of the document, and nothing
twice (maximal marginal relevance, Carbonell and Goldstein 1998; centrality as in Erkan and Radev 2004, "LexRank"). On
43 summaries of the made offices, documents of 190 to 970 words, this meets .82 of the points with 235 words on average
(``benchmarks/whole_documents.py``); a logistic regression over 23 features, fitted on other offices, met no more.

A list is the units of the section that the request names, or those that say most of its words.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Collection, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from workbench.techniques.retrieval.outline import Section, Unit
from workbench.text.terms import Vocabulary

Similarities = Callable[[list[str], list[str]], list[list[float]]]
"""As ``Retriever.similarities``."""

FIRST, FIGURES, CENTRAL = 1.0, 1.0, 0.5
"""The weights of a unit's place in its section, of its figures (two count at most), and of its likeness to the others
in standard deviations."""

REPEATED, SAME_CHAPTER, SAID_BEFORE = 1.0, 0.3, 2.0
"""So much less is a unit worth for each unit of its section that is chosen, for each of its chapter, and for the share
of its words in one of all."""

MOST_SAID = 0.65
"""A unit with this share of its words in a chosen one is left out."""

BARE = 1.0
"""So much less is a row of a table without a figure worth, which may be its head."""

_FEWEST_WORDS, _MOST_WORDS = 4, 45
_ASIDE = re.compile(
    r"(?:foot|head)(?:er|note)s?|fu(?:ß|ss)(?:zeile|note)|kopfzeile|pied de page|en-tête|pie de página", re.I
)
_SUMMARY_WORDS, _LONGEST_SUMMARY = 12.0, 450
_LEADS = 48  # units with which all others are compared
_COMPARED_CHARACTERS, _MOST_COMPARED = 600, 200  # of a section; sections
_SINGLE = 0.3  # a section of one unit is seldom a list
_SHORT_LIST, _LONGEST_LIST = 24, 40
_LEAST_SHARE = 0.55  # of the best unit's score


class Extract(msgspec.Struct, frozen=True):
    """Chosen units of a section, in their order."""

    section: Section
    units: tuple[Unit, ...]


def words_of_summary(words: int) -> int:
    """How many words stand for a document of so many: 100 for 100, 268 for 500, 379 for 1,000, 450 at most."""
    return int(min(words, _LONGEST_SUMMARY, _SUMMARY_WORDS * math.sqrt(words)))


def leads_of(sections: Sequence[Section]) -> list[str]:
    """The first units of the sections, with which all units are compared: evenly over the document where there are
    many."""
    leads = [section.units[0].text for section in sections]
    step = max(1, math.ceil(len(leads) / _LEADS))
    return leads[::step]


def measure_likeness(section: Section, leads: Sequence[str], similarities: Similarities) -> list[float]:
    """How like each unit of a section is to the units beside it and to the beginnings of all sections: a cosine."""
    texts = [unit.text for unit in section.units]
    cosines = np.asarray(similarities(texts, [*texts, *leads]))
    own, other = cosines[:, : len(texts)].mean(axis=1), cosines[:, len(texts) :].mean(axis=1)
    return [float(one) for one in (own + other) / 2]


def choose_for_summary(
    sections: Sequence[Section],
    likeness: Sequence[Sequence[float]],
    words: int,
    language: str,
    *,
    first: float = FIRST,
    figures: float = FIGURES,
) -> list[Extract]:
    """The units of a summary of at most ``words`` words, in their order. ``likeness``: of each section's units, as by
    ``measure_likeness``. ``first`` and ``figures``: other weights than ``FIRST`` and ``FIGURES``."""
    vocabulary = Vocabulary(language)
    places = [(number, place) for number, section in enumerate(sections) for place in range(len(section.units))]
    units = [sections[number].units[place] for number, place in places]
    central = np.asarray([likeness[number][place] for number, place in places])
    central = (central - central.mean()) / max(1e-6, float(central.std()))
    scores = [
        _worth(unit, place, sections[number], first, figures) + CENTRAL * float(value)
        for unit, (number, place), value in zip(units, places, central, strict=True)
    ]
    stems = [frozenset(vocabulary.content_terms(unit.text)) for unit in units]
    chosen: list[int] = []
    of_section: Counter[int] = Counter()
    of_chapter: Counter[tuple[str, ...]] = Counter()
    chapters = _chapters(sections)
    said = np.zeros(len(units))
    left = {n for n, unit in enumerate(units) if not _is_title(unit, sections[places[n][0]])} or set(range(len(units)))
    room = words
    while left:
        best = max(
            left,
            key=lambda n: (
                scores[n]
                - REPEATED * of_section[places[n][0]]
                - SAME_CHAPTER * of_chapter[chapters[places[n][0]]]
                - SAID_BEFORE * said[n],
                -n,
            ),
        )
        left.discard(best)
        length = len(units[best].text.split())
        if length > room or said[best] >= MOST_SAID:
            continue
        room -= length
        chosen.append(best)
        of_section[places[best][0]] += 1
        of_chapter[chapters[places[best][0]]] += 1
        for other in left:
            said[other] = max(said[other], _shared(stems[other], stems[best]))
    return _grouped(sections, [(places[n][0], units[n]) for n in sorted(chosen)])


def _chapters(sections: Sequence[Section]) -> list[tuple[str, ...]]:
    """The chapter of each section: the outermost headings by which the sections differ. () where a document has no
    headings of several ranks, so that its sections are its chapters."""
    depth = max((len(section.path) for section in sections), default=0)
    for length in range(1, depth):
        if len({section.path[:length] for section in sections}) > 1:
            found = [section.path[:length] for section in sections]
            return found if len(set(found)) < len({section.path for section in sections}) else [()] * len(sections)
    return [()] * len(sections)


def _worth(unit: Unit, place: int, section: Section, first: float, of_figures: float) -> float:
    words = len(unit.text.split())
    figures = min(2, len(unit.figures))
    aside = 1.0 if _ASIDE.match(section.title) else 0.0
    odd = 1.0 if words < _FEWEST_WORDS else 0.5 if words > _MOST_WORDS else 0.0
    asks = 0.5 if unit.text.endswith("?") else 0.0
    bare = BARE if not figures and unit.kind == "row" else 0.0
    return first / (1 + place) + of_figures * figures - aside - odd - asks - bare


def _is_title(unit: Unit, section: Section) -> bool:
    """Whether a unit is a line of words before the first heading that is no sentence."""
    return not section.path and unit.kind == "sentence" and not re.search(r"\d|[.!?…:;]\W*$", unit.text)


def _shared(own: frozenset[str], other: frozenset[str]) -> float:
    return len(own & other) / len(own) if own else 1.0


def _grouped(sections: Sequence[Section], chosen: Sequence[tuple[int, Unit]]) -> list[Extract]:
    groups: dict[int, list[Unit]] = {}
    for number, unit in chosen:
        groups.setdefault(number, []).append(unit)
    return [Extract(sections[number], tuple(units)) for number, units in groups.items()]


class Match(msgspec.Struct, frozen=True):
    """A section that a request may name: ``score`` and the ``share`` of the request's words in its headings."""

    section: Section
    score: float
    share: float


def match_sections(
    request: str,
    terms: Sequence[str],
    names: Collection[str],
    sections: Sequence[Section],
    similarities: Similarities,
    vocabulary: Vocabulary,
) -> list[Match]:
    """How far a request means each section, of a long document those with most of its words.

    ``terms``: the stems of its words that do not name the document; ``names`` are those that do. A heading in whose
    words the document is named, says nothing of a section.
    """
    asked = set(terms)
    naming = {vocabulary.stem(word) for word in names}
    little = set(vocabulary.stems(request)) - asked - naming
    by_words: list[tuple[float, float, Section]] = []
    for section in sections:
        head = set(vocabulary.stems(" ".join(section.path)))
        body = {stem for unit in section.units for stem in vocabulary.stems(unit.text)}
        share = sum(_within(term, head) for term in asked) / max(1, len(asked))
        small = len(little & head) / max(1, len(head))
        said = sum(term in body for term in asked) / max(1, len(asked))
        single = _SINGLE * (len(section.units) == 1)
        by_words.append((share + 0.3 * small + 0.5 * said - single, share, section))
    compared = sorted(by_words, key=lambda one: -one[0])[:_MOST_COMPARED]
    heads = [" ".join(section.path) for _, _, section in compared]
    bodies = [
        f"{head}\n{' '.join(unit.text for unit in section.units)[:_COMPARED_CHARACTERS]}"
        for head, (_, _, section) in zip(heads, compared, strict=True)
    ]
    texts = [head or body for head, body in zip(heads, bodies, strict=True)] + bodies
    cosines = _above_median(np.asarray(similarities([request], texts)[0]), len(compared))
    found: list[Match] = []
    for place, (score, share, section) in enumerate(compared):
        likeness = float(cosines[len(compared) + place])
        if not naming & set(vocabulary.stems(section.title)):
            likeness += float(cosines[place])
        found.append(Match(section, score + likeness, share))
    return found


def _above_median(cosines: NDArray[np.float64], sections: int) -> NDArray[np.float64]:
    """Cosines measured from the median of their half, headings and bodies, as shares of what is above it."""
    parts = [cosines[:sections], cosines[sections:]]
    return np.concatenate([(one - np.median(one)) / max(1e-6, 1 - float(np.median(one))) for one in parts])


def _within(term: str, stems: set[str]) -> bool:
    beginning = term[: max(5, len(term) - 2)]
    return any(term == one or (len(term) > 4 and (term in one or one.startswith(beginning))) for one in stems)


def choose_for_list(
    request: str, terms: Sequence[str], section: Section, similarities: Similarities, vocabulary: Vocabulary
) -> tuple[Unit, ...]:
    """The units of a section that a request for a list means: those of the days that it names; all of them where they
    are a list, or few; else those that are most like the request."""
    units = section.units
    days = days_in(request)
    if days and (dated := tuple(unit for unit in units if days & days_in(unit.text))):
        return dated
    entries = tuple(unit for unit in units if unit.kind != "sentence")
    listed = entries if 2 * len(entries) > len(units) else units
    if len(listed) <= _SHORT_LIST:
        return listed
    cosines = np.asarray(similarities([request], [unit.text for unit in listed])[0])
    asked = set(terms)
    scores = _above_median(cosines, len(listed))[: len(listed)] + np.asarray(
        [sum(_within(term, set(vocabulary.stems(unit.text))) for term in asked) / max(1, len(asked)) for unit in listed]
    )
    least = _LEAST_SHARE * float(scores.max())
    best = sorted(np.argsort(-scores, kind="stable")[:_LONGEST_LIST].tolist())
    return tuple(listed[n] for n in best if scores[n] >= least)


_MONTHS = (
    "jan", "feb|fév", "mar|mär|mrz", "apr|avr|abr", "may|mai|mayo", "jun|juin", "jul|juil", "aug|août|aoû|ago",
    "sep", "oct|okt", "nov", "dec|dez|déc|dic",
)  # fmt: skip
_MONTH = "|".join(f"(?:{one})" for one in _MONTHS)
_NAMED_DAYS = re.compile(
    rf"(?<![\d.-])((?:\d{{1,2}}(?!\d)(?:st|nd|rd|th|er|\.)?\s*(?:und|and|et|y|,|bis|to|-|–|/|&)?\s*)+)(?:de |of )?"
    rf"({_MONTH})[a-zäéûô]*\b",
    re.I,
)
_MONTH_FIRST = re.compile(rf"\b({_MONTH})[a-zäéûô]*\.?\s+(\d{{1,2}})(?!\d|[.:]\d)", re.I)
_IN_FIGURES = re.compile(
    r"(?<![\d.])(\d{1,2})\.\s?(\d{1,2})\.(?!\d\d\.)|\b\d{4}-(\d{2})-(\d{2})\b|\b(\d{1,2})/(\d{1,2})/\d{2,4}\b"
)


def days_in(text: str) -> set[tuple[int, int]]:
    """The days and months that a text names, in figures or words."""
    found: set[tuple[int, int]] = set()
    for match in _NAMED_DAYS.finditer(text):
        found |= {(int(day), _month(match[2])) for day in re.findall(r"\d+", match[1])}
    found |= {(int(match[2]), _month(match[1])) for match in _MONTH_FIRST.finditer(text)}
    for match in _IN_FIGURES.finditer(text):
        if match[1]:
            found.add((int(match[1]), int(match[2])))
        elif match[3]:
            found.add((int(match[4]), int(match[3])))
        else:
            found.add((int(match[5]), int(match[6])))
    return {(day, month) for day, month in found if 1 <= day <= 31 and 1 <= month <= 12}


def _month(name: str) -> int:
    return next(n for n, names in enumerate(_MONTHS, start=1) if re.match(names, name, re.I))
