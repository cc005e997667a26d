"""Evaluations of a core, with workers that stand in: answered, paused, killed, resumed, scored further, exported."""

from __future__ import annotations

import csv
import itertools
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.e2e.training_core import TENSORS, call, config, opened, until
from tests.unit.subjects.models.conftest import TINY_METADATA, gguf_bytes
from workbench.api import events
from workbench.app import Workbench
from workbench.base.errors import UserError
from workbench.base.paths import Home
from workbench.records.evaluation import EvaluationReport, EvaluationResult, GridPage, ScorerUse
from workbench.records.recipes import AdapterUse, DecodingPart, ModelPart, PromptingPart, Recipe, RetrievalPart
from workbench.subjects.adapters.calls import MergeAdapter
from workbench.subjects.answering.answer import answer
from workbench.subjects.documents.calls import AddDocuments, CreateCollection
from workbench.subjects.evaluation.calls import (
    AddScorers,
    CreateQuestionSet,
    EditQuestion,
    Evaluate,
    ExportEvaluation,
    GetCell,
    GetEvaluation,
    ListEvaluations,
    ListGrid,
    ListQuestions,
    RateCell,
    RemoveEvaluation,
    RemoveQuestionSet,
    SuggestScorers,
)
from workbench.subjects.models.calls import ImportModel, RemoveModel
from workbench.subjects.runs.calls import FollowRun, GetRun, PauseRun, ResumeRun, RunRecord, StopRun
from workbench.subjects.trainings.calls import Train

BRIEF = Recipe(name="Brief", decoding=DecodingPart(temperature=0.0))
POLITE = Recipe(
    name="Polite", prompting=PromptingPart(instructions="Be polite."), decoding=DecodingPart(temperature=0.0)
)
MANY = 150


def write_set(folder: Path, rows: list[dict[str, Any]]) -> str:
    path = folder / "asked.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    return str(path)


@pytest.fixture
def asked(trainer: Workbench, tmp_path: Path) -> str:
    """A set on which the worker, which repeats the question, is right for every second one."""
    rows = [{"question": f"number {n}", "answer": f"number {n}" if n % 2 else "nothing"} for n in range(MANY)]
    return str(call(trainer, CreateQuestionSet(path=write_set(tmp_path, rows))).id)


def ended(workbench: Workbench, run: RunRecord) -> EvaluationResult:
    return msgspec.convert(call(workbench, FollowRun(run=run.id)), EvaluationResult)


def report_of(workbench: Workbench, evaluation: str) -> EvaluationReport:
    found = call(workbench, GetEvaluation(evaluation=evaluation))
    assert isinstance(found, EvaluationReport)
    return found


def grid(workbench: Workbench, evaluation: str, **fields: Any) -> GridPage:
    found = call(workbench, ListGrid(evaluation=evaluation, limit=1_000, **fields))
    assert isinstance(found, GridPage)
    return found


def stages(workbench: Workbench, run: RunRecord) -> list[str]:
    told = list(workbench.handle(FollowRun(run=run.id)))
    return list(dict.fromkeys(event.stage for event in told if isinstance(event, events.Progress)))


def answered_at_least(count: int) -> Callable[[events.Event], bool]:
    return lambda event: isinstance(event, events.Progress) and event.stage == "answering" and event.done >= count


def test_recipes_are_answered_scored_and_compared(trainer: Workbench, asked: str) -> None:
    suited = call(trainer, SuggestScorers(question_set=asked))
    assert suited[0].name == "contains-answer"
    run = call(trainer, Evaluate(question_set="asked", recipes=(BRIEF, POLITE)))
    result = ended(trainer, run)
    assert result.answered == 2 * MANY
    report = report_of(trainer, result.evaluation)
    assert (report.answered, report.cells) == (2 * MANY, 2 * MANY)
    contains = report.results[0]
    assert contains.title == "Contains"
    for column in contains.columns:
        assert column is not None
        assert (column.value, column.n) == (0.5, MANY)
        assert column.low < 0.45 < 0.55 < column.high
    assert contains.sentences == ("No difference between Brief and Polite is shown (-1.8 to 1.8 points).",)
    assert report.evaluation.columns[0].digest != report.evaluation.columns[1].digest
    assert [cost.answers for cost in report.costs] == [MANY, MANY]
    assert all(cost.prompt_tokens > 5 and cost.new_tokens > 5 for cost in report.costs)

    first = grid(trainer, result.evaluation).rows[1]
    assert (first.number, first.question, first.expected) == (2, "number 1", "number 1")
    assert [cell.text.strip() for cell in first.cells] == ["You said number 1"] * 2
    assert [cell.scores[0] for cell in first.cells] == [1.0, 1.0]
    assert grid(trainer, result.evaluation, keep="wrong").total == MANY // 2
    assert grid(trainer, result.evaluation, keep="disagreement").total == 0
    assert grid(trainer, result.evaluation, keep="declined").total == 0

    cell = call(trainer, GetCell(evaluation=result.evaluation, number=2, column=1))
    assert cell.column == "Polite"
    assert cell.answer.trace is not None
    assert cell.answer.recipe.model.sha256
    assert cell.scores[0].value == 1.0


