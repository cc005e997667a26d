"""Examples in the prompt: which questions of a set are shown with their answers, and in which order.

Few-shot prompting: Brown et al. 2020, "Language Models are Few-Shot Learners" (arXiv:2005.14165). Similar examples: Liu
et al. 2021, "What Makes Good In-Context Examples for GPT-3?" (arXiv:2101.06804), with the nearest one last. Diverse
ones: Carbonell and Goldstein 1998, maximal marginal relevance (doi:10.1145/290941.291025).
"""

from __future__ import annotations

from collections.abc import Generator, Sequence

from workbench.api.events import Event
from workbench.base.errors import UserError
from workbench.records.recipes import Example, PromptingPart
from workbench.techniques.context import AnswerContext
from workbench.techniques.services import Similarities

CANDIDATES = 50
"""Of so many similar examples the diverse ones are chosen."""
RELEVANCE = 0.5
"""The share of relevance in maximal marginal relevance; the rest is how new an example is beside the chosen ones."""


def choose_examples(
    part: PromptingPart, question: str, context: AnswerContext
) -> Generator[Event, None, tuple[Example, ...]]:
    """The recipe's examples for a question, in the order in which they are shown, as a step of the answer."""
    if not part.examples:
        return ()
    step = context.step("examples", "Choose the examples", question)
    yield step.started
    chosen = choose(part, question, context.helpers.examples(part.examples), context.helpers.similarities)
    numbers = ", ".join(str(one.number) for one in chosen)
    yield step.finished(f"{part.examples}: {numbers}" if chosen else f"{part.examples}: none")
    if not chosen:
        yield from context.note(f"The question set {part.examples} has no examples to show.")
    return chosen


def choose(
    part: PromptingPart, question: str, rows: Sequence[Example], similarities: Similarities
) -> tuple[Example, ...]:
    """The examples for a question, in their order. A row that asks the question itself is left out."""
    asked = _normalised(question)
    able = [row for row in rows if _normalised(row.question) != asked]
    if part.example_choice == "fixed":
        chosen = _fixed(part, rows, able)
    elif part.example_choice == "all":
        chosen = able
    else:
        chosen = able[:]
    near: dict[int, float] = {}
    if chosen and (part.example_choice in ("similar", "diverse") or part.example_order != "as-listed"):
        near = dict(
            zip((row.number for row in chosen), similarities([question], [r.question for r in chosen])[0], strict=True)
        )
    if part.example_choice in ("similar", "diverse"):
        chosen.sort(key=lambda row: -near[row.number])
        if part.example_choice == "diverse":
            chosen = _diverse(chosen[: max(CANDIDATES, part.example_count)], near, part.example_count, similarities)
        chosen = chosen[: part.example_count]
    if part.example_order == "as-listed":
        return tuple(sorted(chosen, key=lambda row: row.number)) if part.example_choice != "fixed" else tuple(chosen)
    sign = 1 if part.example_order == "nearest-last" else -1
    return tuple(sorted(chosen, key=lambda row: sign * near[row.number]))


def _fixed(part: PromptingPart, rows: Sequence[Example], able: Sequence[Example]) -> list[Example]:
    if not part.example_rows:
        return list(able[: part.example_count])
    known = {str(row.number): row for row in rows}
    for number in part.example_rows:
        if number not in known:
            raise UserError(
                f"Question {number} of {part.examples} cannot be an example.",
                "Choose a question of the tuning part that has an expected answer.",
            )
    wanted = [known[number] for number in part.example_rows]
    return [row for row in wanted if row in able][: part.example_count]


def _diverse(
    candidates: Sequence[Example], near: dict[int, float], count: int, similarities: Similarities
) -> list[Example]:
    """Maximal marginal relevance: each next one is near the question and far from those that are chosen."""
    texts = [row.question for row in candidates]
    alike = similarities(texts, texts)
    left, chosen = list(range(len(candidates))), list[int]()
    while left and len(chosen) < count:

        def gain(place: int) -> float:
            known = max((alike[place][other] for other in chosen), default=0.0)
            return RELEVANCE * near[candidates[place].number] - (1 - RELEVANCE) * known

        best = max(left, key=gain)
        left.remove(best)
        chosen.append(best)
    return [candidates[place] for place in chosen]


def _normalised(text: str) -> str:
    return " ".join(text.casefold().split())
