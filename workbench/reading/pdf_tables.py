"""Tables on the pages of a PDF, which says where text stands and not what a table is: rows of pieces of text side by
side, whose columns stand below each other.

Only what is plainly a table is taken for one: at least three rows of at least two short cells.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from workbench.reading.grid import Grid

MOST_PIECES = 8_000
"""Pieces of text of a document that are looked at: a third of a millisecond each."""
FEWEST_ROWS = 3
_CELL_GAP = 0.6  # of the height of a line: closer pieces are one cell
_ROW_GAP = 2.6  # of the height of a line: further rows are not of the same table
_WIDE_ROW_GAP = 3.6  # of rows with as many cells
_CELL_WORDS = 4.5  # on average, at most
_LONGEST_NAME = 70
MOST_EDGE = 2
"""Lines of a page, its foot, after a table that goes on on the next page, and before its rows there."""
_BULLET = re.compile(r"[•·▪◦‣\-–*✓☐□]|\(?[a-z0-9]{1,2}[.)]")
_NUMBERED_LINE = re.compile(r"^.*\d", re.M)


_Edge = tuple[int, str]  # the height of a line and its text without numbers: those of a head or foot of pages


class Piece(NamedTuple):
    """A run of text on a line, in points from the bottom left of the page."""

    left: float
    bottom: float
    right: float
    top: float
    text: str

    @property
    def middle(self) -> float:
        return (self.bottom + self.top) / 2


@dataclass
class _Found:
    """A table with the stripes of its columns, in points from the left; ``below``: how many lines of its page follow
    it."""

    name: str
    rows: list[dict[int, str]]
    bands: list[tuple[float, float]]
    below: int = 0


class TableFinder:
    """Finds the tables of a document's pages, one after the other."""

    def __init__(self) -> None:
        self._found: list[_Found] = []
        self._left = MOST_PIECES
        self._open: _Found | None = None  # the table with which the page before ended
        self._edges: set[_Edge] = set()  # the first and the last lines of the page before

    @property
    def grids(self) -> tuple[Grid, ...]:
        return tuple(Grid(list(enumerate(one.rows, 1)), one.name) for one in self._found)

    def look(self, textpage: Any, text: str) -> None:
        """Look for tables on a page with this text."""
        before, self._open = self._open, None
        numbered = len(_NUMBERED_LINE.findall(text))
        if self._left <= 0 or numbered < (1 if before is not None else FEWEST_ROWS - 1):
            return
        count = min(textpage.count_rects(), self._left)
        self._left -= count
        pieces: list[Piece] = []
        for number in range(count):
            left, bottom, right, top = textpage.get_rect(number)
            shown = " ".join(textpage.get_text_bounded(left, bottom, right, top).split())
            if shown:
                pieces.append(Piece(left, bottom, right, top, shown))
        lines = _lines(pieces)
        ends = [*lines[:MOST_EDGE], *lines[-MOST_EDGE:]]
        if before is not None:  # without the head and foot of pages, which may stand close to the table
            same = [one for one in ends if _edge(one) in self._edges and _in_bands(one, before.bands) != before.rows[0]]
            if same:
                lines = [one for one in lines if one not in same]
                pieces = [piece for line in lines for piece in line]
        self._edges = {_edge(line) for line in ends}
        found = find_tables(pieces)
        rest = _rest(before, lines) if before is not None else []
        for place, one in enumerate(found):
            last = self._found[-1] if self._found else None
            if last is not None and _goes_on(last, one):
                last.rows += one.rows[one.rows[0] == last.rows[0] :]
                last.below = one.below
                rest = rest if place else []
            else:
                self._found.append(one)
        if before is not None:  # a line that begins another table is none of its rows
            others = {_as_line(row) for one in found for row in one.rows}
            before.rows += [row for row in rest if _as_line(row) not in others]
        if found and found[-1].below <= MOST_EDGE:
            self._open = self._found[-1]


def find_tables(pieces: Sequence[Piece]) -> list[_Found]:
    """The tables that pieces of a page make."""
    if not pieces:
        return []
    height = _height(pieces)
    found: list[_Found] = []
    run: list[list[Piece]] = []
    name = ""
    lines = _lines(pieces)
    for number, line in enumerate(lines):
        gap = lines[number - 1][0].middle - line[0].middle if number else 0.0
        most = _WIDE_ROW_GAP if run and len(line) == len(run[-1]) > 2 else _ROW_GAP
        if run and (gap > most * height or not _continues(run, line)):
            found += _grid(run, name, len(lines) - number)
            run = []
        if len(line) > 1 or run:
            run.append(line)
        if not run:
            name = line[0].text if len(line[0].text) <= _LONGEST_NAME and not line[0].text.endswith(".") else ""
    return found + _grid(run, name, 0)


