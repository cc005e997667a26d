"""Parts of rows that several formats share: conversations, verdicts by number, letter or name, and scores."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from workbench.base.errors import UserError
from workbench.records.judgements import JudgedAnswer, Judgement, Verdict
from workbench.records.messages import Message
from workbench.training.data.columns import ColumnMapping, is_turns, kind_of, text_of_value, turns_of, value_of

Values = Mapping[str, Any]

TIES = {"tie", "draw", "equal", "same", "both", "neutral", "tie (both good)", "both_good", "bothgood"}
BOTH_BAD = {"tie (bothbad)", "bothbad", "both_bad", "both bad", "neither", "bad"}
GOOD = {"true", "1", "1.0", "good", "desirable", "yes", "up", "👍"}
POOR = {"false", "0", "0.0", "-1", "-1.0", "bad", "poor", "undesirable", "no", "down", "👎"}

_CHAT = ColumnMapping(messages="messages")
_SHAREGPT = ColumnMapping(messages="messages", role="from", content="value")


def messages_in(value: Any, column: str) -> list[Message]:
    """Turns in the usual spelling or ShareGPT's, an object that holds ``messages``, or a text, which is a question."""
    if isinstance(value, Mapping) and is_turns(value.get("messages")):
        value = value["messages"]
    if isinstance(value, Mapping):
        value = [value]
    if isinstance(value, str) and value.lstrip().startswith("[{"):
        value = loaded(value)
    if is_turns(value):
        return turns_of(value, _SHAREGPT if "from" in value[0] else _CHAT, column)
    text = text_of_value(value, column)
    return [Message("user", text)] if text.strip() else []


def answer_in(value: Any, column: str) -> str:
    """The text of an answer: plain, or a turn, or a list of one turn."""
    if is_turns(value) or isinstance(value, Mapping):
        said = messages_in(value, column)
        if len(said) != 1 or said[0].role != "assistant":
            raise UserError(f"{column!r} is not one answer.")
        return said[0].content
    return text_of_value(value, column)


def asked(values: Values, column: str, system: str = "") -> tuple[Message, ...]:
    """The prompt in a column, with the instructions of another one before it."""
    messages = messages_in(value_of(values, column), column)
    if system and isinstance(values.get(system), str) and values[system].strip():
        messages.insert(0, Message("system", values[system]))
    if not any(message.content.strip() for message in messages if message.role != "system"):
        raise UserError(f"{column!r} is empty.")
    if messages[-1].role == "assistant":
        raise UserError(f"{column!r} ends with an answer.")
    return tuple(messages)


def number_in(value: Any, column: str) -> float:
    """Raises UserError for what is no finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise UserError(f"{column!r} is no number but {kind_of(value)}.")
    try:
        number = float(value)
    except ValueError as error:
        raise UserError(f"{column!r} is no number: {value!r}.") from error
    if not math.isfinite(number):
        raise UserError(f"{column!r} is no finite number.")
    return number


def score_in(values: Values, column: str) -> float | None:
    """The score of a column; None where there is none."""
    return None if values.get(column) in (None, "") else number_in(values[column], column)


def loaded(text: str) -> Any:
    """JSON in a cell of a table; the text itself where it is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def verdict_in(value: Any, names: Sequence[str], counts_from: int, column: str) -> int | Verdict:
    """The place of the preferred one of ``names``, or "tie" or "bad". ``counts_from`` is the number that means the
    first; -1 where no numbers are to be expected. Raises UserError."""
    said = str(value).strip()
    if isinstance(value, float) and value.is_integer():
        said = str(int(value))
    low = said.lower()
    if low in TIES:
        return "tie"
    if low in BOTH_BAD:
        return "bad"
    lowered = [name.lower() for name in names]
    if low in lowered:
        return lowered.index(low)
    if len(low) == 1 and low.isalpha() and ord(low) - ord("a") < len(names):
        return ord(low) - ord("a")
    if low.lstrip("-").isdigit() and counts_from >= 0:
        place = int(low) - counts_from
        if 0 <= place < len(names):
            return place
    if value is None or not said:
        raise UserError(f"{column!r} is empty.")
    raise UserError(f"{column!r} says {said[:40]!r}, which is none of {', '.join(names)}, tie or both bad.")


def decided(
    prompt: tuple[Message, ...], answers: Sequence[JudgedAnswer], verdict: int | Verdict, **fields: Any
) -> list[Judgement]:
    """The judgements of a verdict on several answers: the preferred one against each of the others."""
    if isinstance(verdict, str):
        if len(answers) != 2:
            raise UserError("A tie is of two answers.")
        return [Judgement(prompt=prompt, a=answers[0], b=answers[1], verdict=verdict, **fields)]
    if len(answers) == 2:
        return [Judgement(prompt=prompt, a=answers[0], b=answers[1], verdict="b" if verdict else "a", **fields)]
    best = answers[verdict]
    return [
        Judgement(prompt=prompt, a=best, b=other, verdict="a", **fields)
        for place, other in enumerate(answers)
        if place != verdict
    ]


def is_good(value: Any, column: str) -> bool:
    """Raises UserError for what says neither good nor bad."""
    said = str(value).strip().lower()
    if said not in GOOD | POOR:
        raise UserError(f"{column!r} is neither true nor false.")
    return said in GOOD
