"""The pipeline of an answer as a picture: a card for each technique, in its hue, joined in the order of the work."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QEnterEvent, QPainter, QPainterPath, QPaintEvent, QPen, QPolygonF, QResizeEvent
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QWidget

from ui.features.map import texts
from ui.features.map.stages import HUES, Stage, StageName
from ui.theme import tokens
from ui.theme.theme import current_theme

_HEIGHT = 318
_PILL, _GAP, _NARROW_GAP = 84, 30, 14  # px: the width of question and answer, and between two cards
_ROW, _SIDE = 104, 80  # the heights of the middle row and of those above and below
_BETWEEN = 26
_HEAD = 5
_NARROWEST = 96


class StageCard(QAbstractButton):
    """A stage: its name, what it is set to, and what it took."""

    def __init__(self, name: StageName, parent: QWidget) -> None:
        super().__init__(parent)
        self.name: StageName = name
        self._stage = Stage(name, True, "")
        self._over = False
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setText(texts.STAGES[name][0])
        current_theme().changed.connect(self.update)

    def show_stage(self, stage: Stage) -> None:
        self._stage = stage
        name = texts.OPENS.format(stage=self.text(), phrase=stage.phrase or texts.STAGES[self.name][2])
        self.setAccessibleName(name)
        self.setToolTip("\n".join((texts.STAGES[self.name][1], *stage.facts)))
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(180, _ROW)

    def enterEvent(self, event: QEnterEvent) -> None:
        self._over = True
        self.update()

    def leaveEvent(self, event: object) -> None:
        self._over = False
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        theme, stage = current_theme(), self._stage
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(self.rect()).adjusted(1, 1, -1, -1)
        hue = theme.colour(HUES[self.name] if stage.used else "edge")
        shape = QPainterPath()
        shape.addRoundedRect(area, tokens.RADIUS_CONTROL, tokens.RADIUS_CONTROL)
        painter.fillPath(shape, theme.colour("hover" if self._over else "surface"))
        painter.save()
        painter.setClipPath(shape)
        painter.fillRect(QRectF(area.left(), area.top(), 5, area.height()), hue)
        painter.restore()
        style = Qt.PenStyle.SolidLine if stage.used else Qt.PenStyle.DashLine
        focus = self.hasFocus()
        painter.setPen(QPen(theme.colour("accent") if focus else hue, 2 if focus else 1, style))
        painter.drawPath(shape)
        left, width = area.left() + tokens.SPACE_3, int(area.width() - tokens.SPACE_3 - tokens.SPACE_1)
        font = self.font()
        font.setPixelSize(tokens.TEXT_BODY)
        font.setBold(True)
        painter.setFont(font)
        painter.setPen(theme.colour("text" if stage.used else "muted"))
        painter.drawText(QRectF(left, area.top() + 8, width, 20), Qt.AlignmentFlag.AlignLeft, self.text())
        font.setBold(False)
        font.setPixelSize(13)
        painter.setFont(font)
        painter.setPen(theme.colour("text" if stage.used else "muted"))
        figures = figures_of(stage)
        lines = int(area.height() - 30 - (22 if figures else 4)) // 18
        words = stage.phrase or texts.STAGES[self.name][2]
        _write(painter, words, QRect(int(left), int(area.top()) + 30, width, 18 * lines + 2), lines)
        if figures:
            font.setPixelSize(tokens.TEXT_SMALL)
            painter.setFont(font)
            painter.setPen(theme.colour("muted"))
            place = QRectF(left, area.bottom() - 22, width, 16)
            painter.drawText(place, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, figures)


class Pipeline(QWidget):
    """``pressed`` sends the name of a stage."""

    pressed = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName(texts.PICTURE)
        self.setFixedHeight(_HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        names: tuple[StageName, ...] = ("agent", "documents", "prompt", "model", "decoding", "adapters")
        self.cards = {name: StageCard(name, self) for name in names}
        for name, card in self.cards.items():
            card.clicked.connect(lambda _=False, name=name: self.pressed.emit(name))
        self._pills: tuple[QRectF, QRectF] = (QRectF(), QRectF())
        current_theme().changed.connect(self.update)

    def show_stages(self, stages: Sequence[Stage]) -> None:
        for stage in stages:
            self.cards[stage.name].show_stage(stage)
        self.update()

    def minimumSizeHint(self) -> QSize:
        return QSize(2 * _PILL + 4 * _NARROWEST + 5 * _NARROW_GAP, _HEIGHT)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        gap = _GAP if self.width() >= 2 * _PILL + 4 * _NARROWEST + 5 * _GAP else _NARROW_GAP
        width = max(_NARROWEST, (self.width() - 2 * _PILL - 5 * gap) // 4)
        middle = _SIDE + _BETWEEN
        x = _PILL + gap
        for name in ("documents", "prompt", "model", "decoding"):
            self.cards[name].setGeometry(x, middle, width, _ROW)
            x += width + gap
        first, last = self.cards["prompt"].geometry(), self.cards["decoding"].geometry()
        self.cards["agent"].setGeometry(first.left(), 0, last.right() - first.left(), _SIDE)
        model = self.cards["model"].geometry()
        self.cards["adapters"].setGeometry(model.left(), model.bottom() + _BETWEEN, width, _SIDE)
        high = middle + (_ROW - 40) / 2
        self._pills = (QRectF(1, high, _PILL - 2, 40), QRectF(x - 0.0, high, _PILL - 2, 40))

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = current_theme()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for area, words in zip(self._pills, (texts.QUESTION, texts.ANSWER), strict=True):
            painter.setPen(QPen(theme.colour("edge"), 1))
            painter.setBrush(theme.colour("surface"))
            painter.drawRoundedRect(area, 20, 20)
            painter.setPen(theme.colour("text"))
            painter.drawText(area, Qt.AlignmentFlag.AlignCenter, words)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        row = [self.cards[name].geometry() for name in ("documents", "prompt", "model", "decoding")]
        middle = float(row[0].center().y())
        ends: list[tuple[float, float]] = [(self._pills[0].right(), row[0].left())]
        ends += [(before.right(), after.left()) for before, after in pairwise(row)]
        ends.append((row[-1].right(), self._pills[1].left()))
        colour = theme.colour("edge")
        for start, end in ends:
            _arrow(painter, QPointF(start + 3, middle), QPointF(end - 2, middle), colour)
        agent, adapters, model = (self.cards[name].geometry() for name in ("agent", "adapters", "model"))
        at_model = float(model.center().x())
        _arrow(painter, QPointF(at_model, adapters.top() - 2), QPointF(at_model, model.bottom() + 3), colour)
        decoding, prompt = row[3], row[1]
        at_decoding, at_prompt = float(decoding.center().x()), float(prompt.center().x())
        _arrow(painter, QPointF(at_decoding, decoding.top() - 2), QPointF(at_decoding, agent.bottom() + 3), colour)
        _arrow(painter, QPointF(at_prompt, agent.bottom() + 2), QPointF(at_prompt, prompt.top() - 3), colour)
        font = painter.font()
        font.setPixelSize(tokens.TEXT_SMALL)
        painter.setFont(font)
        painter.setPen(theme.colour("muted"))
        between = QRectF(at_prompt + 10, agent.bottom() + 2, at_decoding - at_prompt - 20, _BETWEEN - 4)
        if painter.fontMetrics().horizontalAdvance(texts.LOOP) <= between.width():
            painter.drawText(between, Qt.AlignmentFlag.AlignCenter, texts.LOOP)


def figures_of(stage: Stage) -> str:
    """``0.8 s · 512 tokens``; "" where neither is known."""
    said = [texts.SECONDS.format(seconds=stage.seconds)] if stage.seconds >= 0.05 else []
    if stage.tokens:
        said.append(texts.TOKENS.format(tokens=stage.tokens))
    return " · ".join(said)


def _write(painter: QPainter, words: str, area: QRect, lines: int) -> None:
    """At most so many lines, the last one with an ellipsis where more is to be said."""
    metrics = painter.fontMetrics()
    rest, top = words.split(), area.top()
    for number in range(lines):
        line: list[str] = []
        while rest and (not line or metrics.horizontalAdvance(" ".join([*line, rest[0]])) <= area.width()):
            line.append(rest.pop(0))
        text = " ".join([*line, *rest] if number == lines - 1 else line)
        shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, area.width())
        painter.drawText(QRect(area.left(), top, area.width(), 18), Qt.AlignmentFlag.AlignLeft, shown)
        top += 18


def _arrow(painter: QPainter, start: QPointF, end: QPointF, colour: QColor) -> None:
    painter.setPen(QPen(colour, 1.5))
    painter.drawLine(start, end)
    across = end - start
    length = max(1e-6, (across.x() ** 2 + across.y() ** 2) ** 0.5)
    along = QPointF(across.x() / length, across.y() / length)
    aside = QPointF(-along.y(), along.x())
    back = end - along * (_HEAD + 2)
    painter.setBrush(colour)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.drawPolygon(QPolygonF([end, back + aside * _HEAD, back - aside * _HEAD]))
    painter.setBrush(Qt.BrushStyle.NoBrush)
