"""A ladder in a core, with workers that stand in: planned, climbed, stopped, extended, read, exported, removed."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.e2e.training_core import call, is_step, until
from workbench.api import events
from workbench.app import Workbench
from workbench.base.errors import UserError
from workbench.base.paths import Home
from workbench.records.evaluation import EvaluationResult, NumberedQuestion
from workbench.records.ladder import AS_IT_IS, LadderPlan, LadderReport, LadderResult, RungNote
from workbench.records.messages import Message
from workbench.records.recipes import AdapterUse, DecodingPart, ModelPart, Recipe, load_recipe
from workbench.subjects.evaluation.calls import (
    CreateQuestionSet,
    Evaluate,
    GetEvaluation,
    ListEvaluations,
    ListQuestions,
)
from workbench.subjects.evaluation.store import EvaluationStore
from workbench.subjects.ladder import planning
from workbench.subjects.ladder import runs as ladder_runs
from workbench.subjects.ladder.calls import (
    ExportLadder,
    ExtendLadder,
    GetLadder,
    ListLadders,
    PlanLadder,
    RemoveLadder,
    StartLadder,
)
from workbench.subjects.ladder.estimates import Point
from workbench.subjects.ladder.learning import answer_rows
from workbench.subjects.ladder.preparing import Preparer, Work, joined
from workbench.subjects.ladder.probing import probe
from workbench.subjects.ladder.report import offer_of
from workbench.subjects.ladder.rung import Rung, Setting
from workbench.subjects.ladder.rungs import BY_NAME, rung_named
from workbench.subjects.ladder.store import LadderStore
from workbench.subjects.runs.calls import FollowRun, GetRun, ListRuns, ResumeRun, RunRecord, StopRun

DRAWN = Recipe(name="Drawn", decoding=DecodingPart(temperature=0.7))
SETTING = Setting(recipe=Recipe(), question_set="asked", task="short", tune=40)
ADAPTED = Recipe(model=ModelPart(adapters=(AdapterUse(name="learnt"),)))
CHEAP = (AS_IT_IS, "instructions", "greedy", "beam")


@pytest.fixture
def asked(trainer: Workbench, tmp_path: Path) -> str:
    """A set on which the worker, which repeats the question, is right for two of three."""
    path = tmp_path / "asked.jsonl"
    rows = [{"question": f"town {n}", "answer": f"town {n}" if n % 3 else "sesame"} for n in range(80)]
    path.write_text("\n".join(map(json.dumps, rows)))
    return str(call(trainer, CreateQuestionSet(path=str(path))).id)


def started(trainer: Workbench, asked: str, *rungs: str, **values: Any) -> RunRecord:
    record = call(trainer, StartLadder(question_set=asked, recipe=DRAWN, rungs=rungs or CHEAP, **values))
    assert isinstance(record, RunRecord)
    return record


def ended(trainer: Workbench, run: RunRecord) -> LadderReport:
    result = msgspec.convert(call(trainer, FollowRun(run=run.id)), LadderResult)
    report = call(trainer, GetLadder(ladder=result.ladder))
    assert isinstance(report, LadderReport)
    assert result.sentence == report.sentence
    return report


def test_a_plan_offers_rungs_with_what_they_take_and_lack(trainer: Workbench, asked: str) -> None:
    plan = call(trainer, PlanLadder(question_set=asked, recipe=DRAWN))
    assert isinstance(plan, LadderPlan)
    assert (plan.task, plan.tune, plan.held_out) == ("short", 40, 40)
    offers = {one.name: one for one in plan.rungs}
    assert plan.rungs[0].name == AS_IT_IS
    assert all(one.estimate.answering_s > 0 for one in plan.rungs)
    assert offers["quoted"].missing == "Choose a collection of documents first."
    assert not offers["quoted"].proposed
    assert offers["instructions"].proposed
    assert call(trainer, PlanLadder(question_set=asked, recipe=DRAWN, task="number")).task == "number"


def test_a_plan_measures_what_answers_take(trainer: Workbench, asked: str) -> None:
    plan = call(trainer, PlanLadder(question_set=asked, recipe=DRAWN, measure=True))
    offers = {one.name: one.estimate for one in plan.rungs}
    assert offers["instructions"].measured
    assert offers["lora"].preparing_s > 0
    again = call(trainer, PlanLadder(question_set=asked, recipe=DRAWN))  # what was measured still counts
    assert {one.name: one.estimate for one in again.rungs} == offers


def test_a_rung_is_estimated_by_what_its_ladder_asks_and_trains_on(trainer: Workbench, asked: str) -> None:
    """Ten of forty held-out questions; nothing is kept from the training where no best ones are joined."""
    plan = call(trainer, PlanLadder(question_set=asked, recipe=DRAWN, measure=True))
    offers = {one.name: one.estimate for one in plan.rungs}
    report = ended(trainer, started(trainer, asked, AS_IT_IS, "lora", questions=10))
    told = {one.offer.name: one.offer.estimate for one in report.rungs}
    for name in (AS_IT_IS, "lora"):
        assert told[name].answering_s == pytest.approx(offers[name].answering_s / 4)
        assert told[name].racing_s == 0
    assert told["lora"].preparing_s > offers["lora"].preparing_s
    more = call(trainer, ExtendLadder(ladder=report.ladder.id, rungs=("beam",)))
    [beam] = [one.offer.estimate for one in ended(trainer, more).rungs if one.offer.name == "beam"]
    assert beam.answering_s / beam.racing_s == pytest.approx(10 / len(planning.compared(tuning(trainer, asked), 0)))


def test_a_measurement_asks_what_no_other_rung_was_measured_on(
    trainer: Workbench, asked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the engine has read for one rung costs the next one nothing, and would make it look cheaper than it is."""
    measured: list[list[str]] = []

    def noted(recipe: Recipe, questions: Sequence[tuple[Message, ...]], *others: Any) -> Point:
        measured.append([one[-1].content for one in questions])
        return probe(recipe, questions, *others)

    monkeypatch.setattr(planning, "probe", noted)
    call(trainer, PlanLadder(question_set=asked, recipe=DRAWN, measure=True))
    assert len(measured) >= 3
    questions = [text for texts in measured[:3] for text in texts]  # of 40 tuning questions, twelve each
    assert len(set(questions)) == len(questions) == 36
    later = [text for texts in measured for text in texts]
    raced = {one.question.text for one in planning.compared(tuning(trainer, asked), 0)}
    assert not raced & set(later[: 40 - len(raced)])  # these are asked again by the ladder itself


