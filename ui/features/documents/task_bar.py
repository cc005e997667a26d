"""The tasks on one whole document, as the registry lists them. The settings that a task needs are asked in place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QLineEdit, QWidget

from ui.components.basics import PrimaryButton, QuietButton, Text
from ui.components.layout import FlowLayout, column_of, row_of
from ui.features.documents import texts
from ui.theme import tokens
from workbench.base.fields import Field, parse_text
from workbench.records.methods import MethodInfo


class TaskBar(QWidget):
    """``wanted`` sends the name of the task and its settings."""

    wanted = Signal(str, dict)

    def __init__(self) -> None:
        super().__init__()
        self.buttons: dict[str, QuietButton] = {}
        buttons = QWidget()
        self._row = FlowLayout(buttons, tokens.SPACE_1)
        self._asking = QWidget()
        self._label = Text("", "small")
        self.field = QLineEdit(returnPressed=self._on_go)
        self.go = PrimaryButton(texts.START, clicked=self._on_go)
        line = row_of(None, (self.field, 1), self.go, gap=tokens.SPACE_2)
        column_of(self._asking, self._label, line, gap=tokens.SPACE_1)
        self._asking.hide()
        self._task: MethodInfo | None = None
        column_of(self, buttons, self._asking, gap=tokens.SPACE_2)

    def set_tasks(self, tasks: Sequence[MethodInfo]) -> None:
        """The tasks that there are. One that has a setting asks for it."""
        for button in self.buttons.values():
            self._row.removeWidget(button)
            button.deleteLater()
        self.buttons = {}
        for task in tasks:
            button = self.buttons[task.name] = QuietButton(task.title, task.icon)
            button.setProperty("small", True)
            button.clicked.connect(lambda _=False, task=task: self._on_task(task))
            self._row.addWidget(button)

    def reset(self) -> None:
        self._asking.hide()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self._asking.isVisible():
            self.reset()
            return
        super().keyPressEvent(event)

    def _on_task(self, task: MethodInfo) -> None:
        self._task = task
        if not task.fields:
            self._send({})
            return
        (setting,) = task.fields
        words = texts.COLUMNS_HELP.format(help=setting.help) if setting.kind == "list" else setting.help
        self._label.setText(words)
        self.field.setAccessibleName(words)
        self.field.setPlaceholderText(_example(task, setting))
        self.field.clear()
        self._asking.show()
        self.field.setFocus()

    def _on_go(self) -> None:
        assert self._task is not None
        (setting,) = self._task.fields
        value = parse_text(setting, self.field.text().strip(), shown=True)
        if not value and setting.kind == "list":
            self._label.setText(texts.EXAMPLE_HELP.format(help=setting.help, example=_example(self._task, setting)))
            return
        self._send({setting.name: value or self._task.values[setting.name]})

    def _send(self, settings: dict[str, Any]) -> None:
        assert self._task is not None
        self.reset()
        self.wanted.emit(self._task.name, settings)


def _example(task: MethodInfo, setting: Field) -> str:
    value = task.values[setting.name]
    return value if isinstance(value, str) else ", ".join(value)
