"""A question set made from the documents of a collection by a real core, and its review: dropped and put back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from tests.local_front import LocalFront
from workbench.api import events
from workbench.api.events import Event
from workbench.app import Workbench
from workbench.base.errors import UserError
from workbench.base.paths import Home
from workbench.records.evaluation import QuestionSet
from workbench.subjects.documents.calls import AddDocuments, CreateCollection
from workbench.subjects.evaluation.calls import EditQuestion, ListQuestions, QuestionsFromDocuments
from workbench.subjects.models.calls import ImportModel
from workbench.subjects.runs.calls import FollowRun


@pytest.fixture
def core(tmp_path: Path, minilm_path: Path) -> Iterator[LocalFront]:
    workbench = Workbench(Home(tmp_path / "home"))
    workbench.start()
    front = LocalFront(workbench)
    front.call(ImportModel(path=str(minilm_path)))
    yield front
    workbench.close()


def test_a_set_is_made_from_documents_and_reviewed(core: LocalFront, tmp_path: Path) -> None:
    folder = tmp_path / "papers"
    folder.mkdir()
    lines = ("Policy number: KB-5530", "Deductible per claim: EUR 750", "Person in charge: Ms Anders")
    (folder / "policy.txt").write_text("\n".join(lines))
    (folder / "fees.csv").write_text("item,eur,per\nGarage,64,month\nGuest flat,36,night\nKey,42,\n")
    collection = core.call(CreateCollection(name="papers"))
    with pytest.raises(UserError, match="papers holds no documents"):
        core.call(QuestionsFromDocuments(collection="papers"))
    run = core.call(AddDocuments(collection=collection.id, paths=(str(folder),)))
    core.call(FollowRun(run=run.id))
    told: list[Event] = []
    run = core.call(QuestionsFromDocuments(collection="papers", limit=8))
    made = msgspec.convert(core.call(FollowRun(run=run.id), told.append), QuestionSet)
    assert any(isinstance(event, events.Progress) and event.total == 2 for event in told)
    assert (made.name, made.origin, made.origins) == ("Questions on papers", "documents of papers", (collection.id,))
    rows = core.call(ListQuestions(question_set=made.id)).questions
    assert len(rows) == made.questions == 8
    assert {source for one in rows for source in one.question.sources} == {"policy.txt", "fees.csv"}
    sides = {(source, one.split) for one in rows for source in one.question.sources if len(one.question.sources) == 1}
    assert len(sides) == len({source for source, _ in sides})
    dropped = rows[2]
    left = core.call(EditQuestion(question_set=made.id, number=3))
    assert left.questions == 7
    with pytest.raises(UserError, match="has no question 3"):
        core.call(EditQuestion(question_set=made.id, number=3, question=dropped.question))
    back = EditQuestion(question_set=made.id, number=3, question=dropped.question, split=dropped.split)
    assert core.call(back) == made
    assert core.call(ListQuestions(question_set=made.id)).questions == rows
