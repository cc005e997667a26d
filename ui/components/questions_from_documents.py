"""The button that makes a question set from a collection of documents, with the progress of its run below it."""

from __future__ import annotations

import msgspec
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QMenu, QWidget

from ui import texts
from ui.bridge import Bridge
from ui.components.basics import InlineMessage, PlainButton, ProgressLine
from ui.components.layout import column_of
from ui.components.run_follower import RunFollower
from ui.components.wording import describe_count, how_far, in_words
from ui.theme import tokens
from workbench.api import events
from workbench.api.events import Progress, Terminal
from workbench.api.protocol import error_of
from workbench.records.documents import Collection
from workbench.records.evaluation import QuestionSet
from workbench.subjects.documents.calls import CollectionList, ListCollections
from workbench.subjects.evaluation.calls import QuestionsFromDocuments
from workbench.subjects.runs.calls import RunRecord


class FromDocuments(QWidget):
    """With one collection of documents a press starts the run; with several it lists them. ``made`` sends the set."""

    made = Signal(object)

    def __init__(self, bridge: Bridge) -> None:
        super().__init__()
        self._bridge = bridge
        self._collections: tuple[Collection, ...] = ()
        self._asked = ""
        self._run: RunFollower | None = None
        self.button = PlainButton(texts.FROM_DOCUMENTS, clicked=self._on_pressed)
        self.progress = ProgressLine(visible=False, stop_clicked=self._on_stop)
        self.message = InlineMessage(visible=False)
        column_of(self, self.button, self.progress, self.message, gap=tokens.SPACE_2)
        bridge.home.listing(ListCollections()).follow(self._on_collections)

    @property
    def collection(self) -> str:
        """The name of the collection that the latest set was made from; "" for one that there is no more."""
        return next((one.name for one in self._collections if one.id == self._asked), "")

    def start(self, collection: str) -> None:
        """Make a set from the documents of the collection with this id."""
        self._asked = collection
        self.message.hide()
        self.button.setEnabled(False)
        self._bridge.call(QuestionsFromDocuments(collection=collection), self._on_started, self._on_refused, self)

    def _on_collections(self, found: CollectionList) -> None:
        self._collections = tuple(one for one in found.collections if one.documents)
        self._show_state()

    def _show_state(self) -> None:
        self.button.setEnabled(bool(self._collections) and self._run is None)
        self.button.setToolTip(texts.FROM_DOCUMENTS_HELP if self._collections else texts.NO_DOCUMENTS_YET)

    def _on_pressed(self) -> None:
        if len(self._collections) == 1:
            self.start(self._collections[0].id)
            return
        menu = QMenu(self.button)
        for one in self._collections:
            action = menu.addAction(f"{one.name} ({describe_count(one.documents, 'document')})")
            action.triggered.connect(lambda _=False, collection=one.id: self.start(collection))
        menu.popup(self.button.mapToGlobal(self.button.rect().bottomLeft()))

    def _on_started(self, run: RunRecord) -> None:
        self._bridge.home.runs.put_run(run)
        self._run = RunFollower(self._bridge, run, self)
        self._run.progressed.connect(self._on_progress)
        self._run.ended.connect(self._on_ended)
        self.progress.set_progress(texts.WAITING)
        self.progress.show()
        self._show_state()

    def _on_progress(self, progress: Progress) -> None:
        share, numbers = how_far(progress)
        self.progress.set_progress(texts.READING_DOCUMENTS, share, numbers)

    def _on_stop(self) -> None:
        if self._run is not None:
            self.progress.set_progress(texts.STOPPING)
            self._run.stop()

    def _on_ended(self, terminal: Terminal) -> None:
        self.progress.hide()
        if self._run is not None:
            self._run.deleteLater()
            self._run = None
        self._show_state()
        if isinstance(terminal, events.Finished):
            self.made.emit(msgspec.convert(terminal.result, QuestionSet))
        elif isinstance(terminal, events.Failed):
            self._on_refused(error_of(terminal))

    def _on_refused(self, error: Exception) -> None:
        self.message.show_message(in_words(error), "danger")
        self._show_state()
