"""The zoom of the whole window: Qt's scale factor, by which every text and distance is multiplied.

Qt reads its factor from the environment when the application begins. While the program runs, the function is called by
which Qt sets it then (PySide 6.11 offers no other way); the windows are made anew for it. Where a build of Qt does not
export this function, the zoom is kept and holds from the next start on, and the window says so.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import PySide6
from PySide6.QtCore import QObject, QRect, QSize, Qt, qInstallMessageHandler
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QApplication, QWidget

from ui import texts
from ui.bridge import Bridge
from ui.features import ShellActions
from ui.theme.theme import current_theme
from workbench.base.settings import Settings
from workbench.subjects.machine.calls import ChangeSettings, GetSettings

STEPS = (50, 67, 80, 90, 100, 110, 125, 150, 175, 200)
"""Percent that the keys go through."""
_VARIABLE = "QT_SCALE_FACTOR"
_OWN = "LLM_WORKBENCH_SYSTEM_SCALE"  # the person's own factor, by which all Qt programs are scaled
_KEYS = {"Ctrl++": 1, "Ctrl+=": 1, "Ctrl+-": -1, "Ctrl+0": 0}


def scale_from_the_start(percent: int) -> None:
    """Have Qt begin with a zoom; called before there is an application."""
    if percent == current_zoom():
        return
    own = os.environ.setdefault(_OWN, os.environ.get(_VARIABLE) or "1")
    os.environ[_VARIABLE] = str(_own_factor(own) * percent / 100)


def current_zoom() -> int:
    """The zoom that the windows are drawn at, in percent."""
    own = _own_factor(os.environ.get(_OWN, ""))
    return round(100 * _own_factor(os.environ.get(_VARIABLE, "")) / own) if _OWN in os.environ else 100


def _own_factor(written: str) -> float:
    try:
        return float(written) or 1.0
    except ValueError:
        return 1.0


class WindowZoom(QObject):
    """Follows the setting, and changes it by the keys. At no zoom the window needs more room than the screen has."""

    def __init__(self, window: QWidget, shell: ShellActions, bridge: Bridge, least: QSize) -> None:
        super().__init__(window)
        self._window, self._shell, self._bridge, self._least = window, shell, bridge, least
        self._wanted = current_zoom()
        for keys, way in _KEYS.items():
            QShortcut(QKeySequence(keys), window).activated.connect(partial(self.step, way))

    def follow(self, settings: Settings) -> None:
        """Zoom as a setting says."""
        self._wanted = settings.general.zoom
        if self._wanted != current_zoom():
            self._apply(self._wanted)

    def step(self, way: int) -> None:
        """To the next larger (1) or smaller (-1) step, or to 100 % (0); the setting is stored."""
        now = self._wanted
        beyond = [step for step in STEPS if (step > now if way > 0 else step < now)]
        wanted = 100 if way == 0 else (beyond or [now])[0 if way > 0 else -1]
        if wanted > now and not self._has_room(wanted):
            self._shell.show_message(texts.ZOOM_NO_ROOM.format(percent=now), "info")
            return
        self._shell.show_message(texts.ZOOM.format(percent=wanted), "info")
        if wanted != now:
            self._wanted = wanted
            call = ChangeSettings(values={"general": {"zoom": wanted}})
            self._bridge.call(call, self._bridge.home.listing(GetSettings()).put, owner=self)

    def _has_room(self, percent: int) -> bool:
        room = self._window.screen().availableGeometry().size() * current_zoom() / percent
        return room.width() >= self._least.width() and room.height() >= self._least.height()

    def _apply(self, percent: int) -> None:
        set_factor = _factor_of_qt()
        if set_factor is None:
            self._shell.show_message(texts.ZOOM_LATER.format(percent=percent), "info")
            return
        before = current_zoom() / 100
        scale_from_the_start(percent)
        after = current_zoom() / 100
        windows = [one for one in QApplication.topLevelWidgets() if one.isVisible() and one.windowHandle() is not None]
        places = {one: QRect(one.pos() * before, one.size() * before) for one in windows}
        for one in windows:
            one.windowHandle().destroy()
        before_it = qInstallMessageHandler(_say_nothing)  # it warns of the windows, which are made anew here
        set_factor(_own_factor(os.environ[_VARIABLE]))
        qInstallMessageHandler(before_it)
        room = self._window.screen().availableGeometry().size()
        self._window.setMinimumSize(self._least.boundedTo(room))
        for one in windows:
            whole = Qt.WindowState.WindowMaximized | Qt.WindowState.WindowFullScreen
            if not one.windowState() & whole:
                one.setGeometry(QRect(places[one].topLeft() / after, places[one].size() / after))
            one.windowHandle().create()
            one.windowHandle().setVisible(True)
        self._window.activateWindow()
        current_theme().changed.emit()  # icons are drawn for the pixels of now


def _say_nothing(*_: object) -> None:
    """For the one call whose warning is known."""


def _factor_of_qt() -> Callable[[float], None] | None:
    """``QHighDpiScaling::setGlobalFactor``; None in a build of Qt that does not export it."""
    if sys.platform == "win32":
        library, symbol = Path(PySide6.__file__).parent / "Qt6Gui.dll", "?setGlobalFactor@QHighDpiScaling@@SAXN@Z"
    else:
        inside = "QtGui.framework/Versions/A/QtGui" if sys.platform == "darwin" else "libQt6Gui.so.6"
        library = Path(PySide6.__file__).parent / "Qt" / "lib" / inside
        symbol = "_ZN15QHighDpiScaling15setGlobalFactorEd"
    try:
        found = ctypes.CDLL(str(library))[symbol]
    except (OSError, AttributeError):
        return None
    found.argtypes, found.restype = [ctypes.c_double], None
    return found
