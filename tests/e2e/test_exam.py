"""The exam of a model as a run: with small workers, its stop, pause and resumption; with the starter, as it is."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.e2e.training_core import call, opened
from workbench.api import events
from workbench.api.events import Event
from workbench.app import Workbench
from workbench.base.errors import UserError
from workbench.base.paths import Home
from workbench.records.exam import EXAM_VERSION, ExamResult, Rate
from workbench.records.models import ModelRecord
from workbench.subjects.chats.calls import Ask
from workbench.subjects.documents.embedder import Embedding
from workbench.subjects.evaluation import exam_run as exam
from workbench.subjects.evaluation.calls import ExamineModel
from workbench.subjects.evaluation.exam import OfficeQuestion, Question, load_questions
from workbench.subjects.models.calls import ImportModel, ListModels, RegisterStarter, RemoveModel
from workbench.subjects.runs.calls import FollowRun, GetRun, ListRuns, PauseRun, ResumeRun, RunRecord, StopRun

TEXTS = {
    "en/tower": "The tower is 324 metres tall.",
    "de/fluss": "Die Donau fließt durch Wien.",
    "office/prices": "The ticket for the tower costs 12.50 euros.",
}
QUESTIONS = (
    Question(id="en/tower/1", question="How tall is the tower?", answers=("324",)),
    Question(id="en/tower/2", question="How tall is the tower? Answer slowly."),  # the small worker takes for ever
    Question(id="de/fluss/1", question="Durch welche Stadt fließt die Donau?", answers=("Wien",)),
)
QUICK = (QUESTIONS[0], QUESTIONS[2])
OFFICE = OfficeQuestion(
    id="office/fact/1",
    kind="fact",
    language="en",
    question="What does the ticket for the tower cost?",
    answers=("EUR 12,50",),
    sources=("prices.txt",),
)


@pytest.fixture
def examiner(trainer: Workbench, tmp_path: Path, minilm_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workbench:
    """A core with an exam of two documents."""
    for name, text in TEXTS.items():
        file = tmp_path / "exam" / f"{name}.txt"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
    monkeypatch.setattr(exam, "FOLDER", tmp_path / "exam")
    monkeypatch.setattr(exam, "load_questions", lambda: QUICK)
    call(trainer, ImportModel(path=str(minilm_path), name="Embedder"))
    return trainer


def examined(workbench: Workbench, watch: Callable[[Event], None] | None = None) -> ExamResult:
    run = call(workbench, ExamineModel(name="Base"))
    return msgspec.convert(call(workbench, FollowRun(run=run.id), watch), ExamResult)


def model_of(workbench: Workbench, name: str = "Base") -> ModelRecord:
    return next(model for model in call(workbench, ListModels()).models if model.name == name)


def lines_of(home: Home, run: str) -> list[str]:
    return (home.run(run) / "answers.jsonl").read_text("utf-8").splitlines()


def until_asked(workbench: Workbench, run: str, question: str) -> Iterator[Event]:
    """Follow a run until a question is asked."""
    following = workbench.handle(FollowRun(run=run))
    for event in following:
        if isinstance(event, events.Progress) and event.detail == question:
            return following
    raise AssertionError("it was never asked")


def test_exam_is_graded_and_stored_with_the_model(examiner: Workbench, home: Home) -> None:
    seen: list[Event] = []
    result = examined(examiner, seen.append)
    assert (result.version, set(result.languages)) == (EXAM_VERSION, {"en", "de"})
    assert result.languages["en"].quoted == result.languages["en"].own == Rate(1, 1)  # it repeats the first passage
    assert model_of(examiner).exam == result
    asked = [(e.done, e.total, e.unit) for e in seen if isinstance(e, events.Progress) and e.stage == "examining"]
    assert asked == [(0, 2, "questions"), (1, 2, "questions")]
    [run] = [run for run in call(examiner, ListRuns()).runs if run.kind == "exam"]
    assert sorted(path.name for path in home.run(run.id).iterdir()) == ["answers.jsonl", "config.json", "events.jsonl"]
    answers = [json.loads(line) for line in lines_of(home, run.id)]
    assert "324 metres" in answers[0]["quoted"]
    again = call(examiner, ExamineModel(name="Base"))
    assert again.id != run.id
    call(examiner, FollowRun(run=again.id))


def test_questions_on_the_office_are_told_by_their_kind(examiner: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exam, "load_questions", lambda: (*QUICK, OFFICE))
    result = examined(examiner)
    [facts] = result.office
    assert (facts.kind, facts.quoted.asked, facts.quoted.right, facts.own.right) == ("fact", 1, 1, 1)
    assert set(result.languages) == {"en", "de"}
    assert model_of(examiner).exam == result


def test_questions_of_an_exam_give_way_to_a_persons(
    examiner: Workbench, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    (exam.FOLDER / "en" / "people.txt").write_text("87 people describe the tower as ugly.", "utf-8")
    described = Question(
        id="en/people/1", question="How many people describe the tower as ugly?"
    )  # told how it is asked
    monkeypatch.setattr(exam, "load_questions", lambda: (described,))
    run = call(examiner, ExamineModel(name="Base"))
    call(examiner, FollowRun(run=run.id))
    [line] = lines_of(home, run.id)
    assert "background=True" in json.loads(line)["own"]


def test_stopped_exam_goes_on_with_the_next_question_also_in_the_next_core(
    examiner: Workbench, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exam, "load_questions", lambda: QUESTIONS)
    run = call(examiner, ExamineModel(name="Base"))
    rest = until_asked(examiner, run.id, QUESTIONS[1].question)
    assert call(examiner, ExamineModel(name="Base")).id == run.id  # it is under way
    call(examiner, StopRun(run=run.id))
    list(rest)
    stopped = call(examiner, GetRun(run=run.id))
    assert (stopped.state, stopped.resumable) == ("cancelled", True)
    assert model_of(examiner).exam is None
    done = lines_of(home, run.id)
    assert len(done) == 1

    call(examiner, ResumeRun(run=run.id))
    until_asked(examiner, run.id, QUESTIONS[1].question).close()  # type: ignore[attr-defined]
    examiner.close()
    with (home.run(run.id) / "answers.jsonl").open("a") as file:
        file.write('{"key": "torn')
    monkeypatch.setattr(exam, "load_questions", lambda: QUICK)
    later = opened(home)
    try:
        assert call(later, GetRun(run=run.id)).state == "interrupted"  # it does not start with the core
        assert call(later, ExamineModel(name="Base")).id == run.id
        call(later, FollowRun(run=run.id))
        assert lines_of(home, run.id)[0] == done[0]
        assert len(lines_of(home, run.id)) == 2
        assert model_of(later).exam is not None
    finally:
        later.close()


def test_exam_is_paused_between_two_questions(examiner: Workbench, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    paused = threading.Event()
    answered = exam._answered

    def answer_and_wait(*arguments: object) -> exam.Answered:
        made = answered(*arguments)  # type: ignore[arg-type]
        paused.wait(30)
        return made

    monkeypatch.setattr(exam, "_answered", answer_and_wait)
    run = call(examiner, ExamineModel(name="Base"))
    rest = until_asked(examiner, run.id, QUICK[0].question)
    record: RunRecord = call(examiner, PauseRun(run=run.id))
    assert record.paused
    paused.set()
    call(examiner, Ask(question="Are you there?"))  # a person is answered meanwhile
    assert call(examiner, GetRun(run=run.id)).state == "running"
    call(examiner, ResumeRun(run=run.id))
    assert isinstance(list(rest)[-1], events.Finished)


def test_exam_is_stopped_for_a_model_that_is_removed(examiner: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exam, "load_questions", lambda: QUESTIONS)
    run = call(examiner, ExamineModel(name="Base"))
    rest = until_asked(examiner, run.id, QUESTIONS[1].question)
    call(examiner, RemoveModel(name="Base"))
    assert isinstance(list(rest)[-1], events.Cancelled)
    with pytest.raises(UserError, match="embedding model"):
        call(examiner, ExamineModel(name="Embedder"))


@pytest.mark.slow
def test_starter_takes_a_shortened_exam(
    tmp_path: Path, smollm_path: Path, minilm_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Real workers, documents and questions: the first answerable one of each language, and one that is not."""
    known = [one for one in load_questions() if isinstance(one, Question)]
    short = [
        next(one for one in known if one.language == language and bool(one.answers) is answerable)
        for language in ("en", "de")
        for answerable in (True, False)
    ]
    monkeypatch.setattr(exam, "load_questions", lambda: tuple(short))
    asked: list[str] = []
    multilingual = Embedding.multilingual

    def noted(self: Embedding, *arguments: Any) -> ModelRecord | None:
        asked.append("multilingual")
        return multilingual(self, *arguments)

    monkeypatch.setattr(Embedding, "multilingual", noted)
    workbench = Workbench(Home(tmp_path / "home"))
    workbench.start()
    try:
        models = call(workbench, RegisterStarter()).models
        name = next(model.name for model in models if model.kind == "chat")
        run = call(workbench, ExamineModel(name=name))
        result = msgspec.convert(call(workbench, FollowRun(run=run.id)), ExamResult)
        for rates in result.languages.values():
            assert rates.own.count == rates.quoted.count == 1 - rates.declined.right
            assert (rates.declined.count, rates.abstained.count) == (1, 1)
        assert result.languages["en"].quoted == Rate(1, 1)
        assert asked == ["multilingual"] * 2  # German, and no running text: as in a person's new collection
        assert result.seconds > 0
        assert model_of(workbench, name).exam == result
    finally:
        workbench.close()
