"""A thought, the choice of a tool and its arguments are asked for in turn, each prompt extending the one before it."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any, TypeVar

import pytest

from tests.fakes import FakeModelBackend
from workbench.api.events import Event, TextDelta
from workbench.api.protocol import RequestContext
from workbench.base.errors import UserError
from workbench.engine.inference_calls import Score, Scored, Scores
from workbench.records.agents import ToolCall
from workbench.records.messages import Message
from workbench.records.recipes import AgentPart, DecodingPart
from workbench.techniques.agents.agent import FINAL, Agent
from workbench.techniques.agents.calling import NEUTRAL, Caller, agent_budget, caller_for
from workbench.techniques.agents.forms import describe
from workbench.techniques.context import AnswerContext
from workbench.techniques.tools.calculator import calculator
from workbench.techniques.tools.tool import Tool, ToolOutput, tool_from

T = TypeVar("T")
ASKED = (Message("system", "Be exact."), Message("user", "What is 12 * 4?"))


def weather(city: str) -> str:
    """The weather of a city."""
    return f"{city}: rain"


TOOLS: dict[str, Tool] = {tool.name: tool for tool in (tool_from(calculator), tool_from(weather))}


def caller_on(model: FakeModelBackend, **part: Any) -> Caller:
    context = AnswerContext(model=model, retriever=None, cancelled=lambda: False, decoding=DecodingPart(max_tokens=100))
    agent = Agent(part=AgentPart(**part), context=context, tools=TOOLS, decisions={})
    return caller_for(agent, agent_budget(agent.part, context))


def result_of(stream: Generator[Event, None, T]) -> tuple[T, list[Event]]:
    seen: list[Event] = []
    while True:
        try:
            seen.append(next(stream))
        except StopIteration as end:
            return end.value, seen


@pytest.mark.parametrize("form", ["react", "json"])
def test_each_prompt_extends_the_one_before_it(form: str) -> None:
    model = FakeModelBackend(["I should multiply.", '{"expression": "12*4"}', "I know it.", "It is 48."])
    scored: list[Score] = []

    def score(asked: Score) -> Sequence[float]:
        scored.append(asked)
        return [-1.0, -9.0, -9.0] if len(scored) == 1 else [-9.0, -9.0, -1.0]

    model.scores = score
    caller = caller_on(model, format=form)
    thought, _ = result_of(caller.thought(ASKED, tokens=20))
    name, _ = result_of(caller.choose(ASKED, thought, tuple(TOOLS)))
    arguments, _ = result_of(caller.arguments(ASKED, thought, TOOLS[name]))
    assert (thought, name, arguments) == ("I should multiply.", "calculator", {"expression": "12*4"})
    assert arguments is not None
    call = ToolCall(tool=name, arguments=arguments)
    history = caller.with_call(ASKED, thought, call, ToolOutput(text="48"))
    second, _ = result_of(caller.thought(history, tokens=20))
    chosen, _ = result_of(caller.choose(history, second, tuple(TOOLS)))
    made, seen = result_of(caller.answer(history, second))
    assert chosen == FINAL
    assert made.text == "It is 48."
    assert "".join(one.text for one in seen if isinstance(one, TextDelta) and not one.step) == "It is 48."
    prompts = [
        "".join(f"<{m.role}>{m.content}\n" for m in messages) + f"<assistant>{start}"
        for messages, start in zip(model.requests, model.starts, strict=True)
    ]
    assert prompts[1].startswith(prompts[0].rstrip())
    assert prompts[2].startswith(prompts[1].rstrip())
    assert prompts[3].startswith(prompts[2].rstrip())
    assert "48" in prompts[2]


class Biased(FakeModelBackend):
    """Would calculate whatever it is asked."""

    def score_many(self, requests: Sequence[Score], context: RequestContext) -> list[Scores]:
        values = [[-1.0, -8.0, -2.0] if one.messages[-1] == NEUTRAL else [-1.5, -9.0, -2.0] for one in requests]
        return [Scores(values=tuple(Scored(logprob=one, tokens=1) for one in found)) for found in values]


def test_what_would_be_chosen_anyway_is_taken_off_unless_examples_say_when_a_tool_is_right() -> None:
    caller = caller_on(Biased())
    call = ToolCall(tool="calculator", arguments={"expression": "12*4"})
    called = caller.with_call(ASKED, "", call, ToolOutput(text="48"))
    assert result_of(caller.choose(called, "", tuple(TOOLS)))[0] == FINAL  # its own call is no example
    after_example = (*called, Message("assistant", "It is 48."), Message("user", "What is 3 * 4?"))
    assert result_of(caller.choose(after_example, "", tuple(TOOLS)))[0] == "calculator"


def test_a_spent_budget_ends_in_an_answer() -> None:
    model = FakeModelBackend(["word " * 60, "the end"])
    caller = caller_on(model, max_tokens=64)
    result_of(caller.thought(ASKED, tokens=100))
    thought, _ = result_of(caller.thought(ASKED, tokens=100))
    arguments, _ = result_of(caller.arguments(ASKED, "", TOOLS["weather"]))
    chosen, _ = result_of(caller.choose(ASKED, "", tuple(TOOLS)))
    assert (thought, arguments, chosen) == ("", None, FINAL)


def test_arguments_that_are_masked_are_not_given() -> None:
    model = FakeModelBackend(['{"city": "Paris"}', '{"city": "Paris"}'])
    caller = caller_on(model)
    assert result_of(caller.arguments(ASKED, "", TOOLS["weather"]))[0] == {"city": "Paris"}
    assert result_of(caller.arguments(ASKED, "", TOOLS["weather"], masked=[{"city": "Paris"}]))[0] is None


def test_a_schema_that_cannot_be_constrained_is_loosened() -> None:
    grammars: list[str] = []

    def reply(messages: Sequence[Message], decoding: DecodingPart, start: str) -> str | Exception:
        grammars.append(decoding.grammar)
        return UserError("The form of the answer cannot be used.") if "pattern" in decoding.grammar else '{"q": "a"}'

    schema = {"type": "object", "properties": {"q": {"type": "string", "pattern": "(?=a)"}}, "required": ["q"]}
    tool = Tool(name="odd", description="", parameters=schema, run=TOOLS["weather"].run)
    assert result_of(caller_on(FakeModelBackend(reply)).arguments(ASKED, "", tool))[0] == {"q": "a"}
    assert len(grammars) == 2


def test_patterns_are_not_shown_to_the_model() -> None:
    shown = describe(TOOLS)
    assert "numbers with + - * /" in shown
    assert "pattern" not in shown
    named = {"type": "object", "properties": {"pattern": {"type": "string", "pattern": "a+"}}}
    tool = Tool(name="grep", description="", parameters=named, run=TOOLS["weather"].run)
    assert '"pattern": {"type": "string"}' in describe({"grep": tool})