def trained_on(trainer: Workbench, folder: Path, name: str, questions: list[str]) -> str:
    """The name of an adapter that was trained on these questions."""
    path = folder / f"{name}.jsonl"
    rows = ([{"role": "user", "content": q}, {"role": "assistant", "content": "That."}] for q in questions)
    path.write_text("".join(f"{json.dumps({'messages': row})}\n" for row in rows))
    run = call(trainer, Train(config=config(str(path), name=name)))
    call(trainer, FollowRun(run=run.id))
    return name


def leaks_of(trainer: Workbench, asked: str, *adapters: str, model: str = "Base") -> tuple[str, ...]:
    part = ModelPart(name=model, adapters=tuple(AdapterUse(name=name) for name in adapters))
    recipe = Recipe(name="Tuned", model=part, decoding=DecodingPart(temperature=0.0))
    run = call(trainer, Evaluate(question_set=asked, recipes=(BRIEF, recipe)))
    return report_of(trainer, ended(trainer, run).evaluation).leaks


def test_an_evaluation_says_which_questions_its_adapters_were_trained_on(
    trainer: Workbench, asked: str, tmp_path: Path
) -> None:
    """Every second answer is right (odd numbers): those of the adapter "odd" are all right, the others are not."""
    other = trained_on(trainer, tmp_path, "other", ["something else"])
    assert leaks_of(trainer, asked, other) == ()
    odd = trained_on(trainer, tmp_path, "odd", [f"Number {n}!" for n in range(1, MANY, 2)])
    [leak] = leaks_of(trainer, asked, odd)
    assert leak.startswith("Tuned: 75 of the 150 questions stand in the training data of odd, word for word or nearly.")
    assert "learnt by heart. Contains is 50 % with them and 0 % on the other 75." in leak
    even = trained_on(trainer, tmp_path, "even", [f"number {n}" for n in range(0, MANY, 2)])
    [both] = leaks_of(trainer, asked, odd, even)
    assert both.startswith("Tuned: all 150 questions stand in the training data of odd and even, word for word")


def test_adapters_of_earlier_releases_are_looked_up_in_their_data_while_it_is_there(
    trainer: Workbench, asked: str, tmp_path: Path
) -> None:
    old = trained_on(trainer, tmp_path, "old", ["number 1", "number 2", "number 3"])
    [leak] = leaks_of(trainer, asked, old)
    assert leak.startswith("Tuned: 3 of the 150 questions stand in the training data of old")
    (tmp_path / "old.jsonl").unlink()
    assert leaks_of(trainer, asked, old) == (leak,)  # it was kept
    gone = trained_on(trainer, tmp_path, "old too", ["number 1", "number 2"])
    (tmp_path / "old too.jsonl").write_text("")
    [unknown] = leaks_of(trainer, asked, "old-too" if gone else "")
    assert unknown.startswith("Tuned: it is not known what old-too was trained on")


def test_what_an_adapter_was_trained_on_stays_with_the_model_that_was_made_of_it(
    trainer: Workbench, asked: str, tmp_path: Path
) -> None:
    odd = trained_on(trainer, tmp_path, "odd", [f"number {n}" for n in range(1, MANY, 2)])
    merge = call(trainer, MergeAdapter(adapter=odd, name="Merged"))
    call(trainer, FollowRun(run=merge.id))
    [leak] = leaks_of(trainer, asked, model="Merged")
    assert leak.startswith("Tuned: 75 of the 150 questions stand in the training data of merged")


