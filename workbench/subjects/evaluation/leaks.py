"""Says which questions of an evaluation the adapters were trained on, and what the scores are without these."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from workbench.records.evaluation import Evaluation, TrainedBefore
from workbench.subjects.evaluation.report import amount

ALL = (
    "{recipe}: all {asked:,} questions stand in the training data of {adapters}, word for word or nearly. The scores "
    "show what was learnt by heart, and nothing about other questions: ask some that were not trained."
)
SOME = (
    "{recipe}: {seen:,} of the {asked:,} questions {stand} in the training data of {adapters}, word for word or "
    "nearly. On them the scores show what was learnt by heart. {without}"
)
WITHOUT = "{title} is {before} with them and {after} on the other {others:,}."
ONE_WITHOUT = "{title} is {before} with them and {after} on the one other question."
UNKNOWN = (
    "{recipe}: it is not known what {adapters} {was} trained on, so these questions may stand in the training data."
)

MOST_SCORERS = 3


def describe_leaks(
    evaluation: Evaluation, titles: Sequence[tuple[str, str]], values: Sequence[Sequence[Mapping[int, float]]]
) -> tuple[str, ...]:
    """A few sentences for each recipe that has adapters. ``titles`` are those of the scorers with their units,
    ``values`` of each scorer the values of each column by question number."""
    found = []
    for leak in evaluation.trained_before or ():
        recipe = evaluation.columns[leak.column].name
        asked, seen = evaluation.questions, len(leak.questions)
        names = _listed(leak.adapters)
        if seen and seen >= asked:
            found.append(ALL.format(recipe=recipe, asked=asked, adapters=names))
        elif seen:
            pairs = list(zip(titles, values, strict=True))[:MOST_SCORERS]
            without = " ".join(_without(leak, title, of[leak.column]) for title, of in pairs)
            found.append(
                SOME.format(
                    recipe=recipe,
                    seen=seen,
                    asked=asked,
                    stand="stands" if seen == 1 else "stand",
                    adapters=names,
                    without=without,
                ).rstrip()
            )
        if leak.unknown:
            was = "was" if len(leak.unknown) == 1 else "were"
            found.append(UNKNOWN.format(recipe=recipe, adapters=_listed(leak.unknown), was=was))
    return tuple(found)


def _without(leak: TrainedBefore, titled: tuple[str, str], values: Mapping[int, float]) -> str:
    """A scorer's mean with and without the questions that were trained; "" where one of them has none."""
    title, unit = titled
    trained = set(leak.questions)
    others = [value for number, value in values.items() if number not in trained]
    if not others or len(others) == len(values):
        return ""
    before, after = (amount(sum(one) / len(one), unit) for one in (list(values.values()), others))
    words = ONE_WITHOUT if len(others) == 1 else WITHOUT
    return words.format(title=title, before=before, after=after, others=len(others))


def _listed(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else "".join(names)
