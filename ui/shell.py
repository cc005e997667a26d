"""The frame of the window: navigation, the page's header, banners, status bar, drawer of runs, finder.

It makes each page when it is first shown, and is what the pages know of the window (``ShellActions``). What it
remembers (where the window stood, the page that was open) lies in ``window.ini`` of the home folder.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import shiboken6
from PySide6.QtCore import QByteArray, QRect, QSettings, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QKeySequence, QPaintEvent, QResizeEvent, QShortcut
from PySide6.QtWidgets import QApplication, QFrame, QMainWindow, QStackedWidget, QWidget

from ui import texts
from ui.banner import Banner
from ui.bridge import Bridge
from ui.components.basics import InlineMessage, Text
from ui.components.formulas import current_formulas
from ui.components.layout import column_of, row_of
from ui.components.shown_images import current_images
from ui.early_import import EarlyImport
from ui.fault_note import FaultNote
from ui.features import PAGES, WELCOME, Action, MessageKind, PageEntry, keys_of_page, stops_of
from ui.navigation import Navigation
from ui.page_tabs import PageTabs
from ui.statusbar import StatusBar
from ui.theme import tokens
from ui.theme.theme import Theme, current_theme
from ui.zoom import WindowZoom
from workbench.base.errors import UserError, WorkerDied
from workbench.base.settings import Settings
from workbench.records.engines import EngineState
from workbench.subjects.documents.calls import CollectionList, ListCollections
from workbench.subjects.machine.calls import (
    ChangeSettings,
    DismissEngineNotice,
    GetEngines,
    GetSettings,
    RestartWorker,
    WarmUp,
)
from workbench.subjects.models.calls import ListModels
from workbench.subjects.runs.calls import Status, WorkerState

IDLE_MS = 1_500
"""After this long what the other pages are made of is imported."""
PATIENCE_MS = 8_000
"""How long the core may take to answer first before the window says that it waits for it."""
REMEMBER_MS = 3_000
"""How often the pages' drafts are kept: what a crash may cost."""

FIRST_SIZE, LEAST_SIZE = QSize(1280, 800), QSize(840, 480)
"""Of the first window where the screen has room for it, and of the smallest that can be used: a screen of 1280 x 800
at 150 % shows 853 x 533."""
TITLE_BAR = 40
"""px that are left to the edge that the system draws around a window."""


