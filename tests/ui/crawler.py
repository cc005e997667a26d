"""Opens all that a window offers, and finds what fails and what does nothing.

The crawler knows no page: it looks for what can be pressed, chosen or opened in what is in sight (buttons, tabs, rows
of lists, choices, menus and context menus), tries each once in a round, follows the dialogs that come, and leaves them
by Escape. What destroys something comes last. An action is dead when within two seconds nothing changed in sight, no
window, file dialog or program was opened, nothing was copied and nothing was asked of the core; since "New chat" has
nothing to do in a new chat, it is tried again at the end of the round, in another state, before it counts as dead.
"""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import shiboken6
from PySide6.QtCore import QEventLoop, QMessageLogContext, QModelIndex, QObject, QPoint, Qt, QTimer, QtMsgType
from PySide6.QtGui import QAction, QDesktopServices, QGuiApplication, QShortcut
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QDialog,
    QFileDialog,
    QLineEdit,
    QMenu,
    QPlainTextEdit,
    QPushButton,
    QTabBar,
    QToolButton,
    QWidget,
)

from tests.local_front import LocalFront
from ui.components.dialog import Dialog
from ui.shell import Shell
from workbench.api import calls as c
from workbench.api import events
from workbench.api.client import Handle, Listener
from workbench.api.events import Event
from workbench.api.protocol import Call

DEAD_S = 2.0
QUIET_S = 0.06
PATIENCE_S = 3.0
"""How long calls of an action are waited for before the next one."""
ROWS = 2
"""Rows of a list that are tried."""
CHOICES = 3
DEPTH = 3
"""Dialogs over dialogs that are followed."""
MOST = 700
"""Actions of a round, so that a page that makes new ones for ever ends."""
_LAST = ("delete", "remove", "clear", "forget", "discard", "quit")
_FOLLOWING = (c.Subscribe, c.FollowRun, c.FollowAnswer, c.GetStatus)
"""Calls that are open for as long as somebody looks, or that come by themselves."""


@dataclass(frozen=True)
class Found:
    """Something that went wrong: where, and what."""

    where: str
    what: str


class WatchedFront(LocalFront):
    """Counts the calls of the window and those that are open, and keeps the faults of the core."""

    def __init__(self, workbench: Any) -> None:
        super().__init__(workbench)
        self.asked = 0
        self.open = 0
        self.faults: list[str] = []

    def start(self, call: Call[Any], on_event: Listener) -> Handle:
        if isinstance(call, _FOLLOWING):
            return super().start(call, on_event)
        self.asked += 1
        self.open += 1

        def watch(event: Event) -> None:
            if isinstance(event, events.TERMINAL):
                self.open -= 1
            if isinstance(event, events.Failed) and event.reason not in ("user", "worker"):
                self.faults.append(f"{type(call).__name__}: {event.message}\n{event.stderr_tail}")
            on_event(event)

        return super().start(call, watch)


