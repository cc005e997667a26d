"""Abstention: whether the documents hold the answer, decided before a word of it is generated.

Similarity alone does not decide it: passages about the same subject are similar whether or not they answer. So a
question is compared with single sentences of the hits (``sentence_features``), those that are shown are chosen
(``sentence_choice``), and the probability that they hold the answer is estimated, with the reasons to doubt it
(``doubt``). The outcome is one of three: *found*, *perhaps*, which is shown with its reasons, and *not found*.

The weights are fitted by ``benchmarks/fit_sentences.py`` and, of the second look, by ``benchmarks/fit_second_look.py``,
held out by offices and by articles. Figures: docs/benchmarks.md.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np
from msgspec import Struct, structs
from numpy.typing import NDArray

from workbench.base.errors import FaultElsewhere, UserError, WorkerDied
from workbench.records.messages import Passage
from workbench.records.outcomes import Outcome, Reason
from workbench.techniques.embedding_calls import Retriever
from workbench.techniques.retrieval.doubt import (
    doubt_features,
    is_prose,
    missing_terms,
    outcome_of,
    probability,
    reasons_to_doubt,
)
from workbench.techniques.retrieval.roads.classifier import log_odds
from workbench.techniques.retrieval.second_look import (
    CHOICE_NAMES,
    DOUBT_NAMES,
    Looked,
    choice_features,
    choose_again,
    doubt_again,
    look_again,
    second_look_weights,
)
from workbench.techniques.retrieval.sentence_choice import Choice, choose, completed
from workbench.techniques.retrieval.sentence_columns import COLUMN
from workbench.techniques.retrieval.sentence_features import Comparison, embed, tabulate
from workbench.techniques.retrieval.sentence_pick import pick_sentences
from workbench.techniques.retrieval.sentence_units import Unit
from workbench.techniques.retrieval.sentence_weights import Bounds, Weights, weights_for
from workbench.text.sentences import is_heading

_log = logging.getLogger(__name__)

MOST_BEHIND = 2.0
"""By so much may the score of a further sentence be lower than that of the best."""

LEAST_RELATED = 0.5
"""Of the question's words that the best sentence has, with what stands around and above it, a further one needs so
many; in another language words tell nothing."""


class Sentence(Struct, frozen=True, kw_only=True):
    """A sentence compared with a question: shares of the question's words in [0, 1], cosines from zero in [0, 1].
    ``start`` and ``end`` are its place in the passage's text. ``shown``: it is among those that answer. ``share``: of
    the probability that one of those compared does, this one's.

    ``strength`` in [0, 2] is what an answer in a model's own words is compared by (``confidence``)."""

    text: str
    own_words: float
    words_around: float
    kin_around: float = 0.0
    alike: float
    passage_alike: float
    passage: Passage
    start: int = 0
    end: int = 0
    shown: bool = True
    share: float = 0.0

    @property
    def states(self) -> bool:
        """Whether it is more than a heading."""
        return not is_heading(self.passage.text, self.start, self.end, self.passage.start == 0)

    @property
    def strength(self) -> float:
        return 0.5 * (self.own_words + self.words_around + self.alike + self.passage_alike)


class Evidence(Struct, frozen=True, kw_only=True):
    """The evidence for an answer in the hits. ``strength`` in [0, 1] is the probability that the shown ones of the
    ``sentences`` hold it; these are ordered, the best first; () where the question has no content word. Below
    ``needed`` nothing is shown. ``reasons`` to doubt it are not empty where the ``outcome`` is *perhaps*."""

    strength: float
    needed: float
    sentences: tuple[Sentence, ...] = ()
    outcome: Outcome = "found"
    reasons: tuple[Reason, ...] = ()

    @property
    def sentence(self) -> str:
        """The best sentence."""
        return self.sentences[0].text if self.sentences else ""

    @property
    def suffices(self) -> bool:
        return self.outcome != "not_found"


def measure_evidence(question: str, hits: Sequence[Passage], retriever: Retriever) -> Evidence:
    """Compare a question with the sentences of the best hits. Two calls of the retriever, about 0.1 s, and where the
    hits are no prose or the best sentence is in another language a third one, in which the cross-encoder reads passages
    (about 0.3 s, in another language 0.6 s). Without one more sentences are embedded where the first ones do not surely
    answer it. If the third call fails, the first sentences decide."""
    tabled = tabulate(question, hits, retriever)
    picked = pick_sentences(tabled.features, tabled.candidates)
    comparison = embed(tabled, picked.first, retriever)
    weights = weights_for(comparison.zero)
    if hits and not comparison.weights:
        # no content word that could be missing: "and what about it?"
        return Evidence(strength=1.0, needed=weights.same.shown)
    if not comparison.chosen:
        return Evidence(strength=0.0, needed=weights.same.shown, outcome="not_found")
    first = choose(comparison, weights.choice, weights.mass)
    evidence = _judge(question, comparison, first, weights)
    try:
        other = comparison.value(first.order[0], "other") > 0
        if other or not is_prose(comparison):
            looked = look_again(tabled, picked.scores, comparison, retriever, other=other)
            if looked is not None:
                return _judge_again(question, looked, first, evidence.strength)
        if evidence.outcome == "found" or not picked.further:
            return evidence
        further = embed(tabled, picked.further, retriever, comparison)
    except (UserError, WorkerDied, FaultElsewhere) as error:
        _log.warning("No more sentences could be compared, so the first ones decide: %s", error)
        return evidence
    return _judge(question, further, choose(further, weights.choice, weights.mass), weights)


