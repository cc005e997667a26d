"""A judge of two answers: both orders are asked, and a verdict is given only where they agree.

A judge with a preference for the answer shown first has the same log-odds for it in both orders, so that the mean over
the orders is without it (Zheng et al. 2023, arXiv:2306.05685); pairs in which the orders name different answers are
dropped. The judge is asked for the log-probabilities of the two verdicts, as in RLAIF (Lee et al. 2023,
arXiv:2309.00267), with a written constitution (Bai et al. 2022, arXiv:2212.08073).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import msgspec

from workbench.records.judging import CONSTITUTION
from workbench.records.messages import Message

VERDICTS = ("A", "B")
LONGEST_TURN = 4_000
"""Characters of an earlier turn that a judge is shown."""

AskJudge = Callable[[Sequence[Sequence[Message]]], Sequence[Sequence[float]]]
"""For each prompt the log-probabilities of ``VERDICTS`` among all tokens, in nats."""


class PairToJudge(msgspec.Struct, frozen=True, kw_only=True):
    """Two answers to a prompt."""

    prompt: tuple[Message, ...]
    a: str
    b: str


class Opinion(msgspec.Struct, frozen=True, kw_only=True):
    """What a judge said of a pair: the log-odds of answer a when it was shown first, and when it was shown second;
    ``mass`` is the mean probability of the two verdicts."""

    shown_first: float
    shown_second: float
    mass: float = 1.0

    @property
    def log_odds(self) -> float:
        """Of answer a, without a constant preference for a place."""
        return (self.shown_first + self.shown_second) / 2

    @property
    def orders_agree(self) -> bool:
        return self.shown_first * self.shown_second > 0

    @property
    def said_a(self) -> int:
        """How many of the two times it named the answer that was shown first."""
        return int(self.shown_first > 0) + int(self.shown_second < 0)

    def winner(self, threshold: float = 0.0) -> str:
        """ "a" or "b"; "" where the orders disagree or the log-odds are within the threshold."""
        if not self.orders_agree or abs(self.log_odds) <= threshold:
            return ""
        return "a" if self.log_odds > 0 else "b"

    @property
    def confidence(self) -> float:
        """The probability of the answer that it prefers, in [0.5, 1]."""
        return 1 / (1 + math.exp(-min(abs(self.log_odds), 700.0)))


def judging_prompt(pair: PairToJudge, constitution: str = "", *, swapped: bool = False) -> tuple[Message, ...]:
    """What asks a judge which of two answers is better; ``swapped``: b is shown as A."""
    first, second = (pair.b, pair.a) if swapped else (pair.a, pair.b)
    asked = "\n\n".join(f"{one.role.capitalize()}: {one.content[:LONGEST_TURN].strip()}" for one in pair.prompt)
    parts = [
        "Two answers to the same conversation are compared by these principles.",
        (constitution or CONSTITUTION).strip(),
        f"Conversation:\n{asked}",
        f"Answer A:\n{first.strip()}",
        f"Answer B:\n{second.strip()}",
        "Which answer is better? Reply with A or B.",
    ]
    return (Message("user", "\n\n".join(parts)),)


def ask(pairs: Sequence[PairToJudge], judge: AskJudge, constitution: str = "") -> list[Opinion]:
    """A judge's opinion of each pair, asked in both orders."""
    prompts = [judging_prompt(pair, constitution, swapped=swapped) for pair in pairs for swapped in (False, True)]
    found = list(judge(prompts))
    opinions = []
    for straight, swapped in zip(found[0::2], found[1::2], strict=True):
        mass = sum(math.exp(logprob) for logprob in (*straight, *swapped)) / 2
        opinions.append(
            Opinion(shown_first=straight[0] - straight[1], shown_second=swapped[1] - swapped[0], mass=min(1.0, mass))
        )
    return opinions
