"""Where the window begins: reads the command line, opens the window at once, lets the core start behind it.

Nothing that is heavy is imported here, and Qt only once it is clear that a window is wanted: a frozen build runs this
same program again to be the core or a worker.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ui import texts
from workbench import __version__
from workbench.errors import UserError
from workbench.paths import Home, find_home
from workbench.settings import load_settings

if TYPE_CHECKING:
    from ui.shell import Shell
    from workbench.api.client import Front


def main(argv: Sequence[str] | None = None) -> int:
    """Run the window of a home folder until it is closed; the exit status. Raises SystemExit for a usage error."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments[:1] == ["--worker"]:
        return _become_worker(arguments[1:])
    if arguments[:1] == ["--core"]:
        return _become_core(arguments[1:])
    parser = argparse.ArgumentParser(prog="llm-workbench", description=texts.PROGRAM_HELP)
    parser.add_argument("--home", metavar="DIR", help=texts.HOME_HELP)
    parser.add_argument("--version", action="version", version=f"LLM Workbench {__version__}")
    parsed = parser.parse_args(arguments)
    try:
        return _run_window(find_home(parsed.home))
    except UserError as error:
        sys.stderr.write(f"{error}\n")
        return 1


def _become_worker(arguments: list[str]) -> int:
    workers = importlib.import_module("workbench.workers.__main__")  # by name: the window knows no worker
    status: int = workers.run(arguments)
    return status


def _become_core(arguments: list[str]) -> int:
    service = importlib.import_module("workbench.api.service")
    status: int = service.main(arguments)
    return status


def _run_window(home: Home) -> int:
    from PySide6.QtWidgets import QApplication

    application = QApplication(sys.argv[:1])
    window = open_window(home)
    status = application.exec()
    window.deleteLater()
    return status


def open_window(home: Home, front: Front | None = None) -> Shell:
    """Show the window of a home folder. Without ``front`` it connects to the home's core, starting it if needed."""
    from PySide6.QtCore import Qt
    from PySide6.QtGui import QIcon
    from PySide6.QtWidgets import QApplication

    from ui.bridge import Bridge
    from ui.shell import Shell
    from ui.theme.theme import ICONS, current_theme

    QApplication.setApplicationName("LLM Workbench")
    QApplication.setApplicationVersion(__version__)
    QApplication.setDesktopFileName("llm-workbench")
    QApplication.setWindowIcon(QIcon(str(ICONS.parent / "app-icon.svg")))
    fresh = not home.database.exists()
    home.create()
    settings = load_settings(home.settings)
    theme = current_theme()
    theme.choose(settings.general.theme)
    theme.set_reading_size(settings.general.text_size)
    if front is None:
        from workbench.api.client import Client

        front = Client(home)
    window = Shell(Bridge(front), home.root / "window.ini", fresh)
    window.painted.connect(window.start, Qt.ConnectionType.QueuedConnection)  # the frame first, then a page in it
    window.show()
    return window


if __name__ == "__main__":
    sys.exit(main())
