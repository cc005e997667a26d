"""The local API asked by Anthropic's own client."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import anthropic
import pytest

from tests.api_server import KEY
from tests.e2e.test_api import CHAT, server, workbench
from workbench.subjects.serving.http.running import RunningServer

__all__ = ["server", "workbench"]

HELLO: Any = [{"role": "user", "content": "Say hello."}]
GREEDY: Any = {"temperature": 0}  # the newest client has no argument for it
WEATHER: Any = {
    "name": "get_weather",
    "description": "The weather in a city",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}


@pytest.fixture
def client(server: RunningServer) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=server.address, api_key=KEY, max_retries=0) as made:
        yield made


def test_a_message_whole_and_streamed_is_the_same(client: anthropic.Anthropic) -> None:
    asked: Any = {"model": "pirate", "messages": HELLO, "max_tokens": 6, "system": "Be brief.", "extra_body": GREEDY}
    whole = client.messages.create(**asked)
    assert (whole.type, whole.role, whole.stop_reason) == ("message", "assistant", "max_tokens")
    assert whole.usage.output_tokens == 6
    [block] = whole.content
    assert block.type == "text"
    with client.messages.stream(**asked) as stream:
        assert "".join(stream.text_stream) == block.text
        last = stream.get_final_message()
    assert (last.stop_reason, last.usage.output_tokens) == ("max_tokens", 6)
    assert last.usage.input_tokens + (last.usage.cache_read_input_tokens or 0) > 6


def test_tokens_are_those_of_the_prompt_that_the_model_reads(client: anthropic.Anthropic) -> None:
    asked: Any = {"model": CHAT, "messages": HELLO, "system": "Be brief."}
    counted = client.messages.count_tokens(**asked)
    used = client.messages.create(**asked, max_tokens=1).usage
    assert counted.input_tokens == used.input_tokens + (used.cache_read_input_tokens or 0)
    assert client.messages.count_tokens(**asked, tools=[WEATHER]).input_tokens > counted.input_tokens + 20


def test_a_stop_sequence_ends_the_answer(client: anthropic.Anthropic) -> None:
    asked: Any = {"model": CHAT, "messages": HELLO, "max_tokens": 20, "extra_body": GREEDY}
    [block] = client.messages.create(**asked).content
    assert block.type == "text"
    stop = block.text[3:6]
    stopped = client.messages.create(**asked, stop_sequences=[stop])
    assert (stopped.stop_reason, stopped.stop_sequence) == ("stop_sequence", stop)
    assert stop not in stopped.content[0].text  # type: ignore[union-attr]


def test_a_tool_is_called_and_its_result_answered(client: anthropic.Anthropic) -> None:
    question: Any = {"role": "user", "content": [{"type": "text", "text": "What is the weather in Paris?"}]}
    asked: Any = {"model": "pirate", "messages": [question], "tools": [WEATHER], "max_tokens": 60, "extra_body": GREEDY}
    whole = client.messages.create(**asked, tool_choice={"type": "any"})
    assert whole.stop_reason == "tool_use"
    called = whole.content[-1]
    assert called.type == "tool_use"
    assert (called.name, set(called.input)) == ("get_weather", {"city"})  # type: ignore[call-overload]
    with client.messages.stream(**asked, tool_choice={"type": "tool", "name": "get_weather"}) as stream:
        streamed = stream.get_final_message()
    assert streamed.content[-1].type == "tool_use"
    assert streamed.content[-1].input == called.input
    result: Any = {
        "role": "user",
        "content": [
            {
                "type": "tool_result",
                "tool_use_id": called.id,
                "content": [{"type": "text", "text": "Sunny, 21 degrees"}],
            },
            {"type": "text", "text": "Tell me in one sentence."},
        ],
    }
    history: Any = [question, {"role": "assistant", "content": [called.model_dump()]}, result]
    after = client.messages.create(
        model="pirate", messages=history, tools=[WEATHER], tool_choice={"type": "none"}, max_tokens=12
    )
    assert [block.type for block in after.content] == ["text"]


def test_what_cannot_be_answered_is_an_error_of_the_clients_own(
    client: anthropic.Anthropic, server: RunningServer
) -> None:
    with pytest.raises(anthropic.NotFoundError, match="no model 'claude-sonnet"):
        client.messages.create(model="claude-sonnet-9", messages=HELLO, max_tokens=1)
    image: Any = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aGk="}}
    for changed, match in (
        (
            {"messages": [{"role": "user", "content": [image, {"type": "text", "text": "What?"}]}]},
            "not a picture",
        ),
        ({"messages": [*HELLO, {"role": "assistant", "content": "Hel"}]}, "last message"),
        ({"tools": [{"type": "web_search_20250305", "name": "web_search"}]}, "only the client's own tools"),
        ({"max_tokens": 0}, "max_tokens must be from 1"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "user, assistant or system"),
    ):
        asked: Any = {"model": CHAT, "messages": HELLO, "max_tokens": 1, **changed}
        with pytest.raises(anthropic.BadRequestError, match=match) as refused:
            client.messages.create(**asked)
        body: Any = refused.value.body
        assert (body["type"], body["error"]["type"]) == ("error", "invalid_request_error")
    with pytest.raises(anthropic.AuthenticationError, match="missing or wrong"):
        anthropic.Anthropic(base_url=server.address, api_key="sk-no", max_retries=0).messages.create(
            model=CHAT, messages=HELLO, max_tokens=1
        )


def test_an_answer_by_a_schema_is_valid(client: anthropic.Anthropic) -> None:
    schema = {"type": "object", "properties": {"age": {"type": "integer"}}, "required": ["age"]}
    form: Any = {"format": {"type": "json_schema", "schema": schema}}
    [block] = client.messages.create(
        model=CHAT, messages=HELLO, max_tokens=40, output_config=form, extra_body=GREEDY
    ).content
    assert block.type == "text"
    assert isinstance(json.loads(block.text)["age"], int)
