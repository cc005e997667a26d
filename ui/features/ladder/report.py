"""A comparison: how far it is, the sentence that it comes to, the chart, and the table of its rungs."""

from __future__ import annotations

import math
from functools import partial

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QMenu, QSizePolicy, QWidget

from ui.components.basics import Card, ElidedLabel, InlineMessage, PlainButton, ProgressLine, QuietButton, Text
from ui.components.choice_box import ChoiceBox
from ui.components.layout import ScrolledColumn, column_of, row_of
from ui.components.notices import ConfirmRow
from ui.components.slide_row import Slider
from ui.features.ladder import texts
from ui.features.ladder.chart import LadderChart
from ui.features.ladder.chart_picture import points_of
from ui.features.ladder.rung_table import RungTable
from ui.theme import tokens
from workbench.records.ladder import LadderReport

_WIDE = 1_420
"""Pixels from which the table has room beside the chart."""
_NARROW = 920
"""Pixels below which the table has fewer columns."""
_CHARACTERS, _FEW_CHARACTERS = 28, 20
"""Of the name of a comparison that are in sight, at least."""
_MOST = 1_900
_LEAST_QUESTIONS, _MOST_QUESTIONS, _FIRST_QUESTIONS = 10, 100_000, 1_000
_STEPS = 24
"""Of the slider for each factor of ten."""


class LadderReportView(QWidget):
    """Asks for nothing itself. ``opened`` and ``use_wanted`` send names of rungs, ``export_wanted`` a form."""

    opened = Signal(str)
    use_wanted = Signal(str)
    export_wanted = Signal(str)
    add_wanted = Signal()
    continue_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.report: LadderReport | None = None
        self.choice = ChoiceBox(texts.LADDERS, (), _CHARACTERS)
        self.facts = ElidedLabel("", "muted")
        self.add_button = PlainButton(texts.ADD_RUNGS, "plus", small=True, clicked=self.add_wanted)
        self.export_button = PlainButton(texts.EXPORT, "export", small=True, clicked=self._on_export)
        self.delete_button = QuietButton(texts.DELETE, "trash", small=True)
        self.confirm = ConfirmRow(self.delete_button)
        self.confirm.set_question(texts.ASK_DELETE, texts.DELETE)
        self.delete_button.clicked.connect(self.confirm.ask)
        self.progress = ProgressLine()
        self.message = InlineMessage()
        self.sentence = Text("", "title", wordWrap=True)
        self.sentence.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.more = Text("", "muted")
        self.leaks = Text("", "attention")
        self.notes = Text("", "small")
        self.chart = LadderChart()
        self.chart.opened.connect(self.opened)
        self.table = RungTable()
        self.table.opened.connect(self.opened)
        self.table.use_wanted.connect(self.use_wanted)
        area = ScrolledColumn(tokens.SPACE_3, width=_MOST)
        head = row_of(
            None,
            self.choice,
            (self.facts, 1),
            self.add_button,
            self.export_button,
            self.delete_button,
            gap=tokens.SPACE_2,
        )
        area.column.addLayout(head)
        for part in (
            self.confirm, self.progress, self.message, self.sentence, self.more, self.leaks, self.notes,
        ):  # fmt: skip
            area.column.addWidget(part)
        self._parts = QBoxLayout(QBoxLayout.Direction.TopToBottom)
        self._parts.setSpacing(tokens.SPACE_3)
        self._parts.addWidget(self._make_chart_card(), 5)
        table = Card(margin=tokens.SPACE_3)
        table.body.addWidget(self.table)
        self._parts.addWidget(table, 6)
        area.column.addLayout(self._parts)
        column_of(self, area)
        self.progress.hide()

    @property
    def questions(self) -> int:
        """How many questions a person is going to ask, by the slider: two digits of it."""
        exact: float = _LEAST_QUESTIONS * 10 ** (self.slider.value() / _STEPS)
        unit = int(10 ** (math.floor(math.log10(exact)) - 1))
        return round(exact / unit) * unit

    def show_report(self, report: LadderReport, facts: str) -> None:
        """Show a comparison as it is now; ``facts`` say what is compared."""
        other = self.report is None or self.report.ladder.id != report.ladder.id
        self.report = report
        if other:
            self.message.hide()
            self.confirm.hide()
        self.facts.set_full_text(facts)
        waiting = texts.NO_SENTENCE if report.state in ("waiting", "running") else texts.NO_SENTENCE_STOPPED
        self.sentence.setText(report.sentence or waiting)
        told = f"{report.more:,} more questions" in report.sentence
        self.more.setText(texts.MORE.format(count=texts.questions(report.more)) if report.more and not told else "")
        leaks = [texts.LEAK.format(title=rung.offer.title, leak=rung.leak) for rung in report.rungs if rung.leak]
        self.leaks.setText("\n".join(leaks))
        self.notes.setText("\n".join(report.notes))
        for part in (self.more, self.leaks, self.notes):
            part.setVisible(bool(part.text()))
        self.table.show_report(report)
        self._show_chart()

    def make_menu(self) -> QMenu:
        """The forms in which it is written to files."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for form, title, _ in texts.EXPORTS:
            menu.addAction(title, partial(self.export_wanted.emit, form))
        return menu

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        beside = event.size().width() >= _WIDE
        self.table.set_narrow(event.size().width() < _NARROW)
        self.facts.setVisible(event.size().width() >= _NARROW)
        self.choice.setMinimumContentsLength(_CHARACTERS if event.size().width() >= _NARROW else _FEW_CHARACTERS)
        self._parts.setDirection(QBoxLayout.Direction.LeftToRight if beside else QBoxLayout.Direction.TopToBottom)

    def _make_chart_card(self) -> Card:
        self.slider = Slider(Qt.Orientation.Horizontal)
        self.slider.setAccessibleName(texts.SLIDER)
        self.slider.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.slider.setRange(0, round(_STEPS * math.log10(_MOST_QUESTIONS / _LEAST_QUESTIONS)))
        self.slider.setPageStep(_STEPS)
        self.slider.setValue(round(_STEPS * math.log10(_FIRST_QUESTIONS / _LEAST_QUESTIONS)))
        self.slider.valueChanged.connect(self._show_chart)
        self.asked = Text("", "strong")
        self.asked.setMinimumWidth(250)
        self.fastest = Text("", "small")
        self.fastest.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        card = Card(margin=tokens.SPACE_3)
        card.body.addWidget(self.chart, 1)
        card.body.addLayout(row_of(None, self.asked, (self.slider, 1), gap=tokens.SPACE_3))
        card.body.addWidget(self.fastest)
        return card

    def _show_chart(self) -> None:
        report, count = self.report, self.questions
        self.asked.setText(texts.SLIDER_WORDS.format(questions=texts.questions(count)))
        self.slider.setAccessibleDescription(self.asked.text())
        if report is None:
            return
        points = points_of(report.rungs, count, report.winner)
        self.chart.show_points(points, report.unit, count, report.sentence)
        enough = {rung.offer.name for rung in report.rungs if rung.standing in ("best", "not worse")}
        fastest = next((point for point in points if point.name in enough), None) if report.winner else None
        self.fastest.setText(
            texts.CHEAPEST.format(
                questions=texts.questions(count), title=fastest.title, time=texts.seconds(fastest.seconds)
            )
            if fastest is not None
            else ""
        )
        self.fastest.setVisible(True)  # its place is kept: nothing moves when it comes

    def _on_export(self) -> None:
        place = self.export_button.mapToGlobal(QPoint(0, self.export_button.height()))
        self.make_menu().popup(place)
