"""What became of judges that judge pairs: the banner says how many were judged, or why a judge was refused."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from ui.bridge import Bridge
from ui.components.run_follower import RunFollower, RunFollowers
from ui.components.wording import describe_count, in_words
from ui.features import ShellActions
from ui.features.feedback import texts
from workbench.api import events
from workbench.api.protocol import error_of


class JudgingNews(QObject):
    """``judging`` sends whether a judge is at work."""

    judging = Signal(bool)

    def __init__(self, bridge: Bridge, shell: ShellActions, parent: QObject) -> None:
        super().__init__(parent)
        self._shell = shell
        self._runs = RunFollowers(bridge, ("judging",), self)
        self._runs.began.connect(lambda _: self.judging.emit(True))
        self._runs.ended.connect(self._on_ended)

    def find(self) -> None:
        """Follow the judges that are at work."""
        self._runs.find()

    def _on_ended(self, follower: RunFollower) -> None:
        self.judging.emit(bool(self._runs.open))
        terminal = follower.terminal
        if isinstance(terminal, events.Finished) and isinstance(terminal.result, dict):
            judged, dropped = (int(terminal.result.get(name, 0)) for name in ("judged", "dropped"))
            words = [texts.JUDGED.format(judged=describe_count(judged, "pair"))]
            words += [texts.JUDGE_DROPPED.format(dropped=describe_count(dropped, "pair"))] if dropped else []
            self._shell.show_message(" ".join(words), "success")
        elif isinstance(terminal, events.Failed):
            why = in_words(error_of(terminal))
            self._shell.show_message(texts.JUDGE_REFUSED.format(why=why), "attention")
        elif terminal is not None:
            self._shell.show_message(texts.JUDGE_STOPPED, "info")
