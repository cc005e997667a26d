"""The tabs beside the title of a page that belongs to a group, and which of a group's pages was open last."""

from __future__ import annotations

from PySide6.QtCore import QSettings, Signal
from PySide6.QtWidgets import QWidget

from ui.components.layout import row_of
from ui.components.tab_bar import TabBar
from ui.features import GROUPS, PageEntry


class PageTabs(QWidget):
    """``chosen`` sends the name of the page whose tab the person turned to. Hidden while the page has no group."""

    chosen = Signal(str)

    def __init__(self, pages: tuple[PageEntry, ...], memory: QSettings) -> None:
        super().__init__()
        self._pages, self._memory = pages, memory
        self._groups = {group.name: group for group in GROUPS if any(page.group == group.name for page in pages)}
        self._bars: dict[str, TabBar] = {}  # by group
        self._shown = ""  # the group
        self._row = row_of(self)
        self.hide()

    @property
    def has_keyboard(self) -> bool:
        return any(bar.hasFocus() for bar in self._bars.values())

    def resolve(self, name: str) -> str:
        """The page that a name opens: of a group the one that was open last, in this window or in the one before, or
        its first; another name is a page's."""
        if name not in self._groups:
            return name
        names = [page.name for page in self._pages if page.group == name]
        last = str(self._memory.value(f"tabs/{name}", ""))
        return last if last in names else names[0]

    def title_of(self, entry: PageEntry) -> str:
        """What stands above a page: its group's title, or its own."""
        return self._groups[entry.group].title if entry.group else entry.title

    def show_page(self, entry: PageEntry) -> None:
        """Mark the tab of a page, among those of its group."""
        self._shown = entry.group
        if entry.group:
            self._memory.setValue(f"tabs/{entry.group}", entry.name)
            self._bar(entry.group).show_tab(entry.name)
        for group, bar in self._bars.items():
            bar.setVisible(group == entry.group)
        self.setVisible(bool(entry.group))

    def turn(self, steps: int) -> None:
        """Turn to another tab of the group that is shown."""
        if self._shown:
            self._bars[self._shown].turn(steps)

    def _bar(self, group: str) -> TabBar:
        if group not in self._bars:
            titles = [(page.name, page.title) for page in self._pages if page.group == group]
            bar = self._bars[group] = TabBar(self._groups[group].title, titles)
            bar.chosen.connect(self.chosen)
            self._row.addWidget(bar)
        return self._bars[group]
