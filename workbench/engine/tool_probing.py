"""Finds out how a chat template writes tool calls: it is rendered with and without calls whose names and arguments are
marks, and what it has written around them is read.

Nothing of the template's source is looked at. Templates differ in what they take: arguments as an object or as text,
and with or without ``content``. A template that refuses calls, or drops them or their results, has no format.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import product
from typing import Any, Literal

from workbench.engine.template import TemplateError
from workbench.engine.tool_format import BLANK, Kind, Spelling, ToolFormat

NAME, OTHER = "zqnamexx", "zqotheryy"
FIRST, SECOND = "zqakeyxx", "zqbkeyyy"
ONE, TWO = "zqvalueone", "zqvaluetwo"
ASKED, SAID, RESULT = "zqaskedxx", "zqsaidxxx", "zqresultxx"
ODD = "zqodd\"'\\\nzqend"
"""A text that must be escaped in JSON, and is not elsewhere."""

Render = Callable[[list[dict[str, Any]], bool, Sequence[dict[str, Any]]], str]
"""Messages, whether the next answer begins at the end, tools. Raises TemplateError."""

Takes = Literal["object", "string"]
TAKES: tuple[Takes, ...] = ("object", "string")


class _Unknown(Exception):
    """The template writes calls in no way that is known."""


def find_tool_format(render: Render) -> ToolFormat:
    """The format of a template. Raises what ``render`` raises, but for TemplateError: then it has none."""
    for by_id, takes, silent in product((False, True), TAKES, (False, True)):
        probe = _Probe(render, takes, by_id, silent)
        for read in (probe.json_style, probe.tagged_style):
            with suppress(_Unknown, TemplateError):
                return read()
    return ToolFormat()


class _Probe:
    """Renders with arguments as the template ``takes`` them; ``by_id``: calls are named by their ids; ``silent``: a
    turn with calls has the content None."""

    def __init__(self, render: Render, takes: Takes, by_id: bool, silent: bool) -> None:
        self._render, self._takes, self._by_id, self._silent = render, takes, by_id, silent
        self._name = f"functions.{NAME}:0" if by_id else NAME

    def json_style(self) -> ToolFormat:
        arguments = {FIRST: ODD, SECOND: 17}
        text, start, at = self._call(arguments)
        end_of_name = at + len(self._name)
        place, _ = _json_in(text, end_of_name, arguments)
        named = self._blanked(text[end_of_name:place])
        ends, between = self._after()
        return ToolFormat(
            style="json",
            begins=text[start:at],
            follows=self._follows(),
            named=named,
            ends=ends,
            empty=named,
            between=between,
            takes=self._takes,
            by_id=self._by_id,
            silent=self._silent,
            describes=self._describes(),
        )

    def tagged_style(self) -> ToolFormat:
        if self._takes == "string":
            raise _Unknown
        text, start, at = self._call({FIRST: ONE, SECOND: TWO})
        end_of_name = at + len(self._name)
        named = text[end_of_name : _find(text, FIRST, end_of_name)]
        ends, between = self._after()
        if ODD not in self._call({FIRST: ODD})[0]:
            raise _Unknown
        none, _, name_of_none = self._call({})
        return ToolFormat(
            style="tagged",
            begins=text[start:at],
            follows=self._follows(),
            named=self._blanked(named),
            ends=ends,
            empty=self._blanked(none[name_of_none + len(self._name) : self._end(none)]),
            between=between,
            takes=self._takes,
            spellings=self._spellings(),
            by_id=self._by_id,
            silent=self._silent,
            describes=self._describes(),
        )

    def _spellings(self) -> dict[Kind, Spelling]:
        """Those of strings, which there must be, and of the values that are written as JSON."""
        spellings: dict[Kind, Spelling] = {"string": self._spelling(ONE, TWO, ONE, TWO)}
        for kind, one, two in _JSON_VALUES:
            for separators in ((", ", ": "), (",", ":")):
                shown = [json.dumps(value, separators=separators) for value in (one, two)]
                with suppress(_Unknown, TemplateError):
                    spellings[kind] = self._spelling(one, two, *shown)
                    break
        return spellings

    def _spelling(self, one: Any, two: Any, shown: str, shown_second: str) -> Spelling:
        text, _, at = self._call({FIRST: one, SECOND: two})
        first = _find(text, FIRST, at)
        value = _find(text, shown, first)
        after_value = value + len(shown)
        second = _find(text, SECOND, after_value)
        last = _find(text, shown_second, second)
        before = text[first + len(FIRST) : value]
        if text[second + len(SECOND) : last] != before or not before:
            raise _Unknown
        return Spelling(
            before,
            text[after_value:second].replace(FIRST, BLANK),
            text[last + len(shown_second) : self._end(text)].replace(SECOND, BLANK),
        )

    def _call(self, arguments: dict[str, Any], said: str = "") -> tuple[str, int, int]:
        """A conversation that ends in a call; where what is written for it begins, and where the name does. Its result
        has to be shown."""
        turn = self._turn([(NAME, arguments)], said)
        text = self._render([_USER, turn], False, _TOOLS)
        result = {"role": "tool", "content": RESULT, "name": NAME, "tool_call_id": self._id(NAME, 0)}
        if RESULT not in self._render([_USER, turn, result], True, _TOOLS):
            raise _Unknown
        start = self._start(text)
        return text, start, _find(text, self._name, start)

    def _start(self, text: str) -> int:
        """Where the assistant's turn has its text."""
        asked = self._render([_USER], True, _TOOLS)
        if text.startswith(asked):
            return len(asked)
        header = _up_to(self._render([_USER, {"role": "assistant", "content": SAID}], False, _TOOLS), SAID)
        if text.startswith(header):
            return len(header)
        shared = max(_shared(text, asked), _shared(text, header))
        # the place may be within a mark
        return max(text.rfind(mark, 0, shared) + 1 for mark in ("\n", ">", "]", "}", ":"))

    def _end(self, text: str) -> int:
        """Where the end of the assistant's turn begins, in a text that ends with it."""
        plain = self._render([_USER, {"role": "assistant", "content": SAID}], False, _TOOLS)
        end_of_turn = plain[plain.rindex(SAID) + len(SAID) :] if SAID in plain else ""
        return len(text) - len(end_of_turn) if end_of_turn and text.endswith(end_of_turn) else len(text)

    def _describes(self) -> bool:
        """Whether the template shows the tools that there are."""
        return NAME in self._render([_USER], True, _TOOLS)

    def _follows(self) -> str:
        if self._silent:
            return ""
        try:
            text, _, at = self._call({FIRST: ONE}, SAID)
        except (_Unknown, TemplateError):
            return ""
        said = text.find(SAID)
        return text[said + len(SAID) : at] if 0 <= said < at else ""

    def _after(self) -> tuple[str, str]:
        """What ends a call, and what stands between two."""
        arguments = {FIRST: ONE, SECOND: TWO}
        text, _, at = self._call(arguments)
        ends = text[self._end_of_arguments(text, at) : self._end(text)].replace(SECOND, BLANK)
        try:
            several = self._render([_USER, self._turn([(NAME, arguments), (OTHER, arguments)])], False, _TOOLS)
            at = _find(several, self._name, self._start(several))
            other = _find(several, self._id(OTHER, 1) if self._by_id else OTHER, at)
            end = self._end_of_arguments(several[:other], at)
        except (_Unknown, TemplateError):
            return ends, ""
        gap = several[end:other].replace(SECOND, BLANK)
        shared = ends[: _shared(ends, gap)]
        if shared != ends and shared.rfind("<") > shared.rfind(">"):
            shared = shared[: shared.rfind("<")]
        return shared, gap[len(shared) :]

    def _end_of_arguments(self, text: str, at: int) -> int:
        try:
            return _json_in(text, at, {FIRST: ONE, SECOND: TWO})[1]
        except _Unknown:
            return _find(text, TWO, at) + len(TWO)

    def _id(self, name: str, number: int) -> str:
        return f"functions.{name}:{number}" if self._by_id else f"call{number:05d}"

    def _blanked(self, text: str) -> str:
        return text.replace(NAME, BLANK)

    def _turn(self, calls: Sequence[tuple[str, dict[str, Any]]], said: str = "") -> dict[str, Any]:
        return {
            "role": "assistant",
            "content": None if self._silent else said,
            "tool_calls": [
                {
                    "type": "function",
                    "id": self._id(name, number),
                    "function": {
                        "name": name,
                        "arguments": arguments if self._takes == "object" else json.dumps(arguments),
                    },
                }
                for number, (name, arguments) in enumerate(calls)
            ],
        }


