"""What can be learnt from the judgements: which objectives suit, what would be held out, what is biased.

Judgements in numbers: biases with their intervals, repetitions, contradictions, circles, and who won.
"""

from __future__ import annotations

import time
from functools import partial
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QGridLayout, QStackedWidget, QVBoxLayout, QWidget

from ui.bridge import Bridge
from ui.components.basics import Card, Chip, InlineMessage, LinkButton, PlainButton, PrimaryButton, Text
from ui.components.interval_bar import IntervalBar
from ui.components.layout import ScrolledColumn, column_of, empty_layout, row_of
from ui.components.notices import EmptyState
from ui.components.training_setup import TrainingSetupCard
from ui.components.wording import describe_count, in_words
from ui.features import ShellActions
from ui.features.feedback import texts
from ui.features.feedback.seen_panel import SeenPanel
from ui.theme import tokens
from workbench.records.judgement_reports import Conflict, JudgementStatistics, Learnable, ObjectiveFit, ShareEstimate
from workbench.records.methods import Methods
from workbench.records.training import DataSet
from workbench.subjects.judgements.calls import GetJudgementStatistics, GetLearnable, MakePreferenceSet
from workbench.subjects.machine.calls import ListMethods, MethodList

_WIDE = 1000
"""From this width on, in px, the statistics are beside the objectives."""


