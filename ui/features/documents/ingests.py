"""Running ingests on the documents page: progress, Stop, result, Resume."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject, Signal

from ui.bridge import Bridge
from ui.components.basics import InlineMessage, ProgressLine
from ui.components.run_follower import IngestFollower, RunFollowers
from ui.features.documents import texts
from workbench.api import events
from workbench.api.events import Event
from workbench.records.documents import Collection
from workbench.subjects.runs.calls import ResumeRun, RunList, RunRecord


class IngestDesk(QObject):
    """Follows every ingest of the home folder and shows that of one collection in a progress line and a message."""

    files_ended = Signal()
    """Some more files of the shown collection have ended."""
    failed_wanted = Signal()
    """The person wants to see the files that could not be read."""

    def __init__(self, bridge: Bridge, progress: ProgressLine, message: InlineMessage, parent: QObject) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._progress = progress
        self._message = message
        self._shown: Collection | None = None
        self._offered = ""  # the run that was offered to be gone on with
        self._runs = RunFollowers(bridge, ("ingest",), self, IngestFollower)
        self._runs.began.connect(self._on_began)
        self._runs.ended.connect(self._on_ended)
        self.follow = self._runs.follow
        progress.stop_clicked.connect(self._on_stop)

    def show(self, collection: Collection | None) -> None:
        """Whose reading is shown from now on."""
        was, self._shown = self._shown, collection
        self._show_progress()
        if collection is not None and (was is None or was.id != collection.id):
            self._offered = ""
            self._offer_to_go_on()

    def follow_runs(self) -> None:
        """Show the running ingests of all clients. To be called once the page is built."""
        self._runs.find()
        self._bridge.home.runs.follow(self._offer_to_go_on)

    def _on_began(self, follower: IngestFollower) -> None:
        follower.arrived.connect(lambda batch: self._on_events(follower, batch))
        if self._running() is follower:
            self._message.hide()  # how an earlier reading ended matters no more
        self._show_progress()

    def _offer_to_go_on(self, found: RunList | None = None) -> None:
        known = self._bridge.home.runs.value
        latest = next((run for run in known.runs if self._is_shown(run)), None) if known is not None else None
        unfinished = self._shown is not None and self._shown.unfinished
        if latest is None or latest.id == self._offered or latest.id in self._runs.open:
            return
        if latest.state == "interrupted" or (latest.state in ("cancelled", "failed") and unfinished):
            if self._message.isVisible():
                return
            self._offered = latest.id
            words = texts.READING_INTERRUPTED if latest.state == "interrupted" else texts.READING_UNFINISHED
            self._message.show_message(words, "attention", texts.RESUME, lambda: self._resume(latest.id))

    def _is_shown(self, run: RunRecord) -> bool:
        shown = self._shown
        return shown is not None and run.config.get("collection") in (shown.id, shown.name)

    def _running(self) -> IngestFollower | None:
        return next((follower for follower in self._runs.open.values() if self._is_shown(follower.run)), None)

    def _show_progress(self) -> None:
        running = self._running()
        self._progress.setVisible(running is not None)
        if running is not None:
            self._progress.set_progress(running.words, running.share, running.numbers, running.progress.seconds_left)

    def _on_events(self, follower: IngestFollower, batch: Sequence[Event]) -> None:
        self._show_progress()
        if self._is_shown(follower.run) and any(isinstance(event, events.Artifact) for event in batch):
            self.files_ended.emit()

    def _on_ended(self, follower: IngestFollower) -> None:
        self._show_progress()
        if self._is_shown(follower.run):
            self._show_outcome(follower)

    def _show_outcome(self, follower: IngestFollower) -> None:
        if not follower.result:
            run = follower.run.id
            self._message.show_message(follower.outcome, "attention", texts.RESUME, lambda: self._resume(run))
        elif follower.failed:
            self._message.show_message(follower.outcome, "attention", texts.SHOW_FAILED, self.failed_wanted.emit)
        else:
            self._message.show_message(follower.outcome, "attention" if follower.found_nothing else "success")

    def _resume(self, run: str) -> None:
        """Read on where a run was stopped; what it has read is not read again."""
        self._message.hide()
        complain = self._message.show_message
        self._bridge.call(ResumeRun(run=run), self.follow, lambda error: complain(str(error), "danger"), self)

    def _on_stop(self) -> None:
        running = self._running()
        if running is not None:
            running.stop()
