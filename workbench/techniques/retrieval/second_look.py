"""The second look: the cross-encoder reads the best passages and says of each of their sentences whether it answers.

Sentences are picked by words and their passages' cosines, and the first few of them are compared by their own
(``sentence_features``). What the cross-encoder says of the sentences of the best passages is joined with both by
the weights of a ranking, and the probability that the shown ones hold the answer is a logistic regression on the doubt
of before and on how sure the cross-encoder is. It is for documents as they lie in an office; of prose the first look
knows as much.

``benchmarks/fit_second_look.py`` writes the file of the weights, on offices that the cross-encoder has not seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from itertools import chain

import msgspec
import numpy as np
from numpy.typing import NDArray

from workbench.techniques.embedding_calls import Retriever
from workbench.techniques.retrieval.sentence_choice import Choice, choose_by
from workbench.techniques.retrieval.sentence_columns import COLUMN
from workbench.techniques.retrieval.sentence_features import Comparison, Tabled
from workbench.techniques.retrieval.sentence_weights import Bounds, Logistic

FORMAT = 1
FILE = "second_look.json"

PASSAGES, PASSAGES_IN_OTHER = 4, 8
"""So many passages are read, and so many where the best sentence is in another language than the question. With three
1 % fewer answers are right, with six 1 % more, with eight no more but in another language, where the search is less
sure (docs/benchmarks.md)."""

CANDIDATES, PICKED = 12, 0.5
"""So many sentences are chosen from: those of which the cross-encoder says the most, together with ``PICKED`` of the
score by which they were picked. A sentence that was compared but not read has ``UNREAD`` for it."""

MOST_SHOWN, MOST_CHARACTERS = 4, 280
"""Of the sentences that are shown together: more short ones than long ones, so that an answer has about forty words."""

UNREAD = -1.0

CHOICE_NAMES = ("picked", "read", "unread", "compared", "embedded", "other_read")
"""Of a sentence: its score as it was picked, behind the best; what the cross-encoder says, and whether it was not read,
which counts as 0; its score as it was compared, behind the best, and whether it was compared at all; and what the
cross-encoder says once more in another language than the question's."""

DOUBT_NAMES = ("doubt", "read", "margin", "read_lead", "any_read", "other", "other_read", "embedded", "picked")
"""Of the answer: the logarithm of the odds after the first look; what the cross-encoder says of the best sentence; how
far this one leads; by how much the cross-encoder puts one sentence above all others; the logarithm of the odds that any
answers; whether the best is in another language; and of the best what ``CHOICE_NAMES`` says."""

_NONE = -9.0
"""What is read of a sentence that is not there."""


class SecondLookFile(msgspec.Struct, frozen=True, kw_only=True):
    """The file beside this module. ``choice``: a weight by each of ``CHOICE_NAMES``; ``mass``: see ``choose``;
    ``doubt``: of ``DOUBT_NAMES``; ``bounds``: of the probabilities."""

    format: int
    fitted: str
    choice: dict[str, float]
    mass: float
    doubt: Logistic
    bounds: Bounds


@cache
def second_look_weights() -> SecondLookFile:
    read = msgspec.json.decode(resources.files(__package__).joinpath(FILE).read_bytes(), type=SecondLookFile)
    if read.format != FORMAT or set(read.choice) != set(CHOICE_NAMES) or set(read.doubt.weights) != set(DOUBT_NAMES):
        raise ValueError(f"{FILE} is not of these features: fit it again.")
    return read


@dataclass(frozen=True)
class Looked:
    """The sentences of a second look: ``comparison`` has them, those without a cosine too. ``picked`` and ``read`` (n,)
    are their scores, the first one behind the best of all, the second not a number where a sentence was not read;
    ``compared`` (n,): their numbers in the first comparison, or -1."""

    comparison: Comparison
    picked: NDArray[np.float64]
    read: NDArray[np.float64]
    compared: NDArray[np.int64]


def passages_to_read(tabled: Tabled, scores: NDArray[np.float64], most: int) -> list[int]:
    """The ranks of the passages that are read, the most probable first: the best hits and those of the best sentences
    in turn, at most ``most``. ``scores`` (candidates,): by which sentences are picked."""
    best: dict[int, float] = {}
    for unit, score in zip(tabled.candidates, scores, strict=True):
        best[unit.rank] = max(best.get(unit.rank, -np.inf), float(score))
    by_sentence = sorted(best, key=lambda rank: -best[rank])
    return list(dict.fromkeys(chain.from_iterable(zip(sorted(best), by_sentence, strict=True))))[:most]


