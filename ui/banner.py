"""The banner of the window: news that lie over the header, where nothing else stands."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QPoint, QTimer
from PySide6.QtWidgets import QAbstractButton, QComboBox, QLabel, QTabBar, QWidget

from ui.components.basics import ElidedLabel, InlineMessage
from ui.theme import tokens

READ_MS = 12_000
"""How long news lie there; what went wrong, and what offers an action, stays until it is closed."""
_WIDTH, _LEAST = 720, 360  # px


class Banner(InlineMessage):
    """Lies on ``parent`` over the widest free part of ``header``, and where no part of that is wide enough, over the
    top of ``page``: nothing moves when it comes or goes, and a question or an answer is not covered. A title that is
    shortened to its room anyway, as that of a chat, counts as free."""

    def __init__(self, header: QWidget, page: QWidget, parent: QWidget) -> None:
        super().__init__(parent)
        self._header, self._page = header, page
        self.read = QTimer(self, singleShot=True, interval=READ_MS, timeout=self.hide)
        self.setProperty("place", "over")
        page.installEventFilter(self)

    def show_message(
        self, text: str, kind: str = "info", action: str = "", on_action: Callable[[], None] | None = None
    ) -> None:
        super().show_message(text, kind, action, on_action)
        self.lay_over()
        if kind in ("info", "success") and not action:
            self.read.start()
        else:
            self.read.stop()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.Resize, QEvent.Type.Move):
            self.lay_over()
        return False

    def lay_over(self) -> None:
        """Take the place anew, for the words and the page of now."""
        left, right = self._gap()
        width = min(right - left, _WIDTH)
        height = self._height_of(width) if width >= _LEAST else self._header.height() + 1
        if height <= self._header.height():
            above = (self._header.height() - height) // 2 - self._header.height()
            self.setGeometry(self._page.x() + right - width, self._page.y() + above, width, height)
        else:
            width = min(self._page.width() - 2 * tokens.SPACE_4, _WIDTH)
            height = self._height_of(width)
            beside = (self._page.width() - width) // 2
            self.setGeometry(self._page.x() + beside, self._page.y() + tokens.SPACE_2, width, height)
        self.raise_()

    def _height_of(self, width: int) -> int:
        self._arrange(width)
        return self.heightForWidth(width)

    def _gap(self) -> tuple[int, int]:
        """From where to where in the header, in px, nothing stands that is pressed or read."""
        gap, widest, at = tokens.SPACE_2, (0, 0), 0
        taken = sorted(
            (part.mapTo(self._header, QPoint()).x(), part.width())
            for part in self._header.findChildren(QWidget)
            if part.isVisible() and isinstance(part, _STANDS) and not isinstance(part, ElidedLabel)
        )
        for begins, wide in (*taken, (self._header.width() - gap, 0)):
            widest = max(widest, (at, begins - gap), key=lambda place: place[1] - place[0])
            at = max(at, begins + wide + gap)
        return widest


_STANDS = (QAbstractButton, QComboBox, QLabel, QTabBar)