def tuning(trainer: Workbench, asked: str) -> list[NumberedQuestion]:
    return list(call(trainer, ListQuestions(question_set=asked, part="tune")).questions)


def test_answers_of_a_ladder_are_listed_under_its_name(trainer: Workbench, asked: str) -> None:
    report = ended(trainer, started(trainer, asked))
    found = {one.id: one.title for one in call(trainer, ListEvaluations()).evaluations}
    assert found[report.ladder.evaluation] == "asked: What pays, held-out questions"
    assert found[report.ladder.race] == "asked: What pays, tuning questions"


def test_a_training_that_takes_hours_is_offered_and_not_proposed(
    trainer: Workbench, asked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning, "SLOW_S", 0.001)
    plan = call(trainer, PlanLadder(question_set=asked, recipe=DRAWN))
    lora = next(one for one in plan.rungs if one.name == "lora")
    assert (lora.proposed, lora.missing) == (False, "")
    assert lora.remark.startswith("It takes about 1 hour on this machine")


def test_a_ladder_measures_its_rungs_on_the_same_held_out_questions(trainer: Workbench, asked: str) -> None:
    report = ended(trainer, started(trainer, asked))
    assert report.state == "finished"
    assert [one.offer.name for one in report.rungs] == list(CHEAP)
    assert {one.state for one in report.rungs} <= {"measured", "skipped"}
    measured = [one for one in report.rungs if one.state == "measured"]
    assert len(measured) >= 3
    assert {one.score.n for one in measured if one.score is not None} == {40}
    grid = call(trainer, GetEvaluation(evaluation=report.ladder.evaluation))
    assert grid.evaluation.part == "held-out"
    assert {column.name for column in grid.evaluation.columns} == {one.offer.title for one in measured}
    base = report.rungs[0]
    assert base.score is not None
    assert base.score.value == grid.results[0].columns[0].value
    assert report.winner
    assert re.search("(is|are) enough", report.sentence)  # which of two that answer alike is cheaper varies
    assert call(trainer, ListLadders()).ladders[0].id == report.ladder.id
    # the same rungs by hand: the same figures, and no answer is made again
    recipes = tuple(one.recipe for one in measured if one.recipe is not None)
    by_hand = Evaluate(question_set=asked, recipes=recipes, scorers=(report.ladder.scorer,), part="held-out")
    done = msgspec.convert(call(trainer, FollowRun(run=call(trainer, by_hand).id)), EvaluationResult)
    assert done.answered == 0
    means = call(trainer, GetEvaluation(evaluation=done.evaluation)).results[0].columns
    assert [one.value for one in means] == [one.score.value for one in measured if one.score is not None]


