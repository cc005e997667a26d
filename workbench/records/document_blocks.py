"""A document's text as the blocks that it consists of: headings, paragraphs, items of lists, rows of tables, the heads
of a mail, slides.

The text is what the confined reader made of a file, with marks for its structure (``# Scope``, ``- item``,
``Name: x | Height: 52``); its tables are known beside it. Here the marks are told from the words, so that the words can
be drawn without them. A block names places in the text: what is drawn of it are pieces of the text, in order, of which
a place can be marked.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Literal, NamedTuple

from workbench.records.block_reader import FIELD, HEADING, ITEM, Block, Grid, read_blocks
from workbench.records.documents import DocumentText
from workbench.records.table_lines import QUOTED, cells_of_line
from workbench.records.tables import DocumentTable, TableRow

Style = Literal["", "strong", "emphasis", "code", "label"]

_INLINE = re.compile(
    r"(?P<code>`+)(?P<coded>[^`\n]+?)(?P=code)"
    r"|(?P<strong>\*\*|__)(?=\S)(?P<bold>.+?)(?<=\S)(?P=strong)"
    r"|(?<![\w*])(?P<emphasis>[*_])(?=[^\s*_])(?P<slanted>[^*_\n]+?)(?<=\S)(?P=emphasis)(?![\w*])"
    r"|!?\[(?P<link>[^\]\n]{0,400})\]\((?P<target>[^)\n]{0,1000})\)"
    r"|<(?P<address>[a-z]+:[^>\s]{1,400})>"
    r"|\\(?P<escaped>[\\`*_{}\[\]()#+.!|>~-])"
    r"|</?(?:br|b|i|u|em|strong|sub|sup|span|div|p|center)\b[^>\n]{0,200}>",
    re.S,
)


class Piece(NamedTuple):
    """``text[start:end]`` is drawn in a style; ``marker`` stands before it and is no text of the document."""

    start: int
    end: int
    style: Style = ""


class Cell(NamedTuple):
    """A cell of a row: its words, and where they are in the text, 0 to 0 for words that another row has as well."""

    column: int
    words: str
    start: int = 0
    end: int = 0


class DocumentBlocks:
    """The blocks of a document. Offsets are those of its text."""

    def __init__(self, text: str, kind: str, page_starts: Sequence[int] = (), tables: Sequence[DocumentTable] = ()):
        self.text, self.kind = text, kind
        self.tables = tables
        self.blocks, self.grids = read_blocks(text, kind, page_starts, tables)

    @classmethod
    def of(cls, document: DocumentText) -> DocumentBlocks:
        return cls(document.text, document.document.kind, document.page_starts, document.tables)

    @cached_property
    def starts(self) -> list[int]:
        return [block.start for block in self.blocks]

    def block_at(self, offset: int) -> int:
        """The number of the block that an offset is in, or the last one before it; -1 where there is none."""
        return bisect_right(self.starts, offset) - 1

    def pieces(self, number: int) -> list[Piece]:
        """The drawn pieces of a block's text; none of a row, whose cells are drawn."""
        block = self.blocks[number]
        return list(_pieces(self.text, block, self.kind)) if block.kind not in ("row", "head", "rule", "page") else []

    def marker(self, number: int) -> str:
        """The sign before an item: a bullet, or its own number."""
        block = self.blocks[number]
        if block.kind != "item":
            return ""
        match = ITEM.match(self.text, block.start, block.end)
        return (match.group(3) if match is not None else None) or "•"

    def cells(self, number: int) -> list[Cell]:
        """The cells of a row, or of the head of a table."""
        block = self.blocks[number]
        grid = self.grids[block.table]
        if block.kind == "head":
            return list(self._head_cells(block, grid))
        if block.row >= 0:
            return list(self._stored_cells(block, self._stored_row(grid, block.row)))
        line = self.text[block.start : block.end]
        columns = {name: column for column, name in enumerate(grid.names) if name}
        cells: list[Cell] = []
        last = -1
        for cell in cells_of_line(line, block.start, grid.names if grid.stored < 0 else ()):
            column = columns.get(cell.name, -1)
            start = cell.start
            if column < 0 and cell.name:  # a name that is none of the columns': it belongs to the words
                start -= len(cell.name) + 2
            last = column if column > last else last + 1
            cells.append(Cell(last, self.text[start : cell.end], start, cell.end))
        return cells

    def drawn_text(self, number: int) -> str:
        """The words that are drawn of a block; the cells of a row are on lines of their own."""
        block = self.blocks[number]
        if block.kind in ("row", "head"):
            return "\n".join(cell.words for cell in self.cells(number))
        return "".join(self.text[piece.start : piece.end] for piece in self.pieces(number)).replace(" | ", " · ")

    def find(self, words: str, most: int = 2_000) -> list[tuple[int, int]]:
        """The places that show ``words``, without regard to case and to what blanks are between them; at most
        ``most``."""
        split = words.split()
        if not split:
            return []
        pattern = re.compile(r"\s+".join(map(re.escape, split)), re.IGNORECASE)
        found: list[tuple[int, int]] = []
        rows = self._rows_with(pattern)
        for number, block in enumerate(self.blocks):
            if block.kind in ("row", "head"):
                if number not in rows:
                    continue
                for cell in self.cells(number):
                    if cell.end > cell.start:
                        found += [
                            (cell.start + match.start(), cell.start + match.end())
                            for match in pattern.finditer(self.text[cell.start : cell.end])
                        ]
            else:
                found += self._find_in(number, pattern)
            if len(found) >= most:
                break
        return found[:most]

    # -- internals -------------------------------------------------------------------------------------

    def _stored_row(self, grid: Grid, row: int) -> TableRow:
        table = self.tables[grid.stored]
        return table.rows[row] if row < len(table.rows) else table.totals[row - len(table.rows)]

    def _stored_cells(self, block: Block, row: TableRow) -> Iterator[Cell]:
        at = block.start
        for column, words in enumerate(row.cells):
            if not words:
                continue
            start = _cell_start(self.text, words, at, block.end)
            if start < 0:
                yield Cell(column, words)
            else:
                at = start + len(words)
                yield Cell(column, words, start, at)

    def _head_cells(self, block: Block, grid: Grid) -> Iterator[Cell]:
        at = block.start
        for column, name in enumerate(grid.names):
            start = self.text.find(name, at, block.end) if name and block.end > block.start else -1
            if start < 0:
                yield Cell(column, name)
            else:
                at = start + len(name)
                yield Cell(column, name, start, at)

    def _rows_with(self, pattern: re.Pattern[str]) -> set[int]:
        if not self.grids:
            return set()
        return {self.block_at(match.start()) for match in pattern.finditer(self.text)}

    def _find_in(self, number: int, pattern: re.Pattern[str]) -> Iterator[tuple[int, int]]:
        pieces = self.pieces(number)
        drawn = "".join(self.text[piece.start : piece.end] for piece in pieces)
        if not pattern.search(drawn):
            return
        places: list[int] = []
        at = 0
        for piece in pieces:
            places.append(at)
            at += piece.end - piece.start

        def offset(position: int) -> int:
            piece = bisect_right(places, position) - 1
            return pieces[piece].start + position - places[piece]

        for match in pattern.finditer(drawn):
            if match.end() > match.start():
                yield offset(match.start()), offset(match.end() - 1) + 1


