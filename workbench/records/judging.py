"""Judges in numbers, and win rates: what decides whether a judge may label, and whether a training was worth it."""

from __future__ import annotations

import msgspec

from workbench.base.catalogue import Shown
from workbench.records.judgement_reports import MeanEstimate, ShareEstimate

CONSTITUTION = """The better answer
- does what was asked, and is right;
- says so plainly, without padding and repetition;
- is honest about what is not known, and does no harm."""


class KappaEstimate(msgspec.Struct, frozen=True, kw_only=True):
    """Cohen's kappa of ``n`` pairs with its 95 % interval: 1 is full agreement, 0 that of chance."""

    value: float = 0.0
    low: float = -1.0
    high: float = 1.0
    n: int = 0


class JudgeReport(msgspec.Struct, frozen=True, kw_only=True):
    """A judge on ``pairs`` pairs that the person judged too, each asked in both orders.

    ``a_share``: how often it said A, the answer shown first. ``order_agreement``: of all pairs, how often both orders
    gave the same answer. ``kept``: pairs with a verdict, the others were dropped. ``mass``: the mean probability of the
    two verdicts among all tokens. ``bias``: the mean log-odds of the answer shown first, in nats, with its ``spread``.
    ``agreement`` and ``kappa`` are with the person, over the kept pairs; ``uncorrected`` is the agreement over all
    pairs by the mean log-odds of both orders. ``accepted``, else ``reasons`` say why it must not label.
    """

    pairs: int
    a_share: ShareEstimate
    order_agreement: ShareEstimate
    kept: int
    mass: float
    bias: float
    spread: float
    agreement: ShareEstimate
    kappa: KappaEstimate
    uncorrected: ShareEstimate
    accepted: bool
    reasons: tuple[Shown, ...] = ()

    @property
    def summary(self) -> Shown:
        """The figures in one sentence."""
        a, kappa = self.a_share, self.kappa
        return (
            f"It said A {round(a.value * a.n)} of {a.n} times; both orders agreed on {self.kept} of {self.pairs} "
            f"pairs; on these it agreed with you on {self.agreement.value:.0%} ({self.agreement.low:.0%} to "
            f"{self.agreement.high:.0%}), Cohen's kappa {kappa.value:.2f} ({kappa.low:.2f} to {kappa.high:.2f})."
        )


FEW_TIES = 5
"""From so many ties on, and no other verdict, what judges is doubted."""


class WinRate(msgspec.Struct, frozen=True, kw_only=True):
    """How often the answers of ``second`` won against those of ``first``, over ``n`` prompts; a tie, and two bad
    answers, count one half.

    ``controlled`` is the win rate where both answers were equally long: of a logistic regression on the difference of
    lengths (after Dubois et al. 2024, arXiv:2404.04475). ``judges`` names who judged, with numbers.
    ``second_shown_first``: how often the second's answer was shown first. ``waiting`` pairs are not judged yet.
    """

    first: str
    second: str
    n: int
    won: int
    lost: int
    tied: int
    both_bad: int
    rate: ShareEstimate
    controlled: ShareEstimate
    characters_first: MeanEstimate
    characters_second: MeanEstimate
    second_shown_first: ShareEstimate
    judges: dict[str, int] = {}
    waiting: int = 0

    @property
    def verdict(self) -> Shown:
        """The result in a sentence."""
        if not self.n:
            return "Nothing has been compared yet."
        if self.tied == self.n >= FEW_TIES:
            return (
                f"All {self.n} prompts are ties, which does not tell which is better. Where rewards compared, check "
                "that they tell the answers apart."
            )
        shown = f"{self.rate.value:.0%} of {self.n} prompts ({self.rate.low:.0%} to {self.rate.high:.0%})"
        if self.rate.low > 0.5:
            return f"{self.second} is better: it won {shown}."
        if self.rate.high < 0.5:
            return f"{self.second} is worse: it won {shown}."
        return f"No difference is shown: {self.second} won {shown}."
