"""What the tools of an agent use of a home: its documents, folder, tables, memory, sandbox and MCP servers.

A tool by its name, and whether arguments that a person gives fit it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from workbench.api.protocol import RequestContext
from workbench.base.errors import UserError
from workbench.base.naming import free_name
from workbench.reading.table_query import TableInfo, TableRows
from workbench.records.agents import Fact
from workbench.records.documents import Collection
from workbench.records.recipes import AgentPart
from workbench.rewards.reward import ProgramResult
from workbench.subjects.agents.mcp import McpHub
from workbench.subjects.agents.memory import Memory
from workbench.subjects.agents.tables import TableFiles
from workbench.subjects.documents.embedder import Embedding
from workbench.techniques.decoding.validation import json_problem
from workbench.techniques.embedding_calls import Documents, Retriever
from workbench.techniques.registry import METHODS
from workbench.techniques.tools.sandbox_host import Sandbox
from workbench.techniques.tools.services import PythonResult, ToolServices, ToolUnavailable, ValueForm
from workbench.techniques.tools.tool import Tool

TABLE_SUFFIXES = (".csv", ".tsv", ".xlsx")


@dataclass(frozen=True, eq=False)
class HomeTools:
    """``ToolServices`` of a home, for one answer with the agent ``part``. ``chat`` is the id of its chat, "" for an
    answer in none."""

    part: AgentPart
    retriever: Retriever | None
    collections: Sequence[Collection]
    offline: bool
    chat: str
    context: RequestContext
    _memory: Memory
    _embedding: Embedding
    _sandbox: Sandbox
    _tables: TableFiles
    _servers: McpHub

    @property
    def folder(self) -> Path | None:
        """The workspace folder of the recipe, resolved. Raises UserError when it is no folder."""
        if not self.part.folder.strip():
            return None
        folder = Path(self.part.folder).expanduser()
        if not folder.is_absolute():
            raise UserError(f"The workspace folder {folder} is not a whole path.", "Choose the folder again.")
        if not folder.is_dir():
            raise UserError(f"The workspace folder {folder} is not there.", "Choose another folder for the agent.")
        return folder.resolve()

    def sandbox_problem(self) -> str:
        return self._sandbox.problem()

    def run_python(self, code: str, inputs: Mapping[str, Any], context: RequestContext) -> PythonResult:
        return self._sandbox.run(code, inputs, context)

    def tables(self) -> Sequence[tuple[str, Path]]:
        found: dict[str, Path] = {}
        for collection in self.collections:
            call = Documents(file=str(self._embedding.file(collection)))
            for document in self._embedding.host.call(call, context=self.context).documents:
                path = Path(document.path)
                if path.suffix.lower() in TABLE_SUFFIXES and document.state != "failed":
                    found[free_name(path.stem, found, "_")] = path
        return tuple(found.items())

    def table_infos(self, context: RequestContext) -> Sequence[TableInfo]:
        return self._tables.describe([path for _, path in self.tables()], context)

    def query_tables(self, sql: str, context: RequestContext) -> TableRows:
        return self._tables.query([path for _, path in self.tables()], sql, context)

    def facts(self, query: str, limit: int) -> Sequence[Fact]:
        return self._memory.nearest(query, limit, self.context) if self.part.memory != "off" else ()

    def remember(self, text: str, source: str) -> Fact:
        if self.part.memory != "read-write":
            raise UserError("This agent may not remember anything.", "Set its memory to read and write.")
        return self._memory.add_by_agent(text, self.chat)

    def read_value(self, text: str, question: str, form: ValueForm, context: RequestContext) -> str:
        raise UserError("A value is read by the model of an answer.", "Use this tool in one.")

    def server_tool(self, name: str, context: RequestContext) -> Tool:
        return self._servers.tool(name, context)


@dataclass(frozen=True, eq=False)
class AgentTools:
    """Makes the ``HomeTools`` of each answer. ``offline`` tells whether the network is switched off now."""

    _memory: Memory
    _embedding: Embedding
    _sandbox: Sandbox
    _tables: TableFiles
    _servers: McpHub
    _offline: Callable[[], bool]

    def run_program(self, code: str, context: RequestContext) -> ProgramResult:
        """Run a program that belongs to no agent. Raises UserError where no sandbox can run."""
        result = self._sandbox.run(code, {}, context)
        return ProgramResult(printed=result.printed, error=result.error)

    def open(
        self,
        part: AgentPart,
        collections: Sequence[Collection],
        retriever: Retriever | None,
        context: RequestContext,
        chat: str = "",
    ) -> HomeTools:
        return HomeTools(
            part=part,
            retriever=retriever,
            collections=collections,
            offline=self._offline(),
            chat=chat,
            context=context,
            _memory=self._memory,
            _embedding=self._embedding,
            _sandbox=self._sandbox,
            _tables=self._tables,
            _servers=self._servers,
        )


def tool_named(name: str, services: ToolServices, context: RequestContext) -> Tool:
    """Raises UserError for a tool that is not known, or cannot run here."""
    row = None if "." in name else METHODS.find(name, "tool")
    try:
        made: Tool = services.server_tool(name, context) if row is None else row.load()(services)
    except ToolUnavailable as reason:
        title = name if row is None else row.title
        raise UserError(f"The tool {title} is not available: {reason}") from reason
    return made


def check_arguments(tool: Tool, arguments: dict[str, Any]) -> None:
    """Raises UserError where they do not fit the tool's schema."""
    problem = json_problem(msgspec.json.encode(arguments).decode(), tool.parameters)
    if problem:
        known = ", ".join(tool.parameters.get("properties", {})) or "none"
        raise UserError(f"The arguments of {tool.name} do not fit: {problem}", f"It takes: {known}.")
