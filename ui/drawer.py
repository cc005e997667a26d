"""The drawer above the status bar: every run with its progress, its last log line, and Stop or Resume."""

from __future__ import annotations

import time
from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QHideEvent, QKeyEvent, QShowEvent
from PySide6.QtWidgets import QFrame, QScrollArea, QWidget

from ui import texts
from ui.bridge import Bridge
from ui.components.basics import Chip, ElidedLabel, IconButton, Line, PlainButton, ProgressLine, Text, Tone
from ui.components.layout import column_of, row_of
from ui.components.run_follower import ACTIVE, RunFollower
from ui.components.wording import describe_count, describe_seconds, how_far, stage_of
from ui.theme import tokens
from workbench.api import events
from workbench.api.events import Event
from workbench.subjects.runs.calls import ResumeRun, RunList, RunRecord

SHOWN_RUNS = 30
RESUMABLE = ("cancelled", "failed", "interrupted")
_STATES: dict[str, tuple[str, Tone]] = {
    "queued": (texts.RUN_WAITING, "plain"),
    "running": (texts.RUN_RUNNING, "accent"),
    "finished": (texts.RUN_FINISHED, "success"),
    "failed": (texts.RUN_FAILED, "danger"),
    "cancelled": (texts.RUN_STOPPED, "attention"),
    "interrupted": (texts.RUN_INTERRUPTED, "attention"),
}
_PAUSED: tuple[str, Tone] = (texts.RUN_PAUSED, "attention")


class RunsDrawer(QFrame):
    """All runs, the latest first. It follows those under way for as long as it is open."""

    closed = Signal()

    def __init__(self, bridge: Bridge) -> None:
        super().__init__()
        self.setProperty("role", "drawer")
        self.setAccessibleName(texts.RUNS)
        self.setFixedHeight(248)
        self.hide()
        self._bridge = bridge
        self._rows: dict[str, RunRow] = {}
        column = column_of(
            self, gap=tokens.SPACE_2, margins=(tokens.SPACE_5, tokens.SPACE_2, tokens.SPACE_4, tokens.SPACE_2)
        )
        top = row_of(None, Text(texts.RUNS, "heading"), None)
        self._close = IconButton("close", texts.CLOSE_RUNS, clicked=self._on_close)
        top.addWidget(self._close)
        column.addLayout(top)
        self._empty = Text(texts.NO_RUNS, "muted")
        column.addWidget(self._empty)
        inside = QWidget()
        inside.setProperty("role", "page")
        self._list = column_of(inside, None, gap=tokens.SPACE_3, margins=(0, 0, tokens.SPACE_2, 0))
        area = QScrollArea(widgetResizable=True, focusPolicy=Qt.FocusPolicy.NoFocus)
        area.setWidget(inside)
        column.addWidget(area, 1)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._bridge.home.runs.follow(self._on_runs)
        self._close.setFocus(Qt.FocusReason.OtherFocusReason)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self._on_close()
            return
        super().keyPressEvent(event)

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._bridge.home.runs.leave(self._on_runs)

    def _on_close(self) -> None:
        self.hide()
        self.closed.emit()

    def _on_runs(self, found: RunList) -> None:
        self._empty.setVisible(not found.runs)
        shown = found.runs[:SHOWN_RUNS]
        known = {run.id for run in shown}
        for gone in set(self._rows) - known:
            self._rows.pop(gone).deleteLater()
        for place, run in enumerate(shown):
            row = self._rows.get(run.id)
            if row is None:
                row = self._rows[run.id] = RunRow(self._bridge, run)
                self._list.insertWidget(place, row)
            row.show_run(run)


