"""A page of several sections, of which one is shown: a row of switches, and the panel of the chosen one below."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QStackedWidget, QWidget

from ui.components.basics import QuietButton
from ui.components.layout import MARGINS, column_of, row_of
from ui.theme import tokens


class SectionedPage(QWidget):
    """Subclasses call ``lay_out`` once their panels are made; the first of them is shown. ``shown`` is the section that
    is in sight, ``switches`` and ``panels`` are those of the sections by name."""

    def __init__(self) -> None:
        super().__init__()
        self.shown = ""
        self.panels: dict[str, QWidget] = {}
        self.switches: dict[str, QuietButton] = {}
        self._sections = QStackedWidget()

    def lay_out(self, title: str, sections: dict[str, tuple[str, str, QWidget]], margin_below: int = 0) -> None:
        """``sections`` have a title, an icon and a panel each."""
        head = QWidget(accessibleName=title)
        row = row_of(head, gap=tokens.SPACE_1, margins=(MARGINS.left(), tokens.SPACE_3, MARGINS.right(), margin_below))
        for name, (words, icon, panel) in sections.items():
            button = self.switches[name] = QuietButton(words, icon, small=True, checkable=True)
            button.clicked.connect(lambda _=False, name=name: self.show_section(name))
            row.addWidget(button)
            self.panels[name] = panel
            self._sections.addWidget(panel)
        row.addStretch(1)
        column_of(self, head, (self._sections, 1), gap=0)
        self.show_section(next(iter(sections)))

    def show_section(self, name: str) -> None:
        """Raises KeyError for one that there is not."""
        self._sections.setCurrentWidget(self.panels[name])
        self.shown = name
        for other, button in self.switches.items():
            button.setChecked(other == name)
        self.setFocusProxy(self.switches[name])
        if self.hasFocus():
            self.switches[name].setFocus(Qt.FocusReason.OtherFocusReason)
