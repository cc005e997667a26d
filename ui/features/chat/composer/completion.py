"""Completion in the composer: a list below or above the caret, filtered while one types.

It opens behind ``#``, ``/`` and ``@`` at the beginning of a word. Up, Down, Enter, Tab and the mouse choose, Esc closes
it. Where nothing is chosen the text is sent as it was typed.
"""

from __future__ import annotations

import re

from PySide6.QtCore import QEvent, QObject, QPoint, QSize, Qt
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QKeyEvent, QTextCursor
from PySide6.QtWidgets import QApplication, QFrame, QListWidget, QListWidgetItem, QWidget

from ui.bridge import Bridge
from ui.components.basics import ElidedLabel, IconLabel, Text
from ui.components.layout import column_of, row_of
from ui.features import ShellActions
from ui.features.chat import texts
from ui.features.chat.composer.completion_sources import CompletionSources, Offer
from ui.features.chat.layout import ChatLayout
from ui.theme import tokens
from workbench.base.finding import folded, holds
from workbench.records.recipes import QUESTION

_WORD = re.compile(r"(?:^|\s)([#/@])(\S*)$")
_PLACE = re.compile(r"\{\{\s*" + QUESTION + r"\s*\}\}")
_MOST, _ROWS = 20, 7
"""Lines that are listed, and that are seen at once."""
_ROW, _WIDTH = 34, 440  # px


class CompletionList(QFrame):
    """Floats over the page. The field keeps the keyboard."""

    def __init__(self, page: QWidget) -> None:
        super().__init__(page)
        self._page = page
        self.setProperty("role", "floating")
        self.title = Text("", "small")
        self.list = QListWidget()
        self.list.setProperty("dense", True)
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.hint = Text("", "small")
        self._column = column_of(
            self, self.title, (self.list, 1), self.hint, gap=tokens.SPACE_1, margins=tokens.SPACE_2
        )
        self.offers: list[Offer] = []
        self.hide()

    def show_offers(self, sign: str, offers: list[Offer], lack: str) -> None:
        self.offers = offers[:_MOST]
        title = texts.COMPLETES[sign]
        self.title.setText(title)
        self.setAccessibleName(title)
        self.list.setAccessibleName(title)
        self.list.clear()
        for offer in self.offers:
            item = QListWidgetItem()
            item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{offer.name}, {offer.detail}")
            item.setSizeHint(QSize(0, _ROW))
            self.list.addItem(item)
            self.list.setItemWidget(item, _OfferLine(offer))
        self.list.setVisible(bool(self.offers))
        self.list.setFixedHeight(min(_ROWS, max(1, len(self.offers))) * _ROW + 2 * tokens.SPACE_1)
        rest = len(offers) - len(self.offers)
        keys = texts.COMPLETION_MORE.format(rest=rest) if rest else texts.COMPLETION_KEYS
        self.hint.setText(keys if offers else lack)
        self.list.setCurrentRow(0 if self.offers else -1)

    def place(self, caret: QPoint, height: int, right: int) -> None:
        """Stand below a caret at this point of the page, or above it where there is no room, and not beyond ``right``.
        ``height``: of the caret's line."""
        page = self._page
        self.setFixedWidth(min(_WIDTH, page.width() - 2 * tokens.SPACE_4))
        self._column.activate()
        needed = self.sizeHint().height()
        below = page.height() - caret.y() - height - tokens.SPACE_2
        top = caret.y() + height + tokens.SPACE_1 if below >= needed else caret.y() - needed - tokens.SPACE_1
        left = min(caret.x() - tokens.SPACE_3, right - self.width())
        self.setGeometry(max(left, tokens.SPACE_2), max(0, top), self.width(), needed)
        self.raise_()


class _OfferLine(QWidget):
    """One line: icon, name, and what it is."""

    def __init__(self, offer: Offer) -> None:
        super().__init__()
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        name = ElidedLabel(offer.name, mode=Qt.TextElideMode.ElideMiddle)
        detail = ElidedLabel(offer.detail, "small")
        detail.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        row_of(
            self, IconLabel(offer.icon, "muted", 16), (name, 3), (detail, 2), gap=tokens.SPACE_2,
            margins=(tokens.SPACE_2, 0),
        )  # fmt: skip


