"""Runs of a kind as lines: running ones with Stop, stopped and failed ones with Resume, and the results."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from PySide6.QtWidgets import QWidget

from ui.bridge import Bridge
from ui.components.basics import InlineMessage, ProgressLine
from ui.components.layout import column_of
from ui.components.run_follower import RunFollower, RunFollowers
from ui.components.wording import how_far, in_words
from ui.theme import tokens
from workbench.api import events
from workbench.api.events import Progress
from workbench.api.protocol import error_of
from workbench.subjects.runs.calls import ResumeRun, RunList, RunRecord

SHOWN_STOPPED = 3


@dataclass(frozen=True)
class RunTexts:
    """Templates with ``name``, ``share`` and ``message`` of a run."""

    waiting: str
    running: str
    stopped: str
    failed: str
    resume: str
    stopping: str


class RunLines(QWidget):
    """Hidden while there is no run. Subclasses choose the runs that are shown, and the message of a finished one."""

    def __init__(self, bridge: Bridge, kind: str, texts: RunTexts) -> None:
        super().__init__()
        self._bridge = bridge
        self._kind = kind
        self._texts = texts
        self._found = RunList(runs=())
        self.lines: dict[str, ProgressLine] = {}
        self.messages: dict[str, InlineMessage] = {}
        self._column = column_of(self, gap=tokens.SPACE_2)
        self._followers = RunFollowers(bridge, (kind,), self)
        self._followers.began.connect(self._on_began)
        self._followers.ended.connect(self._on_ended)
        bridge.home.runs.follow(self._on_runs)
        self._followers.find()
        self.hide()

    def shows(self, run: RunRecord) -> bool:
        """Whether a run is one of these."""
        return True

    def name_of(self, run: RunRecord) -> str:
        """How a run is called."""
        return run.title

    def show_finished(self, run: RunRecord, result: dict[str, Any]) -> None:
        """For subclasses: show the result of a run."""

    def look_again(self) -> None:
        """Which runs are shown has changed."""
        for follower in self._followers.open.values():
            self._on_began(follower)
        self._on_runs(self._found)

    def follow(self, run: RunRecord) -> None:
        """Follow a run that was just begun or resumed."""
        self.drop(run.id)
        self._followers.follow(run)

    def _on_runs(self, found: RunList) -> None:
        """Offer to resume stopped runs, also those of earlier sessions."""
        self._found = found
        mine = [run for run in found.runs if run.kind == self._kind and self.shows(run)]
        stopped = [run for run in mine if run.resumable][:SHOWN_STOPPED]
        for run in stopped:
            if run.id not in self.messages and run.id not in self.lines:
                self._show_stopped(run)
        for id in [id for id in self.messages if not any(run.id == id for run in found.runs)]:
            self.drop(id)
        self.show_some()

    def _on_began(self, follower: RunFollower) -> None:
        run, texts = follower.run, self._texts
        if run.id in self.lines or not self.shows(run):
            return
        self.drop(run.id)
        line = self.lines[run.id] = ProgressLine()
        line.set_progress(texts.waiting.format(name=self.name_of(run)))

        def progressed(progress: Progress) -> None:
            share, numbers = how_far(progress)
            line.set_progress(texts.running.format(name=self.name_of(run)), share, numbers, progress.seconds_left)

        def stop() -> None:
            line.set_progress(texts.stopping)
            follower.stop()

        follower.progressed.connect(progressed)
        line.stop_clicked.connect(stop)
        self._column.addWidget(line)
        self.show_some()

    def _on_ended(self, follower: RunFollower) -> None:
        run, terminal = follower.run, follower.terminal
        if (line := self.lines.pop(run.id, None)) is not None:
            line.hide()
            line.deleteLater()
        if not self.shows(run):
            return
        if isinstance(terminal, events.Finished):
            self.show_finished(run, terminal.result or {})
        elif isinstance(terminal, events.Failed):
            words = self._texts.failed.format(name=self.name_of(run), message=in_words(error_of(terminal)))
            self.message_of(run.id).show_message(words, "danger", self._texts.resume, lambda: self._resume(run.id))
        else:
            self._show_stopped(run)
        self.show_some()

    def _show_stopped(self, run: RunRecord) -> None:
        words = self._texts.stopped.format(name=self.name_of(run), share=run.progress or 0.0)
        if run.state == "failed":
            words = self._texts.failed.format(name=self.name_of(run), message=run.message)
        self.message_of(run.id).show_message(words, "attention", self._texts.resume, lambda: self._resume(run.id))

    def _resume(self, id: str) -> None:
        def refused(error: Exception) -> None:
            self.message_of(id).show_message(in_words(error), "danger", self._texts.resume, lambda: self._resume(id))

        self._bridge.call(ResumeRun(run=id), self.follow, refused, self)

    def message_of(self, id: str) -> InlineMessage:
        if id not in self.messages:
            message = self.messages[id] = InlineMessage()
            self._column.addWidget(message)
        return self.messages[id]

    def drop(self, id: str) -> None:
        if (message := self.messages.pop(id, None)) is not None:
            message.hide()
            message.deleteLater()

    def show_some(self) -> None:
        self.setVisible(bool(self.lines) or any(not message.isHidden() for message in self.messages.values()))
