"""Lists of things that have names, and the field to search in them."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QLineEdit, QListView

from ui.components.basics import IconLabel, set_up
from ui.theme import tokens


class ItemList(QListView):
    """Del asks for the chosen thing to be deleted, F2 for another name; nothing is edited in its place."""

    delete_pressed = Signal()
    rename_pressed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Delete:
            self.delete_pressed.emit()
        elif event.key() == Qt.Key.Key_F2:
            self.rename_pressed.emit()
        else:
            super().keyPressEvent(event)


class SearchField(QLineEdit):
    """A field that searches as one types: ``searched`` is sent 200 ms after the last key, at once on Enter.

    Esc empties it.
    """

    searched = Signal(str)

    def __init__(self, placeholder: str, **properties: Any) -> None:
        super().__init__(placeholderText=placeholder)
        self.setAccessibleName(placeholder)
        self.setTextMargins(tokens.ICON_SIZE + tokens.SPACE_1, 0, 0, 0)
        self._glass = IconLabel("search", "muted", 16, self)
        self._timer = QTimer(self, singleShot=True, interval=200, timeout=self._on_search)
        self.textChanged.connect(lambda: self._timer.start())
        self.returnPressed.connect(self._on_search)
        set_up(self, properties)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self.text():
            self.clear()
            event.accept()
            return
        super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._glass.move(tokens.SPACE_3, (self.height() - self._glass.height()) // 2)

    def _on_search(self) -> None:
        self._timer.stop()
        self.searched.emit(self.text().strip())
