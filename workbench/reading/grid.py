"""A table as a format's module finds it: its filled cells, before anything is known of their meaning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

LONGEST_NAME = 80
"""Characters of a column name, which is repeated with every row; a longer cell is text."""

MOST_ROWS = 20_000
"""Rows of all tables of a document that can be computed with."""

Row = Mapping[int, str]
"""The filled cells of a row, by column from 0, left to right."""

Span = tuple[int, int, int, int]
"""A merged area: the number of its first row, its first column from 0, the number of its last row, its last column."""


@dataclass
class Grid:
    """``rows``: the number of each in its sheet or table, from 1, with its filled cells. ``head_rows``: how many are
    marked as a head. ``units``: those that the formats of cells show, by column. ``comma``: the file's numbers
    probably have a decimal comma; ``stored``: the columns whose numbers are numbers to the file, with a decimal point.
    ``incomplete``: some of its cells have no value that can be read."""

    rows: Sequence[tuple[int, Row]]
    name: str = ""
    spans: Sequence[Span] = ()
    head_rows: int = 0
    units: Mapping[int, str] = field(default_factory=dict)
    comma: bool = False
    stored: frozenset[int] = frozenset()
    incomplete: bool = False
