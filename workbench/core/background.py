"""Short background work, on threads that the core's shutdown waits for."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable

from workbench.api.protocol import RequestContext
from workbench.base.errors import Cancelled, UserError

_log = logging.getLogger(__name__)


class Background:
    """Runs work on its own threads. Long work checks the context that it gets."""

    def __init__(self) -> None:
        self._context = RequestContext()
        self._lock = threading.Lock()
        self._threads: set[threading.Thread] = set()

    def start(self, name: str, work: Callable[[RequestContext], None]) -> None:
        """Run ``work(context)``. A UserError that it raises is logged: the code that needs the result meets it
        again."""
        thread = threading.Thread(target=self._run, args=(work,), name=name, daemon=True)
        with self._lock:
            if self._context.cancelled:
                return
            self._threads.add(thread)
            thread.start()

    def close(self, timeout_s: float = 10.0) -> None:
        """Cancel the running work and wait for it."""
        self._context.cancel()
        with self._lock:
            threads = list(self._threads)
        for thread in threads:
            thread.join(timeout_s)

    def _run(self, work: Callable[[RequestContext], None]) -> None:
        try:
            with contextlib.suppress(Cancelled):
                work(self._context)
        except UserError as error:
            _log.info("%s: %s", threading.current_thread().name, error)
        finally:
            with self._lock:
                self._threads.discard(threading.current_thread())
