"""The second look: where the first sentences do not surely answer a question, or the cross-encoder denies that they
do, it reads more of them.

Sentences are picked by words and their passages' cosines, and the first few of them are compared by their own
(``sentence_features``). What the cross-encoder says of the first ``CANDIDATES`` is joined with both by the weights of a
ranking, and the probability that the shown ones hold the answer is a logistic regression on the doubt of before and on
how sure the cross-encoder is. It is for documents as they lie in an office; of prose the first look knows as much.

``benchmarks/fit_second_look.py`` writes the file of the weights, on offices that the cross-encoder has not seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources

import msgspec
import numpy as np
from numpy.typing import NDArray

from workbench.techniques.embedding_calls import Retriever
from workbench.techniques.retrieval.sentence_choice import Choice, choose_by
from workbench.techniques.retrieval.sentence_columns import COLUMN
from workbench.techniques.retrieval.sentence_features import Comparison, Tabled, in_context
from workbench.techniques.retrieval.sentence_weights import Bounds, Logistic

FORMAT = 1
FILE = "second_look.json"

CANDIDATES = 10
"""So many sentences are read: fewer lose what it gains, and more gain nothing (docs/benchmarks.md)."""

DENIED = -4.0
"""What the cross-encoder says at most of sentences that have nothing to do with the question, mostly about -5. Of 97
questions that the first look answered rightly for certain in ``UNSEEN`` offices (``fit_second_look.py``) none had less
than -1.9; rows of a price list have less, so that this is the limit."""

CHOICE_NAMES = ("picked", "read", "compared", "embedded", "other_read")
"""Of a sentence: its score as it was picked and as it was compared, both behind the best; what the cross-encoder says;
whether it was compared at all; and the second once more in another language than the question's."""

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
    """The sentences of a second look: ``comparison`` has them, in the order of the pick, those without a cosine too.
    ``picked`` and ``read`` (n,) are their scores."""

    comparison: Comparison
    picked: NDArray[np.float64]
    read: NDArray[np.float64]


def is_denied(tabled: Tabled, first: Comparison, choice: Choice, retriever: Retriever) -> bool:
    """Whether the cross-encoder denies that any of the sentences that the first look shows answers the question; not
    where there is none. One call of the retriever."""
    shown = [first.chosen[number] for number in choice.order[: choice.shown]]
    read = retriever.cross_encode(tabled.question, [in_context(unit) for unit in shown])
    return bool(read) and max(read) < DENIED


def look_again(
    tabled: Tabled, picked: Sequence[int], scores: NDArray[np.float64], first: Comparison, retriever: Retriever
) -> Looked | None:
    """Have the best candidates read. ``picked``: the numbers of all that were picked, with the ``scores`` (candidates,)
    by which they were; ``first``: the comparison of the first of them. None where there is no cross-encoder. One call
    of the retriever."""
    numbers = list(picked[:CANDIDATES])
    units = [tabled.candidates[number] for number in numbers]
    read = retriever.cross_encode(tabled.question, [in_context(unit) for unit in units])
    if not read:
        return None
    features = tabled.features[numbers].copy()
    cosines = np.zeros(len(units))
    compared = min(len(first.chosen), len(units))
    features[:compared], cosines[:compared] = first.features[:compared], first.cosines[:compared]
    comparison = replace(first, chosen=tuple(units), features=features, cosines=cosines)
    return Looked(comparison, np.asarray(scores)[numbers], np.asarray(read, dtype=np.float64))


def choice_features(looked: Looked, compared: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, len(CHOICE_NAMES)). ``compared``: the scores of the sentences that were compared, the first ones."""
    count = len(looked.read)
    behind, embedded = np.zeros(count), np.zeros(count)
    known = min(count, len(compared))
    behind[:known], embedded[:known] = compared[:known] - compared[:known].max(), 1.0
    other = looked.comparison.features[:, COLUMN["other"]]
    return np.column_stack([looked.picked - looked.picked.max(), looked.read, behind, embedded, other * looked.read])


def choose_again(looked: Looked, features: NDArray[np.float64], weights: NDArray[np.float64], mass: float) -> Choice:
    """As ``sentence_choice.choose``, by ``weights`` (len(CHOICE_NAMES),) of ``choice_features``."""
    return choose_by(looked.comparison, features @ weights, mass)


def doubt_again(looked: Looked, features: NDArray[np.float64], choice: Choice, doubt: float) -> NDArray[np.float64]:
    """(len(DOUBT_NAMES),). ``doubt``: the logarithm of the odds after the first look."""
    best = choice.order[0]
    margin = choice.scores[best] - choice.scores[choice.order[1]] if len(choice.order) > 1 else 4.0
    read = np.sort(np.append(looked.read, [_NONE, _NONE]))[::-1]
    any_read = float(np.logaddexp.reduce(np.append(looked.read, 0.0)))
    picked, said, _, embedded, other_read = features[best]
    other = looked.comparison.value(best, "other")
    return np.array([doubt, said, margin, read[0] - read[1], any_read, other, other_read, embedded, picked])