class Crawler(QObject):
    """``file`` is what the file dialogs give; "" where they are left without one."""

    def __init__(self, shell: Shell, front: WatchedFront, file: Path) -> None:
        super().__init__()
        self._shell = shell
        self._front = front
        self._file = file
        self._gives_files = False
        self.page = ""
        self.found: list[Found] = []
        self.tried: list[str] = []
        self._done: set[Hashable] = set()
        self._where = "start"
        self._signs = 0  # of life that cannot be seen in the window
        QGuiApplication.clipboard().dataChanged.connect(self._on_sign)

    # -- what it sees of faults ------------------------------------------------------------------

    def note(self, what: str) -> None:
        self.found.append(Found(self._where, what))

    def on_exception(self, kind: type[BaseException], error: BaseException, trace: Any) -> None:
        self.note("".join(traceback.format_exception(kind, error, trace)))

    def on_thread_exception(self, args: threading.ExceptHookArgs) -> None:
        self.note("".join(traceback.format_exception(args.exc_type, args.exc_value, args.exc_traceback)))

    def on_message(self, kind: QtMsgType, context: QMessageLogContext, message: str) -> None:
        if kind != QtMsgType.QtDebugMsg and not message.startswith("This plugin does not support"):
            self.note(f"Qt: {message}")

    def _on_sign(self, *_: object) -> None:
        self._signs += 1

    # -- what it takes the place of ---------------------------------------------------------------

    def replacements(self) -> Iterator[tuple[type, str, Callable[..., Any]]]:
        """The functions that would leave the window, and what stands in for them."""
        for name, answer in (
            ("getOpenFileName", lambda: (str(self._file), "")),
            ("getOpenFileNames", lambda: ([str(self._file)], "")),
            ("getSaveFileName", lambda: (str(self._file.with_name(f"saved-{self._signs}")), "")),
            ("getExistingDirectory", lambda: str(self._file.parent)),
        ):
            yield QFileDialog, name, self._given(answer)
        yield QDesktopServices, "openUrl", self._given(lambda: True, always=True)

    def _given(self, answer: Callable[[], Any], always: bool = False) -> Callable[..., Any]:
        def stand_in(*_: object, **__: object) -> Any:
            self._signs += 1
            given = answer()
            if self._gives_files or always:
                return given
            return "" if isinstance(given, str) else (type(given[0])(), "")

        return stand_in

    # -- a round ----------------------------------------------------------------------------------

    def crawl_page(self, name: str, gives_files: bool) -> None:
        """Try all that a page offers, once."""
        self._begin(name, gives_files)
        self._shell.open_page(name)
        self._settle()
        self._crawl(self._parts_of_page, name, 0)

    def crawl_frame(self, gives_files: bool) -> None:
        """Try what stands around the pages: navigation, status bar, finder, drawer, keys."""
        self._begin(self._shell.pages[0].name, gives_files)
        self._shell.open_page(self.page)
        self._settle()
        for shortcut in self._shell.findChildren(QShortcut):
            if shortcut.parent() is self._shell and shortcut.key().toString() != "Ctrl+Q":
                where = f"frame > {shortcut.key().toString()}"
                self._try(where, shortcut.activated.emit, 0, may_stay=True)
                self._crawl(self._parts_of_frame, where, 0)
                self._escape()
        self._crawl(self._parts_of_frame, "frame", 0)

    def _begin(self, page: str, gives_files: bool) -> None:
        self.page, self._gives_files = page, gives_files
        self._done.clear()

    def _parts_of_page(self) -> list[QWidget]:
        page = self._shell.made_page(self.page)
        assert page is not None
        header = self._shell._headers.get(self.page)
        return [page] if header is None else [page, header]

    def _parts_of_frame(self) -> list[QWidget]:
        root = self._shell.centralWidget()
        assert root is not None
        overlays = [one for one in self._shell.children() if isinstance(one, QWidget) and one.isVisible()]
        return [one for one in [root, *overlays] if shiboken6.isValid(one)]

    def _crawl(self, parts: Callable[[], list[QWidget]], where: str, depth: int) -> None:
        """Try what is in these parts until nothing is left that was not tried."""
        silent: list[Hashable] = []
        escaped = False
        for _ in range(MOST):
            tries = [one for part in parts() for one in self._tries(part, where)]
            fresh = [one for one in tries if one[0] not in self._done]
            again = [one for one in tries if one[0] in silent]
            if not fresh and not again:
                return
            if not fresh and not escaped and depth == 0:  # what is tried again is tried in a page at rest
                self._escape()
                escaped = True
                continue
            escaped = False
            key, label, run, may_stay = min(fresh or again, key=lambda one: _order_of(one[1]))
            self._done.add(key)
            if not fresh:
                silent.remove(key)
            alive = self._try(label, run, depth, may_stay)
            if alive or may_stay:
                continue
            if fresh:
                silent.append(key)
            else:
                self._note_dead(label)
        self._where = where
        self.note(f"There is no end to what can be tried: {self.tried[-3:]}")

    def _tries(self, part: QWidget, where: str) -> Iterator[tuple[Hashable, str, Callable[[], Any], bool]]:
        """What can be tried in a part: a key that is the same for what is alike, words, what to do, and whether it may
        change nothing."""
        for widget in [part, *part.findChildren(QWidget)]:
            if not widget.isVisible() or not widget.isEnabled() or not self._is_in_scope(widget, part):
                continue
            words = f"{where} > {_words_of(widget)}"
            key = (where, *_kind_of(widget, part), _words_of(widget))
            if isinstance(widget, QAbstractButton):
                yield from self._tries_of_button(widget, key, words)
            elif isinstance(widget, QTabBar):
                for tab in range(widget.count()):
                    yield (*key, tab), f"{words} tab {tab}", _call(widget, "setCurrentIndex", tab), True
            elif isinstance(widget, QComboBox):
                for row in range(min(widget.count(), CHOICES)):
                    yield (*key, row), f"{words} choice {row}", _choose(widget, row), True
            elif isinstance(widget, QAbstractItemView):
                yield from self._tries_of_view(widget, key, words)
            policy = widget.contextMenuPolicy()
            if policy == Qt.ContextMenuPolicy.CustomContextMenu:
                yield (*key, "menu"), f"{words} context menu", self._context(widget), True
            for action in widget.actions() if policy == Qt.ContextMenuPolicy.ActionsContextMenu else ():
                yield (*key, action.text()), f"{words} > {action.text()}", _trigger(action), False

    def _tries_of_button(
        self, button: QAbstractButton, key: tuple[Hashable, ...], words: str
    ) -> Iterator[tuple[Hashable, str, Callable[[], Any], bool]]:
        menu = button.menu() if isinstance(button, QPushButton | QToolButton) else None
        if menu is not None:
            yield key, words, lambda: menu.popup(button.mapToGlobal(QPoint(0, button.height()))), False
        elif isinstance(button.parent(), QAbstractSpinBox | QTabBar | QAbstractItemView | QLineEdit):
            return  # Qt's own
        else:
            yield key, words, lambda: button.click() if _is_there(button) else None, button.isCheckable()

    def _tries_of_view(
        self, view: QAbstractItemView, key: tuple[Hashable, ...], words: str
    ) -> Iterator[tuple[Hashable, str, Callable[[], Any], bool]]:
        model = view.model()
        if model is None or view.objectName().startswith("qt_"):
            return
        for row in range(min(model.rowCount(), ROWS)):
            yield (*key, row), f"{words} row {row}", self._click_row(view, row, False), True
            yield (*key, row, "twice"), f"{words} row {row} twice", self._click_row(view, row, True), True
            if view.contextMenuPolicy() == Qt.ContextMenuPolicy.CustomContextMenu:
                yield (*key, row, "menu"), f"{words} row {row} menu", self._context(view, row), True

    def _is_in_scope(self, widget: QWidget, part: QWidget) -> bool:
        """Not what belongs to a page while the frame is looked at, nor to a dialog over it."""
        if widget.window() is not part.window():
            return False
        if part is self._shell.centralWidget():
            return not any(
                page is not None and (page is widget or page.isAncestorOf(widget))
                for page in (*self._shell._made.values(), *self._shell._headers.values())
            )
        return True

    # -- one action --------------------------------------------------------------------------------

    def _try(self, where: str, run: Callable[[], Any], depth: int, may_stay: bool) -> bool:
        """Do something, see what comes of it, and follow it; whether anything came of it."""
        self._where = where
        self.tried.append(where)
        before, asked, signs, windows = self._look(), self._front.asked, self._signs, _windows()
        had = len(self.found) + len(self._front.faults)
        try:
            run()
        except Exception:  # noqa: BLE001 - whatever it is, it is what is looked for
            self.note(traceback.format_exc())
        alive = self._wait(
            lambda: (
                self._front.asked != asked
                or self._signs != signs
                or _windows() != windows
                or self._look() != before
                or len(self.found) + len(self._front.faults) != had
            ),
            QUIET_S if may_stay else DEAD_S,
        )
        self._settle()
        for fault in self._front.faults:
            self.note(f"The core: {fault}")
        self._front.faults.clear()
        self._follow(where, run, windows, depth)
        self._leave_editors()
        if self._shell.current_page != self.page:
            self._shell.open_page(self.page)
            self._settle()
        return alive

    def _follow(self, where: str, run: Callable[[], Any], known: set[int], depth: int) -> None:
        """Go through the menu or the dialog that came, and leave it by Escape."""
        popup = QApplication.activePopupWidget()
        if isinstance(popup, QMenu):
            self._follow_menu(where, run, popup, depth)
        elif popup is not None:
            popup.close()
        for dialog in QApplication.topLevelWidgets():
            if isinstance(dialog, QDialog) and dialog.isVisible() and id(dialog) not in known:
                if depth < DEPTH:
                    self._crawl(lambda dialog=dialog: [dialog] if _is_there(dialog) else [], f"{where} >>", depth + 1)
                self._where = f"{where} >> Escape"
                if _is_there(dialog):
                    QTest.keyClick(dialog.focusWidget() or dialog, Qt.Key.Key_Escape)
                    if not self._wait(lambda dialog=dialog: not _is_there(dialog), DEAD_S):
                        QTest.keyClick(dialog, Qt.Key.Key_Escape)  # the first one closed a part of it
                        if not self._wait(lambda dialog=dialog: not _is_there(dialog), DEAD_S):
                            self.note("Escape does not close it.")
                            dialog.close()
                self._settle()

    def _leave_editors(self) -> None:
        """Leave what is renamed in place, as a click elsewhere does."""
        for view in self._shell.findChildren(QAbstractItemView):
            if view.isVisible() and view.state() == view.State.EditingState:
                for editor in view.findChildren(QLineEdit):
                    QTest.keyClick(editor, Qt.Key.Key_Escape)

    def _follow_menu(self, where: str, run: Callable[[], Any], menu: QMenu, depth: int) -> None:
        """Trigger each action, with the menu opened anew for each."""
        pairs = list(_pairs(menu, ()))
        paths = [path for path, _ in pairs]
        chosen = {path for path, action in pairs if action.isCheckable() and action.isChecked()}
        menu.close()
        self._settle()
        for path in sorted(paths, key=lambda path: _order_of(path[-1])):
            key = (where, "menu", path)
            if key in self._done:
                continue
            self._done.add(key)
            label = f"{where} > {' > '.join(path)}"

            def open_and_trigger(path: tuple[str, ...] = path) -> None:
                run()
                opened = QApplication.activePopupWidget()
                if isinstance(opened, QMenu):
                    action = next((one for found, one in _pairs(opened, ()) if found == path), None)
                    opened.close()
                    if action is not None and shiboken6.isValid(action) and action.isEnabled():
                        action.trigger()
                        return
                self._signs += 1  # it is not offered any more

            if not self._try(label, open_and_trigger, depth, path in chosen) and path not in chosen:
                self._note_dead(label)

    def _note_dead(self, where: str) -> None:
        self._where = where
        self.note("Nothing happens.")

    def _escape(self) -> None:
        QTest.keyClick(self._shell.focusWidget() or self._shell, Qt.Key.Key_Escape)
        self._settle()

    def _context(self, widget: QWidget, row: int | None = None) -> Callable[[], Any]:
        def ask() -> None:
            if not _is_there(widget):
                return
            place = widget.rect().center()
            if row is not None and isinstance(widget, QAbstractItemView) and row < widget.model().rowCount():
                index = widget.model().index(row, 0)
                widget.setCurrentIndex(index)
                place = widget.visualRect(index).center()
            widget.customContextMenuRequested.emit(place)

        return ask

    def _click_row(self, view: QAbstractItemView, row: int, twice: bool) -> Callable[[], Any]:
        def click() -> None:
            if not _is_there(view) or row >= view.model().rowCount():
                return
            index: QModelIndex = view.model().index(row, 0)
            place = view.visualRect(index).center()
            QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place)
            if twice and _is_there(view):
                QTest.mouseDClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place)

        return click

    # -- looking and waiting -------------------------------------------------------------------------

    def _look(self) -> frozenset[Hashable]:
        """What is in sight, as far as an action can change it."""
        seen: set[Hashable] = {self._shell.current_page}
        for window in QApplication.topLevelWidgets():
            if window.isVisible():
                seen.add(id(window.focusWidget()))
                for part in [window, *window.findChildren(QWidget)]:
                    if part.isVisible():
                        seen.add((id(part), part.isEnabled(), part.height(), _state_of(part)))
        return frozenset(seen)

    def _settle(self) -> None:
        """Wait until the core has answered, and the window has shown it and asked for nothing more."""
        ends = time.monotonic() + PATIENCE_S
        asked = -1
        while asked != self._front.asked and time.monotonic() < ends:
            asked = self._front.asked
            self._wait(lambda: self._front.open <= 0, PATIENCE_S)
            _live(QUIET_S)

    def _wait(self, reached: Callable[[], bool], at_most_s: float) -> bool:
        ends = time.monotonic() + at_most_s
        while not reached():
            if time.monotonic() > ends:
                return False
            _live(0.01)
        return True


