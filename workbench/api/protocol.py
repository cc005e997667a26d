"""Call[R]: a request as a value, with the type of its result.

Clients call the core and the core calls its workers in the same way: a call is answered by a stream of events
that ends in one terminal event, and ``Finished.result`` of a ``Call[R]`` is an ``R``.
"""

from __future__ import annotations

import contextlib
import errno
import queue
import threading
from collections.abc import Callable, Generator, Iterable
from typing import Any, ClassVar, Generic, Literal, TypeVar, get_args

import msgspec

from workbench.api import events
from workbench.api.events import Event
from workbench.base import errors

R = TypeVar("R")

_NO_SPACE = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))


class Call(msgspec.Struct, Generic[R], frozen=True, kw_only=True, tag_field="call"):
    """A request whose result is an ``R``. Each kind of call is a subclass with its own tag."""

    changed_by: ClassVar[tuple[str, ...]] = ()
    """The kinds of ``Changed`` events that make an answer old."""
    about: ClassVar[str] = ""
    """The field that holds the id of what such an event must name; "" where any of its kind makes the answer old."""
    made_by: ClassVar[tuple[Literal["window", "terminal", "neither"], str] | None] = None
    """The only client that makes it, of the window and the terminal, and why; None where both do."""


class RequestContext:
    """The state of a request for its handler: whether it was cancelled, and whether its client has left."""

    def __init__(self) -> None:
        self._left = False
        self._cancelled = threading.Event()
        self._lock = threading.Lock()
        self._callbacks: list[Callable[[], object]] = []
        self._parts: dict[int, RequestContext] = {}

    @property
    def cancelled(self) -> bool:
        return self._cancelled.is_set()

    def cancel(self) -> None:
        with self._lock:
            self._cancelled.set()
            callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback()

    def when_cancelled(self, callback: Callable[[], object]) -> Callable[[], None]:
        """Register ``callback`` to be called once, on the thread that cancels; immediately if that has happened
        already.

        Returns a function that removes it: for work that ends before the request does.
        """

        def forget() -> None:
            with self._lock, contextlib.suppress(ValueError):
                self._callbacks.remove(callback)

        with self._lock:
            if not self._cancelled.is_set():
                self._callbacks.append(callback)
                return forget
        callback()
        return forget

    def part(self, place: int) -> RequestContext:
        """The state of one of several requests that are made together: cancelled by itself, or with all of them."""
        with self._lock:
            known = place in self._parts
            part = self._parts.setdefault(place, RequestContext())
        if not known:
            self.when_cancelled(part.cancel)
        return part

    @property
    def left(self) -> bool:
        """The client has left without stopping the work. Implies ``cancelled``."""
        return self._left

    def leave(self) -> None:
        """The client has left: like ``cancel``, but for work that outlives its client."""
        self._left = True
        self.cancel()

    def raise_if_cancelled(self) -> None:
        """Raises errors.Cancelled once the request was cancelled."""
        if self._cancelled.is_set():
            raise errors.Cancelled

    def wait_cancelled(self, timeout_s: float | None = None) -> bool:
        return self._cancelled.wait(timeout_s)


def result_type(call: type[Call[Any]]) -> Any:
    """The ``R`` of a call's type."""
    for base in getattr(call, "__orig_bases__", ()):
        arguments = get_args(base)
        if arguments:
            return arguments[0]
    raise TypeError(f"{call.__name__} does not say what it returns")


def read_result(call: Call[R], plain: Any) -> R:
    """A call's typed result from the plain data of its ``Finished`` event."""
    result: R = msgspec.convert(plain, result_type(type(call)))
    return result


def finish(result: Any) -> events.Finished:
    """The terminal event of a result, as plain data, so that it is the same in process and over a wire."""
    return events.Finished(result=msgspec.to_builtins(result, builtin_types=(bytes,)))


def follow(result: type[R], stream: Iterable[Event]) -> Generator[Event, None, R]:
    """Yield the events of a stream before its end; returns its result.

    Raises UserError, WorkerDied, errors.Cancelled or RuntimeError (a bug) for the other endings.
    """
    for event in stream:
        if isinstance(event, events.Finished):
            made: R = msgspec.convert(event.result, result)
            return made
        if isinstance(event, events.TERMINAL):
            raise error_of(event)
        yield event
    raise RuntimeError("A stream ended without a terminal event")


