"""What a scorer is handed, and scoring one answer by its row of the registry.

A scorer is a function ``(cell, options, context) -> Score``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from workbench.base.errors import BudgetExceeded, SendingRefused, UserError
from workbench.engine.inference_calls import Scored
from workbench.records.evaluation import CellAnswer, QuestionRow, Score
from workbench.records.messages import Message
from workbench.records.methods import Method, Trait
from workbench.records.recipes import Recipe
from workbench.rewards.reward import RewardContext, Sample


class Scorable(msgspec.Struct, frozen=True, kw_only=True):
    """An answer of ``recipe`` to a question. ``first`` is the answer of the first recipe, for scorers that compare with
    it, and None for that recipe itself. ``judge`` answers for scorers that ask a model."""

    question: QuestionRow
    answer: CellAnswer
    recipe: Recipe
    first: CellAnswer | None = None
    judge: Recipe = Recipe()


class ScorerContext(RewardContext, Protocol):
    """What scorers can ask for besides what rewards can. Methods raise UserError, WorkerDied or errors.Cancelled."""

    def score(self, recipe: Recipe, conversation: Sequence[Message], continuations: Sequence[str]) -> list[Scored]:
        """The log-probabilities of continuations after the prompt that the recipe makes of a conversation."""

    def similarities(self, text: str, others: Sequence[str]) -> list[float]:
        """Cosines by the embedding model, in [-1, 1]."""


def sample_of(cell: Scorable) -> Sample:
    """The cell as rewards see it."""
    question = cell.question
    return Sample(prompt=question.conversation(), answer=cell.answer.text, expected=question.expected)


def score_answer(method: Method, cell: Scorable, options: msgspec.Struct, context: ScorerContext) -> Score:
    """Score an answer. One that failed is a wrong one; faults are not looked for in it. A question to which a scorer's
    model has no answer, such as one that is too long for it, has no score."""
    if cell.answer.error and WITHOUT_ANSWER not in method.traits:
        return Score(None if method.unit or FEWER in method.traits else 0.0, cell.answer.error)
    if cell.first is not None and cell.first.error:
        return Score(None, cell.first.error)
    try:
        found: Score = method.load()(cell, options, context)
    except (BudgetExceeded, SendingRefused):  # nothing was asked: it can be, once it is allowed
        raise
    except UserError as error:
        return Score(None, error.message)
    return found


WITHOUT_ANSWER = "without answer"
FEWER: Trait = "fewer is better"

COMPARES_TEXTS: Trait = "compares texts"
