"""A comparison: how far it is, the sentence that it comes to, the chart, and the table of its rungs."""

from __future__ import annotations

import math
from collections.abc import Container
from functools import partial

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QMenu, QSizePolicy, QWidget

from ui.components.basics import (
    Card,
    ColourKey,
    ElidedLabel,
    InlineMessage,
    PlainButton,
    ProgressLine,
    QuietButton,
    Text,
)
from ui.components.choice_box import ChoiceBox
from ui.components.layout import FlowLayout, ScrolledColumn, column_of, empty_layout, row_of
from ui.components.notices import ConfirmRow
from ui.components.slide_row import Slider
from ui.features.ladder import texts
from ui.features.ladder.chart import LadderChart
from ui.features.ladder.chart_picture import points_of
from ui.features.ladder.rung_table import RungTable
from ui.theme import tokens
from workbench.records.ladder import ASKED, LadderReport, cheapest, least_apart

_WIDE = 1_420
"""Pixels from which the table has room for all columns beside the chart."""
_BESIDE = 1_080
"""Pixels from which the table has room beside the chart with fewer columns."""
_HIGH = 860
"""Pixels from which a chart beside the table is taller."""
_NARROW = 920
"""Pixels below which what is compared is not told beside its name."""
_CHARACTERS, _FEW_CHARACTERS = 28, 20
"""Of the name of a comparison that are in sight, at least."""
_MOST = 1_900
_LEAST_QUESTIONS, _MOST_QUESTIONS = 10, 100_000
_STEPS = 24
"""Of the slider for each factor of ten."""


