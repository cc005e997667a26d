"""How parts are put beside and below each other: rows, columns, a scrolled column, a flow, a centred place."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QMargins, QPoint, QRect, QSize, Qt
from PySide6.QtWidgets import (
    QBoxLayout,
    QHBoxLayout,
    QLayout,
    QLayoutItem,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from ui.theme import tokens
from ui.theme.theme import set_property

Item = QWidget | QLayout | int | None | tuple[Any, ...]
"""A part: a widget or a layout, alone or with its stretch and alignment; pixels of space; None: a stretch."""
Margins = int | tuple[int, ...] | QMargins | None
"""Of all sides; at the sides and above and below; left, above, right, below; None: the style's."""


def row_of(parent: QWidget | None = None, *items: Item, gap: int | None = None, margins: Margins = 0) -> QHBoxLayout:
    """Parts beside each other, in ``parent`` if there is one. Without ``gap`` it is the style's."""
    row = QHBoxLayout()
    _lay_out(row, parent, items, gap, margins)
    return row


def column_of(parent: QWidget | None = None, *items: Item, gap: int | None = None, margins: Margins = 0) -> QVBoxLayout:
    """As ``row_of``, below each other."""
    column = QVBoxLayout()
    _lay_out(column, parent, items, gap, margins)
    return column


def _lay_out(
    layout: QBoxLayout, parent: QWidget | None, items: tuple[Item, ...], gap: int | None, margins: Margins
) -> None:
    if parent is not None:
        parent.setLayout(layout)
    if isinstance(margins, QMargins):
        layout.setContentsMargins(margins)
    elif margins is not None:
        sides = (margins,) if isinstance(margins, int) else margins
        layout.setContentsMargins(*{1: sides * 4, 2: sides * 2}.get(len(sides), sides))
    if gap is not None:
        layout.setSpacing(gap)
    for item in items:
        part, *how = item if isinstance(item, tuple) else (item,)
        if part is None:
            layout.addStretch(1)
        elif isinstance(part, int):
            layout.addSpacing(part)
        elif isinstance(part, QLayout):
            layout.addLayout(part, *how)
        else:
            layout.addWidget(part, *how)


WIDTH = 860
"""Pixels of a column of cards; one of running text is ``tokens.READING_WIDTH``."""

MARGINS = QMargins(tokens.SPACE_5, tokens.SPACE_4, tokens.SPACE_5, tokens.SPACE_5)


class _Column(QVBoxLayout):
    """Gives its parts their height before the widget around it has grown: otherwise a part that appears squeezes the
    others together for a moment."""

    def setGeometry(self, rect: QRect) -> None:
        needed = self.heightForWidth(rect.width()) if self.hasHeightForWidth() else self.sizeHint().height()
        super().setGeometry(QRect(rect.topLeft(), QSize(rect.width(), max(rect.height(), needed))))


class ScrolledColumn(QScrollArea):
    """``column`` takes what the page is made of; it stands on the left, or ``centred`` in a wide window."""

    def __init__(self, spacing: int, *, width: int = WIDTH, margins: QMargins = MARGINS, centred: bool = False) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        if centred:  # its place is always kept: else the column moves by half of it when it comes
            self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
            self.verticalScrollBar().rangeChanged.connect(self._on_range)
            self._on_range(0, 0)
        inside = QWidget()
        inside.setProperty("role", "page")
        row = QHBoxLayout(inside)
        row.setContentsMargins(margins)
        holder = QWidget()
        holder.setMaximumWidth(width)
        self.column = _Column(holder)
        self.column.setContentsMargins(0, 0, 0, 0)
        self.column.setSpacing(spacing)
        if centred:
            row.addStretch(1)
        row.addWidget(holder, 12, Qt.AlignmentFlag.AlignTop)
        row.addStretch(1 if centred else 0)
        self.setWidget(inside)

    def _on_range(self, least: int, most: int) -> None:
        set_property(self.verticalScrollBar(), "idle", most == 0)


class Centred(QWidget):
    """Puts widgets under each other, none wider than ``set_most`` says, at first ``READING_WIDTH``."""

    def __init__(self, *parts: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._inner = QWidget()
        self._inner.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        column = QVBoxLayout(self._inner)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(tokens.SPACE_2)
        for part in parts:
            column.addWidget(part)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addStretch(1)
        row.addWidget(self._inner, 1000)
        row.addStretch(1)
        self.set_most(tokens.READING_WIDTH)

    def set_most(self, width: int) -> None:
        """The most px that the content may be wide."""
        self._inner.setMaximumWidth(width)


class FlowLayout(QLayout):
    """Left to right, then down. Its height follows from its width."""

    def __init__(self, parent: QWidget | None = None, spacing: int = tokens.SPACE_2) -> None:
        super().__init__(parent)
        self._items: list[QLayoutItem] = []
        self._gap = spacing
        self.setContentsMargins(0, 0, 0, 0)

    def addItem(self, item: QLayoutItem) -> None:
        self._items.append(item)

    def count(self) -> int:
        return len(self._items)

    def itemAt(self, index: int) -> QLayoutItem | None:
        return self._items[index] if 0 <= index < len(self._items) else None

    def takeAt(self, index: int) -> QLayoutItem | None:
        return self._items.pop(index) if 0 <= index < len(self._items) else None

    def expandingDirections(self) -> Qt.Orientation:
        return Qt.Orientation(0)

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return self._arrange(QRect(0, 0, width, 0), move=False)

    def setGeometry(self, area: QRect) -> None:
        super().setGeometry(area)
        self._arrange(area, move=True)

    def sizeHint(self) -> QSize:
        return self.minimumSize()

    def minimumSize(self) -> QSize:
        size = QSize()
        for item in self._items:
            if not item.isEmpty():
                size = size.expandedTo(item.minimumSize())
        return size

    def _arrange(self, area: QRect, move: bool) -> int:
        top, rows = area.y(), self._rows(area.width())
        for row in rows:
            x, height = area.x(), max(size.height() for _, size in row)
            for item, size in row:
                if move:
                    item.setGeometry(QRect(QPoint(x, top + (height - size.height()) // 2), size))
                x += size.width() + self._gap
            top += height + self._gap
        return top - area.y() - (self._gap if rows else 0)

    def _rows(self, width: int) -> list[list[tuple[QLayoutItem, QSize]]]:
        """The items of each row, with their sizes."""
        rows: list[list[tuple[QLayoutItem, QSize]]] = []
        used = 0
        for item in self._items:
            if item.isEmpty():
                continue
            size = item.sizeHint()
            size.setWidth(min(size.width(), width))
            if not rows or used + size.width() > width:
                rows.append([])
                used = 0
            rows[-1].append((item, size))
            used += size.width() + self._gap
        return rows


def keep_place(part: QWidget) -> None:
    """Give a part its room also while it is hidden, so that nothing moves when it comes and goes."""
    policy = part.sizePolicy()
    policy.setRetainSizeWhenHidden(True)
    part.setSizePolicy(policy)


def empty_layout(layout: QLayout) -> None:
    """Take all widgets and gaps out of a layout and delete the widgets."""
    while layout.count():
        item = layout.takeAt(0)
        widget = item.widget() if item is not None else None
        if widget is not None:
            widget.hide()
            widget.deleteLater()
