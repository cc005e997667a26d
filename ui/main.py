"""The entry point of the window: reads the command line, opens the window at once, and starts the core in the
background.

Nothing that is heavy is imported here, and Qt only once it is clear that a window is wanted: a frozen build runs this
same program again to be the core or a worker.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import importlib
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ui import texts
from workbench import __version__
from workbench.base.errors import UserError
from workbench.base.paths import Home, find_home
from workbench.base.settings import load_settings, save_settings

if TYPE_CHECKING:
    from ui.shell import Shell
    from workbench.api.client import Front


LEAVE_S = 5.0
"""How long a core that the window has started stays after its last client, run and answer. One that the terminal has
started stays longer: the next command finds it and its models there."""

_SCREENS = {"wayland": "WAYLAND_DISPLAY", "xcb": "DISPLAY"}
"""Qt's platforms on Linux, and the variable that says that there is a screen for it."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the window of a home folder until it is closed; the exit status. Raises SystemExit for a usage error."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments[:1] == ["--worker"]:
        return _become_worker(arguments[1:])
    if arguments[:1] == ["--core"]:
        return _become_core(arguments[1:])
    parser = argparse.ArgumentParser(prog="llm-workbench", description=texts.PROGRAM_HELP)
    parser.add_argument("--home", metavar="DIR", help=texts.HOME_HELP)
    parser.add_argument("model", nargs="?", default="", metavar="FILE", help=texts.FILE_HELP)
    parser.add_argument("--version", action="version", version=f"LLM Workbench {__version__}")
    parsed = parser.parse_args(arguments)
    try:
        return _run_window(find_home(parsed.home), _existing(parsed.model))
    except UserError as error:
        sys.stderr.write(f"{error}\n")
        return 1


def _become_worker(arguments: list[str]) -> int:
    workers = importlib.import_module("workbench.workers.__main__")  # by name: the window knows no worker
    status: int = workers.run(arguments)
    return status


def _become_core(arguments: list[str]) -> int:
    core = importlib.import_module("workbench.app")
    status: int = core.main(arguments)
    return status


def _existing(file: str) -> str:
    """The whole path of a file, "" for none. Raises UserError for one that is not there."""
    if not file:
        return ""
    path = Path(file).absolute()
    try:
        path.stat()
    except (OSError, ValueError) as error:  # also a name that is too long, and a folder that must not be read
        raise UserError(texts.NO_FILE.format(path=path)) from error
    return str(path)


def _run_window(home: Home, model: str) -> int:
    try:
        from ui.application import Application
    except ImportError as error:
        raise _library_error(error) from error
    check_platform()
    from ui.faults import FaultWatch
    from ui.garbage import GarbageCollection
    from ui.zoom import scale_from_the_start

    scale_from_the_start(load_settings(home.settings).general.zoom)
    application = Application(sys.argv[:1])
    garbage = GarbageCollection()
    home.create()
    faults = FaultWatch(home.logs)
    crash = faults.install()
    window = open_window(home)
    faults.occurred.connect(window.faults.show_fault)
    if crash:
        window.faults.show_crash(crash)
    application.file_opened.connect(window.open_file)
    if model:
        window.open_file(model)
    status = application.exec()
    window.deleteLater()
    garbage.close()
    faults.close()
    return status


def check_platform() -> None:
    """Load what Qt is going to draw with: where it cannot, Qt aborts and guesses why. Raises UserError that names the
    missing library or screen."""
    from PySide6.QtCore import QLibraryInfo

    if sys.platform != "linux":
        return
    wanted = [name.partition(":")[0] for name in os.environ.get("QT_QPA_PLATFORM", "").split(";") if name]
    names = wanted or [name for name, screen in _SCREENS.items() if os.environ.get(screen)]
    if not names:
        raise UserError(texts.NO_SCREEN, texts.NO_SCREEN_HINT)
    problems: list[UserError] = []
    for name in names:
        plugin = Path(QLibraryInfo.path(QLibraryInfo.LibraryPath.PluginsPath)) / "platforms" / f"libq{name}.so"
        try:
            ctypes.CDLL(str(plugin))
            if name != "xcb" or _is_x_server_there():
                return
            problems.append(
                UserError(texts.SCREEN_FAULT.format(screen=os.environ.get("DISPLAY", "")), texts.NO_SCREEN_HINT)
            )
        except OSError as error:
            problems.append(_library_error(error))
    raise problems[0]


def _is_x_server_there() -> bool:
    xcb = ctypes.CDLL("libxcb.so.1")
    xcb.xcb_connect.restype = ctypes.c_void_p
    connection = ctypes.c_void_p(xcb.xcb_connect(None, None))
    failed = xcb.xcb_connection_has_error(connection)
    xcb.xcb_disconnect(connection)
    return not failed


def _library_error(error: Exception) -> UserError:
    """What ``libxcb-icccm.so.4: cannot open shared object file`` means, with the package of Debian that has it."""
    library = re.search(r"(lib[^\s/]+)\.so\.(\d+)", str(error))
    if library is None:
        return UserError(texts.QT_FAULT.format(error=error), texts.QT_HINT)
    name, version = library[1].lower().replace("glib-", "glib"), library[2]
    package = f"{name}-{version}" if name[-1].isdigit() else name + version  # Debian Policy 8.1
    return UserError(texts.LIBRARY_MISSING.format(library=library[0]), texts.LIBRARY_HINT.format(package=package))


def open_window(home: Home, front: Front | None = None) -> Shell:
    """Show the window of a home folder. Without ``front`` it connects to the home's core, starting it if needed."""
    from PySide6.QtCore import Qt
    from PySide6.QtGui import QIcon
    from PySide6.QtWidgets import QApplication

    from ui.bridge import Bridge
    from ui.shell import Shell
    from ui.theme.theme import current_theme
    from ui.theme.tokens import ICONS

    QApplication.setApplicationName("LLM Workbench")
    QApplication.setApplicationVersion(__version__)
    QApplication.setDesktopFileName("llm-workbench")
    QApplication.setWindowIcon(QIcon(str(ICONS.parent / "app-icon.svg")))
    fresh = not home.database.exists()
    home.create()
    if fresh and not home.settings.exists():
        save_settings(home.settings, {"general": {"all_techniques": False}})  # the welcome page asks for it
    settings = load_settings(home.settings)
    theme = current_theme()
    theme.reduce_motion(settings.general.reduce_motion)
    theme.choose(settings.general.theme)
    theme.set_reading_size(settings.general.text_size)
    if front is None:
        from workbench.api.client import Client

        front = Client(home, idle_s=LEAVE_S)
    window = Shell(Bridge(front), home.root / "window.ini", fresh)
    window.follow(settings)  # before the core tells them: no page of the rail comes and goes
    window.painted.connect(window.start, Qt.ConnectionType.QueuedConnection)  # the frame first, then a page in it
    window.imported.connect(gc.freeze)  # what is there now stays: the collector held all threads up to look through it
    window.show()
    return window


if __name__ == "__main__":
    sys.exit(main())