class Shell(QMainWindow):
    """The window of one home folder. Show it, then call ``start()``; best once it was ``painted`` the first time."""

    painted = Signal()
    imported = Signal()
    """All that the pages are made of is imported."""

    def __init__(self, bridge: Bridge, memory: Path, fresh: bool = False, pages: tuple[PageEntry, ...] = PAGES) -> None:
        """``memory`` is the file in the home folder that it remembers itself in; ``fresh``: the home folder holds
        nothing yet."""
        super().__init__()
        self.setWindowTitle("LLM Workbench")
        current_theme().dress(self)
        self._bridge = bridge
        self.pages = pages
        self._entries = {entry.name: entry for entry in (*pages, WELCOME)}
        self._ahead: set[str] = set()  # pages whose module was imported before they are opened
        self._made: dict[str, QWidget] = {}
        self._headers: dict[str, QWidget | None] = {}
        self._current = ""
        self._memory = QSettings(str(memory), QSettings.Format.IniFormat)
        self._fresh = fresh
        self._painted = False
        self._left_welcome = bool(self._memory.value("left_welcome", False, type=bool))
        self._file = ""
        self._finder: QWidget | None = None
        self._drawer: QWidget | None = None
        self._remember_timer = QTimer(self, interval=REMEMBER_MS, timeout=self._remember_pages)
        self._remember_timer.start()
        self._build()
        self._connect()
        self._restore()

    # -- ShellActions --------------------------------------------------------------------------------

    @property
    def theme(self) -> Theme:
        return current_theme()

    def open_page(self, name: str, **target: Any) -> None:
        """Show a page, or the page of a group that was open last, and what ``target`` names on it. Raises KeyError for
        a page that there is not."""
        name = self._tabs.resolve(name)
        entry = self._entries[name]
        if self._current == WELCOME.name and name != WELCOME.name:
            self._left_welcome = True
            self._memory.setValue("left_welcome", True)
        if name not in self._made:
            self._made[name] = _class_of(entry)(self._bridge, self)
        page = self._made[name]
        if name not in self._headers:
            self._place(entry, page)
        if name != self._current and self._message.property("kind") == "success":
            self._message.hide()  # good news was read; what went wrong stays until it is closed
        self._current = name
        self._stack.setCurrentWidget(page)
        self._title.setText(self._tabs.title_of(entry))
        page.setAccessibleName(self._tabs.title_of(entry))  # it has the keyboard where nothing on it does
        self._navigation.set_current(entry.group or name)
        self._tabs.show_page(entry)
        for other, header in self._headers.items():
            if header is not None:
                header.setVisible(other == name)
        self._message.lay_over()
        if target:
            page.open_target(**target)  # type: ignore[attr-defined]
        if page.focusWidget() is None and not self._tabs.has_keyboard:
            page.setFocus(Qt.FocusReason.OtherFocusReason)

    def show_message(self, text: str, kind: MessageKind, action: Action | None = None) -> None:
        """Say something in the banner over the top of the page, which stays where it is."""

        def act() -> None:
            self._message.hide()
            if action is not None:
                action.run()

        self._message.show_message(text, kind, action.text if action is not None else "", act)

    def take_back_message(self, text: str) -> None:
        if self._message.text == text:
            self._message.hide()

    # -- for the window's own parts ------------------------------------------------------------------

    @property
    def current_page(self) -> str:
        """The name of the page that is shown; empty before the first."""
        return self._current

    def made_page(self, name: str) -> QWidget | None:
        """A page, if it was made already."""
        return self._made.get(name)

    def start(self, page: str = "") -> None:
        """Show a page (by itself: the one that was open last) and begin to watch the core.

        Called once the window is shown.
        """
        first = page or (WELCOME.name if self._fresh else str(self._memory.value("page", "")))
        entry = self._entries[first if first in self._entries else self.pages[0].name]
        if self._file:
            self.open_page("models", path=self._file)
        EarlyImport(_module_of(entry), partial(self._on_imported, entry), self)
        self._bridge.start()
        current_formulas().draw_with(self._bridge)
        current_images().draw_with(self._bridge)
        home = self._bridge.home
        home.listing(GetSettings()).follow(self.follow)
        home.listing(GetEngines()).follow(self._on_engines)
        home.listing(ListModels()).follow(self._offer_welcome)
        home.listing(ListCollections()).follow(self._offer_welcome)
        self._patience.start()
        QTimer.singleShot(IDLE_MS, self, self._import_ahead)
        home.listing(ListCollections()).once(self._warm_up, self)

    def _warm_up(self, known: CollectionList) -> None:
        """Load the embedding model ahead of the first question where there are documents to ask about."""
        if known.collections:
            self._bridge.call(WarmUp(), lambda result: None, lambda error: None, self)

    def _on_imported(self, entry: PageEntry) -> None:
        parts = getattr(_class_of(entry), "make_parts", None)
        self._make_first(entry, parts(self._bridge) if parts is not None else iter(()), {})

    def _make_first(self, entry: PageEntry, parts: Iterator[tuple[str, QWidget]], made: dict[str, QWidget]) -> None:
        """Make the first page and show it, a piece in each turn of the event loop: the window stays alive."""
        if self._current or entry.name in self._made:  # somebody was faster
            return
        part = next(parts, None)
        if part is not None:
            made[part[0]] = part[1]
            QTimer.singleShot(0, self, partial(self._make_first, entry, parts, made))
            return
        arguments = (made,) if made else ()
        self._made[entry.name] = _class_of(entry)(self._bridge, self, *arguments)
        QTimer.singleShot(0, self, partial(self._show_first, entry))

    def _show_first(self, entry: PageEntry) -> None:
        if not self._current:
            self.open_page(entry.name)

    def open_file(self, path: str) -> None:
        """Offer a model's file for import, as soon as there are pages: one that was opened from the desktop."""
        self._file = path
        if self._current:
            self.open_page("models", path=path)

    def _import_ahead(self) -> None:
        """Import what the pages that were not opened yet are made of, one after the other."""
        later = [entry for entry in self.pages if entry.name not in self._made and entry.name not in self._ahead]
        if later:
            self._ahead.add(later[0].name)
            EarlyImport(_module_of(later[0]), self._import_ahead, self)
        else:
            self.imported.emit()

    def show_runs(self) -> None:
        """Open the drawer with every run, or close it."""
        if self._drawer is None:
            from ui.drawer import RunsDrawer

            self._drawer = RunsDrawer(self._bridge)
            self._drawer.closed.connect(self._status.focus_runs)
            self._column.insertWidget(self._column.indexOf(self._status), self._drawer)
        self._drawer.setVisible(not self._drawer.isVisible())

    def show_finder(self) -> None:
        """Open the palette that finds anything."""
        if self._finder is None:
            from ui.finder import Finder

            self._finder = Finder(self._bridge, self)
        self._finder.open()  # type: ignore[attr-defined]

    def show_all_techniques(self) -> None:
        """Keep the pages of all techniques in the navigation from now on."""
        call = ChangeSettings(values={"general": {"all_techniques": True}})
        self._bridge.call(call, self._bridge.home.listing(GetSettings()).put, owner=self)

    def show_shortcuts(self) -> None:
        """List the keys."""
        from ui.shortcuts import ShortcutList

        ShortcutList(self.pages, self).open()

    # -- building ------------------------------------------------------------------------------------

    def _build(self) -> None:
        root = QWidget()
        self._column = column_of(root, gap=0)
        middle = row_of(gap=0)
        self._navigation = Navigation(self.pages, WELCOME)
        middle.addWidget(self._navigation)
        header = self._build_header()
        right = column_of(None, header, gap=0)
        self._condition = InlineMessage(closable=False)
        self._condition.setProperty("place", "banner")
        right.addWidget(self._condition)
        self.faults = FaultNote(Path(self._memory.fileName()).parent / "logs")
        right.addWidget(self.faults)
        self._stack = QStackedWidget()
        self._message = Banner(header, self._stack, root)
        right.addWidget(self._stack, 1)
        middle.addLayout(right, 1)
        self._column.addLayout(middle, 1)
        self._status = StatusBar(self._bridge)
        self._column.addWidget(self._status)
        self.setCentralWidget(root)
        self._patience = QTimer(self, singleShot=True, interval=PATIENCE_MS)

    def _build_header(self) -> QFrame:
        header = QFrame()
        header.setProperty("role", "header")
        header.setFixedHeight(56)
        self._header = row_of(header, gap=tokens.SPACE_3, margins=(tokens.SPACE_5, 0, tokens.SPACE_4, 0))
        self._title = Text("", "title")
        self._tabs = PageTabs(self.pages, self._memory)
        self._tabs.chosen.connect(self.open_page)
        self._header.addWidget(self._title)
        self._header.addWidget(self._tabs)
        self._header.addStretch(1)
        return header

    def _connect(self) -> None:
        self._navigation.chosen.connect(self.open_page)
        self._navigation.find_wanted.connect(self.show_finder)
        self._navigation.all_wanted.connect(self.show_all_techniques)
        self._status.runs_wanted.connect(self.show_runs)
        self._status.models_wanted.connect(lambda: self.open_page("models"))
        self._status.network_wanted.connect(lambda words: self.show_message(words, "info"))
        self._patience.timeout.connect(self._on_patience_ended)
        self._bridge.failed.connect(self._on_failed)
        self._bridge.engine_needed.connect(self._on_engine_needed)
        self._bridge.connected_changed.connect(self._on_connected_changed)
        self._bridge.status_changed.connect(self._on_status)
        application = QApplication.instance()
        assert isinstance(application, QApplication)
        application.focusChanged.connect(self._on_focus_changed)
        for number, stop in enumerate(stops_of(self.pages), 1):
            self._shortcut(keys_of_page(number), partial(self.open_page, stop.name))
        self._shortcut("Ctrl+Tab", partial(self._tabs.turn, 1))
        self._shortcut("Ctrl+Shift+Tab", partial(self._tabs.turn, -1))
        self._shortcut("Ctrl+K", self.show_finder)
        self._shortcut("Ctrl+J", self.show_runs)
        self._shortcut("F1", self.show_shortcuts)
        self._shortcut("Ctrl+Q", self.close)
        self._zoom = WindowZoom(self, self, self._bridge, LEAST_SIZE)

    def _on_focus_changed(self, before: QWidget | None, now: QWidget | None) -> None:
        """Keep the keyboard on the page when what had it there goes or is switched off: Qt hands it to whatever comes
        next, which may be the navigation."""
        page = self._made.get(self._current)
        if page is None or before is None or not (shiboken6.isValid(before) and page.isAncestorOf(before)):
            return
        gone = not (before.isVisible() and before.isEnabled())
        if gone and page.isVisible() and (now is None or self._navigation.isAncestorOf(now)):
            page.setFocus(Qt.FocusReason.OtherFocusReason)

    def _shortcut(self, keys: str, run: Callable[[], Any]) -> None:
        QShortcut(QKeySequence(keys), self).activated.connect(run)

    def _place(self, entry: PageEntry, page: QWidget) -> None:
        """Put a page into the frame, and give it back what it remembered."""
        self._stack.addWidget(page)
        header = page.header() if hasattr(page, "header") else None
        self._headers[entry.name] = header
        if hasattr(page, "recall"):
            page.recall(str(self._memory.value(f"pages/{entry.name}", "")))
        if header is not None:
            self._header.addWidget(header)

    def _restore(self) -> None:
        geometry = self._memory.value("geometry")
        room = self.screen().availableGeometry()
        self.setMinimumSize(LEAST_SIZE.boundedTo(room.size()))
        if not (isinstance(geometry, QByteArray) and self.restoreGeometry(geometry)):
            inside = room.adjusted(0, 0, 0, -TITLE_BAR)
            place = QRect(inside.topLeft(), FIRST_SIZE.boundedTo(inside.size()))
            place.moveCenter(inside.center())
            self.resize(place.size())
            self.move(place.topLeft())

    # -- what happens --------------------------------------------------------------------------------

    def _on_patience_ended(self) -> None:
        if self._bridge.connected is None:
            self._condition.show_message(texts.STARTING_CORE, "info")

    def _on_connected_changed(self, connected: bool) -> None:
        if not connected:
            stopped = texts.CORE_STOPPED
            self._condition.show_message(
                self._bridge.problem or stopped, "danger", texts.RESTART, self._bridge.reconnect
            )
            return
        self._condition.hide()

    def _on_status(self, status: Status) -> None:
        dead = next((worker for worker in status.workers if worker.state == "dead"), None)
        if dead is None:
            self._condition.hide()
        else:
            self._condition.show_message(_died(dead), "danger", texts.RESTART, partial(self._restart, dead.name))

    def _restart(self, worker: str) -> None:
        self._bridge.call(
            RestartWorker(name="embedding" if worker == "embedding" else "inference"), _ignore, owner=self
        )

    def follow(self, settings: Settings) -> None:
        """Look as the settings say."""
        self._status.show_network(settings)
        self._zoom.follow(settings)
        self._navigation.show_all(settings.general.all_techniques)
        self.theme.reduce_motion(settings.general.reduce_motion)
        self.theme.choose(settings.general.theme)
        self.theme.set_reading_size(settings.general.text_size)

    def _on_engines(self, state: EngineState) -> None:
        """Say once that the chosen engine has stopped working."""
        if state.notice:
            self._on_engine_needed(state.notice)
            self._bridge.call(DismissEngineNotice(), _ignore, owner=self)

    def _on_engine_needed(self, words: str) -> None:
        show = partial(self.open_page, "settings", section="engines")
        self.show_message(words, "attention", Action(texts.SHOW_ENGINES, show))

    def _on_failed(self, error: Exception) -> None:
        if isinstance(error, WorkerDied):
            return  # the banner of the status says it, with Restart
        if isinstance(error, UserError):
            self.show_message(str(error), "attention")
        else:
            self.show_message(texts.FAULT_OF.format(value=str(error).splitlines()[0]), "danger")

    # -- the first steps -----------------------------------------------------------------------------

    def _offer_welcome(self, found: object = None) -> None:
        """Open the welcome page while there is no model or no collection, unless it was left before."""
        models, collections = (
            self._bridge.home.listing(ListModels()).value,
            self._bridge.home.listing(ListCollections()).value,
        )
        if models is None or collections is None:
            return
        needed = not (any(model.kind == "chat" for model in models.models) and collections.collections)
        self._navigation.set_welcome_visible(needed or self._current == WELCOME.name)
        if needed and not self._left_welcome and self._current == self.pages[0].name:
            self.open_page(WELCOME.name)

    # -- the window ----------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not self._painted:
            self._painted = True
            self.painted.emit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._finder is not None:
            self._finder.place()  # type: ignore[attr-defined]

    def focusNextPrevChild(self, forward: bool) -> bool:
        page = self._stack.currentWidget()
        if page is not None and hasattr(page, "step_by_tab") and page.step_by_tab(forward):
            return True
        return super().focusNextPrevChild(forward)

    def _remember_pages(self) -> None:
        """Keep what the pages want kept; a value that did not change is not written."""
        for name, page in self._made.items():
            if hasattr(page, "remember"):
                key, words = f"pages/{name}", page.remember()
                if words != str(self._memory.value(key, "")):
                    self._memory.setValue(key, words)

    def closeEvent(self, event: QCloseEvent) -> None:
        self._remember_pages()
        self._memory.setValue("geometry", self.saveGeometry())
        if self._current != WELCOME.name:
            self._memory.setValue("page", self._current)
        self._memory.sync()
        for page in self._made.values():
            if hasattr(page, "leave"):
                page.leave()
        current_formulas().draw_with(None)
        current_images().draw_with(None)
        self._bridge.close()
        super().closeEvent(event)


def _module_of(entry: PageEntry) -> str:
    return entry.entry.partition(":")[0]


def _class_of(entry: PageEntry) -> Callable[..., QWidget]:
    found: Callable[..., QWidget] = getattr(importlib.import_module(_module_of(entry)), entry.entry.partition(":")[2])
    return found


def _died(worker: WorkerState) -> str:
    what = {"inference": texts.INFERENCE_DIED, "embedding": texts.EMBEDDING_DIED}.get(
        worker.name, texts.WORKER_DIED.format(name=worker.name)
    )
    return f"{what} {worker.detail}".rstrip()


def _ignore(anything: object) -> None:
    """For calls whose effect is seen elsewhere."""
