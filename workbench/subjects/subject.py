"""What one subject brings into the core, made by its ``wire`` function, and all of them joined."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from workbench.api.protocol import RequestContext
from workbench.core.foundation import Foundation
from workbench.core.streams import Handlers
from workbench.processes.host import WorkerHost
from workbench.subjects.runs.kinds import RunKind
from workbench.subjects.trash.kinds import TrashKind

IDLE_CHECK_S, MINUTE_S = 15.0, 60.0
K = TypeVar("K")
V = TypeVar("V")
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Subject:
    """``handlers`` answer its calls, ``kinds`` perform its runs, by their names. ``hosts`` are worker processes that
    are stopped when nobody has used them for a while. ``watches`` is background work, by the name of its thread, that
    begins with the core. ``stop`` ends its work before the workers leave, ``close`` lets its workers leave."""

    handlers: Handlers = field(default_factory=dict)
    kinds: Mapping[str, RunKind] = field(default_factory=dict)
    trash: Mapping[str, TrashKind] = field(default_factory=dict)
    """What of it can be deleted and restored, by the names of its kinds."""
    hosts: Sequence[WorkerHost] = ()
    keeps_hosts: Callable[[], bool] = lambda: False
    """Whether its workers stay while nobody uses them."""
    watches: Mapping[str, Callable[[RequestContext], None]] = field(default_factory=dict)
    is_busy: Callable[[], bool] = lambda: False
    """Whether work goes on that no client has to watch."""
    stop: Callable[[], None] = lambda: None
    close: Sequence[Callable[[], None]] = ()


class Subjects:
    """All subjects of a home, the lowest first. Raises ValueError when two of them answer one call."""

    def __init__(self, base: Foundation, *subjects: Subject) -> None:
        self._base = base
        self._subjects = subjects
        self.handlers = _joined("calls", [subject.handlers for subject in subjects])
        self.kinds = _joined("kinds of runs", [subject.kinds for subject in subjects])
        self.trash = _joined("kinds of the trash", [subject.trash for subject in subjects])

    @property
    def busy(self) -> bool:
        return any(subject.is_busy() for subject in self._subjects)

    def start(self) -> None:
        """Begin what goes on beside the calls."""
        for subject in self._subjects:
            for name, watch in subject.watches.items():
                self._base.background.start(name, watch)
        self._base.background.start("idle", self._stop_idle)

    def close(self) -> None:
        """Interrupt the running work, then let all workers leave at the same time."""
        for subject in reversed(self._subjects):
            subject.stop()
        leaving = [threading.Thread(target=close, name="close") for one in self._subjects for close in one.close]
        for thread in leaving:
            thread.start()
        for thread in leaving:
            thread.join()

    def _stop_idle(self, context: RequestContext) -> None:
        """Give back the memory of workers that nobody has asked anything for as long as the settings say."""
        leaving = threading.Event()
        context.when_cancelled(leaving.set)
        while not leaving.wait(IDLE_CHECK_S):
            minutes = self._base.settings.engine.unload_minutes
            leaving_now = [subject for subject in self._subjects if minutes and not subject.keeps_hosts()]
            for host in (host for subject in leaving_now for host in subject.hosts):
                if host.stop_if_idle(MINUTE_S * minutes):
                    _log.info("The %s worker was stopped after %d idle minutes.", host.worker, minutes)


def _joined(what: str, parts: Sequence[Mapping[K, V]]) -> dict[K, V]:
    joined = {key: value for part in parts for key, value in part.items()}
    if len(joined) < sum(map(len, parts)):
        raise ValueError(f"two subjects bring the same {what}")
    return joined
