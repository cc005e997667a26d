"""Opens all that a window offers, and finds what fails and what does nothing.

The crawler knows no page: it takes what is in sight (``offers``), tries each thing once in a round, follows the menus
and the dialogs that come, and leaves them by Escape. What has just come into sight is tried before the rest, and what
turns to another part of a page after what the part offers. When nothing is left, it turns to every part once more and
tries what destroys something, which no part was left with before.

An action is dead when within two seconds nothing changed in sight, no window, file dialog or program was opened,
nothing was copied and nothing was asked of the core; since "New chat" has nothing to do in a new chat, it is tried
again in another state before it counts as dead.
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
from PySide6.QtCore import QEventLoop, QMessageLogContext, QObject, Qt, QTimer, QtMsgType
from PySide6.QtGui import QDesktopServices, QGuiApplication, QShortcut
from PySide6.QtPrintSupport import QPrintPreviewDialog
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QApplication,
    QComboBox,
    QDialog,
    QFileDialog,
    QLineEdit,
    QMenu,
    QPlainTextEdit,
    QTabBar,
    QWidget,
)

from tests.ui.offers import NotOffered, Offer, actions_of, is_there, kind_of, offers_of
from tests.ui.watched_front import WatchedFront
from ui.components.basics import InlineMessage
from ui.components.dialog import Dialog
from ui.shell import Shell

DEAD_S = 2.0
QUIET_S = 0.02
PATIENCE_S = 1.0
"""How long the calls of an action are waited for before the next one."""
DEPTH = 3
"""Dialogs over dialogs that are followed."""
MOST = 700
"""Actions of a round, so that a page that makes new ones for ever ends."""
_TURN_OF_KIND = {"write": -1, "act": 0, "destroy": 1, "turn": 2, "leave": 3}


@dataclass(frozen=True)
class Found:
    """Something that went wrong: where, and what."""

    where: str
    what: str


class Crawler(QObject):
    """In a round that ``gives``, the file dialogs give ``file``, something is typed into each field, and at last all is
    destroyed that can be; in one that does not, they are left without."""

    def __init__(self, shell: Shell, front: WatchedFront, file: Path) -> None:
        super().__init__()
        self._shell = shell
        self._front = front
        self._file = file
        self._gives = False
        self.page = ""
        self.found: list[Found] = []
        self.tried: list[str] = []
        self._done: set[Hashable] = set()
        self._destroys = False
        self._open: list[str] = []  # the actions that led to where it is
        self._left: set[str] = set()  # actions that lead to something destroying
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
            if self._gives or always:
                return given
            return "" if isinstance(given, str) else (type(given[0])(), "")

        return stand_in

    # -- a round ----------------------------------------------------------------------------------

    def crawl_page(self, name: str, gives: bool) -> None:
        """Try all that a page offers, once."""
        self._begin(name, gives)
        self._shell.open_page(name)
        self.settle(0)
        self._crawl(self._parts_of_page, name, 0)

    def crawl_frame(self, gives: bool) -> None:
        """Try what stands around the pages: navigation, status bar, finder, drawer, keys."""
        self._begin(self._shell.pages[0].name, gives)
        self._shell.open_page(self.page)
        self.settle(0)
        self._crawl(self._parts_of_frame, "frame", 0)
        for shortcut in self._shell.findChildren(QShortcut):
            if shortcut.parent() is self._shell and shortcut.key().toString() != "Ctrl+Q":
                where = f"frame > {shortcut.key().toString()}"
                self._try(where, shortcut.activated.emit, 0, may_stay=True)
                self._crawl(self._parts_of_frame, where, 0, (False,))  # each page again for each key would say nothing
                self._escape()

    def _begin(self, page: str, gives: bool) -> None:
        self.page, self._gives = page, gives
        self._done.clear()
        self._left.clear()

    def _parts_of_page(self) -> list[QWidget]:
        page = self._shell.made_page(self.page)
        assert page is not None
        header = self._shell._headers.get(self.page)
        return [page] if header is None else [page, header]

    def _parts_of_frame(self) -> list[QWidget]:
        root = self._shell.centralWidget()
        assert root is not None
        overlays = [one for one in self._shell.children() if isinstance(one, QWidget) and one.isVisible()]
        return list({id(one): one for one in [root, *overlays]}.values())

    def _crawl(
        self, parts: Callable[[], list[QWidget]], where: str, depth: int, passes: tuple[bool, ...] = (False, True)
    ) -> None:
        """Try what is in these parts until nothing is left that was not tried, and then what destroys something."""
        silent: dict[Hashable, str] = {}
        for last in passes:
            if depth == 0:
                self._destroys = last and self._gives
            self._crawl_once(parts, where, depth, last, silent)
        if depth == 0:
            self._escape()  # what is tried again is tried in a page at rest
        for offer in self._offers(parts):
            label = silent.pop(offer.names[0], "")
            if label and not self._try(label, offer.run, depth, may_stay=False):
                self._note_dead(label)
        for label in silent.values():
            self._note_dead(label)

    def _crawl_once(
        self,
        parts: Callable[[], list[QWidget]],
        where: str,
        depth: int,
        last: bool,
        silent: dict[Hashable, str],
    ) -> None:
        """``last`` turns to every part again, and tries again what had done nothing or leads to what destroys."""
        ages: dict[Hashable, int] = {}
        again: set[Hashable] = set()
        for step in range(MOST):
            fresh: list[Offer] = []
            for offer in self._offers(parts):
                name, label = offer.names[0], f"{where} > {offer.label}"
                ages.setdefault(name, step)
                done = again if last and (offer.kind == "turn" or name in silent or label in self._left) else self._done
                stays = offer.kind != "leave" or last or depth == 0  # what did nothing is tried again in a dialog first
                if stays and self._wants(offer.kind) and not done.intersection(offer.names):
                    fresh.append(offer)
            if not fresh:
                return
            offer = min(fresh, key=lambda one: (-ages[one.names[0]], _TURN_OF_KIND[one.kind]))
            name, label = offer.names[0], f"{where} > {offer.label}"
            self._done.update(offer.names)
            again.update(offer.names)
            may_stay = offer.kind in ("turn", "write")
            alive = self._try(label, offer.run, depth, may_stay)
            if not alive and not may_stay and self._put_away_messages():
                alive = self._try(label, offer.run, depth, may_stay)
            if alive:
                silent.pop(name, None)
            elif not may_stay:
                silent[name] = label
        self._where = where
        self.note(f"There is no end to what can be tried: {self.tried[-3:]}")

    def _wants(self, kind: str) -> bool:
        if kind == "destroy" and not self._destroys:
            self._left.update(self._open)
            return False
        return kind != "write" or self._gives

    def _offers(self, parts: Callable[[], list[QWidget]]) -> list[Offer]:
        return [
            offer
            for part in parts()
            for offer in offers_of(part, lambda widget, part=part: self._is_in_scope(widget, part))
        ]

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
        before = self._look() if may_stay else self._look_at_rest()
        asked, signs, windows = self._front.asked, self._signs, _windows()
        had = len(self.found) + len(self._front.faults)
        try:
            run()
        except NotOffered:
            self._signs += 1
        except Exception:  # noqa: BLE001 - whatever it is, it is what is looked for
            self.note(traceback.format_exc())
        alive = self._wait(
            lambda: (
                self._front.asked != asked
                or self._signs != signs
                or _windows() != windows
                or len(self.found) + len(self._front.faults) != had
                or self._look() != before
            ),
            QUIET_S if may_stay else DEAD_S,
        )
        self.settle(asked)
        for fault in self._front.faults:
            self.note(f"The core: {fault}")
        self._front.faults.clear()
        self._open.append(where)
        self._follow(where, run, windows, depth)
        self._open.pop()
        self._leave_editors()
        if self._shell.current_page != self.page:
            self._shell.open_page(self.page)
            self.settle(self._front.asked)
        return alive

    def _follow(self, where: str, run: Callable[[], Any], known: set[int], depth: int) -> None:
        """Go through the menu or the dialog that came, and leave it by Escape."""
        popup = QApplication.activePopupWidget()
        if isinstance(popup, QMenu):
            self._follow_menu(where, run, popup, depth)
        elif popup is not None:
            popup.close()
        for dialog in QApplication.topLevelWidgets():
            if isinstance(dialog, QFileDialog) and dialog.isVisible():
                self._choose_file(dialog)
            elif isinstance(dialog, QDialog) and dialog.isVisible() and id(dialog) not in known:
                if depth < DEPTH and not isinstance(dialog, QPrintPreviewDialog):  # it opens dialogs of the system
                    self._crawl(lambda dialog=dialog: [dialog] if is_there(dialog) else [], f"{where} >>", depth + 1)
                self._where = f"{where} >> Escape"
                self._leave(dialog)

    def _choose_file(self, dialog: QFileDialog) -> None:
        """What Qt's own dialog offers, such as to delete a file, is not tried."""
        asked = self._front.asked
        folder = dialog.fileMode() == QFileDialog.FileMode.Directory
        chosen = str(self._file.parent if folder else self._file)
        dialog.reject()
        if self._gives:
            dialog.fileSelected.emit(chosen)
            dialog.filesSelected.emit([chosen])
        self.settle(asked)

    def _leave(self, dialog: QDialog) -> None:
        asked = self._front.asked
        for _ in range(2):  # the first Escape may close a part of it
            if is_there(dialog):
                QTest.keyClick(dialog.focusWidget() or dialog, Qt.Key.Key_Escape)
                self._wait(lambda: not is_there(dialog), DEAD_S)
        if is_there(dialog):
            self.note("Escape does not close it.")
            dialog.close()
        self.settle(asked)

    def _follow_menu(self, where: str, run: Callable[[], Any], menu: QMenu, depth: int) -> None:
        """Trigger each action, with the menu opened anew for each."""
        pairs = list(actions_of(menu))
        chosen = {path for path, action in pairs if action.isCheckable() and action.isChecked()}
        menu.close()
        for path in sorted((path for path, _ in pairs), key=lambda path: kind_of(path[-1]) == "destroy"):
            if (where, "menu", path) in self._done or not self._wants(kind_of(path[-1])):
                continue
            self._done.add((where, "menu", path))
            label = f"{where} > {' > '.join(path)}"

            def open_and_trigger(path: tuple[str, ...] = path) -> None:
                run()
                opened = QApplication.activePopupWidget()
                if isinstance(opened, QMenu):
                    action = next((one for found, one in actions_of(opened) if found == path), None)
                    opened.close()
                    if action is not None and shiboken6.isValid(action) and action.isEnabled():
                        action.trigger()
                        return
                raise NotOffered

            alive = self._try(label, open_and_trigger, depth, path in chosen) or path in chosen
            if not alive and self._put_away_messages():
                alive = self._try(label, open_and_trigger, depth, may_stay=False)
            if not alive:
                self._note_dead(label)

    def _leave_editors(self) -> None:
        """Leave what is renamed in place, as a click elsewhere does."""
        for view in self._shell.findChildren(QAbstractItemView):
            if view.isVisible() and view.state() == view.State.EditingState:
                for editor in view.findChildren(QLineEdit):
                    QTest.keyClick(editor, Qt.Key.Key_Escape)

    def _put_away_messages(self) -> bool:
        """So that an action that says the same as what was tried before it is seen to say it; whether any was there."""
        messages = [one for one in self._shell.findChildren(InlineMessage) if one.isVisible()]
        for message in messages:
            message.hide()
        return bool(messages)

    def _note_dead(self, where: str) -> None:
        self._where = where
        unanswered = self._front.unanswered
        self.note(f"Nothing happens. Not answered yet: {', '.join(unanswered) or 'nothing'}.")

    def _escape(self) -> None:
        asked = self._front.asked
        QTest.keyClick(self._shell.focusWidget() or self._shell, Qt.Key.Key_Escape)
        self.settle(asked)

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

    def _look_at_rest(self) -> frozenset[Hashable]:
        """What is in sight once the layouts have come to rest: what comes of an action is told from what was before."""
        ends = time.monotonic() + PATIENCE_S
        before, now = None, self._look()
        while now != before and time.monotonic() < ends:
            _live(QUIET_S)
            before, now = now, self._look()
        return now

    def settle(self, since: int) -> None:
        """Wait until the core has answered what was asked after ``since`` calls, and the window asks no more."""
        ends = time.monotonic() + PATIENCE_S
        asked = -1
        while asked != self._front.asked and time.monotonic() < ends:
            asked = self._front.asked
            self._wait(lambda: not self._front.waits_for(since), ends - time.monotonic())
            _live(QUIET_S)

    def _wait(self, reached: Callable[[], bool], at_most_s: float) -> bool:
        ends = time.monotonic() + at_most_s
        pause_s = 0.005
        while not reached():
            if time.monotonic() > ends:
                return False
            _live(pause_s)
            pause_s = min(2 * pause_s, 0.1)
        return True


def _live(seconds: float) -> None:
    loop = QEventLoop()
    QTimer.singleShot(round(1000 * seconds), loop.quit)
    loop.exec()


def _windows() -> set[int]:
    return {id(window) for window in QApplication.topLevelWidgets() if window.isVisible()}


def _state_of(part: QWidget) -> Hashable:
    if isinstance(part, QAbstractButton):
        return (part.text(), part.isChecked())
    if isinstance(part, QComboBox | QTabBar):
        return part.currentIndex()
    if isinstance(part, QAbstractSlider):
        return part.value()
    if isinstance(part, QPlainTextEdit):
        return part.toPlainText()
    if isinstance(part, QAbstractItemView) and part.model() is not None:
        rows = part.model().rowCount()
        shown = [part.model().index(row, 0) for row in range(min(rows, 20))]
        cells = tuple((str(one.data()), one.data(Qt.ItemDataRole.CheckStateRole)) for one in shown)
        return (rows, part.currentIndex().row(), part.state() == part.State.EditingState, cells)
    text = getattr(part, "text", None)
    return str(text()) if callable(text) and not isinstance(part, Dialog) else ""