class LearnPanel(SeenPanel):
    judgement_wanted = Signal(str)
    gather_wanted = Signal()

    def __init__(self, bridge: Bridge, shell: ShellActions) -> None:
        super().__init__(bridge)
        self._shell = shell
        self._wide: bool | None = None
        self._methods: Methods[Any] = Methods()
        self.cards: dict[str, ObjectiveCard] = {}
        self.title = Text("", "title", wordWrap=True)
        self.counts = Text("", "muted")
        self.message = InlineMessage()
        self.packages = TrainingSetupCard(bridge, texts.LEARN_NEEDS_PACKAGES)
        self.skip_conflicts = QCheckBox(texts.SKIP_CONFLICTS)
        self.skip_conflicts.setChecked(True)
        self.statistics = StatisticsView()
        self.statistics.judgement_wanted.connect(self.judgement_wanted)
        self.empty = EmptyState("train", texts.LEARN_EMPTY, texts.EMPTY_HELP, texts.EMPTY_ACTION)
        if self.empty.button is not None:
            self.empty.button.clicked.connect(self.gather_wanted)
        self._lay_out()
        bridge.home.listing(ListMethods()).follow(self._on_methods)

    def _on_methods(self, found: MethodList) -> None:
        self._methods = Methods(found.methods)

    def read_again(self) -> None:
        self._bridge.call(GetLearnable(), self._on_learnable, owner=self)
        self._bridge.call(GetJudgementStatistics(), self._on_statistics, owner=self)

    def _on_learnable(self, found: Learnable) -> None:
        self._views.setCurrentWidget(self._area if found.judgements else self.empty)
        self.title.setText(texts.LEARN_TITLE.format(judgements=describe_count(found.judgements, "preference")))
        self.counts.setText(
            texts.LEARN_COUNTS.format(
                pairs=describe_count(found.pairs, "pair"),
                rated=f"{found.rated:,}",
                good=f"{found.good:,}",
                prompts=describe_count(found.prompts, "question"),
            )
        )
        empty_layout(self._cards)
        self.cards = {}
        fitting = [fit for fit in found.objectives if fit.fits]
        summaries = {row.name: row.summary for row in self._methods.of("objective")}
        for fit in fitting:
            summary = summaries.get(fit.objective, "")
            card = self.cards[fit.objective] = ObjectiveCard(fit, summary, fit is fitting[0])
            card.button.clicked.connect(lambda _=False, fit=fit: self.train(fit))
            self._cards.addWidget(card)
        self._show_not_yet([fit for fit in found.objectives if not fit.fits])
        self._warnings.setVisible(bool(found.warnings))
        self._warning_words.setText("\n\n".join(found.warnings))
        self._left_out.setVisible(bool(found.left_out))
        self._left_out_words.setText("\n".join(f"{one.count:,} · {one.reason}" for one in found.left_out))

    def _show_not_yet(self, fits: list[ObjectiveFit]) -> None:
        """What lacks judgements, in a line for each reason."""
        empty_layout(self._lacking)
        for reason in dict.fromkeys(fit.reason for fit in fits):
            titles = ", ".join(fit.title for fit in fits if fit.reason == reason)
            self._lacking.addLayout(column_of(None, Text(titles, "body"), Text(reason, "small"), gap=2))
        self.not_yet.setVisible(bool(fits))

    def _on_statistics(self, found: JudgementStatistics) -> None:
        self.statistics.show_statistics(found)
        self.skip_conflicts.setVisible(bool(found.contradictions))

    def train(self, fit: ObjectiveFit) -> None:
        """Make a data set of the judgements, and open the training page with it and the objective."""
        name = texts.SET_NAME_DEFAULT.format(date=time.strftime("%d %b %H-%M-%S"))

        def made(found: DataSet) -> None:
            self._set_busy(False)
            self.message.hide()
            self._shell.open_page("train", data=found.name, objective=fit.objective)

        def refused(error: Exception) -> None:
            self._set_busy(False)
            self.message.show_message(in_words(error), "danger")

        self._set_busy(True)
        self.message.show_message(texts.MAKING_SET, "info")
        call = MakePreferenceSet(name=name, kind=fit.examples, skip_conflicts=self.skip_conflicts.isChecked())
        self._bridge.call(call, made, refused, self)

    def _set_busy(self, busy: bool) -> None:
        for card in self.cards.values():
            card.button.setEnabled(not busy)

    # -- building ------------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        self._cards = column_of(None, gap=tokens.SPACE_3)
        self._warnings, self._warning_words = _card(texts.WARNINGS)
        self._left_out, self._left_out_words = _card(texts.LEFT_OUT_TITLE)
        self.not_yet = Card(margin=tokens.SPACE_4)
        self.not_yet.body.setSpacing(tokens.SPACE_3)
        more = PlainButton(texts.EMPTY_ACTION, "thumb-up", small=True, clicked=self.gather_wanted)
        self.not_yet.body.addLayout(row_of(None, (Text(texts.NOT_YET, "heading"), 1), more, gap=tokens.SPACE_2))
        self._lacking = column_of(None, gap=tokens.SPACE_3)
        self.not_yet.body.addLayout(self._lacking)
        numbers = Card(margin=tokens.SPACE_5)
        numbers.body.setSpacing(tokens.SPACE_3)
        numbers.body.addWidget(Text(texts.STATISTICS, "heading"))
        numbers.body.addWidget(self.statistics)
        self._numbers = numbers
        self._first, self._second = QWidget(), QWidget()
        self._left = column_of(self._first, gap=tokens.SPACE_4)
        self._right = column_of(self._second, gap=tokens.SPACE_4)
        both = row_of(None, (self._first, 3), (self._second, 2), gap=tokens.SPACE_5)
        self._left.addLayout(self._cards)
        self._left.addWidget(self.skip_conflicts)
        self._left.addWidget(self.not_yet)
        self._left.addStretch(1)
        self._area = ScrolledColumn(tokens.SPACE_4, width=1280)
        for words in (self.title, self.counts, self.packages, self.message):
            self._area.column.addWidget(words)
        self._area.column.addLayout(both)
        self._area.column.addStretch(1)
        self._views = QStackedWidget()
        for view in (self._area, self.empty):
            self._views.addWidget(view)
        column_of(self, self._views)
        self._arrange(False)

    def _arrange(self, wide: bool) -> None:
        if wide == self._wide:
            return
        self._wide = wide
        beside = (self._warnings, self._left_out, self._numbers)
        for part in beside:
            for column in (self._left, self._right):
                column.removeWidget(part)
        self._second.setVisible(wide)
        column, first = (self._right, 0) if wide else (self._left, self._left.count() - 1)
        for place, part in enumerate(beside, first):
            column.insertWidget(place, part)
        _end_in_space(self._right)

    def resizeEvent(self, event: object) -> None:
        super().resizeEvent(event)  # type: ignore[arg-type]
        self._arrange(self.width() >= _WIDE)


class ObjectiveCard(Card):
    """An objective that can be trained: what it learns, when it suits, and its usable examples."""

    def __init__(self, fit: ObjectiveFit, summary: str, best: bool) -> None:
        super().__init__(margin=tokens.SPACE_4)
        self.button = (PrimaryButton if best else PlainButton)(texts.TRAIN, "train")
        self.button.setAccessibleName(texts.TRAIN_WITH.format(title=fit.title))
        mark = Chip(texts.ADVISED, "success", visible=fit.advised)
        head = row_of(None, Text(fit.title, "heading"), mark, None, self.button, gap=tokens.SPACE_2)
        self.body.addLayout(head)
        if summary:
            self.body.addWidget(Text(summary, "body"))
        if fit.reason:
            self.body.addWidget(Text(fit.reason, "body"))
        held = texts.KEPT_APART.format(usable=fit.usable, kept=fit.held_out, width=fit.half_width)
        self.body.addWidget(Text(held, "small", visible=bool(fit.usable)))


def _card(title: str) -> tuple[Card, Text]:
    card, words = Card(margin=tokens.SPACE_4), Text("")
    card.body.addWidget(Text(title, "strong"))
    card.body.addWidget(words)
    return card, words


