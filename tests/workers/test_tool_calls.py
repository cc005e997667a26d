"""Tool calls on a real engine: always valid, in every format, and nothing is computed twice."""

from __future__ import annotations

import itertools
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.short_model import write_short
from tests.unit.agents.test_calling import result_of
from tests.unit.engine.tool_templates import NATIVE
from workbench.api.events import Event, StepFinished
from workbench.api.protocol import RequestContext
from workbench.backends.backend import ModelUse
from workbench.backends.llama_cpp import LlamaCppModel
from workbench.engine.inference_calls import Load
from workbench.processes.host import WorkerHost
from workbench.records.agents import ToolCall
from workbench.records.messages import Message, Usage
from workbench.records.recipes import AgentPart, DecodingPart
from workbench.techniques.agents.agent import FINAL, Agent
from workbench.techniques.agents.calling import Caller, agent_budget, caller_for
from workbench.techniques.context import AnswerContext
from workbench.techniques.tools.tool import Tool, ToolOutput

ASKED = (Message("system", "You plan journeys. " * 6), Message("user", "How do I get from Oslo to Rome in two days?"))
SEARCH = Tool(
    name="trains.search",
    description="Finds trains between two cities.",
    parameters={
        "type": "dict",
        "properties": {
            "type": {"type": "string", "enum": ["day", "night"]},
            "items": {"type": "integer", "minimum": 1, "maximum": 9},
            "city": {"type": "string", "maxLength": 20},
            "stops": {"type": "tuple", "items": {"type": "float"}, "maxItems": 3},
            "any": {"type": "any"},
        },
        "required": ["type", "items", "city", "stops"],
    },
    run=lambda arguments, context: ToolOutput(text=""),
)
WEATHER = Tool(name="weather", description="The weather.", parameters={}, run=SEARCH.run)
TOOLS = {tool.name: tool for tool in (SEARCH, WEATHER)}
RESULT = "Three trains were found: at 8:05, at 11:35 and at 22:10; the last one has beds. " * 3


OTHERS = ("json in tags", "text only", "tagged")
"""Templates with a tool format of their own; the first parameter has none."""


@pytest.fixture(scope="module", params=["", *(pytest.param(name, marks=pytest.mark.nightly) for name in OTHERS)])
def model(request: pytest.FixtureRequest, smollm_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Two layers of SmolLM2, with a chat template that has a tool format of its own."""
    path = tmp_path_factory.mktemp("short") / "short.gguf"
    write_short(smollm_path, path, template=NATIVE.get(request.param, ""))
    host = WorkerHost("inference")
    loaded = host.call(Load(path=str(path), context_tokens=4096, threads=1))

    def load() -> Generator[Event, None, Any]:
        yield from ()
        return loaded, host.pid

    yield LlamaCppModel(host, loaded, load, RequestContext(), ModelUse())
    host.stop()


def caller_on(model: LlamaCppModel, form: str = "automatic") -> Caller:
    decoding = DecodingPart(max_tokens=4, temperature=0.0)
    context = AnswerContext(model=model, retriever=None, cancelled=lambda: False, decoding=decoding)
    part = AgentPart(format=form, max_tokens=4000, seconds=600)  # type: ignore[arg-type]
    agent = Agent(part=part, context=context, tools=TOOLS, decisions={})
    return caller_for(agent, agent_budget(part, context))


def usages(seen: list[Event]) -> list[Usage]:
    found = [event.usage for event in seen if isinstance(event, StepFinished) and event.usage is not None]
    return [usage for usage in found if usage.prompt_tokens]


def step(
    caller: Caller, history: tuple[Message, ...], number: int, thought: str = ""
) -> tuple[tuple[Message, ...], list[Usage]]:
    """One step of an agent: the history after it, and what each generation took."""
    made = []
    if not thought:
        thought, seen = result_of(caller.thought(history, tokens=6))
        made += usages(seen)
    name, seen = result_of(caller.choose(history, thought, tuple(TOOLS)))
    assert name in (*TOOLS, FINAL)
    made += usages(seen)
    arguments, seen = result_of(caller.arguments(history, thought, SEARCH))
    assert arguments is not None
    jsonschema.validate(arguments, SEARCH.parameters | {"type": "object", "properties": {}})
    assert arguments["type"] in ("day", "night")
    assert 1 <= arguments["items"] <= 9
    assert set(arguments) <= set(SEARCH.parameters["properties"])
    made += usages(seen)
    call = ToolCall(tool=SEARCH.name, arguments=arguments)
    return caller.with_call(history, thought, call, ToolOutput(text=f"{number}: {RESULT}")), made


def test_calls_are_valid_and_an_edited_step_recomputes_none_before_it(model: LlamaCppModel) -> None:
    caller, histories, taken = caller_on(model), [ASKED], []
    for number in range(3):
        history, made = step(caller, histories[-1], number)
        histories.append(history)
        taken.append(made)
    for before, after in itertools.pairwise(taken):  # each step goes on from the one before it
        assert after[0].cached_tokens >= 0.95 * before[0].prompt_tokens
    edited, again = step(caller, histories[1], 1, "An overnight train is better, so I look for the last one.")
    before = taken[1][0].prompt_tokens  # what stands before the thought that was edited
    assert all(usage.cached_tokens >= 0.95 * before for usage in again)
    made, seen = result_of(caller.answer(edited, "I know enough."))
    assert made.text or made.finish
    assert usages(seen)[0].cached_tokens >= 0.95 * again[0].prompt_tokens
