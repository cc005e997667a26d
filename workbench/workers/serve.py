"""The worker's side of the protocol: read requests, run each on a thread, write its events.

A worker module calls ``serve(name, calls, handlers)`` and knows nothing of lines, ids or pipes.
"""

from __future__ import annotations

import os
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from workbench import events
from workbench.events import Event
from workbench.protocol import Call, RequestContext, failure_of
from workbench.workers.protocol import Cancel, FromWorker, Ready, Reply, Request, Shutdown, ToWorker

Handler = Callable[[Any, RequestContext], Iterator[Event]]


def serve(
    worker: str,
    calls: Any,
    handlers: Mapping[type[Call[Any]], Handler],
    on_leave: Callable[[], None] | None = None,
) -> None:
    """Serve requests until the parent says Shutdown or goes. Does not return in the second case.

    ``calls`` is the union of the call types, ``handlers`` has a generator function for each. A handler that
    ends without a terminal event is finished with None; one that raises is failed (UserError: the person can
    act; anything else: a bug, with its traceback). Handlers run on threads of their own, all at the same time:
    what must not overlap is theirs to order. ``on_leave`` runs before the process ends.
    """
    out = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # so that no library's print can corrupt the stream
    sys.stdout = sys.stderr
    lock = threading.Lock()
    encoder = msgspec.json.Encoder()
    decoder: msgspec.json.Decoder[ToWorker] = msgspec.json.Decoder(ToWorker)
    call_decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(calls)
    running: dict[int, RequestContext] = {}

    def send(message: FromWorker) -> None:
        line = encoder.encode(message) + b"\n"
        view = memoryview(line)
        with lock:
            try:
                while view:
                    view = view[out.write(view) :]
            except OSError:
                os._exit(1)  # the parent's end of the pipe is gone

    def run(request: Request, context: RequestContext) -> None:
        seq = 0

        def reply(event: Event) -> None:
            nonlocal seq
            seq += 1
            send(Reply(request.id, events.stamped(event, seq, time.time())))

        ended = False
        try:
            call = call_decoder.decode(request.call)
            for event in handlers[type(call)](call, context):
                reply(event)
                if isinstance(event, events.TERMINAL):
                    ended = True
                    break
            if not ended:
                reply(events.Finished())
        except Exception as error:  # noqa: BLE001 - whatever a handler raises becomes its terminal event
            if not ended:
                reply(failure_of(error, traceback.format_exc()))
        finally:
            running.pop(request.id, None)

    send(Ready(worker, os.getpid()))
    for line in sys.stdin.buffer:
        message = decoder.decode(line)
        if isinstance(message, Request):
            context = running[message.id] = RequestContext()
            threading.Thread(target=run, args=(message, context), name=f"request-{message.id}", daemon=True).start()
        elif isinstance(message, Cancel):
            if message.id in running:
                running[message.id].cancel()
        elif isinstance(message, Shutdown):
            break
    for context in list(running.values()):
        context.cancel()
    deadline = time.monotonic() + 5.0
    while running and time.monotonic() < deadline:
        time.sleep(0.01)
    if on_leave is not None:
        on_leave()
    sys.stderr.flush()
    os._exit(0)  # libraries' own threads must not keep a finished worker alive
