"""A document as it is printed: its name, file and place, the marked sentence, and below them what the view shows."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise

from PySide6.QtCore import QBuffer, QIODevice, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter

from ui import texts
from ui.components.source.drawn_blocks import breaks_softly
from ui.components.source.drawn_text import Softness, joined
from workbench.records.block_reader import SLIDES
from workbench.records.document_blocks import DocumentBlocks, Piece
from workbench.records.documents import PagePicture

MOST_BLOCKS = 1_200
"""A longer document is printed around its mark: the pages are laid out in the window's thread."""
_PAGE_WIDTH, _PAGE_HEIGHT = 590, 720
"""Of a page's picture below the head, in CSS pixels: a sheet of A4 holds both."""
_MARK = "#ffe694"
_MANY_COLUMNS = 8
_STYLE = """
body { color: #22262a; } h1 { font-size: 17pt; margin-bottom: 4px; } h2 { font-size: 14pt; } h3 { font-size: 12pt; }
h4 { font-size: 10.5pt; } p { margin: 6px 0; } .note { color: #59636a; font-size: 9pt; margin: 2px 0; }
.part { color: #59636a; font-size: 9pt; margin-top: 14px; } .mark { background-color: @MARK; }
.words { background-color: @MARK; text-decoration: underline; } .label { color: #59636a; }
td, th { border: 1px solid #b9c0c4; padding: 3px 6px; font-size: 9pt; } th { background-color: #f3f4f4; }
""".replace("@MARK", _MARK)
_TAGS = {"strong": "b", "emphasis": "i", "code": "code"}

Places = Sequence[tuple[tuple[int, int], str]]
"""``start:end`` of the text and whether the sentence (``mark``) or the quoted words of it (``words``) are there."""


@dataclass(frozen=True)
class Printed:
    """What stands above a printed document. ``note`` is what the window says of it, that it has changed for example."""

    title: str
    file: str
    place: str = ""
    marked: str = ""
    note: str = ""


