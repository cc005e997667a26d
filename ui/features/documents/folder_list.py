"""The folders of a collection, each with the switch that keeps it watched."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QVBoxLayout, QWidget


class FolderList(QWidget):
    """``switched`` sends a folder's path and whether it is to be watched. Hidden without folders."""

    switched = Signal(str, bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self.boxes: dict[str, QCheckBox] = {}
        self.hide()

    def show_folders(self, folders: Mapping[str, bool]) -> None:
        """The folders, and whether each is watched."""
        for path in [path for path in self.boxes if path not in folders]:
            box = self.boxes.pop(path)
            box.hide()
            box.deleteLater()
        for path, watched in folders.items():
            box = self.boxes.get(path) or self._make(path)
            box.blockSignals(True)
            box.setChecked(watched)
            box.blockSignals(False)
        self.setVisible(bool(folders))

    def _make(self, path: str) -> QCheckBox:
        shown = path if len(path) <= 70 else f"…{path[-69:]}"
        box = QCheckBox(f"Keep up with {shown}")
        box.setToolTip(f"{path}\nRead again by itself what changes in this folder")
        box.toggled.connect(lambda on: self.switched.emit(path, on))
        self._column.addWidget(box)
        self.boxes[path] = box
        return box
