"""Prose: a piece of a message as selectable text, without code blocks and tables.

It grows at its end: what was appended stays as it is, what is shown as open is replaced by the next. It is as high as
its text; scrolling is up to its parents. Links are signalled, never followed. A formula is shown as its source until
its drawing comes, and copied as its source.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from PySide6.QtCore import QMimeData, QPointF, QRectF, Qt, QTimer, QUrl, Signal
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetricsF,
    QGuiApplication,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextFormat,
    QTextOption,
    QWheelEvent,
)
from PySide6.QtWidgets import QFrame, QSizePolicy, QTextBrowser, QWidget

from ui.components.formulas import FORMULA_OBJECT, OBJECT, SOURCE, current_formulas, formula_format, reason_against
from ui.components.markdown_blocks import Leaf, Span
from ui.theme import tokens
from ui.theme.theme import current_theme

LINE_HEIGHT = 1.5  # in sizes of the font
_QUOTE = int(QTextFormat.Property.UserProperty) + 1
_RULE = int(QTextFormat.Property.UserProperty) + 2
_STYLE = int(QTextFormat.Property.UserProperty) + 3
LINE_END = "\u2028"
"""Qt's own: the next line is of the same paragraph."""

_HEADING_PX = {1: 5, 2: 3, 3: 1}
_INDENT = 30
_TOLD_MS = 200  # after the last change
_QUOTE_INDENT = 16
_SCROLL_KEYS = (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown, Qt.Key.Key_Home, Qt.Key.Key_End)


class Mark(NamedTuple):
    """A text to underline wherever it comes next, and the words of its tooltip."""

    text: str
    words: str


class FormatSet:
    """The character formats of prose in the present theme. Made anew when it changes."""

    def __init__(self) -> None:
        theme = current_theme()
        self.size = theme.reading_size
        self.palette = theme.palette
        font = QFont(QGuiApplication.font())
        font.setPixelSize(self.size)
        self.line_height = max(100.0, 100 * LINE_HEIGHT * self.size / QFontMetricsF(font).height())
        """Per cent of what the font's own lines are high, which is much more than its size."""
        self._made: dict[tuple[bool, bool, bool, bool, str, bool, int], QTextCharFormat] = {}

    def of(self, span: Span, numbers: Collection[int], level: int = 0) -> QTextCharFormat:
        """The format of a span; a citation is one only when its number is among ``numbers``."""
        cited = span.cite if span.cite in numbers else 0
        href = f"cite:{cited}" if cited else span.href
        key = (span.bold, span.italic, span.code, span.strike, href, bool(cited), level)
        if key not in self._made:
            self._made[key] = self._make(span, href, bool(cited), level)
        return self._made[key]

    def _make(self, span: Span, href: str, cited: bool, level: int) -> QTextCharFormat:
        made = QTextCharFormat()
        size = self.size + (_HEADING_PX.get(level, 0) if level else 0)
        made.setProperty(QTextFormat.Property.FontPixelSize, size)
        if span.bold or level:
            made.setFontWeight(QFont.Weight.DemiBold)
        made.setFontItalic(span.italic)
        made.setFontStrikeOut(span.strike)
        if span.code:
            made.setFontFamilies(MONO)
            made.setProperty(QTextFormat.Property.FontPixelSize, size - 1)
            made.setBackground(QColor(self.palette.sunken))
        if href:
            made.setAnchor(True)
            made.setAnchorHref(href)
            made.setForeground(QColor(self.palette.accent))
        if cited:
            made.setProperty(QTextFormat.Property.FontPixelSize, size - 2)
            made.setFontWeight(QFont.Weight.DemiBold)
            made.setBackground(QColor(self.palette.accent_soft))
        elif href:
            made.setFontUnderline(True)
        return made


def _displayed() -> QTextBlockFormat:
    """The line of a drawn display formula: as high as that is, in the middle."""
    made = QTextBlockFormat()
    made.setAlignment(Qt.AlignmentFlag.AlignHCenter)
    made.setLineHeight(100, QTextBlockFormat.LineHeightTypes.SingleHeight.value)
    return made


MONO = ["JetBrains Mono", "Cascadia Mono", "Menlo", "Consolas", "DejaVu Sans Mono", "monospace"]


