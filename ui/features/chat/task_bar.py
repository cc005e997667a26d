"""The tasks on one whole document: summarise, extract a table, translate. What a task needs is asked in place."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QLineEdit, QWidget

from ui.components.basics import PrimaryButton, QuietButton, Text
from ui.components.layout import FlowLayout, column_of, row_of
from ui.theme import tokens


class TaskBar(QWidget):
    """``wanted`` sends the task, the language and the columns."""

    wanted = Signal(str, str, tuple)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.summarise = QuietButton("Summarise", "summary")
        self.extract = QuietButton("Extract a table", "table")
        self.translate = QuietButton("Translate", "translate")
        self.summarise.clicked.connect(lambda: self._send("summarise"))
        self.extract.clicked.connect(lambda: self._ask("extract"))
        self.translate.clicked.connect(lambda: self._ask("translate"))
        buttons = QWidget()
        row = FlowLayout(buttons, tokens.SPACE_1)
        for button in (self.summarise, self.extract, self.translate):
            button.setProperty("small", True)
            row.addWidget(button)
        self._asking = QWidget()
        self._label = Text("", "small")
        self.field = QLineEdit()
        self.field.returnPressed.connect(self._on_go)
        self.go = PrimaryButton("Start")
        self.go.clicked.connect(self._on_go)
        line = row_of(None, (self.field, 1), self.go, gap=tokens.SPACE_2)
        column_of(self._asking, self._label, line, gap=tokens.SPACE_1)
        self._asking.hide()
        self._task = ""
        column_of(self, buttons, self._asking, gap=tokens.SPACE_2)

    def reset(self) -> None:
        self._asking.hide()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self._asking.isVisible():
            self.reset()
            return
        super().keyPressEvent(event)

    def _ask(self, task: str) -> None:
        self._task = task
        words = "Which language?" if task == "translate" else "Which columns? Separate them by commas."
        self._label.setText(words)
        self.field.setAccessibleName(words)
        self.field.setPlaceholderText("English" if task == "translate" else "name, date, amount")
        self.field.clear()
        self._asking.show()
        self.field.setFocus()

    def _on_go(self) -> None:
        text = self.field.text().strip()
        if self._task == "translate":
            self._send("translate", language=text or "English")
        else:
            columns = tuple(part for name in text.split(",") if (part := name.strip()))
            if not columns:
                self._label.setText("Name at least one column, for example: name, date, amount.")
                return
            self._send("extract", columns=columns)

    def _send(self, task: str, language: str = "", columns: tuple[str, ...] = ()) -> None:
        self.reset()
        self.wanted.emit(task, language, columns)
