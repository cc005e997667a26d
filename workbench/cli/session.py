"""The connection of a terminal command to the core: calls one after the other, and Ctrl+C.

A command is a generator: it yields the events for the output, and returns its result.
"""

from __future__ import annotations

import queue
import shlex
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from typing import Any, TypeVar

from workbench.api.client import Front
from workbench.api.events import TERMINAL, Cancelled, Event, Failed, Finished
from workbench.api.protocol import Call, read_result
from workbench.base import errors
from workbench.base.errors import UserError
from workbench.base.paths import Home, find_home

R = TypeVar("R")
Events = Generator[Event, None, R]

# a blocking wait on Windows does not notice Ctrl+C
_WAIT_S = 0.25 if sys.platform == "win32" else None


class Stopped(errors.Cancelled):
    """A call was cancelled; ``result`` is its partial result, as plain data."""

    def __init__(self, result: Any = None) -> None:
        super().__init__("Cancelled.")
        self.result = result


class CallFailed(Exception):
    """A call failed through no fault of the person; ``event`` has the reason."""

    def __init__(self, event: Failed) -> None:
        super().__init__(event.message)
        self.event = event


class Session:
    """One command's connection, made on first use.

    The first Ctrl+C asks the running call to stop and waits for its end, so that its partial result is known; the
    second one, or one outside of a call, raises KeyboardInterrupt.
    """

    def __init__(self, home: Home, connect: Callable[[Home], Front]) -> None:
        self.home = home
        self._connect = connect
        self._front: Front | None = None
        self._waiting: queue.SimpleQueue[Event | None] | None = None
        self._interrupted = False
        self.incomplete = False
        """Whether the command has finished without all of what it was asked for."""

    def call(self, call: Call[R], on_interrupt: Callable[[], Event | None] | None = None) -> Events[R]:
        """Yield the call's events and return its result. Ctrl+C cancels it, or does ``on_interrupt``, also if it came
        during the call before; the event that this returns is yielded.

        Raises UserError, CallFailed (a worker died, or a bug) or Stopped for the other endings.
        """
        if self._interrupted:
            if on_interrupt is not None:
                on_interrupt()
            raise Stopped
        for event in self._stream(call, on_interrupt):
            if isinstance(event, Finished):
                return read_result(call, event.result)
            if isinstance(event, Cancelled):
                raise Stopped(event.result)
            if isinstance(event, Failed):
                raise UserError(event.message, event.hint) if event.reason == "user" else CallFailed(event)
            yield event
        raise RuntimeError(f"{type(call).__name__} ended without a terminal event")

    def interrupt(self) -> None:
        """The action of Ctrl+C. Runs inside a signal handler: it may only put a mark into the queue."""
        if self._interrupted or self._waiting is None:
            raise KeyboardInterrupt
        self._interrupted = True
        self._waiting.put(None)

    def send(self, call: Call[Any]) -> None:
        """Send a call and ignore its result."""
        self._connected().start(call, lambda event: None)

    def command(self, words: str) -> str:
        """A command line for this home."""
        named = f"--home {shlex.quote(str(self.home.root))} "
        with suppress(UserError):
            named = "" if self.home == find_home() else named
        return f"`workbench {named}{words}`"

    def go_on(self) -> None:
        """Take further calls after one that Ctrl+C stopped."""
        self._interrupted = False

    @property
    def interrupted(self) -> bool:
        """Whether Ctrl+C was pressed."""
        return self._interrupted

    def close(self) -> None:
        if self._front is not None:
            self._front.close()

    def _stream(self, call: Call[Any], on_interrupt: Callable[[], Event | None] | None) -> Iterator[Event]:
        front = self._connected()
        events: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        self._waiting = events
        ended = False
        handle = front.start(call, events.put)
        try:
            while not ended:
                try:
                    event = events.get(timeout=_WAIT_S)
                except queue.Empty:
                    continue
                if event is None:
                    if on_interrupt is None:
                        handle.cancel()
                    elif (hint := on_interrupt()) is not None:
                        yield hint
                else:
                    ended = isinstance(event, TERMINAL)
                    yield event
        finally:
            self._waiting = None
            if not ended:
                with suppress(OSError):
                    handle.cancel()

    def _connected(self) -> Front:
        if self._front is None:
            self._front = self._connect(self.home)
        return self._front
