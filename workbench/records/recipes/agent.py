"""The agent part of a recipe: which method drives the tools, which tools there are, and their budgets."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from workbench.base.fields import about

DEFAULT_AGENT = "react"

ToolFormatName = Literal["automatic", "native", "json", "react"]
"""How tools and calls are written in the prompt: in the form of the model's own chat template, as JSON, or as the lines
Thought, Action and Action Input."""

MemoryUse = Literal["off", "read", "read-write"]


class AgentPart(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An agent: the model chooses tools, sees their results and goes on until it answers.

    ``method`` names a row of the kind ``agent``, ``options`` are fields of its configuration. ``tools`` are names of
    rows of the kind ``tool``, or ``server.tool`` for a tool of an MCP server. ``folder`` is the only folder that the
    workspace tools may use. ``allowed`` are acting tools that need no confirmation while nothing untrusted was read.
    """

    method: Annotated[str, about("Method"), "How the agent works: act step by step, plan first, or check itself."] = (
        DEFAULT_AGENT
    )
    tools: Annotated[
        tuple[str, ...], about("Tools", separator=","), "The tools that the agent may use; none: it only answers."
    ] = ()
    folder: Annotated[
        str, about("Workspace folder"), "The only folder in which the agent may read and write files."
    ] = ""
    memory: Annotated[
        MemoryUse, about("Memory"), "Whether the agent sees what you told it to remember, and may add to it."
    ] = "off"
    max_steps: Annotated[int, about("Maximum steps", ge=1, le=64), "Tool calls at most; then it has to answer."] = 8
    max_tokens: Annotated[
        int, about("Maximum tokens", ge=64, le=100_000, unit="tokens"), "Generated tokens of all steps together."
    ] = 4000
    seconds: Annotated[
        int,
        about("Maximum time", ge=1, le=3600, unit="s"),
        "Then it answers with what it has; waiting for you is free.",
    ] = 180
    format: Annotated[
        ToolFormatName,
        about("Tool format", advanced=True),
        "How calls are written; automatic takes the model's own form where its chat template has one.",
    ] = "automatic"
    thought_tokens: Annotated[
        int, about("Thought", ge=0, le=2000, unit="tokens", advanced=True), "Tokens of the thought before each step."
    ] = 80
    allowed: tuple[str, ...] = ()
    options: dict[str, Any] = {}
