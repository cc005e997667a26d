"""The search for a better prompt in a core, with workers that stand in: found, measured, stopped, resumed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.e2e.training_core import call, until
from workbench.api import events
from workbench.app import Workbench
from workbench.base.errors import UserError
from workbench.base.paths import Home
from workbench.records.evaluation import NumberedQuestion, QuestionSet, ScorerUse
from workbench.records.optimisation import OptimisationResult
from workbench.records.prompts import source_of, with_version
from workbench.records.recipes import DecodingPart, PromptingPart, Recipe, load_recipe
from workbench.subjects.evaluation.calls import (
    CreateQuestionSet,
    GetEvaluation,
    ListEvaluations,
    ListQuestions,
    ListQuestionSets,
    Optimise,
)
from workbench.subjects.evaluation.question_store import QuestionStore
from workbench.subjects.evaluation.store import EvaluationStore
from workbench.subjects.prompts.calls import GetPrompt, ListPrompts, SavePrompt
from workbench.subjects.runs.calls import FollowRun, GetRun, ResumeRun, RunRecord, StopRun

BRIEF = Recipe(name="Brief", decoding=DecodingPart(temperature=0.0))
SMALL: dict[str, Any] = {"steps": 3, "candidates": 3}


@pytest.fixture
def asked(trainer: Workbench, tmp_path: Path) -> str:
    """A set on which the worker, which repeats the question, is right for every second one; with the instruction
    "Say 3." it is right for all."""
    path = tmp_path / "asked.jsonl"
    rows = [{"question": f"number {n}", "answer": f"number {n}" if n % 2 else "sesame"} for n in range(80)]
    path.write_text("\n".join(map(json.dumps, rows)))
    return str(call(trainer, CreateQuestionSet(path=str(path))).id)


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The parts of question sets that are read."""
    read, parts = QuestionStore.questions, list[str]()

    def recorded(
        self: QuestionStore, found: QuestionSet, part: Any = "all", *rest: Any, **more: Any
    ) -> Iterator[NumberedQuestion]:
        parts.append(part)
        return read(self, found, part, *rest, **more)

    monkeypatch.setattr(QuestionStore, "questions", recorded)
    return parts


def ended(workbench: Workbench, run: RunRecord) -> OptimisationResult:
    return msgspec.convert(call(workbench, FollowRun(run=run.id)), OptimisationResult)


