"""The training worker processes: one for each training or merge, and a shared one for inspection and planning.

The one that looks inspects data, plans and converts; it is let go when nothing was asked of it for some minutes, and
before a training starts, which needs the memory.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

from workbench.base.training_environment import require_packages
from workbench.processes.host import State, WorkerHost

IDLE_S = 180.0
CHECKPOINT_S = 120.0
"""How long a training has to write its checkpoint when it is to stop."""


class HostMaker(Protocol):
    def __call__(
        self, on_state: Callable[[State], None], *, cancel_grace_s: float = ..., stop_grace_s: float = ...
    ) -> WorkerHost: ...


class TrainingWorkers:
    """``packages`` is the folder in which the packages of training may be, beside the program's own."""

    def __init__(
        self,
        make_host: HostMaker,
        changed: Callable[[], None],
        idle_s: float = IDLE_S,
        packages: Path | None = None,
    ) -> None:
        self._make_host = make_host
        self._packages = packages
        self._changed = changed
        self._idle_s = idle_s
        self._entering = threading.Lock()  # held while the one that looks is let go, so that nobody asks it meanwhile
        self._lock = threading.Lock()  # guards what follows
        self._users = 0
        self._timer: threading.Timer | None = None
        self._working: list[WorkerHost] = []
        self._looking = make_host(lambda state: changed())

    @property
    def hosts(self) -> tuple[WorkerHost, ...]:
        """Those that have a process."""
        with self._lock:
            return tuple(host for host in (self._looking, *self._working) if host.pid)

    @property
    def memory_bytes(self) -> int:
        """The memory of all trainings now, in bytes."""
        with self._lock:
            working = list(self._working)
        return sum(host.memory_bytes for host in working)

    def require_packages(self, what: str = "Training") -> None:
        """Raises UserError where the packages that training computes with are not installed."""
        require_packages(what, self._packages)

    @contextlib.contextmanager
    def shared(self) -> Iterator[WorkerHost]:
        """The worker that looks, for small requests. It holds no weights for longer than one of them."""
        with self._entering, self._lock:
            self._users += 1
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
        try:
            yield self._looking
        finally:
            with self._lock:
                self._users -= 1
                if not self._users:
                    self._timer = threading.Timer(self._idle_s, self._close_shared)
                    self._timer.daemon = True
                    self._timer.start()

    @contextlib.contextmanager
    def dedicated(self) -> Iterator[WorkerHost]:
        """A worker of its own for what takes much memory; it leaves with the block."""
        self._close_shared()
        host = self._make_host(lambda state: self._changed(), cancel_grace_s=CHECKPOINT_S, stop_grace_s=CHECKPOINT_S)
        with self._lock:
            self._working.append(host)
        try:
            yield host
        finally:
            host.close()
            with self._lock:
                self._working.remove(host)
            self._changed()

    def let_go(self) -> None:
        """Let the worker that looks leave, unless it is in use: the next one imports what is installed then."""
        self._close_shared()

    def close(self) -> None:
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
        self._looking.close()

    def _close_shared(self) -> None:
        with self._entering:
            with self._lock:
                idle = not self._users
            if idle:
                self._looking.stop()
