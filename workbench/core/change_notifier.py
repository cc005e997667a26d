"""Change notifier: tells every subscriber of changes in the home, each at its own pace."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

from workbench.api import events
from workbench.api.protocol import RequestContext


class ChangeNotifier:
    """Distributes ``Changed`` events. Repeated changes that a subscriber has not read yet are merged into one."""

    def __init__(self) -> None:
        self._news = threading.Condition()
        self._pending: list[dict[tuple[str, str], None]] = []
        self.latest = time.monotonic()
        """When something last changed, in monotonic seconds."""

    def publish(self, kind: str, id: str = "") -> None:
        """Notify all subscribers. Never blocks. ``kind``: chat, run, model, collection, adapter, data, settings,
        questions, evaluation, prompts, demonstrations, mcp, judgements, labelling, worker."""
        self.latest = time.monotonic()
        with self._news:
            for pending in self._pending:
                pending[kind, id] = None
            self._news.notify_all()

    def subscribe(self, context: RequestContext) -> Iterator[events.Event]:
        """The changes from now on, until ``context`` is cancelled."""
        mine: dict[tuple[str, str], None] = {}
        with self._news:
            self._pending.append(mine)
        return self._follow(mine, context, context.when_cancelled(self._wake))

    def _follow(
        self, mine: dict[tuple[str, str], None], context: RequestContext, forget: Callable[[], None]
    ) -> Iterator[events.Event]:
        try:
            while True:
                with self._news:
                    self._news.wait_for(lambda: mine or context.cancelled)
                    news = list(mine)
                    mine.clear()
                if context.cancelled:
                    yield events.Cancelled()
                    return
                for kind, id in news:
                    yield events.Changed(kind=kind, id=id)
        finally:
            forget()
            with self._news:
                self._pending = [pending for pending in self._pending if pending is not mine]

    def _wake(self) -> None:
        with self._news:
            self._news.notify_all()
