"""The lists of the home folder as the window keeps them, against a fake core."""

from __future__ import annotations

from typing import Any

import msgspec
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from tests.ui.fake_front import FakeFront
from tests.ui.fake_home import SMOL, FakeHome, running_ingest
from ui.bridge import Bridge
from workbench import calls as c
from workbench.base.errors import UserError


class Follower(QObject):
    """Keeps what it is handed."""

    def __init__(self) -> None:
        super().__init__()
        self.taken: list[Any] = []

    def take(self, value: Any) -> None:
        self.taken.append(value)


def connected(qtbot: QtBot, bridge: Bridge) -> Bridge:
    qtbot.waitUntil(lambda: bridge.connected is True)
    return bridge


def test_two_that_follow_a_list_share_one_reading(qtbot: QtBot, bridge: Bridge, front: FakeFront) -> None:
    home = connected(qtbot, bridge).home
    first, second, late = Follower(), Follower(), Follower()
    home.listing(c.ListModels()).follow(first.take)
    home.listing(c.ListModels()).follow(second.take)
    qtbot.waitUntil(lambda: len(first.taken) == len(second.taken) == 1)
    home.listing(c.ListModels()).follow(late.take)
    assert late.taken == first.taken
    assert len(front.asked(c.ListModels)) == 1


def test_several_changes_are_one_reading_and_reach_all_who_follow(
    qtbot: QtBot, bridge: Bridge, front: FakeFront, home: FakeHome
) -> None:
    state, follower = connected(qtbot, bridge).home, Follower()
    state.listing(c.ListModels()).follow(follower.take)
    qtbot.waitUntil(lambda: len(follower.taken) == 1)
    home.models["Other"] = msgspec.structs.replace(SMOL, name="Other")
    for _ in range(5):
        front.announce("model", "Other")
    qtbot.waitUntil(lambda: len(follower.taken) == 2)
    assert "Other" in [model.name for model in follower.taken[1].models]
    assert len(front.asked(c.ListModels)) == 2


def test_a_change_during_a_reading_is_read_after_it(
    qtbot: QtBot, bridge: Bridge, front: FakeFront, home: FakeHome
) -> None:
    state, follower = connected(qtbot, bridge).home, Follower()
    held = front.hold(c.ListCollections)
    state.listing(c.ListCollections()).follow(follower.take)
    qtbot.waitUntil(lambda: held.call is not None)
    state.listing(c.ListCollections()).refresh()
    held.finish(c.CollectionList(collections=()))
    qtbot.waitUntil(lambda: len(follower.taken) == 2)
    assert len(follower.taken[1].collections) == len(home.collections)


def test_a_list_that_nobody_follows_is_not_read_again_until_it_is_followed(
    qtbot: QtBot, bridge: Bridge, front: FakeFront
) -> None:
    state, follower = connected(qtbot, bridge).home, Follower()
    state.listing(c.ListModels()).follow(follower.take)
    qtbot.waitUntil(lambda: len(follower.taken) == 1)
    state.listing(c.ListModels()).leave(follower.take)
    with qtbot.waitSignal(bridge.changed):
        front.announce("model")
    assert not state.listing(c.ListModels()).soon.isActive()
    state.listing(c.ListModels()).follow(follower.take)
    qtbot.waitUntil(lambda: len(front.asked(c.ListModels)) == 2)


def test_the_tick_of_a_run_reads_that_run_and_leaves_the_others(
    qtbot: QtBot, bridge: Bridge, front: FakeFront, home: FakeHome
) -> None:
    state, follower = connected(qtbot, bridge).home, Follower()
    old, run = running_ingest(home, state="finished"), running_ingest(home)
    state.runs.follow(follower.take)
    qtbot.waitUntil(lambda: len(follower.taken) == 1)
    home.runs[run.id] = msgspec.structs.replace(run, progress=0.9)
    for _ in range(20):
        front.announce("run", run.id)
    qtbot.waitUntil(lambda: len(follower.taken) == 2)
    assert [known.progress for known in follower.taken[1].runs if known.id == run.id] == [0.9]
    kept = [next(known for known in taken.runs if known.id == old.id) for taken in follower.taken]
    assert kept[0] is kept[1]
    assert len(front.asked(c.ListRuns)) == 1
    assert len(front.asked(c.GetRun)) < 20


def test_a_run_that_was_deleted_leaves_the_list(qtbot: QtBot, bridge: Bridge, front: FakeFront, home: FakeHome) -> None:
    state, follower = connected(qtbot, bridge).home, Follower()
    run = running_ingest(home, state="finished")
    state.runs.follow(follower.take)
    qtbot.waitUntil(lambda: len(follower.taken) == 1)
    del home.runs[run.id]
    front.announce("run", run.id)
    qtbot.waitUntil(lambda: len(follower.taken) == 2)
    assert run.id not in [known.id for known in follower.taken[1].runs]


