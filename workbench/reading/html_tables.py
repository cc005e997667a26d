"""The tables of an HTML page, with cells that span rows and columns.

A pass of its own beside ``html``, which makes the text: here only cells matter, and their spans.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser

from workbench.reading.grid import Grid, Row, Span

MOST_SPANNED = 1_000
MOST_TABLES = 200
_SPACE = re.compile(r"\s+")
_UNSEEN = frozenset({"script", "style", "template", "noscript", "svg", "math"})
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6", "caption"})


def find_tables(source: str) -> tuple[Grid, ...]:
    """The tables of a page's source that have no table in them; each is named by its caption or the heading before
    it."""
    page = _Tables()
    page.feed(source)
    page.close()
    page.end_table()
    return tuple(page.tables[:MOST_TABLES])


class _Tables(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tables: list[Grid] = []
        self._rows: list[dict[int, str]] | None = None
        self._spans: list[Span] = []
        self._covered: dict[int, int] = {}  # columns that a cell above covers, down to a row
        self._column = 0
        self._head_rows = 0
        self._in_head = self._only_heads = False
        self._pieces: list[str] | None = None
        self._heading: list[str] | None = None
        self._name = ""
        self._unseen = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _UNSEEN:
            self._unseen += 1
        elif tag in _HEADINGS:
            self._heading = []
        elif tag == "table":
            self._rows, self._spans, self._covered, self._head_rows = [], [], {}, 0
            self._pieces = None
        elif self._rows is None:
            return
        elif tag == "thead":
            self._in_head = True
        elif tag == "tr":
            self._end_row()
            self._rows.append({})
            self._column, self._only_heads = -1, True
        elif tag in ("td", "th") and self._rows:
            self._end_cell()
            self._begin_cell(tag, dict(attrs))
        elif tag == "br" and self._pieces is not None:
            self._pieces.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag in _UNSEEN:
            self._unseen = max(0, self._unseen - 1)
        elif tag in _HEADINGS and self._heading is not None:
            self._name, self._heading = _SPACE.sub(" ", "".join(self._heading)).strip(), None
        elif tag in ("td", "th"):
            self._end_cell()
        elif tag == "tr":
            self._end_row()
        elif tag == "thead":
            self._end_row()
            self._in_head = False
        elif tag == "table":
            self.end_table()

    def handle_data(self, data: str) -> None:
        if self._unseen:
            return
        if self._heading is not None:
            self._heading.append(data)
        elif self._pieces is not None:
            self._pieces.append(data)

    def end_table(self) -> None:
        """The open table ends, if there is one."""
        if self._rows is None:
            return
        self._end_row()
        rows: list[tuple[int, Row]] = list(enumerate(self._rows, 1))
        if len(rows) > 1 and len(self.tables) < MOST_TABLES:
            self.tables.append(Grid(rows, self._name, tuple(self._spans), head_rows=self._head_rows))
        self._rows = None

    def _begin_cell(self, tag: str, attributes: dict[str, str | None]) -> None:
        assert self._rows is not None
        number = len(self._rows)
        self._column += 1
        while self._covered.get(self._column, 0) >= number:
            self._column += 1
        across, down = _span(attributes.get("colspan")), _span(attributes.get("rowspan"))
        if (across, down) != (1, 1) and len(self._spans) < MOST_SPANNED:
            right = self._column + across - 1
            self._spans.append((number, self._column, number + down - 1, right))
            self._covered.update(dict.fromkeys(range(self._column, right + 1), number + down - 1))
        self._only_heads = self._only_heads and tag == "th"
        self._pieces = []

    def _end_cell(self) -> None:
        if self._pieces is None or not self._rows:
            return
        text = _SPACE.sub(" ", "".join(self._pieces)).strip()
        if text:
            self._rows[-1][self._column] = text
        self._pieces = None
        covered = self._covered.get(self._column, 0)
        while covered >= len(self._rows) and self._covered.get(self._column + 1, 0) == covered:
            self._column += 1

    def _end_row(self) -> None:
        self._end_cell()
        if (
            self._rows
            and self._rows[-1]
            and (self._in_head or self._only_heads)
            and self._head_rows == len(self._rows) - 1
        ):
            self._head_rows += 1
        self._only_heads = False


def _span(value: str | None) -> int:
    return min(int(value), MOST_SPANNED) if value and value.isdigit() and len(value) < 6 and int(value) else 1
