"""The way of an event into the GUI thread."""

from __future__ import annotations

import threading
from typing import Any

import msgspec
import pytest
from PySide6.QtCore import QObject, QThread
from pytestqt.qtbot import QtBot

from tests.ui.fake_front import FakeFront
from ui.bridge import LARGEST_BATCH, Bridge
from workbench.api import events
from workbench.api.protocol import failure_of, finish
from workbench.base.errors import Cancelled, UserError, WorkerDied
from workbench.subjects.documents.calls import CreateCollection
from workbench.subjects.machine.calls import GetMachine
from workbench.subjects.models.calls import ListModels, LoadModel
from workbench.subjects.runs.calls import FollowRun, GetStatus, Subscribe


class Seen:
    """What handlers were called with, and on which thread."""

    def __init__(self) -> None:
        self.events: list[events.Event] = []
        self.batches: list[int] = []
        self.ends: list[Any] = []
        self.threads: set[int] = set()

    def on_events(self, batch: Any) -> None:
        self.threads.add(threading.get_ident())
        self.batches.append(len(batch))
        self.events.extend(batch)

    def on_end(self, end: Any) -> None:
        self.threads.add(threading.get_ident())
        self.ends.append(end)


def test_a_call_gives_its_typed_result_on_the_gui_thread(qtbot: QtBot, bridge: Bridge, front: FakeFront) -> None:
    seen = Seen()
    bridge.call(GetMachine(), seen.on_end)
    qtbot.waitUntil(lambda: bool(seen.ends))
    assert seen.ends == [front.home.machine]
    assert seen.threads == {threading.get_ident()}


def test_an_error_reaches_its_handler_as_an_exception(qtbot: QtBot, bridge: Bridge) -> None:
    seen = Seen()
    bridge.call(CreateCollection(name=" "), lambda result: pytest.fail("it has no name"), seen.on_end)
    qtbot.waitUntil(lambda: bool(seen.ends))
    assert isinstance(seen.ends[0], UserError)
    assert seen.ends[0].message == "A collection needs a name."


def test_an_error_without_a_handler_goes_to_failed_but_a_cancelled_call_does_not(
    qtbot: QtBot, bridge: Bridge, front: FakeFront
) -> None:
    front.hold(LoadModel)
    seen = Seen()
    bridge.failed.connect(seen.on_end)
    bridge.call(LoadModel(name="x"), lambda result: None).cancel()
    with qtbot.waitSignal(bridge.failed):
        bridge.call(CreateCollection(name=" "), lambda result: None)
    assert [type(error) for error in seen.ends] == [UserError]


def test_pieces_of_several_sequences_that_come_in_turn_are_joined_each_with_its_own(
    qtbot: QtBot, bridge: Bridge, front: FakeFront
) -> None:
    held, seen = front.hold(FollowRun), Seen()
    bridge.stream(FollowRun(run="r"), seen.on_events, seen.on_end)
    for n in range(200):
        held.emit(*(events.TextDelta(text=f"{n} ", sequence=sequence) for sequence in range(8)))
    held.emit(events.Thought(text="a", sequence=1), events.Thought(text="b", sequence=2))
    held.finish({})
    qtbot.waitUntil(lambda: bool(seen.ends))
    whole = "".join(f"{n} " for n in range(200))
    pieces = [e for e in seen.events if isinstance(e, events.TextDelta)]
    assert ["".join(e.text for e in pieces if e.sequence == n) for n in range(8)] == [whole] * 8
    assert len(pieces) < 800
    assert [(e.text, e.sequence) for e in seen.events if isinstance(e, events.Thought)] == [("a", 1), ("b", 2)]


def test_pieces_of_text_come_joined_and_nothing_is_lost(qtbot: QtBot, bridge: Bridge, front: FakeFront) -> None:
    held, seen = front.hold(FollowRun), Seen()
    bridge.stream(FollowRun(run="r"), seen.on_events, seen.on_end)
    held.emit(*(events.TextDelta(text=f"{n} ") for n in range(1000)))
    held.emit(events.TextDelta(text="other", sequence=1), events.Thought(text="a"), events.Thought(text="b"))
    held.finish({})
    qtbot.waitUntil(lambda: bool(seen.ends))
    texts = [e for e in seen.events if isinstance(e, events.TextDelta)]
    assert "".join(t.text for t in texts if t.sequence == 0) == "".join(f"{n} " for n in range(1000))
    assert [t.text for t in texts if t.sequence == 1] == ["other"]
    assert "".join(e.text for e in seen.events if isinstance(e, events.Thought)) == "ab"
    assert len(texts) < 500


