"""The interface of rewards: what they score, what they may ask for, and a weighted sum of several.

A reward is a function ``(samples, options, context) -> list[Score]``, one score for each sample in their order, with a
row of the kind "reward". ``each`` makes one of a function of a single sample.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, Protocol, TypeVar

import msgspec

from workbench.records.evaluation import Score
from workbench.records.messages import Message


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """An answer to a prompt. ``prompt_tokens`` and ``answer_tokens`` are the tokens as they were sampled, () where they
    are not known; a token that ends the answer is the last of them. ``finished`` is False where the answer was cut at
    the maximum length. ``expected`` are the accepted answers of the prompt's data set, () for none."""

    prompt: tuple[Message, ...]
    answer: str
    prompt_tokens: tuple[int, ...] = ()
    answer_tokens: tuple[int, ...] = ()
    finished: bool = True
    expected: tuple[str, ...] = ()


class ProgramResult(msgspec.Struct, frozen=True, kw_only=True):
    """What a program printed, and ``error`` when it failed."""

    printed: str = ""
    error: str = ""


class RewardContext(Protocol):
    """What rewards can ask for. Methods raise UserError, WorkerDied or errors.Cancelled."""

    def find_problem(self, format: str, grammar: str, text: str) -> str:
        """What keeps a text from matching a format of ``DecodingPart.format``; "" for nothing. Linear in its length."""

    def run_program(self, code: str) -> ProgramResult:
        """Run a Python program in the sandbox, under its limits."""

    def model_scores(self, adapter: str, samples: Sequence[Sample]) -> list[float]:
        """The scores of the reward model whose adapter has that name: mean 0, standard deviation 1 over answers of its
        base model."""

    def grade_logprobs(
        self, recipe: str, prompts: Sequence[Sequence[Message]], continuations: Sequence[str]
    ) -> list[list[float]]:
        """For each prompt the log-probability of each continuation under the judge recipe of that name, in nats; the
        recipe "" is that of the judge chosen for the run."""


RewardFunction = Callable[[Sequence[Sample], Any, RewardContext], list[Score]]
"""The function of a reward's row; the second argument is an instance of the row's configuration type."""

O = TypeVar("O")  # noqa: E741  # the options' type


def each(
    score: Callable[[Sample, O, RewardContext], Score],
) -> Callable[[Sequence[Sample], O, RewardContext], list[Score]]:
    """The reward of many samples made of that of one."""

    @wraps(score)
    def scored(samples: Sequence[Sample], options: O, context: RewardContext) -> list[Score]:
        return [score(sample, options, context) for sample in samples]

    return scored


class Rewarded(msgspec.Struct, frozen=True, kw_only=True):
    """A sample's reward: the weighted sum, and each part's own value by its name, before its weight."""

    value: float
    parts: dict[str, float]


class WeightedPart(msgspec.Struct, frozen=True, kw_only=True):
    """One reward of a sum: ``title`` is unique in it, ``score`` the row's function, ``options`` its configuration."""

    name: str
    title: str
    weight: float
    score: RewardFunction
    options: Any


class WeightedSum:
    """The sum of weighted rewards. A reward that does not apply to a sample counts 0."""

    def __init__(self, parts: Sequence[WeightedPart]) -> None:
        self.parts = tuple(parts)

    def score(self, samples: Sequence[Sample], context: RewardContext) -> list[Rewarded]:
        """A reward for each sample, in their order. Raises ValueError for a reward that is no number."""
        columns = [part.score(samples, part.options, context) for part in self.parts]
        found = []
        for row in zip(*columns, strict=True):
            values = {
                part.title: 0.0 if score.value is None else score.value
                for part, score in zip(self.parts, row, strict=True)
            }
            total = math.fsum(part.weight * values[part.title] for part in self.parts)
            if not math.isfinite(total):
                raise ValueError(f"a reward is no number: {values}")
            found.append(Rewarded(value=total, parts=values))
        return found
