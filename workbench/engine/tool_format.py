"""ToolFormat: how the chat template of a model writes tool calls, as ``tool_probing`` has found it.

Two styles are known. In ``json`` the arguments are a JSON object after the name, whatever stands around both. In
``tagged`` each argument stands between marks of its own; strings are written as they are, other values as JSON.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import msgspec

Kind = Literal["string", "number", "boolean", "array", "object"]

BLANK = "\x00"
"""Stands for the name of the tool or of the argument, where it is written a second time."""

LONGEST_END = 160
"""Characters between the arguments of a call and the next call."""

_DECODER = json.JSONDecoder()
_KINDS: dict[str, Kind] = {
    "string": "string",
    "number": "number",
    "integer": "number",
    "boolean": "boolean",
    "array": "array",
    "object": "object",
}


class Spelling(msgspec.Struct, frozen=True):
    """What stands around the value of an argument: after its name, before the next one's name, after the last one."""

    before: str
    next: str
    last: str


class ParsedCall(NamedTuple):
    name: str
    arguments: dict[str, Any]


class ToolFormat(msgspec.Struct, frozen=True, kw_only=True):
    """``style`` "none": the template writes no calls, or none that could be read; the rest is empty then.

    ``begins`` stands between the start of the assistant's turn and the name, ``follows`` does after a text ("" where
    the template drops the text of a turn with calls). ``named`` is between the name and the arguments (``tagged``: the
    name of the first one), ``ends`` after them, ``empty`` between the name and the end of a call without arguments, and
    ``between`` between the end of one call and the name of the next ("" where there is one call in a turn). ``takes``
    is how the template takes arguments. ``spellings`` are those of ``tagged`` values that are written as JSON, and of
    strings; other values are written as strings that hold JSON. ``by_id``: the id of a call stands where its name is
    expected (``functions.NAME:NUMBER``). ``silent``: a turn with calls must have the content None. ``describes``: the
    template shows the tools that there are.
    """

    style: Literal["none", "json", "tagged"] = "none"
    begins: str = ""
    follows: str = ""
    named: str = ""
    ends: str = ""
    empty: str = ""
    between: str = ""
    takes: Literal["object", "string"] = "object"
    spellings: dict[Kind, Spelling] = {}
    by_id: bool = False
    silent: bool = False
    describes: bool = True

    @property
    def native(self) -> bool:
        return self.style != "none"

    @property
    def parallel(self) -> bool:
        return bool(self.between)

    def call_id(self, name: str, number: int) -> str:
        """The id of the call with that number, from 0."""
        return f"functions.{name}:{number}" if self.by_id else f"call{number:05d}"

    def parse(self, text: str, schemas: Mapping[str, Mapping[str, Any]]) -> list[ParsedCall]:
        """The calls at the end of an assistant's turn, of tools that ``schemas`` (by name) knows. A value that is not
        what the schema says is a text, or left out; what is no call of a known tool ends the list."""
        at = self._first(text, schemas)
        if at < 0:
            return []
        calls: list[ParsedCall] = []
        while True:
            shown = self._shown_names(schemas, len(calls))
            found = next((one for one in shown if self._names(text, at, one)), None)
            if found is None:
                return calls
            name, at = shown[found], at + len(found)
            read = self._read(text, at, found, schemas[name])
            if read is None:
                return calls
            arguments, at = read
            calls.append(ParsedCall(name, arguments))
            following = _gap(self.between).search(text, at, at + LONGEST_END) if self.between else None
            if following is None:
                return calls
            at = following.end()

    def _shown_names(self, schemas: Mapping[str, Any], number: int) -> dict[str, str]:
        """The names of tools as the call with that number has them, the longest first."""
        shown = {self.call_id(name, number) if self.by_id else name: name for name in schemas}
        return dict(sorted(shown.items(), key=lambda pair: -len(pair[0])))

    def _first(self, text: str, schemas: Mapping[str, Any]) -> int:
        """Where the name of the first call begins; -1 without one."""
        if not self.native:
            return -1
        places = []
        for head in {self.begins, self.follows} - {""}:
            pattern = _gap(head.lstrip())
            places += [found.end() for found in pattern.finditer(text)]
        if not self.begins:
            places.append(len(text) - len(text.lstrip()))
        shown = self._shown_names(schemas, 0)
        return next((at for at in sorted(places) if any(self._names(text, at, name) for name in shown)), -1)

    def _names(self, text: str, at: int, name: str) -> bool:
        end = at + len(name)
        follows = (_gap(one, name).match(text, end) for one in (self.named, self.empty))
        return text.startswith(name, at) and any(follows)

    def _read(self, text: str, at: int, name: str, schema: Mapping[str, Any]) -> tuple[dict[str, Any], int] | None:
        """Arguments and where the call ends."""
        named, empty = _gap(self.named, name).match(text, at), _gap(self.empty, name).match(text, at)
        if self.style == "json":
            assert named is not None
            try:
                value, end = _DECODER.raw_decode(text, named.end())
            except (ValueError, RecursionError):
                return None
            return (value, end) if isinstance(value, dict) else None
        read = self._read_tagged(text, named.end(), schema) if named is not None else None
        if read is None and empty is not None:
            return {}, empty.end()
        return read

    def _read_tagged(self, text: str, at: int, schema: Mapping[str, Any]) -> tuple[dict[str, Any], int] | None:
        properties = schema.get("properties", {})
        names = sorted(map(str, properties), key=len, reverse=True)
        arguments: dict[str, Any] = {}
        while True:
            name = next((one for one in names if self._spelt(text, at, one, properties[one])), None)
            if name is None:
                return None
            kind = self._spelt(text, at, name, properties[name])
            assert kind is not None
            spelling = self.spellings[kind]
            at += len(name) + len(spelling.before)
            end, following, is_last = self._end_of_value(text, at, spelling, name, names)
            if end < 0:
                return None
            value = text[at:end]
            arguments[name] = value if kind == "string" and _may_be_text(properties[name]) else _value(value)
            at = following
            if is_last:
                return arguments, at

    def _spelt(self, text: str, at: int, name: str, schema: Any) -> Kind | None:
        """The kind of the value that begins after an argument's name."""
        kinds = [kind for kind, one in self.spellings.items() if text.startswith(f"{name}{one.before}", at)]
        wanted = _kind(schema)
        if wanted in kinds:
            return wanted
        return max(kinds, key=lambda kind: len(self.spellings[kind].before), default=None)

    def _end_of_value(
        self, text: str, at: int, spelling: Spelling, name: str, names: Sequence[str]
    ) -> tuple[int, int, bool]:
        """Where a value ends and what comes next begins: the next argument of a known name, or the end of the call,
        which is followed by another one or by nothing. -1 without one."""
        after = spelling.next.replace(BLANK, name)
        befores = [f"{other}{one.before}" for other in names for one in self.spellings.values()]
        end = at - 1
        while (end := text.find(after, end + 1)) >= 0:
            if any(text.startswith(before, end + len(after)) for before in befores):
                break
        last = spelling.last.replace(BLANK, name)
        place, call = at - 1, self._end_of_call(spelling).replace(BLANK, name)
        ends: list[tuple[int, int]] = []
        while (place := text.find(call, place + 1)) >= 0:
            following, rest = place + len(call), last[len(call) :]
            if self.between and _gap(self.between).match(text, following):
                ends.append((place, following))
                break
            if text.startswith(rest, following):
                ends.append((place, following + len(rest)))
        if end >= 0 and (not ends or end < ends[0][0]):
            return end, end + len(after), False
        return (*ends[-1], True) if ends else (-1, -1, True)

    def _end_of_call(self, spelling: Spelling) -> str:
        """What stands after the last value of a call, without what ends all calls of the turn."""
        last, of_text = spelling.last, self.spellings["string"].last
        same = 0
        while same < min(len(last), len(of_text)) and last[-1 - same] == of_text[-1 - same]:
            same += 1
        return last[: len(last) - same] + self.ends[len(of_text) - same :]


def _kind(schema: Any) -> Kind | None:
    named = schema.get("type") if isinstance(schema, dict) else None
    return _KINDS.get(named) if isinstance(named, str) else None


def kind_of(value: Any) -> Kind | None:
    """The kind of an argument's value; None for null."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    kinds: dict[type, Kind] = {str: "string", list: "array", dict: "object"}
    return kinds.get(type(value))


def _may_be_text(schema: Any) -> bool:
    return _kind(schema) in ("string", None)


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return {"True": True, "False": False, "None": None}.get(text.strip(), text)


def _gap(text: str, name: str = "") -> re.Pattern[str]:
    """What matches a text in which the numbers and ids of calls may differ."""
    parts = re.split(r"(call\d{5}|\d+)", text.replace(BLANK, name))
    return re.compile("".join(r"\w+" if number % 2 else re.escape(part) for number, part in enumerate(parts)))