def _end_in_space(column: QVBoxLayout) -> None:
    last = column.itemAt(column.count() - 1) if column.count() else None
    if last is None or last.spacerItem() is None:
        column.addStretch(1)


_MOST_CONFLICTS = 6
_LONGEST = 120
_BAR = 200
_FEWEST = 5
"""Judgements of a recipe's answers below which who won is not shown."""


class StatisticsView(QWidget):
    """``judgement_wanted`` sends the id of a judgement to be looked at."""

    judgement_wanted = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.shares: dict[str, ShareRow] = {}
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(tokens.SPACE_4)
        self._grid.setVerticalSpacing(tokens.SPACE_3)
        self._grid.setColumnStretch(0, 1)
        self.length = Text("", "small")
        self.repeated = Text("", "small")
        self._conflicts = column_of(None, gap=tokens.SPACE_2)
        column_of(self, self._grid, self.length, self.repeated, self._conflicts, gap=tokens.SPACE_3)

    def show_statistics(self, found: JudgementStatistics) -> None:
        empty_layout(self._grid)
        self.shares = {}
        self._add_share(texts.LONGER, texts.LONGER_HELP, found.longer_preferred)
        self._add_share(texts.POSITION, texts.POSITION_HELP, found.first_preferred)
        if len(found.first_preferred_by) > 1:
            for judge, share in found.first_preferred_by.items():
                title = texts.POSITION_BY.format(judge=texts.JUDGES.get(judge, judge))
                self._add_share(title, "", share)
        for column in found.columns:
            if column.name and column.share.n >= _FEWEST:
                self._add_share(f"{texts.WHO_WON}: {column.name}", "", column.share, is_bias=False)
        self.length.setText(texts.describe_difference(found.length_difference))
        self.length.setVisible(bool(self.length.text()))
        repeated = describe_count(found.duplicates, "preference")
        self.repeated.setText(texts.REPEATED.format(count=repeated) if found.duplicates else "")
        self.repeated.setVisible(bool(found.duplicates))
        empty_layout(self._conflicts)
        self._add_conflicts(texts.CONFLICTS, texts.CONFLICT_HELP, found.contradictions)
        self._add_conflicts(texts.CYCLES, texts.CYCLE_HELP, found.cycles)

    def _add_share(self, title: str, help: str, share: ShareEstimate, is_bias: bool = True) -> None:
        row = self.shares[title] = ShareRow(title, help, share, is_bias)
        line = self._grid.rowCount()
        self._grid.addWidget(row, line, 0)

    def _add_conflicts(self, title: str, help: str, conflicts: tuple[Conflict, ...]) -> None:
        if not conflicts:
            return
        card = Card(margin=tokens.SPACE_3)
        card.body.addWidget(Text(f"{title} ({len(conflicts):,})", "strong"))
        card.body.addWidget(Text(help, "small"))
        for conflict in conflicts[:_MOST_CONFLICTS]:
            words = Text(_short(conflict.prompt), "body")
            line = row_of(None, (words, 1), gap=tokens.SPACE_2)
            for number, id in enumerate(conflict.ids[:3], 1):
                button = LinkButton(f"{texts.SHOW} {number}" if len(conflict.ids) > 1 else texts.SHOW)
                button.clicked.connect(partial(self.judgement_wanted.emit, id))
                line.addWidget(button)
            card.body.addLayout(line)
        if len(conflicts) > _MOST_CONFLICTS:
            card.body.addWidget(Text(texts.AND_MORE.format(more=len(conflicts) - _MOST_CONFLICTS), "small"))
        self._conflicts.addWidget(card)


class ShareRow(QWidget):
    """A share in words and as an interval on a line; a bias is marked where the interval excludes one half."""

    def __init__(self, title: str, help: str, share: ShareEstimate, is_bias: bool = True) -> None:
        super().__init__()
        self.words = Text(texts.describe_share(share), "body", wordWrap=False)
        shown = share.is_shown
        tone = ("attention" if shown else "success") if is_bias else ("accent" if shown else "muted")
        verdict = (texts.BIASED if shown else texts.UNBIASED) if share.n else ""
        self.bar = IntervalBar(title)
        self.bar.show_interval((share.low, share.value, share.high) if share.n else None, tone, self.words.text())
        self.bar.setMinimumWidth(_BAR)
        note = " ".join(filter(None, (help, f"{verdict[:1].upper()}{verdict[1:]}." if verdict else "")))
        head = row_of(None, (Text(title, "strong"), 1), self.words, gap=tokens.SPACE_3)
        column = column_of(self, head, self.bar, gap=2)
        if note:
            column.addWidget(Text(note, "small"))


def _short(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= _LONGEST else f"{words[:_LONGEST]}…"
