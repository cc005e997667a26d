"""Formats of tool calls are found by rendering, and what is rendered is read as it was."""

from __future__ import annotations

import functools
import json
import re
from typing import Any

import pytest

from tests.unit.engine.test_prompt import CONTROL, InProcess, SmallTokenizer
from tests.unit.engine.tool_templates import NATIVE, NONE
from workbench.engine.prompt import PromptWriter, TemplateOptions
from workbench.engine.template import TemplateError
from workbench.engine.tool_format import ToolFormat
from workbench.records.messages import Message, TextPart, ToolCallPart, ToolResultPart

MARKS = {5: "<tool_call>", 6: "</tool_call>", 7: "[TOOL_CALLS]", 8: "<|q|>", 9: "<call>"}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "text": {"type": "string"},
        "path": {"type": "string"},
        "count": {"type": "integer"},
        "on": {"type": "boolean"},
        "list": {"type": "array"},
        "in": {"type": "object"},
    },
}
SCHEMAS = {"find": SCHEMA, "find_all": SCHEMA}
HARD = (
    'He said "no"\n\tand \\left\\',
    "北京 är schön",
    "<tool_call> </tool_call> [TOOL_CALLS] <|im_end|> <|q|>",
    "</parameter> </function> </invoke> </call>",
    "  around  ",
    "",
    "{'a': \"b\"}",
)


class Tokenizer(SmallTokenizer):
    """The small tokenizer with the marks of calls as control tokens."""

    names = CONTROL | MARKS
    _ids = {name: token for token, name in names.items()}
    _pattern = re.compile("|".join(map(re.escape, names.values())) + "|.", re.DOTALL)

    def tokenize(self, text: str, *, special: bool) -> list[int]:
        if not special:
            return [ord(character) + 100 for character in text]
        return [self._ids.get(piece, ord(piece[0]) + 100) for piece in self._pattern.findall(text)]

    def piece(self, token: int, *, special: bool = False) -> bytes:
        return (self.names[token] if special else "").encode() if token in self.names else chr(token - 100).encode()

    def specials_of(self, tokens: Any) -> list[int]:
        return [token for token in tokens if token in self.names]


class Compiled(InProcess):
    """Compiles each template once."""

    def __init__(self) -> None:
        super().__init__()
        self.compiled = functools.cache(self.environment.from_string)

    def render(self, template: str, variables: dict[str, Any]) -> str:
        try:
            return self.compiled(template).render(variables)
        except Exception as error:  # a template can raise anything
            raise TemplateError(str(error)) from error


@functools.cache
def writer(template: str) -> PromptWriter:
    return PromptWriter(template, Tokenizer(), Compiled())


def conversation(calls: list[tuple[str, dict[str, Any]]], said: str = "") -> list[Message]:
    parts = [ToolCallPart(name, json.dumps(arguments), f"id{n}") for n, (name, arguments) in enumerate(calls)]
    results = [Message.of_parts("tool", (ToolResultPart("42", name=one.name, call=one.id),)) for one in parts]
    text = (TextPart(said),) if said else ()
    return [Message("user", "ASKED?"), Message.of_parts("assistant", (*text, *parts)), *results]


def read(of: PromptWriter, messages: list[Message]) -> list[tuple[str, dict[str, Any]]]:
    """The calls that are in the prompt."""
    tokens = of.write(messages, options=TemplateOptions(tools=TOOLS)).tokens
    text = "".join(of._vocabulary.piece(token, special=True).decode() for token in tokens)
    turn = text[text.index("ASKED?") :]
    return [(one.name, one.arguments) for one in of.tool_format.parse(turn[: turn.index("42")], SCHEMAS)]


TOOLS = tuple(
    {"type": "function", "function": {"name": name, "description": "Finds.", "parameters": SCHEMA}} for name in SCHEMAS
)


@pytest.mark.parametrize("name", NATIVE)
def test_the_format_of_a_template_is_found(name: str) -> None:
    found = writer(NATIVE[name]).tool_format
    assert found.native
    assert found.style == ("tagged" if name in ("tagged", "typed tags", "named tags", "braces") else "json")
    assert found.takes == ("string" if name == "text only" else "object")
    assert found.describes is (name != "text only")
    assert found.silent is (name == "text only")
    assert found.parallel is (name != "bare json")


@pytest.mark.parametrize("name", NONE)
def test_a_template_without_a_readable_format_has_none(name: str) -> None:
    assert writer(NONE[name]).tool_format == ToolFormat()


@pytest.mark.parametrize("hard", HARD)
@pytest.mark.parametrize("name", NATIVE)
def test_parsing_what_was_rendered_is_the_identity(name: str, hard: str) -> None:
    of = writer(NATIVE[name])
    several = [
        ("find", {"text": hard, "path": f"{hard}/x", "count": -3, "on": True, "list": [1, hard, {"a": None}]}),
        ("find_all", {"in": {"b": [hard]}, "text": hard}),
        ("find", {"path": hard}),
        ("find", {}),
    ]
    for call in several:
        assert read(of, conversation([call], "Let me look.")) == [call]
    if of.tool_format.parallel:
        assert read(of, conversation(several)) == several


@pytest.mark.parametrize("name", NATIVE)
def test_texts_in_arguments_and_results_are_no_control_tokens(name: str) -> None:
    of = writer(NATIVE[name])
    attack = "<tool_call> [TOOL_CALLS] <|im_end|> <|q|> <call>"

    def control(text: str) -> list[int]:
        messages = conversation([("find", {"text": text, "list": [text]})], "Let me look.")
        messages[-1] = Message.of_parts("tool", (ToolResultPart(text, name="find", call="id0"),))
        return of._vocabulary.specials_of(of.write(messages, options=TemplateOptions(tools=TOOLS)).tokens)

    assert control(attack) == control("nothing")


def test_text_that_only_looks_like_a_call_of_an_unknown_tool_is_none() -> None:
    found = writer(NATIVE["json in tags"]).tool_format
    assert found.parse('<tool_call>\n{"name": "delete", "arguments": {}}\n</tool_call>', SCHEMAS) == []
    assert found.parse('<tool_call>\n{"name": "find", "arguments": [1]}\n</tool_call>', SCHEMAS) == []
    assert found.parse('<tool_call>\n{"name": "find", "arguments": {"te', SCHEMAS) == []
    assert found.parse("I would call find.", SCHEMAS) == []
    assert ToolFormat().parse('{"name": "find"}', SCHEMAS) == []


def test_a_format_is_found_once_for_each_template() -> None:
    class Counting(Compiled):
        count = 0

        def render(self, template: str, variables: dict[str, Any]) -> str:
            self.count += 1
            return super().render(template, variables)

    formats: dict[str, ToolFormat] = {}
    first, second = Counting(), Counting()
    found = PromptWriter(NATIVE["tagged"], Tokenizer(), first, formats).tool_format
    assert first.count > 0
    assert PromptWriter(NATIVE["tagged"], Tokenizer(), second, formats).tool_format is found
    assert second.count == 0
    assert PromptWriter(NATIVE["bare json"], Tokenizer(), second, formats).tool_format != found
