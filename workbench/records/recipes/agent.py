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

    method: Annotated[
        str, about("Method"), "The agent works in this way: step by step, by a plan, or with checks of its own answer."
    ] = DEFAULT_AGENT
    tools: Annotated[
        tuple[str, ...], about("Tools", separator=","), "The agent may use these tools. Without a tool it only answers."
    ] = ()
    folder: Annotated[str, about("Workspace folder"), "The agent may read and write files in this folder only."] = ""
    memory: Annotated[MemoryUse, about("Memory"), "The agent sees what you told it to remember, and may add to it."] = (
        "off"
    )
    max_steps: Annotated[
        int,
        about("Maximum steps", ge=1, le=64),
        "The agent calls tools at most this many times, and then has to answer.",
    ] = 8
    max_tokens: Annotated[
        int,
        about("Maximum tokens", ge=64, le=100_000, unit="tokens"),
        "All steps together generate at most this many tokens.",
    ] = 4000
    seconds: Annotated[
        int,
        about("Maximum time", ge=1, le=3600, unit="s"),
        "After this time the agent answers with what it has. Time in which it waits for you does not count.",
    ] = 180
    format: Annotated[
        ToolFormatName,
        about("Tool format", advanced=True),
        "The model writes its calls in this form. Automatic takes the model's own form where its chat template has "
        "one.",
    ] = "automatic"
    thought_tokens: Annotated[
        int,
        about("Length of a thought", ge=0, le=2000, unit="tokens", advanced=True),
        "The model thinks for at most this number of tokens before each step.",
    ] = 80
    allowed: tuple[str, ...] = ()
    options: dict[str, Any] = {}
