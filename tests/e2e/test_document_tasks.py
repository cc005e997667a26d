"""A task on a whole document is a run: seen, stopped, resumed, with the sections that were finished."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.test_core import answer_of, begin, call, ingest, last, opened, until
from workbench.api import events
from workbench.app import Workbench
from workbench.base.errors import UserError
from workbench.base.paths import Home
from workbench.records.answers import AskResult, DocumentTask
from workbench.records.recipes import Recipe, RetrievalPart
from workbench.subjects.chats.calls import Ask, DeleteChat, GetTrace, StopAnswer
from workbench.subjects.documents.calls import CreateCollection
from workbench.subjects.models.calls import ImportModel
from workbench.subjects.runs.calls import FollowRun, GetRun, GetStatus, ListRuns, ResumeRun, RunRecord, StopRun

RECIPE = Recipe(retrieval=RetrievalPart(collection="Papers", mode="own-words"))


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


@pytest.fixture
def workbench(home: Home, book: Path, smollm_path: Path, minilm_path: Path) -> Iterator[Workbench]:
    workbench = opened(home)
    for path in (smollm_path, minilm_path):
        call(workbench, ImportModel(path=str(path), name=path.name[:6]))
    call(workbench, CreateCollection(name="Papers"))
    ingest(workbench, "Papers", book)
    yield workbench
    workbench.close()


@pytest.fixture
def book(tmp_path: Path) -> Path:
    path = tmp_path / "book.txt"
    write(path, slow=3)
    return path


def write(path: Path, slow: int = 0) -> None:
    """Four sections, of which the one numbered ``slow`` is never summarised to its end."""
    words = [f"Part {n} is about the mill. " * 90 for n in range(1, 5)]
    path.write_text("\n\n".join(("slow " if n == slow else "") + text for n, text in enumerate(words, 1)))


def summarise(workbench: Workbench, book: Path) -> tuple[str, str]:
    """Begin to summarise and wait for the slow section. Returns the ids of the run and the answer."""
    arrived, _ = begin(workbench, Ask(recipe=RECIPE, document=DocumentTask(document=str(book), task="summarise")))
    message, run = until(arrived, events.Artifact), until(arrived, events.Artifact)
    assert (message.kind, run.kind) == ("message", "run")
    while (told := until(arrived, events.Progress)).detail != "section 3 of 4":
        pass
    assert (told.done, told.total) == (2, 4)
    assert told.seconds_left is not None
    while not (isinstance(event := arrived.get(timeout=30), events.TextDelta) and event.step):
        pass  # it is being generated
    return run.id, message.result["answer"]


def test_task_is_a_run_that_tells_how_far_it_is(workbench: Workbench, book: Path) -> None:
    run, answer = summarise(workbench, book)
    record: RunRecord = call(workbench, GetRun(run=run))
    assert (record.kind, record.title, record.state) == ("task", "Summarise book.txt", "running")
    assert (record.progress, record.message) == (0.5, "section 3 of 4")
    assert record.seconds_left is not None
    assert [one.id for one in call(workbench, GetStatus()).runs] == [run]
    call(workbench, StopAnswer(message=answer))
    followed, _ = begin(workbench, FollowRun(run=run))
    assert isinstance(last(followed), events.Cancelled)
    assert call(workbench, GetRun(run=run)).state == "cancelled"


def test_stopped_task_keeps_its_sections_and_resumes_with_the_next(workbench: Workbench, book: Path) -> None:
    run, answer = summarise(workbench, book)
    call(workbench, StopRun(run=run))
    followed, _ = begin(workbench, FollowRun(run=run))
    assert isinstance(last(followed), events.Cancelled)
    record = call(workbench, GetRun(run=run))
    assert (record.state, record.resumable) == ("cancelled", True)
    stopped = answer_of(workbench, record.result["chat"])
    assert (stopped.id, stopped.state) == (answer, "stopped")
    assert "[1]" in stopped.text
    assert "[2]" in stopped.text
    assert "Part 3" not in stopped.text
    assert [citation.n for citation in stopped.citations] == [1, 2]
    assert "2 of the document's 4 sections" in stopped.notices[-1]

    write(book)  # the third section is slow no more
    ingest(workbench, "Papers", book)
    call(workbench, ResumeRun(run=run))
    followed, _ = begin(workbench, FollowRun(run=run))
    assert isinstance(last(followed), events.Finished)
    assert call(workbench, GetRun(run=run)).state == "finished"
    done = answer_of(workbench, record.result["chat"])
    assert (done.id, done.state) == (answer, "done")
    assert "Part 4 is about the mill" in done.text
    sections = [step for step in call(workbench, GetTrace(message=answer)).steps if step.kind == "section"]
    assert [step.usage is None for step in sections] == [True, True, False, False]
    assert sections[0].output
    with pytest.raises(UserError, match="has finished"):
        call(workbench, ResumeRun(run=run))


def test_task_that_the_end_of_the_program_interrupts_can_be_resumed(
    workbench: Workbench, home: Home, book: Path
) -> None:
    run, answer = summarise(workbench, book)
    workbench.close()
    again = opened(home)
    record = call(again, GetRun(run=run))
    assert (record.state, record.resumable) == ("interrupted", True)
    assert call(again, ListRuns()).runs[0].id == run
    write(book)
    ingest(again, "Papers", book)
    call(again, ResumeRun(run=run))
    followed, _ = begin(again, FollowRun(run=run))
    end = last(followed)
    assert isinstance(end, events.Finished)
    assert end.result["message"] == answer
    again.close()


def test_run_of_a_deleted_chat_cannot_be_resumed(workbench: Workbench, book: Path) -> None:
    run, _ = summarise(workbench, book)
    chat = call(workbench, GetRun(run=run)).config["chat"]
    call(workbench, DeleteChat(chat=chat))
    assert call(workbench, GetRun(run=run)).state == "cancelled"
    call(workbench, ResumeRun(run=run))
    followed, _ = begin(workbench, FollowRun(run=run))
    assert isinstance(last(followed), events.Failed)
    assert call(workbench, GetRun(run=run)).state == "failed"


def test_task_is_done_where_its_run_cannot_be_written(workbench: Workbench, home: Home, book: Path) -> None:
    write(book)
    ingest(workbench, "Papers", book)
    home.runs.rename(home.runs.with_name("away"))
    home.runs.write_text("no folder")
    task = DocumentTask(document=str(book), task="summarise")
    result: AskResult = call(workbench, Ask(recipe=RECIPE, document=task))
    assert "Part 4 is about the mill" in result.answer


def test_typed_request_goes_on_from_its_finished_sections(workbench: Workbench, home: Home, book: Path) -> None:
    recipe = Recipe(retrieval=RetrievalPart(collection="Papers", mode="own-words", road="whole"))
    arrived, _ = begin(workbench, Ask(recipe=recipe, question="Summarise book.txt."))
    stored = until(arrived, events.Artifact).result
    while until(arrived, events.Progress).detail != "section 3 of 4":
        pass
    workbench.close()
    kept = list(home.sections.glob(f"{stored['chat']}/*/sections.jsonl"))
    assert [len(one.read_text().splitlines()) for one in kept] == [2]

    again = opened(home)
    write(book)
    ingest(again, "Papers", book)
    result: AskResult = call(again, Ask(recipe=recipe, chat=stored["chat"], regenerate=stored["answer"]))
    assert "Part 4 is about the mill" in result.answer
    sections = [step for step in call(again, GetTrace(message=result.message)).steps if step.kind == "section"]
    assert [step.usage is None for step in sections] == [True, True, False, False]
    assert not list(home.sections.glob("*/*"))
    again.close()