def test_what_was_answered_is_not_answered_again(trainer: Workbench, asked: str) -> None:
    first = ended(trainer, call(trainer, Evaluate(question_set=asked, recipes=(BRIEF,))))
    renamed = msgspec.structs.replace(BRIEF, name="The same")
    again = ended(trainer, call(trainer, Evaluate(question_set=asked, recipes=(renamed, POLITE))))
    assert (first.answered, again.answered) == (MANY, MANY)
    drawn = msgspec.structs.replace(BRIEF, decoding=DecodingPart(temperature=1.0))
    other = call(trainer, Evaluate(question_set=asked, recipes=(drawn,), limit=10, seed=5))
    assert ended(trainer, other).answered == 10
    for seed, made in ((5, 0), (6, 10)):
        asked_again = call(trainer, Evaluate(question_set=asked, recipes=(drawn,), limit=10, seed=seed))
        assert ended(trainer, asked_again).answered == made


def test_a_grid_killed_at_half_goes_on_and_equals_an_uninterrupted_one(
    trainer: Workbench, home: Home, asked: str, tmp_path: Path
) -> None:
    run = call(trainer, Evaluate(question_set=asked, recipes=(BRIEF, POLITE)))
    until(trainer, run.id, answered_at_least(MANY - 20))
    assert call(trainer, PauseRun(run=run.id)).paused
    evaluation = call(trainer, ListEvaluations()).evaluations[0].id
    settled, alike = report_of(trainer, evaluation).answered, 0
    for _ in range(200):  # the answers under way are completed
        time.sleep(0.02)
        alike = alike + 1 if settled == (settled := report_of(trainer, evaluation).answered) else 0
        if alike == 20:
            break
    assert MANY - 20 <= settled < 2 * MANY
    trainer.close()  # the core leaves, or dies, while it is paused

    again = opened(home)
    left = call(again, GetRun(run=run.id))
    assert (left.state, left.resumable) == ("interrupted", True)
    call(again, ResumeRun(run=run.id))
    result = ended(again, run)
    assert result.answered == 2 * MANY - settled  # none twice, none lost
    resumed = report_of(again, evaluation)
    assert resumed.answered == 2 * MANY

    other = opened(Home(tmp_path / "other"))
    try:
        base = tmp_path / "base.gguf"
        call(other, ImportModel(path=str(base), name="Base"))
        call(other, CreateQuestionSet(path=str(tmp_path / "asked.jsonl")))
        whole = ended(other, call(other, Evaluate(question_set="asked", recipes=(BRIEF, POLITE))))
        assert grid(other, whole.evaluation) == grid(again, evaluation)
        assert report_of(other, whole.evaluation).results == resumed.results
    finally:
        other.close()
        again.close()


def test_a_paused_run_goes_on_where_it_was(trainer: Workbench, asked: str) -> None:
    run = call(trainer, Evaluate(question_set=asked, recipes=(BRIEF, POLITE)))
    until(trainer, run.id, answered_at_least(20))
    call(trainer, PauseRun(run=run.id))
    assert not call(trainer, ResumeRun(run=run.id)).paused
    assert ended(trainer, run).answered == 2 * MANY


def test_a_stopped_run_keeps_its_answers(trainer: Workbench, asked: str) -> None:
    run = call(trainer, Evaluate(question_set=asked, recipes=(BRIEF, POLITE)))
    until(trainer, run.id, answered_at_least(20))
    call(trainer, StopRun(run=run.id))
    *_, last = trainer.handle(FollowRun(run=run.id))
    assert isinstance(last, events.Cancelled)
    [evaluation] = call(trainer, ListEvaluations()).evaluations
    kept = report_of(trainer, evaluation.id).answered
    assert 20 <= kept < 2 * MANY
    more = call(trainer, AddScorers(evaluation=evaluation.id))
    assert ended(trainer, more).answered == 2 * MANY - kept