def text_page(head: Printed, blocks: DocumentBlocks, places: Places = ()) -> str:
    """The document's blocks with the marked places, or those around them where there are too many."""
    first, last = 0, len(blocks.blocks)
    rows = [_head(head)]
    if last > MOST_BLOCKS:
        at = max(0, blocks.block_at(min((start for (start, _), _ in places), default=0)))
        first = max(0, min(at - MOST_BLOCKS // 2, last - MOST_BLOCKS))
        last = first + MOST_BLOCKS
        rows.append(f'<p class="note">{escape(texts.PRINTED_PART)}</p>')
    rows.extend(_blocks(blocks, first, last, places))
    return _whole(head, rows)


def picture_page(head: Printed, picture: PagePicture, label: str) -> str:
    """A drawn page with its marks, or a picture within a document; ``label`` says which of how many it is."""
    image = QImage.fromData(picture.png).convertToFormat(QImage.Format.Format_RGB32)
    painter = QPainter(image)
    painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Multiply)
    for box in picture.boxes:
        area = QRectF(box.left, box.top, box.right - box.left, box.bottom - box.top)
        painter.fillRect(area.adjusted(-4, -2, 4, 2), QColor(_MARK))
    painter.end()
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")  # type: ignore[call-overload]
    size = image.size().scaled(_PAGE_WIDTH, _PAGE_HEIGHT, Qt.AspectRatioMode.KeepAspectRatio)
    data = base64.b64encode(buffer.data().data()).decode()
    page = escape(label.format(page=picture.page, pages=picture.pages))
    shown = f'<img src="data:image/png;base64,{data}" width="{size.width()}" height="{size.height()}">'
    return _whole(head, [_head(head), f'<p class="part">{page}</p>', f"<p>{shown}</p>"])


def _whole(head: Printed, rows: Sequence[str]) -> str:
    body = "\n".join(rows)
    return (
        f'<!DOCTYPE html>\n<html><head><meta charset="utf-8"><title>{escape(head.title)}</title>'
        f"<style>{_STYLE}</style></head>\n<body>\n{body}\n</body></html>\n"
    )


def _head(head: Printed) -> str:
    lines = [texts.PRINTED_FILE.format(path=head.file)]
    if head.place:
        lines.append(texts.PRINTED_PLACE.format(place=head.place))
    rows = [f"<h1>{escape(head.title)}</h1>", *(f'<p class="note">{escape(line)}</p>' for line in lines)]
    if head.note:
        rows.append(f'<p class="note">{escape(head.note)}</p>')
    if head.marked:
        label = escape(texts.PRINTED_MARK)
        rows.append(f'<p>{label}<br><span class="mark">{escape(head.marked)}</span></p>')
    return "\n".join([*rows, "<hr>"])


def _blocks(blocks: DocumentBlocks, first: int, last: int, places: Places) -> Iterator[str]:
    number = first
    while number < last:
        block = blocks.blocks[number]
        if block.kind in ("row", "head"):
            after = number
            while after < last and blocks.blocks[after].table == block.table:
                after += 1
            yield _table(blocks, number, after, places)
            number = after
            continue
        yield _block(blocks, number, places)
        number += 1


def _block(blocks: DocumentBlocks, number: int, places: Places) -> str:
    block = blocks.blocks[number]
    if block.kind == "rule":
        return "<hr>"
    if block.kind == "page":
        words = texts.SLIDE if blocks.kind in SLIDES else texts.PAGE
        return f'<p class="part">{escape(words.format(page=block.number))}</p>'
    words = _pieces(blocks, blocks.pieces(number), places, breaks_softly(blocks, block))
    match block.kind:
        case "heading":
            level = min(block.level, 3) + 1
            return f"<h{level}>{words}</h{level}>"
        case "item":
            indent = 18 * (1 + min(block.level, 6))
            return f'<p style="margin: 2px 0 2px {indent}px">{escape(blocks.marker(number))}&nbsp;{words}</p>'
        case "quote":
            return f'<p style="margin-left: {14 * min(block.level, 8)}px; color: #59636a">{words}</p>'
        case "code":
            return f'<p style="margin: 0; white-space: pre-wrap">{words}</p>'
        case "field":
            return f'<p style="margin: 2px 0">{words}</p>'
        case _:
            return f"<p>{words}</p>"


def _table(blocks: DocumentBlocks, first: int, last: int, places: Places) -> str:
    grid = blocks.grids[blocks.blocks[first].table]
    numbers = list(range(first, last))
    if blocks.blocks[first].kind != "head" and blocks.blocks[grid.first].kind == "head":
        numbers.insert(0, grid.first)  # of a table that begins before the part that is printed
    rows, columns = [], len(grid.names)
    for number in numbers:
        block = blocks.blocks[number]
        cells = blocks.cells(number)
        columns = max(columns, *(cell.column + 1 for cell in cells), 1)
        words = dict.fromkeys(range(columns), "")
        for cell in cells:
            placed = cell.end > cell.start
            words[cell.column] = (
                _pieces(blocks, [Piece(cell.start, cell.end)], places) if placed else escape(cell.words)
            )
        tag = "th" if block.kind == "head" else "td"
        aligned = [' align="right"' if at < len(grid.numbers) and grid.numbers[at] else "" for at in words]
        size = ' style="font-size: 7pt"' if columns > _MANY_COLUMNS else ""
        filled = "".join(
            f"<{tag}{side}{size}>{text or '&nbsp;'}</{tag}>" for side, text in zip(aligned, words.values(), strict=True)
        )
        rows.append(f"<tr>{filled}</tr>")
    return f'<table cellspacing="0" style="border-collapse: collapse">{"".join(rows)}</table>'


def _pieces(blocks: DocumentBlocks, pieces: Sequence[Piece], places: Places, soft: Softness = (0.0, False)) -> str:
    drawn = "".join(blocks.text[piece.start : piece.end] for piece in pieces).replace(" | ", " · ")
    drawn = joined(drawn, *soft) if soft[0] else drawn
    words, at = "", 0
    for piece in pieces:
        length = piece.end - piece.start
        words += _piece(drawn[at : at + length], piece, places)
        at += length
    return words


def _piece(drawn: str, piece: Piece, places: Places) -> str:
    near = [place for place in places if place[0][0] < piece.end and place[0][1] > piece.start]
    edges = {piece.start, piece.end}
    for (start, end), _ in near:
        edges |= {max(start, piece.start), min(end, piece.end)}
    words = ""
    for start, end in pairwise(sorted(edges)):
        part = re.sub("[\n\u2028]", "<br>", escape(drawn[start - piece.start : end - piece.start]))
        names = [name for (first, last), name in near if first <= start and last >= end]
        words += f'<span class="{names[-1]}">{part}</span>' if names else part
    if piece.style == "label":
        return f'<span class="label">{words}</span> '
    tag = _TAGS.get(piece.style, "")
    return f"<{tag}>{words}</{tag}>" if tag else words
