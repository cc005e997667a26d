"""Preferences as training data: pairs of a chosen and a rejected answer, and answers that were judged good or bad.

Known are TRL's formats (``prompt``, ``chosen``, ``rejected`` as texts or turns, the prompt within the answers or
beside them; ``prompt``, ``completion``, ``label``), the dialogues of HH-RLHF (Bai et al. 2022, arXiv:2204.05862), and
UltraFeedback's, which is TRL's with scores besides.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from workbench.base.errors import UserError
from workbench.records.messages import Message, Role
from workbench.training.data.columns import (
    ColumnMapping,
    is_turns,
    mostly,
    question_of_row,
    text_of_value,
    turns_of,
    value_of,
)
from workbench.training.data.examples import Example
from workbench.training.data.rows import Row

Found = tuple[Literal["preference_pairs", "judged_answers"], ColumnMapping, str]

_CHOSEN, _REJECTED = ("chosen", "preferred", "preferred_output"), ("rejected", "non_preferred_output")
_LABELS = ("label", "kto_tag", "desirable")
TOKENS, UNFINISHED = "_tokens", "_unfinished"
"""Behind the name of an answer's column: those of the ids of its sampled tokens, and whether it was cut off."""

_PROMPTS = ("prompt", "question", "instruction", "input", "conversations")
_ANSWERS = ("completion", "response", "answer", "output")
_DIALOGUE = re.compile(r"\n\n(Human|Assistant):[ \t]?")
_SPOKEN: dict[str, Role] = {"Human": "user", "Assistant": "assistant"}
_GOOD, _BAD = {"true", "1", "1.0", "good", "desirable", "yes"}, {"false", "0", "0.0", "-1", "bad", "undesirable", "no"}


def recognise_preferences(sample: Sequence[Mapping[str, Any]], known: Mapping[str, str]) -> Found | None:
    """The mapping of a set of preferences, with the reason in a sentence. ``known`` are its columns by their names in
    lower case."""
    chosen = next((known[name] for name in _CHOSEN if name in known), "")
    rejected = next((known[name] for name in _REJECTED if name in known), "")
    prompt = next((known[name] for name in _PROMPTS if name in known), "")
    system = next((known[name] for name in ("system", "system_prompt") if name in known), "")
    if chosen and rejected:
        turns = next((values[chosen] for values in sample if values.get(chosen)), None)
        spelling = _spelling(turns)
        mapping = ColumnMapping(
            chosen=chosen, rejected=rejected, prompt=(prompt,) if prompt else (), system=system, **spelling
        )
        return "preference_pairs", mapping, f"The column {chosen!r} was preferred to {rejected!r}."
    label = next((known[name] for name in _LABELS if name in known), "")
    answer = next((known[name] for name in _ANSWERS if name in known), "")
    if label and prompt and answer and mostly([_is_label(values.get(label)) for values in sample]):
        turns = next((values[answer] for values in sample if values.get(answer)), None)
        mapping = ColumnMapping(prompt=(prompt,), completion=answer, label=label, system=system, **_spelling(turns))
        return "judged_answers", mapping, f"The column {label!r} says whether {answer!r} is good."
    return None


def to_pair(row: Row, mapping: ColumnMapping) -> Example:
    """The pair of a row. Raises UserError when it lacks an answer, the answers follow different prompts, or they are
    the same."""
    values = row.values
    before: list[Message] = []
    if mapping.system and values.get(mapping.system):
        before.append(Message("system", text_of_value(values[mapping.system], mapping.system)))
    chosen = _said(value_of(values, mapping.chosen), mapping, mapping.chosen)
    rejected = _said(value_of(values, mapping.rejected), mapping, mapping.rejected)
    if mapping.prompt and any(values.get(name) for name in mapping.prompt):
        asked = _asked(values, mapping)
        if not _repeats(asked, chosen):
            before += asked
            chosen, rejected = _without(before, chosen), _without(before, rejected)
    *same, first = chosen
    *other, second = rejected
    if same != other:
        raise UserError("its answers follow different prompts.")
    if first.role != "assistant" or second.role != "assistant":
        raise UserError("one of its answers is not an assistant's.")
    if first.content.strip() == second.content.strip() and first.parts == second.parts:
        raise UserError("its two answers are the same.")
    for one, column in ((first, mapping.chosen), (second, mapping.rejected)):
        if not one.content.strip() and not one.tool_calls:
            raise UserError(f"{column!r} is empty.")
    messages = [*before, *same]
    while messages and messages[0].role == "assistant":
        del messages[0]
    if not any(message.role == "user" for message in messages):
        raise UserError("no question comes before its answers.")
    sampled, unfinished = sampled_of(values, mapping.chosen, mapping.rejected)
    return Example(
        messages=(*messages, first), rejected=second, sampled=sampled, unfinished=unfinished, source=row.source
    )


