"""ToolServices: what tools use of the program. The core implements it for a home, tests/fakes.py for tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol

import msgspec

from workbench.api.protocol import RequestContext
from workbench.reading.table_query import TableInfo, TableRows
from workbench.records.agents import Fact
from workbench.techniques.embedding_calls import Retriever
from workbench.techniques.tools.tool import Tool


class PythonResult(msgspec.Struct, frozen=True, kw_only=True):
    """What a program printed, the value of its last expression as text, and ``error`` when it failed."""

    printed: str = ""
    value: str = ""
    error: str = ""


class ValueForm(msgspec.Struct, frozen=True, kw_only=True):
    """What a value may be: one of the lines of ``grammar``, or what matches it as a regular expression."""

    format: Literal["choice", "regex"]
    grammar: str


class ToolServices(Protocol):
    """Methods raise UserError with what to do, WorkerDied or errors.Cancelled."""

    @property
    def retriever(self) -> Retriever | None:
        """The recipe's documents."""

    @property
    def offline(self) -> bool:
        """Whether the network is switched off in the settings, now."""

    @property
    def folder(self) -> Path | None:
        """The workspace folder of the recipe, resolved; None without one."""

    def sandbox_problem(self) -> str:
        """Why no sandbox can run here, as a sentence; "" where one can."""

    def run_python(self, code: str, inputs: Mapping[str, Any], context: RequestContext) -> PythonResult:
        """Run a program in the sandbox. Raises UserError where no sandbox can run."""

    def tables(self) -> Sequence[tuple[str, Path]]:
        """Names and files of the tables (CSV, TSV, XLSX) in the recipe's documents."""

    def table_infos(self, context: RequestContext) -> Sequence[TableInfo]:
        """The tables that are in these files."""

    def query_tables(self, sql: str, context: RequestContext) -> TableRows:
        """The rows that a query selects of them, the first twenty. Raises UserError with what is wrong with it."""

    def facts(self, query: str, limit: int) -> Sequence[Fact]:
        """What is remembered, the nearest first."""

    def remember(self, text: str, source: str) -> Fact: ...

    def read_value(self, text: str, question: str, form: ValueForm, context: RequestContext) -> str:
        """What a model reads out of a text in answer to a question, in a call that sees nothing else and can say
        nothing else. Raises UserError where there is no model."""

    def server_tool(self, name: str, context: RequestContext) -> Tool:
        """The tool of an MCP server by its name ``server.tool``. Raises ToolUnavailable."""


class ToolUnavailable(Exception):
    """A tool cannot run here; the text is a sentence that says why."""
