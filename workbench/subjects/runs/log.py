"""The event file of an open run: one writer, and followers that read the file as it grows.

A slow follower costs no memory: it is only notified that there is more.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import BinaryIO

from workbench.api import events
from workbench.api.events import Event, EventFile, read_event_file, read_line
from workbench.api.protocol import RequestContext
from workbench.base.errors import UserError

FILE = "events.jsonl"
Following = Generator[Event, None, Event | None]


class RunLog:
    """``runs/<id>/events.jsonl``. A resumed run continues in the same file."""

    def __init__(self, folder: Path) -> None:
        self._file = EventFile(folder / FILE)
        self._path = folder / FILE
        self._grown = threading.Condition()
        self._lines = 0
        self._closed = False

    def append(self, event: Event) -> None:
        """Raises UserError when the disk is full."""
        with self._grown:
            try:
                self._file.append(event, time.time())
            except OSError as error:
                raise UserError(f"{self._path} cannot be written: {error.strerror}.", "Free some space.") from error
            self._lines += 1
            self._grown.notify_all()

    def close(self) -> None:
        """Accept no further events."""
        with self._grown:
            self._closed = True
            with contextlib.suppress(OSError):  # every reader skips a torn last line
                self._file.close()
            self._grown.notify_all()

    def follow(self, after: int, context: RequestContext) -> Following:
        """Yields the events with ``seq > after`` except the terminal one, which it returns when the log is closed.

        Terminal events of earlier attempts are skipped. Returns None when ``context`` is cancelled, or when the log is
        closed without a terminal event.
        """
        ended: Event | None = None
        with contextlib.ExitStack() as stack:
            stack.callback(context.when_cancelled(self._wake))
            file = stack.enter_context(self._path.open("rb"))
            file.readline()  # the format
            while True:
                with self._grown:
                    lines, closed = self._lines, self._closed
                for event in _whole_events(file):
                    ended = event if isinstance(event, events.TERMINAL) else None
                    if ended is None and event.seq > after:
                        yield event
                if context.cancelled:
                    return None
                if closed:
                    return ended
                self._wait_for_more(lines, context)

    def _wait_for_more(self, seen: int, context: RequestContext) -> None:
        with self._grown:
            self._grown.wait_for(lambda: self._lines > seen or self._closed or context.cancelled)

    def _wake(self) -> None:
        with self._grown:
            self._grown.notify_all()


def read_run(folder: Path, after: int) -> Following:
    """Like ``RunLog.follow``, for a run that is not open."""
    path = folder / FILE
    if not path.exists():
        return None
    ended: Event | None = None
    for event in read_event_file(path):
        ended = event if isinstance(event, events.TERMINAL) else None
        if ended is None and event.seq > after:
            yield event
    return ended


def _whole_events(file: BinaryIO) -> Iterator[Event]:
    """The events from here to the last complete line; the file position ends at the beginning of a torn one."""
    seq = 0
    while True:
        start = file.tell()
        line = file.readline()
        if not line.endswith(b"\n"):
            file.seek(start)
            return
        event = read_line(line, seq + 1)
        if event is not None:
            seq = event.seq
            yield event
