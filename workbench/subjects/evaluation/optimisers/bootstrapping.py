"""Bootstrapped examples: the recipe's own accepted answers are shown to it as examples.

Khattab et al. 2023, "DSPy: Compiling Declarative Language Model Calls into Self-Improving Pipelines"
(arXiv:2310.03714), BootstrapFewShot and its random search. Subsets of the accepted answers race on the other part of
the tuning questions, with two controls that need no bootstrapping: some expected answers, and for each question those
to the most similar questions (Liu et al. 2021, "What Makes Good In-Context Examples for GPT-3?", arXiv:2101.06804).
"""

from __future__ import annotations

import random
from typing import Annotated

import msgspec

from workbench.base.fields import about
from workbench.records.evaluation import NumberedQuestion
from workbench.records.recipes import Recipe
from workbench.subjects.evaluation.optimisers.search import (
    Demonstration,
    SearchContext,
    SearchOptions,
    Trial,
    Trials,
    affordable,
    parted,
    race,
)

CONTROLS = 2
GROUP = 8
"""Questions that are tried at once, until there are enough accepted answers."""


class Options(SearchOptions, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many examples a prompt gets, and how many choices of them are compared."""

    examples: Annotated[int, about("Examples", ge=1, le=16), "A prompt has at most this number of examples."] = 4
    candidates: Annotated[
        int, about("Candidates", ge=1, le=64), "This number of different selections of examples is compared."
    ] = 8
    train_share: Annotated[
        float, about("Share for examples", gt=0, lt=1), "The examples are made from this share of the tuning questions."
    ] = 0.5


def search(context: SearchContext, options: Options, trials: Trials) -> None:
    train, compared = parted(context.questions, options.train_share, context.seed)
    tries = max(GROUP, options.max_answers // 3)
    fits = affordable(options.candidates + CONTROLS, len(compared), options.max_answers - min(tries, len(train)))
    trials.questions = compared[:fits]
    trials.score(trials.base, len(trials.questions))
    able = [one for one in train if len(one.question.messages) == 1]
    candidates: list[Trial] = []
    labelled = [str(one.number) for one in able if one.question.answer][: options.examples]
    if labelled:
        candidates.append(trials.add("Expected answers", _shown(context.base, context.set_name, labelled)))
        candidates.append(trials.add("Similar examples", _similar(context.base, context.set_name, options.examples)))
    accepted = _bootstrap(context, options, able[:tries])
    if accepted:
        name, numbers = context.keep_examples(accepted)
        drawing = random.Random(context.seed)
        chosen = list(numbers[: options.examples])
        for place in range(1, options.candidates + 1):
            recipe = _shown(context.base, name, [str(number) for number in chosen])
            candidates.append(trials.add(f"Examples {place}", recipe))
            size = drawing.randint(1, min(options.examples, len(numbers)))
            chosen = drawing.sample(numbers, size)
    race(trials, list(dict.fromkeys(candidates)))


def _bootstrap(context: SearchContext, options: Options, train: list[NumberedQuestion]) -> list[Demonstration]:
    """The teacher's accepted answers: up to four times as many as are shown."""
    found: list[Demonstration] = []
    for begin in range(0, len(train), GROUP):
        group = train[begin : begin + GROUP]
        answers = context.answers("Teacher", context.teacher, group)
        found += [
            Demonstration(question=one, answer=answers[one.number].strip())
            for one in group
            if answers.get(one.number, "").strip()
        ]
        if len(found) >= 4 * options.examples:
            break
    return found


def _shown(base: Recipe, name: str, numbers: list[str]) -> Recipe:
    """The recipe with these examples, in this order."""
    prompting = msgspec.structs.replace(
        base.prompting, examples=name, example_choice="fixed", example_rows=tuple(numbers),
        example_count=len(numbers), example_order="as-listed",
    )  # fmt: skip
    return msgspec.structs.replace(base, prompting=prompting)


def _similar(base: Recipe, name: str, count: int) -> Recipe:
    """The recipe with the most similar ones of the tuning questions; none is its own example."""
    prompting = msgspec.structs.replace(
        base.prompting, examples=name, example_choice="similar", example_rows=(), example_count=count,
        example_order="nearest-last",
    )  # fmt: skip
    return msgspec.structs.replace(base, prompting=prompting)
