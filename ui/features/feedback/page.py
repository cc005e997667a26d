"""The page of feedback: judgements are reviewed, made in a row, and learnt from."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Literal

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QStackedWidget, QWidget

from ui.bridge import Bridge
from ui.components.basics import QuietButton
from ui.components.layout import MARGINS, column_of, row_of
from ui.components.notices import DropCover, TakesFiles
from ui.components.run_follower import RunFollower, RunFollowers
from ui.components.wording import describe_count, in_words
from ui.features import Found, ShellActions
from ui.features.feedback import texts
from ui.features.feedback.label import LabelPanel
from ui.features.feedback.learn import LearnPanel
from ui.features.feedback.review import ReviewPanel
from ui.features.feedback.verdict import VerdictPanel
from ui.theme import tokens
from workbench.api import events
from workbench.api.protocol import error_of
from workbench.subjects.runs.calls import RunRecord

Section = Literal["review", "label", "learn", "verdict"]
_TITLES: dict[Section, tuple[str, str]] = {
    "review": (texts.REVIEW, "table"),
    "label": (texts.LABEL, "thumb-up"),
    "learn": (texts.LEARN, "train"),
    "verdict": (texts.WIN_RATE, "evaluate"),
}


class FeedbackPage(TakesFiles, QWidget):
    """See ``ui.features`` for what the frame asks of a page."""

    name, title, icon = "feedback", texts.FEEDBACK, "thumb-up"

    def __init__(self, bridge: Bridge, shell: ShellActions) -> None:
        super().__init__()
        self._shell = shell
        self.review = ReviewPanel(bridge, shell)
        self.label = LabelPanel(bridge, shell)
        self.learn = LearnPanel(bridge, shell)
        self.review.label_wanted.connect(partial(self.open_target, "label"))
        self.label.learn_wanted.connect(partial(self.open_target, "learn"))
        self.label.result_wanted.connect(partial(self.open_target, "verdict"))
        self.learn.gather_wanted.connect(partial(self.open_target, "label"))
        self.learn.judgement_wanted.connect(lambda judgement: self.open_target("review", judgement=judgement))
        self.verdict = VerdictPanel(bridge)
        self.verdict.queue_wanted.connect(lambda queue: self.open_target(queue=queue))
        self.verdict.started.connect(self._on_test_started)
        self._panels: dict[Section, QWidget] = {
            "review": self.review,
            "label": self.label,
            "learn": self.learn,
            "verdict": self.verdict,
        }
        self.switches: dict[Section, QuietButton] = {}
        self._stack = QStackedWidget()
        sections = QWidget(accessibleName=texts.SECTIONS)
        margins = (MARGINS.left(), tokens.SPACE_3, MARGINS.right(), tokens.SPACE_2)
        row = row_of(sections, gap=tokens.SPACE_1, margins=margins)
        for section, panel in self._panels.items():
            words, icon = _TITLES[section]
            button = self.switches[section] = QuietButton(words, icon, small=True, checkable=True)
            button.clicked.connect(lambda _=False, section=section: self.open_target(section))
            row.addWidget(button)
            self._stack.addWidget(panel)
        row.addStretch(1)
        column_of(self, sections, (self._stack, 1), gap=0)
        self._judging = RunFollowers(bridge, ("judging",), self)
        self._judging.began.connect(lambda _: self.label.show_judging(True))
        self._judging.ended.connect(self._on_judged)
        self._judging.find()
        self.cover = DropCover(self)
        self.setAcceptDrops(True)
        self._show("review")

    def open_target(self, section: Section = "review", judgement: str = "", queue: str = "", adapter: str = "") -> None:
        """Show a section, a judgement or the pairs of a queue, by their ids, or begin the blind test of an adapter.
        Raises KeyError for a section that there is not."""
        self._show("label" if queue else "verdict" if adapter else section)
        if adapter:
            self.verdict.begin(adapter)
        if judgement:
            self.review.show_id(judgement)
        if queue:
            self.label.show_queue(queue)

    def _on_judged(self, follower: RunFollower) -> None:
        """A judge has judged, or was refused with its figures."""
        self.label.show_judging(bool(self._judging.open))
        terminal = follower.terminal
        if isinstance(terminal, events.Finished) and isinstance(terminal.result, dict):
            judged, dropped = (int(terminal.result.get(name, 0)) for name in ("judged", "dropped"))
            said = [texts.JUDGED.format(judged=describe_count(judged, "pair"))]
            said += [texts.JUDGE_DROPPED.format(dropped=describe_count(dropped, "pair"))] if dropped else []
            self._shell.show_message(" ".join(said), "success")
        elif isinstance(terminal, events.Failed):
            why = in_words(error_of(terminal))
            self._shell.show_message(texts.JUDGE_REFUSED.format(why=why), "attention")
        elif terminal is not None:
            self._shell.show_message(texts.JUDGE_STOPPED, "info")

    def _on_test_started(self, run: RunRecord) -> None:
        self._show("label")
        self.label.await_queue(run)

    def find_entries(self, text: str) -> Sequence[Found]:
        """The sections, for the palette."""
        return [
            Found(words, "feedback", icon, partial(self._shell.open_page, self.name, section=section))
            for section, (words, icon) in _TITLES.items()
        ]

    def remember(self) -> str:
        return next((name for name, panel in self._panels.items() if panel is self._stack.currentWidget()), "review")

    def recall(self, words: str) -> None:
        for section in self._panels:
            if section == words:
                self._show(section)

    def show_drop(self, over: bool) -> None:
        self.cover.cover(texts.DROP_HERE) if over else self.cover.hide()

    def take_files(self, paths: list[str]) -> None:
        self._show("review")
        self.review.take_files(paths)

    def _show(self, section: Section) -> None:
        self._stack.setCurrentWidget(self._panels[section])
        for name, button in self.switches.items():
            button.setChecked(name == section)
        self.setFocusProxy(self.switches[section])
        if self.hasFocus():
            self.switches[section].setFocus(Qt.FocusReason.OtherFocusReason)
