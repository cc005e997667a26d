"""Names and values in two columns."""

from __future__ import annotations

from collections.abc import Collection

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QWidget

from ui.components.basics import ElidedLabel, Text
from ui.theme import tokens

NAME_WIDTH = 140
"""Pixels of the column of names, so that several lists on a page align."""


class Facts(QWidget):
    """Each value is ``unknown`` until it is set. Those named in ``wrapped`` are sentences, the others one line that is
    shortened in its middle."""

    def __init__(self, *names: str, unknown: str = "…", wrapped: Collection[str] = ()) -> None:
        super().__init__()
        self.values = dict.fromkeys(names, unknown)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(tokens.SPACE_5)
        self._grid.setVerticalSpacing(tokens.SPACE_2)
        self._grid.setColumnStretch(1, 1)
        self._grid.setColumnMinimumWidth(0, NAME_WIDTH)
        self._labels: dict[str, ElidedLabel | Text] = {}
        for line, name in enumerate(names):
            label = Text(unknown) if name in wrapped else ElidedLabel(unknown, "body", Qt.TextElideMode.ElideMiddle)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            self._labels[name] = label
            title = Text(name, "muted")
            if name in wrapped:
                self._grid.addWidget(title, line, 0, Qt.AlignmentFlag.AlignTop)
            else:
                self._grid.addWidget(title, line, 0)
            self._grid.addWidget(label, line, 1)

    def set_value(self, name: str, value: str) -> None:
        self.values[name] = value
        label = self._labels[name]
        if isinstance(label, ElidedLabel):
            label.set_full_text(value)
        else:
            label.setText(value)

    def add_action(self, name: str, action: QWidget) -> None:
        """Put an action beside a value."""
        self._grid.addWidget(action, list(self.values).index(name), 2)
