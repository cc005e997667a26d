"""The sample question sets of a core: each is added once, and stays the same set after it was edited."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.e2e.training_core import call
from workbench.api import events
from workbench.api.events import Event
from workbench.app import Workbench
from workbench.base.errors import UserError
from workbench.base.paths import RESOURCES
from workbench.records.evaluation import without_answer
from workbench.subjects.documents.calls import ListCollections, RemoveCollection
from workbench.subjects.evaluation.calls import (
    AddSampleSet,
    CreateQuestionSet,
    EditQuestion,
    ListQuestions,
    ListQuestionSets,
    ListSampleSets,
    RemoveQuestionSet,
    SuggestScorers,
)
from workbench.subjects.evaluation.samples import SAMPLE_SETS

SCORERS = {"departments": "choice-match", "sums": "number-match"}


def test_each_sample_is_as_it_is_listed(trainer: Workbench) -> None:
    listed = call(trainer, ListSampleSets()).samples
    assert listed == SAMPLE_SETS
    for sample in listed:
        if sample.collection:
            continue
        made = call(trainer, AddSampleSet(name=sample.name))
        assert (made.name, made.questions, made.notes) == (sample.title, sample.questions, ())
        rows = call(trainer, ListQuestions(question_set=made.id, limit=1_000)).questions
        assert all(one.question.has_gold for one in rows)
        assert len({one.question.text for one in rows}) == sample.questions
        assert call(trainer, SuggestScorers(question_set=made.id))[0].name == SCORERS[sample.name]


def test_a_sample_is_added_once_and_stays_as_it_was_edited(trainer: Workbench, tmp_path: Path) -> None:
    path = tmp_path / "own.jsonl"
    path.write_text(json.dumps({"question": "1 + 1?", "answer": "2"}))
    call(trainer, CreateQuestionSet(path=str(path), name="One-step sums"))  # a person's own set of that name
    made = call(trainer, AddSampleSet(name="sums"))
    assert made.name == "One-step sums 2"
    call(trainer, EditQuestion(question_set=made.id, number=7))
    again = call(trainer, AddSampleSet(name="sums"))
    assert (again.id, again.questions) == (made.id, made.questions - 1)
    assert len(call(trainer, ListQuestionSets()).sets) == 2
    call(trainer, RemoveQuestionSet(question_set=made.id))
    assert call(trainer, AddSampleSet(name="sums")).questions == made.questions
    with pytest.raises(UserError, match="no sample set named 'nothing'") as refused:
        call(trainer, AddSampleSet(name="nothing"))
    assert "departments, sums, sample-documents" in refused.value.hint


def test_the_sample_on_documents_brings_its_documents(trainer: Workbench) -> None:
    told: list[Event] = []
    made = call(trainer, AddSampleSet(name="sample-documents"), told.append)
    assert any(isinstance(event, events.Progress) for event in told)
    [collection] = call(trainer, ListCollections()).collections
    assert (collection.name, collection.documents) == (SAMPLE_SETS[2].collection, 8)
    rows = [one.question for one in call(trainer, ListQuestions(question_set=made.id, limit=1_000)).questions]
    files = {path.name for path in (RESOURCES / "samples").iterdir()}
    assert {source for row in rows for source in row.sources} == files
    assert sum(row == without_answer(row) for row in rows) == 9
    told.clear()
    assert call(trainer, AddSampleSet(name="sample-documents"), told.append) == made
    assert not any(isinstance(event, events.Progress) for event in told)  # nothing is read again
    call(trainer, RemoveCollection(collection=collection.id))
    call(trainer, AddSampleSet(name="sample-documents"))
    assert [one.documents for one in call(trainer, ListCollections()).collections] == [8]


def test_an_accepted_answer_stands_in_the_named_document() -> None:
    for line in (RESOURCES / "questions" / "sample-documents.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        text = " ".join(
            " ".join((RESOURCES / "samples" / name).read_text("utf-8") for name in row.get("sources", ())).split()
        )
        assert not row["answers"] or any(answer in text for answer in row["answers"]), row["question"]
