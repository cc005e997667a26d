from __future__ import annotations

from typing import Any

import pytest

from workbench.base.errors import UserError
from workbench.records.messages import Message, ToolCallPart
from workbench.training.data.columns import ColumnMapping
from workbench.training.data.examples import Source
from workbench.training.data.formats import Refusal, recognise, to_example, to_examples
from workbench.training.data.rows import Row

HELLO = [Message("user", "Hello?"), Message("assistant", "Hi.")]
SHAPES: dict[str, tuple[dict[str, Any], str, list[Message]]] = {
    "OpenAI": (
        {"messages": [{"role": "user", "content": "Hello?"}, {"role": "assistant", "content": "Hi.", "weight": 1}]},
        "messages",
        HELLO,
    ),
    "OpenAI in parts": (
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "Hello?"}]},
                      {"role": "assistant", "content": "Hi."}]},
        "messages",
        HELLO,
    ),
    "ShareGPT": (
        {"id": "7", "conversations": [{"from": "human", "value": "Hello?"}, {"from": "gpt", "value": "Hi."},
                                      {"from": "human", "value": "And?"}]},
        "sharegpt",
        HELLO,
    ),
    "ShareGPT with a system": (
        {"system": "Be brief.", "conversations": [{"from": "human", "value": "Hello?"},
                                                  {"from": "gpt", "value": "Hi."}]},
        "sharegpt",
        [Message("system", "Be brief."), *HELLO],
    ),
    "ShareGPT that begins in the middle": (
        {"conversations": [{"from": "gpt", "value": "Welcome."}, {"from": "gpt", "value": "Well?"},
                           {"from": "human", "value": "Hello?"}, {"from": "gpt", "value": "Hi."}]},
        "sharegpt",
        HELLO,
    ),
    "prompt and completion": ({"prompt": "Hello?", "completion": "Hi."}, "prompt_completion", HELLO),
    "question and answer": ({"Question": "Hello?", "Answer": "Hi."}, "prompt_completion", HELLO),
    "an answer that is a number": (
        {"question": "2 + 2?", "answer": 4}, "prompt_completion", [Message("user", "2 + 2?"), Message("assistant", "4")]
    ),
    "prompt and completion as turns": (
        {"prompt": [{"role": "user", "content": "Hello?"}], "completion": [{"role": "assistant", "content": "Hi."}]},
        "prompt_completion",
        HELLO,
    ),
    "Alpaca": (
        {"instruction": "Add.", "input": "2, 2", "output": "4", "text": "Below is an instruction"},
        "instruction",
        [Message("user", "Add.\n\n2, 2"), Message("assistant", "4")],
    ),
    "Alpaca without an input": ({"instruction": "Hello?", "input": "", "output": "Hi."}, "instruction", HELLO),
    "Dolly": (
        {"instruction": "Who?", "context": "It was Ada.", "response": "Ada.", "category": "qa"},
        "instruction",
        [Message("user", "Who?\n\nIt was Ada."), Message("assistant", "Ada.")],
    ),
}  # fmt: skip


def row(values: dict[str, Any], line: int = 1) -> Row:
    return Row(values, Source(path="set.jsonl", line=line, row=line))


@pytest.mark.parametrize("case", SHAPES)
def test_a_common_shape_is_told_and_brought_into_one_form(case: str) -> None:
    values, name, messages = SHAPES[case]
    shape = recognise([row(values)])
    assert shape.name == name
    assert shape.mapping is not None
    assert list(to_example(row(values), shape.mapping).messages) == messages
    assert set(shape.mapping.columns) | set(shape.left_out) == set(values) == set(shape.columns)
    assert all(repr(c) in shape.why for c in shape.mapping.columns if c != "system")


@pytest.mark.parametrize("column", ["text", "content", "my_words"])
def test_plain_text(column: str) -> None:
    shape = recognise([row({column: "Once upon a time."})])
    assert shape.name == "text"
    assert shape.mapping is not None
    example = to_example(row({column: "Once upon a time."}, line=9), shape.mapping)
    assert (example.text, example.messages, example.source.line) == ("Once upon a time.", (), 9)


