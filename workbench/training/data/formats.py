"""Formats: the common formats of training data, recognised by columns and values, and converted into one.

Known are OpenAI's chat format (``messages`` of ``role`` and ``content``), ShareGPT (``conversations`` of ``from`` and
``value``), Alpaca (``instruction``, ``input``, ``output``; Taori et al. 2023), pairs of prompt and completion,
plain text, and preferences (``preferences.py``). What is none of them is read by a ``ColumnMapping`` that a person
made.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

import msgspec

from workbench.base.catalogue import Shown
from workbench.base.errors import UserError
from workbench.records.messages import Message
from workbench.training.data.columns import (
    ColumnMapping,
    is_turns,
    kind_of,
    mostly,
    question_of_row,
    text_of_value,
    turns_of,
    value_of,
)
from workbench.training.data.examples import Example, Source
from workbench.training.data.preferences import (
    TOKENS,
    UNFINISHED,
    label_of,
    recognise_preferences,
    sampled_of,
    to_pair,
)
from workbench.training.data.rows import Row

ShapeName = Literal[
    "messages",
    "sharegpt",
    "instruction",
    "prompt_completion",
    "text",
    "preference_pairs",
    "judged_answers",
    "prompts",
    "unknown",
]

ROWS_LOOKED_AT = 200
"""How many rows ``recognise`` needs at most."""

_TURNS = ("messages", "conversations", "conversation", "dialog", "dialogue", "chat", "turns")
_QUESTIONS = ("prompt", "question", "query", "problem", "user")
_ANSWERS = ("completion", "response", "answer", "output", "solution", "target", "assistant")
_FORMS: tuple[tuple[ShapeName, str, str], ...] = (("messages", "role", "content"), ("sharegpt", "from", "value"))
_TEXTS = ("text", "content", "document", "body", "article", "passage")


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """The recognised format of a set's rows, with the reason in a sentence. ``mapping`` is None when they were not
    recognised.

    ``left_out`` are columns that no example is made of.
    """

    name: ShapeName
    why: Shown
    mapping: ColumnMapping | None = None
    columns: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


class Refusal(msgspec.Struct, frozen=True):
    """A row that no example could be made of."""

    source: Source
    reason: Shown


def recognise(rows: Iterable[Row]) -> Shape:
    """Tell the shape of a set from its first ``ROWS_LOOKED_AT`` rows."""
    sample = [row.values for row, _ in zip(rows, range(ROWS_LOOKED_AT), strict=False)]
    columns = tuple(dict.fromkeys(name for values in sample for name in values))
    known = {name.strip().lower(): name for name in reversed(columns)}
    found = (
        recognise_preferences(sample, known)
        or _turns(sample, columns)
        or _instruction(sample, known)
        or _prompt_completion(sample, known)
        or _prompts(sample, known)
        or _text(sample, columns, known)
    )
    if found is None:
        return Shape(name="unknown", why=_unknown(sample, columns), columns=columns)
    name, mapping, why = found
    beside = {f"{column}{end}" for column in mapping.columns for end in (TOKENS, UNFINISHED)}
    left_out = tuple(c for c in columns if c not in mapping.columns and c not in beside)
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
        return Example(text=text_of_value(value_of(values, mapping.text), mapping.text), source=row.source)
    if mapping.chosen:
        return to_pair(row, mapping)
    messages: list[Message] = []
    if mapping.system and values.get(mapping.system):
        messages.append(Message("system", text_of_value(values[mapping.system], mapping.system)))
    if mapping.messages:
        messages += turns_of(value_of(values, mapping.messages), mapping, mapping.messages)
    else:
        messages += question_of_row(values, mapping)
        if not mapping.completion:
            return Example(messages=tuple(messages), source=row.source)
        answer = value_of(values, mapping.completion)
        if is_turns(answer):
            messages += turns_of(answer, mapping, mapping.completion)
        else:
            messages.append(Message("assistant", text_of_value(answer, mapping.completion)))
    while messages and messages[-1].role != "assistant":
        messages.pop()
    if not messages:
        raise UserError("it has no answer of an assistant.")
    while messages and messages[0].role == "assistant":
        del messages[0]
    if not messages:
        raise UserError("no question comes before its answer.")
    sampled, unfinished = sampled_of(values, mapping.completion) if mapping.label else ((), ())
    return Example(
        messages=tuple(messages),
        desirable=label_of(values, mapping),
        sampled=sampled,
        unfinished=unfinished,
        source=row.source,
    )


# -- recognising -------------------------------------------------------------------------------------

_Found = tuple[ShapeName, ColumnMapping, str]


def _turns(sample: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> _Found | None:
    ordered = sorted(columns, key=lambda c: (c.lower() not in _TURNS, columns.index(c)))
    for column in ordered:
        values = [values[column] for values in sample if values.get(column)]
        if column.lower() in (*_QUESTIONS, *_ANSWERS) and len(values) > 0 and _has_both(columns):
            continue  # a prompt and a completion that are turns
        for name, role, content in _FORMS:
            if mostly([is_turns(value, role, content) for value in values]):
                system = _system(sample, columns, column)
                mapping = ColumnMapping(messages=column, role=role, content=content, system=system)
                return name, mapping, f"The column {column!r} holds lists of turns with {role!r} and {content!r}."
    return None


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


def _prompts(sample: Sequence[Mapping[str, Any]], known: Mapping[str, str]) -> _Found | None:
    if any(name in known for name in _TEXTS):
        return None
    for ask in _QUESTIONS:
        if ask in known and (_is_text(sample, known[ask]) or _all_turns(sample, known[ask])):
            mapping = ColumnMapping(prompt=(known[ask],), system=_system(sample, tuple(known.values()), ""))
            return "prompts", mapping, f"The column {known[ask]!r} holds prompts, and none holds answers."
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
    shown = ", ".join(f"{c!r} ({kind_of(next((v[c] for v in sample if v.get(c) is not None), None))})" for c in columns)
    return f"No known format has these columns: {shown}."


def _is_text(sample: Sequence[Mapping[str, Any]], column: str, perhaps_empty: bool = False) -> bool:
    present = [values[column] for values in sample if column and values.get(column) is not None]
    enough = bool(present) or perhaps_empty
    fits = not present or mostly([isinstance(value, (str, int, float)) for value in present])
    return bool(column) and enough and fits


def _all_turns(sample: Sequence[Mapping[str, Any]], column: str) -> bool:
    present = [values[column] for values in sample if values.get(column) is not None]
    return mostly([is_turns(value, "content") for value in present])