def _height(pieces: Sequence[Piece]) -> float:
    return sorted(piece.top - piece.bottom for piece in pieces)[len(pieces) // 2] or 1.0


def _lines(pieces: Sequence[Piece]) -> list[list[Piece]]:
    """The cells of each line, from top to bottom and from left to right."""
    height = _height(pieces) if pieces else 1.0
    lines: list[list[Piece]] = []
    for piece in sorted(pieces, key=lambda one: -one.middle):
        if lines and abs(lines[-1][0].middle - piece.middle) < 0.5 * height:
            lines[-1].append(piece)
        else:
            lines.append([piece])
    return [_cells(sorted(line), height) for line in lines]


def _cells(line: Sequence[Piece], height: float) -> list[Piece]:
    cells = [line[0]]
    for piece in line[1:]:
        last = cells[-1]
        if piece.left - last.right < _CELL_GAP * height:
            text = f"{last.text} {piece.text}"
            cells[-1] = Piece(last.left, min(last.bottom, piece.bottom), piece.right, max(last.top, piece.top), text)
        else:
            cells.append(piece)
    return cells


def _continues(run: Sequence[Sequence[Piece]], line: Sequence[Piece]) -> bool:
    """Whether a line goes on with the table: several cells, or the further text of one that is not the first."""
    if len(line) > 1:
        return True
    edge = min(cells[0].left for cells in run)
    return line[0].left > edge + 10 and any(_overlap(line[0], cell) > 0 for cell in run[-1][1:])


def _overlap(first: Piece, second: Piece) -> float:
    return min(first.right, second.right) - max(first.left, second.left)


def _goes_on(before: _Found, after: _Found) -> bool:
    """Whether rows go on with the table before them: in the same stripes, without names of columns or with its own."""
    return (
        len(before.bands) == len(after.bands)
        and all(min(a[1], b[1]) > max(a[0], b[0]) for a, b in zip(before.bands, after.bands, strict=True))
        and (after.rows[0] == before.rows[0] or any(map(_has_digit, after.rows[0].values())))
    )


def _rest(before: _Found, lines: Sequence[Sequence[Piece]]) -> list[dict[int, str]]:
    """The last rows of a table that goes on at the top of a page, where they are too few to be found as one: each has
    its cells in the stripes of the table, and figures where all rows have them."""
    start = next((at for at, line in enumerate(lines[: MOST_EDGE + 1]) if len(line) > 1), len(lines))
    rows: list[dict[int, str]] = []
    for line in lines[start:]:
        row = _in_bands(line, before.bands)
        if row is None:
            break
        rows.append(row)
    if rows[:1] == before.rows[:1]:
        del rows[0]
    if len(rows) >= FEWEST_ROWS:
        return []  # another table
    body = before.rows[1:]
    figures = {column for column in range(len(before.bands)) if all(_has_digit(row.get(column, "0")) for row in body)}
    return rows if all(_has_digit(row[column]) for row in rows for column in figures & set(row)) else []


def _in_bands(line: Sequence[Piece], bands: Sequence[tuple[float, float]]) -> dict[int, str] | None:
    """The cells of a line by the stripe in which each stands; None where one stands in none or in several, or where
    more than one is missing."""
    row: dict[int, str] = {}
    for cell in line:
        within = [column for column, (left, right) in enumerate(bands) if cell.left < right and cell.right > left]
        if len(within) != 1 or within[0] in row:
            return None
        row[within[0]] = cell.text
    return row if len(row) >= max(2, len(bands) - 1) else None


def _as_line(row: dict[int, str]) -> str:
    return " ".join(row[column] for column in sorted(row))


def _has_digit(text: str) -> bool:
    return any(sign.isdigit() for sign in text)


def _edge(line: Sequence[Piece]) -> _Edge:
    return round(line[0].middle), re.sub(r"\d+", "0", " ".join(cell.text for cell in line))


def _grid(run: list[list[Piece]], name: str, below: int) -> list[_Found]:
    """``below``: the lines of the page after these."""
    while run and len(run[-1]) < 2:
        run.pop()
        below += 1
    rows = [cells for cells in run if len(cells) > 1]
    if len(rows) < FEWEST_ROWS:
        return []
    words = [len(cell.text.split()) for cells in rows for cell in cells]
    if sum(words) > _CELL_WORDS * len(words):
        return []  # columns of running text
    width = Counter(len(cells) for cells in rows).most_common(1)[0][0]
    bands = _bands([cell for cells in rows if len(cells) == width for cell in cells])
    if len(bands) != width:
        return []
    table: list[dict[int, str]] = []
    for cells in run:
        row: dict[int, str] = {}
        for cell in cells:
            column = max(range(width), key=lambda at: min(cell.right, bands[at][1]) - max(cell.left, bands[at][0]))
            row[column] = f"{row[column]} {cell.text}" if column in row else cell.text
        if len(cells) == 1 and table:
            for column, text in row.items():
                table[-1][column] = f"{table[-1].get(column, '')} {text}".strip()
        else:
            table.append(row)
    if sum(_BULLET.fullmatch(row.get(0, "")) is not None for row in table) > len(table) // 2:
        return []
    return [_Found(name, table, bands, below)]


def _bands(cells: Sequence[Piece]) -> list[tuple[float, float]]:
    """The stripes in which cells stand below each other."""
    bands: list[tuple[float, float]] = []
    for left, right in sorted((cell.left, cell.right) for cell in cells):
        if bands and left < bands[-1][1]:
            bands[-1] = bands[-1][0], max(bands[-1][1], right)
        else:
            bands.append((left, right))
    return bands
