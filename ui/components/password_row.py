"""The field for the password of a locked file."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit, QWidget

from ui import texts
from ui.components.basics import PlainButton
from ui.components.layout import row_of
from ui.theme import tokens
from workbench.records.documents import Document
from workbench.records.visible import visible_name

_FIELD = 190  # px


class PasswordRow(QWidget):
    """``entered`` sends the id of the file and the password, which is forgotten here at once."""

    entered = Signal(str, str)

    def __init__(self) -> None:
        super().__init__()
        self._document: Document | None = None
        self.field = QLineEdit(echoMode=QLineEdit.EchoMode.Password, maximumWidth=_FIELD, returnPressed=self._on_enter)
        self.button = PlainButton(texts.UNLOCK, small=True, enabled=False, clicked=self._on_enter)
        self.field.textChanged.connect(lambda text: self.button.setEnabled(bool(text)))
        row_of(self, (self.field, 100), self.button, None, gap=tokens.SPACE_2, margins=(0, 0))

    def show_document(self, document: Document) -> None:
        """What was typed for the same reading of the file stays."""
        before, self._document = self._document, document
        if before is not None and before.indexed_at != document.indexed_at:
            self.field.clear()
            self.setEnabled(True)
        tried = before is not None and before.id == document.id and before.indexed_at != document.indexed_at
        self.field.setPlaceholderText(texts.PASSWORD_WRONG if tried else texts.PASSWORD_NEEDED)
        self.field.setAccessibleName(texts.PASSWORD_OF.format(name=visible_name(document.path)))
        self.setToolTip(texts.PASSWORD_HELP.format(reason=document.reason))

    def _on_enter(self) -> None:
        password = self.field.text()
        if self._document is not None and password:
            self.field.clear()
            self.entered.emit(self._document.id, password)
