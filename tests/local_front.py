"""A front without a connection: the Workbench in this process."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import TypeVar

from workbench.api.client import Handle, Listener
from workbench.api.events import Event
from workbench.api.protocol import Call, RequestContext, result_of
from workbench.app import Workbench

R = TypeVar("R")


class LocalFront:
    """A ``Front`` of a Workbench in this process."""

    def __init__(self, workbench: Workbench) -> None:
        self._workbench = workbench
        self._lock = threading.Lock()
        self._under_way: dict[RequestContext, threading.Thread] = {}

    def start(self, call: Call[R], on_event: Listener) -> Handle:
        context = RequestContext()
        stream = self._workbench.handle(call, context)
        thread = threading.Thread(target=self._follow, args=(stream, on_event, context), name="local", daemon=True)
        with self._lock:
            self._under_way[context] = thread
        thread.start()
        return context

    def stream(self, call: Call[R]) -> Iterator[Event]:
        return self._workbench.handle(call)

    def call(self, call: Call[R], watch: Listener | None = None) -> R:
        return result_of(call, self.stream(call), watch)

    def close(self) -> None:
        """Abandon the open calls and wait until they have noticed. The Workbench stays open."""
        with self._lock:
            under_way = dict(self._under_way)
        for context in under_way:
            context.leave()
        for thread in under_way.values():
            if thread is not threading.current_thread():
                thread.join(10.0)

    def _follow(self, stream: Iterator[Event], on_event: Listener, context: RequestContext) -> None:
        try:
            for event in stream:
                on_event(event)
        finally:
            with self._lock:
                del self._under_way[context]
