"""The tab of tools: those that agents can use, each with what it does, and whether the network may be used."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QWidget

from ui.bridge import Bridge
from ui.components.agent_wording import describe_lack
from ui.components.basics import Card, Chip, IconLabel, Line, LinkButton, Text
from ui.components.known_tools import KnownTools
from ui.components.layout import FlowLayout, ScrolledColumn, column_of, empty_layout, row_of
from ui.features import ShellActions
from ui.features.agents import texts
from ui.theme import tokens
from ui.theme.theme import set_icon
from workbench.base.catalogue import _
from workbench.base.settings import Settings
from workbench.records.approvals import describe_effects
from workbench.records.recipes import AgentPart, Recipe, RetrievalPart
from workbench.subjects.agents.calls import ToolRecord
from workbench.subjects.documents.calls import CollectionList, ListCollections
from workbench.subjects.machine.calls import GetSettings


class ToolsPage(ScrolledColumn):
    """See ``ui.features`` for what the frame asks of a page."""

    name, title, icon = "tool-list", _("Tools"), "tool"

    def __init__(self, bridge: Bridge, shell: ShellActions) -> None:
        super().__init__(tokens.SPACE_4)
        self._bridge = bridge
        self.known = KnownTools(bridge, self)
        self.known.changed.connect(self._on_tools)
        self.rows: dict[str, ToolView] = {}
        self.network = Text("")
        self._network_icon = IconLabel("globe", "muted")
        self.network_link = LinkButton(texts.CHANGE_NETWORK)
        self.network_link.clicked.connect(lambda: shell.open_page("settings", section="general", field="offline"))
        self.column.addWidget(Text(texts.TOOLS_HELP, "muted"))
        network = QWidget()
        row_of(network, self._network_icon, (self.network, 1), self.network_link, gap=tokens.SPACE_2)
        self.column.addWidget(network)
        card = Card(margin=tokens.SPACE_5)
        card.body.addWidget(Text(texts.BUILT_IN, "heading"))
        self._waiting = Text(texts.READING_TOOLS, "muted")
        card.body.addWidget(self._waiting)
        self._list = column_of(gap=tokens.SPACE_3)
        card.body.addLayout(self._list)
        self.column.addWidget(card)
        bridge.home.listing(GetSettings()).follow(self._on_settings)
        bridge.home.listing(ListCollections()).follow(self._on_collections)

    def _on_collections(self, found: CollectionList) -> None:
        """Read the tools as of an agent that has all that tools need, so that each says what it does."""
        home = self._bridge.status.home if self._bridge.status is not None else str(Path.home())
        first = next((collection.name for collection in found.collections), "")
        self.known.follow(
            Recipe(
                agent=AgentPart(folder=home, memory="read-write"),
                retrieval=RetrievalPart(collection=first) if first else None,
            )
        )

    def _on_tools(self) -> None:
        self._waiting.hide()
        empty_layout(self._list)
        self.rows = {}
        for tool in self.known.tools or ():
            if tool.server:
                continue
            if self.rows:
                self._list.addWidget(Line())
            view = self.rows[tool.name] = ToolView(tool)
            self._list.addWidget(view)

    def _on_settings(self, settings: Settings) -> None:
        offline = settings.general.offline
        self.network.setText(texts.NETWORK_OFF if offline else texts.NETWORK_ON)
        set_icon(self._network_icon, "shield" if offline else "globe", "success" if offline else "muted")


class ToolView(QWidget):
    """A tool: title, name, what it does, its effects, and why it cannot run."""

    def __init__(self, tool: ToolRecord) -> None:
        super().__init__()
        self.tool = tool
        acts = tool.effects != ("read",)
        head = QWidget()
        flow = FlowLayout(head, tokens.SPACE_2)
        flow.addWidget(Text(tool.title, "strong", wordWrap=False))
        flow.addWidget(Text(tool.name, "small", wordWrap=False))
        self.effect = Chip(describe_effects(tool.effects), "attention" if acts else "plain")
        if tool.description:  # else what it does is not known
            flow.addWidget(self.effect)
            if tool.output == "untrusted":
                flow.addWidget(Chip(texts.UNTRUSTED, toolTip=texts.UNTRUSTED_HELP))
        column = column_of(self, head, Text(tool.summary), gap=tokens.SPACE_1)
        self.problem = Text(describe_lack(tool.unavailable), "attention")
        column.addWidget(self.problem)
        self.problem.setVisible(bool(tool.unavailable))
