"""Judgements in numbers: biases with their intervals, repetitions, contradictions, circles, and who won."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QWidget

from ui.components.basics import Card, LinkButton, Text
from ui.components.interval_bar import IntervalBar
from ui.components.layout import column_of, empty_layout, row_of
from ui.components.wording import describe_count
from ui.features.feedback import texts
from ui.theme import tokens
from workbench.records.judgement_reports import Conflict, JudgementStatistics, ShareEstimate

_MOST_CONFLICTS = 6
_LONGEST = 120
_BAR = 200
_FEWEST = 5
"""Judgements of a recipe's answers below which who won is not shown."""


class StatisticsView(QWidget):
    """``judgement_wanted`` sends the id of a judgement to be looked at."""

    judgement_wanted = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
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
        repeated = describe_count(found.duplicates, "judgement")
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
