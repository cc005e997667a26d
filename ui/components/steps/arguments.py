"""The arguments of a call: shown exactly, with what comes from untrusted text marked, and edited."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QFrame, QGridLayout, QPlainTextEdit, QWidget

from ui.components.basics import ElidedLabel, PlainButton, PrimaryButton, Text
from ui.components.layout import column_of, row_of
from ui.components.steps import texts
from ui.texts import CANCEL
from ui.theme import tokens
from ui.theme.theme import current_theme
from workbench.base.errors import UserError
from workbench.records.agents import TaintedSpan
from workbench.records.approvals import pieces, shown

_LINES = 12
"""So many lines of a value are in sight; more are scrolled."""
_NAME_WIDTH = 110  # px, at most


class ValueText(QPlainTextEdit):
    """A text that is read, in the type of code, as high as its lines up to ``most``; never HTML. Pieces that are marked
    have a background, and words around them for screen readers."""

    def __init__(self, name: str, parts: Sequence[tuple[str, bool]], most: int = _LINES) -> None:
        super().__init__()
        self._most = most
        self._parts = tuple(parts)
        self.setReadOnly(True)
        self.setTabChangesFocus(True)
        self.setProperty("role", "value")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.document().setDocumentMargin(2)
        said = "".join(texts.MARKED_ALOUD.format(text=text) if marked else text for text, marked in parts)
        self.setAccessibleName(f"{name}: {said}")
        self._draw()
        current_theme().changed.connect(self._draw)

    @property
    def marked(self) -> tuple[str, ...]:
        """The pieces that come from untrusted text."""
        return tuple(text for text, marked in self._parts if marked)

    def fit(self) -> None:
        """Take the height of the lines."""
        lines, block = 0, self.document().firstBlock()
        while block.isValid() and lines < self._most:
            self.document().documentLayout().blockBoundingRect(block)
            lines += max(1, block.layout().lineCount())
            block = block.next()
        more = block.isValid() or lines > self._most
        bar = Qt.ScrollBarPolicy.ScrollBarAsNeeded if more else Qt.ScrollBarPolicy.ScrollBarAlwaysOff
        self.setVerticalScrollBarPolicy(bar)
        height = min(lines, self._most) * self.fontMetrics().lineSpacing() + 12
        if height != self.height():
            self.setFixedHeight(height)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.oldSize().width() != event.size().width():
            self.fit()

    def _draw(self) -> None:
        self.clear()
        cursor = self.textCursor()
        for text, marked in self._parts:
            form = QTextCharFormat()
            if marked:
                form.setBackground(current_theme().colour("mark"))
                form.setForeground(current_theme().colour("on_mark"))
                form.setFontUnderline(True)
            cursor.insertText(text, form)
        self.moveCursor(QTextCursor.MoveOperation.Start)
        self.fit()


class ArgumentTable(QFrame):
    """Each argument with its exact value."""

    def __init__(self, arguments: Mapping[str, Any], spans: Sequence[TaintedSpan] = (), most: int = _LINES) -> None:
        super().__init__()
        self.setProperty("role", "sunken")
        self.values: dict[str, ValueText] = {}
        grid = QGridLayout(self)
        grid.setContentsMargins(tokens.SPACE_2, tokens.SPACE_1, tokens.SPACE_1, tokens.SPACE_1)
        grid.setHorizontalSpacing(tokens.SPACE_2)
        grid.setVerticalSpacing(0)
        grid.setColumnStretch(1, 1)
        for line, (name, value) in enumerate(arguments.items()):
            label = ElidedLabel(name, "small", maximumWidth=_NAME_WIDTH)
            label.setContentsMargins(0, 6, 0, 0)
            own = [span for span in spans if span.name == name]
            self.values[name] = ValueText(name, pieces(value, own), most)
            grid.addWidget(label, line, 0, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(self.values[name], line, 1)
        if not arguments:
            grid.addWidget(Text(texts.NO_ARGUMENTS, "small"), 0, 0, 1, 2)

    @property
    def marked(self) -> tuple[str, ...]:
        return tuple(text for value in self.values.values() for text in value.marked)


class ArgumentsEditor(QWidget):
    """A field for each argument. A text is edited as it is, anything else as JSON. Esc gives up."""

    taken = Signal(object)
    """The arguments, as a dict."""
    given_up = Signal()

    def __init__(self, action: str) -> None:
        super().__init__()
        self.fields: dict[str, QPlainTextEdit] = {}
        self._before: dict[str, Any] = {}
        self._rows = QGridLayout()
        self._rows.setHorizontalSpacing(tokens.SPACE_2)
        self._rows.setColumnStretch(1, 1)
        self.error = Text("", "error", visible=False)
        self.take_button = PrimaryButton(action, small=True, clicked=self._on_taken)
        self.cancel_button = PlainButton(CANCEL, small=True, clicked=self.given_up)
        buttons = row_of(None, None, self.cancel_button, self.take_button, gap=tokens.SPACE_2)
        column_of(self, self._rows, self.error, buttons, gap=tokens.SPACE_2)
        self.hide()

    def begin(self, arguments: Mapping[str, Any]) -> None:
        while self._rows.count():
            item = self._rows.takeAt(0)
            if item is not None and (widget := item.widget()) is not None:
                widget.deleteLater()
        self._before = dict(arguments)
        self.fields = {}
        for line, (name, value) in enumerate(arguments.items()):
            field = self.fields[name] = _Field(shown(value))
            field.setAccessibleName(name)
            field.given_up.connect(self.given_up)
            label = ElidedLabel(name, "small", maximumWidth=_NAME_WIDTH)
            self._rows.addWidget(label, line, 0, Qt.AlignmentFlag.AlignTop)
            self._rows.addWidget(field, line, 1)
        self.error.hide()
        self.show()
        first = next(iter(self.fields.values()), self.take_button)
        first.setFocus(Qt.FocusReason.OtherFocusReason)

    @property
    def arguments(self) -> dict[str, Any]:
        """What the fields say. Raises UserError for one that is no JSON."""
        return {name: _parsed(name, self._before[name], field.toPlainText()) for name, field in self.fields.items()}

    def _on_taken(self) -> None:
        try:
            arguments = self.arguments
        except UserError as error:
            self.error.setText(error.message)
            self.error.show()
            return
        self.hide()
        self.taken.emit(arguments)


class _Field(QPlainTextEdit):
    given_up = Signal()

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.setTabChangesFocus(True)
        self.setProperty("role", "code")
        lines = min(8, max(1, text.count("\n") + 1 + len(text) // 70))
        self.setFixedHeight(lines * self.fontMetrics().lineSpacing() + 26)

    def keyPressEvent(self, event: Any) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.given_up.emit()
        else:
            super().keyPressEvent(event)


def _parsed(name: str, before: Any, text: str) -> Any:
    if isinstance(before, str):
        return text
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise UserError(texts.NOT_JSON.format(name=name, error=error)) from error
