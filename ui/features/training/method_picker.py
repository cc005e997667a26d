"""The weights methods as cards: trainable weights, artifact and use of each."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QButtonGroup, QRadioButton, QVBoxLayout, QWidget

from ui.components.basics import Chip, FoldButton, Text
from ui.components.layout import column_of, empty_layout, row_of
from ui.features.training import texts
from ui.theme import tokens
from workbench.records.methods import MethodInfo, Methods


class MethodPicker(QWidget):
    """``chosen`` sends the name of a method. It shows what it is told by ``show_method``."""

    chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.buttons: dict[str, QRadioButton] = {}
        self._chosen = ""
        self._folded: set[str] = set()
        self._group = QButtonGroup(self)
        others = QWidget()
        self.more = FoldButton(texts.MORE_METHODS, others)
        self._first, self._others = column_of(gap=tokens.SPACE_3), column_of(others, gap=tokens.SPACE_3)
        column_of(self, self._first, self.more, others, gap=tokens.SPACE_3)

    def set_methods(self, methods: Methods[Any]) -> None:
        """Offer these: those without a family first, the others folded away by their families."""
        rows = methods.of("weights")
        if [row.name for row in rows] == list(self.buttons):
            return
        for column in (self._first, self._others):
            empty_layout(column)
        self.buttons = {}
        self._folded = {row.name for row in rows if row.family}
        for row in rows:
            if not row.family:
                self._add(self._first, row, says_all=True, recommended=row is rows[0])
        for family in dict.fromkeys(row.family for row in rows if row.family):
            self._others.addWidget(Text(family, "strong"))
            for row in rows:
                if row.family == family:
                    self._add(self._others, row, says_all=False)
        self.show_method(self._chosen)

    def show_method(self, method: str) -> None:
        """Mark a method as the chosen one."""
        self._chosen = method
        if method in self._folded:
            self.more.setChecked(True)
        if method in self.buttons:
            self.buttons[method].setChecked(True)

    def _add(self, column: QVBoxLayout, row: MethodInfo, says_all: bool, recommended: bool = False) -> None:
        """A method with what it makes: in a sentence, or in a word or two, whose sentence is the tooltip."""
        makes = texts.MAKES.get(row.artifact, "")
        button = self.buttons[row.name] = QRadioButton(row.title)
        button.setAccessibleDescription(f"{row.summary} {makes}")
        button.clicked.connect(lambda _=False: self.chosen.emit(row.name))
        self._group.addButton(button)
        line = row_of(None, button, gap=tokens.SPACE_2)
        if recommended:
            line.addWidget(Chip("recommended", "accent"))
        if not says_all:
            made = Chip(texts.MADE.get(row.artifact, row.artifact), toolTip=makes)
            line.addWidget(made)
        line.addStretch(1)
        about = column_of(None, Text(row.summary, "muted"), gap=0, margins=(tokens.SPACE_5 + 2, 0, 0, 0))
        if says_all:
            about.addWidget(Text(makes, "small"))
        both = QWidget()
        column_of(both, line, about, gap=0)
        column.addWidget(both)
