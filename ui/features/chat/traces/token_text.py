"""An answer's tokens as one painted text: tinted by their probability, each one can be pointed at.

One widget and one text layout however many tokens there are: laying out happens once a width, painting touches the
lines in sight only. What could have stood at a token's place is shown by ``ui.features.chat.traces.alternatives``.
"""

from __future__ import annotations

import bisect
from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QFont,
    QHideEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QTextCharFormat,
    QTextLayout,
    QTextOption,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from ui.components.recipe.probability import describe_probability, probability_of, step_of, tints, visible
from ui.features.chat import texts
from ui.features.chat.traces.alternatives import Alternatives
from ui.theme.theme import current_theme
from workbench.records.messages import ChosenToken

_LINE = 1.7  # line height in text sizes: room for a box around each token
_BREAK = "\u2028"
_ABSENT = "▯"  # a token that adds no text: a part of a character, or one that only ends
_NEXT = "⋯"
_LEAVE_MS = 200
_HOVER_MS = 60


class TokenText(QWidget):
    """``branch_wanted``: the place of a token and the id of the one that shall stand there instead."""

    branch_wanted = Signal(int, int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(texts.TOKEN_TEXT)
        self._tokens: tuple[ChosenToken, ...] = ()
        self._next: ChosenToken | None = None
        self._first = 0
        self._current: int | None = None
        self._starts: list[int] = []
        self._layout = QTextLayout()
        self._tops: list[float] = []
        self._boxes: list[list[tuple[float, float, int]]] = []  # by line: left, right, index of the token
        self._dots: list[list[float]] = []  # by line: where spaces are
        self._popover: Alternatives | None = None
        self._leaving = QTimer(self, singleShot=True, interval=_LEAVE_MS, timeout=self._on_left)
        self._hovered: int | None = None
        self._hovering = QTimer(self, singleShot=True, interval=_HOVER_MS, timeout=self._on_hovered)
        current_theme().changed.connect(self._on_theme_changed)

    def show_tokens(self, chosen: Sequence[ChosenToken], after: ChosenToken | None = None, first: int = 0) -> None:
        """Show tokens; ``after`` tells what could come after the last, ``first`` is the place of the first one."""
        self.close_popover()
        self._hovered = None
        self._tokens, self._first = tuple(chosen), first
        self._next = after if after is not None and after.alternatives else None
        self._current = None
        self._compose()
        self._lay_out()

    @property
    def current(self) -> int | None:
        """The index of the token whose alternatives are shown."""
        return self._current

    @property
    def popover(self) -> Alternatives | None:
        """The alternatives, while they are shown."""
        return self._popover if self._popover is not None and self._popover.isVisible() else None

    def token_at(self, point: QPoint) -> int | None:
        """The index of the token at a place of this widget."""
        line = bisect.bisect_right(self._tops, point.y()) - 1
        if line < 0 or line >= len(self._boxes) or point.y() >= self._tops[line] + self._line_height():
            return None
        return next((index for left, right, index in self._boxes[line] if left <= point.x() < right), None)

    def box_of(self, index: int) -> QRect:
        """Where a token stands; where it begins, when it goes over several lines."""
        for top, boxes in zip(self._tops, self._boxes, strict=True):
            for left, right, found in boxes:
                if found == index and right > left:
                    return QRectF(left, top, right - left, self._line_height()).toAlignedRect()
        return QRect()

    def point_at(self, index: int) -> None:
        """Show the alternatives of a token."""
        if not 0 <= index < self._count():
            return
        self._update_token(self._current)
        self._current = index
        token = self._token(index)
        words = visible(token.text) if token.token >= 0 else texts.WHAT_COMES_NEXT
        share = f", {describe_probability(probability_of(token.logprob))}" if token.token >= 0 else ""
        self.setAccessibleDescription(f"{words}{share}")
        if self._popover is None:
            self._popover = Alternatives(self.window())
            self.destroyed.connect(self._popover.deleteLater)
            self._popover.chosen.connect(self._on_chosen)
            self._popover.entered.connect(self._leaving.stop)
            self._popover.left.connect(self._leaving.start)
        place = self._first + index + 1
        self._popover.show_token(token, place)
        box = self.box_of(index)
        self._popover.stand_at(QRect(self.mapTo(self.window(), box.topLeft()), box.size()))
        self._update_token(index)

    def close_popover(self) -> None:
        """Show no alternatives any more."""
        self._leaving.stop()
        self._hovering.stop()
        if self._popover is not None:
            self._popover.hide()
        self._current = None
        self.update()

    # -- laying out ----------------------------------------------------------------------------------

    def _count(self) -> int:
        return len(self._tokens) + (self._next is not None)

    def _token(self, index: int) -> ChosenToken:
        if index < len(self._tokens):
            return self._tokens[index]
        assert self._next is not None
        return self._next

    def _compose(self) -> None:
        """The text to lay out, the place of each token in it (in UTF-16 units) and the quiet marks."""
        pieces, self._starts, at = [], [], 0
        marks: list[QTextLayout.FormatRange] = []
        quiet = QTextCharFormat()
        quiet.setForeground(current_theme().colour("edge"))
        for index in range(self._count()):
            token = self._token(index)
            shown = _shown(token.text) if token.token >= 0 else _NEXT
            self._starts.append(at)
            for offset, character in enumerate(shown):
                if character in "↵⇥" + _ABSENT + _NEXT:
                    mark = QTextLayout.FormatRange()
                    mark.start, mark.length, mark.format = at + _units(shown[:offset]), 1, quiet
                    marks.append(mark)
            pieces.append(shown)
            at += _units(shown)
        self._starts.append(at)
        self._layout = QTextLayout("".join(pieces), self._text_font())
        self._layout.setCacheEnabled(True)
        option = QTextOption()
        option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        option.setFlags(QTextOption.Flag.IncludeTrailingSpaces)
        self._layout.setTextOption(option)
        self._layout.setFormats(marks)

    def _lay_out(self) -> None:
        width, height = max(40, self.width()), self._line_height()
        self._tops, self._boxes, self._dots = [], [], []
        text = self._layout.text()
        units = text if text.isascii() else None
        self._layout.beginLayout()
        y = 0.0
        while (line := self._layout.createLine()).isValid():
            line.setLineWidth(width)
            line.setPosition(QPointF(0, y + (height - line.height()) / 2))
            self._tops.append(y)
            y += height
        self._layout.endLayout()
        wide = units is None and _units(text) != len(text)
        for number in range(len(self._tops)):
            line = self._layout.lineAt(number)
            begin, end = line.textStart(), line.textStart() + line.textLength()
            boxes, dots = [], []
            index = max(0, bisect.bisect_right(self._starts, begin) - 1)
            while index < self._count() and self._starts[index] < end:
                left, right = max(begin, self._starts[index]), min(end, self._starts[index + 1])
                if right > left:
                    edges = sorted((_x(line, left), _x(line, right)))
                    boxes.append((edges[0], edges[1], index))
                index += 1
            if not wide:
                spaces = (place for place in range(begin, min(end, len(text))) if text[place] == " ")
                dots = [(_x(line, place) + _x(line, place + 1)) / 2 for place in spaces]
            self._boxes.append(boxes)
            self._dots.append(dots)
        self.setFixedHeight(max(1, round(y)))
        self.update()

    def _update_token(self, index: int | None) -> None:
        """Have the lines of one token painted anew; all where none is marked, for the frame of the focus."""
        if index is None or index >= self._count():
            self.update()
            return
        height = self._line_height()
        for top, boxes in zip(self._tops, self._boxes, strict=True):
            if any(found == index for _, _, found in boxes):
                self.update(QRect(0, round(top), self.width(), height))

    def _text_font(self) -> QFont:
        font = QFont(self.font())
        font.setPixelSize(current_theme().reading_size)
        return font

    def _line_height(self) -> int:
        return round(current_theme().reading_size * _LINE)

    def sizeHint(self) -> QSize:
        return QSize(400, self.height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self._lay_out()

    def _on_theme_changed(self) -> None:
        self.close_popover()
        self._compose()
        self._lay_out()

    # -- drawing -------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = current_theme()
        shades = [QColor(tint) for tint in tints(theme.palette, theme.is_dark)]
        height = self._line_height()
        area = event.rect()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        other = QPen(theme.colour("decoding"), 1.5, Qt.PenStyle.DotLine)
        first = max(0, bisect.bisect_right(self._tops, area.top()) - 1)
        for number in range(first, len(self._tops)):
            top = self._tops[number]
            if top > area.bottom():
                break
            for left, right, index in self._boxes[number]:
                token = self._token(index)
                box = QRectF(left + 0.5, top + 2, max(2.0, right - left - 1), height - 4)
                painter.setPen(Qt.PenStyle.NoPen)
                step = step_of(probability_of(token.logprob)) if token.token >= 0 else 0
                if step:
                    painter.setBrush(shades[step])
                    painter.drawRoundedRect(box, 3, 3)
                if index == self._current:
                    painter.setBrush(Qt.BrushStyle.NoBrush)
                    painter.setPen(QPen(theme.colour("accent"), 2))
                    painter.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), 3, 3)
                elif token.token >= 0 and token.alternatives and token.alternatives[0].token != token.token:
                    painter.setPen(other)
                    painter.drawLine(QPointF(box.left() + 1, box.bottom()), QPointF(box.right() - 1, box.bottom()))
            painter.setPen(theme.colour("text"))
            self._layout.lineAt(number).draw(painter, QPointF(0, 0))
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.colour("edge"))
            for x in self._dots[number]:
                painter.drawEllipse(QPointF(x, top + height / 2), 0.8, 0.8)
        if self.hasFocus() and self._current is None:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(theme.colour("accent"), 2))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 4, 4)
        painter.end()

    # -- the mouse and the keyboard ------------------------------------------------------------------

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        index = self.token_at(event.position().toPoint())
        if index == self._current and index is not None:
            self._leaving.stop()
            self._hovering.stop()
        elif index is not None:
            self._hovered = index
            self._hovering.start()
        elif self._current is not None and not self._leaving.isActive():
            self._leaving.start()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        index = self.token_at(event.position().toPoint())
        if index is not None:
            self.point_at(index)

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._hovering.stop()
        if self._current is not None:
            self._leaving.start()

    def _on_hovered(self) -> None:
        """The mouse rests on a token: on its way to the alternatives it only crosses others."""
        if self._hovered is not None and self._hovered < self._count():
            self._leaving.stop()
            self.point_at(self._hovered)

    def _on_left(self) -> None:
        if self._popover is None or not self._popover.underMouse():
            self.close_popover()

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.close_popover()
        self.update()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.close_popover()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, at = event.key(), self._current
        moves = {Qt.Key.Key_Right: 1, Qt.Key.Key_Left: -1}
        if not self._count():
            super().keyPressEvent(event)
        elif key in moves:
            forward = 0 if moves[Qt.Key(key)] > 0 else self._count() - 1
            self._go_to(forward if at is None else min(max(0, at + moves[Qt.Key(key)]), self._count() - 1))
        elif key == Qt.Key.Key_Home:
            self._go_to(0)
        elif key == Qt.Key.Key_End:
            self._go_to(self._count() - 1)
        elif key in (Qt.Key.Key_Up, Qt.Key.Key_Down) and self.popover is not None:
            self.popover.select_next(1 if key == Qt.Key.Key_Down else -1)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.popover is not None:
            self.popover.choose_selected()
        elif key == Qt.Key.Key_Escape and self.popover is not None:
            self.close_popover()
        else:
            super().keyPressEvent(event)

    def _go_to(self, index: int) -> None:
        self.point_at(index)
        box = self.box_of(index)
        above = self.parentWidget()
        while above is not None and not hasattr(above, "ensureVisible"):
            above = above.parentWidget()
        if above is not None:
            centre = self.mapTo(above.widget(), box.center())  # type: ignore[attr-defined]
            above.ensureVisible(centre.x(), centre.y(), 0, 120)
            self.point_at(index)  # where it stands now

    def _on_chosen(self, token: int) -> None:
        at = self._current
        if at is not None:
            self.close_popover()
            self.branch_wanted.emit(self._first + at, token)


def _x(line: object, place: int) -> float:
    """The x of a place in a line; the binding answers with a pair or a number."""
    found = line.cursorToX(place)  # type: ignore[attr-defined]
    return float(found[0] if isinstance(found, tuple) else found)


def _units(text: str) -> int:
    """The length as Qt counts it."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def _shown(text: str) -> str:
    shown = text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", "⇥").replace("\n", f"↵{_BREAK}")
    return shown or _ABSENT
