"""What window, terminal and scripts hold: the calls of ``workbench.calls`` over the local connection."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol, TypeVar

from workbench.events import Event
from workbench.protocol import Call

R = TypeVar("R")


class Handle(Protocol):
    """A call that is being answered."""

    def cancel(self) -> None:
        """Ask for it to stop; its stream still ends in one terminal event."""


class Front(Protocol):
    """The interface of the core, for whoever is in front of a person."""

    def start(self, call: Call[R], on_event: Callable[[Event], None]) -> Handle:
        """Send a call and return at once. ``on_event`` runs on the client's reader thread, in order, and must
        be quick; its last event is terminal. A lost connection ends every open call as Failed(reason="worker").
        """

    def stream(self, call: Call[R]) -> Iterator[Event]:
        """The call's events, blocking. Closing the iterator early cancels the call."""

    def call(self, call: Call[R], watch: Callable[[Event], None] | None = None) -> R:
        """The call's result, blocking. Raises UserError, WorkerDied or errors.Cancelled."""

    def close(self) -> None:
        """Leave. Runs go on; answers that this client asked for go on too."""
