"""The tools that there are, as they would be offered to an agent, read anew when something about them has changed."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from ui.bridge import Bridge
from workbench.records.recipes import AgentPart, Recipe
from workbench.subjects.agents.calls import ListTools, ToolList, ToolRecord


class KnownTools(QObject):
    """``changed``: another list is known. Nothing is read before ``follow``."""

    changed = Signal()

    def __init__(self, bridge: Bridge, parent: QObject) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._call: ListTools | None = None
        self._reading = False
        self._old = False
        self.tools: tuple[ToolRecord, ...] | None = None
        """None until they are known."""
        bridge.changed.connect(self._on_changed)
        bridge.connected_changed.connect(self._on_connected)

    def follow(self, recipe: Recipe) -> None:
        """Know the tools for this recipe from now on: its folder, memory and documents decide which can run."""
        agent = recipe.agent or AgentPart()
        call = ListTools(agent=AgentPart(folder=agent.folder, memory=agent.memory), retrieval=recipe.retrieval)
        if call != self._call:
            self._call = call
            self.refresh()

    def refresh(self) -> None:
        if self._call is None:
            return
        if self._reading:
            self._old = True
            return
        self._reading, self._old = True, False
        self._bridge.call(self._call, self._on_tools, self._on_failed, self)

    def _on_tools(self, found: ToolList) -> None:
        self._reading = False
        if found.tools != self.tools:
            self.tools = found.tools
            self.changed.emit()
        if self._old:
            self.refresh()

    def _on_failed(self, error: Exception) -> None:
        self._reading = False
        if self._bridge.connected:
            self._bridge.failed.emit(error)

    def _on_changed(self, kind: str, id: str) -> None:
        if kind in ListTools.changed_by:
            self.refresh()

    def _on_connected(self, connected: bool) -> None:
        if connected:
            self.refresh()
