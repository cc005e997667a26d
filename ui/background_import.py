"""Modules that are slow to import, imported early in the background.

The one thread that the window makes: importing on the GUI thread in idle time would hold it up just as long, since a
package comes in one piece. What is imported must make no QObject.
"""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer

LOOK_MS = 20
_threads: list[threading.Thread] = []


def wait_for_imports() -> None:
    """Wait until nothing is being imported: the program crashes where Qt is taken down under an import."""
    for thread in _threads:
        thread.join()


class EarlyImport(QObject):
    """Begins to import a module at once; ``then`` is called on the GUI thread once it is there."""

    def __init__(self, module: str, then: Callable[[], None], parent: QObject) -> None:
        super().__init__(parent)
        self._then = then
        self._thread = threading.Thread(target=importlib.import_module, args=(module,), name=module)
        _threads.append(self._thread)
        self._thread.start()
        self._timer = QTimer(self, interval=LOOK_MS, timeout=self._on_look)
        self._timer.start()

    def _on_look(self) -> None:
        if not self._thread.is_alive():
            self._timer.stop()
            self._then()
