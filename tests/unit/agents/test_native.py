"""Calls in the model's own format: what is generated is what the template would have written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from tests.fakes import FakeModelBackend
from tests.unit.agents.test_calling import result_of
from tests.unit.engine.test_tool_format import writer
from tests.unit.engine.tool_templates import NATIVE
from workbench.engine.inference_calls import Generate, Score
from workbench.engine.prompt import TemplateOptions
from workbench.records.agents import ToolCall
from workbench.records.messages import Message
from workbench.records.recipes import AgentPart, DecodingPart
from workbench.techniques.agents.agent import FINAL, Agent
from workbench.techniques.agents.calling import NEUTRAL, agent_budget, caller_for
from workbench.techniques.context import AnswerContext
from workbench.techniques.tools.tool import Tool, ToolOutput

ASKED = (Message("user", "Weather?"),)
WEATHER = Tool(
    name="weather",
    description="The weather.",
    parameters={
        "type": "object",
        "properties": {"city": {"type": "string"}, "days": {"type": "integer"}, "unit": {"enum": ["C", "F"]}},
        "required": ["city", "days"],
    },
    run=lambda arguments, context: ToolOutput(text="rain"),
)
WANTED = {"city": "Paris <call>", "days": 3}


class Listening(FakeModelBackend):
    """Keeps whole requests."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.asked: list[Generate | Score] = []

    def generate_many(self, requests: Sequence[Generate], context: Any) -> Any:
        self.asked += requests
        return super().generate_many(requests, context)

    def score_many(self, requests: Sequence[Score], context: Any) -> Any:
        self.asked += requests
        return super().score_many(requests, context)


@pytest.mark.parametrize("thought", ["", "Let me look <call>."])
@pytest.mark.parametrize("name", NATIVE)
def test_a_constrained_call_is_what_the_template_writes(name: str, thought: str) -> None:
    of = writer(NATIVE[name])
    tagged = of.tool_format.style == "tagged"

    def reply(messages: Sequence[Message], decoding: DecodingPart, start: str) -> str:
        if decoding.format == "regex":
            end = decoding.grammar.rpartition("}")[2].replace("\\", "")
            return f"Paris <call>{end}"
        if "city" in decoding.grammar:
            return '{"city": "Paris <call>", "days": 3}'
        return '"Paris <call>"' if "string" in decoding.grammar else "3"

    model = Listening(reply, scores=lambda asked: [-9.0, -1.0], tool_format=of.tool_format)
    context = AnswerContext(model=model, retriever=None, cancelled=lambda: False, decoding=DecodingPart(max_tokens=100))
    agent = Agent(part=AgentPart(), context=context, tools={"weather": WEATHER}, decisions={})
    caller = caller_for(agent, agent_budget(agent.part, context))
    chosen, _ = result_of(caller.choose(ASKED, thought, ["weather"]))
    assert chosen == FINAL  # the second score
    arguments, _ = result_of(caller.arguments(ASKED, thought, WEATHER))
    assert arguments == WANTED
    options = TemplateOptions(tools=tuple(model.asked[0].tools))
    assert {tool["function"]["name"] for tool in options.tools} == {"weather", FINAL}
    history = caller.with_call(ASKED, thought, ToolCall(tool="weather", arguments=WANTED), ToolOutput(text="rain"))
    whole = of.write(history, options=options).tokens
    for asked in (one for one in model.asked if one.messages[-1] != NEUTRAL):
        begun = of.write(asked.messages, asked.assistant_start, options).tokens
        assert whole[: len(begun)] == begun
    assert len(model.asked) == (5 if tagged else 3)
