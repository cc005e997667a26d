"""The only place where events reach the GUI thread.

A ``Front`` sends its events on a reader thread. The bridge puts them into a queue that the GUI thread drains every
30 ms, joined where joining loses nothing, and never for longer than 8 ms at a time: the window stays smooth however
fast events come. It also keeps what every part of the window wants to know: whether the core can be reached, its
status, and that something in the home folder changed. Its ``home`` holds the lists that the pages show.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import msgspec
import shiboken6
from PySide6.QtCore import QObject, QTimer, Signal

from ui.state import HomeState
from workbench.api import events
from workbench.api.client import Front
from workbench.api.client import Handle as FrontHandle
from workbench.api.events import Changed, Event, Terminal
from workbench.api.protocol import Call, error_of, read_result
from workbench.base.catalogue import localised
from workbench.base.errors import Cancelled, UserError
from workbench.subjects.runs.calls import GetStatus, Status, Subscribe

R = TypeVar("R")
OnEvents = Callable[[Sequence[Event]], None]
OnEnd = Callable[[Terminal], None]

TICK_MS = 30
BUDGET_S = 0.008
LARGEST_BATCH = 64
RECONNECT_MS = (500, 1000, 2000, 5000)
STATUS_MS = 2000


class Handle:
    """A call that is being answered for somebody in the window."""

    def __init__(self) -> None:
        self._front_handle: FrontHandle | None = None
        self.ended = False

    def cancel(self) -> None:
        """Ask for it to stop; its end still comes, as ``Cancelled``."""
        if self._front_handle is not None and not self.ended:
            self._front_handle.cancel()


class Bridge(QObject):
    """Calls for the window. Made and used on the GUI thread.

    Handlers run on the GUI thread, in order, and are not called any more once their ``owner`` was destroyed. A
    handler that takes longer than some milliseconds makes the window stutter: leave heavy work to a later turn.
    """

    changed = Signal(str, str)
    """Something in the home folder changed: kind (chat, run, model, collection, settings, worker) and id."""

    connected_changed = Signal(bool)
    """The core can be reached, or cannot any more: then ``problem`` says why where a person can act on it, and the
    bridge waits for ``reconnect``; without a problem it tries again by itself."""

    status_changed = Signal(object)
    """A new ``Status`` of the core, at least every two seconds while it can be reached."""

    failed = Signal(object)
    """A call without ``on_error`` ended in this exception."""

    engine_needed = Signal(str)
    """A call, whoever made it, has failed since the engine does not know the model: the sentence that says so."""

    _arrived = Signal()

    def __init__(self, front: Front) -> None:
        super().__init__()
        self.front = front
        self.connected: bool | None = None
        self.problem = ""
        self.status: Status | None = None
        self._queue: deque[tuple[_Stream, Event]] = deque()
        self._waiting: deque[tuple[_Stream, list[Event]]] = deque()
        self._awake = False
        self._attempt = 0
        self._closed = False
        self._drain = QTimer(self, singleShot=True, interval=TICK_MS, timeout=self._on_drain)
        self._arrived.connect(self._on_arrived)
        self._reconnect = QTimer(self, singleShot=True, timeout=self._connect)
        self._poll = QTimer(self, interval=STATUS_MS, timeout=self._on_poll)
        self._asking_status = False
        self._ask_again = False
        self._watching: Handle | None = None
        self.home = HomeState(self)

    def start(self) -> None:
        """Begin to watch the core: ``connected_changed``, ``status_changed`` and ``changed`` come from now on."""
        self._connect()
        self._poll.start()

    def close(self) -> None:
        """Call no handler any more and leave the core. Runs and answers go on."""
        self._closed = True
        for timer in (self._drain, self._reconnect, self._poll):
            timer.stop()
        self.front.close()

    def call(
        self,
        call: Call[R],
        on_result: Callable[[R], None],
        on_error: Callable[[Exception], None] | None = None,
        owner: QObject | None = None,
    ) -> Handle:
        """Send a call; exactly one of ``on_result`` and ``on_error`` runs later, unless ``owner`` has gone or the
        bridge is closed.

        ``on_error`` gets UserError, WorkerDied, errors.Cancelled or, for a bug, RuntimeError. Without it an error is
        sent to ``failed``, from where the shell shows it; a cancelled call is passed over in silence.
        """

        def end(terminal: Terminal) -> None:
            error: Exception
            if isinstance(terminal, events.Finished):
                try:
                    result = localised(read_result(call, terminal.result))
                except msgspec.ValidationError as unreadable:
                    error = RuntimeError(f"The core's answer to {type(call).__name__} cannot be read: {unreadable}")
                else:
                    on_result(result)
                    return
            else:
                error = error_of(terminal)
            if on_error is not None:
                on_error(error)
            elif not isinstance(error, Cancelled):
                self.failed.emit(error)

        return self._start(call, None, end, owner)

    def stream(
        self, call: Call[Any], on_events: OnEvents, on_end: OnEnd | None = None, owner: QObject | None = None
    ) -> Handle:
        """Send a call and follow its events, in batches of at most 64, then its terminal event.

        Pieces of text that follow each other come joined, of several ``Progress`` of one stage only the last comes.
        The call continues when the owner is destroyed; cancel the handle to stop it.
        """
        return self._start(call, on_events, on_end, owner)

    def reconnect(self) -> None:
        """Try to reach the core now instead of waiting for the next try."""
        self._reconnect.stop()
        self._connect()

    def refresh_status(self) -> None:
        """Ask for the core's status now."""
        if self._closed:
            return
        if self._asking_status:
            self._ask_again = True  # the answer that is on its way may be older than the reason to ask
            return
        self._asking_status = True
        self.call(GetStatus(), self._on_status, self._on_status_failed, self)

    # -- the way of an event ----------------------------------------------------------------------

    def _start(
        self, call: Call[Any], on_events: OnEvents | None, on_end: OnEnd | None, owner: QObject | None
    ) -> Handle:
        handle = Handle()
        if self._closed:
            handle.ended = True
            return handle
        stream = _Stream(handle, on_events, on_end, owner)
        queue, arrived = self._queue, self._arrived

        def on_event(event: Event) -> None:  # on the front's reader thread
            queue.append((stream, event))
            if not self._awake and shiboken6.isValid(self):
                self._awake = True
                arrived.emit()

        handle._front_handle = self.front.start(call, on_event)
        return handle

    def _on_arrived(self) -> None:
        if not self._drain.isActive() and not self._closed:
            self._drain.start()

    def _on_drain(self) -> None:
        began = time.perf_counter()
        self._awake = False  # before looking into the queue: what comes from now on wakes the bridge anew
        self._sort_arrivals()
        try:
            while self._waiting and not self._closed:
                stream, batch = self._waiting.popleft()
                stream.deliver(batch)
                if isinstance(last := batch[-1], events.Failed) and last.unknown:
                    self.engine_needed.emit(last.message)
                if time.perf_counter() - began > BUDGET_S:
                    break
        finally:  # a fault in a handler is for Qt to tell, and its own
            if self._waiting and not self._closed:
                self._drain.start()

    def _sort_arrivals(self) -> None:
        """Move what has come into one list a stream, joined, in batches of at most LARGEST_BATCH."""
        last: dict[int, list[Event]] = {id(stream): batch for stream, batch in self._waiting}
        for _ in range(len(self._queue)):
            stream, event = self._queue.popleft()
            batch = last.get(id(stream))
            if batch is None or len(batch) >= LARGEST_BATCH:
                batch = last[id(stream)] = []
                self._waiting.append((stream, batch))
            if not _joined(batch, event):
                batch.append(event)

    # -- the core -----------------------------------------------------------------------------------

    def _connect(self) -> None:
        if self._closed:
            return
        if self._watching is None or self._watching.ended:
            self._watching = self.stream(Subscribe(), self._on_changes, self._on_watch_ended, self)
        self.refresh_status()

    def _on_changes(self, batch: Sequence[Event]) -> None:
        seen: set[tuple[str, str]] = set()
        for event in batch:
            if isinstance(event, Changed) and (event.kind, event.id) not in seen:
                seen.add((event.kind, event.id))
                self.changed.emit(event.kind, event.id)
                if event.kind in ("run", "model", "worker", "settings"):
                    self.refresh_status()

    def _on_watch_ended(self, terminal: Terminal) -> None:
        self._lose(None if isinstance(terminal, events.Finished) else error_of(terminal))

    def _on_poll(self) -> None:
        if self.connected:
            self.refresh_status()

    def _on_status(self, status: Status) -> None:
        self._asking_status = False
        self._attempt = 0
        self.problem = ""
        self._set_connected(True)
        if status != self.status:
            self.status = status
            self.status_changed.emit(status)
        if self._ask_again:
            self._ask_again = False
            self.refresh_status()

    def _on_status_failed(self, error: Exception) -> None:
        self._asking_status = self._ask_again = False
        if self._watching is None or self._watching.ended:
            self._lose(error)
            return
        # the core is there, and fails at this alone: shown once, and asked for again
        if not self._attempt:
            self.failed.emit(error)
        self._try_again()

    def _lose(self, error: Exception | None) -> None:
        problem = str(error) if isinstance(error, UserError) else ""
        if problem != self.problem:
            self.problem = problem
            self.connected = None  # so that the new reason is shown
        if not problem:
            self._try_again()
        self.status = None  # what was known does not hold any more
        self._set_connected(False)

    def _try_again(self) -> None:
        if not self._reconnect.isActive():
            self._reconnect.start(RECONNECT_MS[min(self._attempt, len(RECONNECT_MS) - 1)])
            self._attempt += 1

    def _set_connected(self, connected: bool) -> None:
        if connected != self.connected:
            self.connected = connected
            self.connected_changed.emit(connected)


