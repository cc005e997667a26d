"""Question sets of a core: made of files, chats and data sets, listed and removed."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from tests.e2e.training_core import call, opened
from workbench.api import events
from workbench.api.events import Event
from workbench.app import Workbench
from workbench.base.errors import UserError
from workbench.base.paths import Home
from workbench.records.evaluation import NumberedQuestion
from workbench.subjects.chats.calls import Ask, RateAnswer
from workbench.subjects.evaluation.calls import (
    CreateQuestionSet,
    EditQuestion,
    ListQuestions,
    ListQuestionSets,
    QuestionPage,
    RemoveQuestionSet,
)


@pytest.fixture
def sums(tmp_path: Path) -> Path:
    path = tmp_path / "sums.jsonl"
    rows = [{"question": f"{n} + 1?", "answer": str(n + 1)} for n in range(1_200)] + [{"question": ""}]
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


def page(workbench: Workbench, **fields: object) -> QuestionPage:
    found = call(workbench, ListQuestions(**fields))  # type: ignore[arg-type]
    assert isinstance(found, QuestionPage)
    return found


def test_a_file_becomes_a_set_whose_split_stays(trainer: Workbench, home: Home, sums: Path) -> None:
    told: list[Event] = []
    made = call(trainer, CreateQuestionSet(path=str(sums), tune_share=0.25, seed=9), told.append)
    assert (made.name, made.questions, made.tune, made.origin) == ("sums", 1_200, 300, "sums.jsonl")
    assert made.notes[0] == "1 row is no question and was left out."
    assert [event.done for event in told if isinstance(event, events.Progress)] == [0, 500, 1_000]
    held_out = page(trainer, question_set="sums", part="held-out", first=895, limit=1_000)
    assert (held_out.total, len(held_out.questions)) == (900, 5)
    whole = page(trainer, question_set=made.id, limit=3).questions
    assert [(one.number, one.question.expected) for one in whole] == [(1, ("1",)), (2, ("2",)), (3, ("3",))]
    trainer.close()
    again = opened(home)
    assert page(again, question_set="sums", limit=3).questions == whole
    assert call(again, ListQuestionSets()).sets == (made,)
    again.close()


def test_a_set_made_again_with_the_seed_has_the_same_split(trainer: Workbench, sums: Path) -> None:
    def tune(name: str) -> list[NumberedQuestion]:
        call(trainer, CreateQuestionSet(path=str(sums), name=name, seed=4, limit=50))
        return list(page(trainer, question_set=name, part="tune").questions)

    assert tune("first") == tune("second")


def test_answers_rated_good_are_expected(trainer: Workbench) -> None:
    good = call(trainer, Ask(question="How tall is it?"))
    call(trainer, Ask(question="Not rated?"))
    with pytest.raises(UserError, match="Rate answers as good"):
        call(trainer, CreateQuestionSet(source="chats"))
    call(trainer, RateAnswer(message=good.message, rating=1))
    made = call(trainer, CreateQuestionSet(source="chats", name="Mine"))
    [one] = page(trainer, question_set=made.id).questions
    assert (one.question.text, one.question.expected) == ("How tall is it?", (good.answer.strip(),))


def test_pairs_of_a_data_set_are_questions(trainer: Workbench, home: Home) -> None:
    messages = [{"role": "user", "content": "How far?"}, {"role": "assistant", "content": "5 km"}]
    home.datasets.mkdir(exist_ok=True)
    (home.datasets / "pairs.jsonl").write_text(json.dumps({"messages": messages, "source": {"path": "/x/a.pdf"}}))
    made = call(trainer, CreateQuestionSet(source="data", path="pairs"))
    [one] = page(trainer, question_set=made.id).questions
    assert one.question.expected == ("5 km",)


def test_what_cannot_be_is_refused(trainer: Workbench, sums: Path) -> None:
    call(trainer, CreateQuestionSet(path=str(sums)))
    for refused, reason in (
        (CreateQuestionSet(path=str(sums), name="SUMS"), "already"),
        (CreateQuestionSet(path=str(sums), name=" "), "not a valid"),
        (CreateQuestionSet(path=str(sums), name="x", columns={"answer": "a"}), "Columns are question"),
        (CreateQuestionSet(path=str(sums), name="x", tune_share=1.5), "0 to 1"),
        (CreateQuestionSet(path="/nowhere.jsonl", name="x"), "no /nowhere"),
        (RemoveQuestionSet(question_set="nope"), "The sets are sums"),
    ):
        with pytest.raises(UserError, match=reason):
            call(trainer, refused)
    assert call(trainer, RemoveQuestionSet(question_set="Sums")).sets == ()


def test_a_question_is_edited_and_removed_and_stays_on_its_side(trainer: Workbench, sums: Path) -> None:
    made = call(trainer, CreateQuestionSet(path=str(sums), limit=10))
    before = page(trainer, question_set=made.id).questions
    third = before[2]
    other = msgspec.structs.replace(third.question.with_text("2 + 2?"), expected=("4", "four"))
    assert call(trainer, EditQuestion(question_set=made.id, number=3, question=other)) == made
    after = page(trainer, question_set=made.id).questions
    assert after == (*before[:2], msgspec.structs.replace(third, question=other), *before[3:])
    left = call(trainer, EditQuestion(question_set=made.id, number=3))
    assert (left.questions, left.tune) == (9, made.tune - (third.split == "tune"))
    assert call(trainer, ListQuestionSets()).sets == (left,)
    assert [one.number for one in page(trainer, question_set=made.id).questions] == [1, 2, *range(4, 11)]
    for edit, reason in (
        (EditQuestion(question_set=made.id, number=3), "no question 3"),
        (EditQuestion(question_set=made.id, number=4, question=other.with_text(" ")), "is empty"),
    ):
        with pytest.raises(UserError, match=reason):
            call(trainer, edit)
