"""Cyclic garbage of the window is collected on the GUI thread alone.

Python's collector runs on whichever thread happens to allocate, such as the one that reads the core's events. There it
would destroy Qt objects while the GUI thread uses them, which crashes the program.
"""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, QTimer

INTERVAL_MS = 500
"""Time between two looks at how much was allocated."""


class GarbageCollection(QObject):
    """Takes the place of Python's own schedule until ``close``, with the same thresholds."""

    def __init__(self) -> None:
        super().__init__()
        gc.disable()
        self._timer = QTimer(self, interval=INTERVAL_MS, timeout=self._on_turn)
        self._timer.start()

    def close(self) -> None:
        """Leave the collection to Python again."""
        self._timer.stop()
        gc.enable()

    def _on_turn(self) -> None:
        counts, thresholds = gc.get_count(), gc.get_threshold()
        due = [generation for generation in range(3) if counts[generation] > thresholds[generation]]
        if due:
            gc.collect(max(due))
