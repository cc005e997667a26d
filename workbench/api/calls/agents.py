"""Agents: their tools, decisions on calls that wait, and what is remembered."""

from __future__ import annotations

from typing import Any

import msgspec

from workbench.api.calls.chats import AskResult
from workbench.api.protocol import Call
from workbench.records.agents import Decision, Effect, Fact, Output
from workbench.records.messages import Passage
from workbench.records.recipes import AgentPart, RetrievalPart


class ToolRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A tool as a person chooses it. ``server`` is the name of its MCP server, "" for one that is built in.
    ``unavailable`` says why it cannot run here, "" where it can; its schema is then not known."""

    name: str
    title: str
    summary: str
    description: str = ""
    parameters: dict[str, Any] = {}
    effects: tuple[Effect, ...] = ("read",)
    output: Output = "untrusted"
    server: str = ""
    unavailable: str = ""


class ToolList(msgspec.Struct, frozen=True, kw_only=True):
    tools: tuple[ToolRecord, ...]


class FactList(msgspec.Struct, frozen=True, kw_only=True):
    facts: tuple[Fact, ...]


class ListTools(Call[ToolList], frozen=True, kw_only=True, tag="agents.tools"):
    """The tools that a recipe can name. ``agent`` and ``retrieval`` are its parts: the folder and the documents decide
    which of them can run."""

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

    search: str = ""


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
