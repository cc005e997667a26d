"""A dialog: its title, what it asks, and its buttons at the bottom. It never blocks: it is opened and signals."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QFrame, QHBoxLayout, QLayout, QScrollArea, QVBoxLayout, QWidget

from ui.theme import tokens
from ui.widgets.basics import Line, PlainButton, PrimaryButton, Text


class Dialog(QDialog):
    """``inside`` takes what the dialog asks, ``below`` what came of it, which is always in sight; ``go`` is its one
    action, ``leave`` closes it, as Esc does."""

    def __init__(self, title: str, explanation: str, action: str, parent: QWidget | None, width: int = 560) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setWindowModality(Qt.WindowModality.WindowModal)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setMinimumWidth(width)
        inner = QWidget()
        inner.setProperty("role", "page")
        self.inside = QVBoxLayout(inner)
        self.inside.setContentsMargins(0, 0, tokens.SPACE_2, 0)
        self.inside.setSpacing(tokens.SPACE_3)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(inner)
        self.go = PrimaryButton(action)
        self.go.setDefault(True)
        self.leave = PlainButton("Cancel")
        self.leave.setAutoDefault(False)
        self.leave.setMinimumWidth(150)  # for its longest words: it does not grow while they change
        self.leave.clicked.connect(self.reject)
        self._foot = QHBoxLayout()
        self._foot.setSpacing(tokens.SPACE_2)
        self._foot.addStretch(1)
        self._foot.addWidget(self.leave)
        self._foot.addWidget(self.go)
        column = QVBoxLayout(self)
        column.setContentsMargins(tokens.SPACE_5, tokens.SPACE_4, tokens.SPACE_4, tokens.SPACE_4)
        column.setSpacing(tokens.SPACE_3)
        column.addWidget(Text(title, "title"))
        if explanation:
            column.addWidget(Text(explanation, "muted"))
        column.addWidget(area, 1)
        self.below = QVBoxLayout()
        self.below.setSpacing(tokens.SPACE_2)
        column.addLayout(self.below)
        column.addWidget(Line())
        column.addLayout(self._foot)


class LabelledField(QWidget):
    """A title, what it means, and the control below it."""

    def __init__(self, title: str, help: str, control: QWidget | QLayout) -> None:
        super().__init__()
        self.title = Text(title, "strong")
        self.help = Text(help, "small")
        self.help.setVisible(bool(help))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(tokens.SPACE_1)
        column.addWidget(self.title)
        column.addWidget(self.help)
        if isinstance(control, QWidget):
            self.title.setBuddy(control)
            if not control.accessibleName():
                control.setAccessibleName(title)
            column.addWidget(control)
        else:
            column.addLayout(control)

    def set_help(self, words: str, role: str = "small") -> None:
        self.help.setText(words)
        self.help.setVisible(bool(words))
