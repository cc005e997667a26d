"""The fitted weights of the choice of sentences and of the doubt about them: a small file beside this module.

``benchmarks/fit_sentences.py`` writes it. It has weights for two families of embedders, told apart by their cosine of
unrelated texts: where that is high (multilingual-e5-small) all cosines lie in a narrow band.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources

import msgspec
import numpy as np
from numpy.typing import NDArray

from workbench.techniques.retrieval.doubt import DOUBT_NAMES
from workbench.techniques.retrieval.sentence_columns import NAMES

FORMAT = 3
FILE = "sentence_weights.json"

NARROW_FROM = 0.4
"""Cosine of unrelated texts from which on an embedder belongs to the family "narrow"."""


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """``found`` and ``shown``: the probabilities from which on an answer is found, and shown at all. ``marks``: which
    of ``doubt.MARKS`` make *perhaps* of *found*."""

    found: float
    shown: float
    marks: tuple[str, ...] = ()


class Logistic(msgspec.Struct, frozen=True, kw_only=True):
    """A logistic regression: a weight by the name of each feature, and what is added."""

    weights: dict[str, float]
    bias: float


class Family(msgspec.Struct, frozen=True, kw_only=True):
    """``choice``, and ``doubt`` in offices and in prose: a weight by each feature's name. ``mass``: see ``choose``.
    ``same``, ``other`` and ``prose`` bound the outcomes where question and passage are in one language, where they are
    not, and where they are and the passages have whole sentences only; the last by the question's language, ``""`` for
    those that have none of their own. Whole sentences in the question's language have the doubt of prose."""

    choice: dict[str, float]
    mass: float
    doubt: Logistic
    doubt_in_prose: Logistic
    same: Bounds
    other: Bounds
    prose: dict[str, Bounds]


class WeightsFile(msgspec.Struct, frozen=True, kw_only=True):
    """The file. ``fitted`` says on what the weights were fitted, and under which licence that is."""

    format: int
    fitted: str
    families: dict[str, Family]


@dataclass(frozen=True)
class Weights:
    """The weights of a family in the order of ``NAMES`` and ``DOUBT_NAMES``; those of the doubt with their bias."""

    choice: NDArray[np.float64]
    mass: float
    doubt: tuple[NDArray[np.float64], float]
    doubt_in_prose: tuple[NDArray[np.float64], float]
    same: Bounds
    other: Bounds
    prose: dict[str, Bounds]

    def bounds(self, language: str, *, other: bool, prose: bool) -> Bounds:
        """Those of a question in a ``language``; see ``Family``."""
        if other or not prose:
            return self.other if other else self.same
        return self.prose.get(language, self.prose[""])


def weights_for(zero: float) -> Weights:
    """The weights for an embedder whose cosine of unrelated texts is ``zero``."""
    return _families()["narrow" if zero >= NARROW_FROM else "wide"]


@cache
def _families() -> dict[str, Weights]:
    text = resources.files(__package__).joinpath(FILE).read_bytes()
    read = msgspec.json.decode(text, type=WeightsFile)
    if read.format != FORMAT:
        raise ValueError(f"{FILE} has the format {read.format}, not {FORMAT}: fit it again.")
    return {name: _in_order(family) for name, family in read.families.items()}


def _in_order(family: Family) -> Weights:
    return Weights(
        choice=_values(family.choice, NAMES),
        mass=family.mass,
        doubt=(_values(family.doubt.weights, DOUBT_NAMES), family.doubt.bias),
        doubt_in_prose=(_values(family.doubt_in_prose.weights, DOUBT_NAMES), family.doubt_in_prose.bias),
        same=family.same,
        other=family.other,
        prose=family.prose,
    )


def _values(weights: dict[str, float], names: tuple[str, ...]) -> NDArray[np.float64]:
    unknown = sorted(set(weights) - set(names))
    if unknown:
        raise ValueError(f"{FILE} has weights of features that are not computed: {', '.join(unknown)}. Fit it again.")
    return np.array([weights.get(name, 0.0) for name in names])
