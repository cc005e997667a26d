"""The memory of a training as one bar of its parts, against the free memory."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSize
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from ui.components.basics import ColourKey, Text
from ui.components.layout import FlowLayout, column_of, empty_layout, row_of
from ui.components.wording import describe_bytes
from ui.features.training import texts
from ui.theme import tokens
from ui.theme.theme import current_theme
from workbench.records.training import MemoryPart

_HEIGHT = 14
_COLOURS = ("accent", "retrieval", "finetuning", "decoding", "agents", "preference", "prompting")


class MemoryBar(QWidget):
    """The shares from left to right against the free memory; beyond it where they do not fit."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._bar = _Bar()
        self._names = QWidget()
        self._flow = FlowLayout(self._names, tokens.SPACE_3)
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self._names.setSizePolicy(policy)
        self._parts: tuple[MemoryPart, ...] = ()
        column_of(self, self._bar, self._names, gap=tokens.SPACE_2)

    def show_parts(self, parts: Sequence[MemoryPart], free: int) -> None:
        """``free`` is the memory in bytes that is free now."""
        shown = tuple(part for part in parts if part.bytes > 0)
        self._bar.show_parts([part.bytes for part in shown], free)
        said = ", ".join(f"{part.name} {describe_bytes(part.bytes)}" for part in shown)
        self.setAccessibleName(texts.MEMORY_BAR.format(said=said, bytes=describe_bytes(free)))
        if shown == self._parts:
            return
        self._parts = shown
        empty_layout(self._flow)
        for number, part in enumerate(shown):
            name = QWidget()
            row = row_of(name, ColourKey(_COLOURS[number % len(_COLOURS)]), gap=tokens.SPACE_1)
            words = Text(f"{part.name} {describe_bytes(part.bytes)}", "small", wordWrap=False)
            row.addWidget(words)
            self._flow.addWidget(name)


class _Bar(QWidget):
    def __init__(self) -> None:
        super().__init__()
        self.setFixedHeight(_HEIGHT)
        self._bytes: list[int] = []
        self._free = 0

    def sizeHint(self) -> QSize:
        return QSize(200, _HEIGHT)

    def show_parts(self, parts: list[int], free: int) -> None:
        self._bytes, self._free = parts, free
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        palette = current_theme().palette
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        whole = QRectF(self.rect())
        shape = QPainterPath()
        shape.addRoundedRect(whole, _HEIGHT / 2, _HEIGHT / 2)
        painter.setClipPath(shape)
        painter.fillRect(whole, QColor(palette.sunken))
        most = max(self._free, sum(self._bytes), 1)
        x = 0.0
        for number, count in enumerate(self._bytes):
            width = whole.width() * count / most
            painter.fillRect(QRectF(x, 0, width, _HEIGHT), QColor(palette[_COLOURS[number % len(_COLOURS)]]))
            x += width
            painter.fillRect(QRectF(x - 1, 0, 1, _HEIGHT), QColor(palette.surface))
        if sum(self._bytes) > self._free:
            painter.setPen(QPen(QColor(palette.danger), 2))
            edge = whole.width() * self._free / most
            painter.drawLine(QRectF(edge, 0, 0, _HEIGHT).topLeft(), QRectF(edge, 0, 0, _HEIGHT).bottomLeft())
        painter.end()
