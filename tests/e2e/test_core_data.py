"""Sets of examples built from chats and documents, and what a person says of answers; with workers that stand in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.e2e.training_core import call, config, opened
from workbench.api import events
from workbench.api.events import Event
from workbench.app import Workbench
from workbench.base.errors import UserError
from workbench.base.paths import Home
from workbench.records.answers import StoredMessage
from workbench.records.training import DataSet
from workbench.subjects.chats.calls import Ask, EditAnswer, ExportChat, GetChat, RateAnswer
from workbench.subjects.datasets.calls import BuildData, InspectData, ListDataSets, RemoveDataSet
from workbench.subjects.documents.calls import AddDocuments, CreateCollection
from workbench.subjects.models.calls import ImportModel
from workbench.subjects.runs.calls import FollowRun, GetRun, ResumeRun, StopRun
from workbench.training.data.preparation import load_set

TEXTS = {
    "tower": "The tower is 324 metres tall.",
    "hard": "A hard question is asked of the bridge in Prague.",
    "river": "The river flows through Vienna.",
}


@pytest.fixture
def papers(trainer: Workbench, tmp_path: Path, minilm_path: Path) -> str:
    call(trainer, ImportModel(path=str(minilm_path), name="Embedder"))
    folder = tmp_path / "papers"
    folder.mkdir()
    for name, text in TEXTS.items():
        (folder / f"{name}.txt").write_text(text)
    call(trainer, CreateCollection(name="Papers"))
    run = call(trainer, AddDocuments(collection="Papers", paths=(str(folder),)))
    call(trainer, FollowRun(run=run.id))
    return "Papers"


def asked(trainer: Workbench, question: str, chat: str | None = None) -> StoredMessage:
    result = call(trainer, Ask(question=question, chat=chat))
    answer = call(trainer, GetChat(chat=result.chat)).messages[-1]
    assert isinstance(answer, StoredMessage)
    return answer


def built(trainer: Workbench, watch: list[Event] | None = None, **fields: Any) -> DataSet:
    run = call(trainer, BuildData(**fields))
    result = call(trainer, FollowRun(run=run.id), watch.append if watch is not None else None)
    return msgspec.convert(result, DataSet)


def rows(made: DataSet) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(made.path).read_text().splitlines()]


# -- what a person says of answers ----------------------------------------------------------------


def test_an_answer_is_rated_and_written_anew(trainer: Workbench) -> None:
    answer = asked(trainer, "One")
    assert call(trainer, RateAnswer(message=answer.id, rating=1)).rating == 1
    assert call(trainer, RateAnswer(message=answer.id, rating=0)).rating == 0
    edited = call(trainer, EditAnswer(message=answer.id, text="Better"))
    assert (edited.text, edited.original) == ("Better", answer.text)
    again = call(trainer, EditAnswer(message=answer.id, text="Best"))
    assert (again.text, again.original) == ("Best", answer.text)
    assert "Best" in call(trainer, ExportChat(chat=answer.chat))
    taken_back = call(trainer, EditAnswer(message=answer.id, text=""))
    assert (taken_back.text, taken_back.original) == (answer.text, None)


def test_a_conversation_goes_on_from_what_was_written(trainer: Workbench) -> None:
    short, long = asked(trainer, "One"), asked(trainer, "One")
    call(trainer, EditAnswer(message=long.id, text="x" * 100))
    usages = [asked(trainer, "Two", chat=one.chat).usage for one in (short, long)]
    assert usages[0] is not None
    assert usages[1] is not None
    assert usages[1].prompt_tokens == usages[0].prompt_tokens + 100 - len(short.text)


def test_only_answers_are_rated(trainer: Workbench) -> None:
    answer = asked(trainer, "One")
    question = call(trainer, GetChat(chat=answer.chat)).messages[0]
    with pytest.raises(UserError, match="Only answers"):
        call(trainer, RateAnswer(message=question.id, rating=1))
    with pytest.raises(UserError, match="Only answers"):
        call(trainer, EditAnswer(message=question.id, text="x"))


# -- sets -----------------------------------------------------------------------------------------


def test_a_set_is_built_from_good_answers(trainer: Workbench, home: Home) -> None:
    good, bad, edited = (asked(trainer, question) for question in ("Good", "Bad", "Edited"))
    with pytest.raises(UserError, match="No example"):
        built(trainer, name="Mine", source="chats")
    assert call(trainer, ListDataSets()).sets == ()
    call(trainer, RateAnswer(message=good.id, rating=1))
    call(trainer, RateAnswer(message=bad.id, rating=-1))
    call(trainer, EditAnswer(message=edited.id, text="What it should have been"))
    made = built(trainer, name="Mine", source="chats")
    assert (made.name, made.examples, made.path) == ("Mine", 2, str(home.datasets / "Mine.jsonl"))
    answers = [row["messages"][-1]["content"] for row in rows(made)]
    assert sorted(answers) == sorted([good.text, "What it should have been"])
    assert {row["source"]["message"] for row in rows(made)} == {good.id, edited.id}
    assert len(load_set(Path(made.path)).examples) == 2
    only = built(trainer, name="One", source="chats", chats=(good.chat,))
    assert only.examples == 1
    assert call(trainer, InspectData(config=config("Mine"))).train.examples == 2
    with pytest.raises(UserError, match="already a set"):
        call(trainer, BuildData(name="mine", source="chats"))
    left = call(trainer, RemoveDataSet(name="Mine"))
    assert [one.name for one in left.sets] == ["One"]
    assert sorted(path.name for path in home.datasets.iterdir()) == ["One.json", "One.jsonl"]


def test_a_set_is_built_from_the_text_of_documents(trainer: Workbench, papers: str) -> None:
    made = built(trainer, name="Texts", source="text", collection=papers)
    assert {row["text"] for row in rows(made)} == set(TEXTS.values())
    assert made.origin == "text of Papers"
    loaded = load_set(Path(made.path))
    assert loaded.shape.name == "text"
    assert len(loaded.examples) == 3


def test_pairs_are_kept_only_where_their_passage_supports_them(trainer: Workbench, papers: str) -> None:
    seen: list[Event] = []
    made = built(trainer, seen, name="Pairs", source="pairs", collection=papers, questions=1)
    pairs = [e.result for e in seen if isinstance(e, events.Artifact) and e.kind == "pair"]
    assert len(pairs) == 3
    told = [e for e in seen if isinstance(e, events.Progress | events.Artifact)]
    before_pairs = [told[n - 1] for n, e in enumerate(told) if isinstance(e, events.Artifact)]
    assert {(e.stage, e.detail) for e in before_pairs if isinstance(e, events.Progress)} == {("asking", "answer 1")}
    asking = [e for e in seen if isinstance(e, events.Progress) and e.stage == "asking"]
    assert [e.done for e in asking] == [0, 0, 0.5, 1, 1, 1.5, 2, 2, 2.5]
    assert [e.seconds_left is None for e in asking] == [True] * 3 + [False] * 6
    assert [bool(pair["reason"]) for pair in pairs].count(True) == 1
    kept = {row["messages"][-1]["content"]: row["source"] for row in rows(made)}
    assert set(kept) == {TEXTS["tower"], TEXTS["river"]}
    assert kept[TEXTS["tower"]]["path"].endswith("tower.txt")
    seen.clear()
    limited = built(trainer, seen, name="Few", source="pairs", collection=papers, questions=1, limit=2)
    assert limited.examples == 1
    assert len([e for e in seen if isinstance(e, events.Artifact)]) == 2


def test_pairs_that_were_stopped_go_on_with_the_next_passage(
    trainer: Workbench, home: Home, papers: str, tmp_path: Path
) -> None:
    slow = tmp_path / "papers" / "zz.txt"
    slow.write_text("A slow snail crawls over the wall.")
    run = call(trainer, AddDocuments(collection="Papers", paths=(str(slow),)))
    call(trainer, FollowRun(run=run.id))
    run = call(trainer, BuildData(name="Pairs", source="pairs", collection=papers, questions=1))
    for event in trainer.handle(FollowRun(run=run.id)):
        if isinstance(event, events.Progress) and (event.stage, event.done) == ("asking", 3.0):
            break
    with pytest.raises(UserError, match="'pairs' is being built already"):
        call(trainer, BuildData(name="pairs", source="text", collection=papers))
    call(trainer, StopRun(run=run.id))
    list(trainer.handle(FollowRun(run=run.id)))
    stopped = call(trainer, GetRun(run=run.id))
    assert (stopped.state, stopped.resumable) == ("cancelled", True)
    assert call(trainer, ListDataSets()).sets == ()
    made_before = (home.run(run.id) / "made.jsonl").read_text().splitlines()
    assert len(made_before) == 3
    trainer.close()
    again = opened(home)
    try:
        slow.write_text("A quick snail crawls over the wall.")
        taken = call(again, AddDocuments(collection="Papers", paths=(str(slow),)))
        call(again, FollowRun(run=taken.id))
        call(again, ResumeRun(run=run.id))
        call(again, FollowRun(run=run.id))
        lines = (home.run(run.id) / "made.jsonl").read_text().splitlines()
        assert lines[:3] == made_before
        assert call(again, ListDataSets()).sets[0].examples == 3
    finally:
        again.close()


def test_what_a_set_cannot_be_built_from_is_said_at_once(trainer: Workbench) -> None:
    for source in ("pairs", "text"):
        with pytest.raises(UserError, match="needs a collection"):
            call(trainer, BuildData(name="x", source=source))  # type: ignore[arg-type]
        with pytest.raises(UserError, match="no collection"):
            call(trainer, BuildData(name="x", source=source, collection="Nope"))  # type: ignore[arg-type]
    with pytest.raises(UserError, match="no chat"):
        call(trainer, BuildData(name="x", source="chats", chats=("nope",)))
    call(trainer, CreateCollection(name="Papers"))
    for questions, limit in ((0, 0), (1, -1)):
        with pytest.raises(UserError, match="questions per passage"):
            call(trainer, BuildData(name="x", source="pairs", collection="Papers", questions=questions, limit=limit))
    with pytest.raises(UserError, match="valid set name"):
        call(trainer, BuildData(name="../x", source="chats"))
    with pytest.raises(UserError, match="no set"):
        call(trainer, RemoveDataSet(name="x"))
