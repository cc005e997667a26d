"""Parts of the replies of several endpoints: ids, usage, finish reasons, log-probabilities, citations."""

from __future__ import annotations

import secrets
import time
from typing import Any

from workbench.records.answers import AskResult
from workbench.records.messages import Alternative, ChosenToken, Finish, ToolCallPart, Verification
from workbench.records.trust import describe_statement, describe_trust, marks

FINISHES: dict[Finish, str] = {
    "eos": "stop", "stop": "stop", "grammar": "stop", "length": "length", "loop": "length",
    "cancelled": "stop",
}  # fmt: skip


def new_id(begin: str) -> str:
    """An id that begins as those of OpenAI's API do, by which some clients tell what it names."""
    return f"{begin}{secrets.token_hex(16)}"


def now() -> int:
    return int(time.time())


def fingerprint(result: AskResult) -> str:
    """The engine that answered."""
    return result.recipe.model.engine


def usage_of(prompt: int, completion: int, cached: int = 0) -> dict[str, Any]:
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": cached},
    }


def calls_of(result: AskResult) -> tuple[ToolCallPart, ...]:
    return tuple(part for part in result.parts if isinstance(part, ToolCallPart))


def tool_call(call: ToolCallPart) -> dict[str, Any]:
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}


def extension(result: AskResult) -> dict[str, Any]:
    """What the answer has beyond OpenAI's API: its sources, whether they support it, whether it
    abstained or is doubted and why, the road that it took, the notices beside it."""
    return {
        "citations": [
            {
                "n": one.n,
                "collection": one.collection,
                "document": one.document,
                "path": one.path,
                "title": one.title,
                "page": one.page,
                "start": one.start,
                "end": one.end,
                "text": one.text,
                "sentence_start": one.sentence_start,
                "sentence_end": one.sentence_end,
                "span_start": one.span_start,
                "span_end": one.span_end,
                "more_sentences": [list(place) for place in one.more_sentences],
            }
            for one in result.citations
        ],
        "verification": _verification(result.verification),
        "declined": result.declined,
        "outcome": result.outcome,
        "reasons": [{"kind": one.kind, "text": one.text} for one in result.reasons],
        "road": result.road,
        "roads": list(result.roads),
        "notices": list(result.notices),
        "waiting_for_approval": result.waiting is not None,
    }


def _verification(checked: Verification | None) -> dict[str, Any] | None:
    """What the window shows of a verified answer: its line, and each statement with whether it is marked."""
    if checked is None:
        return None
    text, warns = describe_trust(checked)
    return {
        "text": text,
        "marked": warns,
        "unsure": checked.unsure,
        "confidence": checked.confidence,
        "quoted": checked.quoted,
        "statements": [
            {
                "start": one.start,
                "end": one.end,
                "verdict": one.verdict,
                "marked": one.start >= checked.quoted and marks(one, checked),
                "reason": describe_statement(one),
                "n": one.n,
                "sentence_start": one.sentence_start,
                "sentence_end": one.sentence_end,
            }
            for one in checked.statements
        ],
    }


def chat_logprobs(tokens: tuple[ChosenToken, ...]) -> dict[str, Any]:
    """Log-probabilities of tokens in the format of chat completions."""
    return {"content": [chat_logprob(one) for one in tokens], "refusal": None}


def chat_logprob(one: ChosenToken) -> dict[str, Any]:
    return {**_logprob(one), "top_logprobs": [_logprob(other) for other in one.alternatives]}


def _logprob(one: ChosenToken | Alternative) -> dict[str, Any]:
    return {"token": one.text, "id": one.token, "logprob": one.logprob, "bytes": list(one.text.encode())}


def text_logprobs(prompt: tuple[ChosenToken, ...], tokens: tuple[ChosenToken, ...]) -> dict[str, Any]:
    """Log-probabilities of tokens in the format of completions. The first token of an echoed prompt has none."""
    offsets, place = [], 0
    for one in (*prompt, *tokens):
        offsets.append(place)
        place += len(one.text)
    known = [*prompt[1:], *tokens]
    first: list[Any] = [None] if prompt else []
    return {
        "tokens": [one.text for one in (*prompt, *tokens)],
        "token_logprobs": [*first, *(one.logprob for one in known)],
        "top_logprobs": [*first, *(_top(one) for one in known)],
        "text_offset": offsets,
    }


def _top(one: ChosenToken) -> dict[str, float]:
    """By their texts; of two tokens with the same text the more probable one."""
    found: dict[str, float] = {}
    for other in one.alternatives:
        found.setdefault(other.text, other.logprob)
    return found
