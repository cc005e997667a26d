"""Requests of OpenAI's API as calls, and answers as its replies."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from workbench.api import events, protocol
from workbench.base.errors import ContextExceeded
from workbench.records.answers import AskResult
from workbench.records.messages import (
    Alternative,
    Candidate,
    ChosenToken,
    Citation,
    Message,
    Statement,
    ToolCallPart,
    ToolResultPart,
    Usage,
    Verification,
)
from workbench.subjects.serving.calls import AskServed, ClientTool, ServedAnswer
from workbench.subjects.serving.http import anthropic, chat, completions, responses
from workbench.subjects.serving.http.anthropic import MessagesRequest
from workbench.subjects.serving.http.chat import ChatRequest
from workbench.subjects.serving.http.errors import ApiError, error_of
from workbench.subjects.serving.http.requests import read
from workbench.subjects.serving.http.texts import texts_of
from workbench.subjects.serving.service import offered
from workbench.techniques.composition import LOOPED

HELLO = [{"role": "user", "content": "Hello"}]
TOOL = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}


def chat_call(**fields: Any) -> AskServed:
    return chat.call_of(read(json.dumps({"messages": HELLO, **fields}).encode(), ChatRequest))


def refused(kind: Any, call_of: Any, body: dict[str, Any]) -> ApiError:
    with pytest.raises(ApiError) as raised:
        call_of(read(json.dumps(body).encode(), kind))
    return raised.value


def test_fields_of_a_request_are_those_of_the_decoding() -> None:
    call = chat_call(
        temperature=0.5, top_p=0, max_tokens=5, max_completion_tokens=7, n=3, seed=9, stop="END", presence_penalty=1,
        logit_bias={"17": -100, "4": 2.5}, response_format={"type": "json_object"}, unknown_field=[1],
    )  # fmt: skip
    assert call.decoding == {
        "temperature": 0.5, "top_p": 1e-6, "max_tokens": 7, "n": 3, "seed": 9, "stop": ["END"], "presence_penalty": 1,
        "logit_bias": ["#17=-inf", "#4=2.5"], "format": "json", "grammar": "",
    }  # fmt: skip
    assert call.messages == (Message("user", "Hello"),)


def test_what_a_request_does_not_set_stays_as_the_recipe_says() -> None:
    assert chat_call(temperature=None, max_tokens=-1, stop=None).decoding == {}


def test_a_schema_is_the_answer_format() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}}
    call = chat_call(response_format={"type": "json_schema", "json_schema": {"name": "x", "schema": schema}})
    assert call.decoding["format"] == "json_schema"
    assert json.loads(call.decoding["grammar"]) == schema


def test_content_may_be_parts_and_results_of_tools_get_their_names() -> None:
    messages = [
        {"role": "developer", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
        {"role": "user", "content": "Look."},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "look", "arguments": "{}"}}],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "seen"},
    ]
    system, _, called, result = chat_call(messages=messages, tools=[TOOL]).messages
    assert system == Message("system", "a\nb")
    assert called.parts == (ToolCallPart("look", "{}", "c1"),)
    assert result.parts == (ToolResultPart("seen", name="look", call="c1"),)


@pytest.mark.parametrize(
    ("choice", "tools", "must"),
    [
        ("auto", 1, False),
        (None, 1, False),
        ("none", 0, False),
        ("required", 1, True),
        ({"type": "function", "function": {"name": "look"}}, 1, True),
        ({"type": "function", "name": "look"}, 1, True),
    ],
)
def test_the_choice_of_a_tool(choice: Any, tools: int, must: bool) -> None:
    call = chat_call(tools=[TOOL], tool_choice=choice)
    assert (len(call.tools), call.must_call) == (tools, must)


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "wizard", "content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "user", "content": " "}]}, "messages"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": [{"type": "input_audio"}]}]}, "messages[0].content"),
        ({"messages": [*HELLO, {"role": "assistant", "content": "Hi"}]}, "messages"),
        ({"messages": HELLO, "temperature": "hot"}, "temperature"),
        ({"messages": HELLO, "temperature": 9}, "temperature"),
        ({"messages": HELLO, "n": 99}, "n"),
        ({"messages": HELLO, "max_tokens": -7}, "max_tokens"),
        ({"messages": HELLO, "logit_bias": {"the": 1}}, "logit_bias"),
        ({"messages": HELLO, "top_logprobs": 2}, "top_logprobs"),
        ({"messages": HELLO, "logprobs": True, "top_logprobs": 21}, "logprobs"),
        ({"messages": HELLO, "stop": ["x"] * 17}, "stop"),
        ({"messages": HELLO, "response_format": {"type": "xml"}}, "response_format"),
        ({"messages": HELLO, "tools": [{"type": "web_search"}]}, "tools[0]"),
        ({"messages": HELLO, "tool_choice": "required"}, "tool_choice"),
        ({"messages": HELLO, "tools": [TOOL], "n": 2}, "n"),
    ],
)
def test_a_request_that_cannot_be_answered_names_its_field(fields: dict[str, Any], param: str) -> None:
    error = refused(ChatRequest, chat.call_of, fields)
    assert (error.status, error.param) == (400, param)


def test_a_request_that_is_too_long_has_the_code_that_clients_know() -> None:
    event = protocol.failure_of(ContextExceeded("Too long.", "Shorten it.", tokens=9_000, context_tokens=8_192))
    assert isinstance(event, events.Failed)
    error = error_of(event)
    assert (error.status, error.code) == (400, "context_length_exceeded")
    assert error.body()["error"]["n_prompt_tokens"] == 9_000
    again = protocol.error_of(event)
    assert isinstance(again, ContextExceeded)
    assert (again.tokens, again.context_tokens) == (9_000, 8_192)


def test_texts_to_embed_are_texts_or_token_ids_one_or_several() -> None:
    assert texts_of("a") == ["a"]
    assert texts_of(["a", "b"]) == ["a", "b"]
    assert texts_of([1, 2]) == [(1, 2)]
    assert texts_of([[1, 2], "a", [3]]) == [(1, 2), "a", (3,)]
    wrong: list[Any] = [[], "", " ", [""], [[]], [1, "a"], ["a", 1]]
    for one in wrong:
        with pytest.raises(ApiError):
            texts_of(one)


def test_prompts_are_texts_or_token_ids_one_or_several() -> None:
    assert completions.prompts_of("a") == ["a"]
    assert completions.prompts_of(["a", "b"]) == ["a", "b"]
    assert completions.prompts_of([1, 2]) == [(1, 2)]
    assert completions.prompts_of([[1, 2], [3]]) == [(1, 2), (3,)]
    for wrong in ([], [-1], [1, "a"], [1 << 40]):
        with pytest.raises(ApiError):
            completions.prompts_of(wrong)


def test_a_prompt_may_be_scored_without_a_token_generated() -> None:
    body = {"prompt": [1, 2], "max_tokens": 0, "logprobs": 1, "echo": True}
    (call,) = completions.calls_of(read(json.dumps(body).encode(), completions.CompletionRequest))
    assert (call.generate, call.echo, call.alternatives, call.decoding) == (False, True, 1, {})


TOKENS = (
    ChosenToken(token=5, text="a", logprob=-0.5, alternatives=(Alternative(token=5, text="a", logprob=-0.5),)),
    ChosenToken(token=6, text="b", logprob=-2.0, alternatives=(Alternative(token=7, text="c", logprob=-0.1),)),
)


def test_the_tokens_of_an_echo_stand_before_those_of_the_answer() -> None:
    prompt = (ChosenToken(token=1, text="P", logprob=0.0), *TOKENS[:1])
    answered = ServedAnswer(
        result=AskResult(answer="b", sequences=(Candidate(text="b"),), usage=Usage(new_tokens=1)),
        prompt=prompt, prompt_text="Pa", prompt_tokens=2, tokens=(TOKENS[1:],),
    )  # fmt: skip
    asked = read(b'{"prompt": "Pa", "echo": true, "logprobs": 1}', completions.CompletionRequest)
    reply = completions.whole(asked, [answered])
    assert reply["choices"][0]["text"] == "Pab"
    assert reply["choices"][0]["logprobs"] == {
        "tokens": ["P", "a", "b"],
        "token_logprobs": [None, -0.5, -2.0],
        "top_logprobs": [None, {"a": -0.5}, {"c": -0.1}],
        "text_offset": [0, 1, 2],
    }
    assert reply["usage"]["total_tokens"] == 3


def test_sources_are_in_a_field_of_their_own() -> None:
    citation = Citation(
        n=1, collection="c", document="d", document_hash="h", path="/p", title="t", start=3, end=9, text="source"
    )
    result = AskResult(answer="It is so [1].", sequences=(Candidate(text="It is so [1]."),), citations=(citation,))
    reply = chat.whole(ServedAnswer(result=result), "recipe")
    assert reply["workbench"]["citations"] == [
        {"n": 1, "collection": "c", "document": "d", "path": "/p", "title": "t", "page": None, "start": 3, "end": 9,
         "text": "source", "sentence_start": 0, "sentence_end": 0, "span_start": 0, "span_end": 0,
         "more_sentences": []}
    ]  # fmt: skip
    assert reply["workbench"]["verification"] is None
    assert reply["choices"][0]["message"]["content"] == "It is so [1]."


def test_verification_is_in_the_extension_with_the_marks_of_the_window() -> None:
    said = "It costs 12 euros [1]. It weighs 3 million tons."
    statements = (
        Statement(start=0, end=22, verdict="supported", value=0.9, n=1, sentence_start=5, sentence_end=20),
        Statement(start=23, end=48, verdict="unsupported", conflicts=("3",), contradictions=("3",)),
    )
    result = AskResult(answer=said, verification=Verification(statements=statements, confidence=0.8))
    checked = chat.whole(ServedAnswer(result=result), "recipe")["workbench"]["verification"]
    assert (checked["text"], checked["marked"]) == ("Your documents support 1 of 2 statements.", True)
    assert [(said[one["start"] : one["end"]], one["marked"]) for one in checked["statements"]] == [
        ("It costs 12 euros [1].", False), ("It weighs 3 million tons.", True),
    ]  # fmt: skip
    assert checked["statements"][1]["reason"] == "The passages do not support this. Not in the passage: 3."
    assert checked["statements"][0]["sentence_end"] == 20


def test_a_call_of_a_tool_has_no_text() -> None:
    result = AskResult(answer="", parts=(ToolCallPart("look", '{"at": 1}', "call_1"),))
    (choice,) = chat.whole(ServedAnswer(result=result), "recipe")["choices"]
    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"]["content"] is None
    called = {"id": "call_1", "type": "function", "function": {"name": "look", "arguments": '{"at": 1}'}}
    assert choice["message"]["tool_calls"] == [called]


def test_responses_are_stateless() -> None:
    for name in ("previous_response_id", "conversation"):
        error = refused(responses.ResponsesRequest, responses.call_of, {"input": "x", name: "r1"})
        assert error.param == name


def test_items_of_a_response_are_messages() -> None:
    items: list[dict[str, Any]] = [
        {"role": "user", "content": [{"type": "input_text", "text": "Look."}]},
        {"type": "reasoning", "summary": []},
        {"type": "function_call", "call_id": "c1", "name": "look", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c1", "output": "seen"},
    ]
    asked = msgspec.convert({"input": items, "instructions": "Be brief."}, responses.ResponsesRequest)
    assert [one.role for one in responses.call_of(asked).messages] == ["system", "user", "assistant", "tool"]


@pytest.mark.parametrize("given", ["x" * 1_200_001, ["x" * 1_200, *["y" * 1_200] * 1_000], [7] * 300_001])
def test_more_text_than_a_request_may_have_is_refused_before_it_is_read(given: Any) -> None:
    with pytest.raises(ApiError) as raised:
        texts_of(given)
    assert (raised.value.status, raised.value.code, raised.value.param) == (413, "request_too_large", "input")


def test_as_much_text_as_a_request_may_have_is_taken() -> None:
    assert texts_of("x" * 1_200_000) == ["x" * 1_200_000]
    assert texts_of([7] * 300_000) == [(7,) * 300_000]


def test_an_answer_that_repeats_itself_ends_as_one_that_reached_its_length() -> None:
    result = AskResult(answer="so so so", sequences=(Candidate(text="so so so", finish="loop"),), notices=(LOOPED,))
    reply = chat.whole(ServedAnswer(result=result), "recipe")
    assert reply["choices"][0]["finish_reason"] == "length"
    assert reply["workbench"]["notices"] == [LOOPED]


def anthropic_call(**fields: Any) -> AskServed:
    body = {"messages": HELLO, "max_tokens": 5, **fields}
    return anthropic.call_of(read(json.dumps(body).encode(), MessagesRequest))


def test_a_message_of_anthropic_with_results_of_tools_is_several_messages() -> None:
    used = [{"type": "thinking", "thinking": "hm", "signature": ""}, {"type": "text", "text": "I look."}]
    used += [{"type": "tool_use", "id": name, "name": "look", "input": {"at": name}} for name in ("t1", "t2")]
    results: list[Any] = [
        {"type": "tool_result", "tool_use_id": "t1", "content": [{"type": "text", "text": "seen"}]},
        {"type": "tool_result", "tool_use_id": "t2", "content": "dark", "is_error": True},
        {"type": "text", "text": "And now?"},
    ]
    notes = {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "Notes."}}
    said = [*HELLO, {"role": "assistant", "content": used}, {"role": "user", "content": [*results, notes]}]
    call = anthropic_call(messages=said, system=[{"type": "text", "text": "Be brief.", "cache_control": {}}])
    assert [one.role for one in call.messages] == ["system", "user", "assistant", "tool", "tool", "user"]
    assert call.messages[2].parts[1:] == (
        ToolCallPart("look", '{"at": "t1"}', "t1"), ToolCallPart("look", '{"at": "t2"}', "t2"),
    )  # fmt: skip
    assert call.messages[3].parts == (ToolResultPart("seen", name="look", call="t1"),)
    assert call.messages[4].content == "Error: dark"
    assert call.messages[5].content == "And now?\nNotes."


def test_later_instructions_of_anthropic_follow_the_message_before() -> None:
    said = [
        {"role": "user", "content": "Hello"},
        {"role": "system", "content": "Use the tools."},
        {"role": "assistant", "content": "Hello!"},
        {"role": "system", "content": "Be brief."},
    ]
    call = anthropic_call(messages=said, system="You help.")
    assert [(one.role, one.content) for one in call.messages] == [
        ("system", "You help."),
        ("user", "Hello\n\nUse the tools."),
        ("assistant", "Hello!"),
        ("user", "Be brief."),
    ]


def test_fields_of_anthropic_are_those_of_the_decoding_and_the_tools() -> None:
    tool = {"name": "look", "input_schema": {"type": "object"}}
    call = anthropic_call(stop_sequences=["END"], temperature=0.5, tools=[tool], tool_choice={"type": "any"})
    assert call.decoding == {"temperature": 0.5, "max_tokens": 5, "stop": ["END"]}
    assert ([one.name for one in call.tools], call.must_call) == (["look"], True)
    assert not anthropic_call(tools=[tool], tool_choice={"type": "none"}).tools
    for changed in ({"tool_choice": {"type": "all"}}, {"tool_choice": {"type": "tool", "name": "x"}, "tools": [tool]}):
        with pytest.raises(ApiError, match="tool_choice"):
            anthropic_call(**changed)


def anthropic_reply(result: AskResult, **fields: Any) -> dict[str, Any]:
    asked = read(json.dumps({"messages": HELLO, "max_tokens": 5, **fields}).encode(), MessagesRequest)
    return anthropic.whole(ServedAnswer(result=result), asked)


def test_a_call_whose_arguments_cannot_be_read_has_an_empty_input() -> None:
    for arguments in ("", "[1]", "{", "[" * 100_000):
        reply = anthropic_reply(AskResult(answer="", parts=(ToolCallPart("look", arguments, "t1"),)))
        assert reply["content"] == [{"type": "tool_use", "id": "t1", "name": "look", "input": {}}]
        assert reply["stop_reason"] == "tool_use"


def test_thoughts_are_part_of_a_reply_where_they_are_asked_for() -> None:
    result = AskResult(answer="Yes.", sequences=(Candidate(text="Yes.", thought="Hm.", finish="loop"),))
    assert [one["type"] for one in anthropic_reply(result)["content"]] == ["text"]
    reply = anthropic_reply(result, thinking={"type": "enabled", "budget_tokens": 9})
    assert [one["type"] for one in reply["content"]] == ["thinking", "text"]
    assert reply["stop_reason"] == "max_tokens"


def test_the_model_reads_a_tools_schema_without_the_address_of_its_language() -> None:
    fields: dict[str, Any] = {"type": "object", "properties": {"$schema": {"type": "string"}}}
    (tool,) = offered([ClientTool(name="look", parameters=fields | {"$schema": "https://json-schema.org"})])
    assert (tool.name, tool.parameters) == ("look", fields)
