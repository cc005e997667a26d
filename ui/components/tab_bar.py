"""A row of tabs above the pages of one group. The arrow keys turn from one to the next while it has the keyboard."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent
from PySide6.QtWidgets import QTabBar

from ui.theme.theme import set_property


class TabBar(QTabBar):
    """``chosen`` sends the name of the tab that the person turned to; ``show_tab`` marks a tab as the current one."""

    chosen = Signal(str)

    def __init__(self, name: str, tabs: Sequence[tuple[str, str]]) -> None:
        """``name`` is the text for screen readers; ``tabs`` are names and titles."""
        super().__init__()
        self.setAccessibleName(name)
        self.setDrawBase(False)
        self.setExpanding(False)
        self.setUsesScrollButtons(True)
        self.setElideMode(Qt.TextElideMode.ElideNone)
        self._names = [tab for tab, _ in tabs]
        for _, title in tabs:
            self.addTab(title)
        self.currentChanged.connect(lambda place: self.chosen.emit(self._names[place]))

    @property
    def shown(self) -> str:
        """The name of the tab that is marked."""
        return self._names[self.currentIndex()]

    def show_tab(self, name: str) -> None:
        """Mark a tab. Raises ValueError for a name that there is not."""
        self.blockSignals(True)
        self.setCurrentIndex(self._names.index(name))
        self.blockSignals(False)

    def turn(self, steps: int) -> None:
        """Turn to the tab that is so many places further, from the last one to the first."""
        self.setCurrentIndex((self.currentIndex() + steps) % self.count())

    def minimumSizeHint(self) -> QSize:
        """In a narrow window the row of tabs is cut, and arrows beside it move it."""
        return QSize(min(160, super().sizeHint().width()), super().minimumSizeHint().height())

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        set_property(self, "keyboard", True)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        set_property(self, "keyboard", False)
