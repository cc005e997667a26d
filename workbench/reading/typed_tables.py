"""From the filled cells of a table to a typed one: title rows, head, kinds of columns, units, total rows, and the place
of each row in the document's text.

A stranger's table may have any size: there are limits on tables, rows, columns and characters, and a warning says what
was left out.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import msgspec

from workbench.base.catalogue import Shown
from workbench.reading.grid import LONGEST_NAME, MOST_ROWS, Grid, Row, Span
from workbench.reading.text import clean
from workbench.records.tables import ColumnKind, DocumentTable, TableColumn, TableRow
from workbench.text.cells import comma_style, date_of, is_empty, number_of, time_of, unit_in

MOST_TABLES = 100
MOST_COLUMNS = 120
LONGEST_CELL = 1_000
MOST_CHARACTERS = 4_000_000
MOST_SPANS = 10_000
MOST_HEAD_ROWS = 3
MOST_BEFORE = 100
"""Rows of titles and heads before the first row of a table."""

_KIND_SHARE = 0.7  # of the filled cells that are of the kind
_LINES_AHEAD = 60
_FURTHEST_CELL = 200  # characters after the one before
_SAMPLE = 400
_LONGEST_SINGLE = 30
_TOTAL = re.compile(
    r"(?:grand |sub|zwischen|gesamt|end|sous-)?-?\s*"
    r"(?:totale?s?|sum|sums|summe|summen|gesamt|insgesamt|somme|suma|ergebnis)\b(?![-\w])"
    r"(?:\W|\b(?:of|der|des|total|général|general|all|alle|eur|netto|net|brutto|gross|in|amount|betrag|kosten|costs?)\b)*",
    re.I,
)
_YEAR = re.compile(r"(?:19|20)\d\d")

_FEWEST_SUMMED = 3
"""Of so many numbers a row below them may be the sum."""

Style = Literal["comma", "point", "codes"]


def typed_tables(grids: Sequence[Grid], text: str, language: str = "") -> tuple[tuple[DocumentTable, ...], list[str]]:
    """The tables of a document, at least two columns wide, and warnings of what was left out of them. ``text`` is the
    document's."""
    lines = _Lines(text)
    tables: list[DocumentTable] = []
    warnings: list[Shown] = []
    rows_left, characters_left = MOST_ROWS, MOST_CHARACTERS
    for grid in grids:
        if len(grid.rows) > MOST_ROWS + MOST_BEFORE:
            grid = replace(grid, rows=grid.rows[: MOST_ROWS + MOST_BEFORE])
        for title, block in _blocks(grid):
            if len(tables) == MOST_TABLES:
                return tuple(tables), [*warnings, f"Only the first {MOST_TABLES} tables can be computed with."]
            if max((max(row, default=0) for _, row in grid.rows), default=0) >= MOST_COLUMNS:
                warnings.append(
                    f"Of the table {_called(grid)} only the first {MOST_COLUMNS} columns can be computed with."
                )
            table = _typed(grid, title, block[: rows_left + MOST_HEAD_ROWS], lines, language)
            if table is None:
                continue
            kept = _within(table.rows[:rows_left], characters_left)
            if len(kept) < len(table.rows) or len(block) > rows_left + MOST_HEAD_ROWS:
                warnings.append(
                    f"Of the table {_called(grid)} only the first {len(kept):,} rows can be computed with. "
                    "Split the file."
                )
                table = msgspec.structs.replace(table, rows=kept, totals=(), incomplete=True)
            rows_left -= len(kept)
            characters_left -= sum(len(cell) for row in kept for cell in row.cells)
            if kept:
                tables.append(table)
    return tuple(tables), list(dict.fromkeys(warnings))


def _called(grid: Grid) -> str:
    return f"“{grid.name}”" if grid.name else "without a name"


def _within(rows: Sequence[TableRow], characters: int) -> tuple[TableRow, ...]:
    kept: list[TableRow] = []
    for row in rows:
        characters -= sum(map(len, row.cells))
        if characters < 0:
            break
        kept.append(row)
    return tuple(kept)


