"""The calls of agents: which tools there are, and what is remembered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from workbench.api.events import Event
from workbench.api.protocol import RequestContext, finish
from workbench.base.errors import UserError
from workbench.core.streams import Handlers, unary
from workbench.records.methods import Method
from workbench.records.recipes import AgentPart, RetrievalPart
from workbench.subjects.agents.calls import (
    AddFact,
    CallTool,
    EditFact,
    FactList,
    ForgetFact,
    ListFacts,
    ListTools,
    ToolList,
    ToolRecord,
    ToolResult,
)
from workbench.subjects.agents.mcp import ANY_EFFECT, McpHub
from workbench.subjects.agents.memory import Memory
from workbench.subjects.agents.tools import check_arguments, tool_named
from workbench.techniques.agents.running import run_answered, run_tool
from workbench.techniques.registry import METHODS
from workbench.techniques.tools.results import one_line
from workbench.techniques.tools.services import ToolServices, ToolUnavailable

MOST_FACTS_FOUND = 50
LONGEST_SUMMARY = 120
"""Characters."""


class OpensTools(Protocol):
    """Opens what the tools of an agent use of the home."""

    def tools_for(
        self, part: AgentPart, retrieval: RetrievalPart | None, context: RequestContext, /
    ) -> ToolServices: ...


@dataclass(frozen=True, eq=False)
class Agents:
    _memory: Memory
    _services: OpensTools
    _servers: McpHub

    def handlers(self) -> Handlers:
        return {
            ListTools: self.list_tools,
            CallTool: self.call_tool,
            ListFacts: self.list_facts,
            AddFact: unary(lambda call: self._memory.add(call.text)),
            EditFact: unary(lambda call: self._memory.edit(call.fact, call.text)),
            ForgetFact: unary(lambda call: self._memory.forget(call.fact)),
        }

    def list_tools(self, call: ListTools, context: RequestContext) -> Iterator[Event]:
        services = self._services.tools_for(call.agent, call.retrieval, context)
        built_in = [_record(row, services) for row in METHODS.of("tool")]
        yield finish(ToolList(tools=(*built_in, *self._of_servers(context))))

    def _of_servers(self, context: RequestContext) -> Iterator[ToolRecord]:
        """The tools of MCP servers that the person has agreed to."""
        for one in self._servers.tools(context):
            yield ToolRecord(
                name=one.name,
                title=one.definition.title or one.definition.name,
                summary=one_line(one.definition.description, LONGEST_SUMMARY),
                description=one.definition.description,
                parameters=one.definition.parameters,
                effects=("read",) if one.reads else ANY_EFFECT,
                server=one.name.partition(".")[0],
                unavailable=one.problem,
            )

    def call_tool(self, call: CallTool, context: RequestContext) -> Iterator[Event]:
        tool = tool_named(call.tool, self._services.tools_for(call.agent, call.retrieval, context), context)
        check_arguments(tool, call.arguments)
        if call.answer is not None and tool.answered is not None:
            output = run_answered(tool, call.arguments, call.answer, cancelled=lambda: context.cancelled)
        else:
            output = run_tool(tool, call.arguments, seconds=tool.seconds, cancelled=lambda: context.cancelled)
        yield finish(
            ToolResult(text=output.text, failed=output.failed, passages=output.passages, question=output.question)
        )

    def list_facts(self, call: ListFacts, context: RequestContext) -> Iterator[Event]:
        if call.search.strip():
            yield finish(FactList(facts=self._memory.nearest(call.search, MOST_FACTS_FOUND, context)))
        else:
            yield finish(FactList(facts=self._memory.all()))


def _record(row: Method, services: ToolServices) -> ToolRecord:
    """A built-in tool as it is with the settings of a recipe."""
    record = ToolRecord(name=row.name, title=row.title, summary=row.summary)
    try:
        tool = row.load()(services)
    except ToolUnavailable as reason:
        return _unavailable(record, str(reason))
    except UserError as error:
        return _unavailable(record, f"{error.message} {error.hint}".strip())
    return ToolRecord(
        name=row.name,
        title=row.title,
        summary=row.summary,
        description=tool.description,
        parameters=tool.parameters,
        effects=tool.effects,
        output=tool.output,
    )


def _unavailable(record: ToolRecord, reason: str) -> ToolRecord:
    return ToolRecord(name=record.name, title=record.title, summary=record.summary, unavailable=reason)
