"""Downloads: running ones with Stop, stopped ones with Resume, and models that are ready to use."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from ui.bridge import Bridge
from ui.components.basics import InlineMessage, ProgressLine
from ui.components.layout import column_of
from ui.components.run_follower import RunFollower, RunFollowers
from ui.components.wording import how_far, in_words
from ui.features.models import hub_texts as texts
from ui.theme import tokens
from workbench.api import events
from workbench.api.calls import ResumeRun, RunList, RunRecord
from workbench.api.events import Progress
from workbench.api.protocol import error_of

SHOWN_STOPPED = 3


class Downloads(QWidget):
    """Hidden while there is none. ``wanted`` carries the name of a model that the person wants to ask."""

    wanted = Signal(str)

    def __init__(self, bridge: Bridge) -> None:
        super().__init__()
        self._bridge = bridge
        self.lines: dict[str, ProgressLine] = {}
        self.messages: dict[str, InlineMessage] = {}
        self._column = column_of(self, gap=tokens.SPACE_2)
        self._followers = RunFollowers(bridge, ("download",), self)
        self._followers.began.connect(self._on_began)
        self._followers.ended.connect(self._on_ended)
        bridge.home.runs.follow(self._on_runs)
        self._followers.find()
        self.hide()

    def follow(self, run: RunRecord) -> None:
        """Follow a download that was just begun or resumed."""
        self._drop(run.id)
        self._followers.follow(run)

    def _on_runs(self, found: RunList) -> None:
        """Offer to resume stopped downloads, also those of earlier sessions."""
        stopped = [run for run in found.runs if run.kind == "download" and run.resumable][:SHOWN_STOPPED]
        for run in stopped:
            if run.id not in self.messages and run.id not in self.lines:
                self._show_stopped(run)
        for id in [id for id in self.messages if not any(run.id == id for run in found.runs)]:
            self._drop(id)
        self._show()

    def _on_began(self, follower: RunFollower) -> None:
        run = follower.run
        self._drop(run.id)
        line = self.lines[run.id] = ProgressLine()
        line.set_progress(texts.WAITING.format(name=run.title))

        def progressed(progress: Progress) -> None:
            share, numbers = how_far(progress)
            line.set_progress(texts.DOWNLOADING.format(name=run.title), share, numbers, progress.seconds_left)

        def stop() -> None:
            line.set_progress(texts.STOPPING)
            follower.stop()

        follower.progressed.connect(progressed)
        line.stop_clicked.connect(stop)
        self._column.addWidget(line)
        self._show()

    def _on_ended(self, follower: RunFollower) -> None:
        run, terminal = follower.run, follower.terminal
        if (line := self.lines.pop(run.id, None)) is not None:
            line.hide()
            line.deleteLater()
        if isinstance(terminal, events.Finished):
            model = str((terminal.result or {}).get("model", ""))
            message = self._message(run.id)
            message.show_message(
                texts.READY.format(model=model), "success", texts.ASK_IT, lambda: self._on_ask(run.id, model)
            )
            self._bridge.home.models.refresh()
        elif isinstance(terminal, events.Failed):
            words = texts.FAILED.format(name=run.title, message=in_words(error_of(terminal)))
            self._message(run.id).show_message(words, "danger", texts.RESUME, lambda: self._resume(run.id))
        else:
            self._show_stopped(run)
        self._show()

    def _show_stopped(self, run: RunRecord) -> None:
        words = texts.STOPPED.format(name=run.title, share=run.progress or 0.0)
        if run.state == "failed":
            words = texts.FAILED.format(name=run.title, message=run.message)
        self._message(run.id).show_message(words, "attention", texts.RESUME, lambda: self._resume(run.id))

    def _resume(self, id: str) -> None:
        def refused(error: Exception) -> None:
            self._message(id).show_message(in_words(error), "danger", texts.RESUME, lambda: self._resume(id))

        self._bridge.call(ResumeRun(run=id), self.follow, refused, self)

    def _on_ask(self, id: str, model: str) -> None:
        self._drop(id)
        self._show()
        self.wanted.emit(model)

    def _message(self, id: str) -> InlineMessage:
        if id not in self.messages:
            message = self.messages[id] = InlineMessage()
            self._column.addWidget(message)
        return self.messages[id]

    def _drop(self, id: str) -> None:
        if (message := self.messages.pop(id, None)) is not None:
            message.hide()
            message.deleteLater()

    def _show(self) -> None:
        self.setVisible(bool(self.lines) or any(not message.isHidden() for message in self.messages.values()))