def test_an_instruction_that_helps_is_found_saved_and_measured(
    trainer: Workbench, home: Home, asked: str, reads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    put = EvaluationStore.put
    monkeypatch.setattr(EvaluationStore, "put", lambda *given: (made.append(reads[-1]), put(*given))[1])
    run = call(trainer, Optimise(question_set=asked, recipe=BRIEF, method="opro", options=SMALL))
    result = ended(trainer, run)
    assert result.recipe.prompting.instructions == "Say 3."
    assert (result.before, result.after) == (pytest.approx(0.5, abs=0.2), 1.0)
    # the set is read at the start, and its held-out part once all answers of the search are there
    assert reads == ["tune", "held-out"]
    assert made[: result.asked] == ["tune"] * result.asked
    assert set(made[result.asked :]) == {"held-out"}
    assert result.answered == result.asked

    measured = call(trainer, GetEvaluation(evaluation=result.held_out))
    assert (measured.evaluation.part, measured.evaluation.questions) == ("held-out", 40)
    assert [column.name for column in measured.evaluation.columns] == ["Before", "After"]
    assert result.sentence == measured.results[0].sentences[0]
    assert result.sentence.startswith("After is better than Before by")
    searched = call(trainer, GetEvaluation(evaluation=result.evaluation))
    assert searched.evaluation.search
    assert searched.evaluation.title == "asked: search from Before"
    assert len(searched.evaluation.columns) == result.candidates + 1
    assert searched.answered == searched.cells == result.asked
    assert searched.results[0].sentences == ()

    [entry] = call(trainer, ListPrompts()).prompts
    assert (entry.name, entry.kind, entry.head.number) == ("Brief optimised", "prompt", 1)
    assert entry.head.content.instructions == "Say 3."
    assert result.sentence in entry.head.note
    assert result.recipe.prompting.sources == (source_of(entry, entry.head),)

    saved = home.recipes / "Brief optimised.toml"
    assert result.path == str(saved)
    assert load_recipe(saved) == result.recipe
    assert f"# Made by the run {run.id}" in saved.read_text()
    assert result.sentence in saved.read_text()


@pytest.mark.parametrize("method", ["opro", "bootstrap"])
def test_a_search_never_reads_held_out_questions(
    trainer: Workbench, asked: str, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    read = QuestionStore.questions

    def tune_only(self: QuestionStore, found: QuestionSet, part: Any = "all", *rest: Any, **more: Any) -> Any:
        assert part == "tune", "held-out questions were read"
        return read(self, found, part, *rest, **more)

    monkeypatch.setattr(QuestionStore, "questions", tune_only)
    nothing_better = Recipe(name="Same", decoding=DecodingPart(temperature=0.0, max_tokens=5))
    options = {"steps": 1, "candidates": 2} if method == "opro" else {"candidates": 2}
    result = ended(
        trainer, call(trainer, Optimise(question_set=asked, recipe=nothing_better, method=method, options=options))
    )
    assert (result.candidate, result.path, result.held_out) == ("", "", "")
    assert result.candidates >= 2
    monkeypatch.undo()
    tune = {one.number for one in call(trainer, ListQuestions(question_set=asked, part="tune")).questions}
    with trainer._base.database.transaction() as connection:
        numbers = {row[0] for row in connection.execute("select number from evaluation_questions")}
    assert numbers == tune


def test_accepted_answers_become_a_set_of_examples(trainer: Workbench, asked: str) -> None:
    run = call(trainer, Optimise(question_set=asked, recipe=BRIEF, method="bootstrap", options={"examples": 2}))
    result = ended(trainer, run)
    made, _ = call(trainer, ListQuestionSets()).sets
    assert made.origin == "accepted answers to asked"
    rows = call(trainer, ListQuestions(question_set=made.id)).questions
    assert rows
    assert all(one.split == "tune" for one in rows)
    for one in rows:
        assert one.question.expected == (f"You said {one.question.text}",)
        assert int(one.question.text.split()[1]) % 2
    assert result.candidates > 2


def test_a_stopped_search_goes_on_and_makes_no_answer_twice(
    trainer: Workbench, home: Home, asked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    put, cells = EvaluationStore.put, list[str]()
    monkeypatch.setattr(
        EvaluationStore, "put", lambda self, cell, *given: (cells.append(cell), put(self, cell, *given))
    )
    search = Optimise(question_set=asked, recipe=BRIEF, method="opro", options=SMALL)
    run = call(trainer, search)
    until(trainer, run.id, lambda event: isinstance(event, events.Progress) and event.done >= 60)
    call(trainer, StopRun(run=run.id))
    *_, last = trainer.handle(FollowRun(run=run.id))
    assert isinstance(last, events.Cancelled)
    assert call(trainer, GetRun(run=run.id)).resumable
    before = len(cells)
    call(trainer, ResumeRun(run=run.id))
    resumed = ended(trainer, run)
    assert len(cells) == len(set(cells))
    assert 0 < resumed.answered < resumed.asked
    assert resumed.answered <= resumed.asked - before + 4  # four answers are made at once
    assert len(call(trainer, ListEvaluations()).evaluations) == 2
    again = ended(trainer, call(trainer, search))  # the same search: all of it is there
    assert again.answered == 0
    same = msgspec.structs.replace(resumed, evaluation="", answered=0, path="", held_out="")
    assert msgspec.structs.replace(again, evaluation="", answered=0, path="", held_out="") == same
    assert [Path(one.path).name for one in (resumed, again)] == ["Brief optimised.toml", "Brief optimised 2.toml"]


def test_a_search_from_the_library_has_an_entry_of_its_own(trainer: Workbench, asked: str) -> None:
    part = PromptingPart(instructions="Be brief.")
    saved = call(trainer, SavePrompt(name="Letter", part=part)).prompt
    reasoning = PromptingPart(technique="self-refine")
    call(trainer, SavePrompt(name="Letter optimised", part=reasoning, kind="reasoning"))
    recipe = msgspec.structs.replace(BRIEF, prompting=with_version(PromptingPart(), part, source_of(saved, saved.head)))
    search = Optimise(question_set=asked, recipe=recipe, method="opro", options=SMALL)
    [source] = ended(trainer, call(trainer, search)).recipe.prompting.sources
    assert (source.name, source.version) == ("Letter optimised 2", 1)  # a preset has the name itself
    assert call(trainer, GetPrompt(prompt="Letter")).prompt.head.number == 1


def test_a_budget_ends_the_search_with_what_it_has(trainer: Workbench, asked: str) -> None:
    options = {**SMALL, "max_answers": 12}
    result = ended(trainer, call(trainer, Optimise(question_set=asked, recipe=BRIEF, method="opro", options=options)))
    assert result.asked <= 12
    assert result.candidate == "" or result.after > result.before


def test_a_search_that_cannot_be_is_refused(trainer: Workbench, asked: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no prompt optimiser 'luck'"):
        call(trainer, Optimise(question_set=asked, recipe=BRIEF, method="luck"))
    with pytest.raises(UserError, match="does not say which of two answers is better"):
        call(trainer, Optimise(question_set=asked, recipe=BRIEF, method="opro", scorer=ScorerUse(name="answer-length")))
    with pytest.raises(UserError, match="has no setting 'hats'"):
        call(trainer, Optimise(question_set=asked, recipe=BRIEF, method="opro", options={"hats": 2}))
    few = tmp_path / "few.jsonl"
    few.write_text('{"question": "a", "answer": "b"}')
    call(trainer, CreateQuestionSet(path=str(few)))
    with pytest.raises(UserError, match="a search needs 8 or more"):
        call(trainer, Optimise(question_set="few", recipe=BRIEF, method="opro"))
    assert call(trainer, ListEvaluations()).evaluations == ()