class LadderReportView(QWidget):
    """Asks for nothing itself. ``opened`` and ``use_wanted`` send names of rungs, ``export_wanted`` a form."""

    opened = Signal(str)
    use_wanted = Signal(str)
    export_wanted = Signal(str)
    add_wanted = Signal()

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
        self.rule = Text("", "muted", wordWrap=True)
        self.chosen = Text("", "body", wordWrap=True)
        self.use_button = PlainButton(texts.USE, "chat", small=True, clicked=self._on_use)
        self.winner = QWidget()
        row_of(self.winner, (self.chosen, 1), self.use_button, gap=tokens.SPACE_3)
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
            self.confirm, self.progress, self.message, self.sentence, self.rule, self.winner, self.more, self.leaks,
            self.notes,
        ):  # fmt: skip
            area.column.addWidget(part)
        self._parts = QBoxLayout(QBoxLayout.Direction.TopToBottom)
        self._parts.setSpacing(tokens.SPACE_3)
        self._chart_card = self._make_chart_card()
        self._parts.addWidget(self._chart_card, 3)
        table = Card(margin=tokens.SPACE_3)
        table.body.addWidget(self.table)
        self._parts.addWidget(table, 4)
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
        self.sentence.setText(report.sentence.replace(" -", " −") or waiting)
        told = f"{report.more:,} more questions" in report.sentence
        more = report.more if report.winner and not told else 0  # without a winner the sentence says what is lacking
        self.more.setText(texts.MORE.format(count=texts.questions(more)) if more else "")
        leaks = [texts.LEAK.format(title=rung.offer.title, leak=rung.leak) for rung in report.rungs if rung.leak]
        self.leaks.setText("\n".join(leaks))
        self.notes.setText("\n".join(report.notes))
        for part in (self.more, self.leaks, self.notes):
            part.setVisible(bool(part.text()))
        self._show_winner(report)
        self.table.show_report(report)
        self._show_chart()

    def _show_winner(self, report: LadderReport) -> None:
        """What the sentence does not say of the technique that it names, and by what rule it names it."""
        rung = next((one for one in report.rungs if one.offer.name == report.winner), None)
        for part in (self.rule, self.winner):
            part.setVisible(rung is not None)
        if rung is None or rung.score is None:
            return
        held_out = texts.questions(rung.score.n)
        rule = texts.RULE_BEST if rung.standing == "best" else texts.RULE
        self.rule.setText(rule.format(held_out=held_out, asked=texts.questions(ASKED)))
        self.chosen.setText(texts.chosen(rung, report.unit))
        self.use_button.setToolTip(texts.USE_HELP.format(title=rung.offer.title))
        self.use_button.setAccessibleName(texts.USE_HELP.format(title=rung.offer.title))
        self.use_button.setEnabled(rung.recipe is not None)

    def _on_use(self) -> None:
        if self.report is not None:
            self.use_wanted.emit(self.report.winner)

    def make_menu(self) -> QMenu:
        """The forms in which it is written to files."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for form, title, _ in texts.EXPORTS:
            menu.addAction(title, partial(self.export_wanted.emit, form))
        return menu

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        width = event.size().width()
        beside = width >= _BESIDE
        self.table.set_narrow(width < _WIDE)
        policy = self.facts.sizePolicy()
        policy.setRetainSizeWhenHidden(width >= _NARROW)  # the buttons keep their sizes
        self.facts.setSizePolicy(policy)
        self.facts.setVisible(width >= _NARROW)
        self.choice.setMinimumContentsLength(_CHARACTERS if width >= _NARROW else _FEW_CHARACTERS)
        self.chart.set_tall(width >= _WIDE and event.size().height() >= _HIGH)
        # beside a long table the chart stays at its top, with its slider in sight
        top = Qt.AlignmentFlag.AlignTop if beside else Qt.AlignmentFlag(0)
        self._parts.setAlignment(self._chart_card, top)
        self._parts.setDirection(QBoxLayout.Direction.LeftToRight if beside else QBoxLayout.Direction.TopToBottom)

    def _make_chart_card(self) -> Card:
        self.slider = Slider(Qt.Orientation.Horizontal)
        self.slider.setAccessibleName(texts.SLIDER)
        self.slider.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.slider.setRange(0, round(_STEPS * math.log10(_MOST_QUESTIONS / _LEAST_QUESTIONS)))
        self.slider.setPageStep(_STEPS)
        self.slider.setValue(round(_STEPS * math.log10(ASKED / _LEAST_QUESTIONS)))
        self.slider.valueChanged.connect(self._show_chart)
        self.asked = Text("", "strong")
        self.fastest = Text("", "small")
        self.fastest.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        card = Card(margin=tokens.SPACE_3)
        card.body.addWidget(Text(texts.CHART_TITLE, "strong"))
        card.body.addWidget(self.chart, 1)
        self.legend = QWidget()
        self._keys = FlowLayout(self.legend, tokens.SPACE_3)
        self._shown_keys: tuple[str, ...] = ()
        card.body.addWidget(self.legend)
        card.body.addWidget(Text(texts.READING, "small"))
        least, most = (Text(end, "small", wordWrap=False) for end in texts.SLIDER_ENDS)
        card.body.addWidget(self.asked)
        card.body.addLayout(row_of(None, least, (self.slider, 1), most, gap=tokens.SPACE_2))
        card.body.addWidget(self.fastest)
        return card

    def _show_legend(self, tones: Container[str]) -> None:
        """What the colours of the points are."""
        named = {**texts.TECHNIQUES, "text": texts.OTHERS}
        keys = tuple(tone for tone in named if tone in tones)
        if keys == self._shown_keys:
            return
        self._shown_keys = keys
        empty_layout(self._keys)
        for tone in keys:
            entry = QWidget()
            row_of(entry, ColourKey(tone), Text(named[tone], "small", wordWrap=False), gap=tokens.SPACE_1)
            self._keys.addWidget(entry)

    def _show_chart(self) -> None:
        report, count = self.report, self.questions
        self.asked.setText(texts.SLIDER_WORDS.format(questions=texts.questions(count)))
        self.slider.setAccessibleDescription(self.asked.text())
        if report is None:
            return
        points = points_of(report.rungs, count, report.winner)
        self.chart.show_points(points, report.unit, count, report.sentence)
        self._show_legend({point.tone for point in points})
        enough = {rung.offer.name for rung in report.rungs if rung.standing in ("best", "not worse")}
        able = (
            [one for one in report.rungs if one.offer.name in enough and one.score is not None] if report.winner else []
        )
        named = ""
        if able:
            costs, values = (
                [one.cost.seconds_for(count) for one in able],
                [one.score.value for one in able if one.score],
            )
            named = able[cheapest(costs, values, least_apart(count))].offer.name
        fastest = next((point for point in points if point.name == named), None)
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
