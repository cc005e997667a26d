"""One decision about a client's tools: a call that fits the tool, or the answer."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from tests.fakes import FakeModelBackend
from workbench.engine.inference_calls import Score
from workbench.records.agents import ToolInfo
from workbench.records.messages import Message, ToolCallPart, ToolResultPart
from workbench.records.recipes import DecodingPart
from workbench.techniques.agent_session import AgentSession
from workbench.techniques.agents.client_tools import call_or_answer
from workbench.techniques.context import AnswerContext

READ = ToolInfo(
    name="Read",
    description="Reads a file.",
    parameters={
        "type": "object",
        "properties": {"path": {"type": "string"}, "pages": {"type": "string"}},
        "required": ["path"],
    },
)
QUESTION = Message("user", "When does the office open? Read notes.txt.")
CALLED = (
    Message.of_parts("assistant", [ToolCallPart("Read", '{"path": "notes.txt"}', "call_1")]),
    Message.of_parts("tool", [ToolResultPart("The office opens at 07:40.", "call_1")]),
)


def decided(messages: Sequence[Message], arguments: dict[str, Any], *, parameters: int, must: bool = False) -> Any:
    """What is decided by a model that wants to call the first tool with these arguments."""

    def first(asked: Score) -> Sequence[float]:
        return [0.0, *[-9.0] * (len(asked.continuations) - 1)]

    named = [READ.name] if parameters > 1_000_000_000 else []  # a large model writes the name
    model = FakeModelBackend([*named, json.dumps(arguments), "At 07:40."], scores=first, parameters=parameters)
    context = AnswerContext(
        model=model,
        retriever=None,
        cancelled=lambda: False,
        decoding=DecodingPart(max_tokens=50),
        agent=AgentSession(client_tools=(READ,), must_call=must),
    )
    stream = call_or_answer(messages, context)
    while True:
        try:
            next(stream)
        except StopIteration as end:
            return end.value


def test_an_empty_optional_text_is_left_out_and_a_required_one_stays() -> None:
    call = decided([QUESTION], {"path": "notes.txt", "pages": ""}, parameters=135_000_000)
    assert json.loads(call.arguments) == {"path": "notes.txt"}
    call = decided([QUESTION], {"path": "", "pages": "1-2"}, parameters=135_000_000)
    assert json.loads(call.arguments) == {"path": "", "pages": "1-2"}


def test_a_large_model_may_mean_an_empty_text() -> None:
    call = decided([QUESTION], {"path": "notes.txt", "pages": ""}, parameters=8_000_000_000)
    assert json.loads(call.arguments) == {"path": "notes.txt", "pages": ""}


@pytest.mark.parametrize(
    ("messages", "parameters", "must", "calls"),
    [
        pytest.param((QUESTION,), 135_000_000, False, True, id="first"),
        pytest.param((QUESTION, *CALLED), 135_000_000, False, False, id="again"),
        pytest.param((QUESTION, *CALLED), 8_000_000_000, False, True, id="again-by-a-large-model"),
        pytest.param((QUESTION, *CALLED), 135_000_000, True, True, id="again-where-it-must-call"),
        pytest.param((QUESTION, *CALLED, Message("user", "Again.")), 135_000_000, False, True, id="asked-again"),
    ],
)
def test_a_small_model_that_repeats_its_last_call_answers(
    messages: Sequence[Message], parameters: int, must: bool, calls: bool
) -> None:
    made = decided(messages, {"path": "notes.txt"}, parameters=parameters, must=must)
    assert isinstance(made, ToolCallPart) is calls