def _blocks(grid: Grid) -> list[tuple[str, list[tuple[int, Row]]]]:
    """The tables of a sheet: each with the titles before it. A table ends at an empty row that a new head follows."""
    blocks: list[tuple[str, list[tuple[int, Row]]]] = []
    title: list[str] = []
    block: list[tuple[int, Row]] = []
    last = 0

    def end() -> None:
        while block and _is_note(block[-1][1], block[0][1]):
            block.pop()
        if len(block) > 1:
            blocks.append((" ".join(title), list(block)))
        block.clear()
        title.clear()

    for at, (number, cells) in enumerate(grid.rows):
        row = {column: cell for column, cell in cells.items() if cell.strip()}
        if not row:
            continue
        is_gap = bool(block) and number > last + 1
        last = number
        if block and is_gap and _begins_table(row, grid.rows[at + 1 : at + 3], block):
            end()
        if not block and len(row) == 1 and at + 1 < len(grid.rows) and not _is_wide_head(grid, number):
            title.append(next(iter(row.values())))
            continue
        if block and is_gap and len(row) == 1 and not _is_total(row):
            rest = [one for _, one in grid.rows[at + 1 : at + 3]]
            if rest and len(rest[0]) > 1 and _is_head(rest[0]):
                end()
                title.append(next(iter(row.values())))
                continue
        block.append((number, {column: cell for column, cell in row.items() if column < MOST_COLUMNS}))
        if not block[-1][1]:
            block.pop()
    end()
    return blocks


def _is_note(row: Row, head: Row) -> bool:
    """Whether the last row of a table is a remark below it."""
    if len(row) > 1 or _is_total(row):
        return False
    return len(head) > 4 or any(len(cell) > _LONGEST_SINGLE for cell in row.values())


def _is_wide_head(grid: Grid, number: int) -> bool:
    return number <= grid.head_rows and any(span[0] == number and span[3] - span[1] == 0 for span in grid.spans)


def _begins_table(row: Row, following: Sequence[tuple[int, Row]], block: Sequence[tuple[int, Row]]) -> bool:
    if not _is_head(row) or not following or len(following[0][1]) < 2:
        return False
    before = block[-1][1]
    typed = [column for column, cell in before.items() if column in row and _is_value(cell)]
    return bool(typed) or set(row) != set(block[0][1])


def _is_value(cell: str) -> bool:
    return number_of(cell) is not None or date_of(cell) is not None or time_of(cell) is not None


def _is_head(row: Row) -> bool:
    """Names of columns are words, years or short marks; no dates, no amounts."""
    if len(row) < 2 or any(len(cell) > LONGEST_NAME for cell in row.values()):
        return False
    values = sum(_is_value(cell) and not _YEAR.fullmatch(cell.strip()) for cell in row.values())
    years = sum(bool(_YEAR.fullmatch(cell.strip())) for cell in row.values())
    return values == 0 and years < len(row)


def _is_total(row: Row) -> bool:
    first = next((cell for _, cell in sorted(row.items())), "")
    return _TOTAL.fullmatch(first.strip().rstrip(":")) is not None


def _sums_up(rows: Sequence[TableRow], styles: Sequence[Style]) -> bool:
    """Whether the last row is a total whose name does not say so ("Year" below the months): most of its numbers are the
    sums of those above, and it has words in its first cell only."""
    *above, last = rows
    if not _FEWEST_SUMMED <= len(above) <= _SAMPLE or number_of(last.cells[0]) is not None:
        return False
    sums, others = 0, 0
    for at, style in enumerate(styles[1:], 1):
        value = number_of(last.cells[at], style == "comma")
        if value is None:
            if not is_empty(last.cells[at]):
                return False
            continue
        amounts = [one[0] for row in above if (one := number_of(row.cells[at], style == "comma")) is not None]
        summed = sum(map(bool, amounts)) >= _FEWEST_SUMMED and math.isclose(value[0], math.fsum(amounts), abs_tol=0.005)
        sums, others = sums + summed, others + (not summed)
    return sums > others