def drain(following: Generator[Event, None, R], watch: Callable[[Event], None] | None = None) -> R:
    """Run a generator of events to its end and return its result; ``watch`` gets the events before it."""
    while True:
        try:
            event = next(following)
        except StopIteration as end:
            result: R = end.value
            return result
        if watch is not None:
            watch(event)


def with_progress(
    work: Callable[[Callable[[Event], None]], R], stop: Callable[[], None] | None = None
) -> Generator[Event, None, R]:
    """Run ``work(report)`` on a thread and yield the reported events; its result or exception is the generator's.

    With ``stop``, which is called when it has ended or nobody reads on, the work is waited for. Without it, closing the
    generator does not end the work: the request context does.
    """
    arrived: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
    outcome: list[R] = []
    raised: list[BaseException] = []

    def run() -> None:
        try:
            outcome.append(work(arrived.put))
        except BaseException as error:  # noqa: BLE001 - raised again on the other thread
            raised.append(error)
        finally:
            arrived.put(None)

    thread = threading.Thread(target=run, name="reported", daemon=True)
    thread.start()
    try:
        while (event := arrived.get()) is not None:
            yield event
    finally:
        if stop is not None:
            stop()
            thread.join()
    if raised:
        raise raised[0]
    return outcome[0]


def result_of(call: Call[R], stream: Iterable[Event], watch: Callable[[Event], None] | None = None) -> R:
    """Follow a stream to its end and return the call's result, or raise, like ``follow``."""
    kind: type[R] = result_type(type(call))
    return drain(follow(kind, stream), watch)


def error_of(event: events.Failed | events.Cancelled) -> Exception:
    """The exception of a failed or cancelled request."""
    if isinstance(event, events.Cancelled):
        return errors.Cancelled()
    if event.sending is not None:
        asked = event.sending
        return errors.SendingRefused(
            event.message, event.hint, model=asked.model, collection=asked.collection, refused=asked.refused
        )
    if event.exceeded is not None:
        return errors.ContextExceeded(
            event.message, event.hint, tokens=event.exceeded.tokens, context_tokens=event.exceeded.context_tokens
        )
    if event.unknown:
        return errors.NewerEngineNeeded(event.message, event.hint, what=event.unknown)
    if event.reason == "user":
        return errors.UserError(event.message, event.hint)
    if event.reason == "worker":
        return errors.WorkerDied(event.hint or "a", event.exit_code, event.stderr_tail)
    kind = errors.OutOfMemory if event.reason == "memory" else errors.FaultElsewhere
    return kind(event.message, event.stderr_tail)


def failure_of(error: BaseException, traceback_text: str = "") -> events.Failed | events.Cancelled:
    """The terminal event of an exception: the inverse of ``error_of``."""
    if isinstance(error, errors.Cancelled):
        return events.Cancelled()
    if isinstance(error, errors.SendingRefused):
        sending = events.Sending(model=error.model, collection=error.collection, refused=error.refused)
        return events.Failed(message=error.message, hint=error.hint, sending=sending)
    if isinstance(error, errors.ContextExceeded):
        exceeded = events.Exceeded(tokens=error.tokens, context_tokens=error.context_tokens)
        return events.Failed(message=error.message, hint=error.hint, exceeded=exceeded)
    if isinstance(error, errors.NewerEngineNeeded):
        return events.Failed(message=error.message, hint=error.hint, unknown=error.what)
    if isinstance(error, errors.UserError):
        return events.Failed(message=error.message, hint=error.hint)
    if isinstance(error, errors.WorkerDied):
        return events.Failed(
            message=str(error),
            hint=error.worker,
            reason="worker",
            exit_code=error.exit_code,
            stderr_tail=error.stderr_tail,
        )
    reason: Literal["memory", "bug"]
    if isinstance(error, errors.FaultElsewhere):
        reason = "memory" if isinstance(error, errors.OutOfMemory) else "bug"
        return events.Failed(message=error.message, reason=reason, stderr_tail=error.traceback_text)
    if isinstance(error, OSError) and error.errno in _NO_SPACE:
        where = f" and cannot hold {error.filename}" if error.filename else ""
        return events.Failed(message=f"The disk is full{where}.", hint="Free some space and try again.")
    reason = "memory" if isinstance(error, MemoryError) else "bug"
    return events.Failed(message=f"{type(error).__name__}: {error}", reason=reason, stderr_tail=traceback_text)
