"""What is kept of a section's summary in a model's own words: its statements, each with the passage that bears it.

A model that has lost the thread writes headings, running heads that count on, the same sentence again, or values that
the section lacks. A sentence is kept where it is a statement: it is whole, has words of its own, and was not said
before. One that was said of other figures is kept where the passages bear it out. It is not kept where it contradicts
the passages (``statements.py``).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from workbench.records.messages import Passage
from workbench.techniques.retrieval.outline import Section, Unit
from workbench.techniques.retrieval.statements import StatementVerifier
from workbench.text.sentences import CLOSERS, split_sentences

_FEWEST_WORDS, _FEWEST_SIGNS = 3, 6
"""Of a statement, beside figures, in a language with spaces between words, and in one without."""
_ENDS = (".", "!", "…", "。", "！")
_REPEATED, _DISTINCT = 3, 0.6
"""A sentence repeats itself that says so many words in a row twice, and of whose longer words and figures no more than
this share are distinct."""
_MARKER = re.compile(r"\A[\s>]*(?:(?:[-*+•–]|\(?\d{1,3}[.)]|#{1,6})\s+)+")
_WORD = re.compile(r"[^\W\d_]{2,}")
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\u0e00-\u0e7f]")


class Kept(NamedTuple):
    """A statement and the number ``n`` of the passage that bears it."""

    text: str
    n: int


def keep_statements(
    text: str, passages: Sequence[Passage], *, borne: bool, most: int = 0, before: frozenset[str] = frozenset()
) -> list[Kept]:
    """The statements of a summary of the ``passages``, in order: at most so many (0: all), the best borne first. With
    ``borne`` only those that the passages bear out. ``before`` was said already."""
    verifier = StatementVerifier(passages)
    judged = verifier.can_judge(text)
    seen = set(map(_words_of, before))
    shapes = set(map(shape_of, before))
    found: list[tuple[float, Kept]] = []
    for start, end in split_sentences(text):
        said = " ".join(_MARKER.sub("", text[start:end]).split())
        if not is_statement(said) or repeats_itself(said) or _words_of(said) in seen:
            continue
        verified = verifier.verify(said) if judged else verifier.verify_values(said)
        counts_on = shape_of(said) in shapes
        seen.add(_words_of(said))
        shapes.add(shape_of(said))
        if any(one.contradictions for one in verified):
            continue
        if counts_on and not (judged and verified and all(one.verdict == "supported" for one in verified)):
            continue
        if borne and not (judged and verified and all(one.verdict in ("supported", "partly") for one in verified)):
            continue
        best = max(verified, key=lambda one: one.value, default=None)
        number = best.n if best is not None and best.n else passages[0].n
        found.append((best.value if best is not None else 0.0, Kept(said, number)))
    if most:
        chosen = sorted(range(len(found)), key=lambda place: -found[place][0])[:most]
        found = [found[place] for place in sorted(chosen)]
    return [kept for _, kept in found]


def is_statement(said: str) -> bool:
    """Whether a sentence is whole and has words, so that it can say something."""
    if not said.rstrip(CLOSERS).endswith(_ENDS):
        return False
    if _UNSPACED.search(said):
        return len(re.findall(r"\w", said)) >= _FEWEST_SIGNS
    return len(_WORD.findall(said)) >= _FEWEST_WORDS


def repeats_itself(said: str) -> bool:
    """Whether a sentence says little but the same words again: "the club in short is the rowing club in short"."""
    words = _words_of(said)
    runs = [words[place : place + _REPEATED] for place in range(len(words) - _REPEATED + 1)]
    longer = [word for word in words if len(word) > _REPEATED or word.isdigit()]
    return len(set(runs)) < len(runs) and len(set(longer)) <= _DISTINCT * len(longer)


def shape_of(said: str) -> str:
    """What two sentences share that differ in their figures and signs alone: a model that counts on repeats itself."""
    return " ".join(_words_of(re.sub(r"\d+", "0", said)))


def _words_of(said: str) -> tuple[str, ...]:
    return tuple(re.findall(r"\w+", said.casefold()))


def find_lead(sections: Sequence[Section], passage: Passage) -> Unit | None:
    """The sentence that leads the first part that begins in the passage, of a document with these ``sections``; else
    the passage's first sentence, else its first point."""
    start, end = passage.start, passage.end
    begun = [section for section in sections if start <= section.start < end]
    units = [
        unit for section in [*begun, *sections] for unit in section.units if start <= unit.start and unit.end <= end
    ]
    sentences = [unit for unit in units if unit.kind == "sentence" and is_statement(unit.text)]
    points = [unit for unit in units if unit.kind == "point"]
    return next(iter([*sentences, *points]), None)
