"""A document drawn from its blocks, of which only those near the visible part are laid out."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QGuiApplication,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QTextCharFormat,
    QWheelEvent,
)
from PySide6.QtWidgets import QAbstractScrollArea, QFrame

from ui import texts
from ui.components.source.drawn_blocks import DrawnBlock, draw_block, estimated_height, fitted_widths, natural_widths
from ui.components.source.drawn_text import Mark
from ui.components.source.look import Look
from ui.theme import tokens
from ui.theme.theme import current_theme
from workbench.records.block_reader import SHEETS, SLIDES
from workbench.records.document_blocks import DocumentBlocks
from workbench.records.documents import Chunk

ZOOMS = (0.6, 0.75, 0.9, 1.0, 1.15, 1.3, 1.5, 1.75, 2.0, 2.5)
_GUTTER = 40
_SIDE = tokens.SPACE_4
_BELOW = tokens.SPACE_6
_WIDEST_CELL = 300
_LITTLE_MORE = 1.35
"""A sheet that is so much wider than the view is fitted into it; a wider one is scrolled."""
_KEPT = 400
"""Laid out blocks that are kept when they are scrolled out of sight."""

Place = tuple[int, int]
"""``start:end`` of the document's text."""


class SourceView(QAbstractScrollArea):
    """Shows blocks, marks a passage in them, and lets words be selected and copied. Offsets are those of the text."""

    zoomed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(texts.DOCUMENT_TEXT)
        self.viewport().setCursor(Qt.CursorShape.IBeamCursor)
        self.blocks = DocumentBlocks("", "text")
        self.zoom = 1.0
        self._chunks: Sequence[Chunk] = ()
        self._chunk_starts: list[int] = []
        self._dense = False
        self._look = Look(1.0)
        self._drawn: dict[int, DrawnBlock] = {}
        self._heights: list[float] = []
        self._tops: list[float] = [0.0]
        self._columns: dict[int, list[tuple[float, float]]] = {}
        self._wide = 0.0  # the widest table
        self._passage: Place | None = None
        self._marks: list[Mark] = []
        self._places: list[tuple[Place, str]] = []
        self._matches: Sequence[Place] = ()
        self._match = -1
        self._selected: Place = (0, 0)
        self._anchor = -1
        self._shown_at: Place | None = None  # the place that stays in sight when the width changes
        self.verticalScrollBar().valueChanged.connect(self._on_scrolled)
        current_theme().changed.connect(self._on_look)

    # -- what is shown ---------------------------------------------------------------------------------

    def show_blocks(self, blocks: DocumentBlocks, chunks: Sequence[Chunk] = ()) -> None:
        """Show a document from its beginning."""
        self.blocks = blocks
        self._chunks = chunks
        self._chunk_starts = [chunk.start for chunk in chunks]
        self._dense = blocks.kind in SHEETS
        self._passage, self._places = None, []
        self._matches, self._match = (), -1
        self._selected, self._anchor = (0, 0), -1
        self._shown_at = None
        self._look = Look(self.zoom, self._dense)
        self._lay_out_anew()
        self.verticalScrollBar().setValue(0)
        self.horizontalScrollBar().setValue(0)

    @property
    def passage(self) -> Place | None:
        """The marked passage's offsets."""
        return self._passage

    def show_passage(self, start: int, end: int, words: Place = (0, 0), more: Sequence[Place] = ()) -> None:
        """Mark ``start:end`` and bring it into sight; the ``words`` of it are underlined. ``more`` places are marked as
        well."""
        self._passage = (start, end)
        self._places = [(place, "mark") for place in (*more, (start, end))]
        if words[1] > words[0]:
            self._places.append((words, "words"))
        self.setAccessibleDescription(texts.MARKED_PASSAGE.format(text=self.blocks.text[start:end][:600]))
        self._mark()
        self.bring_into_sight(start, end)

    def mark_places(self, places: Sequence[tuple[Place, str]]) -> None:
        """Mark places in the formats of ``Look`` with these names."""
        self._places = list(places)
        self._mark()

    def show_matches(self, matches: Sequence[Place], current: int) -> None:
        """Mark the places that a search has found, and bring the current one into sight; -1: none."""
        self._matches, self._match = matches, current
        self._mark()
        if 0 <= current < len(matches):
            self.bring_into_sight(*matches[current])

    def drawn_text(self) -> str:
        """All words of the document as they are drawn, a line for each block."""
        drawn = (self.blocks.drawn_text(number) for number in range(len(self.blocks.blocks)))
        return "\n".join(filter(None, drawn))

    def bring_into_sight(self, start: int, end: int = 0) -> None:
        """Scroll to a place, which then stays in sight when the width changes."""
        self._shown_at = (start, end)
        number = self.blocks.block_at(start)
        if number < 0 or not self._heights:
            return
        while number + 1 < len(self.blocks.blocks) and self.blocks.blocks[number].end <= start < end:
            if self.blocks.blocks[number + 1].start >= end:
                break
            number += 1  # the place begins in the gap before a block
        for _ in range(4):
            place = self._block(number).rectangle(max(start, self.blocks.blocks[number].start))
            top = self._tops[number] + place.top() + tokens.SPACE_3
            self.verticalScrollBar().setValue(round(top - self.viewport().height() * 0.3))
            if not self._lay_out():
                break
        left = place.left() + self._left()
        bar = self.horizontalScrollBar()
        if not bar.value() <= left <= bar.value() + self.viewport().width() * 0.8:
            bar.setValue(round(left - self.viewport().width() * 0.3))
        self.viewport().update()

    def rectangle_of(self, offset: int) -> QRectF:
        """Where the letter at an offset is in the viewport."""
        number = max(0, self.blocks.block_at(offset))
        place = self._block(number).rectangle(offset)
        return place.translated(
            self._left() - self.horizontalScrollBar().value(),
            self._tops[number] + tokens.SPACE_3 - self.verticalScrollBar().value(),
        )

    @property
    def places(self) -> list[tuple[Place, str]]:
        """The marked places with the name of each mark, in the order in which they are drawn."""
        return list(self._places)

    @property
    def marked(self) -> list[tuple[str, str]]:
        """The marked words with the name of each mark, in the order in which they are drawn."""
        return [(name, self.blocks.text[start:end]) for (start, end), name in self._places]

    # -- zoom ------------------------------------------------------------------------------------------

    def zoom_by(self, steps: int) -> None:
        """Make everything larger or smaller; what is in the middle or marked stays in sight."""
        larger = [zoom for zoom in ZOOMS if zoom > self.zoom + 0.01]
        smaller = [zoom for zoom in ZOOMS if zoom < self.zoom - 0.01]
        choice = larger[:1] if steps > 0 else smaller[-1:]
        if not choice:
            return
        place = self._place_in_sight()
        self.zoom = choice[0]
        self._on_look()
        if place is not None:
            self.bring_into_sight(*place)
        self.zoomed.emit()

    def _place_in_sight(self) -> Place | None:
        """The marked passage where it is in sight, else the first words in sight."""
        if self._shown_at is not None:
            y = self.rectangle_of(self._shown_at[0]).center().y()
            if 0 <= y <= self.viewport().height():
                return self._shown_at
        return (self.offset_at(QPointF(_GUTTER, self.viewport().height() * 0.3)), 0) if self._heights else None

    def _on_look(self) -> None:
        self._look = Look(self.zoom, self._dense)
        self._lay_out_anew()
        self._mark()

    # -- laying out ------------------------------------------------------------------------------------

    def _width(self) -> float:
        """The width of running text."""
        room = self.viewport().width() - _GUTTER - _SIDE * (2 if self._is_slides else 1)
        return max(120.0, min(room, tokens.READING_WIDTH * self.zoom))

    @property
    def _is_slides(self) -> bool:
        return self.blocks.kind in SLIDES

    def _left(self) -> float:
        room = self.viewport().width() - _GUTTER - _SIDE - self._width()
        return _GUTTER + (max(0.0, room / 2) if not self._dense and room > 0 else 0.0)

    def _lay_out_anew(self) -> None:
        self._drawn.clear()
        self._columns.clear()
        self._wide = 0.0
        width = self._width()
        look, blocks = self._look, self.blocks
        self._heights = [estimated_height(blocks, number, width, look) for number in range(len(blocks.blocks))]
        self._stack()
        self._mark()
        self._lay_out()
        self.viewport().update()

    def _stack(self) -> None:
        self._tops = list(accumulate(self._heights, initial=0.0))
        height = round(self._tops[-1]) + tokens.SPACE_3 + _BELOW
        bar = self.verticalScrollBar()
        bar.setPageStep(self.viewport().height())
        bar.setSingleStep(self._look.step)
        bar.setRange(0, max(0, height - self.viewport().height()))
        wide = self.horizontalScrollBar()
        wide.setPageStep(self.viewport().width())
        wide.setSingleStep(40)
        wide.setRange(0, max(0, round(self._wide + self._left() + _SIDE - self.viewport().width())))

    def _columns_of(self, table: int) -> list[tuple[float, float]]:
        if table not in self._columns:
            look = self._look
            widths, needed = natural_widths(self.blocks, table, look, look.scaled(_WIDEST_CELL))
            room = self.viewport().width() - _GUTTER - _SIDE if self._dense else self._width()
            if not self._dense and not self._is_slides:  # no word of a wide table is broken: it is scrolled
                room = max(room, sum(needed))
            if not self._dense or (sum(needed) <= room and sum(widths) <= room * _LITTLE_MORE):
                widths = fitted_widths(widths, needed, room)
            lefts = list(accumulate(widths, initial=0.0))
            self._columns[table] = list(zip(lefts, widths, strict=False))
            if lefts[-1] > self._wide:
                self._wide = lefts[-1]
        return self._columns[table]

    def _block(self, number: int) -> DrawnBlock:
        found = self._drawn.get(number)
        if found is None:
            if len(self._drawn) > _KEPT:
                self._drawn.clear()
            block = self.blocks.blocks[number]
            columns = self._columns_of(block.table) if block.table >= 0 else ()
            found = self._drawn[number] = draw_block(self.blocks, number, self._width(), columns, self._look)
        return found

    def _first_in_sight(self) -> int:
        top = self.verticalScrollBar().value() - tokens.SPACE_3
        return max(0, min(bisect_right(self._tops, max(0.0, top)) - 1, len(self._heights) - 1))

    def _lay_out(self) -> bool:
        """Lay out what is in sight; whether that changed a height. What is at the top stays there."""
        changed_once = False
        for _ in range(6):
            if not self._heights:
                return False
            bar = self.verticalScrollBar()
            first = self._first_in_sight()
            inside = bar.value() - self._tops[first]
            changed = False
            wide = self._wide
            y, number = self._tops[first], first
            bottom = bar.value() + self.viewport().height()
            while number < len(self._heights) and y <= bottom:
                height = self._block(number).height
                if abs(height - self._heights[number]) > 0.5:
                    self._heights[number] = height
                    changed = True
                y += height
                number += 1
            if not changed and wide == self._wide:
                return changed_once
            changed_once = True
            self._stack()
            bar.setValue(round(self._tops[first] + inside))
        return changed_once

    def _on_scrolled(self) -> None:
        self._lay_out()
        self.viewport().update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            place = self._shown_at
            stays = place is not None and place == self._place_in_sight()
            self._lay_out_anew()
            if place is not None and (stays or event.oldSize().width() < 200):
                self.bring_into_sight(*place)
        else:
            self._stack()
            self._lay_out()

    def sizeHint(self) -> QSize:
        return QSize(480, 400)

    # -- drawing ---------------------------------------------------------------------------------------

    def _mark(self) -> None:
        look = self._look
        formats: dict[str, QTextCharFormat] = {
            "mark": look.mark, "words": look.words, "removed": look.removed, "added": look.added,
        }  # fmt: skip
        self._marks = [(start, end, formats[name]) for (start, end), name in self._places if end > start]
        self.viewport().update()

    def _marks_in(self, start: int, end: int) -> list[Mark]:
        look = self._look
        marks = [mark for mark in self._marks if mark[0] < end and mark[1] > start]
        first = bisect_right(self._matches, (start, start))
        for number in range(max(0, first - 1), len(self._matches)):
            match = self._matches[number]
            if match[0] >= end:
                break
            if match[1] > start:
                marks.append((*match, look.current_match if number == self._match else look.match))
        chosen = self._selected
        if chosen[0] < end and chosen[1] > start:
            marks.append((*chosen, look.selection))
        return marks

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.TextAntialiasing)
        look = self._look
        area = self.viewport().rect()
        painter.fillRect(area, look.colours.sunken if self._is_slides else look.colours.page)
        if not self._heights:
            return
        self._paint_cards(painter)
        top = self.verticalScrollBar().value() - tokens.SPACE_3
        x = self._left() - self.horizontalScrollBar().value()
        number = self._first_in_sight()
        head = -1
        while number < len(self._heights) and (y := self._tops[number] - top) <= area.height():
            block = self.blocks.blocks[number]
            if block.table >= 0 and head < 0 and y < self._look.cell_step and block.kind == "row":
                head = self.blocks.grids[block.table].first
            painter.setPen(look.colours.text)
            self._block(number).paint(painter, x, y, self._marks_in(block.start, max(block.end, block.start + 1)))
            self._paint_gutter(painter, number, y)
            number += 1
        if head >= 0 and self.blocks.blocks[head].kind == "head":
            self._paint_head(painter, head, x)
        painter.end()

    def _paint_head(self, painter: QPainter, head: int, x: float) -> None:
        """The names of the columns stay in sight above the rows."""
        row = self._block(head)
        above = row.rectangle(-1).top()
        grid = self.blocks.grids[self.blocks.blocks[head].table]
        after = self._tops[min(grid.last + 1, len(self._heights))] - self.verticalScrollBar().value()
        y = min(0.0, after - (row.height - above))
        painter.fillRect(QRectF(0, y, self.viewport().width(), row.height - above), self._look.colours.page)
        row.paint(painter, x, y - above, ())

    def _paint_cards(self, painter: QPainter) -> None:
        """The slides are sheets of paper with a number above each."""
        if not self._is_slides:
            return
        top = self.verticalScrollBar().value() - tokens.SPACE_3
        pages = [number for number, block in enumerate(self.blocks.blocks) if block.kind == "page"]
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        x = self._left() - tokens.SPACE_4
        for number, after in zip(pages, [*pages[1:], len(self._heights)], strict=True):
            first, last = self._tops[number + 1] - top + 6, self._tops[after] - top + tokens.SPACE_4
            if last < 0 or first > self.viewport().height():
                continue
            painter.setPen(QPen(self._look.colours.line))
            painter.setBrush(self._look.colours.page)
            wide = self._width() + 2 * tokens.SPACE_4
            painter.drawRoundedRect(QRectF(x, first, wide, max(40.0, last - first)), 8, 8)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)

    def _paint_gutter(self, painter: QPainter, number: int, y: float) -> None:
        """The number of a row in its sheet; elsewhere the numbers of the chunks that begin in a block."""
        look, block = self._look, self.blocks.blocks[number]
        words = ""
        if self._dense:
            words = f"{block.number}" if block.number else ""
        elif self._chunks and block.kind != "page":
            first = bisect_right(self._chunk_starts, block.start - 1)
            if first < len(self._chunks) and self._chunk_starts[first] < max(block.end, block.start + 1):
                words = f"{first + 1}"
        if not words:
            return
        painter.setFont(look.margin)
        painter.setPen(look.colours.muted)
        above = self._block(number).rectangle(block.start)
        height = max(14.0, above.height())
        place = QRectF(2, y + above.top(), _GUTTER - 12, height)
        x = (self._left() if self._dense else _GUTTER) - self.horizontalScrollBar().value()
        painter.drawText(
            place.translated(x - _GUTTER, 0), Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, words
        )
        if not self._dense:
            painter.setPen(QPen(look.colours.line))
            left = x - _GUTTER
            painter.drawLine(QPointF(left + 4, y + above.top() - 1), QPointF(x - 10, y + above.top() - 1))

    # -- selecting -------------------------------------------------------------------------------------

    def offset_at(self, place: QPointF) -> int:
        """The offset of the letter nearest to a place in the viewport."""
        y = place.y() + self.verticalScrollBar().value() - tokens.SPACE_3
        number = max(0, min(bisect_right(self._tops, max(0.0, y)) - 1, len(self._heights) - 1))
        x = place.x() - self._left() + self.horizontalScrollBar().value()
        return self._block(number).offset_at(x, y - self._tops[number])

    def selected_text(self) -> str:
        """The selected words as they are drawn."""
        return "\n".join(self._drawn_lines(*self._selected))

    def drawn_words(self, start: int, end: int) -> str:
        """The words of a place as they are drawn, on one line."""
        lines = (line.replace("\t", " · ") for line in self._drawn_lines(start, end))
        return " ".join(" ".join(lines).split())

    def _drawn_lines(self, start: int, end: int) -> list[str]:
        found: list[str] = []
        if end <= start:
            return found
        blocks = self.blocks.blocks
        for number in range(max(0, self.blocks.block_at(start)), len(blocks)):
            block = blocks[number]
            if block.start >= end:
                break
            if block.end > start:
                columns = self._columns_of(block.table) if block.table >= 0 else ()
                drawn = draw_block(self.blocks, number, 10_000.0, columns, self._look)
                found.append(drawn.taken(max(start, block.start), min(end, block.end)))
        return found

    def select(self, start: int, end: int) -> None:
        self._selected = (start, end)
        self.viewport().update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self._heights:
            self._anchor = self.offset_at(event.position())
            self.select(self._anchor, self._anchor)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._anchor >= 0 and event.buttons() & Qt.MouseButton.LeftButton:
            here = self.offset_at(event.position())
            self.select(min(self._anchor, here), max(self._anchor, here))
            y = event.position().y()
            if not 0 <= y <= self.viewport().height():
                self.verticalScrollBar().setValue(self.verticalScrollBar().value() + (-20 if y < 0 else 20))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._anchor = -1

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        here, text = self.offset_at(event.position()), self.blocks.text
        start = end = here
        while start > 0 and text[start - 1].isalnum():
            start -= 1
        while end < len(text) and text[end].isalnum():
            end += 1
        self.select(start, end)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        bar = self.verticalScrollBar()
        if event.matches(QKeySequence.StandardKey.Copy):
            QGuiApplication.clipboard().setText(self.selected_text())
        elif event.matches(QKeySequence.StandardKey.SelectAll):
            self.select(0, len(self.blocks.text))
        elif event.key() in (Qt.Key.Key_Home, Qt.Key.Key_End):
            bar.setValue(bar.minimum() if event.key() == Qt.Key.Key_Home else bar.maximum())
        elif event.key() in (Qt.Key.Key_Plus, Qt.Key.Key_Minus) and not event.modifiers():
            self.zoom_by(1 if event.key() == Qt.Key.Key_Plus else -1)
        else:
            super().keyPressEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier and event.angleDelta().y():
            self.zoom_by(1 if event.angleDelta().y() > 0 else -1)
            event.accept()
            return
        super().wheelEvent(event)
