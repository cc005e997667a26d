"""A short list of steps whose order matters: each can be moved, by its buttons or by dragging, and switched off."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QCheckBox, QFrame, QWidget

from ui.components.basics import IconButton
from ui.components.layout import column_of, row_of
from ui.components.recipe import texts
from ui.theme import tokens


class OrderList(QWidget):
    """``changed`` sends the names of the steps that are on, in their order, after each edit of the person."""

    changed = Signal(object)

    def __init__(self, steps: Sequence[tuple[str, str]]) -> None:
        """``steps`` are names and titles, in the usual order."""
        super().__init__()
        self._names = [name for name, _ in steps]
        self.rows = {name: _Step(title) for name, title in steps}
        self._column = column_of(self, gap=2)
        for name, row in self.rows.items():
            row.box.toggled.connect(lambda _: self._tell())
            row.up.clicked.connect(lambda _=False, name=name: self.move_step(name, -1))
            row.down.clicked.connect(lambda _=False, name=name: self.move_step(name, 1))
            row.dragged.connect(lambda y, name=name: self._on_dragged(name, y))
            self._column.addWidget(row)
        self._mark()

    @property
    def value(self) -> tuple[str, ...]:
        return tuple(name for name in self._names if self.rows[name].box.isChecked())

    def set_value(self, order: Sequence[str]) -> None:
        """Show an order; steps that are off keep their places where they can."""
        on = set(order)
        if tuple(name for name in self._names if name in on) != tuple(order):
            self._names = [*order, *(name for name in self._names if name not in on)]
            self._arrange()
        for name, row in self.rows.items():
            row.box.blockSignals(True)
            row.box.setChecked(name in on)
            row.box.blockSignals(False)

    def move_step(self, name: str, by: int) -> None:
        """One place up (-1) or down (1); nothing at the ends."""
        place = self._names.index(name)
        to = place + by
        if not 0 <= to < len(self._names):
            return
        self._names.insert(to, self._names.pop(place))
        self._arrange()
        self._tell()

    def _arrange(self) -> None:
        for place, name in enumerate(self._names):
            self._column.removeWidget(self.rows[name])
            self._column.insertWidget(place, self.rows[name])
        before: QWidget | None = None
        for name in self._names:
            for part in (self.rows[name].box, self.rows[name].up, self.rows[name].down):
                if before is not None:
                    QWidget.setTabOrder(before, part)
                before = part
        self._mark()

    def _mark(self) -> None:
        for place, name in enumerate(self._names):
            row = self.rows[name]
            row.up.setEnabled(place > 0)
            row.down.setEnabled(place < len(self._names) - 1)
            row.up.setToolTip(
                texts.MOVE_UP.format(title=row.title) if place else texts.IS_FIRST.format(title=row.title)
            )
            row.down.setToolTip(
                texts.MOVE_DOWN.format(title=row.title)
                if row.down.isEnabled()
                else texts.IS_LAST.format(title=row.title)
            )

    def _on_dragged(self, name: str, y: int) -> None:
        """Move a step to where the pointer is, in this widget's px."""
        for other in self._names:
            row = self.rows[other]
            if other != name and row.geometry().top() <= y <= row.geometry().bottom():
                self.move_step(name, self._names.index(other) - self._names.index(name))
                return

    def _tell(self) -> None:
        self.changed.emit(self.value)


class _Step(QFrame):
    dragged = Signal(int)

    def __init__(self, title: str) -> None:
        super().__init__()
        self.title = title
        self.setProperty("role", "sunken")
        self.setCursor(Qt.CursorShape.SizeVerCursor)
        self.box = QCheckBox(title, accessibleDescription=texts.STEP_APPLIED)
        self.box.setCursor(Qt.CursorShape.ArrowCursor)
        self.up = IconButton("chevron-up", texts.MOVE_UP.format(title=title))
        self.down = IconButton("chevron-down", texts.MOVE_DOWN.format(title=title))
        row_of(self, self.box, None, self.up, self.down, gap=0, margins=(tokens.SPACE_2, 0, 0, 0))
        for button in (self.up, self.down):
            button.setCursor(Qt.CursorShape.ArrowCursor)
            button.setFixedSize(28, 28)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            self.dragged.emit(self.mapToParent(event.position().toPoint()).y())

    def mousePressEvent(self, event: QMouseEvent) -> None:
        event.accept()
