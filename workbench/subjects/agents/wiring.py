"""Makes the parts of agents and joins them."""

from __future__ import annotations

from collections.abc import Callable

from workbench.core.foundation import Foundation
from workbench.subjects.agents.mcp import McpHub
from workbench.subjects.agents.memory import Memory
from workbench.subjects.agents.service import Agents, OpensTools
from workbench.subjects.agents.store import FactStore
from workbench.subjects.agents.tables import TableFiles
from workbench.subjects.agents.tools import AgentTools
from workbench.subjects.documents.embedder import Embedding
from workbench.subjects.subject import Subject
from workbench.techniques.tools.sandbox_host import Sandbox


class AgentParts:
    """What agents use of a home: ``tools`` opens it for a recipe. ``title_of`` names a chat."""

    def __init__(self, base: Foundation, embedding: Embedding, title_of: Callable[[str], str]) -> None:
        home = base.home
        self._memory = Memory(FactStore(base.database), embedding, base.changes, title_of)
        self._sandbox = Sandbox(log=home.logs / "sandbox.log", command=base.commands.get("sandbox"))
        self._tables = TableFiles(lambda: base.settings.documents, home.logs / "tables.log")
        self._servers = McpHub(
            home.root / "mcp.json", base.gate, base.changes, base.secrets,
            log=home.logs / "mcp.log", command=base.commands.get("mcp"),
        )  # fmt: skip
        self.tools = AgentTools(
            self._memory, embedding, self._sandbox, self._tables, self._servers, lambda: base.settings.general.offline
        )

    def wire(self, services: OpensTools) -> Subject:
        return Subject(
            handlers={**Agents(self._memory, services, self._servers).handlers(), **self._servers.handlers()},
            hosts=(self._sandbox.host, self._servers.host),
            close=(self._sandbox.close, self._servers.close, self._tables.close),
        )
