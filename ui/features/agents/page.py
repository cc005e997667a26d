"""The page of agents: the tools there are, what is remembered, demonstrations, and agents that were saved."""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QStackedWidget, QWidget

from ui.bridge import Bridge
from ui.components.basics import QuietButton
from ui.components.layout import MARGINS, column_of, row_of
from ui.features import ShellActions
from ui.features.agents import texts
from ui.features.agents.demonstrations_panel import DemonstrationsPanel
from ui.features.agents.memory_panel import MemoryPanel
from ui.features.agents.saved_panel import SavedPanel
from ui.features.agents.tools_panel import ToolsPanel
from ui.theme import tokens

Section = Literal["tools", "memory", "demonstrations", "saved"]


class AgentsPage(QWidget):
    """See ``ui.features`` for what the frame asks of a page."""

    name, title, icon = "agents", "Agents", "agents"

    def __init__(self, bridge: Bridge, shell: ShellActions) -> None:
        super().__init__()
        self.tools = ToolsPanel(bridge, shell)
        self.memory = MemoryPanel(bridge)
        self.demonstrations = DemonstrationsPanel(bridge, shell)
        self.saved = SavedPanel(bridge, shell)
        self._panels: dict[Section, QWidget] = {
            "tools": self.tools,
            "memory": self.memory,
            "demonstrations": self.demonstrations,
            "saved": self.saved,
        }
        titles: dict[Section, tuple[str, str]] = {
            "tools": (texts.TOOLS, "tool"),
            "memory": (texts.MEMORY, "memory"),
            "demonstrations": (texts.DEMONSTRATIONS, "plan"),
            "saved": (texts.SAVED, "agents"),
        }
        self.switches: dict[Section, QuietButton] = {}
        self._stack = QStackedWidget()
        sections = QWidget(accessibleName=texts.SECTIONS)
        row = row_of(sections, gap=tokens.SPACE_1, margins=(MARGINS.left(), tokens.SPACE_3, MARGINS.right(), 0))
        for section, panel in self._panels.items():
            words, icon = titles[section]
            button = self.switches[section] = QuietButton(words, icon, small=True, checkable=True)
            button.clicked.connect(lambda _=False, section=section: self.open_target(section))
            row.addWidget(button)
            self._stack.addWidget(panel)
        row.addStretch(1)
        column_of(self, sections, (self._stack, 1), gap=0)
        self.open_target("tools")

    def open_target(self, section: Section = "tools") -> None:
        """Show a section. Raises KeyError for one that there is not."""
        self._stack.setCurrentWidget(self._panels[section])
        for name, button in self.switches.items():
            button.setChecked(name == section)
        self.setFocusProxy(self.switches[section])
        if self.hasFocus():
            self.switches[section].setFocus(Qt.FocusReason.OtherFocusReason)