def test_a_reading_that_fails_is_told_once_and_again_after_it_worked(
    qtbot: QtBot, bridge: Bridge, front: FakeFront
) -> None:
    state, follower, told = connected(qtbot, bridge).home, Follower(), []
    bridge.failed.connect(lambda error: told.append(str(error)))
    front.refuse(c.ListChats, UserError("The chats cannot be read."))
    state.listing(c.ListChats()).follow(follower.take)
    qtbot.waitUntil(lambda: told == ["The chats cannot be read."])
    front.announce("chat")
    qtbot.waitUntil(lambda: len(front.asked(c.ListChats)) == 2 and not state.listing(c.ListChats()).reading)
    assert len(told) == 1
    front.answer(c.ListChats, front.by_itself)
    front.announce("chat")
    qtbot.waitUntil(lambda: len(follower.taken) == 1)
    front.refuse(c.ListChats, UserError("The chats cannot be read."))
    front.announce("chat")
    qtbot.waitUntil(lambda: len(told) == 2)


def test_lists_are_read_again_when_the_core_was_away_and_its_absence_is_told_by_the_frame(
    qtbot: QtBot, bridge: Bridge, front: FakeFront, home: FakeHome
) -> None:
    state, follower, told = connected(qtbot, bridge).home, Follower(), []
    bridge.failed.connect(told.append)
    state.listing(c.ListCollections()).follow(follower.take)
    qtbot.waitUntil(lambda: len(follower.taken) == 1)
    front.lose_connection()
    qtbot.waitUntil(lambda: bridge.connected is False)
    state.listing(c.ListCollections()).refresh()
    home.collections.clear()
    front.reconnect()
    bridge.reconnect()
    qtbot.waitUntil(lambda: bool(follower.taken) and follower.taken[-1].collections == ())
    assert told == []


def test_what_a_call_brings_along_is_known_at_once(qtbot: QtBot, bridge: Bridge, front: FakeFront) -> None:
    state, follower = connected(qtbot, bridge).home, Follower()
    state.listing(c.ListModels()).follow(follower.take)
    qtbot.waitUntil(lambda: len(follower.taken) == 1)
    state.listing(c.ListModels()).put(c.ModelList(models=()))
    assert follower.taken[-1].models == ()


def test_the_answer_to_an_earlier_search_is_not_kept(qtbot: QtBot, bridge: Bridge, front: FakeFront) -> None:
    state, follower = connected(qtbot, bridge).home, Follower()
    pump = state.listing(c.ListChats(search="pump"))
    pump.follow(follower.take)
    qtbot.waitUntil(lambda: len(follower.taken) == 1)
    pump.leave(follower.take)
    state.listing(c.ListChats(search="lease")).follow(follower.take)
    assert state.listing(c.ListChats(search="pump")) is not pump


def test_a_change_of_another_collection_makes_no_documents_old(qtbot: QtBot, bridge: Bridge, front: FakeFront) -> None:
    state, follower = connected(qtbot, bridge).home, Follower()
    [first, *_] = front.home.collections
    documents = state.listing(c.ListDocuments(collection=first))
    documents.follow(follower.take)
    qtbot.waitUntil(lambda: len(follower.taken) == 1)
    for changed, old in (("another", False), (first, True)):
        with qtbot.waitSignal(bridge.changed):
            front.announce("collection", changed)
        assert documents.soon.isActive() is old


def test_a_page_that_fails_on_a_list_keeps_it_from_nobody_else(
    qtbot: QtBot, bridge: Bridge, front: FakeFront, home: FakeHome
) -> None:
    class Broken(Follower):
        def take(self, value: Any) -> None:
            super().take(value)
            raise ValueError("this page cannot show it")

    state, broken, follower = connected(qtbot, bridge).home, Broken(), Follower()
    with qtbot.captureExceptions() as caught:
        state.listing(c.ListModels()).follow(broken.take)
        state.listing(c.ListModels()).follow(follower.take)
        qtbot.waitUntil(lambda: len(follower.taken) == 1)
        del home.models[SMOL.name]
        front.announce("model", SMOL.name)
        qtbot.waitUntil(lambda: len(follower.taken) == 2)
    assert len(broken.taken) == 2
    assert {str(value) for _, value, _ in caught} == {"this page cannot show it"}
    assert not state.listing(c.ListModels()).reading
