"""The page of preferences: judgements are reviewed, made in a row, and learnt from."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Literal

from ui.bridge import Bridge
from ui.components.notices import DropCover, TakesFiles
from ui.components.sections import SectionedPage
from ui.features import Found, ShellActions
from ui.features.feedback import path_texts, texts
from ui.features.feedback.judging_news import JudgingNews
from ui.features.feedback.label import LabelPanel
from ui.features.feedback.learn import LearnPanel
from ui.features.feedback.path import PathPanel
from ui.features.feedback.review import ReviewPanel
from ui.theme import tokens
from workbench.subjects.runs.calls import RunRecord

Section = Literal["review", "label", "learn", "path"]
_TITLES: dict[str, tuple[str, str]] = {
    "review": (texts.REVIEW, "table"),
    "label": (texts.LABEL, "thumb-up"),
    "learn": (texts.LEARN, "train"),
    "path": (path_texts.PATH, "branch"),
}


class FeedbackPage(TakesFiles, SectionedPage):
    """See ``ui.features`` for what the frame asks of a page."""

    name, title, icon = "feedback", texts.PREFERENCES, "thumb-up"

    def __init__(self, bridge: Bridge, shell: ShellActions) -> None:
        super().__init__()
        self._shell = shell
        self.review = ReviewPanel(bridge, shell)
        self.label = LabelPanel(bridge, shell)
        self.learn = LearnPanel(bridge, shell)
        self.review.label_wanted.connect(partial(self.open_target, "label"))
        self.label.learn_wanted.connect(partial(self.open_target, "learn"))
        self.label.result_wanted.connect(partial(shell.open_page, "blind-tests"))
        self.learn.gather_wanted.connect(partial(self.open_target, "label"))
        self.learn.judgement_wanted.connect(lambda judgement: self.open_target("review", judgement=judgement))
        self.path = PathPanel(bridge, shell)
        panels = {"review": self.review, "label": self.label, "learn": self.learn, "path": self.path}
        sections = {name: (*title, panels[name]) for name, title in _TITLES.items()}
        self.lay_out(texts.SECTIONS, sections, tokens.SPACE_2)
        self._judging = JudgingNews(bridge, shell, self)
        self._judging.judging.connect(self.label.show_judging)
        self._judging.find()
        self.cover = DropCover(self)
        self.setAcceptDrops(True)

    def open_target(
        self,
        section: Section | Literal["verdict"] = "review",
        judgement: str = "",
        queue: str = "",
        queue_run: RunRecord | None = None,
        adapter: str = "",
    ) -> None:
        """Show a section, a judgement or the pairs of a queue, by their ids, or those that a run is making. The
        verdict, and an adapter's blind test, are on the page of blind tests. Raises KeyError for an unknown section."""
        if adapter:
            self._shell.open_page("blind-tests", adapter=adapter)
            return
        if section == "verdict":
            self._shell.open_page("blind-tests")
            return
        self.show_section("label" if queue or queue_run is not None else section)
        if judgement:
            self.review.show_id(judgement)
        if queue:
            self.label.show_queue(queue)
        if queue_run is not None:
            self.label.await_queue(queue_run)

    def find_entries(self) -> Sequence[Found]:
        """The sections, for the palette."""
        return [
            Found(words, "preferences", icon, partial(self._shell.open_page, self.name, section=section))
            for section, (words, icon) in _TITLES.items()
        ]

    def remember(self) -> str:
        return self.shown

    def recall(self, words: str) -> None:
        if words in self.panels:
            self.show_section(words)

    def show_drop(self, over: bool) -> None:
        self.cover.cover(texts.DROP_HERE) if over else self.cover.hide()

    def take_files(self, paths: list[str]) -> None:
        self.show_section("review")
        self.review.take_files(paths)
