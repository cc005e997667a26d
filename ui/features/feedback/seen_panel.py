"""A panel that reads again what it shows once it is seen, after something that it shows has changed."""

from __future__ import annotations

from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QWidget

from ui.bridge import Bridge

KINDS = ("judgements", "chat")
"""The changes that make other preferences."""


class SeenPanel(QWidget):
    def __init__(self, bridge: Bridge) -> None:
        super().__init__()
        self._bridge = bridge
        self._old = True
        bridge.changed.connect(self._on_changed)
        bridge.connected_changed.connect(lambda connected: self.expire() if connected else None)

    def read_again(self) -> None:
        """Ask for what is shown."""
        raise NotImplementedError

    def expire(self) -> None:
        """What is shown is old: it is read again now, or once it is seen."""
        self._old = True
        if self.isVisible():
            self._renew()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._old:
            self._renew()

    def _renew(self) -> None:
        self._old = False
        self.read_again()

    def _on_changed(self, kind: str, id: str) -> None:
        if kind in KINDS:
            self.expire()