def test_a_stopped_ladder_goes_on_and_answers_nothing_twice(
    trainer: Workbench, asked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    put = EvaluationStore.put
    monkeypatch.setattr(EvaluationStore, "put", lambda *given: (made.append(given[1]), put(*given))[1])
    run = started(trainer, asked)
    until(trainer, run.id, lambda event: isinstance(event, events.Progress) and event.done >= 50)
    call(trainer, StopRun(run=run.id))
    *_, last = trainer.handle(FollowRun(run=run.id))
    assert isinstance(last, events.Cancelled)
    assert 50 <= len(made) < 80
    [ladder] = call(trainer, ListLadders()).ladders
    assert call(trainer, GetLadder(ladder=ladder.id)).state == "stopped"
    assert call(trainer, GetRun(run=run.id)).resumable
    call(trainer, ResumeRun(run=run.id))
    report = ended(trainer, run)
    assert report.state == "finished"
    assert len(made) == len(set(made))


def test_a_limit_in_minutes_leaves_out_what_does_not_fit(trainer: Workbench, asked: str) -> None:
    report = ended(trainer, started(trainer, asked, AS_IT_IS, "instructions", "chain-of-thought", minutes=0.0001))
    assert report.rungs[0].state == "skipped" or report.rungs[0].state == "measured"
    assert {one.state for one in report.rungs[1:]} == {"skipped"}
    assert all("limit" in one.reason for one in report.rungs[1:])
    more = call(trainer, ExtendLadder(ladder=report.ladder.id, rungs=("instructions",), minutes=20))
    again = ended(trainer, more)
    assert again.rungs[1].state == "measured"


def test_a_rung_that_will_not_fit_the_limit_ends_early_and_says_how_far_it_came(
    trainer: Workbench, asked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ladder_runs, "BEYOND", 0.0)  # whatever is still to be answered is too much
    report = ended(trainer, started(trainer, asked, AS_IT_IS, "instructions", minutes=20))
    first, slow = report.rungs
    assert first.state == "measured"  # whatever the limit
    assert slow.state == "skipped"
    assert re.match(r"An answer takes .* here\. What is missing would take about ", slow.reason)
    said = re.search(r"It was right in \d+ % of the (\d+) held-out questions that it answered\.$", slow.reason)
    assert said is not None
    assert 4 <= int(said[1]) < 40
    assert slow.score is None
    monkeypatch.undo()
    call(trainer, FollowRun(run=call(trainer, ExtendLadder(ladder=report.ladder.id, rungs=("instructions",))).id))
    again = call(trainer, GetLadder(ladder=report.ladder.id)).rungs[1]
    assert (again.state, again.score.n) == ("measured", 40)


def test_what_a_rung_will_take_is_told_once_a_tenth_of_it_is_done(trainer: Workbench, asked: str) -> None:
    report = ended(trainer, started(trainer, asked, AS_IT_IS, "lora"))
    notes = LadderStore(trainer._base.database).notes(report.ladder.id)
    assert notes[AS_IT_IS].tenth.answering_s > 0
    assert notes["lora"].tenth.answering_s > 0


def test_a_combination_is_called_by_its_parts() -> None:
    note = RungNote(name="combined", joined=("similar-examples", "lora"))
    assert offer_of(BY_NAME["combined"], note).title == "Three similar examples + LoRA"
    assert offer_of(BY_NAME["combined"], RungNote(name="combined")).title == "The best ones together"


def test_rungs_that_lack_something_are_refused(trainer: Workbench, asked: str) -> None:
    with pytest.raises(UserError, match="Choose a collection"):
        started(trainer, asked, "quoted")
    with pytest.raises(UserError, match="no rung 'none'"):
        started(trainer, asked, "none")
    assert call(trainer, ListLadders()).ladders == ()


def test_a_ladder_is_exported_and_removed(trainer: Workbench, asked: str, tmp_path: Path) -> None:
    report = ended(trainer, started(trainer, asked, AS_IT_IS, "instructions"))
    for form, name in (("csv", "l.csv"), ("markdown", "l.md"), ("latex", "l.tex"), ("html", "l.html")):
        path = tmp_path / name
        call(trainer, ExportLadder(ladder=report.ladder.id, path=str(path), form=form))  # type: ignore[arg-type]
        assert "nstructions" in path.read_text("utf-8")
    assert "<svg" in (tmp_path / "l.html").read_text("utf-8")
    assert report.sentence in (tmp_path / "l.md").read_text("utf-8")
    folder = tmp_path / "recipes"
    call(trainer, ExportLadder(ladder=report.ladder.id, path=str(folder), form="recipes"))
    recipe = load_recipe(folder / "instructions.toml")
    assert recipe == report.rungs[1].recipe
    with pytest.raises(UserError, match="is there already"):
        call(trainer, ExportLadder(ladder=report.ladder.id, path=str(folder), form="recipes"))
    assert call(trainer, RemoveLadder(ladder=report.ladder.id)).ladders == ()
    with pytest.raises(UserError, match="no evaluation"):
        call(trainer, GetEvaluation(evaluation=report.ladder.evaluation))


def test_progress_names_the_rung_and_counts_all_answers(trainer: Workbench, asked: str) -> None:
    run = started(trainer, asked, AS_IT_IS, "instructions")
    told: list[events.Progress] = []
    call(trainer, FollowRun(run=run.id), lambda one: told.append(one) if isinstance(one, events.Progress) else None)
    answers = [one for one in told if one.unit == "answers"]
    assert {"As it is", "Instructions"} <= {one.stage for one in answers}
    assert (answers[-1].done, answers[-1].total) == (80, 80)
    assert all(one.seconds_left is not None for one in answers)


def trainings(trainer: Workbench) -> list[RunRecord]:
    return [one for one in call(trainer, ListRuns()).runs if one.kind == "train"]


@pytest.mark.parametrize("rung", ["lora", "all-weights", "dpo"])
def test_a_training_of_a_ladder_learns_tuning_questions_alone(
    trainer: Workbench, home: Home, asked: str, rung: str
) -> None:
    report = ended(trainer, started(trainer, asked, AS_IT_IS, rung))
    learnt = report.rungs[1]
    assert learnt.state == "measured", learnt.reason
    [run] = trainings(trainer)
    assert learnt.run == run.id
    assert learnt.cost.preparing_s > 0
    assert learnt.cost.examples > 0
    assert learnt.recipe is not None
    base = report.ladder.recipe.model
    assert learnt.recipe.model.adapters or learnt.recipe.model.name != base.name
    rows = (home.datasets / f"{run.config['data']['path']}.jsonl").read_text().splitlines()
    held = {one.question.text for one in call(trainer, ListQuestions(question_set=asked, part="held-out")).questions}
    for row in map(json.loads, rows):
        turns = row.get("messages") or row["prompt"]
        assert turns[-1 if "prompt" in row else -2]["content"] not in held
    assert learnt.leak == ""


def test_preparing_takes_the_drawing_of_answers_as_well(
    trainer: Workbench, asked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = Preparer._sampled

    def slowly(self: Preparer, rung: Any, pairs: Any, questions: Any, work: Any) -> Any:
        found = drawn(self, rung, pairs, questions, work)
        work.put(preparing_s=1_000.0)
        return found

    monkeypatch.setattr(Preparer, "_sampled", slowly)
    report = ended(trainer, started(trainer, asked, AS_IT_IS, "dpo"))
    assert report.rungs[1].state == "measured", report.rungs[1].reason
    assert report.rungs[1].cost.preparing_s > 1_000


def test_a_ladder_that_is_stopped_in_a_training_resumes_it(trainer: Workbench, tmp_path: Path) -> None:
    path = tmp_path / "slow.jsonl"
    rows = [{"question": f"town {n}", "answer": f"town {n}" if n % 3 else "sesame"} for n in range(80)]
    path.write_text("\n".join(map(json.dumps, rows)))
    slow = str(call(trainer, CreateQuestionSet(path=str(path))).id)
    run = started(trainer, slow, AS_IT_IS, "lora")
    until(trainer, run.id, lambda event: isinstance(event, events.Progress) and event.stage == "LoRA: training")
    [training] = trainings(trainer)
    until(trainer, training.id, is_step)
    call(trainer, StopRun(run=run.id))
    *_, last = trainer.handle(FollowRun(run=run.id))
    assert isinstance(last, events.Cancelled)
    *_, stopped = trainer.handle(FollowRun(run=training.id))
    assert isinstance(stopped, events.Cancelled)
    call(trainer, ResumeRun(run=run.id))
    report = ended(trainer, run)
    assert report.rungs[1].state == "measured", report.rungs[1].reason
    assert [one.id for one in trainings(trainer)] == [training.id]


def test_a_rung_that_has_learnt_held_out_questions_is_exposed(
    trainer: Workbench, asked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a planted mistake the held-out half is learnt."""
    rows = Preparer._rows

    def leaking(self: Preparer, rung: Rung, work: Work) -> Any:
        held = self._sets.questions(self._sets.get(work.ladder.question_set), "held-out")
        return [*rows(self, rung, work), *answer_rows(work.ladder.recipe, held)]

    monkeypatch.setattr(Preparer, "_rows", leaking)
    report = ended(trainer, started(trainer, asked, AS_IT_IS, "lora"))
    assert "learnt by heart" in report.rungs[1].leak
    assert any("LoRA" in note for note in report.notes)


def test_a_searched_prompt_is_a_rung(trainer: Workbench, tmp_path: Path) -> None:
    path = tmp_path / "asked.jsonl"
    rows = [{"question": f"number {n}", "answer": f"number {n}" if n % 2 else "sesame"} for n in range(80)]
    path.write_text("\n".join(map(json.dumps, rows)))
    asked = str(call(trainer, CreateQuestionSet(path=str(path))).id)
    call_ = StartLadder(question_set=asked, task="short", rungs=(AS_IT_IS, "searched-instructions"))
    report = ended(trainer, call(trainer, call_))
    searched = report.rungs[1]
    assert searched.state == "measured", searched.reason
    assert searched.recipe is not None
    assert searched.recipe.prompting.instructions == "Say 3."
    assert report.winner == "searched-instructions"


def test_parts_of_recipes_are_joined() -> None:
    base = Recipe()
    one = msgspec.structs.replace(base, decoding=DecodingPart(strategy="beam"))
    two = msgspec.structs.replace(base, prompting=msgspec.structs.replace(base.prompting, instructions="Be brief."))
    three = msgspec.structs.replace(base, decoding=DecodingPart(strategy="greedy"))
    both, taken = joined(base, [one, two, three])
    assert taken == [0, 1]  # the third changes what the first has changed
    assert (both.decoding.strategy, both.prompting.instructions) == ("beam", "Be brief.")


def test_the_best_rung_of_each_technique_is_joined() -> None:
    notes = {
        AS_IT_IS: RungNote(name=AS_IT_IS, tune_score=0.2, raced=20),
        "beam": RungNote(name="beam", tune_score=0.4, raced=20, recipe=rung_named("beam").recipe(SETTING)),
        "greedy": RungNote(name="greedy", tune_score=0.9, raced=12, recipe=rung_named("greedy").recipe(SETTING)),
        "lora": RungNote(name="lora", tune_score=0.6, raced=20, preparing_s=90.0, recipe=ADAPTED),
        "instructions": RungNote(name="instructions", tune_score=0.1, raced=20, recipe=Recipe(name="worse")),
    }
    found = Preparer.combine(None, Recipe(), notes, BY_NAME)  # type: ignore[arg-type]
    assert found is not None
    recipe, parts = found
    assert [one.name for one in parts] == ["lora", "beam"]  # the greedy one has lost its race, instructions are worse
    assert recipe.model == ADAPTED.model
    assert recipe.decoding.strategy == "beam"
    assert Preparer.combine(None, Recipe(), {**notes, "beam": notes[AS_IT_IS]}, BY_NAME) is None  # type: ignore[arg-type]
