"""Recognised pieces of text on a page, words or lines: their order of reading, and where each is in the text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from workbench.reading.text import clean
from workbench.records.documents import PlacedText

_COLUMN_GAP = 1.5  # of the height of a line: so wide a stripe without text parts columns
_PARAGRAPH_GAP = 0.9
_CELL_WORDS = 3.0  # on average, at most
_FEWEST_ROWS = 3
_TABLE_ROWS = 0.6  # of the rows, at least


@dataclass(frozen=True)
class Piece:
    """A recognised word or line in pixels from the top left; ``confidence`` is between 0 and 1. ``words``: those of a
    line, where each has a place of its own."""

    left: float
    top: float
    right: float
    bottom: float
    text: str
    confidence: float
    words: tuple[Piece, ...] = ()

    @property
    def height(self) -> float:
        return self.bottom - self.top


@dataclass(frozen=True)
class RecognisedText:
    """The text of a picture, the place of each piece of it, and the mean confidence of the pieces, 0 without any."""

    text: str = ""
    places: tuple[PlacedText, ...] = ()
    confidence: float = 0.0


class TextOfPieces:
    """Joins pieces, in the order in which they are added, into the text of a page of this size in pixels."""

    def __init__(self, width: float, height: float) -> None:
        self._width, self._height = width, height
        self._parts: list[str] = []
        self._places: list[PlacedText] = []
        self._length = 0
        self._confidence = 0.0

    def add(self, piece: Piece, gap: str) -> None:
        """``gap`` is what is between it and the piece before."""
        text = clean(piece.text).strip()
        if not text:
            return
        if self._parts:
            self._parts.append(gap)
            self._length += len(gap)
        start, self._length = self._length, self._length + len(text)
        self._parts.append(text)
        across, down = max(1.0, self._width), max(1.0, self._height)
        corners = (piece.left / across, piece.top / down, piece.right / across, piece.bottom / down)
        self._places.append(PlacedText(start, self._length, *(min(1.0, max(0.0, corner)) for corner in corners)))
        self._confidence += piece.confidence

    def result(self) -> RecognisedText:
        sure = self._confidence / len(self._places) if self._places else 0.0
        return RecognisedText("".join(self._parts), tuple(self._places), sure)


def arrange(lines: Sequence[Piece], width: float, height: float) -> RecognisedText:
    """The lines of a page in the order of reading: columns from left to right, each from top to bottom, paragraphs
    apart (a recursive XY cut: Nagy and Seth 1984, "Hierarchical representation of optically scanned documents").
    ``width`` and ``height`` are the page's, in pixels."""
    text = TextOfPieces(width, height)
    if lines:
        usual = sorted(line.height for line in lines)[len(lines) // 2]
        for block in _blocks(list(lines), usual):
            gap = "\n\n"
            for row in _rows(block, usual):
                for piece in row:
                    for part in piece.words or (piece,):
                        text.add(part, gap)
                        gap = " "
                    gap = "  "
                gap = "\n"
    return text.result()


def _blocks(lines: list[Piece], height: float) -> list[list[Piece]]:
    """Cut where a horizontal or vertical stripe is free of text; the vertical cut parts columns of several lines, but
    not those of a table."""
    columns = _cut(lines, _COLUMN_GAP * height, sideways=True)
    if len(columns) > 1 and all(len(column) > 1 for column in columns):
        if _is_table(lines, height):
            return [lines]
        return [block for column in columns for block in _blocks(column, height)]
    rows = _cut(lines, _PARAGRAPH_GAP * height, sideways=False)
    if len(rows) > 1:
        return [block for row in rows for block in _blocks(row, height)]
    return [lines]


def _is_table(lines: list[Piece], height: float) -> bool:
    """Whether columns belong together row by row: few words in a piece, and most rows with several pieces."""
    rows = _rows(lines, height)
    if len(rows) < _FEWEST_ROWS:
        return False
    words = sum(len(line.text.split()) for line in lines)
    return words <= _CELL_WORDS * len(lines) and sum(len(row) > 1 for row in rows) >= _TABLE_ROWS * len(rows)


def _cut(lines: list[Piece], gap: float, *, sideways: bool) -> list[list[Piece]]:
    spans = [(one.left, one.right, one) if sideways else (one.top, one.bottom, one) for one in lines]
    spans.sort(key=lambda span: span[0])
    parts: list[list[Piece]] = []
    reached = float("-inf")
    for start, end, line in spans:
        if start - reached >= gap or not parts:
            parts.append([])
        parts[-1].append(line)
        reached = max(reached, end)
    return parts


def _rows(lines: list[Piece], height: float) -> list[list[Piece]]:
    """Pieces on one height are one line."""
    rows: list[list[Piece]] = []
    for line in sorted(lines, key=lambda one: (one.top + one.bottom) / 2):
        middle = (line.top + line.bottom) / 2
        if rows and middle < rows[-1][0].bottom - 0.25 * height:
            rows[-1].append(line)
        else:
            rows.append([line])
    return [sorted(row, key=lambda one: one.left) for row in rows]
