"""What a prompt optimiser is handed, how its candidates race, and which one is chosen.

An optimiser is a function ``(context, options, trials)`` that tries candidates until it is done, or until the budget
ends it by ``BudgetSpent``. Everything that it can see is ``SearchContext.questions``, the tuning part of a set: it
knows no store from which others could be read.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Annotated, Protocol

import msgspec

from workbench.base.fields import about
from workbench.records.evaluation import NumberedQuestion, shuffled
from workbench.records.recipes import Recipe

FIRST_ROUND = 8
"""The least number of questions of a race's first round."""
BEFORE = "Before"
"""The name of the recipe that is optimised."""


class SearchOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The budget of a search, which all optimisers have. Measuring the result is not part of it."""

    max_answers: Annotated[
        int,
        about("Maximum answers", ge=10, le=100_000),
        "The search generates at most this number of answers to tuning questions.",
    ] = 400
    seconds: Annotated[
        int,
        about("Maximum time", ge=10, unit="s"),
        "After this time the search begins no new answer. The time before a pause counts as well.",
    ] = 1_800


class Demonstration(msgspec.Struct, frozen=True, kw_only=True):
    """A question of the tuning part with an answer that was accepted."""

    question: NumberedQuestion
    answer: str


class BudgetSpent(Exception):
    """The search would exceed its budget; what was tried so far counts."""


class SearchContext(Protocol):
    """What an optimiser can ask for. Methods raise ``BudgetSpent``, UserError, WorkerDied or errors.Cancelled."""

    base: Recipe
    teacher: Recipe
    """Answers where examples are made: ``base``, or ``base`` with the writer's model."""
    set_name: str
    questions: Sequence[NumberedQuestion]
    """The tuning part, in the order of the set."""
    seed: int

    def scores(self, name: str, recipe: Recipe, questions: Sequence[NumberedQuestion]) -> Mapping[int, float]:
        """The recipe's scores from 0 to 1 by question number; without those to which the scorer does not apply."""

    def answers(self, name: str, recipe: Recipe, questions: Sequence[NumberedQuestion]) -> Mapping[int, str]:
        """Texts of the recipe's answers that the scorer accepts, by question number."""

    def write(self, prompt: str, seed: int) -> str:
        """What the writer answers to a prompt."""

    def keep_examples(self, demonstrations: Sequence[Demonstration]) -> tuple[str, tuple[int, ...]]:
        """Make a question set of them, all for tuning. Returns its name and their numbers in it."""


class Trial:
    """A candidate and its scores so far by question number."""

    def __init__(self, name: str, recipe: Recipe) -> None:
        self.name, self.recipe = name, recipe
        self.scores: dict[int, float] = {}
        self.asked = 0

    @property
    def mean(self) -> float:
        return fmean(self.scores.values()) if self.scores else 0.0


class Trials:
    """The candidates of a search, the base recipe first, and the ``questions`` on which they are compared, which the
    optimiser chooses before it scores any."""

    def __init__(self, context: SearchContext) -> None:
        self._context = context
        self.questions: Sequence[NumberedQuestion] = ()
        self.all: list[Trial] = [Trial(BEFORE, context.base)]

    @property
    def base(self) -> Trial:
        return self.all[0]

    def add(self, name: str, recipe: Recipe) -> Trial:
        """A new candidate; one that was tried before is returned as it is."""
        known = next((trial for trial in self.all if trial.recipe == recipe), None)
        if known is None:
            known = Trial(name, recipe)
            self.all.append(known)
        return known

    def score(self, trial: Trial, count: int) -> None:
        """Score a candidate on the first ``count`` questions, where it is not scored yet."""
        if count > trial.asked:
            trial.scores.update(self._context.scores(trial.name, trial.recipe, self.questions[trial.asked : count]))
            trial.asked = count

    def best(self) -> Trial:
        """The best of the candidates that answered all questions on which they are compared, the earlier one of equals:
        the recipe that is optimised, unless another one is better."""
        able = [trial for trial in self.all if trial.asked == len(self.questions)]
        return max(able, key=lambda trial: trial.mean, default=self.base)


def race(trials: Trials, candidates: Sequence[Trial]) -> None:
    """Successive halving: in each round the better half of the candidates answers twice as many questions, up to all.

    Karnin, Koren and Somekh 2013, "Almost Optimal Exploration in Multi-Armed Bandits"; Jamieson and Talwalkar 2016
    (arXiv:1502.07943). Candidates are compared on the same questions, with the same seeds.
    """
    left = list(candidates)
    for count in rounds(len(left), len(trials.questions)):
        for trial in left:
            trials.score(trial, count)
        left.sort(key=lambda trial: -trial.mean)  # stable: the earlier one of equals
        if count < len(trials.questions):
            left = left[: math.ceil(len(left) / 2)]


def rounds(candidates: int, questions: int) -> list[int]:
    """How many questions each round of a race asks: the last one all, of two candidates or one."""
    more = max(0, math.ceil(math.log2(candidates)) - 1) if candidates else 0
    counts = [max(min(FIRST_ROUND, questions), math.ceil(questions / 2**left)) for left in range(more, -1, -1)]
    return list(dict.fromkeys(counts)) if candidates else []


def affordable(candidates: int, questions: int, answers: int) -> int:
    """On how many questions so many candidates can race, and the base recipe be scored, with so many answers."""

    def cost(count: int) -> int:
        total, left, before = count, candidates, 0
        for asked in rounds(candidates, count):
            total += left * (asked - before)
            left, before = math.ceil(left / 2), asked
        return total

    return next((count for count in range(questions, 1, -1) if cost(count) <= answers), min(1, questions))


def parted(
    questions: Sequence[NumberedQuestion], share: float, seed: int
) -> tuple[list[NumberedQuestion], list[NumberedQuestion]]:
    """A part of the questions from which prompts are made, about ``share`` of them, and one on which they are compared.
    Both have at least one where there are two."""
    drawn = shuffled(questions, seed)
    count = min(max(round(share * len(drawn)), 1), len(drawn) - 1) if len(drawn) > 1 else 0
    return drawn[:count], drawn[count:]
