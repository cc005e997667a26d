"""Colours for code, in small steps: a long block is highlighted over many turns of the event loop."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from PySide6.QtCore import QObject, QTimer
from PySide6.QtGui import QColor, QTextBlock, QTextCharFormat, QTextDocument, QTextLayout

from ui.theme.theme import current_theme

SLICE_S = 0.005


class Highlighter(QObject):
    """Colours a document with the lexer of a language. Unknown languages stay plain."""

    def __init__(self, document: QTextDocument, parent: QObject) -> None:
        super().__init__(parent)
        self._document = document
        self._steps: Iterator[None] = iter(())
        self._timer = QTimer(self, interval=0)
        self._timer.timeout.connect(self._on_slice)

    def run(self, language: str) -> None:
        """Colour the document as it stands now; a run that was under way is given up."""
        lexer = find_lexer(language)
        if lexer is None:
            return
        self._steps = self._colour(lexer)
        self._timer.start()
        self._on_slice()

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
        """One step a line."""
        formats = _formats()
        block = self._document.firstBlock()
        ranges: list[QTextLayout.FormatRange] = []
        column = 0
        for kind, value in lexer.get_tokens(self._document.toPlainText()):
            style = _style_of(kind, formats)
            for number, piece in enumerate(value.split("\n")):
                if number:
                    self._apply(block, ranges)
                    block, ranges, column = block.next(), [], 0
                    if not block.isValid():
                        return
                    yield
                if piece and style is not None:
                    area = QTextLayout.FormatRange()
                    area.start, area.length, area.format = column, utf16_length(piece), style
                    ranges.append(area)
                column += utf16_length(piece)
        self._apply(block, ranges)

    def _apply(self, block: QTextBlock, ranges: list[QTextLayout.FormatRange]) -> None:
        if block.isValid() and (ranges or block.layout().formats()):
            block.layout().setFormats(ranges)
            self._document.markContentsDirty(block.position(), block.length())


def utf16_length(text: str) -> int:
    """How many positions a text takes in a Qt document: two for characters beyond the basic plane."""
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