def _head_rows(grid: Grid, block: Sequence[tuple[int, Row]]) -> int:
    """How many rows at the beginning name the columns."""
    first_number, first = block[0]
    marked = sum(number <= grid.head_rows for number, _ in block[:MOST_HEAD_ROWS])
    if not marked and not _is_head(first):
        return 0
    if marked == len(block):
        return 0
    count = max(1, marked)
    while count < min(MOST_HEAD_ROWS, len(block) - 1):
        number, row = block[count]
        spans = [s for s in grid.spans if first_number <= s[0] <= block[count - 1][0]]
        above = {column for _, one in block[:count] for column in one}
        under = any(s[0] < s[2] >= number for s in spans)
        across = [s for s in spans if s[3] > s[1] and s[2] < number]
        wide = {column for s in across for column in range(s[1], min(s[3], MOST_COLUMNS) + 1)}
        filled_gaps = [column for column in row if column not in above]
        is_words = not any(_is_value(cell) and not _YEAR.fullmatch(cell) for cell in row.values())
        if not is_words or not (under or across or filled_gaps):
            break
        if (across or under) and set(row) <= wide | set(filled_gaps):
            count += 1
            continue
        below = block[count + 1][1]
        turned = any(_is_value(below.get(column, "")) for column in row)
        if not across and filled_gaps and len(row) >= 1 and turned and len(row) < len(first) + len(filled_gaps):
            count += 1
            continue
        break
    if (
        count == 1
        and not marked
        and len(block[0][1]) == 2
        and not any(_is_value(c) for _, r in block[1:6] for c in r.values())
    ):
        return 0  # names and values of two columns, all of them words
    return count


def _names(grid: Grid, head: Sequence[tuple[int, Row]], width: int) -> list[str]:
    parts: list[list[str]] = [[] for _ in range(width)]
    for place, (number, row) in enumerate(head):
        shown = dict(row)
        for top, left, bottom, right in grid.spans:
            if top <= number <= bottom:
                text = next((one.get(left, "") for n, one in head if n == top), "")
                for column in range(left, min(right, width - 1) + 1):
                    shown.setdefault(column, text)
        if place + 1 < len(head) and not any(s[3] > s[1] for s in grid.spans):
            below, last = head[place + 1][1], ""
            for column in range(width):  # a merged cell of a format that does not say so
                last = row.get(column, last)
                if column in below and column not in shown and last:
                    shown[column] = last
        for column, text in shown.items():
            name = _one_line(text)
            if column < width and name and name not in parts[column]:
                parts[column].append(name)
    return [" ".join(names)[: 2 * LONGEST_NAME] for names in parts]


def _typed(grid: Grid, title: str, block: list[tuple[int, Row]], lines: _Lines, language: str) -> DocumentTable | None:
    width = 1 + max(max(row) for _, row in block)
    count = _head_rows(grid, block)
    names = _names(grid, block[:count], width) if count else [""] * width
    body = block[count:]
    filled = [column for column in range(width) if names[column] or any(column in row for _, row in body)]
    if len(filled) < 2 or not body:
        return None
    down = [span for span in grid.spans if span[2] > span[0]][:MOST_SPANS]
    cells = _with_merged(body, down)
    rows: list[TableRow] = []
    totals: list[TableRow] = []
    for (number, original), row in zip(body, cells, strict=True):
        texts = tuple(_one_line(row.get(column, ""))[:LONGEST_CELL] for column in filled)
        start, end = lines.find(len(rows) + len(totals) < 2, [_one_line(text) for _, text in sorted(original.items())])
        shown = TableRow(cells=texts, number=number, start=start, end=end)
        (totals if _is_total(original) else rows).append(shown)
    if not rows:
        return None
    cells_of = [[row.cells[at] for row in rows] for at in range(len(filled))]
    styles = _styles(grid, filled, names[filled[0]], cells_of, language)
    if _sums_up(rows, styles):
        totals.append(rows.pop())
        cells_of = [column[:-1] for column in cells_of]
    columns = tuple(
        _column(names[column], grid.units.get(column, ""), cells, style)
        for column, cells, style in zip(filled, cells_of, styles, strict=True)
    )
    return DocumentTable(
        columns=columns,
        rows=tuple(rows),
        name=_one_line(grid.name)[:LONGEST_NAME],
        title=_one_line(title)[: 4 * LONGEST_NAME],
        totals=tuple(totals),
        incomplete=grid.incomplete,
    )


def _with_merged(body: Sequence[tuple[int, Row]], spans: Sequence[Span]) -> Sequence[Row]:
    """The rows with the text of cells that are merged downwards. Only rows that are there are filled."""
    rows: list[dict[int, str]] = [dict(row) for _, row in body]
    places = {number: at for at, (number, _) in enumerate(body)}
    for top, left, bottom, _ in spans:
        if top not in places or left >= MOST_COLUMNS:
            continue
        at = places[top]
        text = rows[at].get(left, "")
        while text and at < len(body) and body[at][0] <= bottom:
            rows[at].setdefault(left, text)
            at += 1
    return rows


