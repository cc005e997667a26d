"""The curve: the distribution over the next token at one place of an answer, and the distribution after sampling's
filters.

Each of the most probable tokens has a bar in the technique's colour, the model's own probability, and before it one in
the accent: the probability that it is drawn with. Tokens that are left out are grey. The scale is by the square root,
so that rare tokens can be seen beside sure ones.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFocusEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QShowEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from ui.components.basics import ColourKey, PlainButton, Text
from ui.components.layout import FlowLayout, column_of, row_of
from ui.components.recipe import texts
from ui.components.recipe.probability import describe_probability, probability_of, visible
from ui.theme import tokens
from ui.theme.theme import current_theme
from ui.theme.tokens import mixed
from workbench.records.messages import Alternative
from workbench.records.recipes import DecodingPart
from workbench.records.recipes.distribution import Narrowed, narrow, steps_not_drawn

SHOWN = 20
_PLOT, _LABELS, _AXIS, _TOP = 112, 62, 34, 6  # px
_TOLD = 68  # px of three lines, or of two and a button
_TICKS = (0.01, 0.1, 0.25, 0.5, 1.0)
_STEP_WORDS = {
    "penalties": "penalties",
    "dry": "DRY",
    "typical_p": "typical",
    "xtc": texts.XTC,
    "dynamic_temperature": texts.DYNAMIC_TEMPERATURE,
    "mirostat": "mirostat",
    "logit_bias": texts.TOKEN_BIAS,
}


class DistributionChart(QWidget):
    """The bars. ``picked`` tells which token the pointer or the arrow keys are at; -1 for none."""

    picked = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.tokens: tuple[Alternative, ...] = ()
        self.narrowed = Narrowed(())
        self._chosen = -1
        self._at = -1
        self.setFixedHeight(_TOP + _PLOT + _LABELS)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(texts.DISTRIBUTION)

    @property
    def at(self) -> int:
        return self._at

    def show_distribution(self, tokens: Sequence[Alternative], chosen: int, decoding: DecodingPart) -> None:
        """``chosen`` is the id of the token that was taken; it is marked when it is among those shown."""
        self.tokens = tuple(tokens)
        self._chosen = chosen
        self._at = min(self._at, len(self.tokens) - 1)
        self.set_decoding(decoding)

    def set_decoding(self, decoding: DecodingPart) -> None:
        self.narrowed = narrow([t.logprob for t in self.tokens], decoding) if self.tokens else Narrowed(())
        self.setAccessibleDescription(self.summary())
        self.update()

    def summary(self) -> str:
        """How many tokens are left to draw from, and what is likeliest."""
        if not self.tokens:
            return ""
        left = sum(p > 0 for p in self.narrowed.probabilities)
        best = max(range(len(self.tokens)), key=lambda i: self.narrowed.probabilities[i])
        if left == 1 and not self.narrowed.rest:
            return texts.ALWAYS.format(visible=visible(self.tokens[best].text))
        many = texts.TOKENS_ARE.format(left=left) if not self.narrowed.rest else texts.MORE_TOKENS_ARE.format(left=left)
        share = describe_probability(self.narrowed.probabilities[best])
        return texts.SAMPLED_FROM.format(
            upper=many[:1].upper(), value=many[1:], visible=visible(self.tokens[best].text), share=share
        )

    def detail(self, number: int) -> str:
        """One token in words: its own probability and the one that it is drawn with."""
        token, after = self.tokens[number], self.narrowed.probabilities[number]
        own = describe_probability(probability_of(token.logprob))
        drawn = texts.SAMPLED_WITH.format(probability=describe_probability(after)) if after else texts.LEFT_OUT
        return texts.TOKEN_SHARE.format(visible=visible(token.text), own=own, drawn=drawn)

    def sizeHint(self) -> QSize:
        return QSize(260, _TOP + _PLOT + _LABELS)

    def bar_area(self, number: int) -> QRectF:
        """The column of a bar, without its label."""
        width = (self.width() - _AXIS) / max(1, min(SHOWN, len(self.tokens)))
        return QRectF(_AXIS + number * width, _TOP, width, _PLOT)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        theme = current_theme()
        palette = theme.palette
        count = min(SHOWN, len(self.tokens))
        own = [probability_of(token.logprob) for token in self.tokens[:count]]
        drawn = self.narrowed.probabilities[:count]
        top = max([0.05, *own, *drawn])
        font = self.font()
        font.setPixelSize(11)
        painter.setFont(font)
        self._paint_axis(painter, top)
        own_colour, out = QColor(mixed(palette.decoding, palette.surface, 0.55)), QColor(palette.border)
        painter.setPen(Qt.PenStyle.NoPen)
        for number in range(count):
            area = self.bar_area(number)
            if number == self._at:
                painter.fillRect(area.adjusted(0, 0, 0, _LABELS), QColor(palette.hover))
            gap = max(1.0, area.width() * 0.12)
            wide = area.adjusted(gap, 0, -gap, 0)
            painter.fillRect(_bar(wide, own[number], top), own_colour if drawn[number] else out)
            if drawn[number]:
                inset = wide.width() * 0.28
                painter.fillRect(_bar(wide.adjusted(inset, 0, -inset, 0), drawn[number], top), QColor(palette.accent))
        for number in range(count):
            self._paint_label(painter, number, bool(drawn[number]))
        if self.hasFocus():
            painter.setPen(QColor(palette.accent))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)

    def _paint_axis(self, painter: QPainter, top: float) -> None:
        palette = current_theme().palette
        for tick in _TICKS:
            y = _TOP + _PLOT - _height(tick, top)
            if tick > top * 1.02:
                continue
            painter.setPen(QColor(palette.border))
            painter.drawLine(QPointF(_AXIS, y), QPointF(self.width(), y))
            painter.setPen(QColor(palette.muted))
            where = QRectF(0, y - 8, _AXIS - 4, 16)
            painter.drawText(where, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, f"{tick:.0%}")
        painter.setPen(QColor(palette.edge))
        painter.drawLine(QPointF(_AXIS, _TOP + _PLOT), QPointF(self.width(), _TOP + _PLOT))

    def _paint_label(self, painter: QPainter, number: int, left_in: bool) -> None:
        palette = current_theme().palette
        token, area = self.tokens[number], self.bar_area(number)
        font = painter.font()
        font.setBold(token.token == self._chosen)
        painter.setFont(font)
        painter.setPen(QColor(palette.text if left_in else palette.muted))
        words = painter.fontMetrics().elidedText(visible(token.text), Qt.TextElideMode.ElideRight, _LABELS - 8)
        painter.save()
        painter.translate(area.center().x(), _TOP + _PLOT + 4)
        painter.rotate(90)
        where = QRectF(0, -8, _LABELS - 6, 16)
        painter.drawText(where, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, words)
        painter.restore()
        font.setBold(False)
        painter.setFont(font)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        x = event.position().x() - _AXIS
        count = min(SHOWN, len(self.tokens))
        width = (self.width() - _AXIS) / max(1, count)
        self._pick(int(x / width) if count and 0 <= x < width * count else -1)

    def leaveEvent(self, event: QEvent) -> None:
        if not self.hasFocus():
            self._pick(-1)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
        step = steps.get(Qt.Key(event.key()))
        if step is None or not self.tokens:
            super().keyPressEvent(event)
            return
        self._pick(min(max(self._at + step, 0), min(SHOWN, len(self.tokens)) - 1))

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._pick(-1)

    def _pick(self, number: int) -> None:
        if number != self._at:
            self._at = number
            self.update()
            self.picked.emit(number)


class DistributionView(QWidget):
    """The chart with what it shows in words; without a distribution the reason, and perhaps a button to have one. Its
    height is the same with one and without, so that the sliders below it stay where they are."""

    wanted = Signal()
    appeared = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.chart = DistributionChart()
        self.chart.picked.connect(lambda _: self._say())
        self._decoding = DecodingPart()
        self.heading = Text(texts.LAST_TOKEN, "strong")
        self.legend = _Legend()
        self.words = Text("", "small")
        self.words.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.left_out = Text("", "small")
        self.note = Text("", "muted")
        self.button = PlainButton(texts.SHOW, small=True, accessibleName=texts.SHOW_DISTRIBUTION, clicked=self.wanted)
        self.button.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        told = QWidget()
        told.setMinimumHeight(_TOLD)
        column_of(told, self.words, self.left_out, self.note, self.button, None, gap=tokens.SPACE_1)
        column = column_of(self, gap=tokens.SPACE_1)
        for part in (self.heading, self.legend, self.chart, told):
            column.addWidget(part)
        self.show_note("")

    @property
    def shows_tokens(self) -> bool:
        return bool(self.chart.tokens)

    def show_note(self, words: str, button: str = "") -> None:
        """Say why there is nothing to see; with ``button``, offer to change that."""
        self.chart.show_distribution((), -1, self._decoding)
        self.note.setText(words)
        self.button.setText(button)
        self._arrange()
        self.button.setVisible(bool(button))

    def show_tokens(self, tokens: Sequence[Alternative], chosen: int, text: str) -> None:
        """``tokens`` are the most probable ones at the place, best first; ``text`` is what was chosen there."""
        self.chart.show_distribution(tokens, chosen, self._decoding)
        self.heading.setText(texts.LAST_TOKEN_IS.format(visible=visible(text)) if text else texts.NEXT_TOKEN)
        self._arrange()
        self._say()

    def set_decoding(self, decoding: DecodingPart) -> None:
        """Draw at once what these values make of the distribution."""
        self._decoding = decoding
        self.chart.set_decoding(decoding)
        self._say()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.appeared.emit()

    def _arrange(self) -> None:
        there = self.shows_tokens
        if not there:
            self.heading.setText(texts.LAST_TOKEN)
        self.note.setVisible(not there)
        if there:
            self.button.hide()
        self.words.setVisible(there)
        self.left_out.setVisible(False)

    def _say(self) -> None:
        if not self.shows_tokens:
            return
        at = self.chart.at
        self.words.setText(self.chart.detail(at) if at >= 0 else self.chart.summary())
        names = [_STEP_WORDS[step] for step in steps_not_drawn(self._decoding)]
        self.left_out.setVisible(bool(names))
        self.left_out.setText(texts.NOT_SHOWN.format(names=", ".join(names)))


class _Legend(QWidget):
    """What the two colours and the grey mean."""

    def __init__(self) -> None:
        super().__init__()
        row = FlowLayout(self, tokens.SPACE_2)
        for token, words in (("decoding", texts.OF_MODEL), ("accent", texts.AS_DRAWN), ("border", texts.LEFT_OUT)):
            key = QWidget()
            colour = ColourKey(token, 0.55 if token == "decoding" else 1.0)
            row_of(key, colour, Text(words, "small", wordWrap=False), gap=tokens.SPACE_1)
            row.addWidget(key)


def _height(probability: float, top: float) -> float:
    return _PLOT * math.sqrt(min(probability / top, 1.0))


def _bar(area: QRectF, probability: float, top: float) -> QRectF:
    height = max(1.0, _height(probability, top))
    return QRectF(area.left(), area.bottom() - height, area.width(), height)
