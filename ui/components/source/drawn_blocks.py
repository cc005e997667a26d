"""The blocks of a document as they are drawn: a paragraph with its sign, a row of a table with its cells."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPen

from ui import texts
from ui.components.source.drawn_text import DrawnText, Mark, Softness
from ui.components.source.look import Look
from workbench.records.block_reader import MAILS, SLIDES, Block
from workbench.records.document_blocks import DocumentBlocks, Piece

_ABOVE = {"heading": 18, "paragraph": 10, "item": 4, "quote": 8, "code": 10, "field": 2, "rule": 10, "head": 12}
_BROKEN: dict[str, Softness] = {
    "markdown": (0.7, False),  # some of the signs of a line are not drawn
    "text": (0.9, False),
    "rst": (0.9, False),
    "pdf": (0.85, True),
    **dict.fromkeys(MAILS, (0.85, False)),
}
"""Kinds whose lines are often broken for their length."""
_ITEM_INDENT, _QUOTE_INDENT, _CELL_X, _CELL_Y = 22, 14, 8, 5


class DrawnBlock:
    """One block at a width. ``height`` has the gap above it in it."""

    height = 0.0

    def paint(self, painter: QPainter, x: float, y: float, marks: Sequence[Mark]) -> None:
        """Draw it with its top left at a place."""

    def rectangle(self, offset: int) -> QRectF:
        """Where the letter at an offset of the text is, from the top left."""
        return QRectF(0, 0, 1, self.height)

    def offset_at(self, x: float, y: float) -> int:
        raise NotImplementedError

    def taken(self, start: int, end: int) -> str:
        """The words between two offsets."""
        return ""


class Paragraph(DrawnBlock):
    """Running text, a heading, an item of a list, a quotation, or lines of code."""

    def __init__(self, owner: DocumentBlocks, number: int, width: float, look: Look) -> None:
        block = owner.blocks[number]
        self._block, self._look = block, look
        self._marker = owner.marker(number)
        self._above = gap_above(owner, number, look)
        self._indent = indent_of(block, look)
        font, step = look.body, look.step
        if block.kind == "heading":
            font = look.heading(block.level)
            step = round(font.pixelSize() * 1.3)
        elif block.kind == "code":
            font, step = look.code, round(look.code.pixelSize() * 1.4)
        styles = look.styles if block.kind != "code" else {}
        pieces = owner.pieces(number)
        self._label: DrawnText | None = None
        if block.kind == "field" and pieces:  # the values stand below each other
            self._label = DrawnText(owner.text, pieces[:1], look.small, look.scaled(90), look.styles, step)
            pieces = pieces[1:]
        soft = breaks_softly(owner, block)
        self._text = DrawnText(owner.text, pieces, font, width - self._indent, styles, step, soft=soft)
        self._step = step
        self.height = self._above + self._text.height

    def paint(self, painter: QPainter, x: float, y: float, marks: Sequence[Mark]) -> None:
        look, top = self._look, y + self._above
        painter.setPen(look.colours.muted if self._block.kind == "quote" else look.colours.text)
        if self._block.kind == "quote":
            for level in range(self._block.level):
                left = x + look.scaled(_QUOTE_INDENT) * level
                painter.fillRect(QRectF(left, top, 2, self._text.height), look.colours.line)
        if self._marker:
            painter.setFont(look.body)
            left = x + self._indent - look.scaled(_ITEM_INDENT)
            place = QRectF(left, top, look.scaled(_ITEM_INDENT) - 6, self._step)
            aligned = Qt.AlignmentFlag.AlignRight if len(self._marker) < 4 else Qt.AlignmentFlag.AlignLeft
            painter.drawText(place, aligned | Qt.AlignmentFlag.AlignVCenter, self._marker)
        if self._label is not None:
            painter.setPen(look.colours.muted)
            self._label.paint(painter, QPointF(x, top))
            painter.setPen(look.colours.text)
        self._text.paint(painter, QPointF(x + self._indent, top), marks)

    def rectangle(self, offset: int) -> QRectF:
        return self._text.rectangle(offset).translated(self._indent, self._above)

    def offset_at(self, x: float, y: float) -> int:
        return self._text.offset_at(x - self._indent, y - self._above)

    def taken(self, start: int, end: int) -> str:
        before = f"{self._marker} " if self._marker and start <= self._block.start else ""
        return before + self._text.taken(start, end)


class Rule(DrawnBlock):
    """A line across, or the head of a page or slide with its number."""

    def __init__(self, owner: DocumentBlocks, number: int, width: float, look: Look) -> None:
        self._block, self._width, self._look = owner.blocks[number], width, look
        self._is_slide = owner.kind in SLIDES
        self._words = ""
        self.height = look.scaled(20)
        if self._block.kind == "page":
            self._words = (texts.SLIDE if self._is_slide else texts.PAGE).format(page=self._block.number)
            self.height = look.scaled(56 if self._is_slide and number else 32)

    def paint(self, painter: QPainter, x: float, y: float, marks: Sequence[Mark]) -> None:
        look = self._look
        painter.setPen(QPen(look.colours.line))
        if self._words:
            painter.setFont(look.small)
            painter.setPen(look.colours.muted)
            place = QRectF(x, y, self._width, self.height)
            painter.drawText(place, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignBottom, self._words)
            if not self._is_slide:
                wide = QFontMetricsF(look.small).horizontalAdvance(self._words) + 8
                middle = y + self.height - look.small.pixelSize() / 2 - 2
                painter.setPen(QPen(look.colours.line))
                painter.drawLine(QPointF(x + wide, middle), QPointF(x + self._width, middle))
        else:
            middle = y + self.height / 2
            painter.drawLine(QPointF(x, middle), QPointF(x + self._width, middle))

    def offset_at(self, x: float, y: float) -> int:
        return self._block.start


class Row(DrawnBlock):
    """A row of a table, or the names of its columns. ``columns``: the left edge and the width of each."""

    def __init__(self, owner: DocumentBlocks, number: int, columns: Sequence[tuple[float, float]], look: Look) -> None:
        self._block, self._look, self._columns = owner.blocks[number], look, columns
        grid = owner.grids[self._block.table]
        self._is_head = self._block.kind == "head"
        self._is_first = number == grid.first
        self._above = look.scaled(_ABOVE["head"]) if self._is_first else 0.0
        self._cells: list[tuple[int, DrawnText, bool]] = []
        font = look.head if self._is_head else look.cell
        tallest = look.cell_step
        cells = owner.cells(number)
        for cell in cells:
            at = min(cell.column, len(columns) - 1)
            _, wide = columns[at]
            alone = len(cells) == 1 and not self._is_head and len(columns) > 1 and cell.column == 0
            if alone:
                wide = columns[-1][0] + columns[-1][1] - columns[0][0]
            right = not alone and at < len(grid.numbers) and grid.numbers[at]
            inner = wide - 2 * look.scaled(_CELL_X)
            placed = cell.end > cell.start
            source, pieces = (owner.text, [Piece(cell.start, cell.end)]) if placed else (
                cell.words, [Piece(0, len(cell.words))]
            )  # fmt: skip
            drawn = DrawnText(source, pieces, font, inner, look.styles, look.cell_step, right=right)
            tallest = max(tallest, round(drawn.height))
            self._cells.append((at, drawn, placed))
        self._inside = tallest + 2 * look.scaled(_CELL_Y)
        self.height = self._above + self._inside

    @property
    def width(self) -> float:
        return self._columns[-1][0] + self._columns[-1][1] if self._columns else 0.0

    def paint(self, painter: QPainter, x: float, y: float, marks: Sequence[Mark]) -> None:
        look, top = self._look, y + self._above
        area = QRectF(x, top, self.width, self._inside)
        if self._is_head:
            painter.fillRect(area, look.colours.sunken)
        whole = [mark for mark in marks if mark[0] <= self._block.start and mark[1] >= self._block.end]
        if whole and not self._is_head:
            painter.fillRect(area, whole[0][2].background())
        painter.setPen(QPen(look.colours.line))
        painter.drawLine(area.bottomLeft(), area.bottomRight())
        if self._is_first:
            painter.drawLine(area.topLeft(), area.topRight())
        for left, wide in self._columns[:-1]:
            painter.drawLine(QPointF(x + left + wide, top), QPointF(x + left + wide, top + self._inside))
        painter.drawLine(area.topLeft(), area.bottomLeft())
        painter.drawLine(area.topRight(), area.bottomRight())
        for column, text, placed in self._cells:
            is_marked = bool(whole) and not self._is_head
            painter.setPen(whole[0][2].foreground().color() if is_marked else look.colours.text)
            place = QPointF(x + self._columns[column][0] + look.scaled(_CELL_X), top + look.scaled(_CELL_Y))
            text.paint(painter, place, marks if placed else ())

    def rectangle(self, offset: int) -> QRectF:
        for column, text, placed in self._cells:
            if placed and text.holds(offset):
                left = self._columns[column][0] + self._look.scaled(_CELL_X)
                return text.rectangle(offset).translated(left, self._above + self._look.scaled(_CELL_Y))
        return QRectF(0, self._above, 1, self._inside)

    def offset_at(self, x: float, y: float) -> int:
        best = self._block.start
        for column, text, placed in self._cells:
            left = self._columns[column][0]
            if placed and x >= left:
                best = text.offset_at(
                    x - left - self._look.scaled(_CELL_X), y - self._above - self._look.scaled(_CELL_Y)
                )
        return best

    def taken(self, start: int, end: int) -> str:
        return "\t".join(text.taken(start, end) if placed else text.text for _, text, placed in self._cells)


def breaks_softly(owner: DocumentBlocks, block: Block) -> Softness:
    """Whether the lines of a block may be broken only for their length."""
    return _BROKEN.get(owner.kind, (0.0, False)) if block.kind in ("paragraph", "item", "quote") else (0.0, False)


def gap_above(owner: DocumentBlocks, number: int, look: Look) -> float:
    """The gap above a block: none within what was divided only for its length."""
    block = owner.blocks[number]
    if number == 0:
        return 0.0
    before = owner.blocks[number - 1]
    between = block.start - before.end
    if before.kind == block.kind and block.kind in ("code", "paragraph", "quote") and between <= 1:
        return 0.0
    gap = _ABOVE.get(block.kind, 0)
    if before.kind == "field" and block.kind != "field":
        gap = 20
    if before.kind == "page":
        gap = 6
    return look.scaled(gap)


def indent_of(block: Block, look: Look) -> float:
    if block.kind == "item":
        return look.scaled(_ITEM_INDENT * (1 + min(block.level, 6)))
    if block.kind == "quote":
        return look.scaled(_QUOTE_INDENT * min(block.level, 8))
    return look.scaled(96) if block.kind == "field" else 0.0


def estimated_height(owner: DocumentBlocks, number: int, width: float, look: Look) -> float:
    """The height that a block probably has, without laying it out."""
    block = owner.blocks[number]
    match block.kind:
        case "row":
            return look.cell_step + 2 * look.scaled(_CELL_Y)
        case "head":
            return look.cell_step + 2 * look.scaled(_CELL_Y) + look.scaled(_ABOVE["head"])
        case "rule" | "page":
            return look.scaled(56 if block.kind == "page" and owner.kind in SLIDES else 28)
        case _:
            letters = max(10.0, (width - indent_of(block, look)) / look.letter)
            lines = 1 + (block.end - block.start) // letters
            if block.kind in ("code", "quote"):
                lines = max(lines, 1 + owner.text.count("\n", block.start, block.end))
            return lines * look.step + gap_above(owner, number, look)


def natural_widths(owner: DocumentBlocks, table: int, look: Look, largest: float) -> tuple[list[float], list[float]]:
    """The widths that the columns of a table want, and those that their longest words need, by a sample of its rows."""
    grid = owner.grids[table]
    widths = [look.scaled(36)] * len(grid.names)
    needed = list(widths)
    numbers = list(range(grid.first, min(grid.last + 1, grid.first + 60)))
    rest = range(grid.first + 60, grid.last + 1)
    numbers += list(rest[:: max(1, len(rest) // 60)])
    heads, cells = QFontMetricsF(look.head), QFontMetricsF(look.cell)
    for number in numbers:
        block = owner.blocks[number]
        if block.kind not in ("row", "head") or block.table != table:
            continue
        row = owner.cells(number)
        if len(row) == 1 and len(widths) > 1 and block.kind == "row":
            continue  # a remark across the table
        metrics = heads if block.kind == "head" else cells
        for cell in row:
            if cell.column >= len(widths):
                widths += [look.scaled(36)] * (cell.column + 1 - len(widths))
                needed += [look.scaled(36)] * (cell.column + 1 - len(needed))
            edges = 2 * look.scaled(_CELL_X) + 2
            word = metrics.horizontalAdvance(max(cell.words[:200].split(), key=len, default="")) + edges
            wide = word if block.kind == "head" else metrics.horizontalAdvance(cell.words[:200]) + edges
            widths[cell.column] = max(widths[cell.column], min(wide, largest))
            needed[cell.column] = max(needed[cell.column], min(word, largest))
    return widths, needed


def fitted_widths(widths: Sequence[float], needed: Sequence[float], room: float) -> list[float]:
    """Widths that fit into the room together: the widest ones give way first, none below what its words need as long
    as that fits."""
    widths = list(widths)
    if sum(widths) <= room:
        return widths
    least = needed if sum(needed) <= room else [width * room / sum(needed) for width in needed]
    low, high = 0.0, max(widths)
    for _ in range(30):
        middle = (low + high) / 2
        if sum(max(own, min(width, middle)) for width, own in zip(widths, least, strict=True)) > room:
            high = middle
        else:
            low = middle
    return [max(own, min(width, low)) for width, own in zip(widths, least, strict=True)]


def draw_block(
    owner: DocumentBlocks, number: int, width: float, columns: Sequence[tuple[float, float]], look: Look
) -> DrawnBlock:
    """A block at a width; ``columns`` are those of the table that a row belongs to."""
    kind = owner.blocks[number].kind
    if kind in ("row", "head"):
        return Row(owner, number, columns, look)
    if kind in ("rule", "page"):
        return Rule(owner, number, width, look)
    return Paragraph(owner, number, width, look)
