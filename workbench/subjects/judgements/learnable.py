"""What can be learnt from judgements: usable examples, the interval of what would be measured, and which objective
suits.

A pure function; each objective says itself what it needs (``Preferences.advise``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from workbench.records.judgement_reports import (
    Advice,
    JudgementFacts,
    JudgementStatistics,
    Learnable,
    ObjectiveFit,
)
from workbench.records.judgements import Judgement
from workbench.records.messages import UNFINISHED
from workbench.records.methods import MethodInfo
from workbench.subjects.evaluation.statistics import wilson
from workbench.subjects.judgements.statistics import measure_judgements
from workbench.subjects.judgements.training_rows import TrainingRows, training_rows

EXPECTED_SHARE = 0.65
"""The share for which the width of an interval is predicted: a model that has learnt something, and not all."""


class Advising(Protocol):
    """An objective over judged answers."""

    def advise(self, facts: JudgementFacts) -> Advice: ...


def what_can_be_learnt(
    judgements: Iterable[Judgement], objectives: Sequence[tuple[MethodInfo, Advising]], held_out_share: float = 0.1
) -> Learnable:
    """``objectives`` are rows with their objectives, in the registry's order. ``held_out_share`` in [0, 1)."""
    every = list(judgements)
    pairs, rated = training_rows(every, "pairs"), training_rows(every, "rated")
    statistics = measure_judgements(every)
    conflicting = len({id for one in (*statistics.contradictions, *statistics.cycles) for id in one.ids})
    longer = statistics.longer_preferred
    facts = JudgementFacts(
        pairs=len(pairs.rows),
        rated=len(rated.rows),
        good=rated.good,
        conflicting=conflicting / len(every) if every else 0.0,
        longer_wins=longer.is_shown and longer.value > 0.5,
        prompts=pairs.prompts,
    )
    advised = [(row, objective.advise(facts)) for row, objective in objectives]
    best = min((advice.rank for _, advice in advised if advice.fits), default=None)
    fits = [_fit(row, advice, held_out_share, advice.fits and advice.rank == best) for row, advice in advised]
    order = sorted(range(len(fits)), key=lambda place: (not fits[place].fits, advised[place][1].rank, place))
    return Learnable(
        judgements=len(every),
        prompts=len({one.prompt_key for one in every if not one.unreadable}),
        pairs=len(pairs.rows),
        rated=len(rated.rows),
        good=rated.good,
        left_out=pairs.left_out if pairs.rows or not rated.rows else rated.left_out,
        objectives=tuple(fits[place] for place in order),
        warnings=tuple(_warnings(every, statistics, pairs)),
    )


def half_width(n: int, share: float = EXPECTED_SHARE) -> float:
    """Half the width of Wilson's 95 % interval about a share of ``n``; 0.5 for none."""
    found = wilson(round(share * n), n)
    return (found.high - found.low) / 2


def _fit(row: MethodInfo, advice: Advice, held_out_share: float, advised: bool) -> ObjectiveFit:
    held_out = max(1, round(held_out_share * advice.usable)) if advice.usable > 1 and held_out_share else 0
    return ObjectiveFit(
        objective=row.name,
        title=row.title,
        usable=advice.usable,
        examples=advice.examples,
        held_out=held_out,
        half_width=half_width(held_out),
        fits=advice.fits,
        advised=advised,
        reason=advice.reason,
    )


def _warnings(every: Sequence[Judgement], found: JudgementStatistics, pairs: TrainingRows) -> list[str]:
    said = []
    if number := len(found.contradictions):
        what = "One pair of answers is" if number == 1 else f"{number:,} pairs of answers are"
        said.append(f"{what} preferred one way and the other. No such preference is learnt from until you correct it.")
    if number := len(found.cycles):
        what = "One cycle of preferences has" if number == 1 else f"{number:,} cycles of preferences have"
        said.append(f"{what} no best answer: each answer was preferred to the next, and the last to the first.")
    longer, first = found.longer_preferred, found.first_preferred
    if longer.is_shown:
        which, share = ("longer", longer.value) if longer.value > 0.5 else ("shorter", 1 - longer.value)
        said.append(
            f"The {which} answer is preferred in {share:.0%} of {longer.n:,} pairs, so that a model may learn length "
            "and nothing else. After the training, a blind test shows the win rate at equal lengths."
        )
    if first.is_shown:
        which, share = ("first", first.value) if first.value > 0.5 else ("second", 1 - first.value)
        said.append(
            f"The answer shown {which} is preferred in {share:.0%} of {first.n:,} pairs, so that its position may "
            "have decided."
        )
    if cut := sum(_is_cut_off(one) for one in every):
        what = "One preferred answer was" if cut == 1 else f"{cut:,} preferred answers were"
        said.append(
            f"{what} cut off by the maximum length or a loop. A model does not learn where such an answer ends."
        )
    if pairs.rows and pairs.prompts < len(pairs.rows) / 4:
        said.append(
            f"The pairs cover only {pairs.prompts:,} prompts, so that the training may not generalise to others."
        )
    return said


def _is_cut_off(judgement: Judgement) -> bool:
    best = judgement.preferred
    return best is not None and best.finish in UNFINISHED and best.original is None