class RunRow(QWidget):
    """One run. While it is under way its events move the bar and the log line."""

    def __init__(self, bridge: Bridge, run: RunRecord) -> None:
        super().__init__()
        self._bridge = bridge
        self._run = run
        self._follower: RunFollower | None = None
        column = column_of(self, gap=tokens.SPACE_1)
        top = row_of(gap=tokens.SPACE_2)
        self._chip = Chip("")
        self._title = ElidedLabel(run.title, "strong")
        self._when = Text("", "small")
        self._resume = PlainButton(texts.RESUME, "play", small=True, toolTip=texts.RESUME_HELP, clicked=self._on_resume)
        top.addWidget(self._chip)
        top.addWidget(self._title, 1)
        top.addWidget(self._when)
        top.addWidget(self._resume)
        self._progress = ProgressLine()
        self._progress.stop_button.setAccessibleName(texts.STOP_RUN.format(title=run.title))
        self._progress.stop_clicked.connect(self._on_stop)
        self._log = ElidedLabel("", "small")
        column.addLayout(top)
        column.addWidget(self._progress)
        column.addWidget(self._log)
        column.addWidget(Line())

    @property
    def log_line(self) -> str:
        return self._log.full_text

    @property
    def resume_button(self) -> PlainButton:
        return self._resume

    @property
    def progress(self) -> ProgressLine:
        return self._progress

    def show_run(self, run: RunRecord) -> None:
        self._run = run
        words, tone = _PAUSED if run.paused and run.state == "running" else _STATES[run.state]
        self._chip.setText(words)
        self._chip.set_tone(tone)
        active = run.state in ACTIVE
        self._progress.setVisible(active)
        self._resume.setVisible(run.state in RESUMABLE and not run.unreadable)
        self._resume.setAccessibleName(texts.RESUME_RUN.format(title=run.title))
        self._when.setText(_when(run))
        if active and run.paused:
            self._progress.set_progress(texts.PAUSED_HELP, run.progress or 0.0)
            self._follow()
        elif active:
            self._progress.set_progress(
                run.message or run.stage.capitalize() or texts.WAITING,
                0.0 if run.state == "queued" else run.progress,  # nothing moves while it waits
                "",
                run.seconds_left,
            )
            self._follow()
        elif run.state == "finished" and not run.unreadable:
            self._log.set_full_text(_summary(run.result))
        elif run.message:
            self._log.set_full_text(run.message)
        self._log.setVisible(bool(self._log.full_text))

    def _follow(self) -> None:
        if self._follower is None:
            self._follower = RunFollower(self._bridge, self._run, self)
            self._follower.arrived.connect(self._on_events)
        else:
            self._follower.update_run(self._run)

    def _on_events(self, batch: Sequence[Event]) -> None:
        progress: events.Progress | None = None
        line = ""
        for event in batch:
            if isinstance(event, events.Progress):
                progress = event
            elif isinstance(event, events.Log) and event.level != "debug":
                line = event.text
            elif isinstance(event, events.Artifact) and event.kind == "document":
                line = _document_line(event)
        if progress is not None and not self._run.paused:  # only the batch's last is drawn
            share, numbers = how_far(progress)
            words = stage_of(progress) + (f" · {progress.detail}" if progress.detail else "")
            self._progress.set_progress(words, share, numbers, progress.seconds_left)
        if line:
            self._log.set_full_text(line)
            self._log.show()

    def _on_stop(self) -> None:
        self._progress.set_progress(texts.STOPPING, self._run.progress)
        if self._follower is not None:
            self._follower.stop()

    def _on_resume(self) -> None:
        self._bridge.call(ResumeRun(run=self._run.id), self._bridge.home.runs.put_run, owner=self)


def _document_line(event: events.Artifact) -> str:
    state = str(event.result.get("state", ""))
    reason = str(event.result.get("reason", ""))
    return f"{event.id}: {state}" + (f" ({reason})" if reason else "")


def _when(run: RunRecord) -> str:
    took = texts.TOOK.format(time=describe_seconds(run.ended - run.created)) if run.ended is not None else ""
    return time.strftime("%d %b, %H:%M", time.localtime(run.created)) + took


def _summary(result: dict[str, object]) -> str:
    """The result of a finished ingest in words."""
    words = []
    for key, template in (("indexed", ""), ("unchanged", texts.COUNT_UNCHANGED), ("removed", texts.COUNT_REMOVED)):
        count = result.get(key)
        if isinstance(count, int) and count:
            words.append(template.format(count=count) or describe_count(count, "file read", "files read"))
    failed = result.get("failed")
    if isinstance(failed, list) and failed:
        words.append(texts.COUNT_FAILED.format(count=len(failed)))
    return ", ".join(words)