def test_only_the_last_progress_of_a_stage_comes_and_the_order_is_kept(
    qtbot: QtBot, bridge: Bridge, front: FakeFront
) -> None:
    held, seen = front.hold(FollowRun), Seen()
    held.emit(
        *(events.Progress(stage="loading", done=n) for n in range(50)),
        events.Log(text="loaded"),
        events.Progress(stage="reading", done=1),
        events.Finished(result={}),
    )
    bridge.stream(FollowRun(run="r"), seen.on_events, seen.on_end)
    qtbot.waitUntil(lambda: bool(seen.ends))
    kinds = [e.stage if isinstance(e, events.Progress) else type(e).__name__ for e in seen.events]
    assert list(dict.fromkeys(kinds)) == ["loading", "Log", "reading"]
    assert [e.done for e in seen.events if isinstance(e, events.Progress)][-2:] == [49, 1]


def test_many_events_come_in_small_batches(qtbot: QtBot, bridge: Bridge, front: FakeFront) -> None:
    held, seen = front.hold(FollowRun), Seen()
    held.emit(*(events.Log(text=str(n)) for n in range(500)), events.Finished(result={}))
    bridge.stream(FollowRun(run="r"), seen.on_events, seen.on_end)
    qtbot.waitUntil(lambda: bool(seen.ends))
    assert [e.text for e in seen.events if isinstance(e, events.Log)] == [str(n) for n in range(500)]
    assert max(seen.batches) <= LARGEST_BATCH


def test_a_slow_handler_does_not_keep_the_event_loop(qtbot: QtBot, bridge: Bridge, front: FakeFront) -> None:
    """Each turn ends once its 8 ms are used up: other timers run between the batches."""
    held, turns = front.hold(FollowRun), Seen()
    seen: list[int] = []
    loop_turns = [0]

    class Clock(QObject):
        def timerEvent(self, event: Any) -> None:
            loop_turns[0] += 1

    clock = Clock()
    clock.startTimer(0)

    def slow(batch: Any) -> None:
        QThread.msleep(10)  # stands for a handler that takes its time
        seen.append(loop_turns[0])

    held.emit(*(events.Log(text=str(n)) for n in range(LARGEST_BATCH * 5)), events.Finished(result={}))
    bridge.stream(FollowRun(run="r"), slow, turns.on_end)
    qtbot.waitUntil(lambda: bool(turns.ends))
    assert len(set(seen)) == len(seen) >= 5


def test_a_destroyed_owner_is_left_alone(qtbot: QtBot, bridge: Bridge, front: FakeFront) -> None:
    held, seen, owner = front.hold(FollowRun), Seen(), QObject()
    bridge.stream(FollowRun(run="r"), seen.on_events, seen.on_end, owner)
    held.emit(events.Log(text="while it lives"))
    qtbot.waitUntil(lambda: bool(seen.events))
    with qtbot.waitSignal(owner.destroyed):
        owner.deleteLater()
    held.emit(events.Log(text="after"), events.Finished(result={}))
    after = Seen()
    bridge.call(GetMachine(), after.on_end)  # answered after the two
    qtbot.waitUntil(lambda: bool(after.ends))
    assert len(seen.events) == 1
    assert seen.ends == []


def test_cancel_reaches_the_front_and_ends_the_stream(qtbot: QtBot, bridge: Bridge, front: FakeFront) -> None:
    held, seen = front.hold(FollowRun), Seen()
    handle = bridge.stream(FollowRun(run="r"), seen.on_events, seen.on_end)
    handle.cancel()
    qtbot.waitUntil(lambda: bool(seen.ends))
    assert isinstance(seen.ends[0], events.Cancelled)
    assert held.cancelled
    assert handle.ended


def test_a_cancelled_call_says_so_to_its_error_handler(qtbot: QtBot, bridge: Bridge, front: FakeFront) -> None:
    front.hold(ListModels)
    seen = Seen()
    bridge.call(ListModels(), lambda result: None, seen.on_end).cancel()
    qtbot.waitUntil(lambda: bool(seen.ends))
    assert isinstance(seen.ends[0], Cancelled)


def test_changes_in_the_home_are_told_once_a_batch(qtbot: QtBot, bridge: Bridge, front: FakeFront) -> None:
    seen: list[tuple[str, str]] = []
    bridge.changed.connect(lambda kind, id: seen.append((kind, id)))
    qtbot.waitUntil(lambda: bridge.connected is True)
    for _ in range(20):
        front.announce("collection", "c1")
    front.announce("chat", "x")
    qtbot.waitUntil(lambda: ("chat", "x") in seen)
    assert 1 <= seen.count(("collection", "c1")) < 20


