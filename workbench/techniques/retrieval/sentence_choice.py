"""Choice of the sentences that are shown: the best by fitted weights, and up to two more where it may not do.

The weights (``sentence_weights``) are those of a ranking (Joachims 2002, "Optimizing Search Engines Using Clickthrough
Data"): a logistic regression on the differences of a sentence that holds an answer and another one of its question. A
sentence that cannot be understood alone is shown with the one before it. The scores tell as well how many are needed:
as many as hold a given share of the probability (softmax) that any of them is the right one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workbench.techniques.retrieval.sentence_features import Comparison
from workbench.techniques.retrieval.sentence_units import Unit

MOST_SHOWN = 3
MOST_CHARACTERS = 600
"""Of the sentences that are shown together; the best is shown however long it is."""

BELONGING = 4.0
"""The score that a row loses which is of another thing for the one that is asked for ("Impeller for AquaLift 300")."""

LONGEST_COMPLETED = 320
"""Characters of a unit with the one before it."""


@dataclass(frozen=True)
class Choice:
    """``order``: numbers of the compared units, the best first, with the ``scores`` of all. The first ``shown`` of them
    are shown."""

    order: tuple[int, ...]
    scores: NDArray[np.float64]
    shown: int


def choose(comparison: Comparison, weights: NDArray[np.float64], mass: float) -> Choice:
    """Order the sentences of a comparison by ``weights`` (len(NAMES),). As many are shown as have a share of ``mass``
    in [0, 1] of the probability; the same text is shown once."""
    return choose_by(comparison, comparison.features @ weights if len(comparison.chosen) else np.zeros(0), mass)


def choose_by(
    comparison: Comparison,
    scores: NDArray[np.float64],
    mass: float,
    most: int = MOST_SHOWN,
    characters: int = MOST_CHARACTERS,
) -> Choice:
    """The same by given ``scores`` (n,), from which is taken what counts against a row of another thing. At most
    ``most`` are shown, with so many ``characters`` together."""
    scores = scores - BELONGING * np.array([bool(comparison.belongs(n)) for n in range(len(scores))], dtype=np.float64)
    order: list[int] = []
    taken: set[str] = set()
    for number in np.argsort(-scores, kind="stable"):  # the same text in two files, or in passages that overlap
        text = " ".join(comparison.chosen[number].text.split())
        if text not in taken:
            order.append(int(number))
            taken.add(text)
    if not order:
        return Choice((), scores, 0)
    shares = np.exp(scores[order] - scores[order[0]])
    needed = 1 + int((np.cumsum(shares / shares.sum()) < mass).sum())
    lengths = np.cumsum([len(comparison.chosen[number].text) for number in order])
    fitting = max(1, int((lengths <= characters).sum()))
    return Choice(tuple(order), scores, min(needed, fitting, most, len(order)))


def completed(unit: Unit, units: Sequence[Unit]) -> tuple[int, int]:
    """The place of a unit in its passage's text, with the one before it where it cannot be understood alone."""
    lead = units[unit.lead] if unit.lead is not None and unit.lead == unit.number - 1 else None
    if lead is None or unit.kind == "row" or unit.end - lead.start > LONGEST_COMPLETED:
        return unit.start, unit.end
    return lead.start, unit.end