def test_a_scorer_added_later_generates_nothing(trainer: Workbench, asked: str) -> None:
    done = ended(trainer, call(trainer, Evaluate(question_set=asked, recipes=(BRIEF, POLITE), limit=20)))
    before = report_of(trainer, done.evaluation)
    judge = ScorerUse(name="judge-grade", options={"rubric": "Be right."}, recipe=Recipe())
    uses = (ScorerUse(name="answer-length"), judge, ScorerUse(name="judge-preference"), ScorerUse(name="rouge-l"))
    run = call(trainer, AddScorers(evaluation=done.evaluation, scorers=uses))
    result = ended(trainer, run)
    assert (result.answered, result.scored) == (0, 4 * 40)
    assert "answering" not in stages(trainer, run)
    report = report_of(trainer, done.evaluation)
    assert report.results[: len(before.results)] == before.results
    length, grade, preference, _ = report.results[len(before.results) :]
    assert length.unit == "words"
    assert [column.value for column in length.columns if column is not None] == [4.0, 4.0]
    # the worker finds all digits equally probable: 3 of 5
    assert [column.value for column in grade.columns if column is not None] == [0.5, 0.5]
    assert preference.columns[0] is None
    assert preference.columns[1] is not None
    # the same scorers again: there is nothing to do
    assert ended(trainer, call(trainer, AddScorers(evaluation=done.evaluation, scorers=uses))).scored == 0


def test_choice_by_probability_alone_generates_nothing(trainer: Workbench, tmp_path: Path) -> None:
    rows = [{"question": f"{n}?", "choices": ["a", "b"], "answer": n % 2} for n in range(10)]
    call(trainer, CreateQuestionSet(path=write_set(tmp_path, rows)))
    uses = (ScorerUse(name="choice-probability"),)
    result = ended(trainer, call(trainer, Evaluate(question_set="asked", recipes=(BRIEF,), scorers=uses)))
    assert (result.answered, result.scored) == (0, 10)
    [column] = report_of(trainer, result.evaluation).results[0].columns
    assert column is not None
    assert column.value == 0.5  # equally probable: the first one
    first = grid(trainer, result.evaluation).rows[0].cells[0]
    assert (first.state, first.scores) == ("missing", (1.0,))


def test_a_worker_that_dies_loses_no_answer(trainer: Workbench, tmp_path: Path) -> None:
    rows = [{"question": f"a {n}", "answer": "x"} for n in range(30)] + [{"question": "z crash a b c d", "answer": "x"}]
    call(trainer, CreateQuestionSet(path=write_set(tmp_path, rows)))
    run = call(trainer, Evaluate(question_set="asked", recipes=(BRIEF,)))
    *_, last = trainer.handle(FollowRun(run=run.id))
    assert not isinstance(last, events.Finished)
    left = call(trainer, GetRun(run=run.id))
    assert (left.state, left.resumable) == ("interrupted", True)
    [evaluation] = call(trainer, ListEvaluations()).evaluations
    assert 27 <= report_of(trainer, evaluation.id).answered <= 30


def test_a_recipe_that_cannot_answer_fails_with_its_reason(trainer: Workbench, asked: str, tmp_path: Path) -> None:
    recipe = msgspec.structs.replace(BRIEF, model=ModelPart(name="Nowhere"))
    with pytest.raises(UserError, match="Nowhere"):
        call(trainer, Evaluate(question_set=asked, recipes=(BRIEF, recipe)))
    with pytest.raises(UserError, match="no scorer 'truth'"):
        call(trainer, Evaluate(question_set=asked, recipes=(BRIEF,), scorers=(ScorerUse(name="truth"),)))
    with pytest.raises(UserError, match="from 1 to 26"):
        call(trainer, Evaluate(question_set=asked, recipes=()))
    assert call(trainer, ListEvaluations()).evaluations == ()
    broken = tmp_path / "broken.gguf"
    template = "{% for m in messages %}{{ m.content }}{% endfor %}"
    broken.write_bytes(gguf_bytes({**TINY_METADATA, "tokenizer.chat_template": template}, TENSORS))
    call(trainer, ImportModel(path=str(broken), name="Broken"))
    recipe = msgspec.structs.replace(BRIEF, model=ModelPart(name="Broken"))
    run = call(trainer, Evaluate(question_set=asked, recipes=(recipe,)))
    with pytest.raises(UserError, match="Brief could not answer: The model is broken"):
        call(trainer, FollowRun(run=run.id))
    [evaluation] = call(trainer, ListEvaluations()).evaluations
    assert report_of(trainer, evaluation.id).answered == 0  # they are asked again once it is mended


