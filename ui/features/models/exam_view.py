"""The exam of a model on its card: the rates of each language, what follows from them, and an exam under way."""

from __future__ import annotations

import time
from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QWidget

from ui.components.basics import ProgressLine, Text
from ui.components.layout import column_of
from ui.components.run_follower import RunFollower
from ui.components.wording import how_far
from ui.features.models import texts
from ui.theme import tokens
from workbench.api.events import Progress
from workbench.records.exam import (
    LANGUAGES,
    RATES,
    ExamResult,
    describe_mode,
    describe_poor,
    describe_rate,
)
from workbench.records.models import ModelRecord


class ExamView(QWidget):
    """Hidden while there is nothing to show: a model that was not examined has no empty table."""

    def __init__(self) -> None:
        super().__init__()
        self._follower: RunFollower | None = None
        self.title = Text("", "strong")
        self.poor = Text("", "attention")
        self.mode = Text("", "small")
        self._table = QWidget()
        self.progress = ProgressLine(stop_clicked=self._on_stop, visible=False)
        column_of(
            self,
            self.title,
            self.poor,
            self._table,
            self.mode,
            self.progress,
            gap=tokens.SPACE_2,
            margins=(0, tokens.SPACE_2, 0, 0),
        )
        self._result: ExamResult | None = None
        self._cells: dict[tuple[str, str], str] = {}
        self._show()

    @property
    def cells(self) -> dict[tuple[str, str], str]:
        """The rates as they are shown, by language and rate."""
        return dict(self._cells)

    @property
    def running(self) -> bool:
        return self._follower is not None

    def show_model(self, model: ModelRecord) -> None:
        self.title.setToolTip("")
        if model.exam != self._result or model.exam_problem:
            self._result = model.exam
            self._fill(model.exam)
        if model.exam is not None:
            date = time.strftime("%Y-%m-%d", time.localtime(model.exam.ended))
            self.title.setText((texts.EXAM if model.exam.current else texts.EXAM_OLD).format(date=date))
            self.title.setToolTip(texts.EXAM_HELP)
        else:
            self.title.setText(model.exam_problem)
        self._show()

    def follow(self, follower: RunFollower | None) -> None:
        """Show how far an exam is; None: none is under way."""
        if follower is self._follower:
            return
        self._follower = follower
        if follower is not None:
            self.progress.set_progress(texts.EXAM_WAITS)
            follower.progressed.connect(self._on_progress)
        self._show()

    def _on_progress(self, progress: Progress) -> None:
        share, numbers = how_far(progress)
        self.progress.set_progress(texts.EXAMINING, share, numbers, progress.seconds_left)

    def _on_stop(self) -> None:
        if self._follower is not None:
            self.progress.set_progress(texts.STOPPING)
            self._follower.stop()

    def _show(self) -> None:
        self._table.setVisible(self._result is not None)
        for text in (self.title, self.poor, self.mode):
            text.setVisible(bool(text.text()))
        self.progress.setVisible(self.running)
        self.setVisible(self.running or bool(self.title.text()))

    def _fill(self, result: ExamResult | None) -> None:
        self._cells.clear()
        self.mode.setText(describe_mode(result) if result is not None else "")
        self.poor.setText(describe_poor(result) if result is not None else "")
        table = QWidget()
        grid = QGridLayout(table)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(tokens.SPACE_4)
        grid.setVerticalSpacing(0)
        at_top = partial(grid.addWidget, alignment=Qt.AlignmentFlag.AlignTop)
        for column, (_, title) in enumerate(RATES, start=1):
            grid.setColumnStretch(column, 1)
            at_top(Text(title, "muted"), 0, column)
        for line, (language, rates) in enumerate(result.languages.items() if result is not None else ()):
            name = LANGUAGES.get(language, language)
            grid.setRowMinimumHeight(3 * line + 1, tokens.SPACE_1)
            at_top(Text(name, "body"), 3 * line + 2, 0)
            for column, (field, title) in enumerate(RATES, start=1):
                share, counts = describe_rate(rates, field)
                self._cells[language, field] = f"{share} {counts}".strip()
                cell = Text(share, "strong", accessibleName=f"{name}, {title}: {share} {counts}".strip())
                at_top(cell, 3 * line + 2, column)
                at_top(Text(counts, "small"), 3 * line + 3, column)
        layout = self.layout()
        assert layout is not None
        layout.replaceWidget(self._table, table)
        self._table.deleteLater()
        self._table = table
