"""Tools that the asking program runs itself: one decision, a call of one of them or the answer.

The name is chosen and the arguments are written as an agent's are (``calling``), so that every call fits its tool's
schema. The program runs it and asks again, with the call and its result in the conversation.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Generator, Sequence

import msgspec

from workbench.api.events import Event
from workbench.api.protocol import RequestContext
from workbench.engine.inference_calls import Generated
from workbench.records.agents import ToolInfo
from workbench.records.messages import Message, ToolCallPart
from workbench.records.recipes import AgentPart
from workbench.techniques.agents.agent import FINAL, Agent
from workbench.techniques.agents.calling import agent_budget, caller_for
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
            arguments = yield from caller.arguments(messages, "", tools[chosen])
            text = json.dumps(arguments or {}, ensure_ascii=False)
            return ToolCallPart(chosen, text, f"call_{secrets.token_hex(12)}")
    return caller.answer(messages, "")


def _closed(tool: ToolInfo) -> Tool:
    """The tool as one that is never run here."""

    def run(arguments: object, context: RequestContext) -> ToolOutput:
        raise AssertionError("a client's tool is run by the client")

    return Tool(**{name: getattr(tool, name) for name in msgspec.structs.asdict(tool)}, run=run)