def look_again(
    tabled: Tabled, scores: NDArray[np.float64], first: Comparison, retriever: Retriever, *, other: bool
) -> Looked | None:
    """Have the best passages read. ``scores`` (candidates,): by which sentences were picked; ``first``: the comparison
    of the first of them; ``other``: whether the best of these is in another language than the question. None where
    there is no cross-encoder. One call of the retriever."""
    most = PASSAGES_IN_OTHER if other else PASSAGES
    read = _read(tabled, passages_to_read(tabled, scores, most), retriever)
    if not read:
        return None
    compared = {(unit.rank, unit.number): number for number, unit in enumerate(first.chosen)}
    places = [(unit.rank, unit.number) for unit in tabled.candidates]
    picked = np.asarray(scores) - np.max(scores)
    worth = {
        number: read.get(place, UNREAD) + PICKED * picked[number]
        for number, place in enumerate(places)
        if place in read or place in compared
    }
    numbers = sorted(worth, key=lambda number: -worth[number])[:CANDIDATES]
    known = np.array([compared.get(places[number], -1) for number in numbers])
    features, cosines = tabled.features[numbers].copy(), np.zeros(len(numbers))
    features[known >= 0], cosines[known >= 0] = first.features[known[known >= 0]], first.cosines[known[known >= 0]]
    units = tuple(tabled.candidates[number] for number in numbers)
    comparison = replace(first, chosen=units, features=features, cosines=cosines)
    said = np.array([read.get(places[number], np.nan) for number in numbers])
    return Looked(comparison, picked[numbers], said, known)


def _read(tabled: Tabled, ranks: Sequence[int], retriever: Retriever) -> dict[tuple[int, int], float]:
    """What the cross-encoder says of the units of the passages of these ranks, by rank and number."""
    passages = [[tabled.units[rank][0].passage.context, *(unit.text for unit in tabled.units[rank])] for rank in ranks]
    scores = retriever.cross_encode(tabled.question, passages)
    return {
        (rank, unit.number): score
        for rank, of_passage in zip(ranks, scores, strict=bool(scores))
        for unit, score in zip(tabled.units[rank], of_passage, strict=True)
    }


def choice_features(looked: Looked, compared: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, len(CHOICE_NAMES)). ``compared``: the scores of the sentences that were compared, the first ones."""
    unread = np.isnan(looked.read)
    read = np.where(unread, 0.0, looked.read)
    embedded = looked.compared >= 0
    behind = np.where(embedded, compared[looked.compared] - compared.max(), 0.0)
    other = looked.comparison.features[:, COLUMN["other"]]
    return np.column_stack([looked.picked, read, unread, behind, embedded, other * read])


def choose_again(looked: Looked, features: NDArray[np.float64], weights: NDArray[np.float64], mass: float) -> Choice:
    """As ``sentence_choice.choose``, by ``weights`` (len(CHOICE_NAMES),) of ``choice_features``."""
    return choose_by(looked.comparison, features @ weights, mass, MOST_SHOWN, MOST_CHARACTERS)


def doubt_again(looked: Looked, features: NDArray[np.float64], choice: Choice, doubt: float) -> NDArray[np.float64]:
    """(len(DOUBT_NAMES),). ``doubt``: the logarithm of the odds after the first look."""
    best = choice.order[0]
    margin = choice.scores[best] - choice.scores[choice.order[1]] if len(choice.order) > 1 else 4.0
    row = dict(zip(CHOICE_NAMES, features[best], strict=True))
    every = features[:, CHOICE_NAMES.index("read")]
    read = np.sort(np.append(every, [_NONE, _NONE]))[::-1]
    any_read = float(np.logaddexp.reduce(np.append(every, 0.0)))
    other = looked.comparison.value(best, "other")
    return np.array([
        doubt, row["read"], margin, read[0] - read[1], any_read, other, row["other_read"], row["embedded"],
        row["picked"],
    ])  # fmt: skip