def test_exports(trainer: Workbench, asked: str, tmp_path: Path) -> None:
    done = ended(trainer, call(trainer, Evaluate(question_set=asked, recipes=(BRIEF, POLITE), limit=5)))
    paths = {form: str(tmp_path / f"out.{form}") for form in ("csv", "jsonl", "html")}
    for form, path in paths.items():
        assert call(trainer, ExportEvaluation(evaluation=done.evaluation, path=path, form=form)) == path  # type: ignore[arg-type]
    table = list(csv.DictReader(Path(paths["csv"]).read_text().splitlines()))
    assert len(table) == 10
    assert table[1]["recipe"] == "Polite"
    assert table[1]["answer"].startswith("You said number ")
    lines = [json.loads(line) for line in Path(paths["jsonl"]).read_text().splitlines()]
    assert [line["recipe"] for line in lines[:2]] == ["Brief", "Polite"]
    assert set(lines[0]["scores"]) == {"Contains", "Exact match", "Word overlap (F1)"}
    html = Path(paths["html"]).read_text()
    assert "<svg" in html
    assert "You said number" in html
    assert "http" not in html.replace("http-equiv", "")  # it needs nothing else
    assert list(tmp_path.glob(".*unfinished")) == []


def test_answers_that_repeat_themselves_are_counted(trainer: Workbench, tmp_path: Path) -> None:
    rows = [{"question": f"{n} goes {'in circles' if n < 3 else 'on'}", "answer": "goes"} for n in range(5)]
    questions = call(trainer, CreateQuestionSet(path=write_set(tmp_path, rows))).id
    varied = msgspec.structs.replace(BRIEF, name="Varied", decoding=DecodingPart(temperature=0.0, dry_multiplier=0.8))
    done = ended(trainer, call(trainer, Evaluate(question_set=questions, recipes=(BRIEF, varied))))
    assert [(cost.answers, cost.looped, cost.failed) for cost in report_of(trainer, done.evaluation).costs] == [
        (5, 3, 0),
        (5, 0, 0),
    ]
    path = tmp_path / "out.jsonl"
    call(trainer, ExportEvaluation(evaluation=done.evaluation, path=str(path), form="jsonl"))
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["looped"] for line in lines if line["recipe"] == "Brief"] == [True, True, True, False, False]
    assert not any(line["looped"] for line in lines if line["recipe"] == "Varied")
    again = ended(trainer, call(trainer, Evaluate(question_set=questions, recipes=(BRIEF,))))  # nothing is generated
    assert [cost.looped for cost in report_of(trainer, again.evaluation).costs] == [3]


