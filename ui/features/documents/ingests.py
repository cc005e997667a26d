"""The readings that run, as the documents page shows them: progress, Stop, how they ended, going on with one."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from ui.bridge import Bridge
from ui.components.basics import InlineMessage, ProgressLine
from ui.components.ingest_watch import IngestWatch
from workbench.api.calls import Collection, ResumeRun, RunList, RunRecord


class IngestDesk(QObject):
    """Watches every ingest of the home folder and shows that of one collection in a progress line and a message."""

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
        self._watches: dict[str, IngestWatch] = {}  # by run
        self._ended: set[str] = set()  # runs that have ended, though the list may not say so yet
        self._offered = ""  # the run that was offered to be gone on with
        bridge.connected_changed.connect(self._on_connected)
        progress.stop_clicked.connect(self._on_stop)

    def show(self, collection: Collection | None) -> None:
        """Whose reading is shown from now on."""
        was, self._shown = self._shown, collection
        self._show_progress()
        if collection is not None and (was is None or was.id != collection.id):
            self._offered = ""
            self._offer_to_go_on()

    def follow_runs(self) -> None:
        """Pick up what runs, also what was begun before this window opened, by a terminal, or by a watched folder."""
        self._bridge.home.runs.follow(self._on_runs)

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

    def _on_connected(self, connected: bool) -> None:
        if not connected:
            return
        for watch in self._watches.values():
            watch.leave()
        self._watches.clear()
        self._ended.clear()
        self._bridge.home.runs.once(self._on_runs, self)  # followed anew, though they may be as they were

    def _on_runs(self, found: RunList) -> None:
        for run in found.runs:
            if run.kind != "ingest":
                continue
            if run.state not in ("queued", "running"):
                self._ended.discard(run.id)
            elif run.id not in self._ended:
                self.watch(run)
        self._offer_to_go_on()

    def _offer_to_go_on(self) -> None:
        known = self._bridge.home.runs.value
        latest = next((run for run in known.runs if self._is_shown(run)), None) if known is not None else None
        if latest is None or latest.state != "interrupted" or latest.id == self._offered:
            return
        if not self._message.isVisible():
            self._offered = latest.id
            words = "Reading was cut off when the program ended. What was read is there."
            self._message.show_message(words, "attention", "Go on", lambda: self._resume(latest.id))

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
        self._ended.add(watch.run.id)
        self._show_progress()
        if self._is_shown(watch.run):
            self._show_outcome(watch)
        watch.deleteLater()

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
        self._ended.discard(run)
        self._bridge.call(ResumeRun(run=run), self.watch, lambda error: complain(str(error), "danger"), self)

    def _on_stop(self) -> None:
        watch = self._running()
        if watch is not None:
            watch.stop()
