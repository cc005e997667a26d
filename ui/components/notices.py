"""Placeholders and overlays: empty states, drop areas, confirmations."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QWidget

from ui import texts
from ui.components.basics import DangerButton, IconLabel, PlainButton, PrimaryButton, Text
from ui.components.layout import column_of, row_of
from ui.theme import tokens


class EmptyState(QWidget):
    """An empty state: what this place is for and what to do first.

    ``add_action`` puts a widget below; ``button`` is the main action, None when there is none.
    """

    def __init__(self, icon: str, title: str, text: str, action: str = "") -> None:
        super().__init__()
        self._column = column_of(self, None, gap=tokens.SPACE_3, margins=(tokens.SPACE_5, tokens.SPACE_6))
        centre = Qt.AlignmentFlag.AlignHCenter
        self._column.addWidget(IconLabel(icon, "muted", 32), 0, centre)
        self.title = Text(title, "title", alignment=Qt.AlignmentFlag.AlignCenter, wordWrap=True)
        self._column.addWidget(self.title)
        self.words = Text(text, "muted", alignment=Qt.AlignmentFlag.AlignCenter, maximumWidth=520)
        row = QHBoxLayout()  # an aligned label that wraps would be given the height of one line
        row.addStretch(1)
        row.addWidget(self.words, 8)
        row.addStretch(1)
        self._column.addLayout(row)
        self.button: PrimaryButton | None = None
        if action:
            self.button = PrimaryButton(action)
            self._column.addSpacing(tokens.SPACE_2)
            self._column.addWidget(self.button, 0, centre)
        self._column.addStretch(2)

    def add_action(self, widget: QWidget) -> None:
        self._column.insertWidget(self._column.count() - 1, widget, 0, Qt.AlignmentFlag.AlignHCenter)


class TakesFiles:
    """A widget that files are dropped on: ``show_drop`` is told whether some are over it, ``take_files`` takes them."""

    def show_drop(self, over: bool) -> None:
        raise NotImplementedError

    def take_files(self, paths: list[str]) -> None:
        raise NotImplementedError

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()
            self.show_drop(True)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self.show_drop(False)

    def dropEvent(self, event: QDropEvent) -> None:
        self.show_drop(False)
        paths = [url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile()]
        if paths:
            event.acceptProposedAction()
            self.take_files(paths)


class DropCover(QFrame):
    """Lies over its parent. It takes no mouse events: the parent handles the drop."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._parent = parent
        self.setProperty("role", "drop")
        self.setProperty("over", True)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.words = Text("", "title", alignment=Qt.AlignmentFlag.AlignCenter)
        column_of(
            self,
            None,
            (IconLabel("upload", "accent", 32), 0, Qt.AlignmentFlag.AlignHCenter),
            self.words,
            None,
            margins=None,
        )
        self.hide()

    def cover(self, words: str) -> None:
        """Show it over the whole parent."""
        gap = tokens.SPACE_3
        self.words.setText(words)
        self.setGeometry(self._parent.rect().adjusted(gap, gap, -gap, -gap))
        self.raise_()
        self.show()


class ConfirmRow(QWidget):
    """Hidden until it asks. Keep has the keyboard then; kept, the keyboard goes back to ``asker``."""

    confirmed = Signal()

    def __init__(self, asker: QWidget, space_above: int = 0) -> None:
        super().__init__()
        self._asker = asker
        self._question = Text("")
        self.confirm_button = DangerButton("")
        self.keep_button = PlainButton(texts.KEEP)
        row = row_of(self, (self._question, 1), gap=tokens.SPACE_2, margins=(0, space_above, 0, 0))
        for button in (self.confirm_button, self.keep_button):
            button.setProperty("small", True)
            row.addWidget(button)
        self.confirm_button.clicked.connect(self._on_confirmed)
        self.keep_button.clicked.connect(self._on_kept)
        self.hide()

    def set_question(self, question: str, action: str) -> None:
        """Set the question and the text of the confirming button."""
        self._question.setText(question)
        self.confirm_button.setText(action)

    def ask(self) -> None:
        self.show()
        self.keep_button.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_kept(self) -> None:
        self.hide()
        self._asker.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_confirmed(self) -> None:
        self.hide()
        self.confirmed.emit()
