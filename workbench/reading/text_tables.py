"""Tables of plain text: lines of cells between bars, as Markdown has them, and columns of several blanks or tabs."""

from __future__ import annotations

import re

from workbench.reading.grid import Grid, Row

_RULE = re.compile(r"[|+]?\s*:?-+:?\s*(?:[|+]\s*:?-*:?\s*)*[|+]?")
_BAR = re.compile(r"(?<!\\)\|")
_COLUMNS = re.compile(r"\t+| {2,}")
_HEADING = re.compile(r"#{1,6}[ \t]+(.+?)[ \t#]*$")
_MARKS = re.compile(r"\*\*|__|`")
FEWEST_ROWS = 3
"""Of a table without bars: fewer lines with blanks in them are something else."""
MOST_TABLES = 200


def find_grids(text: str) -> tuple[Grid, ...]:
    """The tables of a text, each named by the heading before it."""
    grids: list[Grid] = []
    lines: list[str] = []
    heading = ""
    for line in [*text.split("\n"), ""]:
        if line.strip():
            match = _HEADING.match(line)
            if match is not None:
                heading = match.group(1)
            lines.append(line)
            continue
        grid = _barred(lines, heading) or _spaced(lines, heading)
        if grid is not None:
            grids.append(grid)
            if len(grids) == MOST_TABLES:
                break
        lines = []
    return tuple(grids)


def _barred(lines: list[str], heading: str) -> Grid | None:
    rows: list[Row] = []
    head_rows = 0
    for line in lines:
        if "|" not in line:
            if rows:
                break
            continue
        if _RULE.fullmatch(line.strip()):
            head_rows = head_rows or len(rows)
            continue
        shown = line.strip().removeprefix("|").removesuffix("|")
        cells = [_MARKS.sub("", cell).replace("\\|", "|").strip() for cell in _BAR.split(shown)]
        rows.append({column: cell for column, cell in enumerate(cells) if cell})
    if len(rows) < 2:
        return None
    return Grid(list(enumerate(rows, 1)), heading, head_rows=head_rows)


def _spaced(lines: list[str], heading: str) -> Grid | None:
    """Lines with as many cells each."""
    split = [_COLUMNS.split(line.strip()) for line in lines]
    width = max((len(cells) for cells in split), default=0)
    same = [cells for cells in split if len(cells) == width]
    if width < 2 or len(same) < FEWEST_ROWS or len(same) < len(lines) - 1:
        return None
    return Grid([(number, dict(enumerate(cells))) for number, cells in enumerate(split, 1)], heading)
