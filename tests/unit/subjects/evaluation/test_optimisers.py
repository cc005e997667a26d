"""Prompt optimisers on models that stand in, whose best prompt is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from workbench.records.evaluation import NumberedQuestion, QuestionRow
from workbench.records.messages import Message
from workbench.records.recipes import PromptingPart, Recipe, literal, system_text, unescaped
from workbench.subjects.evaluation.optimisers import bootstrapping, opro
from workbench.subjects.evaluation.optimisers.search import (
    BudgetSpent,
    Demonstration,
    Trials,
    affordable,
    parted,
    race,
    rounds,
)

BEST = "Count the letters."


def numbered(count: int) -> list[NumberedQuestion]:
    return [
        NumberedQuestion(
            number=n,
            split="tune",
            question=QuestionRow(messages=(Message("user", f"question {n}"),), expected=(f"answer {n}",)),
        )
        for n in range(1, count + 1)
    ]


class FakeSearch:
    """``right``: whether a recipe is right on a question. ``written``: what the writer writes, in a circle."""

    base = teacher = Recipe(name="Base", prompting=PromptingPart(instructions="Answer."))
    set_name, seed = "asked", 7

    def __init__(self, questions: Sequence[NumberedQuestion], budget: int = 10_000) -> None:
        self.questions = questions
        self.budget = budget
        self.asked: set[tuple[str, int]] = set()
        self.prompts: list[str] = []
        self.kept: list[Demonstration] = []
        self.written = [f"<INS>Try {n}.</INS>" for n in range(9)]

    def right(self, recipe: Recipe, number: int) -> bool:
        return number % 3 == 0

    def ask(self, recipe: Recipe, questions: Sequence[NumberedQuestion]) -> Mapping[int, bool]:
        more = {(str(recipe), one.number) for one in questions} - self.asked
        if len(self.asked) + len(more) > self.budget:
            raise BudgetSpent
        self.asked |= more
        return {one.number: self.right(recipe, one.number) for one in questions}

    def scores(self, name: str, recipe: Recipe, questions: Sequence[NumberedQuestion]) -> Mapping[int, float]:
        return {number: float(right) for number, right in self.ask(recipe, questions).items()}

    def answers(self, name: str, recipe: Recipe, questions: Sequence[NumberedQuestion]) -> Mapping[int, str]:
        return {number: f"right {number}" for number, right in self.ask(recipe, questions).items() if right}

    def write(self, prompt: str, seed: int) -> str:
        self.prompts.append(prompt)
        return self.written[(len(self.prompts) - 1) % len(self.written)]

    def keep_examples(self, demonstrations: Sequence[Demonstration]) -> tuple[str, tuple[int, ...]]:
        self.kept = list(demonstrations)
        return "kept", tuple(range(1, len(demonstrations) + 1))


class Planted(FakeSearch):
    def right(self, recipe: Recipe, number: int) -> bool:
        return number % 3 == 0 or recipe.prompting.instructions == BEST


def test_a_planted_best_instruction_is_found_and_the_writer_sees_the_scores() -> None:
    context = Planted(numbered(48))
    context.written[6] = f"Sure!\n<INS>\n“{BEST}”</INS> It is better."
    trials = Trials(context)
    opro.search(context, opro.Options(), trials)
    assert trials.best().recipe.prompting.instructions == BEST
    assert trials.best().mean == 1.0
    assert len(context.prompts) == 16
    assert BEST not in context.prompts[4]
    *_, last, closing = context.prompts[8].split("<INS>")
    assert last.startswith(f"{BEST}</INS>\nScore: 100\n")  # the best one last
    assert closing.startswith(" and </INS>")
    assert context.prompts[0].count("Question: ") == opro.EXEMPLARS
    compared = {one.number for one in trials.questions}
    shown = {n for n in range(1, 49) if f"Question: question {n}\n" in context.prompts[0]}
    assert len(shown) == opro.EXEMPLARS
    assert not shown & compared


def test_instructions_are_read_between_their_marks() -> None:
    assert opro.instruction_in("<ins>Be brief.</INS>") == "Be brief."
    assert opro.instruction_in("<INS>Be brief.<INS> More") == "Be brief."
    assert opro.instruction_in('"Be brief."\n\nI hope this helps.') == "Be brief."
    assert opro.instruction_in("<INS></INS>") == ""
    assert opro.instruction_in(f"<INS>{'x' * 1_001}</INS>") == ""
    odd = r"Use {{curly}} and \{{this}} and {{ 5 }}."
    assert system_text(PromptingPart(instructions=literal(odd))) == odd
    assert unescaped(literal(odd)) == odd


class Helped(FakeSearch):
    """Right once the example from question 9 is shown."""

    def right(self, recipe: Recipe, number: int) -> bool:
        part = recipe.prompting
        shown = (
            [self.kept[int(row) - 1].question.number for row in part.example_rows] if part.examples == "kept" else []
        )
        return number % 3 == 0 or 9 in shown


def test_bootstrapped_examples_are_the_accepted_answers_and_the_best_choice_of_them_is_taken() -> None:
    questions = numbered(60)
    context = Helped(questions)
    options = bootstrapping.Options(candidates=16)
    trials = Trials(context)
    bootstrapping.search(context, options, trials)
    train, compared = parted(questions, 0.5, context.seed)
    accepted = context.kept
    assert accepted
    assert all(one.question.number % 3 == 0 and one.answer == f"right {one.question.number}" for one in accepted)
    assert {one.question.number for one in accepted} == {one.number for one in train if one.number % 3 == 0}
    assert {one.number for one in trials.questions} <= {one.number for one in compared}
    best = trials.best().recipe.prompting
    assert (best.examples, best.example_choice, best.example_order) == ("kept", "fixed", "as-listed")
    assert 9 in [context.kept[int(row) - 1].question.number for row in best.example_rows]
    control = next(trial for trial in trials.all if trial.name == "Expected answers")
    assert control.recipe.prompting.examples == "asked"
    assert len(control.recipe.prompting.example_rows) == options.examples
    similar = next(trial for trial in trials.all if trial.name == "Similar examples").recipe.prompting
    assert (similar.examples, similar.example_choice, similar.example_rows) == ("asked", "similar", ())
    assert similar.example_count == options.examples


def test_where_nothing_is_better_the_recipe_stays() -> None:
    for module in (opro, bootstrapping):
        trials = Trials(FakeSearch(numbered(40)))
        module.search(trials._context, module.Options(), trials)  # type: ignore[attr-defined]
        assert trials.best() is trials.base
        assert len(trials.all) > 2


@pytest.mark.parametrize("budget", [10, 30, 100, 400])
@pytest.mark.parametrize("module", [opro, bootstrapping])
def test_a_search_fits_its_budget(module: object, budget: int) -> None:
    context = Planted(numbered(300), budget)
    trials = Trials(context)
    options = module.Options(max_answers=budget)  # type: ignore[attr-defined]
    try:
        module.search(context, options, trials)  # type: ignore[attr-defined]
    except BudgetSpent:
        assert budget < 30
    assert len(context.asked) <= budget
    assert trials.best() is not None


def test_a_search_whose_budget_is_spent_early_keeps_what_was_compared_fully() -> None:
    context = Planted(numbered(40), budget=60)
    context.written[0] = f"<INS>{BEST}</INS>"
    trials = Trials(context)
    with pytest.raises(BudgetSpent):
        opro.search(context, opro.Options(), trials)
    assert trials.base.asked == len(trials.questions)
    assert trials.best() is trials.base


def test_a_race_halves_its_candidates_and_gives_the_last_ones_all_questions() -> None:
    assert rounds(8, 64) == [16, 32, 64]
    assert rounds(2, 64) == rounds(1, 64) == [64]
    assert rounds(16, 5) == [5]
    assert rounds(0, 5) == []
    context = Planted(numbered(64))
    trials = Trials(context)
    trials.questions = context.questions
    candidates = [
        trials.add(str(n), Recipe(name=str(n), prompting=PromptingPart(instructions=BEST if n == 5 else f"{n}")))
        for n in range(8)
    ]
    race(trials, candidates)
    assert sorted(trial.asked for trial in candidates) == [16] * 4 + [32] * 2 + [64] * 2
    assert candidates[5].asked == 64
    assert len(context.asked) == 4 * 16 + 2 * 32 + 2 * 64
    assert affordable(8, 64, 64 + 8 * 16 + 4 * 16 + 2 * 32) == 64
    assert affordable(8, 64, 64 + 8 * 16 + 4 * 16 + 2 * 32 - 1) < 64


def test_a_set_is_parted_by_content() -> None:
    questions = numbered(20)
    train, rest = parted(questions, 0.5, 1)
    again, _ = parted(list(reversed(questions)), 0.5, 1)
    assert train == again
    assert sorted(one.number for one in (*train, *rest)) == list(range(1, 21))
    assert parted(questions[:1], 0.5, 1) == ([], questions[:1])
    assert [len(part) for part in parted(questions[:2], 0.01, 1)] == [1, 1]