def test_a_lost_core_is_told_and_found_again(qtbot: QtBot, bridge: Bridge, front: FakeFront) -> None:
    qtbot.waitUntil(lambda: bridge.connected is True)
    held, seen = front.hold(LoadModel), Seen()
    bridge.call(LoadModel(name="x"), lambda result: None, seen.on_end)
    with qtbot.waitSignal(bridge.connected_changed, check_params_cb=lambda connected: not connected):
        front.lose_connection()
    qtbot.waitUntil(lambda: bool(seen.ends))
    assert isinstance(seen.ends[0], WorkerDied)
    assert held.call is not None
    with qtbot.waitSignal(bridge.connected_changed, check_params_cb=lambda connected: connected):
        front.reconnect()
    assert len(front.asked(Subscribe)) >= 2
    with qtbot.waitSignal(bridge.changed):
        front.announce("chat", "again")


def test_the_status_is_asked_again_when_something_changed(qtbot: QtBot, bridge: Bridge, front: FakeFront) -> None:
    qtbot.waitUntil(lambda: bridge.status is not None)
    asked = len(front.asked(GetStatus))
    front.home.loaded = ""
    with qtbot.waitSignal(bridge.status_changed, check_params_cb=lambda status: status.model == "", timeout=1500):
        front.announce("worker", "inference")
    assert len(front.asked(GetStatus)) > asked


def test_a_core_that_cannot_be_started_says_why_and_is_tried_again_on_request_only(
    qtbot: QtBot, bridge: Bridge, front: FakeFront
) -> None:
    qtbot.waitUntil(lambda: bridge.connected is True)
    for call in (Subscribe, GetStatus):
        front.refuse(call, UserError("The home folder is read-only.", "Choose another with --home."))
    with qtbot.waitSignal(bridge.connected_changed):
        front.lose_connection()
    front.reconnect()
    qtbot.waitUntil(lambda: bridge.problem == "The home folder is read-only. Choose another with --home.")
    assert bridge.connected is False
    asked = len(front.asked(GetStatus))
    bridge.call(GetMachine(), lambda machine: None)
    front.hold(Subscribe)
    front.answer(GetStatus, lambda call: [events.Finished(result=msgspec.to_builtins(front.home.status()))])
    assert len(front.asked(GetStatus)) == asked
    with qtbot.waitSignal(bridge.connected_changed):
        bridge.reconnect()
    assert bridge.problem == ""


@pytest.mark.parametrize(
    "failing",
    [failure_of(UserError("The database is used by another program.")), events.Finished(result={"home": 5})],
    ids=["refused", "unreadable"],
)
def test_a_status_that_fails_is_told_once_and_asked_for_again(
    qtbot: QtBot, bridge: Bridge, front: FakeFront, failing: events.Event
) -> None:
    qtbot.waitUntil(lambda: bridge.status is not None)
    seen = Seen()
    bridge.failed.connect(seen.on_end)
    front.answer(GetStatus, lambda call: [failing])
    asked = len(front.asked(GetStatus))
    bridge.refresh_status()
    qtbot.waitUntil(lambda: len(front.asked(GetStatus)) > asked + 2)
    assert len(seen.ends) == 1
    assert bridge.connected is True
    front.home.loaded = ""
    front.answer(GetStatus, lambda call: [finish(front.home.status())])
    qtbot.waitUntil(lambda: bridge.status is not None and bridge.status.model == "")


def test_a_fault_in_a_handler_stops_neither_its_own_end_nor_what_else_has_come(
    qtbot: QtBot, bridge: Bridge, front: FakeFront
) -> None:
    first, second, seen, other = front.hold(FollowRun), front.hold(FollowRun), Seen(), Seen()

    def fail(batch: Any) -> None:
        raise ZeroDivisionError("a bug in a page")

    bridge.stream(FollowRun(run="a"), fail, seen.on_end)
    bridge.stream(FollowRun(run="b"), other.on_events, other.on_end)
    with qtbot.captureExceptions() as faults:
        first.emit(events.TextDelta(text="a"))
        first.finish({})
        second.emit(events.TextDelta(text="b"))
        second.finish({})
        qtbot.waitUntil(lambda: bool(seen.ends and other.ends))
    assert [kind for kind, _, _ in faults] == [ZeroDivisionError]
    assert len(other.events) == 1


def test_a_closed_bridge_asks_nothing(bridge: Bridge, front: FakeFront) -> None:
    bridge.close()
    before = len(front.calls)
    handle = bridge.call(GetMachine(), lambda machine: pytest.fail("it is closed"))
    assert handle.ended
    assert len(front.calls) == before
