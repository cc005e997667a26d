"""Corrections: whether the model holds a second draft of an answer for better than the first one.

Used where nothing else can be checked: figures are calculated, and claims compared with passages (``support.py``). A
model that is told to correct itself changes right answers as readily as
wrong ones (Huang et al. 2024, "Large Language Models Cannot Self-Correct Reasoning Yet", arXiv:2310.01798), so a draft
stays unless the other one is preferred in either order.
"""

from __future__ import annotations

from collections.abc import Generator

from workbench.api.events import Event
from workbench.engine.inference_calls import Scores
from workbench.records.messages import Message
from workbench.techniques.budget import Budget
from workbench.techniques.context import AnswerContext, ScoreAsk

_COMPARE = (
    "Question: {question}\n\nAnswer A: {first}\n\nAnswer B: {second}\n\nWhich answer to the question is right? Reply A "
    "or B."
)
_LETTERS = ("A", "B")


def prefers(
    question: str, draft: str, other: str, budget: Budget, context: AnswerContext | None = None
) -> Generator[Event, None, bool]:
    """Whether the model holds the ``other`` answer for the right one, whichever of the two it reads first: small models
    prefer a place. Raises Exhausted."""
    asks = [
        ScoreAsk(
            messages=(Message("user", _COMPARE.format(question=question, first=first, second=second)),),
            continuations=_LETTERS,
            title=title,
        )
        for first, second, title in (
            (draft, other, "A: the draft, B: the correction"),
            (other, draft, "A: the correction, B: the draft"),
        )
    ]
    made = yield from budget.score(asks, _first_is_right, context=context)
    if len(made) < len(asks):
        return False
    behind, before = (scores.probabilities() for scores in made)
    return behind[1] > behind[0] and before[0] > before[1]


def _first_is_right(scores: Scores) -> float:
    return scores.probabilities()[0]
