"""Whether a judge may label: its agreement with the person on pairs that both judged.

Cohen's kappa (Cohen 1960, doi:10.1177/001316446002000104) with its large-sample interval (Fleiss, Cohen and Everitt
1969, doi:10.1037/h0028106), computed here for two verdicts.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

from workbench.records.judgement_reports import ShareEstimate
from workbench.records.judging import JudgeReport, KappaEstimate
from workbench.subjects.evaluation.statistics import wilson
from workbench.subjects.judgements.judging.comparing import Opinion

FEWEST_PAIRS = 30
"""With fewer pairs that the person judged, no judge is accepted."""

FEWEST_FOR_BIAS = 10
"""So many pairs show a judge that always names one place: by chance once in a million."""

SAME_PLACE = 0.95
"""A judge that names the same place more often is one."""

_Z = 1.959963984540054

Choice = Literal["a", "b"]


def measure(
    opinions: Sequence[Opinion], person: Sequence[Choice], *, threshold: float = 0.0, needed: int = FEWEST_PAIRS
) -> JudgeReport:
    """A judge beside the person's verdicts on the same pairs. It is accepted with at least ``needed`` pairs, where the
    lower bound of kappa is above 0. Raises ValueError where there are not as many of both."""
    if len(opinions) != len(person):
        raise ValueError("a verdict of the person is needed for each opinion")
    said_a = sum(one.said_a for one in opinions)
    kept = [(one.winner(threshold), choice) for one, choice in zip(opinions, person, strict=True)]
    kept = [(winner, choice) for winner, choice in kept if winner]
    agreed = sum(winner == choice for winner, choice in kept)
    right = sum((one.log_odds > 0) == (choice == "a") for one, choice in zip(opinions, person, strict=True))
    first = [side for one in opinions for side in (one.shown_first, -one.shown_second)]
    bias = math.fsum(first) / max(1, len(first))
    a_share, orders = share(said_a, 2 * len(opinions)), share(sum(one.orders_agree for one in opinions), len(opinions))
    kappa = cohens_kappa(kept)
    reasons = list(_reasons(len(opinions), len(kept), a_share, kappa, needed))
    return JudgeReport(
        pairs=len(opinions),
        a_share=a_share,
        order_agreement=orders,
        kept=len(kept),
        mass=math.fsum(one.mass for one in opinions) / max(1, len(opinions)),
        bias=bias,
        spread=_deviation([one.log_odds for one in opinions]),
        agreement=share(agreed, len(kept)),
        kappa=kappa,
        uncorrected=share(right, len(opinions)),
        accepted=not reasons,
        reasons=tuple(reasons),
    )


def names_one_place(opinions: Sequence[Opinion]) -> bool:
    """Whether a judge names the same place for any answers: no more pairs need be asked."""
    said_a = sum(one.said_a for one in opinions)
    most = max(said_a, 2 * len(opinions) - said_a)
    return len(opinions) >= FEWEST_FOR_BIAS and most > SAME_PLACE * 2 * len(opinions)


def cohens_kappa(verdicts: Sequence[tuple[str, str]]) -> KappaEstimate:
    """The agreement of two judges who say "a" or "b", beyond that of chance."""
    n = len(verdicts)
    if not n:
        return KappaEstimate()
    cells = {(x, y): sum(pair == (x, y) for pair in verdicts) / n for x in "ab" for y in "ab"}
    of_first = {x: cells[x, "a"] + cells[x, "b"] for x in "ab"}
    of_second = {y: cells["a", y] + cells["b", y] for y in "ab"}
    observed = cells["a", "a"] + cells["b", "b"]
    expected = sum(of_first[x] * of_second[x] for x in "ab")
    if expected >= 1:  # both always gave the same one verdict
        return KappaEstimate(n=n)
    kappa = (observed - expected) / (1 - expected)
    diagonal = sum(cells[x, x] * (1 - (of_first[x] + of_second[x]) * (1 - kappa)) ** 2 for x in "ab")
    others = (1 - kappa) ** 2 * sum(
        cells[x, y] * (of_second[x] + of_first[y]) ** 2 for x in "ab" for y in "ab" if x != y
    )
    variance = (diagonal + others - (kappa - expected * (1 - kappa)) ** 2) / (n * (1 - expected) ** 2)
    half = _Z * math.sqrt(max(0.0, variance))
    if observed == 1:  # the estimated variance is 0: the agreement's own interval bounds it
        low = (wilson(n, n).low - expected) / (1 - expected)
        return KappaEstimate(value=1.0, low=low, high=1.0, n=n)
    return KappaEstimate(value=kappa, low=max(-1.0, kappa - half), high=min(1.0, kappa + half), n=n)


def share(count: int, n: int) -> ShareEstimate:
    found = wilson(count, n)
    return ShareEstimate(value=found.value, low=found.low, high=found.high, n=n)


def _reasons(pairs: int, kept: int, a_share: ShareEstimate, kappa: KappaEstimate, needed: int) -> list[str]:
    reasons = []
    if pairs >= FEWEST_FOR_BIAS and max(a_share.value, 1 - a_share.value) > SAME_PLACE:
        place, count = ("first", a_share.value) if a_share.value > 0.5 else ("second", 1 - a_share.value)
        reasons.append(
            f"It names the answer shown {place} {round(count * a_share.n)} of {a_share.n} times, whichever it is."
        )
    elif pairs < needed:
        reasons.append(f"You have compared {pairs} of the pairs. At least {needed} are needed to know how it judges.")
    elif not kept:
        reasons.append("It contradicts itself on every pair when the order of the answers is changed.")
    if pairs >= needed and kept and kappa.low <= 0:
        reasons.append(
            f"It does not agree with you more than chance would: Cohen's kappa {kappa.value:.2f} "
            f"({kappa.low:.2f} to {kappa.high:.2f}) on {kappa.n} pairs."
        )
    return reasons


def _deviation(values: Sequence[float]) -> float:
    if len(values) < 2:
        return 0.0
    mean = math.fsum(values) / len(values)
    return math.sqrt(math.fsum((one - mean) ** 2 for one in values) / (len(values) - 1))
