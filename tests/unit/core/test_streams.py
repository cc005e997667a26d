"""Changes, live streams and run logs: what several threads watch at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest

from workbench.api import events
from workbench.api.events import Event
from workbench.api.protocol import RequestContext, with_progress
from workbench.base.errors import UserError
from workbench.core.change_notifier import ChangeNotifier
from workbench.core.streams import LiveStream
from workbench.subjects.runs.log import RunLog, read_run

WAIT_S = 10.0


def followed(stream: Iterator[Event]) -> SimpleQueue[Event | None]:
    """What a thread of its own reads from a stream; None at its end."""
    arrived: SimpleQueue[Event | None] = SimpleQueue()

    def read() -> None:
        for event in stream:
            arrived.put(event)
        arrived.put(None)

    threading.Thread(target=read, daemon=True).start()
    return arrived


def taken(arrived: SimpleQueue[Event | None]) -> list[Event]:
    """All to the stream's end."""
    found = []
    while (event := arrived.get(timeout=WAIT_S)) is not None:
        found.append(event)
    return found


def texts(found: list[Event]) -> list[str]:
    return [event.text for event in found if isinstance(event, events.Log | events.TextDelta)]


def test_a_slow_subscriber_is_told_once_however_often_it_happened() -> None:
    changes, context = ChangeNotifier(), RequestContext()
    stream = changes.subscribe(context)
    for _ in range(1000):
        changes.publish("chat", "a")
        changes.publish("chat", "b")
    assert [next(stream), next(stream)] == [events.Changed(kind="chat", id="a"), events.Changed(kind="chat", id="b")]
    context.cancel()
    assert list(stream) == [events.Cancelled()]


def test_subscribers_do_not_take_from_each_other_and_can_leave() -> None:
    changes = ChangeNotifier()
    contexts = [RequestContext(), RequestContext()]
    arrived = [followed(changes.subscribe(context)) for context in contexts]
    changes.publish("run", "1")
    assert [one.get(timeout=WAIT_S) for one in arrived] == [events.Changed(kind="run", id="1")] * 2
    contexts[0].cancel()
    assert taken(arrived[0]) == [events.Cancelled()]
    changes.publish("run", "2")
    assert arrived[1].get(timeout=WAIT_S) == events.Changed(kind="run", id="2")


def test_all_followers_of_a_live_stream_see_all_of_it() -> None:
    stream = LiveStream()
    early = followed(stream.follow(RequestContext()))
    for n in range(500):
        stream.append(events.TextDelta(text=str(n)))
    late = followed(stream.follow(RequestContext()))
    stream.append(events.Finished(result=1))
    for arrived in (early, late):
        found = taken(arrived)
        assert texts(found) == [str(n) for n in range(500)]
        assert [event.seq for event in found] == list(range(1, 502))
        assert isinstance(found[-1], events.Finished)


def test_leaving_a_live_stream_leaves_it_alone() -> None:
    stream, context = LiveStream(), RequestContext()
    arrived = followed(stream.follow(context))
    stream.append(events.TextDelta(text="a"))
    assert arrived.get(timeout=WAIT_S) is not None
    context.cancel()
    assert taken(arrived) == [events.Cancelled()]
    stream.append(events.Finished())
    assert len(taken(followed(stream.follow(RequestContext())))) == 2


def test_reported_work_tells_its_progress_and_its_end() -> None:
    def work(report: Callable[[Event], None]) -> int:
        report(events.Log(text="half"))
        return 7

    def run() -> Iterator[Any]:
        result = yield from with_progress(work)
        yield result

    told, result = run()
    assert (told, result) == (events.Log(text="half"), 7)

    def fail(report: Callable[[Event], None]) -> None:
        report(events.Log(text="half"))
        raise UserError("no")

    with pytest.raises(UserError, match="no"):
        list(with_progress(fail))


def test_a_run_log_is_followed_from_its_file_while_it_grows(tmp_path: Path) -> None:
    log = RunLog(tmp_path / "run")
    log.append(events.Log(text="1"))
    whole, later = (followed(log.follow(after, RequestContext())) for after in (0, 2))
    for n in range(2, 200):
        log.append(events.Log(text=str(n)))
    log.append(events.Finished(result={"n": 1}))
    log.close()
    assert texts(taken(whole)) == [str(n) for n in range(1, 200)]
    assert texts(taken(later)) == [str(n) for n in range(3, 200)]
    assert texts(list(read_run(tmp_path / "run", 190))) == [str(n) for n in range(191, 200)]


def ending(stream: Any) -> Event | None:
    """What a following generator returns."""
    while True:
        try:
            next(stream)
        except StopIteration as stop:
            return stop.value  # type: ignore[no-any-return]


def test_a_run_that_is_taken_up_again_goes_on_in_its_file_past_its_old_ending(tmp_path: Path) -> None:
    first = RunLog(tmp_path / "run")
    first.append(events.Log(text="first"))
    first.append(events.Cancelled())
    first.close()
    assert isinstance(ending(read_run(tmp_path / "run", 0)), events.Cancelled)
    second = RunLog(tmp_path / "run")
    second.append(events.Log(text="second"))
    arrived = followed(second.follow(0, RequestContext()))
    second.append(events.Finished())
    second.close()
    assert texts(taken(arrived)) == ["first", "second"]
    assert isinstance(ending(read_run(tmp_path / "run", 0)), events.Finished)


def test_a_run_without_an_ending_says_so(tmp_path: Path) -> None:
    log = RunLog(tmp_path / "run")
    log.append(events.Log(text="begun"))
    with (tmp_path / "run" / "events.jsonl").open("ab") as file:
        file.write(b'{"event":"log","te')
    assert texts(list(read_run(tmp_path / "run", 0))) == ["begun"]
    assert ending(read_run(tmp_path / "run", 0)) is None
    assert ending(read_run(tmp_path / "nowhere", 0)) is None
    context = RequestContext()
    context.cancel()
    assert ending(log.follow(0, context)) is None
    log.close()
