"""The worker's side of the protocol: reads requests, runs each on a thread, writes its events.

A worker module calls ``serve(name, calls, handlers)`` and knows nothing of lines, ids or pipes.
"""

from __future__ import annotations

import os
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from typing import Any, BinaryIO

import msgspec

from workbench.api import events
from workbench.api.protocol import Call, RequestContext, failure_of
from workbench.processes.messages import Cancel, FromWorker, Ready, Reply, Shutdown, ToWorker, WorkerRequest

Handler = Callable[[Any, RequestContext], Iterator[events.Event]]

LEAVE_S = 5.0
"""Default time for requests in flight to end after they were cancelled because the worker leaves."""


def serve(
    worker: str,
    calls: Any,
    handlers: Mapping[type[Call[Any]], Handler],
    on_leave: Callable[[], None] | None = None,
    leave_s: float = LEAVE_S,
) -> None:
    """Serve requests until the parent says Shutdown or dies; then end the process. Never returns.

    ``calls`` is the union of the call types, ``handlers`` has a generator function for each. A handler that ends
    without a terminal event is finished with None; one that raises is failed (UserError: the person can act; anything
    else: a bug, with its traceback). Handlers run on their own threads, concurrently, and do their own locking.
    ``on_leave`` runs before the process ends; requests in flight have ``leave_s`` to end before that.
    """
    # descriptors that no child inherits, with harmless ones in their places: no library's print can corrupt the stream
    requests, out = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb", buffering=0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    line_out = _Lines(out, leave_s)
    decoder: msgspec.json.Decoder[ToWorker] = msgspec.json.Decoder(ToWorker)
    call_decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(calls)
    running: dict[int, RequestContext] = {}
    idle = threading.Condition()

    def run(request: WorkerRequest, context: RequestContext) -> None:
        try:
            _answer(request, context, call_decoder, handlers, line_out)
        finally:
            with idle:
                del running[request.id]
                idle.notify_all()

    line_out.send(Ready(worker, os.getpid()))
    for line in requests:
        if not line.endswith(b"\n"):
            break  # the parent died in the middle of it
        message = decoder.decode(line)
        if isinstance(message, WorkerRequest):
            context = RequestContext()
            with idle:
                running[message.id] = context
            threading.Thread(target=run, args=(message, context), name=f"request-{message.id}", daemon=True).start()
        elif isinstance(message, Cancel):
            with idle:
                cancelled = running.get(message.id)
            if cancelled is not None:  # else it ended while the message was on its way
                (cancelled if message.part is None else cancelled.part(message.part)).cancel()
        elif isinstance(message, Shutdown):
            break
    with idle:
        for context in running.values():
            context.cancel()
        idle.wait_for(lambda: not running, leave_s)
    if on_leave is not None:
        on_leave()
    sys.stderr.flush()
    os._exit(0)  # libraries' own threads must not keep a finished worker alive


def _answer(
    request: WorkerRequest,
    context: RequestContext,
    calls: msgspec.json.Decoder[Any],
    handlers: Mapping[type[Call[Any]], Handler],
    line_out: _Lines,
) -> None:
    """Run one request's handler and send its events, numbered; exactly one terminal event, the last."""
    seq = 0
    ended = False

    def reply(event: events.Event) -> None:
        nonlocal seq, ended
        line_out.send(Reply(request.id, events.stamped(event, seq + 1, time.time())))
        seq += 1
        ended = isinstance(event, events.TERMINAL)

    stream: Iterator[events.Event] = iter(())
    try:
        call = calls.decode(request.call)
        stream = handlers[type(call)](call, context)
        for event in stream:
            reply(event)
            if ended:
                break
        if not ended:
            reply(events.Finished())
    except BaseException as error:  # noqa: BLE001 - whatever a handler raises becomes its terminal event
        if not ended:
            reply(failure_of(error, traceback.format_exc()))
    finally:
        close = getattr(stream, "close", None)  # run the handler's own clean-up now, not at garbage collection
        if close is not None:
            close()


class _Lines:
    """The worker's output to its parent. After the parent's death, output is dropped."""

    def __init__(self, out: BinaryIO, leave_s: float) -> None:
        self._out = out
        self._leave_s = leave_s
        self._lock = threading.Lock()
        self._encoder = msgspec.json.Encoder()
        self._gone = False

    def send(self, message: FromWorker) -> None:
        view = memoryview(self._encoder.encode(message) + b"\n")
        with self._lock:
            if self._gone:
                return
            try:
                while view:
                    view = view[self._out.write(view) :]
            except OSError:
                # stdin reaches its end at the same moment and lets the worker leave in order; if another process holds
                # that pipe open, leave all the same
                self._gone = True
                last_resort = threading.Timer(2 * self._leave_s, os._exit, (1,))
                last_resort.daemon = True
                last_resort.start()
