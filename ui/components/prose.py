"""Prose: a piece of a message as selectable text, without code blocks and tables.

It grows at its end: what was appended stays as it is, what is shown as open is replaced by the next. It is as high as
its text; scrolling is up to its parents. Links are signalled, never followed.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import NamedTuple

from PySide6.QtCore import QPointF, QRectF, Qt, QUrl, Signal
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

from ui.components.markdown_blocks import Leaf, Span
from ui.theme import tokens
from ui.theme.theme import current_theme

LINE_HEIGHT = 1.5  # in sizes of the font
_QUOTE = int(QTextFormat.Property.UserProperty) + 1
_RULE = int(QTextFormat.Property.UserProperty) + 2
_HEADING_PX = {1: 5, 2: 3, 3: 1}
_INDENT = 30
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
                cursor.insertText(span.text, self._formats.of(span, numbers, leaf.level))
                if span.href or span.cite in numbers:
                    self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            self._last = leaf

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