def _judge(question: str, comparison: Comparison, choice: Choice, weights: Weights) -> Evidence:
    names, figures = missing_terms(question, comparison, choice)
    other, prose = comparison.value(choice.order[0], "other") > 0, is_prose(comparison)
    fitted = weights.doubt_in_prose if prose and not other else weights.doubt
    strength = probability(doubt_features(comparison, choice, names, figures), *fitted)
    bounds = weights.bounds(comparison.asked, other=other, prose=prose)
    best, *more = choice.order[: choice.shown]
    shown = [best, *(number for number in more if _adds(comparison, number, choice))]
    return _evidence(question, comparison, choice, bounds, strength, names, figures, shown)


def _judge_again(question: str, looked: Looked, first: Choice, strength: float) -> Evidence:
    """By the second look, whose bounds are fitted on answers that show all that it chooses. ``first`` is the choice of
    the first one, after which an answer had the probability ``strength``."""
    weights = second_look_weights()
    features = choice_features(looked, first.scores)
    choice = choose_again(looked, features, np.array([weights.choice[name] for name in CHOICE_NAMES]), weights.mass)
    names, figures = missing_terms(question, looked.comparison, choice)
    doubt = doubt_again(looked, features, choice, log_odds(strength))
    fitted = np.array([weights.doubt.weights[name] for name in DOUBT_NAMES])
    found = probability(doubt, fitted, weights.doubt.bias)
    best, *more = choice.order[: choice.shown]
    shown = [best, *(number for number in more if not looked.comparison.belongs(number))]
    return _evidence(question, looked.comparison, choice, weights.bounds, found, names, figures, shown)


def _evidence(
    question: str, comparison: Comparison, choice: Choice, bounds: Bounds, strength: float,
    names: Sequence[str], figures: Sequence[str], shown: Sequence[int],
) -> Evidence:  # fmt: skip
    probable = strength >= bounds.found
    reasons = reasons_to_doubt(
        question, comparison, choice, bounds.marks, probable=probable, names=names, figures=figures
    )
    outcome = outcome_of(strength, bounds.found, bounds.shown, reasons)
    shares = np.exp(choice.scores - choice.scores.max())
    shares /= shares.sum()

    return Evidence(
        strength=strength,
        needed=bounds.shown,
        sentences=_without_contained(
            [
                _sentence(comparison, number, shown=number in shown, share=float(shares[number]))
                for number in choice.order
            ]
        ),
        outcome=outcome,
        reasons=reasons,
    )


def _without_contained(sentences: Sequence[Sentence]) -> tuple[Sentence, ...]:
    """The sentences, of which none is shown that another one that is shown contains."""

    kept: list[Sentence] = []
    for one in sentences:
        if one.shown and not any(_is_within(one, other) for other in kept):
            kept = [*(other for other in kept if not _is_within(other, one)), one]
    return tuple(structs.replace(one, shown=one in kept) if one.shown else one for one in sentences)


def _is_within(one: Sentence, other: Sentence) -> bool:
    start = one.passage.start + one.start - other.passage.start - other.start
    return one.passage.document == other.passage.document and 0 <= start <= len(other.text) - len(one.text)


def _adds(comparison: Comparison, number: int, choice: Choice) -> bool:
    """Whether a further sentence of the first look may be the answer in place of the best: nearly as probable, with a
    value of the type that is asked for where the best has one, of the thing itself, and with enough of the question's
    words."""
    best = choice.order[0]
    if choice.scores[best] - choice.scores[number] >= MOST_BEHIND or comparison.belongs(number):
        return False
    if comparison.value(best, "met") and comparison.value(number, "missed"):
        return False
    least = LEAST_RELATED * comparison.value(best, "everywhere")
    return comparison.value(number, "other") > 0 or comparison.value(number, "everywhere") >= least


def compared_sentences(comparison: Comparison) -> list[Sentence]:
    """All sentences of the hits that can be an answer, by their words; what is not embedded is like nothing."""
    cosines = {(unit.rank, unit.number): number for number, unit in enumerate(comparison.chosen)}

    def sentence(unit: Unit, row: NDArray[np.float64]) -> Sentence:
        number = cosines.get((unit.rank, unit.number))
        return Sentence(
            text=unit.text,
            own_words=float(row[COLUMN["own"]]),
            words_around=float(row[COLUMN["around"]]),
            kin_around=float(row[COLUMN["kin_around"]]),
            alike=comparison.value(number, "alike") if number is not None else 0.0,
            passage_alike=_passage_alike(unit.passage, comparison.zero),
            passage=unit.passage,
            start=unit.start,
            end=unit.end,
        )

    units = [unit for its in comparison.units for unit in its if (unit.rank, unit.number) in comparison.around]
    return [sentence(unit, comparison.around[unit.rank, unit.number]) for unit in units]


def _passage_alike(passage: Passage, zero: float) -> float:
    return max(0.0, ((passage.similarity or 0.0) - zero) / max(1e-6, 1 - zero))


def _sentence(comparison: Comparison, number: int, *, shown: bool, share: float) -> Sentence:
    unit = comparison.chosen[number]
    start, end = completed(unit, _units_of(unit, comparison))
    return Sentence(
        text=unit.passage.text[start:end],
        own_words=comparison.value(number, "own"),
        words_around=comparison.value(number, "around"),
        kin_around=comparison.value(number, "kin_around"),
        alike=comparison.value(number, "alike"),
        passage_alike=comparison.value(number, "passage_alike"),
        passage=unit.passage,
        start=start,
        end=end,
        shown=shown,
        share=share,
    )


def _units_of(unit: Unit, comparison: Comparison) -> Sequence[Unit]:
    return next(units for units in comparison.units if units and units[0].rank == unit.rank)
