"""Event streams inside the core: of work with one watcher, and of work that several may follow."""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from workbench.api import events
from workbench.api.events import Event
from workbench.api.protocol import Call, RequestContext, failure_of, finish

Handler = Callable[[Any, RequestContext], Iterator[Event]]
Handlers = Mapping[type[Call[Any]], Handler]


def unary(function: Callable[[Any], Any]) -> Handler:
    """The handler for a call without progress: ``function(call)`` is its result."""

    def handle(call: Any, context: RequestContext) -> Iterator[Event]:
        yield finish(function(call))

    return handle


def stoppable(function: Callable[[Any, RequestContext], Any]) -> Handler:
    """As ``unary`` for a call that waits for others: ``function(call, context)`` may be stopped while it does."""

    def handle(call: Any, context: RequestContext) -> Iterator[Event]:
        yield finish(function(call, context))

    return handle


def chosen(choose: Callable[[Any], Handler]) -> Handler:
    """Leaves each call to the handler that ``choose`` gives for it."""

    def handle(call: Any, context: RequestContext) -> Iterator[Event]:
        yield from choose(call)(call, context)

    return handle


def ended(stream: Iterator[Event], context: RequestContext) -> Iterator[Event]:
    """The stream, numbered, with exactly one terminal event."""
    seq = 0
    try:
        for event in stream:
            seq += 1
            yield event if event.seq else events.stamped(event, seq, time.time())
            if isinstance(event, events.TERMINAL):
                return
        last: Event = events.Finished()
    except Exception as error:  # noqa: BLE001 - whatever a handler raises becomes its terminal event
        last = failure_of(error, traceback.format_exc())
    except GeneratorExit:
        context.cancel()
        raise
    finally:
        close = getattr(stream, "close", None)
        if close is not None:
            close()
    yield events.stamped(last, seq + 1, time.time())


class LiveStream:
    """The events of running work: a new follower gets the past ones, then the live ones."""

    def __init__(self) -> None:
        self._grown = threading.Condition()
        self._events: list[Event] = []

    def append(self, event: Event) -> None:
        """Number an event and pass it to all followers. Nothing may follow a terminal one."""
        with self._grown:
            self._events.append(events.stamped(event, len(self._events) + 1, time.time()))
            self._grown.notify_all()

    def follow(self, context: RequestContext) -> Iterator[Event]:
        """All events up to the terminal one. Ends in ``Cancelled`` when ``context`` is cancelled before."""
        forget = context.when_cancelled(self._wake)
        seen = 0
        try:
            while True:
                news = self._wait_for_news(seen, context)
                if context.cancelled:
                    yield events.Cancelled()
                    return
                for event in news:
                    yield event
                    if isinstance(event, events.TERMINAL):
                        return
                seen += len(news)
        finally:
            forget()

    def _wait_for_news(self, seen: int, context: RequestContext) -> list[Event]:
        with self._grown:
            self._grown.wait_for(lambda: len(self._events) > seen or context.cancelled)
            return self._events[seen:]

    def _wake(self) -> None:
        with self._grown:
            self._grown.notify_all()
