"""Examples as the model is shown them, one at a time, with the trained words tinted."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor, QTextBlockFormat, QTextCharFormat, QTextCursor, QTextFormat
from PySide6.QtWidgets import QFrame, QTextEdit, QWidget

from ui.components.basics import Chip, ElidedLabel, IconButton, Text
from ui.components.layout import column_of, row_of
from ui.components.prose import MONO
from ui.features.training import texts
from ui.theme import tokens
from ui.theme.theme import current_theme
from ui.theme.tokens import mixed
from workbench.records.training import Preview

_MOST_HEIGHT = 300
_LONGEST = 20_000
"""Characters of one example that are laid out."""


class ExampleView(QWidget):
    """Goes through ``total`` examples; ``wanted`` asks for those from a number on that are not there yet."""

    wanted = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._previews: dict[int, Preview] = {}
        self._total = 0
        self._at = 0
        self.back = IconButton("chevron-left", texts.PREVIOUS_EXAMPLE)
        self.forward = IconButton("chevron-right", texts.NEXT_EXAMPLE)
        self.back.clicked.connect(lambda: self.go_to(self._at - 1))
        self.forward.clicked.connect(lambda: self.go_to(self._at + 1))
        self.place = Text("", "muted", wordWrap=False)
        self.side = Chip("", "accent")
        self.counts = ElidedLabel("", "small")
        self.source = ElidedLabel("", "small", Qt.TextElideMode.ElideMiddle)
        self.text = QTextEdit()
        self.text.setReadOnly(True)
        self.text.setUndoRedoEnabled(False)
        self.text.setFrameShape(QFrame.Shape.NoFrame)
        self.text.setAccessibleName(texts.EXAMPLE)
        self.text.setTabChangesFocus(True)
        self.text.document().setDocumentMargin(tokens.SPACE_2)
        row = row_of(None, self.back, self.place, self.forward, self.side, (self.counts, 1), gap=tokens.SPACE_2)
        column_of(self, row, self.text, self.source, gap=tokens.SPACE_1)
        current_theme().changed.connect(self._draw)

    @property
    def at(self) -> int:
        """The number of the shown example, from 0."""
        return self._at

    def restart(self, previews: Sequence[Preview], total: int) -> None:
        """Another set: show its first example; ``total`` is how many it has."""
        self._previews = dict(enumerate(previews))
        self._total = max(total, len(previews))
        self._at = 0
        self.setVisible(bool(previews))
        self._draw()

    def put(self, first: int, previews: Sequence[Preview]) -> None:
        """The examples from number ``first`` on, as they were asked for."""
        self._previews.update(enumerate(previews, first))
        self._draw()

    def go_to(self, number: int) -> None:
        """Show an example; one that is not there yet is asked for."""
        if not 0 <= number < self._total:
            return
        self._at = number
        if number not in self._previews:
            self.wanted.emit(number)
        self._draw()

    def _draw(self) -> None:
        self.back.setEnabled(self._at > 0)
        self.back.setToolTip(texts.PREVIOUS_EXAMPLE if self._at > 0 else texts.FIRST_EXAMPLE)
        last = self._at >= self._total - 1
        self.forward.setEnabled(not last)
        self.forward.setToolTip(texts.LAST_EXAMPLE if last else texts.NEXT_EXAMPLE)
        self.place.setText(texts.OF_TOTAL.format(value=self._at + 1, _total=self._total))
        preview = self._previews.get(self._at)
        self.side.setVisible(preview is not None)
        if preview is None:
            self.counts.set_full_text(texts.READING)
            return
        self.side.setText(texts.TRAINED_ON if preview.side == "train" else texts.EVALUATED_ON)
        self.side.set_tone("accent" if preview.side == "train" else "plain")
        cut = texts.CUT_FROM.format(whole_tokens=preview.whole_tokens) if preview.whole_tokens > preview.tokens else ""
        self.counts.set_full_text(
            (texts.PROMPT_TOKENS if preview.trained_tokens == 1 else texts.EXAMPLE_TOKENS).format(
                tokens=preview.tokens, cut=cut, trained_tokens=preview.trained_tokens
            )
        )
        self.source.set_full_text(preview.source)
        self._write(preview)

    def _write(self, preview: Preview) -> None:
        palette = current_theme().palette
        plain, trained = QTextCharFormat(), QTextCharFormat()
        for one in (plain, trained):
            one.setFontFamilies(MONO)
            one.setProperty(QTextFormat.Property.FontPixelSize, 13)
            one.setForeground(QColor(palette.text if one is trained else palette.muted))
        trained.setBackground(QColor(mixed(palette.accent, palette.surface, 0.2)))
        self.text.clear()
        cursor = QTextCursor(self.text.document())
        cursor.beginEditBlock()
        spaced = QTextBlockFormat()
        spaced.setLineHeight(140, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
        cursor.setBlockFormat(spaced)
        left = _LONGEST
        for piece in preview.pieces:
            cursor.insertText(piece.text[:left], trained if piece.trained else plain)
            left -= len(piece.text)
            if left <= 0:
                cursor.insertText(" […]", plain)
                break
        cursor.endEditBlock()
        self.text.moveCursor(QTextCursor.MoveOperation.Start)
        self._fit()

    def _fit(self) -> None:
        document = self.text.document()
        document.setTextWidth(max(200, self.text.viewport().width()))
        height = math.ceil(document.size().height()) + 2 * tokens.SPACE_2 + 4
        self.text.setFixedHeight(min(_MOST_HEIGHT, max(120, height)))