def test_what_is_not_recognised_says_which_columns_there_are_and_is_mapped_by_hand() -> None:
    rows = [row({"thema": "Fluss", "frage": "Wo?", "antwort": "Dort.", "n": 3})]
    shape = recognise(rows)
    assert (shape.name, shape.mapping) == ("unknown", None)
    assert "'frage' (text)" in shape.why
    assert "'n' (number)" in shape.why
    mapping = ColumnMapping(prompt=("thema", "frage"), completion="antwort")
    assert to_example(rows[0], mapping).messages == (Message("user", "Fluss\n\nWo?"), Message("assistant", "Dort."))
    turns = row({"rede": [{"wer": "user", "was": "Wo?"}, {"wer": "bot", "was": "Dort."}]})
    told = to_example(turns, ColumnMapping(messages="rede", role="wer", content="was"))
    assert told.messages == (Message("user", "Wo?"), Message("assistant", "Dort."))


def test_preferences_are_named_as_such() -> None:
    assert recognise([row({"chosen": "a", "rejected": "b"})]).name == "preference_pairs"


def test_prompts_without_answers_are_told_apart_from_texts() -> None:
    shape = recognise([row({"prompt": "Why?"}), row({"prompt": "How?"})])
    assert (shape.name, shape.mapping) == ("prompts", ColumnMapping(prompt=("prompt",)))
    assert shape.mapping is not None
    assert to_example(row({"prompt": "Why?"}), shape.mapping).messages == (Message("user", "Why?"),)
    assert recognise([row({"text": "Why?"})]).name == "text"


@pytest.mark.parametrize(
    "given", [{}, {"text": "a", "messages": "b"}, {"prompt": ("a",), "text": "b"}, {"completion": "a"}]
)
def test_a_mapping_says_one_thing(given: dict[str, Any]) -> None:
    with pytest.raises(UserError):
        ColumnMapping(**given)


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "no such column": ({"other": 1}, "no column 'messages'"),
    "no list": ({"messages": "Hello"}, "'messages' is not a list of turns"),
    "an empty list": ({"messages": []}, "'messages' is not a list of turns"),
    "a turn without content": ({"messages": [{"role": "user"}]}, "turn 1 of 'messages' has no 'role' or no 'content'"),
    "an unknown role": ({"messages": [{"role": "narrator", "content": "7"}]}, "which is not a known role"),
    "a picture": (
        {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": "x"}]}]},
        "turn 1 of 'messages' is no text but list",
    ),
    "a call of a tool": (
        {"messages": [{"role": "assistant", "content": None, "tool_calls": [{"id": 1}]}]}, "tool call without"
    ),
    "no answer": ({"messages": [{"role": "user", "content": "Hello?"}]}, "no answer of an assistant"),
    "no question": ({"messages": [{"role": "assistant", "content": "Hi."}]}, "no question comes before its answer"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_a_row_that_is_no_example_is_refused_with_its_place_and_reason(case: str) -> None:
    values, told = BAD[case]
    mapping = ColumnMapping(messages="messages")
    good = {"messages": [{"role": "user", "content": "Hello?"}, {"role": "assistant", "content": "Hi."}]}
    refused: list[Refusal] = []
    rows = [row(good, 1), row(values, 2), row(good, 3)]
    assert [e.source.line for e in to_examples(rows, mapping, refused)] == [1, 3]
    assert [r.source.line for r in refused] == [2]
    assert told in refused[0].reason
    with pytest.raises(UserError, match=r"set\.jsonl, line 2: ") as caught:
        list(to_examples(rows, mapping))
    assert told in caught.value.message


def test_a_few_broken_rows_do_not_change_the_shape() -> None:
    good = {"conversations": [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}]}
    rows = [row(good, n) for n in range(40)] + [row({"conversations": [{"from": "human"}]}, 41)]
    assert recognise(rows).name == "sharegpt"


def test_tool_calls_and_results_are_read_as_parts() -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "add", "arguments": {"a": 1, "b": 2}}}
    turns = [
        {"role": "user", "content": "1 + 2?"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "content": "3"},
        {"role": "assistant", "content": "3."},
    ]
    made = to_example(row({"messages": turns}), ColumnMapping(messages="messages"))
    assert [(m.role, m.content) for m in made.messages] == [
        ("user", "1 + 2?"),
        ("assistant", ""),
        ("tool", "3"),
        ("assistant", "3."),
    ]
    assert made.messages[1].tool_calls == (ToolCallPart("add", '{"a": 1, "b": 2}', "c1"),)
    other = {**call, "function": {"name": "add", "arguments": '{"a": 9}'}}
    different = to_example(
        row({"messages": [turns[0], {**turns[1], "tool_calls": [other]}]}), ColumnMapping(messages="messages")
    )
    same = to_example(row({"messages": turns[:2]}), ColumnMapping(messages="messages"))
    assert different.digest() != same.digest()
    assert not same.is_empty  # the call is what is trained