def _live(seconds: float) -> None:
    loop = QEventLoop()
    QTimer.singleShot(round(1000 * seconds), loop.quit)
    loop.exec()


def _is_there(widget: QWidget) -> bool:
    return shiboken6.isValid(widget) and widget.isVisible()


def _windows() -> set[int]:
    return {id(window) for window in QApplication.topLevelWidgets() if window.isVisible()}


def _order_of(label: str) -> int:
    """What destroys something comes last, what leaves a dialog before it, and what it is for before that."""
    last = label.rpartition("> ")[2].lower()
    if any(word in last for word in _LAST):
        return 3
    return 2 if last in ("cancel", "close") else 0


def _words_of(widget: QWidget) -> str:
    text = widget.text() if isinstance(widget, QAbstractButton) else ""
    return text or widget.accessibleName() or widget.toolTip() or type(widget).__name__


def _kind_of(widget: QWidget, part: QWidget) -> Iterator[str]:
    """The classes around it, so that what is alike in several rows is tried once."""
    around: QWidget | None = widget
    while around is not None and around is not part:
        yield type(around).__name__
        around = around.parentWidget()


def _state_of(part: QWidget) -> Hashable:
    if isinstance(part, QAbstractButton):
        return (part.text(), part.isChecked())
    if isinstance(part, QComboBox | QTabBar):
        return part.currentIndex()
    if isinstance(part, QPlainTextEdit):
        return part.toPlainText()
    if isinstance(part, QAbstractItemView) and part.model() is not None:
        return (part.model().rowCount(), part.currentIndex().row(), part.state() == part.State.EditingState)
    text = getattr(part, "text", None)
    return str(text()) if callable(text) and not isinstance(part, Dialog) else ""


def _call(widget: QWidget, name: str, *arguments: Any) -> Callable[[], Any]:
    return lambda: getattr(widget, name)(*arguments) if _is_there(widget) else None


def _choose(box: QComboBox, row: int) -> Callable[[], Any]:
    def choose() -> None:
        if _is_there(box) and row < box.count():
            box.setCurrentIndex(row)
            box.activated.emit(row)

    return choose


def _trigger(action: QAction) -> Callable[[], Any]:
    return lambda: action.trigger() if shiboken6.isValid(action) else None


def _pairs(menu: QMenu, above: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], QAction]]:
    """Every action of a menu and of those in it, with its path."""
    menu.aboutToShow.emit()
    for action in menu.actions():
        inner = action.menu()
        if isinstance(inner, QMenu):
            yield from _pairs(inner, (*above, action.text()))
        elif not action.isSeparator() and action.isEnabled() and action.isVisible():
            yield (*above, action.text()), action
