"""The state of the home in the window: the answers of calls such as ``ListModels``, read once and kept current.

``HomeState`` owns every list that the window shows. A page follows the answers that it needs and is handed each new
value; it never asks for one itself. An answer is read when it is first followed, again after a ``Changed`` event of one
of the kinds that its call names in ``changed_by`` (several in a row are one reading), and again when the core was away.
A reading that fails is reported once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import shiboken6
from PySide6.QtCore import QMetaMethod, QObject, QTimer, Signal

from workbench.api.protocol import Call
from workbench.base.errors import Cancelled
from workbench.subjects.runs.calls import GetRun, ListRuns, RunList, RunRecord

if TYPE_CHECKING:
    from ui.bridge import Bridge

R = TypeVar("R")

SOON_MS = 200
"""Changes within this time are answered by one reading."""
RUN_TICK_MS = 300
"""A run that is under way changes several times a second: its record is read at most this often."""
KNOWN_RUNS = 300
_MOST_SINGLE_RUNS = 8
"""Of more changed runs than this the whole list is read."""


class Listing(QObject, Generic[R]):
    """The answer of one call, kept fresh for as long as somebody follows it. ``value`` is None until it is known;
    ``reading``: an answer is on its way."""

    changed = Signal(object)
    """Another value."""

    def __init__(self, bridge: Bridge, call: Call[R], parent: QObject) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self.call = call
        self.value: R | None = None
        self.reading = False
        self._old = True
        self._shown_failure = ""  # the failure that was shown last
        self._takers: list[tuple[Callable[[R], None], QObject]] = []
        self.soon = QTimer(self, singleShot=True, interval=SOON_MS, timeout=self.refresh)

    def follow(self, handler: Callable[[R], None]) -> None:
        """Hand every new value to ``handler``, a method of a QObject, and the known one at once."""
        self.changed.connect(handler)
        if self.value is not None:
            handler(self.value)
        if self._old and not self.reading:
            self.refresh()

    def leave(self, handler: Callable[[R], None]) -> None:
        self.changed.disconnect(handler)

    def once(self, take: Callable[[R], None], owner: QObject) -> None:
        """Hand the value to ``take`` one time, as it is read now; not when it cannot be read or ``owner`` is gone."""
        self._takers.append((take, owner))
        self.refresh()

    @property
    def current(self) -> R | None:
        """The value where it is known and not outdated."""
        return None if self._old or self.reading else self.value

    @property
    def followed(self) -> bool:
        return self.isSignalConnected(QMetaMethod.fromSignal(self.changed))

    def refresh(self) -> None:
        """Read it now; while a reading is under way, again after that."""
        self.soon.stop()
        self._old = True
        if not self.reading:
            self._read()

    def put(self, value: R) -> None:
        """Take a value that a call has brought along."""
        if value != self.value:
            self.value = value
            self.changed.emit(value)

    def expire(self, id: str = "") -> None:
        """Mark the known records as outdated, all of them or that of one ``id``."""
        self._old = True
        if self.followed and not self.soon.isActive():
            self.soon.start()

    def _read(self) -> None:
        self.reading, self._old = True, False
        self._bridge.call(self.call, self._on_value, self._on_error, self)

    def _on_value(self, value: R) -> None:
        self.reading = False
        self._shown_failure = ""
        takers: list[tuple[Callable[[R], None], QObject]] = []
        if self._old:
            self._read()
        else:
            takers, self._takers = self._takers, takers
        self.put(value)
        for take, owner in takers:
            if shiboken6.isValid(owner):
                take(value)

    def _on_error(self, error: Exception) -> None:
        self.reading = False
        if self._old and self._bridge.connected:
            self._read()
            return
        self._old = True
        self._takers.clear()
        self.tell(error)

    def tell(self, error: Exception) -> None:
        """Show a failure once. The frame shows that the core cannot be reached."""
        if self._bridge.connected and not isinstance(error, Cancelled) and str(error) != self._shown_failure:
            self._shown_failure = str(error)
            self._bridge.failed.emit(error)


class RunListing(Listing[RunList]):
    """The latest runs, the newest first. When one changes, that one is read: records that stay are the same objects."""

    def __init__(self, bridge: Bridge, call: Call[RunList], parent: QObject) -> None:
        super().__init__(bridge, call, parent)
        self._ticked: dict[str, None] = {}
        self._tick = QTimer(self, singleShot=True, interval=RUN_TICK_MS, timeout=self._read_ticked)

    def expire(self, id: str = "") -> None:
        if not id or self.value is None or not self.followed:
            super().expire()
            return
        self._ticked[id] = None
        if not self._tick.isActive():
            self._tick.start()

    def put_run(self, run: RunRecord) -> None:
        """Take a run's record that a call has brought along. It is read again soon: the run can have ended meanwhile,
        and its end have been announced before."""
        self._take_run(run)
        self.expire(run.id)

    def _take_run(self, run: RunRecord) -> None:
        others = [known for known in self.value.runs if known.id != run.id] if self.value is not None else []
        runs = sorted([*others, run], key=lambda known: -known.created)
        self.put(RunList(runs=tuple(runs[:KNOWN_RUNS])))

    def _read_ticked(self) -> None:
        ticked, self._ticked = list(self._ticked), {}
        if len(ticked) > _MOST_SINGLE_RUNS:
            self.refresh()
            return
        for run in ticked:
            self._bridge.call(GetRun(run=run), self._take_run, self._on_run_missing, self)

    def _on_run_missing(self, error: Exception) -> None:
        """It was deleted, or it cannot be read: the list tells."""
        self.refresh()


class HomeState(QObject):
    """The lists of one home folder. Made by the bridge, which tells it of changes."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(bridge)
        self._bridge = bridge
        self._listings: dict[Call[Any], Listing[Any]] = {}
        bridge.changed.connect(self._on_changed)
        bridge.connected_changed.connect(self._on_connected)

    def listing(self, call: Call[R]) -> Listing[R]:
        """The answer of a call, shared by all who follow it."""
        found = self._listings.get(call)
        if found is None:
            self._drop_unfollowed(type(call))
            kind: type[Listing[Any]] = RunListing if isinstance(call, ListRuns) else Listing
            found = self._listings[call] = kind(self._bridge, call, self)
        return found

    @property
    def runs(self) -> RunListing:
        return self.listing(ListRuns(limit=KNOWN_RUNS))  # type: ignore[return-value]

    def _on_changed(self, kind: str, id: str) -> None:
        for call, listing in list(self._listings.items()):
            if kind in call.changed_by and id in ("", getattr(call, call.about) if call.about else id):
                listing.expire(id)

    def _on_connected(self, connected: bool) -> None:
        """Changes during the disconnection are unknown."""
        for listing in list(self._listings.values()):
            listing.expire()
            if connected and listing.followed:
                listing.refresh()

    def _drop_unfollowed(self, kind: type[Call[Any]]) -> None:
        """Keep no answers to what nobody wants to know any more, such as the chats of an earlier search."""
        for call, listing in list(self._listings.items()):
            if type(call) is kind and not listing.followed:
                del self._listings[call]
                listing.deleteLater()