class Completion(QObject):
    """Watches the field of the composer."""

    def __init__(self, bridge: Bridge, shell: ShellActions, parts: ChatLayout, page: QWidget) -> None:
        super().__init__(page)
        self._page, self._composer, self._field = page, parts.composer, parts.composer.field
        self.sources = CompletionSources(bridge, shell, parts, self)
        self.popup = CompletionList(page)
        self._sign = ""  # behind which the open list stands
        self._start = 0  # the position of the sign in the text
        self._dismissed = -1  # the position of a sign whose list was closed
        self._typing = False
        self.sources.changed.connect(self._fill)
        self.popup.list.itemClicked.connect(lambda item: self.choose(self.popup.list.row(item)))
        self.popup.list.currentRowChanged.connect(self._announce)
        self._field.textChanged.connect(self._on_text)
        self._field.cursorPositionChanged.connect(self._on_caret)
        self._field.installEventFilter(self)
        page.installEventFilter(self)

    @property
    def is_open(self) -> bool:
        return bool(self._sign)

    def choose(self, row: int) -> None:
        """Take a line of the list in place of the word that was typed."""
        offer = self.popup.offers[row]
        cursor = self._field.textCursor()
        cursor.setPosition(self._start)
        cursor.setPosition(self._field.textCursor().position(), QTextCursor.MoveMode.KeepAnchor)
        self.close()
        place = _PLACE.search(offer.text)
        before, after = (offer.text[: place.start()], offer.text[place.end() :]) if place else (offer.text, "")
        cursor.insertText(before)
        caret = cursor.position()
        cursor.insertText(after)
        cursor.setPosition(caret)
        self._field.setTextCursor(cursor)
        offer.take()
        self._field.setFocus()

    def close(self) -> None:
        if self._sign:
            self._sign = ""
            self.sources.close()
            self.popup.hide()
            QApplication.instance().removeEventFilter(self)  # type: ignore[union-attr]

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        kind = event.type()
        if watched is self._field:
            if kind == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
                return self._on_key(event)
            if kind == QEvent.Type.InputMethod:
                self._typing = True
            elif kind == QEvent.Type.FocusOut:
                self.close()
        elif watched is self._page:
            if kind in (QEvent.Type.Resize, QEvent.Type.Hide):
                self.close()
        elif kind == QEvent.Type.MouseButtonPress and isinstance(watched, QWidget):
            inside = watched is self.popup or self.popup.isAncestorOf(watched)
            if not inside and not self._field.isAncestorOf(watched) and watched.window() is self._page.window():
                self.close()
        return False

    def _on_key(self, event: QKeyEvent) -> bool:
        key = Qt.Key(event.key())
        if self.is_open:
            steps = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1, Qt.Key.Key_PageDown: _ROWS, Qt.Key.Key_PageUp: -_ROWS}
            rows, row = len(self.popup.offers), self.popup.list.currentRow()
            if key in steps and rows:
                at_end = row + steps[key] not in range(rows) and abs(steps[key]) == 1
                self.popup.list.setCurrentRow((row + steps[key]) % rows if at_end else _within(row + steps[key], rows))
                return True
            if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Tab) and rows:
                if key != Qt.Key.Key_Tab and event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
                    return False
                self.choose(row)
                return True
            if key == Qt.Key.Key_Escape:
                self._dismissed = self._start
                self.close()
                return True
        if key == Qt.Key.Key_Backspace and not self._composer.text and self._composer.chosen.chips:
            self._composer.chosen.remove_last()
            return True
        self._typing = bool(event.text())
        return False

    def _on_text(self) -> None:
        typed, self._typing = self._typing, False
        found = self._word()
        if found is None:
            self._dismissed = -1
            self.close()
            return
        sign, start, _ = found
        if start == self._dismissed or (not typed and not self.is_open):
            return
        if (sign, start) != (self._sign, self._start):
            self.close()
            self._sign, self._start = sign, start
            QApplication.instance().installEventFilter(self)  # type: ignore[union-attr]
            self.sources.open(sign)
        self._fill()

    def _on_caret(self) -> None:
        """The caret has left the word."""
        if self.is_open:
            found = self._word()
            if found is None or found[:2] != (self._sign, self._start):
                self.close()

    def _word(self) -> tuple[str, int, str] | None:
        """The sign before the caret, its position, and what was typed behind it."""
        cursor = self._field.textCursor()
        if cursor.hasSelection():
            return None
        before = cursor.block().text()[: cursor.positionInBlock()]
        found = _WORD.search(before)
        return (found[1], cursor.block().position() + found.start(1), found[2]) if found else None

    def _fill(self) -> None:
        found = self._word()
        if not self.is_open or found is None:
            return
        typed = found[2]
        every = self.sources.offers(self._sign)
        offers = [one for one in every if holds(typed, one.name, one.also)]
        offers.sort(key=lambda one: not folded(one.name).startswith(folded(typed)))
        if typed and not offers:
            self.popup.hide()  # what was typed is no name: the keys are the field's again
            self.popup.offers = []
            return
        self.popup.show_offers(self._sign, offers, self.sources.lack(self._sign))
        caret = self._field.cursorRect()
        right = self._composer.mapTo(self._page, self._composer.rect().topRight()).x()
        self.popup.place(self._field.viewport().mapTo(self._page, caret.topLeft()), caret.height(), right)
        self.popup.show()
        self._announce(self.popup.list.currentRow())

    def _announce(self, row: int) -> None:
        """Let a screen reader say the line: the keyboard stays in the field."""
        if self.popup.isVisible() and 0 <= row < len(self.popup.offers):
            offer = self.popup.offers[row]
            words = texts.COMPLETION_SPOKEN.format(
                name=offer.name, detail=offer.detail, number=row + 1, count=len(self.popup.offers)
            )
            QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self._field, words))


def _within(row: int, rows: int) -> int:
    return min(max(row, 0), rows - 1)
