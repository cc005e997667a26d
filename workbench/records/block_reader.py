"""Reads the blocks of a document from its text: where each begins and ends, and which rows belong to a table."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from workbench.records.table_lines import QUOTED, LineCell, cells_of_line, is_row, is_rule, named_columns
from workbench.records.tables import DocumentTable

BlockKind = Literal["heading", "paragraph", "item", "quote", "code", "field", "rule", "page", "head", "row"]

SHEETS = ("xlsx", "xls", "csv", "tsv")
"""Kinds of documents that are tables as a whole."""
SLIDES = ("pptx", "ppt")
MAILS = ("eml", "msg")
LONGEST_BLOCK = 4_000
"""Characters of a paragraph that is drawn as one; a longer one is divided."""
MOST_LINES = 40
"""Lines of a paragraph that is drawn as one."""

_WITHOUT_MARKS = ("text", "code", "json", "jsonl", "pdf", "picture", "rst")
_AS_CODE = ("code",)
HEADING = re.compile(r"(#{1,6})[ \t]+(.*?)[ \t]*#*$")
ITEM = re.compile(r"([ \t]*)(?:([-*+•])|(\d{1,3}[.)]))[ \t]+(?:\[[ xX]\][ \t]+)?(?=\S)")
_FENCE = re.compile(r"[ \t]*(?:```|~~~)")
FIELD = re.compile(r"(Subject|From|To|Cc|Date|Attachment): ")
_RULE = re.compile(r"[ \t]*([-=_*~#])(?:[ \t]*\1){2,}[ \t]*")
_ALIGNED = re.compile(r"\S(?: {3,}|\t)\S")


class Block(NamedTuple):
    """``text[start:end]`` of the document. ``level`` is a heading's, an item's depth, or how often a line is quoted;
    ``table`` is the number of a row's grid, ``row`` its number among the rows of the table that is stored, -1 without
    one. ``number``: of a page or slide from 1, or of a row as the file counts it, 0 where that is not known."""

    kind: BlockKind
    start: int
    end: int
    level: int = 0
    table: int = -1
    row: int = -1
    number: int = 0


class Grid(NamedTuple):
    """The columns of a table: their names, "" where there are none, and which hold numbers. ``first`` and ``last`` are
    the blocks that belong to it."""

    names: tuple[str, ...]
    numbers: tuple[bool, ...]
    first: int
    last: int
    stored: int = -1


def read_blocks(
    text: str, kind: str, page_starts: Sequence[int], tables: Sequence[DocumentTable]
) -> tuple[list[Block], list[Grid]]:
    """The blocks of a text in order, and the tables that rows of them belong to."""
    reader = _Reader(text, kind, page_starts, tables)
    reader.read()
    return reader.blocks, reader.grids


class _Reader:
    """Reads the blocks of a text, line by line."""

    def __init__(self, text: str, kind: str, page_starts: Sequence[int], tables: Sequence[DocumentTable]) -> None:
        self._text, self._kind = text, kind
        self._tables = tables
        self.blocks: list[Block] = []
        self.grids: list[Grid] = []
        self._marked = kind not in _WITHOUT_MARKS
        self._pages = list(page_starts)
        self._next_page = 0
        self._paragraph: tuple[int, int] | None = None
        self._lines = 0
        self._rows: list[tuple[int, int]] = []  # lines of rows whose table is not known yet
        self._open = -1  # the grid that rows are added to
        self._in_code = False
        self._known: dict[int, tuple[int, int]] = {}
        if kind not in ("pdf", "picture"):
            for table, one in enumerate(self._tables):
                for number, row in enumerate((*one.rows, *one.totals)):
                    if row.end > row.start:
                        self._known.setdefault(row.start, (table, number))

    def read(self) -> None:
        text, at, length = self._text, 0, len(self._text)
        skip = 0
        while at <= length:
            end = text.find("\n", at)
            end = length if end < 0 else end
            if self._next_page < len(self._pages) and self._pages[self._next_page] <= at:
                self._begin_page()
            if at >= skip:
                skip = self._line(at, end)
            at = end + 1
        self._end_all()
        while self._next_page < len(self._pages):
            self._begin_page()

    def _begin_page(self) -> None:
        self._end_all()
        self._next_page += 1
        start = self._pages[self._next_page - 1]
        self.blocks.append(Block("page", start, start, number=self._next_page))

    def _line(self, start: int, end: int) -> int:
        """Reads a line; gives the offset up to which the following lines belong to it."""
        known = self._known.get(start)
        if known is not None:
            self._end_paragraph()
            return self._known_row(*known)
        line = self._text[start:end]
        if not line.strip():
            if self._in_code:
                self._add_line(start, end)
            else:
                self._end_all()
            return 0
        if self._kind == "markdown" and _FENCE.match(line):
            self._end_all()
            self._in_code = not self._in_code
            return 0
        if self._in_code or self._kind in _AS_CODE:
            self._add_line(start, end)
            return 0
        if self._marked:
            quoted = self._signs(line)
            if is_row(line[quoted:]):
                self._end_paragraph()
                self._rows.append((start + quoted, end))
                return 0
            if self._rows:
                if is_rule(line[quoted:]):
                    self._rows.append((start + quoted, end))
                    return 0
                self._end_rows()
            if self._kind in SHEETS:
                self._single_cell(start, end)
                return 0
            if (match := HEADING.match(line)) is not None and match.group(2):
                self._end_all()
                self.blocks.append(Block("heading", start, end, len(match.group(1))))
                return 0
            if (item := ITEM.match(line)) is not None and (item.group(2) in ("-", "•") or self._kind == "markdown"):
                self._end_paragraph()
                depth = len(item.group(1).expandtabs(4)) // 2
                self._paragraph, self._lines = (start, end), 1
                self._as = ("item", depth)
                return 0
        if _RULE.fullmatch(line):
            if self._paragraph is not None and self._lines == 1 and line.strip()[0] in "=-~" and self._as == ("", 0):
                first, last = self._paragraph
                if last - first <= 120 and self._kind in ("text", "markdown", "rst"):
                    self._paragraph = None
                    self.blocks.append(Block("heading", first, last, 1 if line.strip()[0] == "=" else 2))
                    return 0
            self._end_paragraph()
            self.blocks.append(Block("rule", start, end))
            return 0
        if quoted := self._signs(line):
            if not line[quoted:].strip():
                self._end_paragraph()
                return 0
            level = line.count(">", 0, quoted)
            if self._paragraph is None or self._as != ("quote", level):
                self._end_paragraph()
                self._as = ("quote", level)
            self._add_line(start, end)
            return 0
        if self._kind in MAILS and FIELD.match(line) and (self._paragraph is None):
            self.blocks.append(Block("field", start, end))
            return 0
        if self._paragraph is not None and self._as[0] == "quote":
            self._end_paragraph()
        self._add_line(start, end)
        return 0

    def _signs(self, line: str) -> int:
        """The length of the signs before a line that is quoted; 0 before any other."""
        match = QUOTED.match(line) if self._kind in (*MAILS, "markdown", "text") else None
        return match.end() if match is not None else 0

    _as: tuple[str, int] = ("", 0)

    def _add_line(self, start: int, end: int) -> None:
        if self._paragraph is not None and (self._lines >= MOST_LINES or end - self._paragraph[0] > LONGEST_BLOCK):
            kind = self._as
            self._end_paragraph()
            self._as = kind
        first = self._paragraph[0] if self._paragraph is not None else start
        self._paragraph = (first, end)
        self._lines += 1

    def _end_paragraph(self) -> None:
        if self._paragraph is None:
            return
        start, end = self._paragraph
        name, level = self._as
        kind: BlockKind = "paragraph"
        if self._in_code or self._kind in _AS_CODE or (not name and self._is_aligned(start, end)):
            kind = "code"
        elif name == "item":
            kind = "item"
        elif name == "quote":
            kind = "quote"
        for first, last in _divided(self._text, start, end):
            self.blocks.append(Block(kind, first, last, level))
        self._paragraph, self._lines, self._as = None, 0, ("", 0)

    def _is_aligned(self, start: int, end: int) -> bool:
        """Whether the lines have columns of blanks, which only letters of one width keep."""
        if self._kind not in ("text", "json", "jsonl"):
            return False
        lines = self._text[start:end].split("\n")
        return sum(bool(_ALIGNED.search(line)) for line in lines) * 2 > len(lines)

    def _end_all(self) -> None:
        self._end_paragraph()
        self._end_rows()
        self._open = -1

    def _single_cell(self, start: int, end: int) -> None:
        """A line of a sheet without a bar: the name of a sheet, or a row of one cell."""
        match = HEADING.match(self._text, start, end)
        if match is not None and self._kind in ("xlsx", "xls"):
            self._end_all()
            self.blocks.append(Block("heading", start, end, len(match.group(1))))
            return
        self._end_paragraph()
        self.blocks.append(Block("paragraph", start, end))

    # -- rows ------------------------------------------------------------------------------------------

    def _known_row(self, table: int, row: int) -> int:
        """A row of a stored table: the lines before its first row that only name the columns are its head."""
        stored = self._tables[table]
        if self._open < 0 or self.grids[self._open].stored != table:
            head = self._take_head(stored)
            self._end_rows()
            start, end = head if head is not None else (self._row_start(stored, row), self._row_start(stored, row))
            numbers = tuple(column.kind == "number" for column in stored.columns)
            names = tuple(column.name for column in stored.columns)
            if any(names):
                self.blocks.append(Block("head", start, end, table=len(self.grids)))
            self._open = len(self.grids)
            self.grids.append(Grid(names, numbers, len(self.blocks) - bool(any(names)), len(self.blocks), table))
        else:
            self._end_rows()
        one = stored.rows[row] if row < len(stored.rows) else stored.totals[row - len(stored.rows)]
        number = one.number if self._kind in SHEETS else 0
        self._add_row(one.start, one.end, row, number)
        return one.end

    def _row_start(self, table: DocumentTable, row: int) -> int:
        return (table.rows[row] if row < len(table.rows) else table.totals[row - len(table.rows)]).start

    def _add_row(self, start: int, end: int, row: int = -1, number: int = 0) -> None:
        self.blocks.append(Block("row", start, end, table=self._open, row=row, number=number))
        grid = self.grids[self._open]
        self.grids[self._open] = grid._replace(last=len(self.blocks) - 1)

    def _take_head(self, table: DocumentTable) -> tuple[int, int] | None:
        """The last lines before a table that have nothing but names of its columns; they are taken from the rows."""
        taken: list[tuple[int, int]] = []
        known = " ".join(column.name for column in table.columns)
        while self._rows and len(taken) < 4:
            start, end = self._rows[-1]
            line = self._text[start:end]
            words = [self._text[cell.start : cell.end] for cell in _bare_cells(line, start)]
            if not is_rule(line) and not all(_plain(word) in known for word in words):
                break
            taken.append(self._rows.pop())
        return (taken[-1][0], taken[0][1]) if taken else None

    def _end_rows(self) -> None:
        """The lines of rows that belong to no stored table: to the table before them, or a table of their own."""
        lines, self._rows = self._rows, []
        if not lines:
            return
        texts = [self._text[start:end] for start, end in lines]
        if self._open < 0:
            rules = [number for number, line in enumerate(texts) if is_rule(line)]
            names = named_columns(texts[:200])
            first = len(self.blocks)
            if names:
                self.blocks.append(Block("head", lines[0][0], lines[0][0], table=len(self.grids)))
            elif rules == [1]:
                names = tuple(texts[0][c.start : c.end] for c in _bare_cells(texts[0], 0))
                self.blocks.append(Block("head", *lines[0], table=len(self.grids)))
                del lines[0], texts[0]
            else:
                names = ("",) * max(len(_bare_cells(line, 0)) for line in texts)
            self._open = len(self.grids)
            self.grids.append(Grid(names, (False,) * len(names), first, first))
        for (start, end), line in zip(lines, texts, strict=True):
            if not is_rule(line):
                self._add_row(start, end)


def _bare_cells(line: str, start: int) -> list[LineCell]:
    """The cells of a line, with their names as a part of them."""
    cells = cells_of_line(line, start)
    return [LineCell(cell.start - len(cell.name) - 2, cell.end) if cell.name else cell for cell in cells]


def _plain(words: str) -> str:
    return words.replace("**", "").replace("`", "").replace("\\|", "|").strip()


def _divided(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """A paragraph in parts that are not too long to be drawn, divided between words."""
    while end - start > LONGEST_BLOCK + 400:
        cut = text.rfind(" ", start + LONGEST_BLOCK // 2, start + LONGEST_BLOCK)
        cut = start + LONGEST_BLOCK if cut < 0 else cut + 1
        yield start, cut
        start = cut
    yield start, end
