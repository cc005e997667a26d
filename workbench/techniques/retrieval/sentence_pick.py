"""Which sentences of the hits are embedded: few, since each costs about 25 ms, and those that may be the right one.
More are, where the first ones do not surely answer the question.

Words, the passages' own cosines and the place of a sentence rank them, with the weights of a ranking that
``benchmarks/fit_sentences.py`` fits on the sentences that hold the answer. Where question and document are in different
languages words say little, and the passages' cosines have weights of their own; there more are embedded.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib import resources
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from workbench.techniques.retrieval.sentence_columns import COLUMN, NAMES
from workbench.techniques.retrieval.sentence_units import Unit

FORMAT = 1
FILE = "sentence_pick.json"

EMBEDDED, EMBEDDED_ELSEWHERE, MOST_EMBEDDED = 5, 12, 24
"""So many are embedded first; the second where most of the first are in another language than the question. Where
those do not surely answer it, the third."""

_FIRST = 3
_LEAST_SPREAD = 0.005  # of cosines

_ELSEWHERE = (
    "score", "met", "kin_own", "own", "figures", "names_here", "first", "length", "row", "item", "rank", "value_near",
    "above", "title", "everywhere",
)  # fmt: skip
"""Features with weights of their own in another language."""

PICK_NAMES = (
    *NAMES, "similar", "similar_behind", "other_similar", "other_similar_behind",
    *(f"{name}_elsewhere" for name in _ELSEWHERE),
)  # fmt: skip
"""The columns of ``pick_features``."""


class PickFile(msgspec.Struct, frozen=True, kw_only=True):
    """The file beside this module: a weight by the name of each feature, without those that are 0."""

    format: int
    fitted: str
    weights: dict[str, float]


class Picked(NamedTuple):
    """The numbers of the units that are embedded: at ``first``, and ``further`` where those do not do; each the most
    probable first. ``scores`` are those of all units, (n,)."""

    first: list[int]
    further: list[int]
    scores: NDArray[np.float64]


def pick_sentences(table: NDArray[np.float64], units: Sequence[Unit]) -> Picked:
    """Which units are embedded. ``table``: their features without cosines, (n, len(NAMES))."""
    return pick_by(weights(), table, units)


def pick_by(weights: NDArray[np.float64], table: NDArray[np.float64], units: Sequence[Unit]) -> Picked:
    """The same by given weights, (len(PICK_NAMES),)."""
    if not len(units):
        return Picked([], [], np.zeros(0))
    scores = pick_features(table, units) @ weights
    order = np.argsort(-scores, kind="stable")
    elsewhere = 2 * int(table[order[:_FIRST], COLUMN["other"]].sum()) > min(_FIRST, len(order))
    numbers = [int(number) for number in order[:MOST_EMBEDDED]]
    first = EMBEDDED_ELSEWHERE if elsewhere else EMBEDDED
    return Picked(numbers[:first], numbers[first:], scores)


def pick_features(table: NDArray[np.float64], units: Sequence[Unit]) -> NDArray[np.float64]:
    """(n, len(PICK_NAMES)): the features, and how similar the units' passages are to the question, in standard
    deviations of all and behind the best in their language."""
    similar = np.array([unit.passage.similarity or 0.0 for unit in units])
    other = table[:, COLUMN["other"]]
    standing = (similar - similar.mean()) / max(_LEAST_SPREAD, float(similar.std()))
    behind = np.zeros(len(units))
    for value in (0.0, 1.0):
        of = other == value
        if of.any():
            behind[of] = standing[of] - standing[of].max()
    elsewhere = [other * table[:, COLUMN[name]] for name in _ELSEWHERE]
    return np.column_stack([table, standing, behind, other * standing, other * behind, *elsewhere])


@cache
def weights() -> NDArray[np.float64]:
    read = msgspec.json.decode(resources.files(__package__).joinpath(FILE).read_bytes(), type=PickFile)
    unknown = sorted(set(read.weights) - set(PICK_NAMES))
    if read.format != FORMAT or unknown:
        raise ValueError(f"{FILE} is not of these features: fit it again. {', '.join(unknown)}".strip())
    return np.array([read.weights.get(name, 0.0) for name in PICK_NAMES])
