"""The switch between messages that stand at one place of a chat: ‹ 2/3 ›."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from ui.components.basics import IconButton, Text


class SiblingSwitch(QWidget):
    """Hidden while there is only one. ``chosen`` tells the id to show."""

    chosen = Signal(str)

    def __init__(self, what: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._what = what
        self._ids: tuple[str, ...] = ()
        self._at = 0
        self.back = IconButton("chevron-left", f"Previous {what}")
        self.forward = IconButton("chevron-right", f"Next {what}")
        self.place = Text("", "small")
        self.place.setWordWrap(False)
        self.back.clicked.connect(lambda: self._step(-1))
        self.forward.clicked.connect(lambda: self._step(1))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.back)
        row.addWidget(self.place)
        row.addWidget(self.forward)
        self.hide()

    def show_siblings(self, ids: tuple[str, ...], shown: str) -> None:
        self._ids = ids
        self._at = ids.index(shown) if shown in ids else 0
        self.place.setText(f"{self._at + 1}/{len(ids)}")
        self.place.setAccessibleName(f"{self._what} {self._at + 1} of {len(ids)}")
        self.back.setEnabled(self._at > 0)
        self.forward.setEnabled(self._at < len(ids) - 1)
        self.setVisible(len(ids) > 1)

    def _step(self, by: int) -> None:
        place = self._at + by
        if 0 <= place < len(self._ids):
            self.chosen.emit(self._ids[place])
