"""Whether a table's answer is shown in place of sentences: whichever is more probably right.

A logistic regression on the log odds of three probabilities: that the question means the table's query, that the
quoted sentences hold the answer, and that the request is one for a table (which says nothing of an empty cell: that
counts as even). Fitted by ``benchmarks/fit_table_choice.py``
on questions of which only one of the two is answered rightly; the weights are in ``preference.json``.
"""

from __future__ import annotations

import math
from functools import cache
from importlib import resources

import msgspec

from workbench.techniques.retrieval.roads.classifier import log_odds

EVEN = 0.5
LEAST, MOST = 0.001, 0.97
"""Between these the probability of sentences is taken to lie where it is not known yet."""


class Preference(msgspec.Struct, frozen=True, kw_only=True):
    """A ``constant``, and the weights of the log odds of the table's answer, of the ``sentences`` and of the road."""

    constant: float
    table: float
    sentences: float
    road: float


@cache
def weights() -> Preference:
    text = (resources.files(__package__) / "preference.json").read_text("utf-8")
    return msgspec.json.decode(text, type=Preference)


def preference(sure: float, strength: float, road: float) -> float:
    """How probable it is that of a table's answer and the quoted sentences the former is right, if only one is:
    ``sure`` is the probability of the table's query, ``strength`` that of the sentences, ``road`` that of the request
    being one for a table."""
    known = weights()
    odds = known.constant + known.table * log_odds(sure) + known.road * log_odds(road)
    return 1 / (1 + math.exp(-odds - known.sentences * log_odds(strength)))


def is_preferred(sure: float, road: float, least: float) -> bool | None:
    """Whether the preference for a table's answer is above ``least`` whatever the sentences are; None where they
    decide it."""
    low, high = (preference(sure, strength, road) > least for strength in (MOST, LEAST))
    return low if low == high else None
