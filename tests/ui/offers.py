"""What a window offers: all that can be pressed, chosen or opened in what is in sight. Knows no page."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import shiboken6
from PySide6.QtCore import QModelIndex, QPoint, Qt
from PySide6.QtGui import QAction, QShortcut
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSpinBox,
    QComboBox,
    QHeaderView,
    QLineEdit,
    QMenu,
    QPlainTextEdit,
    QPushButton,
    QTabBar,
    QToolButton,
    QWidget,
)

ROWS = 2
"""Rows of a list that are tried."""
CHOICES = 3

WORDS = "bridge"
"""What is typed into an empty field."""

Kind = Literal["write", "act", "turn", "leave", "destroy"]
"""``turn`` shows another part of a page or changes a value, so that it may change nothing when it is there already."""


class NotOffered(Exception):
    """What was offered went away before it was tried: the window goes on meanwhile."""


@dataclass(frozen=True)
class Offer:
    """Something that can be done. ``names`` are what it is known by; with any of them it was tried already. The first
    is the same for what is alike in several rows and states, the second for one widget, whatever stands on it."""

    names: tuple[Hashable, ...]
    label: str
    run: Callable[[], Any]
    kind: Kind


def offers_of(part: QWidget, is_in_scope: Callable[[QWidget], bool]) -> Iterator[Offer]:
    """What can be tried in a part, in the order of its widgets."""
    rows = _Rows(part)
    for widget in [part, *part.findChildren(QWidget)]:
        if not widget.isVisible() or not widget.isEnabled() or not is_in_scope(widget) or rows.repeat(widget):
            continue
        offered = _Offered(widget, part)
        if isinstance(widget, QAbstractButton):
            yield from _offers_of_button(widget, offered)
        elif isinstance(widget, QTabBar):
            for tab in range(widget.count()):
                yield offered.turn(f"tab {tab}", _call(widget, "setCurrentIndex", tab))
        elif isinstance(widget, QComboBox):
            for row in reversed(range(min(widget.count(), CHOICES))):  # a filter ends with all
                yield offered.turn(f"choice {row}", _choose(widget, row))
        elif isinstance(widget, QAbstractItemView):
            yield from _offers_of_view(widget, offered)
        elif isinstance(widget, QLineEdit | QPlainTextEdit):
            yield from _offers_of_field(widget, offered)
        policy = widget.contextMenuPolicy()
        if policy == Qt.ContextMenuPolicy.CustomContextMenu:
            yield offered.turn("context menu", _ask_for_menu(widget))
        for action in widget.actions() if policy == Qt.ContextMenuPolicy.ActionsContextMenu else ():
            yield offered.act(action.text(), _trigger(action))
        for shortcut in widget.findChildren(QShortcut, options=Qt.FindChildOption.FindDirectChildrenOnly):
            if shortcut.isEnabled():
                yield offered.turn(f"keys {shortcut.key().toString()}", _emit(shortcut))


class _Rows:
    """Tells what stands in a row that repeats rows before it: of the same class of the window, made of the same."""

    def __init__(self, part: QWidget) -> None:
        self._part = part
        self._repeated: dict[QWidget, bool] = {}

    def repeat(self, widget: QWidget) -> bool:
        if widget is self._part:
            return False
        if widget not in self._repeated:
            above = widget.parentWidget()
            self._repeated[widget] = (above is not None and self.repeat(above)) or self._is_repeated_row(widget)
        return self._repeated[widget]

    def _is_repeated_row(self, row: QWidget) -> bool:
        above = row.parentWidget()
        if above is None or not type(row).__module__.startswith("ui.") or not row.findChild(QAbstractButton):
            return False
        alike = [one for one in above.children() if type(one) is type(row) and is_there(one)]
        if len(alike) <= ROWS:
            return False
        made_of = _classes_in(row)
        return sum(_classes_in(one) == made_of for one in alike[: alike.index(row)]) >= ROWS


class _Offered:
    """A widget that offers something."""

    def __init__(self, widget: QWidget, part: QWidget) -> None:
        self._widget = widget
        self._words = words_of(widget)
        around = tuple(_classes_around(widget, part))
        self._alike = (type(part).__name__, _without_numbers(part.windowTitle()), *around)

    def turn(self, more: str, run: Callable[[], Any]) -> Offer:
        return self._offer(more, run, "turn")

    def write(self, run: Callable[[], Any]) -> Offer:
        return self._offer("typing", run, "write")

    def act(self, more: str, run: Callable[[], Any]) -> Offer:
        return self._offer(more, run, kind_of(more or self._words))

    def _offer(self, more: str, run: Callable[[], Any], kind: Kind) -> Offer:
        name = self._widget.accessibleName()
        named = self._words if name in ("", self._words) else f"{name}: {self._words}"  # "On" stands on every switch
        words = _without_numbers(named)
        label = f"{named} > {more}" if more else named
        return Offer(((*self._alike, words, more), (self._widget, more)), label, run, kind)


def kind_of(words: str) -> Kind:
    """What destroys something comes last of all, what leaves a dialog last in it."""
    last = words.lower()
    if any(word in last for word in ("delete", "remove", "clear", "forget", "discard", "quit", "restore")):
        return "destroy"
    return "leave" if last in ("cancel", "close") else "act"


def words_of(widget: QWidget) -> str:
    text = widget.text() if isinstance(widget, QAbstractButton) else ""
    return text or widget.accessibleName() or widget.toolTip() or type(widget).__name__


def actions_of(menu: QMenu, above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], QAction]]:
    """Every action of a menu and of those in it, with its path."""
    menu.aboutToShow.emit()
    for action in menu.actions():
        inner = action.menu()
        if isinstance(inner, QMenu):
            yield from actions_of(inner, (*above, action.text()))
        elif not action.isSeparator() and action.isEnabled() and action.isVisible():
            yield (*above, action.text()), action


def is_there(widget: QWidget) -> bool:
    return shiboken6.isValid(widget) and widget.isVisible()


def _offers_of_button(button: QAbstractButton, offered: _Offered) -> Iterator[Offer]:
    menu = button.menu() if isinstance(button, QPushButton | QToolButton) else None
    if menu is not None:
        yield offered.act("", _open_menu(button, menu))
    elif isinstance(button.parent(), QAbstractSpinBox | QTabBar | QAbstractItemView | QLineEdit):
        return  # Qt's own
    else:
        press = _call(button, "click")
        yield offered.turn("", press) if button.isCheckable() else offered.act("", press)


def _offers_of_field(field: QLineEdit | QPlainTextEdit, offered: _Offered) -> Iterator[Offer]:
    """A search is ended again, since it would hide the rest of the page from the crawler."""
    is_line = isinstance(field, QLineEdit)
    if field.isReadOnly() or (field.text() if is_line else field.toPlainText()):
        return
    if re.search("search|find|filter", f"{words_of(field)} {field.placeholderText()}", re.IGNORECASE):
        yield offered.turn("searching", lambda: (_type(field), field.clear()) if is_there(field) else None)
    else:
        yield offered.write(lambda: _type(field) if is_there(field) else None)


def _type(field: QWidget) -> None:
    field.setFocus()
    QTest.keyClicks(field, WORDS)


def _offers_of_view(view: QAbstractItemView, offered: _Offered) -> Iterator[Offer]:
    model = view.model()
    if model is None or isinstance(view, QHeaderView) or view.objectName().startswith("qt_"):
        return
    for row in range(min(model.rowCount(), ROWS)):
        yield offered.turn(f"row {row}", _click_row(view, row, False))
        yield offered.turn(f"row {row} twice", _click_row(view, row, True))
        if view.contextMenuPolicy() == Qt.ContextMenuPolicy.CustomContextMenu:
            yield offered.turn(f"row {row} menu", _ask_for_menu(view, row))


def _classes_around(widget: QWidget, part: QWidget) -> Iterator[str]:
    around: QWidget | None = widget
    while around is not None and around is not part:
        yield type(around).__name__
        around = around.parentWidget()


def _classes_in(row: QWidget) -> list[str]:
    return [type(one).__name__ for one in row.findChildren(QWidget)]


def _without_numbers(words: str) -> str:
    return re.sub(r"\d+", "0", words)


def _open_menu(button: QAbstractButton, menu: QMenu) -> Callable[[], Any]:
    def open_menu() -> None:
        if not is_there(button) or not button.isEnabled():
            raise NotOffered
        menu.popup(button.mapToGlobal(QPoint(0, button.height())))

    return open_menu


def _call(widget: QWidget, name: str, *arguments: Any) -> Callable[[], Any]:
    def call() -> None:
        if not is_there(widget) or not widget.isEnabled():
            raise NotOffered
        getattr(widget, name)(*arguments)

    return call


def _choose(box: QComboBox, row: int) -> Callable[[], Any]:
    def choose() -> None:
        if is_there(box) and row < box.count():
            box.setCurrentIndex(row)
            box.activated.emit(row)

    return choose


def _trigger(action: QAction) -> Callable[[], Any]:
    return lambda: action.trigger() if shiboken6.isValid(action) else None


def _emit(shortcut: QShortcut) -> Callable[[], Any]:
    return lambda: shortcut.activated.emit() if shiboken6.isValid(shortcut) else None


def _ask_for_menu(widget: QWidget, row: int | None = None) -> Callable[[], Any]:
    def ask() -> None:
        if not is_there(widget):
            return
        place = widget.rect().center()
        if row is not None and isinstance(widget, QAbstractItemView) and row < widget.model().rowCount():
            index = widget.model().index(row, 0)
            widget.setCurrentIndex(index)
            place = widget.visualRect(index).center()
        widget.customContextMenuRequested.emit(place)

    return ask


def _click_row(view: QAbstractItemView, row: int, twice: bool) -> Callable[[], Any]:
    def click() -> None:
        if not is_there(view) or row >= view.model().rowCount():
            return
        index: QModelIndex = view.model().index(row, 0)
        place = view.visualRect(index).center()
        QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place)
        if twice and is_there(view):
            QTest.mouseDClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place)

    return click