class _Stream:
    """Who wants the events of one call."""

    def __init__(self, handle: Handle, on_events: OnEvents | None, on_end: OnEnd | None, owner: QObject | None) -> None:
        self._handle = handle
        self._on_events = on_events
        self._on_end = on_end
        self._owner = owner

    def deliver(self, batch: list[Event]) -> None:
        batch = [event if _names_a_worker(event) else localised(event) for event in batch]
        terminal = batch[-1] if isinstance(batch[-1], events.TERMINAL) else None
        self._handle.ended = self._handle.ended or terminal is not None
        plain = batch[:-1] if terminal is not None else batch
        try:
            if plain and self._on_events is not None and self._wanted:
                self._on_events(plain)
        finally:
            if terminal is not None and self._on_end is not None and self._wanted:
                self._on_end(terminal)

    @property
    def _wanted(self) -> bool:
        return self._owner is None or shiboken6.isValid(self._owner)


def _names_a_worker(event: Event) -> bool:
    """Whether the hint of a failure is the name of a process instead of a text."""
    return isinstance(event, events.Failed) and event.reason == "worker"


def _joined(batch: list[Event], event: Event) -> bool:
    """Join the event to one of the batch where that loses nothing.

    Pieces of several sequences and steps come in turn: a piece is joined to the last one of its own, as long as nothing
    but pieces lies between.
    """
    if isinstance(event, events.Progress):
        last = batch[-1] if batch else None
        if isinstance(last, events.Progress) and (event.stage, event.step) == (last.stage, last.step):
            batch[-1] = event
            return True
        return False
    if not isinstance(event, events.TextDelta | events.Thought):
        return False
    for place in range(len(batch) - 1, -1, -1):
        last = batch[place]
        if not isinstance(last, events.TextDelta | events.Thought):
            return False
        if (last.sequence, last.step) == (event.sequence, event.step):
            if type(last) is not type(event):
                return False
            tokens = max(last.tokens, event.tokens)
            batch[place] = msgspec.structs.replace(event, text=last.text + event.text, tokens=tokens)
            return True
    return False
