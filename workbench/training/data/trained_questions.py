"""Finds asked questions again that a model was trained on, word for word or nearly.

A question is reduced to its shingles, the pairs of neighbouring words, and a long one to the smallest of their hashes
(Broder 1997, On the Resemblance and Containment of Documents). Two questions are nearly equal where almost all shingles
are the same, or where the shorter one stands within the other. So no word of a short question may differ, since another
name makes another question, and numbers have to be the same. The same question in other words is not found. Pure: no
model, no file.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from array import array
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from itertools import pairwise

from workbench.records.training.fingerprints import QuestionFingerprints

MOST_QUESTIONS = 50_000
"""Of a larger set the first ones: about 3 MB, and seconds to compare with."""
SKETCH = 128
NEARLY = 0.8
"""The share of shingles in common (Jaccard)."""
FEWEST_WITHIN = 4
"""Words of a question that is looked for within a longer one: fewer stand in many."""
_RAREST, _LOOKED_AT = 8, 400

_WORD = re.compile(r"[^\W_]+")
_UNSPACED = re.compile(r"([\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\u0e00-\u0e7f])")
_SHORTENED = ((re.compile(r"n['’]t\b"), " not"), (re.compile(r"['’]s\b"), " is"), (re.compile(r"['’]re\b"), " are"))
_EDGE = 1 << 31


def words_of(text: str) -> list[str]:
    """The words of a text, without case, punctuation, and forms of writing; of scripts without spaces the
    characters."""
    text = unicodedata.normalize("NFKC", text).casefold()
    for pattern, whole in _SHORTENED:
        text = pattern.sub(whole, text)
    return _WORD.findall(_UNSPACED.sub(r" \1 ", text))


def fingerprints_of(questions: Iterable[str]) -> QuestionFingerprints:
    """The fingerprints of the questions of a training, each of them once."""
    sketches, lengths, numbers = array("I"), array("H"), array("I")
    seen: set[tuple[str, ...]] = set()
    left_out = 0
    for question in questions:
        words = words_of(question)
        if not words or tuple(words) in seen:
            continue
        if len(lengths) == MOST_QUESTIONS:
            left_out += 1
            continue
        seen.add(tuple(words))
        sketch = _sketch(words)
        sketches.extend(sketch)
        lengths.append(len(sketch))
        numbers.append(_numbers(words))
    return QuestionFingerprints(
        questions=len(lengths),
        left_out=left_out,
        sketches=_bytes(sketches),
        lengths=_bytes(lengths),
        numbers=_bytes(numbers),
    )


class TrainedQuestions:
    """The questions of one or more trainings, to look others up in."""

    def __init__(self, of: Iterable[QuestionFingerprints]) -> None:
        self._sketches: list[frozenset[int]] = []
        self._numbers: list[int] = []
        self._having: dict[int, array[int]] = {}
        for one in of:
            hashes, start = _array("I", one.sketches), 0
            for length, number in zip(_array("H", one.lengths), _array("I", one.numbers), strict=True):
                place = len(self._sketches)
                self._sketches.append(frozenset(hashes[start : start + length]))
                self._numbers.append(number)
                for shingle in hashes[start : start + length]:
                    self._having.setdefault(shingle, array("I")).append(place)
                start += length

    def __contains__(self, question: str) -> bool:
        """Whether the question, or nearly the same, was trained."""
        words = words_of(question)
        if not words:
            return False
        sketch, number = frozenset(_sketch(words)), _numbers(words)
        rarest = sorted((one for one in sketch if one in self._having), key=lambda one: len(self._having[one]))
        looked_at: set[int] = set()
        for shingle in rarest[:_RAREST]:
            looked_at.update(self._having[shingle][:_LOOKED_AT])
        return any(self._is_near(sketch, number, place) for place in looked_at)

    def _is_near(self, asked: frozenset[int], number: int, place: int) -> bool:
        trained = self._sketches[place]
        if number == self._numbers[place] and _resemblance(asked, trained) >= NEARLY:
            return True
        inner, outer = sorted((_within(asked), _within(trained)), key=len)
        return len(inner) >= FEWEST_WITHIN - 1 and inner <= outer


def _resemblance(one: frozenset[int], other: frozenset[int]) -> float:
    """The Jaccard similarity of the shingles; of long texts as it is estimated from the smallest hashes of both."""
    union = one | other
    both = one & other
    if len(union) > SKETCH and max(len(one), len(other)) >= SKETCH:
        union = frozenset(sorted(union)[:SKETCH])
        both &= union
    return len(both) / len(union) if union else 0.0


def _sketch(words: Sequence[str]) -> list[int]:
    """The hashes of a text's shingles, ascending; at most the smallest ``SKETCH``. Its first and its last word are
    shingles as well, whose highest bit is set."""
    hashes = {_hash(f"{one} {other}") & ~_EDGE for one, other in pairwise(words)}
    hashes |= {_hash(f"^ {words[0]}") | _EDGE, _hash(f"{words[-1]} $") | _EDGE}
    return sorted(hashes)[:SKETCH]


def _within(sketch: frozenset[int]) -> frozenset[int]:
    """The pairs of words alone."""
    return frozenset(one for one in sketch if not one & _EDGE)


def _numbers(words: Sequence[str]) -> int:
    return _hash(" ".join(word for word in words if any(sign.isdigit() for sign in word)))


def _hash(text: str) -> int:
    return int.from_bytes(blake2b(text.encode("utf-8", "replace"), digest_size=4).digest(), "little")


def _bytes(numbers: array[int]) -> bytes:
    if sys.byteorder == "big":
        numbers = numbers[:]
        numbers.byteswap()
    return numbers.tobytes()


def _array(code: str, raw: bytes) -> array[int]:
    numbers = array(code)
    numbers.frombytes(raw)
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers
