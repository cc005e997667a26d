"""Tools that the asking program runs itself: one decision, a call of one of them or the answer.

The name is chosen and the arguments are written as an agent's are (``calling``), so that every call fits its tool's
schema. The program runs it and asks again, with the call and its result in the conversation. A small model that would
make its last call once more answers instead: it would repeat the call until the client gives up.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Generator, Sequence
from typing import Any

import msgspec

from workbench.api.events import Event
from workbench.api.protocol import RequestContext
from workbench.backends.backend import has_fewer_parameters
from workbench.engine.inference_calls import Generated
from workbench.records.agents import ToolCall, ToolInfo
from workbench.records.messages import Message, ToolCallPart
from workbench.records.recipes import AgentPart
from workbench.techniques.agents.agent import FINAL, Agent
from workbench.techniques.agents.calling import SMALL, agent_budget, caller_for
from workbench.techniques.agents.repetition import key_of
from workbench.techniques.context import AnswerContext
from workbench.techniques.tools.tool import Tool, ToolOutput

LONGEST_S, CHOICE_TOKENS, MOST_TOKENS = 3600, 4_000, 100_000
"""Seconds of an answer, and tokens for the choice and the arguments beside those of the answer."""

Decided = ToolCallPart | Generator[Event, None, Generated]


def call_or_answer(messages: Sequence[Message], context: AnswerContext) -> Generator[Event, None, Decided]:
    """A call of one of ``context.agent.client_tools``, or what writes the answer."""
    tools = {tool.name: _closed(tool) for tool in context.agent.client_tools}
    tokens = min(MOST_TOKENS, context.decoding.max_tokens + CHOICE_TOKENS)
    part = AgentPart(tools=tuple(tools), max_tokens=tokens, seconds=LONGEST_S, thought_tokens=0)
    agent = Agent(part=part, context=context, tools=tools, decisions={})
    caller = caller_for(agent, agent_budget(part, context))
    if tools:
        chosen = yield from caller.choose(messages, "", tuple(tools), may_answer=not context.agent.must_call)
        if chosen != FINAL and chosen in tools:
            tool = tools[chosen]
            arguments = yield from caller.arguments(messages, "", tool)
            small = has_fewer_parameters(context.model, SMALL)
            kept = _without_empty(arguments or {}, tool.parameters) if small else arguments or {}
            call = ToolCall(tool=chosen, arguments=kept)
            again = small and key_of(call) == _last(messages)
            if context.agent.must_call or not (arguments is None or again):
                text = json.dumps(call.arguments, ensure_ascii=False)
                return ToolCallPart(chosen, text, f"call_{secrets.token_hex(12)}")
    return caller.answer(messages, "")


def _last(messages: Sequence[Message]) -> str:
    """The key of the call that was made last since the person wrote; "" where there is none, or where another model
    wrote arguments that are no object."""
    wrote = max((place for place, message in enumerate(messages) if message.role == "user"), default=0)
    called = [part for message in messages[wrote:] for part in message.tool_calls]
    try:
        arguments = msgspec.json.decode(called[-1].arguments, type=dict[str, Any])
    except (IndexError, msgspec.DecodeError):
        return ""
    return key_of(ToolCall(tool=called[-1].name, arguments=arguments))


def _without_empty(arguments: dict[str, Any], parameters: dict[str, Any]) -> dict[str, Any]:
    """The arguments without optional texts that are empty: a small model writes each property, and clients refuse an
    empty one where none is allowed."""
    required = parameters.get("required") or ()
    return {name: value for name, value in arguments.items() if value != "" or name in required}


def _closed(tool: ToolInfo) -> Tool:
    """The tool as one that is never run here."""

    def run(arguments: object, context: RequestContext) -> ToolOutput:
        raise AssertionError("a client's tool is run by the client")

    return Tool(**{name: getattr(tool, name) for name in msgspec.structs.asdict(tool)}, run=run)