def _json_in(text: str, at: int, value: Any) -> tuple[int, int]:
    """Where a JSON value stands in a text, from ``at`` on."""
    decoder = json.JSONDecoder()
    place = at - 1
    while (place := text.find("{", place + 1)) >= 0:
        try:
            found, end = decoder.raw_decode(text, place)
        except ValueError:
            continue
        if found == value:
            return place, end
    raise _Unknown


def _find(text: str, mark: str, start: int) -> int:
    at = text.find(mark, start)
    if at < 0:
        raise _Unknown
    return at


def _shared(one: str, other: str) -> int:
    """How many characters two texts begin with together."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((place for place, (a, b) in pairs if a != b), min(len(one), len(other)))


def _up_to(text: str, mark: str) -> str:
    return text[: text.index(mark)] if mark in text else text


_JSON_VALUES: tuple[tuple[Kind, Any, Any], ...] = (
    ("number", 4711, 4712),
    ("boolean", True, False),
    ("array", [4711, ONE], [4712, TWO]),
    ("object", {ONE: [4711]}, {TWO: [4712]}),
)
_USER = {"role": "user", "content": ASKED}
_TOOLS = [
    {
        "type": "function",
        "function": {
            "name": name,
            "description": "Looks something up.",
            "parameters": {
                "type": "object",
                "properties": {
                    FIRST: {"type": "string", "description": "The first."},
                    SECOND: {"type": "string", "description": "The second."},
                },
                "required": [FIRST],
            },
        },
    }
    for name in (NAME, OTHER)
]
