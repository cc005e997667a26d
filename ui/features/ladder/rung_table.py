"""The table of a comparison: a line for each rung, in the order of the course, filled while it is measured."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSizePolicy, QStackedWidget, QWidget

from ui.components.basics import Chip, ColourKey, ElidedLabel, LinkButton, QuietButton, Text, Tone
from ui.components.layout import column_of, empty_layout, row_of
from ui.features.ladder import texts
from ui.features.ladder.chart_picture import tone_of
from ui.theme import tokens
from ui.theme.theme import set_property
from workbench.records.ladder import AS_IT_IS, LadderReport, RungReport, Standing

_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_ROW = 44
_ABOVE = 2  # px above and below a line
_LINK = 6  # px beside the words of a link
_TONES: dict[Standing, Tone] = {"best": "success", "not worse": "success", "worse": "plain", "open": "plain"}
_WIDTHS = (0, 66, 72, 64, 62, 68, 72, 78, 116)
"""At least; words that are longer than in English make their column wider (``_fit_columns``)."""
_ICON = 44  # px of a button without words
_RUNG, _QUALITY, _DIFFERENCE, _PREPARING, _SECONDS, _TOKENS, _PER_RIGHT, _STANDING, _USE = range(9)
_LESS = (_TOKENS, _PER_RIGHT, _STANDING)
"""Columns that a narrow table lacks; the standing is below the title there."""


class RungTable(QWidget):
    """``opened`` sends the name of a rung whose answers are to be seen, ``use_wanted`` of one to chat with."""

    opened = Signal(str)
    use_wanted = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName(texts.TABLE)
        self.lines: dict[str, RungLine] = {}
        self._head: dict[int, QWidget] = {}
        self._narrow = False
        column = column_of(self, gap=0)
        column.addWidget(self._make_head())
        self._column = column_of(gap=0)
        column.addLayout(self._column)
        column.addStretch(1)

    def set_narrow(self, narrow: bool) -> None:
        """Leave columns out, so that it fits into a narrow window or beside the chart."""
        if narrow != self._narrow:
            self._narrow = narrow
            for place in _LESS:
                self._head[place].setVisible(not narrow)
            self._use.setText(texts.USE if narrow else "")
            for line in self.lines.values():
                line.set_narrow(narrow)
            self._fit_columns()

    def show_report(self, report: LadderReport) -> None:
        """Fill the lines; those that are there stay where they are."""
        names = [rung.offer.name for rung in report.rungs]
        if names != list(self.lines):
            empty_layout(self._column)
            self.lines = {}
            for name in names:
                line = self.lines[name] = RungLine()
                line.set_narrow(self._narrow)
                line.title.clicked.connect(partial(self._on_title, name))
                line.use_button.clicked.connect(partial(self._on_use, name))
                self._column.addWidget(line)
        self._quality.setText(texts.HEAD_VALUE if report.unit else texts.HEAD_QUALITY)
        values = [rung.score.value for rung in report.rungs if rung.score is not None]
        for rung in report.rungs:
            highest = rung.score is not None and rung.score.value == max(values) > 0
            self.lines[rung.offer.name].show_rung(
                rung, report.unit, rung.offer.name == report.winner, highest and not report.unit
            )
        if self.isVisible():
            self._fit_columns()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._fit_columns()  # now their style is known

    def _fit_columns(self) -> None:
        for place in (_DIFFERENCE, _PREPARING, _STANDING, _USE):
            least = _ICON if self._narrow and place == _USE else _WIDTHS[place]
            needed = [line.part_of(place).sizeHint().width() for line in self.lines.values()]
            for cell in (self._head[place], *(line.cell_of(place) for line in self.lines.values())):
                cell.setFixedWidth(max(least, *needed, 0))

    def _on_title(self, name: str, checked: bool = False) -> None:
        self.opened.emit(name)

    def _on_use(self, name: str, checked: bool = False) -> None:
        self.use_wanted.emit(name)

    def _make_head(self) -> QWidget:
        head = QWidget()
        titles = (
            texts.HEAD_RUNG, texts.HEAD_QUALITY, texts.HEAD_DIFFERENCE, texts.HEAD_PREPARING, texts.HEAD_SECONDS,
            texts.HEAD_TOKENS, texts.HEAD_PER_RIGHT, texts.HEAD_STANDING,
        )  # fmt: skip
        for place, title in enumerate(titles):
            words = self._head[place] = Text(title, "small", toolTip=texts.HEAD_HELP.get(title, ""))
            centred = Qt.AlignmentFlag.AlignCenter
            words.setAlignment(_LEFT if place == _RUNG else centred if place == _STANDING else _RIGHT)
            if place == _QUALITY:
                self._quality = words
        self._use = self._head[_USE] = Text("", "small", alignment=Qt.AlignmentFlag.AlignCenter)
        _lay_out(head, self._head)
        return head


class TitleLink(LinkButton):
    """The title of a rung. ``cut`` sends whether there is room for less than the whole."""

    cut = Signal(bool)

    def __init__(self) -> None:
        super().__init__("", align="left")
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.full_text = self._help = ""

    def show_title(self, title: str, help: str) -> None:
        self.full_text, self._help = title, help
        self.setAccessibleName(title)
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        beside = self.sizeHint().width() - self.fontMetrics().horizontalAdvance(self.text())
        room = self.width() - max(2 * _LINK, beside)
        shown = self.fontMetrics().elidedText(self.full_text, Qt.TextElideMode.ElideRight, room)
        self.setText(shown)
        self.setToolTip(self._help if shown == self.full_text else self.full_text)
        self.cut.emit(shown != self.full_text)


class RungLine(QFrame):
    """One rung, with a sentence that says what it is. Its height is the same before it is measured and after, unless
    the reason why it has no result is long."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "rung")
        self._key = QWidget()
        self._key.setFixedWidth(10)
        self._key_row = row_of(self._key)
        self._tone = ""
        self.title = TitleLink()
        self.title.cut.connect(self._on_cut)
        self._sentence = ""
        self.plain = ElidedLabel("", "body")
        self.plain.setContentsMargins(_LINK, 0, 0, 0)
        self._names = QStackedWidget()
        self._names.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        for name in (self.title, self.plain):
            self._names.addWidget(name)
        self.state = Text("", "small")
        self.quality, self.between = _number("strong"), _number("small")
        self.difference, self.between_difference = _number("body"), _number("small")
        self.numbers = {place: _number("body") for place in (_PREPARING, _SECONDS, _TOKENS, _PER_RIGHT)}
        self.price = _number("small")
        self.standing = Chip("")
        self.below = ElidedLabel("", "small")
        self.below.setContentsMargins(_LINK, 0, 0, 0)
        self._narrow = self._measured = False
        self.use_button = QuietButton(texts.USE, "chat", small=True)
        named, words = QWidget(), QWidget()
        column_of(words, self._names, self.below, gap=0)
        row_of(named, self._key, (words, 1), gap=tokens.SPACE_2)
        standing = QWidget()
        row_of(standing, None, self.standing, None)
        quality, difference, tokens_read = QWidget(), QWidget(), QWidget()
        column_of(quality, self.quality, self.between, gap=0)
        column_of(difference, self.difference, self.between_difference, gap=0)
        column_of(tokens_read, self.numbers[_TOKENS], self.price, gap=0)
        cells = {_QUALITY: quality, _DIFFERENCE: difference, **self.numbers, _TOKENS: tokens_read, _STANDING: standing}
        self._cells: dict[int, QWidget] = dict(cells)
        policy = self.use_button.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self.use_button.setSizePolicy(policy)
        self._line = QWidget()
        row = _lay_out(self._line, {_RUNG: named, **cells, _USE: self.use_button})
        row.insertWidget(_QUALITY, self.state)
        self.about = Text("", "small")
        self.about.setContentsMargins(tokens.SPACE_3 + 10 + tokens.SPACE_2 + _LINK, 0, tokens.SPACE_2, 2 * _ABOVE)
        column_of(self, self._line, self.about, gap=0)
        self.set_narrow(False)

    def set_narrow(self, narrow: bool) -> None:
        """Leave cells out; what is not measured yet says so in the place of all of them."""
        self._narrow = narrow
        widths = [width for place, width in enumerate(_WIDTHS) if place in self._cells and not self._lacks(place)]
        self.state.setFixedWidth(sum(widths) + tokens.SPACE_3 * (len(widths) - 1))
        self.use_button.setText("" if narrow else texts.USE)
        self._show_cells()
        self._fit_height()

    def part_of(self, place: int) -> QWidget:
        """The words of a column that are longer in some languages than in English."""
        return {_USE: self.use_button, _STANDING: self.standing, _DIFFERENCE: self.difference}.get(
            place, self.numbers[_PREPARING]
        )

    def cell_of(self, place: int) -> QWidget:
        return self.use_button if place == _USE else self._cells[place]

    def _lacks(self, place: int) -> bool:
        return self._narrow and place in _LESS

    def show_rung(self, rung: RungReport, unit: str, enough: bool, highest: bool = False) -> None:
        """Show what is known of a rung; ``enough``: it is the one that the sentence names; ``highest``: no other is
        right more often."""
        offer, measured = rung.offer, rung.score is not None
        if self._tone != tone_of(rung):
            self._tone = tone_of(rung)
            empty_layout(self._key_row)
            self._key_row.addWidget(ColourKey(self._tone))
        self._sentence = offer.sentence
        self.about.setText(offer.sentence)
        self.title.show_title(offer.title, texts.ANSWERS_HELP.format(sentence=offer.sentence, title=offer.title))
        self.plain.set_full_text(offer.title)
        has_answers = rung.column is not None and rung.state != "waiting"
        self._names.setCurrentWidget(self.title if has_answers else self.plain)
        self._measured = measured
        self._show_cells()
        self.state.setVisible(not measured)
        self.state.setText(texts.state_of(rung))
        set_property(self.state, "role", "error" if rung.state == "failed" else "small")
        set_property(self, "enough", enough)
        self.use_button.setVisible(rung.recipe is not None and measured)
        self.use_button.setToolTip(texts.USE_HELP.format(title=offer.title))
        self.use_button.setAccessibleName(texts.USE_HELP.format(title=offer.title))
        highest = highest and rung.standing == "not worse"
        standing, below = texts.STANDINGS[rung.standing], texts.STANDINGS_BELOW[rung.standing]
        enough_only = enough and rung.standing != "best"
        if enough_only:
            better = highest and rung.difference is not None and rung.difference.low > 0
            standing, below = texts.ENOUGH, texts.ENOUGH_HIGHEST_BELOW if better else texts.ENOUGH_BELOW
        elif highest:
            standing, below = texts.HIGHEST, texts.HIGHEST_BELOW
        self.standing.setText(standing)
        self.standing.set_tone("accent" if enough else _TONES[rung.standing])
        self.standing.setToolTip(texts.ENOUGH_HELP if enough_only else texts.STANDING_HELP[rung.standing])
        self.below.set_full_text(below)
        self._fit_height()
        if rung.score is not None:
            self._show_numbers(rung, unit)

    def _on_cut(self, cut: bool) -> None:
        """Show a title in the line below where its column is too narrow for it."""
        self.about.setText(f"{self.title.full_text}. {self._sentence}" if cut else self._sentence)
        self._fit_height()

    def _fit_height(self) -> None:
        needed = 0 if self._measured else self.state.heightForWidth(self.state.width()) + 2 * _ABOVE
        line = max(_ROW, needed)
        self._line.setFixedHeight(line)
        self.setFixedHeight(line + self.about.heightForWidth(self.width()))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self._fit_height()

    def _show_cells(self) -> None:
        for place, cell in self._cells.items():
            cell.setVisible(self._measured and not self._lacks(place))
        self.below.setVisible(self._measured and self._narrow)

    def _show_numbers(self, rung: RungReport, unit: str) -> None:
        score, cost, change = rung.score, rung.cost, rung.difference
        assert score is not None
        self.quality.setText(texts.amount(score.value, unit))
        self.between.setText(texts.interval(score.low, score.high, unit))
        itself = rung.offer.name == AS_IT_IS or change is None
        self.difference.setText(
            texts.BASELINE if itself or change is None else texts.difference_with_unit(change, unit)
        )
        self.between_difference.setText(
            "" if itself or change is None else texts.interval(change.low, change.high, unit).replace("-", "−")
        )
        self.between_difference.setVisible(bool(self.between_difference.text()))
        self.numbers[_PREPARING].setText(texts.preparing(cost))
        self.numbers[_SECONDS].setText(texts.seconds(cost.answer_s))
        self.numbers[_TOKENS].setText(texts.number(cost.answer_tokens))
        self.price.setText(texts.money(cost.answer_price) if cost.answer_price else "")
        self.price.setVisible(bool(cost.answer_price))
        self.numbers[_PER_RIGHT].setText(texts.number(cost.tokens_per_right))


def _lay_out(parent: QWidget, cells: dict[int, QWidget]) -> QHBoxLayout:
    """Cells beside each other, each as wide as its column."""
    row = row_of(parent, gap=tokens.SPACE_3)
    row.setContentsMargins(tokens.SPACE_3, _ABOVE, tokens.SPACE_2, _ABOVE)
    for place, cell in cells.items():
        if place != _RUNG:
            cell.setFixedWidth(_WIDTHS[place])
        row.addWidget(cell, 1 if place == _RUNG else 0)
    return row


def _number(role: str) -> QLabel:
    return Text("", role, alignment=_RIGHT, wordWrap=False)  # type: ignore[arg-type]
