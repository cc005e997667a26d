"""Agents: their tools, decisions on calls that wait, and what is remembered.

MCP servers: which there are, their tools, and which of these the person has agreed to.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from workbench.api.protocol import Call
from workbench.base.catalogue import Shown
from workbench.records.agents import Decision, Effect, Fact, Output
from workbench.records.answers import AskResult
from workbench.records.mcp import McpServer, McpState, McpTool
from workbench.records.messages import Passage
from workbench.records.recipes import AgentPart, RetrievalPart


class ToolRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A tool as a person chooses it. ``server`` is the name of its MCP server, "" for one that is built in.
    ``unavailable`` says why it cannot run here, "" where it can; its schema is then not known."""

    name: str
    title: Shown
    summary: Shown
    description: str = ""
    parameters: dict[str, Any] = {}
    effects: tuple[Effect, ...] = ("read",)
    output: Output = "untrusted"
    server: str = ""
    unavailable: Shown = ""


class ToolList(msgspec.Struct, frozen=True, kw_only=True):
    tools: tuple[ToolRecord, ...]


class FactList(msgspec.Struct, frozen=True, kw_only=True):
    facts: tuple[Fact, ...]


class ListTools(Call[ToolList], frozen=True, kw_only=True, tag="agents.tools"):
    """The tools that a recipe can name. ``agent`` and ``retrieval`` are its parts: the folder and the documents decide
    which of them can run."""

    changed_by = ("mcp", "settings", "collection")
    agent: AgentPart = AgentPart()
    retrieval: RetrievalPart | None = None


class ToolResult(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a tool's call. ``failed``: ``text`` says why there is none. ``question``: the tool asks this first;
    the call is made again with the ``answer``."""

    text: str
    failed: bool = False
    passages: tuple[Passage, ...] = ()
    question: str = ""


class CallTool(Call[ToolResult], frozen=True, kw_only=True, tag="agents.call"):
    """Run a tool for the person themselves, who thereby agrees to what it does. ``agent`` and ``retrieval`` as in
    ``ListTools``. Raises UserError for a tool that is not known or cannot run here, and for arguments that do not fit
    its schema."""

    made_by = ("terminal", "In the window an agent calls the tools; a person edits and repeats its calls in the steps.")

    tool: str
    arguments: dict[str, Any] = {}
    answer: str | None = None
    agent: AgentPart = AgentPart()
    retrieval: RetrievalPart | None = None


class Decide(Call[AskResult], frozen=True, kw_only=True, tag="agents.decide"):
    """Decide on the call that the answer ``message`` waits for, and follow the answer, which goes on under the same id.

    Streams and ends as ``Ask`` does; may end waiting again. Raises UserError when the answer does not wait, or waits
    for another call than the one that the decision's ``signature`` names.
    """

    message: str
    decision: Decision


class ListFacts(Call[FactList], frozen=True, kw_only=True, tag="facts.list"):
    """What is remembered, the latest first; with ``search``, what is nearest to it in meaning first."""

    changed_by = ("facts",)
    search: Annotated[str, "order the facts by their similarity to this text"] = ""


class AddFact(Call[Fact], frozen=True, kw_only=True, tag="facts.add"):
    """Remember a text as the person's own."""

    text: str


class EditFact(Call[Fact], frozen=True, kw_only=True, tag="facts.edit"):
    """Replace the text of a fact; it is the person's own from then on."""

    fact: str
    text: str


class ForgetFact(Call[Fact], frozen=True, kw_only=True, tag="facts.forget"):
    """Forget a fact, its vector included; returns what it was."""

    fact: str


class McpToolRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A tool of a server. Recipes name it ``name`` (``server.tool``). ``digest`` names its definition. ``reads``: the
    person says that it only reads. ``problem`` says why no model can call it."""

    name: str
    definition: McpTool
    digest: str
    state: McpState
    reads: bool = False
    problem: Shown = ""


class McpServerRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A server without its secrets, and its tools. ``problem`` says why it cannot be used; ``left_out`` why some of its
    tools cannot."""

    server: McpServer
    tools: tuple[McpToolRecord, ...] = ()
    left_out: tuple[Shown, ...] = ()
    problem: Shown = ""


class McpServerList(msgspec.Struct, frozen=True, kw_only=True):
    """``problem`` says why no server can be used here."""

    servers: tuple[McpServerRecord, ...] = ()
    problem: Shown = ""


class ListMcpServers(Call[McpServerList], frozen=True, kw_only=True, tag="mcp.list"):
    """All servers; with ``connect`` each is connected and asked for its tools, without it none is started."""

    changed_by = ("mcp", "settings")
    connect: Annotated[bool, "start no server; only their names are shown"] = True


class SaveMcpServer(Call[McpServerRecord], frozen=True, kw_only=True, tag="mcp.save"):
    """Add a server, or change the one of its name, and connect to it. Nothing of it can be used before
    ``AgreeToMcpTools``. Raises UserError for one that cannot be."""

    server: McpServer


class RemoveMcpServer(Call[None], frozen=True, kw_only=True, tag="mcp.remove"):
    """Remove a server with all agreements."""

    name: str


class AgreeToMcpTools(Call[McpServerRecord], frozen=True, kw_only=True, tag="mcp.agree"):
    """Agree to definitions of a server's tools, by their digests; agreements to others end. ``reads`` are digests of
    those that the person says only read. Raises UserError for a digest that is none of today's definitions."""

    name: str
    digests: tuple[str, ...]
    reads: tuple[str, ...] = ()
