"""``/v1/completions``: a raw prompt continued without any template, or scored token by token (``echo``, ``logprobs``).

This is what evaluation harnesses use. Several prompts of one request are computed together.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from workbench.api import events
from workbench.subjects.serving.calls import AskServed, ServedAnswer
from workbench.subjects.serving.http.endpoints import Endpoints
from workbench.subjects.serving.http.errors import error_of, invalid
from workbench.subjects.serving.http.exchange import DONE, Arrived, results_of, sse, stream
from workbench.subjects.serving.http.replies import (
    FINISHES,
    extension,
    fingerprint,
    new_id,
    now,
    text_logprobs,
    usage_of,
)
from workbench.subjects.serving.http.requests import Sampling, alternatives_of, decoding_of, format_of, limit_of, read

USUAL_TOKENS = 16
"""Of an answer whose request sets no limit, as OpenAI's API has it."""

MOST_PROMPTS = 64


class CompletionRequest(Sampling, kw_only=True):
    prompt: str | list[int | str | list[int]]
    n_predict: int | None = None
    echo: bool | None = None
    logprobs: bool | int | None = None
    top_logprobs: int | None = None
    suffix: str | None = None
    response_format: dict[str, Any] | None = None
    json_schema: dict[str, Any] | None = None


async def complete(endpoints: Endpoints, request: Request) -> Response:
    asked = read(await request.body(), CompletionRequest)
    calls = calls_of(asked)
    model = await endpoints.find_model(asked.model, request)
    calls = [msgspec.structs.replace(one, model=model) for one in calls]
    if asked.stream:
        chunks = _Chunks(asked, calls)
        return await stream(endpoints.handle, calls, request, chunks.write)
    return JSONResponse(whole(asked, await results_of(endpoints.handle, calls, request)))


def calls_of(asked: CompletionRequest) -> list[AskServed]:
    """A call for each prompt. Raises ApiError."""
    if asked.suffix:
        raise invalid("A suffix is not supported.", "suffix")
    limit = limit_of(asked.max_tokens, asked.n_predict, USUAL_TOKENS)
    schema = {"type": "json_schema", "schema": asked.json_schema} if asked.json_schema else None
    decoding = decoding_of(asked, max_tokens=limit or None)
    decoding |= format_of(asked.response_format or schema)
    alternatives = alternatives_of(asked.logprobs, asked.top_logprobs)
    return [
        AskServed(
            model=asked.model,
            prompt=prompt,
            decoding=decoding,
            alternatives=alternatives,
            echo=bool(asked.echo),
            generate=limit != 0,
        )
        for prompt in prompts_of(asked.prompt)
    ]


def prompts_of(prompt: str | list[int | str | list[int]]) -> list[str | tuple[int, ...]]:
    """One or several prompts, each a text or token ids. Raises ApiError."""
    if isinstance(prompt, str):
        return [prompt]
    if not prompt:
        raise invalid("The prompt is empty.", "prompt")
    if isinstance(prompt[0], int):
        return [_tokens(prompt)]
    if len(prompt) > MOST_PROMPTS:
        raise invalid(f"At most {MOST_PROMPTS} prompts are allowed.", "prompt")
    return [one if isinstance(one, str) else _tokens(one) for one in prompt]


def _tokens(values: object) -> tuple[int, ...]:
    if not isinstance(values, list):
        raise invalid("The prompt mixes token ids with texts.", "prompt")
    for value in values:
        if not isinstance(value, int) or not 0 <= value < 1 << 31:
            raise invalid("The prompt holds something that is no token id.", "prompt")
    return tuple(values)


def whole(asked: CompletionRequest, answers: list[ServedAnswer]) -> dict[str, Any]:
    """The reply of an answer that is not streamed."""
    choices: list[dict[str, Any]] = []
    for answered in answers:
        for place, one in enumerate(answered.result.sequences):
            choices.append(
                {
                    "index": len(choices),
                    "text": (answered.prompt_text if asked.echo else "") + one.text,
                    "logprobs": _logprobs(asked, answered, place),
                    "finish_reason": FINISHES[one.finish],
                }
            )
    return {
        "id": new_id("cmpl-"),
        "object": "text_completion",
        "created": now(),
        "model": asked.model,
        "system_fingerprint": fingerprint(answers[0].result),
        "choices": choices,
        "usage": _usage(answers),
        "workbench": extension(answers[0].result),
    }


def _logprobs(asked: CompletionRequest, answered: ServedAnswer, place: int) -> dict[str, Any] | None:
    if not answered.tokens:
        return None
    return text_logprobs(answered.prompt if asked.echo else (), answered.tokens[place])


def _usage(answers: list[ServedAnswer]) -> dict[str, Any]:
    return usage_of(
        sum(one.prompt_tokens for one in answers),
        sum(one.result.usage.new_tokens for one in answers),
        sum(one.result.usage.cached_tokens for one in answers),
    )


class _Chunks:
    """Writes the events of one or several answers as chunks. With probabilities, and with an echo, a text comes whole,
    once it is complete."""

    def __init__(self, asked: CompletionRequest, calls: list[AskServed]) -> None:
        self._asked = asked
        self._head = {"id": new_id("cmpl-"), "object": "text_completion", "created": now(), "model": asked.model}
        self._holds_back = calls[0].alternatives is not None or calls[0].echo
        self._several = int(calls[0].decoding.get("n", 1))
        self._answers: dict[int, ServedAnswer] = {}

    async def write(self, arrived: Arrived) -> AsyncIterator[bytes]:
        async for place, event in arrived:
            first = place * self._several
            if isinstance(event, events.TextDelta) and not event.step and not self._holds_back:
                yield self._chunk(first + event.sequence, event.text)
            elif isinstance(event, events.Failed | events.Cancelled):
                yield sse(error_of(event).body())
                return
            elif isinstance(event, events.Finished):
                answered = self._answers[place] = msgspec.convert(event.result, ServedAnswer)
                for number, one in enumerate(answered.result.sequences):
                    text = (answered.prompt_text if self._asked.echo else "") + one.text if self._holds_back else ""
                    logprobs = _logprobs(self._asked, answered, number)
                    yield self._chunk(first + number, text, FINISHES[one.finish], logprobs)
        if self._asked.includes_usage:
            yield sse({**self._head, "choices": [], "usage": _usage(list(self._answers.values()))})
        yield DONE

    def _chunk(self, choice: int, text: str, finish: str | None = None, logprobs: Any = None) -> bytes:
        made = {"index": choice, "text": text, "logprobs": logprobs, "finish_reason": finish}
        return sse({**self._head, "choices": [made]})