class Prose(QTextBrowser):
    """Paragraphs, headings, list items, quotes and rules. ``link_clicked`` and ``citation_clicked`` tell clicks."""

    link_clicked = Signal(str)
    citation_clicked = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "reading")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setOpenLinks(False)
        self.setUndoRedoEnabled(False)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse
            | Qt.TextInteractionFlag.LinksAccessibleByMouse
            | Qt.TextInteractionFlag.LinksAccessibleByKeyboard
        )
        self.document().setDocumentMargin(0)
        self.anchorClicked.connect(self._on_anchor)
        self._formats = FormatSet()
        self._edit: QTextCursor | None = None
        self._settled = 0
        self._settled_last: Leaf | None = None
        self._last: Leaf | None = None
        self._decorated = False
        self._has_formulas = False
        self._waiting = False  # for the drawings of some of them
        self._tell = QTimer(self, singleShot=True, interval=_TOLD_MS, timeout=self._tell_sources)
        self.setFixedHeight(1)

    def restart(self) -> None:
        """Empty it, in the theme that is on now."""
        self._formats = FormatSet()
        self.document().clear()
        self._settled, self._settled_last, self._last, self._decorated = 0, None, None, False

    def truncate(self) -> None:
        """Take away what is shown as open."""
        cursor = self._begin_edit()
        cursor.setPosition(self._settled)
        cursor.movePosition(QTextCursor.MoveOperation.End, QTextCursor.MoveMode.KeepAnchor)
        cursor.removeSelectedText()
        self._last = self._settled_last

    def settle(self) -> None:
        """Make what is shown now final."""
        self._settled = self.document().characterCount() - 1
        self._settled_last = self._last

    def write(self, leaves: Sequence[Leaf], numbers: Collection[int]) -> None:
        """Append leaves at the end, as open ones until ``settle``. Call ``fit`` when all is written."""
        cursor = self._begin_edit()
        cursor.movePosition(QTextCursor.MoveOperation.End)
        for leaf in leaves:
            if not (leaf.joins and self._last is not None):
                block = self._block_format(leaf)
                if self._last is None:
                    cursor.setBlockFormat(block)
                else:
                    cursor.insertBlock(block, self._formats.of(Span(""), ()))
                if leaf.marker:
                    cursor.insertText(f"{leaf.marker}\t", self._formats.of(Span(""), ()))
            for span in leaf.spans:
                self._insert(cursor, span, numbers, leaf.level)
            self._last = leaf

    def _insert(self, cursor: QTextCursor, span: Span, numbers: Collection[int], level: int = 0) -> None:
        style = self._formats.of(span, numbers, level)
        if span.formula:
            self._insert_formula(cursor, span, style)
            return
        cursor.insertText(span.text, style)
        if span.href or span.cite in numbers:
            self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    # -- formulas ---------------------------------------------------------------------------------

    def _insert_formula(self, cursor: QTextCursor, span: Span, style: QTextCharFormat) -> None:
        """A formula as an object where its drawing is known, else its source, on one line until the drawing comes."""
        if not self._has_formulas:
            self._has_formulas = True
            formulas = current_formulas()
            self.document().documentLayout().registerHandler(FORMULA_OBJECT, formulas.objects)
            formulas.drawn.connect(self._on_drawn)
        drawn = current_formulas().find(span.text)
        size = int(style.property(QTextFormat.Property.FontPixelSize))
        if drawn is not None and not reason_against(drawn, size):
            cursor.insertText(OBJECT, formula_format(span.text, drawn, size, self._formats.palette.text))
            if span.formula == "display" and cursor.block().length() == 2:
                cursor.mergeBlockFormat(_displayed())
            return
        source = QTextCharFormat(self._formats.of(replace(span, code=True), ()))
        text = span.text.replace("\n", LINE_END)
        if drawn is None:
            self._waiting = True
            text = " ".join(span.text.split())
            source.setProperty(SOURCE, span.text)
            source.setProperty(_STYLE, span)
        else:
            source.setToolTip(reason_against(drawn, size))
        cursor.insertText(text, source)

    def _on_drawn(self) -> None:
        """Put the drawings that have come in the place of their sources."""
        if not self._waiting:
            self.viewport().update()
            return
        self._waiting = False
        cursor = QTextCursor(self.document())
        cursor.beginEditBlock()
        for start, length, style in reversed(self._sources()):
            cursor.setPosition(start)
            cursor.setPosition(start + length, QTextCursor.MoveMode.KeepAnchor)
            before = self.document().characterCount()
            span = style.property(_STYLE)
            cursor.removeSelectedText()
            self._insert_formula(cursor, span, self._formats.of(replace(span, formula=None), ()))
            if start < self._settled:
                self._settled += self.document().characterCount() - before
        cursor.endEditBlock()
        self.fit()

    def _tell_sources(self) -> None:
        """Let a screen reader have the text with the sources of its formulas: of an object it gets no words."""
        words = self.source_text() if OBJECT in self.toPlainText() else ""
        if words != self.accessibleDescription():
            self.setAccessibleDescription(words)

    def source_text(self) -> str:
        """The text with the source of each formula in its place."""
        lines: list[str] = []
        block = self.document().begin()
        while block.isValid():
            line, step = "", block.begin()
            while not step.atEnd():
                piece = step.fragment()
                style = piece.charFormat()
                drawn = style.objectType() == FORMULA_OBJECT
                line += str(style.property(SOURCE)) * piece.length() if drawn else piece.text()
                step += 1
            lines.append(line.replace(LINE_END, "\n"))
            block = block.next()
        return "\n".join(lines)

    def _sources(self) -> list[tuple[int, int, QTextCharFormat]]:
        """Where sources stand whose drawings are waited for: position, length and format."""
        return [
            (start, length, style)
            for start, length, style in self._pieces()
            if style.hasProperty(SOURCE) and style.objectType() != FORMULA_OBJECT
        ]

    def _pieces(self) -> Iterator[tuple[int, int, QTextCharFormat]]:
        """The pieces of one format."""
        block = self.document().begin()
        while block.isValid():
            step = block.begin()
            while not step.atEnd():
                piece = step.fragment()
                yield piece.position(), piece.length(), piece.charFormat()
                step += 1
            block = block.next()

    def createMimeDataFromSelection(self) -> QMimeData:
        """What is copied: formulas as their sources."""
        mime = super().createMimeDataFromSelection()
        if OBJECT not in mime.text():
            return mime
        copied = QTextDocument()
        edit = QTextCursor(copied)
        edit.insertFragment(self.textCursor().selection())
        block = copied.begin()
        while block.isValid():
            while (place := block.text().find(OBJECT)) >= 0:
                edit.setPosition(block.position() + place)
                edit.movePosition(QTextCursor.MoveOperation.Right, QTextCursor.MoveMode.KeepAnchor)
                edit.insertText(str(edit.charFormat().property(SOURCE)).replace("\n", LINE_END), QTextCharFormat())
            block = block.next()
        edit.select(QTextCursor.SelectionType.Document)
        mime.setText(edit.selection().toPlainText())
        mime.setHtml(edit.selection().toHtml())
        return mime

    def mark(self, marks: Sequence[Mark]) -> int:
        """Underline marks in the attention colour, in their order; returns how many of them are in this text."""
        cursor, found = QTextCursor(self.document()), 0
        style = QTextCharFormat()
        style.setUnderlineStyle(QTextCharFormat.UnderlineStyle.DashUnderline)
        style.setUnderlineColor(QColor(self._formats.palette.attention))
        for mark in marks:
            place = self.document().find(mark.text, cursor, QTextDocument.FindFlag.FindCaseSensitively)
            if place.isNull():
                break
            if place.charFormat().toolTip() != mark.words:  # a format that is set again is laid out again
                style.setToolTip(mark.words)
                place.mergeCharFormat(style)
            cursor, found = place, found + 1
        return found

    def fit(self) -> None:
        """End the step: lay the text out once and be as high as it is at the present width."""
        if self._edit is not None:
            self._edit.endEditBlock()
            self._edit = None
        document = self.document()
        if self.width() > 0 and abs(document.textWidth() - self.width()) > 0.5:
            document.setTextWidth(self.width())
        document.documentLayout().blockBoundingRect(document.lastBlock())  # has the whole text laid out
        height = max(1, math.ceil(document.size().height()))
        if height != self.height():
            self.setFixedHeight(height)
        if self._has_formulas:
            self._tell.start()

    def _begin_edit(self) -> QTextCursor:
        if self._edit is None:
            self._edit = QTextCursor(self.document())
            self._edit.beginEditBlock()
        return self._edit

    def _block_format(self, leaf: Leaf) -> QTextBlockFormat:
        made = QTextBlockFormat()
        made.setLineHeight(self._formats.line_height, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
        before = self._last
        if before is not None:
            both_items = bool(leaf.indent and before.indent and leaf.marker)
            gap = tokens.SPACE_1 if both_items else tokens.SPACE_4 if leaf.level else tokens.SPACE_3
            made.setTopMargin(gap)
        quoted = leaf.quote * _QUOTE_INDENT
        made.setLeftMargin(quoted + leaf.indent * _INDENT)
        if leaf.indent and leaf.marker:
            made.setTextIndent(-_INDENT + 4)
            made.setTabPositions([QTextOption.Tab(_INDENT - 4, QTextOption.TabType.LeftTab)])
        if leaf.quote:
            made.setProperty(_QUOTE, leaf.quote)
            self._decorated = True
        if leaf.kind == "rule":
            made.setProperty(_RULE, True)
            self._decorated = True
        return made

    # -- Qt ---------------------------------------------------------------------------------------

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self.fit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in _SCROLL_KEYS:
            event.ignore()
            return
        super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self._decorated:
            self._paint_decoration(event.rect().top(), event.rect().bottom())

    def _paint_decoration(self, top: int, bottom: int) -> None:
        """Bars beside quotations and lines for rules: text documents have no one-sided borders."""
        layout = self.document().documentLayout()
        block = self.cursorForPosition(QPointF(0, top).toPoint()).block()
        painter = QPainter(self.viewport())
        bar, line = QColor(self._formats.palette.border), QColor(self._formats.palette.border)
        while block.isValid():
            area = layout.blockBoundingRect(block)
            if area.top() > bottom:
                break
            style = block.blockFormat()
            for depth in range(int(style.property(_QUOTE) or 0)):
                above = block.previous()
                continued = above.isValid() and int(above.blockFormat().property(_QUOTE) or 0) > depth
                begin = layout.blockBoundingRect(above).bottom() if continued else area.top()
                painter.fillRect(QRectF(depth * _QUOTE_INDENT, begin, 3, area.bottom() - begin), bar)
            if style.property(_RULE):
                painter.fillRect(QRectF(0, round(area.center().y()), self.width(), 1), line)
            block = block.next()
        painter.end()

    def _on_anchor(self, url: QUrl) -> None:
        if url.scheme() == "cite":
            self.citation_clicked.emit(int(url.path()))
        else:
            self.link_clicked.emit(url.toString())
