"""Colours for code, in small steps: a long block is highlighted over many turns of the event loop.

The text may become another one meanwhile. So a line is found by its number in each step: a QTextBlock that is kept
points into memory that is freed when its text is replaced.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from PySide6.QtCore import QObject, QTimer
from PySide6.QtGui import QColor, QTextCharFormat, QTextDocument, QTextLayout

from ui.theme.theme import current_theme

SLICE_S = 0.005


class Highlighter(QObject):
    """Colours a document with the lexer of a language. Unknown languages stay plain."""

    def __init__(self, document: QTextDocument, parent: QObject) -> None:
        super().__init__(parent)
        self._document = document
        self._steps: Iterator[None] = iter(())
        self._timer = QTimer(self, interval=0, timeout=self._on_slice)

    def run(self, language: str) -> None:
        """Colour the document as it stands now; a run that was under way is given up."""
        self.stop()
        lexer = find_lexer(language)
        if lexer is None:
            return
        self._steps = self._colour(lexer)
        self._timer.start()
        self._on_slice()

    def stop(self) -> None:
        """Give up a run that is under way; what it has coloured stays."""
        self._steps = iter(())
        self._timer.stop()

    @property
    def busy(self) -> bool:
        return self._timer.isActive()

    def _on_slice(self) -> None:
        end = time.perf_counter() + SLICE_S
        for _ in self._steps:
            if time.perf_counter() > end:
                return
        self._timer.stop()

    def _colour(self, lexer: Any) -> Iterator[None]:
        """One step a line, until a line is not what it was."""
        formats = _formats()
        ranges: list[QTextLayout.FormatRange] = []
        line = column = 0
        for kind, value in lexer.get_tokens(self._document.toPlainText()):
            style = _style_of(kind, formats)
            for number, piece in enumerate(value.split("\n")):
                if number:
                    if not self._apply(line, column, ranges):
                        return
                    line, ranges, column = line + 1, [], 0
                    yield
                if piece and style is not None:
                    area = QTextLayout.FormatRange()
                    area.start, area.length, area.format = column, utf16_length(piece), style
                    ranges.append(area)
                column += utf16_length(piece)
        self._apply(line, column, ranges)

    def _apply(self, line: int, length: int, ranges: list[QTextLayout.FormatRange]) -> bool:
        """Colour a line that is at least as long as ``length``; False when there is no such line."""
        block = self._document.findBlockByNumber(line)
        if not block.isValid() or block.length() <= length:  # a block's length counts its end too
            return False
        if ranges or block.layout().formats():
            block.layout().setFormats(ranges)
            self._document.markContentsDirty(block.position(), block.length())
        return True


def utf16_length(text: str) -> int:
    """The number of positions that a text takes in a Qt document: two for characters beyond the basic plane."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2


def find_lexer(language: str) -> Any | None:
    """The pygments lexer of a fence's language word; None when there is none."""
    if not language:
        return None
    from pygments.lexers import get_lexer_by_name  # when code is first seen: the window starts without it
    from pygments.util import ClassNotFound

    try:
        return get_lexer_by_name(language, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return None


def _formats() -> dict[str, QTextCharFormat]:
    palette = current_theme().palette
    made: dict[str, QTextCharFormat] = {}
    for name in ("keyword", "string", "comment", "number", "name"):
        made[name] = QTextCharFormat()
        made[name].setForeground(QColor(palette[f"code_{name}"]))
    made["comment"].setFontItalic(True)
    return made


def _style_of(kind: Any, formats: dict[str, QTextCharFormat]) -> QTextCharFormat | None:
    from pygments.token import Token

    for parent, name in (
        (Token.Keyword, "keyword"),
        (Token.Operator.Word, "keyword"),
        (Token.Literal.String, "string"),
        (Token.Comment, "comment"),
        (Token.Literal.Number, "number"),
        (Token.Name.Function, "name"),
        (Token.Name.Class, "name"),
        (Token.Name.Builtin, "name"),
        (Token.Name.Tag, "name"),
        (Token.Name.Decorator, "name"),
    ):
        if kind in parent:
            return formats[name]
    return None