def sampled_of(values: Mapping[str, Any], *columns: str) -> tuple[tuple[tuple[int, ...], ...], tuple[bool, ...]]:
    """The token ids of answers, in columns named as theirs with ``_tokens`` behind, and whether they were cut off
    (``_unfinished``). Ids that are none are not known."""
    ids = [values.get(f"{column}{TOKENS}") for column in columns]
    sampled = tuple(
        tuple(one) if isinstance(one, list) and all(type(token) is int and token >= 0 for token in one) else ()
        for one in ids
    )
    return sampled, tuple(values.get(f"{column}{UNFINISHED}") is True for column in columns)


def label_of(values: Mapping[str, Any], mapping: ColumnMapping) -> bool | None:
    """Whether the answer of a row was judged good; None for a mapping without labels. Raises UserError."""
    if not mapping.label:
        return None
    value = value_of(values, mapping.label)
    if not _is_label(value):
        raise UserError(f"{mapping.label!r} is neither true nor false.")
    return str(value).strip().lower() in _GOOD


def read_dialogue(text: str) -> list[Message] | None:
    """The turns of a dialogue in the form of HH-RLHF, which begins with ``\\n\\nHuman:``; None for another text. It is
    cut at the names of the speakers only, never within what they say."""
    pieces = _DIALOGUE.split(text)
    if len(pieces) < 3 or pieces[0].strip():
        return None
    messages: list[Message] = []
    for name, said in zip(pieces[1::2], pieces[2::2], strict=True):
        role, said = _SPOKEN[name], said.strip()
        if messages and messages[-1].role == role:
            said = f"{messages.pop().content}\n\n{said}"
        messages.append(Message(role, said))
    return messages


def _said(value: Any, mapping: ColumnMapping, column: str) -> list[Message]:
    """An answer, with the turns before it where the column holds them."""
    if is_turns(value):
        return turns_of(value, mapping, column)
    if isinstance(value, dict) and is_turns([value], mapping.role, mapping.content):
        return turns_of([value], mapping, column)
    text = text_of_value(value, column)
    return read_dialogue(text) or [Message("assistant", text)]


def _asked(values: Mapping[str, Any], mapping: ColumnMapping) -> list[Message]:
    (first, *_) = mapping.prompt
    value = values.get(first)
    if isinstance(value, dict) and is_turns(value.get("messages")):  # OpenAI's input
        return turns_of(value["messages"], mapping, first)
    if isinstance(value, str) and (read := read_dialogue(value)) is not None:
        return read[:-1] if read[-1].role == "assistant" and not read[-1].content else read
    return question_of_row(values, mapping)


def _repeats(asked: Sequence[Message], said: Sequence[Message]) -> bool:
    """Whether the turns before an answer, instructions among them, hold the prompt already, as UltraFeedback's do."""
    before = [message for message in said[:-1] if message.role != "system"]
    return len(said) - 1 > len(asked) and all(message in before for message in asked)


def _without(prompt: Sequence[Message], said: list[Message]) -> list[Message]:
    """What follows the prompt where an answer repeats it."""
    asked = [message for message in prompt if message.role != "system"]
    plain = [message for message in said if message.role != "system"]
    if len(plain) > len(asked) and plain[: len(asked)] == asked:
        return plain[len(asked) :]
    return said


def _spelling(value: Any) -> dict[str, str]:
    """How turns name their members: ShareGPT's way, or the usual one."""
    first = value[0] if isinstance(value, list) and value else value
    return {"role": "from", "content": "value"} if isinstance(first, dict) and "from" in first else {}


def _is_label(value: Any) -> bool:
    return isinstance(value, bool) or str(value).strip().lower() in _GOOD | _BAD
