"""Formats: the common formats of training data, recognised by columns and values, and converted into one.

Known are OpenAI's chat format (``messages`` of ``role`` and ``content``), ShareGPT (``conversations`` of ``from`` and
``value``), Alpaca (``instruction``, ``input``, ``output``; Taori et al. 2023), pairs of prompt and completion, and
plain text. What is none of them is read by a ``ColumnMapping`` that a person made.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

import msgspec

from workbench.errors import UserError
from workbench.records.messages import Message, Role, TextPart, ToolCallPart
from workbench.training.data.examples import Example, Source
from workbench.training.data.rows import Row

ShapeName = Literal["messages", "sharegpt", "instruction", "prompt_completion", "text", "unknown"]

ROWS_LOOKED_AT = 200
"""How many rows ``recognise`` needs at most."""

_ROLES: dict[str, Role] = {
    "system": "system", "developer": "system",
    "user": "user", "human": "user", "prompter": "user",
    "assistant": "assistant", "gpt": "assistant", "chatgpt": "assistant", "bot": "assistant", "model": "assistant",
    "tool": "tool", "function": "tool", "observation": "tool",
}  # fmt: skip
_TURNS = ("messages", "conversations", "conversation", "dialog", "dialogue", "chat", "turns")
_QUESTIONS = ("prompt", "question", "query", "problem", "user")
_ANSWERS = ("completion", "response", "answer", "output", "solution", "target", "assistant")
_FORMS: tuple[tuple[ShapeName, str, str], ...] = (("messages", "role", "content"), ("sharegpt", "from", "value"))
_TEXTS = ("text", "content", "document", "body", "article", "passage")


class ColumnMapping(msgspec.Struct, frozen=True, kw_only=True):
    """Which columns an example is made of: ``messages``, or ``prompt`` and ``completion``, or ``text``.

    ``messages`` holds a list of messages, whose members ``role`` and ``content`` say who speaks and what. The columns
    of ``prompt`` are joined by blank lines, empty ones left out. ``system`` are instructions for the conversation.
    """

    messages: str = ""
    role: str = "role"
    content: str = "content"
    prompt: tuple[str, ...] = ()
    completion: str = ""
    system: str = ""
    text: str = ""

    @classmethod
    def of_roles(cls, columns: Mapping[str, Sequence[str]]) -> ColumnMapping | None:
        """That of columns by their roles, None where there are none. Raises UserError for a role that is not known."""
        known = ("messages", "prompt", "completion", "system", "text")
        for role, names in columns.items():
            if role not in known or (len(names) > 1 and role != "prompt"):
                raise UserError(
                    f"{', '.join(names)} cannot be the {role} of an example.", f"Roles are {', '.join(known)}."
                )
        named = {role: tuple(names) if role == "prompt" else names[0] for role, names in columns.items() if names}
        return cls(**named) if named.keys() - {"system"} else None  # type: ignore[arg-type]

    def __post_init__(self) -> None:
        given = sum((bool(self.messages), bool(self.prompt or self.completion), bool(self.text)))
        if given != 1 or bool(self.prompt) != bool(self.completion):
            raise UserError(
                "The columns of an example are unclear.",
                "Name one column of turns, or the columns of question and answer, or one column of text.",
            )

    @property
    def roles(self) -> frozenset[str]:
        """The roles of its columns."""
        named = ("messages", "prompt", "completion", "system", "text")
        return frozenset(role for role in named if getattr(self, role))

    @property
    def columns(self) -> tuple[str, ...]:
        """Those that are taken."""
        return tuple(c for c in (self.system, self.messages, *self.prompt, self.completion, self.text) if c)


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """The recognised format of a set's rows, with the reason in a sentence. ``mapping`` is None when they were not
    recognised.

    ``left_out`` are columns that no example is made of.
    """

    name: ShapeName
    why: str
    mapping: ColumnMapping | None = None
    columns: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


class Refusal(msgspec.Struct, frozen=True):
    """A row that no example could be made of."""

    source: Source
    reason: str


def recognise(rows: Iterable[Row]) -> Shape:
    """Tell the shape of a set from its first ``ROWS_LOOKED_AT`` rows."""
    sample = [row.values for row, _ in zip(rows, range(ROWS_LOOKED_AT), strict=False)]
    columns = tuple(dict.fromkeys(name for values in sample for name in values))
    known = {name.strip().lower(): name for name in reversed(columns)}
    found = (
        _turns(sample, columns)
        or _instruction(sample, known)
        or _prompt_completion(sample, known)
        or _text(sample, columns, known)
    )
    if found is None:
        return Shape(name="unknown", why=_unknown(sample, columns), columns=columns)
    name, mapping, why = found
    left_out = tuple(c for c in columns if c not in mapping.columns)
    return Shape(name=name, mapping=mapping, why=why, columns=columns, left_out=left_out)


def to_examples(rows: Iterable[Row], mapping: ColumnMapping, refused: list[Refusal] | None = None) -> Iterator[Example]:
    """An example for each row. A row that is none is added to ``refused``; without, UserError names row and reason."""
    for row in rows:
        try:
            yield to_example(row, mapping)
        except UserError as error:
            if refused is None:
                raise UserError(f"{row.source}: {error.message}", error.hint) from error
            refused.append(Refusal(row.source, error.message))


def to_example(row: Row, mapping: ColumnMapping) -> Example:
    """Raises UserError when the row lacks a column, or holds in it what cannot be said.

    Turns after the last answer are left out: there is nothing to learn from them. So is what an assistant says before
    anybody has said anything, as in ShareGPT's rows that begin in the middle: no model is asked for that.
    """
    values = row.values
    if mapping.text:
        return Example(text=_said(_value(values, mapping.text), mapping.text), source=row.source)
    messages: list[Message] = []
    if mapping.system and values.get(mapping.system):
        messages.append(Message("system", _said(values[mapping.system], mapping.system)))
    if mapping.messages:
        messages += _turns_of(_value(values, mapping.messages), mapping, mapping.messages)
    else:
        messages += _asked(values, mapping)
        answer = _value(values, mapping.completion)
        if _is_turns(answer):
            messages += _turns_of(answer, mapping, mapping.completion)
        else:
            messages.append(Message("assistant", _said(answer, mapping.completion)))
    while messages and messages[-1].role != "assistant":
        messages.pop()
    if not messages:
        raise UserError("it has no answer of an assistant.")
    while messages and messages[0].role == "assistant":
        del messages[0]
    if not messages:
        raise UserError("no question comes before its answer.")
    return Example(messages=tuple(messages), source=row.source)


# -- recognising -------------------------------------------------------------------------------------

_Found = tuple[ShapeName, ColumnMapping, str]


def _turns(sample: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> _Found | None:
    ordered = sorted(columns, key=lambda c: (c.lower() not in _TURNS, columns.index(c)))
    for column in ordered:
        values = [values[column] for values in sample if values.get(column)]
        if column.lower() in (*_QUESTIONS, *_ANSWERS) and len(values) > 0 and _has_both(columns):
            continue  # a prompt and a completion that are turns
        for name, role, content in _FORMS:
            if _mostly([_is_turns(value, role, content) for value in values]):
                system = _system(sample, columns, column)
                mapping = ColumnMapping(messages=column, role=role, content=content, system=system)
                return name, mapping, f"The column {column!r} holds lists of turns with {role!r} and {content!r}."
    return None


def _mostly(fits: Sequence[bool]) -> bool:
    """A few broken rows do not change the shape of a set: they are refused one by one."""
    return bool(fits) and sum(fits) >= 0.9 * len(fits)


def _has_both(columns: Sequence[str]) -> bool:
    names = {c.lower() for c in columns}
    return bool(names & set(_QUESTIONS)) and bool(names & set(_ANSWERS))


def _instruction(sample: Sequence[Mapping[str, Any]], known: Mapping[str, str]) -> _Found | None:
    answer = next((known[n] for n in ("output", "response", "answer", "completion") if n in known), "")
    instruction = known.get("instruction", "")
    if not instruction or not answer or not (_is_text(sample, instruction) and _is_text(sample, answer)):
        return None
    extra = next((known[n] for n in ("input", "context") if n in known and _is_text(sample, known[n], True)), "")
    question = (instruction, extra) if extra else (instruction,)
    mapping = ColumnMapping(prompt=question, completion=answer, system=_system(sample, tuple(known.values()), ""))
    joined = " and ".join(map(repr, question))
    return "instruction", mapping, f"The question is {joined}, the answer {answer!r}."


def _prompt_completion(sample: Sequence[Mapping[str, Any]], known: Mapping[str, str]) -> _Found | None:
    for ask in _QUESTIONS:
        for reply in _ANSWERS:
            if ask not in known or reply not in known:
                continue
            question, answer = known[ask], known[reply]
            if all(_is_text(sample, c) or _all_turns(sample, c) for c in (question, answer)):
                system = _system(sample, tuple(known.values()), "")
                context = known.get("context", "") if _is_text(sample, known.get("context", ""), True) else ""
                asked = (context, question) if context else (question,)
                mapping = ColumnMapping(prompt=asked, completion=answer, system=system)
                joined = " and ".join(map(repr, asked))
                return "prompt_completion", mapping, f"The question is {joined}, the answer {answer!r}."
    return None


def _text(sample: Sequence[Mapping[str, Any]], columns: Sequence[str], known: Mapping[str, str]) -> _Found | None:
    texts = [c for c in columns if _is_text(sample, c)]
    for name in _TEXTS:
        if known.get(name) in texts:
            return (
                "text",
                ColumnMapping(text=known[name]),
                f"The column {known[name]!r} contains text, and none contains an answer.",
            )
    if len(columns) == 1 and texts:
        return "text", ColumnMapping(text=texts[0]), f"The only column, {texts[0]!r}, holds text."
    return None


def _system(sample: Sequence[Mapping[str, Any]], columns: Sequence[str], but: str) -> str:
    for column in columns:
        if column != but and column.lower() in ("system", "system_prompt") and _is_text(sample, column, True):
            return column
    return ""


def _unknown(sample: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> str:
    if not sample:
        return "There are no rows."
    if {"chosen", "rejected"} <= set(columns):
        return "These are pairs of a chosen and a rejected answer: data for preferences, not for fine-tuning."
    shown = ", ".join(f"{c!r} ({_kind(next((v[c] for v in sample if v.get(c) is not None), None))})" for c in columns)
    return f"No known format has these columns: {shown}."


def _is_text(sample: Sequence[Mapping[str, Any]], column: str, perhaps_empty: bool = False) -> bool:
    present = [values[column] for values in sample if column and values.get(column) is not None]
    enough = bool(present) or perhaps_empty
    fits = not present or _mostly([isinstance(value, (str, int, float)) for value in present])
    return bool(column) and enough and fits


def _all_turns(sample: Sequence[Mapping[str, Any]], column: str) -> bool:
    present = [values[column] for values in sample if values.get(column) is not None]
    return _mostly([_is_turns(value, "content") for value in present])


def _is_turns(value: Any, *members: str) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(turn, dict) and all(member in turn for member in members) for turn in value)
    )


def _kind(value: Any) -> str:
    names = {str: "text", bool: "yes or no", int: "number", float: "number", list: "list", dict: "object"}
    return names.get(type(value), "empty" if value is None else type(value).__name__)


# -- one form ----------------------------------------------------------------------------------------


def _value(values: Mapping[str, Any], column: str) -> Any:
    if column not in values:
        raise UserError(f"it has no column {column!r}.", f"Its columns: {', '.join(values) or 'none'}.")
    return values[column]


def _asked(values: Mapping[str, Any], mapping: ColumnMapping) -> list[Message]:
    parts: list[str] = []
    for column in mapping.prompt:
        value = _value(values, column)
        if _is_turns(value):
            return _turns_of(value, mapping, column)
        # an empty input beside an instruction is usual
        if value is not None and (said := _said(value, column)).strip():
            parts.append(said)
    if not parts:
        raise UserError(f"{mapping.prompt[0]!r} is empty.")
    return [Message("user", "\n\n".join(parts))]


def _turns_of(value: Any, mapping: ColumnMapping, column: str) -> list[Message]:
    if not _is_turns(value):
        raise UserError(f"{column!r} is not a list of turns.")
    messages: list[Message] = []
    for place, turn in enumerate(value, 1):
        if mapping.role not in turn or mapping.content not in turn:
            raise UserError(f"turn {place} of {column!r} has no {mapping.role!r} or no {mapping.content!r}.")
        role = _ROLES.get(str(turn[mapping.role]).strip().lower())
        if role is None:
            raise UserError(f"turn {place} of {column!r} is by {turn[mapping.role]!r}, which is not a known role.")
        name = f"turn {place} of {column!r}"
        calls = _tool_calls(turn.get("tool_calls"), name)
        content = "" if calls and turn[mapping.content] is None else _said(turn[mapping.content], name)
        messages.append(Message.of_parts(role, (TextPart(content), *calls)))
    return messages


def _tool_calls(value: Any, name: str) -> list[ToolCallPart]:
    """The tool calls of a turn in the form of OpenAI, ``{"function": {"name", "arguments"}}``, or its inner part."""
    calls: list[ToolCallPart] = []
    for call in value or ():
        function = call.get("function", call) if isinstance(call, dict) else None
        if not isinstance(function, dict) or not isinstance(function.get("name"), str):
            raise UserError(f"{name} has a tool call without a function name.")
        arguments = function.get("arguments", "{}")
        text = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
        calls.append(ToolCallPart(name=function["name"], arguments=text, id=str(call.get("id") or "")))
    return calls


def _said(value: Any, name: str) -> str:
    """The text of a value. Content may come in parts (OpenAI), which have to be text."""
    if isinstance(value, str):
        return value
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, list) and all(isinstance(p, dict) and isinstance(p.get("text"), str) for p in value):
        return "".join(part["text"] for part in value)
    shown = name if name.startswith("turn ") else repr(name)
    raise UserError(f"{shown} is {'empty' if value is None else f'no text but {_kind(value)}'}.")