def test_failed_answers_are_asked_again_when_the_run_is_not_only_to_score(
    trainer: Workbench, asked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing = {"number 3", "number 5"}

    def answer_one(request: Any, *args: Any, **options: Any) -> Any:
        if request.conversation[-1].content in failing:
            yield events.Failed(reason="user", message="The disk is full.", hint="Free some space.")
        else:
            yield from answer(request, *args, **options)

    monkeypatch.setattr("workbench.subjects.evaluation.runs.answer", answer_one)
    done = ended(trainer, call(trainer, Evaluate(question_set=asked, recipes=(BRIEF,))))
    assert (done.answered, report_of(trainer, done.evaluation).costs[0].failed) == (MANY, 2)
    failing.clear()
    more = call(trainer, AddScorers(evaluation=done.evaluation, scorers=(ScorerUse(name="rouge-l"),)))
    assert ended(trainer, more).answered == 0  # a scorer generates nothing
    assert report_of(trainer, done.evaluation).costs[0].failed == 2
    assert ended(trainer, call(trainer, AddScorers(evaluation=done.evaluation))).answered == 2
    report = report_of(trainer, done.evaluation)
    assert (report.answered, report.costs[0].failed) == (MANY, 0)
    assert [column.value for column in report.results[0].columns if column is not None] == [0.5]


def test_answers_of_another_engine_are_others(
    trainer: Workbench, home: Home, asked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    same = Evaluate(question_set=asked, recipes=(BRIEF,), limit=5)
    assert [ended(trainer, call(trainer, same)).answered for _ in range(2)] == [5, 0]
    trainer.close()
    monkeypatch.setenv("FAKE_ENGINE", "fake 2")
    again = opened(home)
    try:
        assert ended(again, call(again, same)).answered == 5
    finally:
        again.close()


def test_a_removed_set_leaves_the_evaluation_and_a_removed_evaluation_its_shared_answers(
    trainer: Workbench, asked: str
) -> None:
    first = ended(trainer, call(trainer, Evaluate(question_set=asked, recipes=(BRIEF,), limit=5)))
    second = ended(trainer, call(trainer, Evaluate(question_set=asked, recipes=(BRIEF, POLITE), limit=5)))
    call(trainer, RemoveQuestionSet(question_set=asked))
    assert grid(trainer, first.evaluation).total == 5
    assert len(call(trainer, RemoveEvaluation(evaluation=first.evaluation)).evaluations) == 1
    assert report_of(trainer, second.evaluation).answered == 10
    call(trainer, RemoveEvaluation(evaluation=second.evaluation))
    with pytest.raises(UserError, match="no evaluation"):
        grid(trainer, second.evaluation)
    rows = trainer._base.database.execute("select (select count(*) from cells), (select count(*) from scores)")
    assert rows == [(0, 0)]


def test_questions_that_begin_alike_arrive_together(
    trainer: Workbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paragraphs = {name: f"{name} " * 80 for name in ("pump", "river", "tower", "bridge")}
    rows = [
        {"context": text, "question": f"{n}?", "answer": name} for n in range(4) for name, text in paragraphs.items()
    ]
    call(trainer, CreateQuestionSet(path=write_set(tmp_path, rows)))
    asked: list[str] = []

    def answer_one(request: Any, *args: Any, **options: Any) -> Any:
        asked.append(request.conversation[-1].content.split()[0])
        yield from answer(request, *args, **options)

    monkeypatch.setattr("workbench.subjects.evaluation.runs.answer", answer_one)
    assert ended(trainer, call(trainer, Evaluate(question_set="asked", recipes=(BRIEF,)))).answered == len(rows)
    # threads overtake each other by a place, the set's order is another one altogether
    changes = sum(a != b for a, b in itertools.pairwise(asked))
    assert changes < len(rows) - len(paragraphs)


def test_scorers_that_only_read_answers_need_no_model(trainer: Workbench, asked: str) -> None:
    done = ended(trainer, call(trainer, Evaluate(question_set=asked, recipes=(BRIEF,), limit=10)))
    call(trainer, RemoveModel(name="Base"))
    more = call(trainer, AddScorers(evaluation=done.evaluation, scorers=(ScorerUse(name="rouge-l"),)))
    assert ended(trainer, more).scored == 10
    with pytest.raises(UserError, match="no chat model"):
        call(trainer, AddScorers(evaluation=done.evaluation, scorers=(ScorerUse(name="judge-grade"),)))


def test_answers_of_a_model_that_changed_are_not_mixed_with_those_before(
    trainer: Workbench, asked: str, tmp_path: Path
) -> None:
    run = call(trainer, Evaluate(question_set=asked, recipes=(BRIEF, POLITE)))
    until(trainer, run.id, answered_at_least(20))
    call(trainer, StopRun(run=run.id))
    assert isinstance(list(trainer.handle(FollowRun(run=run.id)))[-1], events.Cancelled)
    with (tmp_path / "base.gguf").open("ab") as file:
        file.write(b"\0" * 32)
    call(trainer, ResumeRun(run=run.id))
    with pytest.raises(UserError, match="Brief have changed since this evaluation began"):
        call(trainer, FollowRun(run=run.id))
    fresh = call(trainer, Evaluate(question_set=asked, recipes=(BRIEF, POLITE)))
    assert ended(trainer, fresh).answered == 2 * MANY


def test_a_judge_is_compared_with_the_ratings_of_a_person(trainer: Workbench, asked: str) -> None:
    uses = (ScorerUse(name="exact-match"), ScorerUse(name="contains-answer"), ScorerUse(name="answer-length"))
    done = ended(trainer, call(trainer, Evaluate(question_set=asked, recipes=(BRIEF, POLITE), scorers=uses, limit=8)))
    rows = grid(trainer, done.evaluation).rows
    for row in rows[:4]:
        right = row.cells[0].scores[1] == 1.0
        rated = call(
            trainer, RateCell(evaluation=done.evaluation, number=row.number, column=0, rating=1 if right else -1)
        )
        assert rated.rating == (1 if right else -1)
    exact, contains, length = report_of(trainer, done.evaluation).results
    assert contains.agreement == "Agrees with 4 of 4 of your ratings (51 to 100 %)."
    wrong = sum(row.cells[0].scores[1] == 0.0 for row in rows[:4])
    assert exact.agreement.startswith(f"Agrees with {wrong} of 4 of your ratings")  # no answer is exact
    assert length.agreement == ""
    call(trainer, RateCell(evaluation=done.evaluation, number=rows[0].number, column=0, rating=0))
    assert "3 of 3" in report_of(trainer, done.evaluation).results[1].agreement


def test_answers_after_other_examples_are_others(trainer: Workbench, asked: str) -> None:
    shown = msgspec.structs.replace(BRIEF, prompting=PromptingPart(examples="asked"))
    again = Evaluate(question_set=asked, recipes=(shown,), part="held-out", limit=5)
    assert [ended(trainer, call(trainer, again)).answered for _ in range(2)] == [5, 0]
    first = call(trainer, ListQuestions(question_set=asked, part="tune", limit=1)).questions[0]
    other = first.question.with_text("another example")
    call(trainer, EditQuestion(question_set=asked, number=first.number, question=other))
    assert ended(trainer, call(trainer, again)).answered == 5


def test_what_became_of_questions_on_documents_is_told_by_rates(
    trainer: Workbench, tmp_path: Path, minilm_path: Path
) -> None:
    """By quotes: one right, one wrong by what is accepted, one rightly declined, one that is answered and has none."""
    call(trainer, ImportModel(path=str(minilm_path), name="Embedder"))
    documents = tmp_path / "documents"
    documents.mkdir()
    (documents / "tower.txt").write_text("The tower is 324 metres tall. Its ticket costs 1.350,00 euros.", "utf-8")
    call(trainer, CreateCollection(name="tower"))
    call(trainer, FollowRun(run=call(trainer, AddDocuments(collection="tower", paths=(str(documents),))).id))
    rows = [
        {"question": "How tall is the tower?", "answers": ["324 m"]},
        {"question": "What does the ticket for the tower cost?", "answers": ["EUR 99.00"]},
        {"question": "Welche Farbe hat Elisabeths Fahrrad?", "kind": "unanswerable", "answers": []},
        {"question": "What does the ticket of the tower cost?", "answerable": "no"},
    ]
    made = call(trainer, CreateQuestionSet(path=write_set(tmp_path, rows), name="on the tower"))
    quoted = Recipe(name="Quoted", retrieval=RetrievalPart(collection="tower", mode="quoted"))
    result = ended(trainer, call(trainer, Evaluate(question_set=made.id, recipes=(quoted,))))
    report = report_of(trainer, result.evaluation)
    shares = {one.title: (column.value, column.n) for one in report.results if (column := one.columns[0]) is not None}
    cells = [
        call(trainer, GetCell(evaluation=result.evaluation, number=number, column=0)).answer
        for number in range(1, len(rows) + 1)
    ]
    assert [cell.outcome == "not_found" for cell in cells] == [False, False, True, False]
    misled = [number for number in (2, 4) if cells[number - 1].outcome == "found"]
    assert shares["Right"] == (0.5, 4)
    assert shares["Right and unmarked"][0] + shares["Right and marked"][0] == 0.5
    assert shares["Wrong and unmarked"] == (len(misled) / 4, 4)
    assert shares["Declined wrongly"] == (0.0, 2)
    assert shares["Declined rightly"] == (0.5, 2)
    place = next(n for n, use in enumerate(report.evaluation.scorers) if use.name == "wrong-unmarked")
    wrong = grid(trainer, result.evaluation, keep="wrong", scorer=place)
    assert [row.number for row in wrong.rows] == misled
    assert [row.expected for row in grid(trainer, result.evaluation).rows][2] == "no answer"
