"""Judgements in the database: filters, pages, undo, queues."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from workbench.base.errors import UserError
from workbench.base.paths import Home
from workbench.records.judgements import JudgedAnswer, Judgement, JudgementFilter, LabellingQueue
from workbench.records.messages import Message
from workbench.records.recipes import ModelPart, Recipe
from workbench.storage.database import Database, open_home
from workbench.subjects.judgements.store import JudgementStore, QueueStore, matches


@pytest.fixture
def database(tmp_path: Path) -> Database:
    home = Home(tmp_path / "home")
    home.create()
    return open_home(home)


@pytest.fixture
def store(database: Database) -> JudgementStore:
    return JudgementStore(database)


def pair(question: str, a: str = "Yes.", b: str = "No.", **fields: object) -> Judgement:
    values = {"verdict": "a", "changed": 1.0, **fields}
    return Judgement(
        prompt=(Message("user", question),),
        a=JudgedAnswer(text=a),
        b=JudgedAnswer(text=b),
        **values,  # type: ignore[arg-type]
    )


def test_a_judgement_is_stored_whole_with_its_recipes(store: JudgementStore) -> None:
    recipe = Recipe(name="precise", model=ModelPart(name="smol"))
    answer = JudgedAnswer(text="Forty.", name="precise", recipe=recipe, tokens=(1, 2), finish="length", score=0.5)
    given = msgspec.structs.replace(pair("How high?", shown="ba", judge="model", judge_name="strict"), a=answer)
    [id] = store.add([given], "Preference")
    assert store.get(id) == msgspec.structs.replace(given, id=id)


def test_filters_mean_the_same_in_the_database_and_for_values(store: JudgementStore) -> None:
    given = [
        pair("Is the BRIDGE high?", judge="model", judge_name="strict", source="judge", changed=5.0),
        pair("Is the river deep?", "It is deep.", "", verdict="b", origin="pairs.jsonl, line 3", source="import"),
        pair("Is the tower tall?", verdict="tie", chat="c1", queue="q1"),
        pair("Waiting?", verdict="", queue="q1"),
        Judgement(prompt=(Message("user", "Good?"),), a=JudgedAnswer(text="Yes."), verdict="good", changed=2.0),
        msgspec.structs.replace(pair("Edited?"), a=JudgedAnswer(text="Mine.", original="Its.")),
    ]
    ids = store.add(given, "added")
    stored = [msgspec.structs.replace(one, id=id) for one, id in zip(given, ids, strict=True)]
    for which in (
        JudgementFilter(),
        JudgementFilter(search="bridge high"),
        JudgementFilter(search="DEEP"),
        JudgementFilter(verdicts=("tie", "b")),
        JudgementFilter(verdicts=("",)),
        JudgementFilter(sources=("judge",)),
        JudgementFilter(judges=("person",)),
        JudgementFilter(judge_name="strict"),
        JudgementFilter(chat="c1"),
        JudgementFilter(origin="pairs.jsonl"),
        JudgementFilter(origin="pairs"),
        JudgementFilter(queue="q1"),
        JudgementFilter(kind="pairs"),
        JudgementFilter(kind="single"),
        JudgementFilter(edited=True),
        JudgementFilter(edited=False, kind="pairs"),
        JudgementFilter(ids=(ids[0], ids[4])),
        JudgementFilter(since=2.0),
    ):
        expected = {one.id for one in stored if matches(which, one)}
        assert {one.id for _, one in store.page(which)} == expected, which
        assert [one.id for one in store.each(which)] == [one.id for one in stored if one.id in expected]
        assert store.count(which) == len(expected)
        assert expected or which == JudgementFilter(origin="pairs")


def test_pages_are_the_latest_first(store: JudgementStore) -> None:
    ids = store.add([pair(f"{number}?", changed=float(number)) for number in range(5)], "added")
    assert [one.id for _, one in store.page(JudgementFilter(), 1, 2)] == [ids[3], ids[2]]


def test_every_action_is_undone_the_last_one_first(store: JudgementStore) -> None:
    [first] = store.add([pair("One?")], "Preference")
    store.add([pair("Two?"), pair("Three?")], "Import of pairs.jsonl")
    store.change(msgspec.structs.replace(store.get(first), verdict="b"), "Preference")
    store.remove([first, "rating:m1:+1"], "Deletion")
    assert store.left_out() == {"rating:m1:+1"}
    assert not store.has(first)

    assert store.undo().ids == (first, "rating:m1:+1")
    assert store.get(first).verdict == "b"
    assert store.left_out() == frozenset()
    store.undo()
    assert store.get(first).verdict == "a"
    assert store.undo().title == "Import of pairs.jsonl"
    assert store.count(JudgementFilter()) == 1
    store.undo()
    assert store.count(JudgementFilter()) == 0
    with pytest.raises(UserError, match="nothing to undo"):
        store.undo()


def test_adding_is_all_or_nothing(store: JudgementStore) -> None:
    class Broken(Exception):
        pass

    def judgements() -> object:
        yield pair("One?")
        raise Broken

    with pytest.raises(Broken):
        store.add(judgements(), "added")  # type: ignore[arg-type]
    assert store.count(JudgementFilter()) == 0
    with pytest.raises(UserError, match="nothing to undo"):
        store.undo()


def test_a_queue_gives_its_pairs_in_their_order_and_takes_back_a_verdict(
    store: JudgementStore, database: Database
) -> None:
    queues = QueueStore(database, store)
    queues.add(LabellingQueue(id="q1", name="Bridges", created=1.0))
    store.add_waiting([pair(f"{n}?", verdict="", queue="q1") for n in range(3)])
    first = store.next_waiting("q1")
    assert first is not None
    assert first.question == "0?"
    store.postpone(first.id)
    second = store.next_waiting("q1")
    assert second is not None
    assert second.question == "1?"
    store.change(msgspec.structs.replace(second, verdict="b"), "Preference")
    store.add([pair("Elsewhere?")], "Preference")
    queue = queues.get("bridges")
    assert (queue.waiting, queue.judged) == (2, 1)

    assert store.undo("q1").ids == (second.id,)
    again = store.next_waiting("q1")
    assert again is not None
    assert again.id == second.id
    queues.remove(queues.get("Bridges"))
    assert store.count(JudgementFilter(verdicts=("", "a"))) == 1
    with pytest.raises(UserError, match="no comparison"):
        queues.get("Bridges")


def test_the_verdicts_of_a_judge_are_undone_together_and_replace_no_others(store: JudgementStore) -> None:
    store.add_waiting([pair(f"{n}?", verdict="", queue="q1") for n in range(4)])
    waiting = list(store.each(JudgementFilter(verdicts=("",))))
    mine = msgspec.structs.replace(waiting[0], verdict="b")
    store.change(mine, "Preference")
    action = 0
    for one in waiting:
        judged = msgspec.structs.replace(one, verdict="a", judge="model")
        action = store.judge_waiting(judged, "Verdicts of strict", action) or action
    assert store.get(mine.id) == mine
    assert store.count_queue("q1") == (0, 4)
    assert store.undo().ids == tuple(one.id for one in waiting[1:])
    assert store.count_queue("q1") == (3, 1)
    store.remove([waiting[1].id], "Deletion")
    assert not store.judge_waiting(msgspec.structs.replace(waiting[1], verdict="a"), "Verdicts of strict")


def test_undo_in_a_queue_skips_the_verdicts_of_a_judge(store: JudgementStore) -> None:
    store.add_waiting([pair(f"{n}?", verdict="", queue="q1") for n in range(2)])
    first, second = store.each(JudgementFilter(verdicts=("",)))
    store.change(msgspec.structs.replace(first, verdict="b"), "Preference")
    store.judge_waiting(msgspec.structs.replace(second, verdict="a", judge="model"), "Verdicts of strict")
    assert store.undo("q1").ids == (first.id,)


def test_verdicts_in_a_deleted_queue_are_not_undone(store: JudgementStore, database: Database) -> None:
    queues = QueueStore(database, store)
    queues.add(LabellingQueue(id="q1", name="Bridges", created=1.0))
    store.add_waiting([pair("0?", verdict="", queue="q1")])
    [waiting] = store.each(JudgementFilter(verdicts=("",)))
    store.change(msgspec.structs.replace(waiting, verdict="b"), "Preference")
    queues.remove(queues.get("q1"))
    with pytest.raises(UserError, match="nothing to undo"):
        store.undo()
    assert store.get(waiting.id).verdict == "b"


def test_a_judgement_of_a_newer_program_is_shown_as_that(store: JudgementStore, database: Database) -> None:
    [id] = store.add([pair("One?")], "added")
    database.execute("update judgements set value = json_set(value, '$.format', 99) where id = ?", (id,))
    [(_, found)] = store.page(JudgementFilter())
    assert "newer version" in found.unreadable
    with pytest.raises(UserError, match="newer version"):
        store.get(id)
