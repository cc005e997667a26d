"""The readings that run, as the documents page shows them: progress, Stop, how they ended, going on with one."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from ui.bridge import Bridge
from ui.components.basics import InlineMessage, ProgressLine
from ui.components.ingest_watch import IngestWatch
from workbench.api.calls import Collection, ListRuns, ResumeRun, RunList, RunRecord


class IngestDesk(QObject):
    """Watches every ingest of the home folder and shows that of one collection in a progress line and a message."""

    files_ended = Signal()
    """Some more files of the shown collection have ended."""
    run_ended = Signal()
    """A reading has ended, of whichever collection."""
    failed_wanted = Signal()
    """The person wants to see the files that could not be read."""

    def __init__(self, bridge: Bridge, progress: ProgressLine, message: InlineMessage, parent: QObject) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._progress = progress
        self._message = message
        self._shown: Collection | None = None
        self._watches: dict[str, IngestWatch] = {}  # by run
        progress.stop_clicked.connect(self._on_stop)

    def show(self, collection: Collection | None) -> None:
        """Whose reading is shown from now on."""
        self._shown = collection
        self._show_progress()

    def find(self) -> None:
        """Pick up what runs already: begun before this window opened, by a terminal, or by a watched folder."""
        self._bridge.call(ListRuns(), self._on_runs, lambda _: None, self)

    def watch(self, run: RunRecord) -> None:
        """Follow a run to its end, once."""
        if run.id in self._watches:
            return
        watch = self._watches[run.id] = IngestWatch(self._bridge, run, self)
        watch.progressed.connect(self._show_progress)
        watch.files_ended.connect(lambda: self._on_files_ended(watch))
        watch.ended.connect(lambda: self._on_ended(watch))
        if self._running() is watch:
            self._message.hide()  # how an earlier reading ended matters no more
        self._show_progress()

    def watches(self, run: str) -> bool:
        return run in self._watches

    def forget(self) -> None:
        """The core was away: what runs is to be found anew."""
        for watch in self._watches.values():
            watch.leave()
        self._watches.clear()

    def _on_runs(self, found: RunList) -> None:
        for run in found.runs:
            if run.kind == "ingest" and run.state in ("queued", "running"):
                self.watch(run)
        here = [run for run in found.runs if self._is_shown(run)]
        if here and here[0].state == "interrupted" and not self._message.isVisible():
            words = "Reading was cut off when the program ended. What was read is there."
            self._message.show_message(words, "attention", "Go on", lambda: self._resume(here[0].id))

    def _is_shown(self, run: RunRecord) -> bool:
        shown = self._shown
        return shown is not None and run.config.get("collection") in (shown.id, shown.name)

    def _running(self) -> IngestWatch | None:
        return next((watch for watch in self._watches.values() if self._is_shown(watch.run)), None)

    def _show_progress(self) -> None:
        watch = self._running()
        self._progress.setVisible(watch is not None)
        if watch is not None:
            self._progress.set_progress(watch.words, watch.share, watch.numbers, watch.seconds_left)

    def _on_files_ended(self, watch: IngestWatch) -> None:
        if self._is_shown(watch.run):
            self.files_ended.emit()

    def _on_ended(self, watch: IngestWatch) -> None:
        self._watches.pop(watch.run.id, None)
        self._show_progress()
        if self._is_shown(watch.run):
            self._show_outcome(watch)
        watch.deleteLater()
        self.run_ended.emit()

    def _show_outcome(self, watch: IngestWatch) -> None:
        if not watch.result:
            run = watch.run.id
            self._message.show_message(watch.outcome, "attention", "Go on", lambda: self._resume(run))
        elif watch.failed:
            self._message.show_message(watch.outcome, "attention", "Show failed", self.failed_wanted.emit)
        else:
            self._message.show_message(watch.outcome, "success")

    def _resume(self, run: str) -> None:
        """Read on where a run was stopped; what it has read is not read again."""
        self._message.hide()
        complain = self._message.show_message
        self._bridge.call(ResumeRun(run=run), self.watch, lambda error: complain(str(error), "danger"), self)

    def _on_stop(self) -> None:
        watch = self._running()
        if watch is not None:
            watch.stop()
