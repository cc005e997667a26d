"""Pieces of a document's text laid out in lines, in which a place of the document can be found and marked."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QPainter, QTextCharFormat, QTextLayout, QTextLine, QTextOption

from workbench.records.document_blocks import Piece

Mark = tuple[int, int, QTextCharFormat]
"""``start:end`` of the document's text is drawn in a format."""


Softness = tuple[float, bool]
"""How ``joined`` finds the lines that were broken only for their length; a share of 0: there are none."""


class DrawnText:
    """Lines of a width, in px. ``soft``: a line end of the text is drawn as a blank where a line was only broken for
    its length. Offsets are those of the document's text."""

    def __init__(
        self,
        text: str,
        pieces: Sequence[Piece],
        font: QFont,
        width: float,
        styles: dict[str, QTextCharFormat],
        line_height: float = 0.0,
        right: bool = False,
        soft: Softness = (0.0, False),
    ) -> None:
        self._starts = [piece.start for piece in pieces]
        self._places: list[int] = []
        words: list[str] = []
        at = 0
        for piece in pieces:
            self._places.append(at)
            words.append(text[piece.start : piece.end])
            at += piece.end - piece.start
        drawn = "".join(words).replace(" | ", " · ")
        drawn = joined(drawn, *soft) if soft[0] else drawn.replace("\n", "\u2028")
        self.text = drawn
        self._wide = [] if drawn.isascii() else [i for i, sign in enumerate(drawn) if ord(sign) > 0xFFFF]
        self._end = pieces[-1].end if pieces else 0
        formats = []
        for piece, place in zip(pieces, self._places, strict=True):
            if piece.style in styles and piece.end > piece.start:
                formats.append(self._range(place, place + piece.end - piece.start, styles[piece.style]))
        self.layout = QTextLayout(drawn, font)
        option = QTextOption(Qt.AlignmentFlag.AlignRight if right else Qt.AlignmentFlag.AlignLeft)
        option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        option.setTabStopDistance(QFontMetricsF(font).horizontalAdvance(" ") * 8)
        self.layout.setTextOption(option)
        self.layout.setFormats(formats)
        self.height = self._lay_out(max(8.0, width), line_height)

    def _lay_out(self, width: float, line_height: float) -> float:
        y = 0.0
        self.layout.beginLayout()
        while (line := self.layout.createLine()).isValid():
            line.setLineWidth(width)
            step = max(line.height(), line_height)
            line.setPosition(QPointF(0, y + (step - line.height()) / 2))
            y += step
        self.layout.endLayout()
        return y

    def paint(self, painter: QPainter, place: QPointF, marks: Sequence[Mark] = ()) -> None:
        """Draw the lines, with the marks that are in them; the later ones lie over the earlier ones."""
        ranges = []
        for start, end, style in marks:
            first, last = self._position(start), self._position(end, after=True)
            if last > first:
                ranges.append(self._range(first, last, style))
        self.layout.draw(painter, place, ranges)

    def rectangle(self, offset: int) -> QRectF:
        """Where the letter at an offset is, from the top left of the first line."""
        position = self._qt(self._position(offset))
        line = self.layout.lineForTextPosition(min(position, max(0, len(self.text) + len(self._wide) - 1)))
        if not line.isValid():
            return QRectF(0, 0, 1, self.height)
        return QRectF(_x(line, position), line.y(), 1, line.height())

    def holds(self, offset: int) -> bool:
        """Whether the letter at an offset is one of these, or they end there."""
        return bool(self._starts) and self._starts[0] <= offset <= self._end

    def offset_at(self, x: float, y: float) -> int:
        """The offset of the letter nearest to a point."""
        for number in range(self.layout.lineCount()):
            line = self.layout.lineAt(number)
            if y < line.y() + line.height() or number == self.layout.lineCount() - 1:
                return self._offset(line.xToCursor(x))
        return self._starts[0] if self._starts else 0

    def taken(self, start: int, end: int) -> str:
        """The drawn words between two offsets."""
        return self.text[self._position(start) : self._position(end, after=True)].replace("\u2028", "\n")

    # -- from offsets to places and back ---------------------------------------------------------------

    def _position(self, offset: int, after: bool = False) -> int:
        """The place among the drawn letters of an offset; of one that is not drawn the next drawn one, or with
        ``after`` the end of what is drawn before it."""
        piece = bisect_right(self._starts, offset - after) - 1
        if piece < 0:
            return 0
        length = (self._places[piece + 1] if piece + 1 < len(self._places) else len(self.text)) - self._places[piece]
        return self._places[piece] + min(length, offset - self._starts[piece])

    def _offset(self, qt_position: int) -> int:
        position = qt_position
        for wide in self._wide:
            if wide < position:
                position -= 1
        piece = max(0, bisect_right(self._places, position) - 1)
        return self._starts[piece] + position - self._places[piece] if self._places else 0

    def _qt(self, position: int) -> int:
        """Qt counts some letters twice."""
        return position + bisect_right(self._wide, position - 1)

    def _range(self, first: int, last: int, style: QTextCharFormat) -> QTextLayout.FormatRange:
        found = QTextLayout.FormatRange()
        found.start = self._qt(first)
        found.length = self._qt(last) - found.start
        found.format = style
        return found


def _x(line: QTextLine, position: int) -> float:
    """The left edge of a letter; Qt gives it with the position, which its stub does not say."""
    found: Any = line.cursorToX(position)
    return float(found[0] if isinstance(found, tuple) else found)


_BEGINS_LINE = re.compile(r"\s|[-*+•–]\s|\(?\w{1,3}[.)]\s|$")
_GOES_ON = re.compile(r"[^\W\d_]")
_LONG_LINE, _LONG_PRINTED_LINE, _MOSTLY = 60, 45, 0.7
"""A line of at least so many letters may have been broken for its length."""


def joined(words: str, fill: float, printed: bool = False) -> str:
    """The lines of a paragraph that were only broken for their length become one; others stay apart: those that the
    next word would have fitted on, and those before a list or an indented line. ``fill``: to this share of the longest
    line a broken one was filled. ``printed``: the lines are those of a page, with its headings among them."""
    lines = words.split("\n")
    long = _LONG_PRINTED_LINE if printed else _LONG_LINE
    room = max(map(len, lines)) * fill

    def is_broken(line: str, after: str) -> bool:
        if len(line) < long or line.endswith("  ") or _BEGINS_LINE.match(after) is not None:
            return False
        if printed and (line[-1:].isdigit() or _GOES_ON.match(after) is None):  # a row of a table
            return False
        return len(line) + 1 + len(after.split(" ", 1)[0]) > room

    broken = [is_broken(*pair) for pair in pairwise(lines)]
    if not printed and sum(broken) < _MOSTLY * len(broken):  # a list without marks, say
        return words.replace("\n", "\u2028")
    whole = lines[0]
    for goes_on, line in zip(broken, lines[1:], strict=True):
        whole += (" " if goes_on else "\u2028") + line
    return whole
