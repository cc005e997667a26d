"""The left edge of the window: the pages, with words beside their icons, and the way to the finder."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QFont, QFontMetrics, QResizeEvent
from PySide6.QtWidgets import QFrame, QPushButton

from ui import texts
from ui.components.basics import LinkButton, Text
from ui.components.layout import column_of
from ui.features import PageEntry, PageGroup, keys_of_page, stops_of
from ui.theme import tokens
from ui.theme.theme import set_icon, set_property

WIDTH = 156
_HEAD, _ROW = 56, 42  # px; a row with the gap below it


class Navigation(QFrame):
    """``chosen`` is sent with the name of a page or of a group of pages. The settings stand at the bottom, the
    welcome page only while needed, the pages that are not simple only while all techniques are shown."""

    chosen = Signal(str)
    all_wanted = Signal()
    """All techniques are to be shown."""
    find_wanted = Signal()

    def __init__(self, pages: tuple[PageEntry, ...], welcome: PageEntry) -> None:
        super().__init__()
        self.setProperty("role", "navigation")
        self.setFixedWidth(WIDTH)
        self.setAccessibleName(texts.NAVIGATION)
        stops = stops_of(pages)
        self._icons = {entry.name: entry.icon for entry in (*stops, welcome)}
        self._buttons: dict[str, QPushButton] = {}
        self._further = [stop.name for stop in stops if not (isinstance(stop, PageEntry) and stop.simple)]
        self._shows_all = True
        self.all_button = LinkButton(texts.SHOW_ALL, small=True, toolTip=texts.SHOW_ALL_HELP, clicked=self.all_wanted)
        self.all_button.hide()
        column = column_of(self, gap=2, margins=(tokens.SPACE_2, 0, tokens.SPACE_2, tokens.SPACE_3))
        name = Text("LLM Workbench", "strong")
        name.setFixedHeight(_HEAD)
        name.setContentsMargins(tokens.SPACE_3, 0, 0, 0)
        column.addWidget(name)
        for number, entry in enumerate(stops, 1):
            if entry.name == "settings":
                column.addWidget(self._button(welcome, ""))  # last, so that no other moves when it comes or goes
                self._buttons[welcome.name].hide()
                column.addWidget(self.all_button)
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
        """In a low window the rows are closer; words that are longer than in English make the navigation wider."""
        self.setFixedWidth(max(WIDTH, self.minimumSizeHint().width() + max(map(_bolder, self._buttons.values()))))
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
        self._show_further(name)

    def show_all(self, all: bool) -> None:
        """Show the pages of all techniques, or the simple ones and the one that is open."""
        self._shows_all = all
        self.all_button.setVisible(not all)
        self._show_further(next((name for name, button in self._buttons.items() if button.isChecked()), ""))

    def _show_further(self, current: str) -> None:
        for name in self._further:
            self._buttons[name].setVisible(self._shows_all or name == current)
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


def _bolder(button: QPushButton) -> int:
    """By how much its words are wider while its page is open."""
    font = QFont(button.font())
    font.setWeight(QFont.Weight.DemiBold)
    return QFontMetrics(font).horizontalAdvance(button.text()) - button.fontMetrics().horizontalAdvance(button.text())
