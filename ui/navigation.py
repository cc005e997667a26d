"""The left edge of the window: the pages, with words beside their icons, and the way to the finder."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QPushButton

from ui import texts
from ui.components.basics import Text
from ui.components.layout import column_of
from ui.features import PageEntry, PageGroup, keys_of_page, stops_of
from ui.theme import tokens
from ui.theme.theme import set_icon, set_property

WIDTH = 156
_HEAD, _ROW = 56, 42  # px; a row with the gap below it


class Navigation(QFrame):
    """``chosen`` is sent with the name of a page or of a group of pages. The settings stand at the bottom, the
    welcome page only while needed."""

    chosen = Signal(str)
    find_wanted = Signal()

    def __init__(self, pages: tuple[PageEntry, ...], welcome: PageEntry) -> None:
        super().__init__()
        self.setProperty("role", "navigation")
        self.setFixedWidth(WIDTH)
        self.setAccessibleName(texts.NAVIGATION)
        stops = stops_of(pages)
        self._icons = {entry.name: entry.icon for entry in (*stops, welcome)}
        self._buttons: dict[str, QPushButton] = {}
        column = column_of(self, gap=2, margins=(tokens.SPACE_2, 0, tokens.SPACE_2, tokens.SPACE_3))
        name = Text("LLM Workbench", "strong")
        name.setFixedHeight(_HEAD)
        name.setContentsMargins(tokens.SPACE_3, 0, 0, 0)
        column.addWidget(name)
        for number, entry in enumerate(stops, 1):
            if entry.name == "settings":
                column.addWidget(self._button(welcome, ""))  # last, so that no other moves when it comes or goes
                self._buttons[welcome.name].hide()
                column.addStretch(1)
                find = QPushButton(texts.FIND_BUTTON)
                find.setAutoDefault(True)  # Enter presses it
                find.setProperty("kind", "nav")
                find.setToolTip(texts.FIND_HELP)
                set_icon(find, "search", "muted")
                find.clicked.connect(self.find_wanted)
                column.addWidget(find)
            column.addWidget(self._button(entry, keys_of_page(number)))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """In a low window the rows are closer."""
        rows = sum(button.isVisibleTo(self) for button in self.findChildren(QPushButton))
        dense = self.height() < _HEAD + rows * _ROW + tokens.SPACE_3
        if dense != bool(self.property("dense")):
            set_property(self, "dense", dense)
            for button in self.findChildren(QPushButton):
                set_property(button, "dense", dense)
                button.updateGeometry()

    def set_current(self, name: str) -> None:
        """Mark the page, or the group of pages, that is shown."""
        for page, button in self._buttons.items():
            button.setChecked(page == name)
            set_icon(button, self._icons[page], "accent" if page == name else "muted")
        if name in self._buttons:
            self._buttons[name].show()
        self._fit()

    def set_welcome_visible(self, visible: bool) -> None:
        self._buttons["welcome"].setVisible(visible)
        self._fit()

    def _button(self, entry: PageEntry | PageGroup, keys: str) -> QPushButton:
        button = QPushButton(entry.title)
        button.setAutoDefault(True)  # Enter presses it
        button.setProperty("kind", "nav")
        button.setCheckable(True)
        button.setToolTip(f"{entry.title} ({keys})" if keys else entry.title)
        set_icon(button, entry.icon, "muted")
        button.clicked.connect(lambda: self._on_clicked(entry.name))
        self._buttons[entry.name] = button
        return button

    def _on_clicked(self, name: str) -> None:
        self._buttons[name].setChecked(True)  # a click on the open page must not uncheck it
        self.chosen.emit(name)
