"""The state of the home in the window: models, collections, chats, adapters, runs and settings, read once and kept
current.

``HomeState`` owns every list that the window shows. A page follows the lists it needs and is handed each new value; it
never asks for a list itself. A list is read when it is first followed, again after a ``Changed`` event of one of its
kinds (several in a row are one reading), and again when the core was away. A reading that fails is reported once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import shiboken6
from PySide6.QtCore import QMetaMethod, QObject, QTimer, Signal

from workbench.api.protocol import Call
from workbench.base.errors import Cancelled
from workbench.base.settings import Settings
from workbench.records.documents import DocumentList
from workbench.records.evaluation import EvaluationReport
from workbench.records.models import Machine
from workbench.records.training import AdapterList, DataSetList
from workbench.subjects.adapters.calls import ListAdapters
from workbench.subjects.agents.calls import ListFacts, ListMcpServers
from workbench.subjects.chats.calls import ChatList, ListChats
from workbench.subjects.datasets.calls import ListDataSets
from workbench.subjects.documents.calls import CollectionList, ListCollections, ListDocuments
from workbench.subjects.evaluation.calls import (
    EvaluationList,
    GetEvaluation,
    GetLeaderboard,
    ListEvaluations,
    ListQuestionSets,
    QuestionSetList,
)
from workbench.subjects.judgements.calls import ListJudgements, ListQueues
from workbench.subjects.machine.calls import GetMachine, GetRuntime, GetSettings, ListMethods, MethodList, RuntimeState
from workbench.subjects.models.calls import ListModels, ModelList
from workbench.subjects.prompts.calls import DemonstrationList, ListDemonstrations, ListPrompts, PromptList
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

KINDS: dict[type[Call[Any]], tuple[str, ...]] = {
    ListModels: ("model", "settings"),
    ListCollections: ("collection",),
    ListDocuments: ("collection",),
    ListChats: ("chat",),
    ListAdapters: ("adapter", "model"),
    ListDataSets: ("data",),
    ListQuestionSets: ("questions",),
    ListPrompts: ("prompts",),
    ListDemonstrations: ("demonstrations",),
    ListEvaluations: ("evaluation",),
    ListFacts: ("facts",),
    ListJudgements: ("judgements",),
    ListQueues: ("labelling", "judgements"),
    ListMcpServers: ("mcp", "settings"),
    GetEvaluation: ("evaluation",),
    GetLeaderboard: ("evaluation", "model"),
    ListRuns: ("run",),
    GetSettings: ("settings",),
    GetMachine: (),
    GetRuntime: ("worker",),
    ListMethods: (),
}
"""Which kinds of ``Changed`` events make the answer of a call old."""


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
        """What answers a call of ``KINDS``, shared by all who follow it."""
        found = self._listings.get(call)
        if found is None:
            self._drop_unfollowed(type(call))
            kind: type[Listing[Any]] = RunListing if isinstance(call, ListRuns) else Listing
            found = self._listings[call] = kind(self._bridge, call, self)
        return found

    @property
    def models(self) -> Listing[ModelList]:
        return self.listing(ListModels())

    @property
    def collections(self) -> Listing[CollectionList]:
        return self.listing(ListCollections())

    @property
    def chats(self) -> Listing[ChatList]:
        return self.listing(ListChats())

    @property
    def adapters(self) -> Listing[AdapterList]:
        return self.listing(ListAdapters())

    @property
    def data_sets(self) -> Listing[DataSetList]:
        return self.listing(ListDataSets())

    @property
    def question_sets(self) -> Listing[QuestionSetList]:
        return self.listing(ListQuestionSets())

    @property
    def prompts(self) -> Listing[PromptList]:
        return self.listing(ListPrompts())

    @property
    def demonstrations(self) -> Listing[DemonstrationList]:
        return self.listing(ListDemonstrations())

    @property
    def evaluations(self) -> Listing[EvaluationList]:
        return self.listing(ListEvaluations())

    @property
    def settings(self) -> Listing[Settings]:
        return self.listing(GetSettings())

    @property
    def methods(self) -> Listing[MethodList]:
        return self.listing(ListMethods())

    @property
    def machine(self) -> Listing[Machine]:
        return self.listing(GetMachine())

    @property
    def runtime(self) -> Listing[RuntimeState]:
        return self.listing(GetRuntime())

    @property
    def runs(self) -> RunListing:
        return self.listing(ListRuns(limit=KNOWN_RUNS))  # type: ignore[return-value]

    def documents(self, collection: str) -> Listing[DocumentList]:
        return self.listing(ListDocuments(collection=collection))

    def evaluation(self, evaluation: str) -> Listing[EvaluationReport]:
        """An evaluation with its results so far."""
        return self.listing(GetEvaluation(evaluation=evaluation))

    def fitting_adapters(self, model: str) -> Listing[AdapterList]:
        """Those that can be used with a model."""
        return self.listing(ListAdapters(model=model))

    def found_chats(self, search: str) -> Listing[ChatList]:
        """Those whose title or messages hold the words of ``search``; without any, all."""
        return self.listing(ListChats(search=search))

    def _on_changed(self, kind: str, id: str) -> None:
        for call, listing in list(self._listings.items()):
            if kind in KINDS[type(call)] and id in ("", _subject(call) or id):
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


def _subject(call: Call[Any]) -> str:
    """The id of what a call asks about; "" where that is a whole list."""
    if isinstance(call, ListDocuments):
        return call.collection
    return call.evaluation if isinstance(call, GetEvaluation) else ""