def _styles(
    grid: Grid, columns: Sequence[int], first: str, cells: Sequence[Sequence[str]], language: str
) -> list[Style]:
    """The style of the numbers of each column. One that does not tell it has that of most of the others; what is a
    number to the file has a decimal point, whatever the texts beside it have. The cells of the first column may be
    codes that say nothing of the others ("2.07", a flat), where all are there, all are different and none has a unit;
    they are codes where they are written in another style than the others tell."""
    stored = [
        number in grid.stored and not any("," in cell for cell in column)
        for number, column in zip(columns, cells, strict=True)
    ]
    told = [comma_style(column[:_SAMPLE], stored=is_stored) for column, is_stored in zip(cells, stored, strict=True)]
    may_be_codes = len(set(cells[0])) == len(cells[0]) and not unit_in(first) and not any(map(is_empty, cells[0]))
    others = sum(told[may_be_codes:])
    typed = sum(
        style for style, is_stored in zip(told[may_be_codes:], stored[may_be_codes:], strict=True) if not is_stored
    )
    is_usual = grid.comma or language in ("de", "fr", "es", "it", "nl", "pt")
    styles: list[Style] = []
    for style, is_stored in zip(told, stored, strict=True):
        votes = style or typed or (1 if is_usual else -1)
        styles.append("comma" if votes > 0 and not is_stored else "point")
    if may_be_codes and others * told[0] < 0 and not stored[0]:
        styles[0] = "codes"
    return styles


def _column(name: str, format_unit: str, cells: Sequence[str], style: Style) -> TableColumn:
    filled = [cell for cell in cells if not is_empty(cell)]
    sample = filled[: _SAMPLE * 5]
    comma = style == "comma"
    numbers = [found for cell in sample if (found := number_of(cell, comma)) is not None]
    kind: ColumnKind = "text"
    if sample and len(numbers) >= _KIND_SHARE * len(sample):
        kind = "number" if style != "codes" else "text"
    elif sample and sum(date_of(cell) is not None for cell in sample) >= _KIND_SHARE * len(sample):
        kind = "date"
    elif sample and sum(time_of(cell) is not None for cell in sample) >= _KIND_SHARE * len(sample):
        kind = "time"
    unit = ""
    if kind == "number":
        units = Counter(unit for _, unit in numbers if unit)
        most = units.most_common(1)
        if len(units) > 1 and most[0][1] < len(numbers):  # "3 kg" and "4 pcs" cannot be summed
            kind = "text"
        else:
            named = unit_in(name)
            unit = (named if "/" in named else "") or (most[0][0] if most else "") or named or format_unit
    return TableColumn(name=name, kind=kind, unit=unit, comma=comma if kind == "number" else False)


def _one_line(text: str) -> str:
    return " ".join(clean(text).split())


class _Lines:
    """Finds rows in a text, in their order: a row's line has its cells one after the other."""

    def __init__(self, text: str) -> None:
        self._spans: list[tuple[int, int]] = []
        start = 0
        for line in text.split("\n"):
            self._spans.append((start, start + len(line)))
            start += len(line) + 1
        self._text = text
        self._next = 0

    def find(self, is_first: bool, cells: Sequence[str]) -> tuple[int, int]:
        """The place of the line, (0, 0) where none of the next lines has these cells: of all of them for a first
        row."""
        last = len(self._spans) if is_first else min(self._next + _LINES_AHEAD, len(self._spans))
        for place in range(self._next, last):
            start, end = self._spans[place]
            at = start
            for cell in cells:
                at = self._text.find(cell, at, end)
                if at < 0:
                    break
                at += len(cell)
            else:
                self._next = place + 1
                return start, end
        return self._find_apart(cells, last)

    def _find_apart(self, cells: Sequence[str], last: int) -> tuple[int, int]:
        """As ``find``, of cells that stand on lines of their own."""
        if self._next >= len(self._spans) or not cells:
            return 0, 0
        start = at = self._text.find(cells[0], self._spans[self._next][0], self._spans[last - 1][1])
        for cell in cells:
            at = self._text.find(cell, at, at + _FURTHEST_CELL + len(cell)) if at >= 0 else -1
            if at < 0:
                return 0, 0
            at += len(cell)
        self._next = bisect_right(self._spans, (at, 0)) - 1
        return start, at