def _cell_start(text: str, words: str, at: int, end: int) -> int:
    """Where the words of a cell begin: at the beginning of a cell or after its name, not within another one."""
    found = text.find(words, at, end)
    first = found
    while found >= 0:
        before, after = text[max(0, found - 2) : found], text[found + len(words) : found + len(words) + 2]
        if (found in (at, 0) or before in ("| ", ": ") or before.endswith(("|", "\n", "\t", " "))) and (
            not after or after[0] in " |\n\t"
        ):
            return found
        found = text.find(words, found + 1, end)
    return first


def _pieces(text: str, block: Block, kind: str) -> Iterator[Piece]:
    start, end = block.start, block.end
    if block.kind == "code":
        yield Piece(start, end, "code")
        return
    if block.kind == "heading":
        match = HEADING.match(text, start, end)
        start, end = (match.start(2), match.end(2)) if match is not None else (start, end)
    elif block.kind == "item":
        match = ITEM.match(text, start, end)
        start = match.end() if match is not None else start
    elif block.kind == "field":
        match = FIELD.match(text, start, end)
        if match is not None:
            yield Piece(start, match.end() - 1, "label")
            start = match.end()
    elif block.kind == "quote":
        yield from _quoted(text, start, end)
        return
    if kind == "markdown":
        yield from _inline(text, start, end)
    elif end > start:
        yield Piece(start, end)


def _quoted(text: str, start: int, end: int) -> Iterator[Piece]:
    """The lines of a quotation without the signs before them."""
    while start < end:
        line_end = text.find("\n", start, end)
        line_end = end if line_end < 0 else line_end + 1
        match = QUOTED.match(text, start, line_end)
        if (first := match.end() if match is not None else start) < line_end:
            yield Piece(first, line_end)
        start = line_end


def _inline(text: str, start: int, end: int, style: Style = "", depth: int = 0) -> Iterator[Piece]:
    """The words of a Markdown line, without the marks of bold, slanted and coded words and of links."""
    at = start
    for match in _INLINE.finditer(text, start, end):
        if match.start() > at:
            yield Piece(at, match.start(), style)
        at = match.end()
        for group, inner in (("coded", "code"), ("bold", "strong"), ("slanted", "emphasis"), ("link", style)):
            if match.group(group) is not None:
                first, last = match.span(group)
                if group == "coded" or depth > 3:
                    yield Piece(first, last, inner)  # type: ignore[arg-type]
                else:
                    yield from _inline(text, first, last, inner, depth + 1)  # type: ignore[arg-type]
        for group in ("address", "escaped"):
            if match.group(group) is not None:
                yield Piece(*match.span(group), style)
    if at < end:
        yield Piece(at, end, style)
