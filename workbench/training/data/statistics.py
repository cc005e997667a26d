"""Statistics of a data set: number and lengths of examples, duplicates, empty and truncated ones, and overlap with
evaluation.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from workbench.training.data.examples import Example
from workbench.training.data.tokenization import WrittenExample

MOST_BINS = 24


class Bin(msgspec.Struct, frozen=True):
    """``count`` examples have at least ``start`` and fewer than ``end`` tokens."""

    start: int
    end: int
    count: int


class Lengths(msgspec.Struct, frozen=True, kw_only=True):
    """Of whole examples, before they are cut, in tokens. ``ninetieth``: nine of ten are no longer."""

    shortest: int
    median: int
    ninetieth: int
    longest: int
    total: int
    histogram: tuple[Bin, ...]


class SetStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """``duplicates`` are examples that stand there before, ``near_duplicates`` those that do when white space and case
    are left aside (duplicates included). ``empty`` ones have nothing to learn. What takes tokens is 0 or None for a set
    that was not written: ``tokens`` are those after cutting, ``truncated`` how many examples were cut,
    ``unlearnable`` those without a trained token left, ``trained_tokens`` those that the loss counts."""

    rows: int
    duplicates: int
    near_duplicates: int
    empty: int
    tokens: int = 0
    trained_tokens: int = 0
    truncated: int = 0
    unlearnable: int = 0
    lengths: Lengths | None = None


class Overlap(msgspec.Struct, frozen=True, kw_only=True):
    """The number of evaluation examples in the training set, ignoring white space and case: whole, or their question.

    ``first`` says where the first one of them comes from.
    """

    examples: int
    questions: int
    first: str = ""


def measure(examples: Iterable[Example], written: Iterable[WrittenExample] = ()) -> SetStatistics:
    """Count. ``written`` are the same examples as tokens, or those of them that could be written."""
    rows = duplicates = near = empty = 0
    seen: set[bytes] = set()
    nearly_seen: set[bytes] = set()
    for example in examples:
        rows += 1
        empty += example.is_empty
        exact, normalised = example.digest(), example.digest(normalised=True)
        duplicates += exact in seen
        near += normalised in nearly_seen
        seen.add(exact)
        nearly_seen.add(normalised)
    lengths: list[int] = []
    tokens = trained = truncated = unlearnable = 0
    for one in written:
        lengths.append(one.whole_tokens)
        tokens += len(one.tokens)
        trained += one.trained_tokens
        truncated += one.cut_tokens > 0
        unlearnable += one.trained_tokens == 0
    return SetStatistics(
        rows=rows,
        duplicates=duplicates,
        near_duplicates=near,
        empty=empty,
        tokens=tokens,
        trained_tokens=trained,
        truncated=truncated,
        unlearnable=unlearnable,
        lengths=measure_lengths(lengths),
    )


def measure_lengths(lengths: Sequence[int]) -> Lengths | None:
    """None for none."""
    if not lengths:
        return None
    ordered = sorted(lengths)
    return Lengths(
        shortest=ordered[0],
        median=ordered[(len(ordered) - 1) // 2],
        ninetieth=ordered[-(-9 * len(ordered) // 10) - 1],
        longest=ordered[-1],
        total=sum(ordered),
        histogram=_histogram(ordered),
    )


def measure_overlap(train: Iterable[Example], evaluation: Iterable[Example]) -> Overlap:
    """The overlap of the evaluation set with the training set."""
    known: set[bytes] = set()
    asked: set[bytes] = set()
    for example in train:
        known.add(example.digest(normalised=True))
        if example.messages:
            asked.add(example.question_digest())
    examples = questions = 0
    first = ""
    for example in evaluation:
        whole = example.digest(normalised=True) in known
        question = bool(example.messages) and example.question_digest() in asked
        examples += whole
        questions += question
        if (whole or question) and not first:
            first = str(example.source)
    return Overlap(examples=examples, questions=questions, first=first)


def _histogram(ordered: Sequence[int]) -> tuple[Bin, ...]:
    """Bins of one width, a round number, from 0 or a multiple of it to the longest, the empty ones between as well."""
    width = 1
    while (ordered[-1] // width) - (ordered[0] // width) + 1 > MOST_BINS:
        width = width * 5 // 2 if str(width).startswith("2") else width * 2
    counts: dict[int, int] = {}
    for length in ordered:
        counts[length // width] = counts.get(length // width, 0) + 1
    places = range(ordered[0] // width, ordered[-1] // width + 1)
    return tuple(Bin(place * width, (place + 1) * width, counts.get(place, 0)) for place in places)
