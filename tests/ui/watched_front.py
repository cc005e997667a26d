"""The real core in this process, with a count of what the window asks of it."""

from __future__ import annotations

from typing import Any

from tests.local_front import LocalFront
from workbench import calls as c
from workbench.api import events
from workbench.api.client import Handle, Listener
from workbench.api.events import Event
from workbench.api.protocol import Call

_FOLLOWING = (c.Subscribe, c.FollowRun, c.FollowAnswer, c.GetStatus)
"""Calls that are open for as long as somebody looks, or that come by themselves."""


class WatchedFront(LocalFront):
    """Counts the calls of the window, knows which are open, and keeps the faults of the core."""

    def __init__(self, workbench: Any) -> None:
        super().__init__(workbench)
        self.asked = 0
        self.faults: list[str] = []
        self._open: dict[int, str] = {}

    def waits_for(self, since: int) -> bool:
        """Whether a call is open that was begun after ``since`` calls."""
        return any(number >= since for number in tuple(self._open))

    @property
    def unanswered(self) -> list[str]:
        """The calls that are open, by their names."""
        return sorted(set(self._open.values()))

    def start(self, call: Call[Any], on_event: Listener) -> Handle:
        if isinstance(call, _FOLLOWING):
            return super().start(call, on_event)
        number = self.asked
        self.asked += 1
        self._open[number] = type(call).__name__

        def watch(event: Event) -> None:
            if isinstance(event, events.TERMINAL):
                self._open.pop(number, None)
            if isinstance(event, events.Failed) and event.reason not in ("user", "worker"):
                self.faults.append(f"{type(call).__name__}: {event.message}\n{event.stderr_tail}")
            on_event(event)

        return super().start(call, watch)
