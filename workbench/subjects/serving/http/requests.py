"""Bodies of requests as values: the supported fields, their types, and the fields of a recipe's decoding they set.

Fields that are not named here are ignored, as OpenAI's servers do with those of newer clients.
"""

from __future__ import annotations

import json
import re
from typing import Any, TypeVar

import msgspec

from workbench.records.recipes import LARGEST_SEED
from workbench.subjects.serving.http.errors import ApiError, invalid

MOST_STOPS, LONGEST_STOP = 16, 1_000
MOST_CHOICES = 16
MOST_BIASES = 300
MOST_ALTERNATIVES = 20
BANNED = -100.0
"""OpenAI's bias of a token that must not come."""

_PLACE = re.compile(r" - at `\$\.?([^`]*)`")
T = TypeVar("T")


class Sampling(msgspec.Struct, kw_only=True):
    """The fields that all generations have in common. None: as the recipe says."""

    model: str = ""
    stream: bool | None = None
    stream_options: dict[str, Any] | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    repetition_penalty: float | None = None
    repeat_penalty: float | None = None
    seed: int | None = None
    stop: str | list[str] | None = None
    n: int | None = None
    logit_bias: dict[str, float] | list[tuple[int, float]] | None = None
    max_tokens: int | None = None
    grammar: str | None = None

    @property
    def includes_usage(self) -> bool:
        return bool((self.stream_options or {}).get("include_usage"))


def read(body: bytes, kind: type[T]) -> T:
    """The body as a value. Raises ApiError that names the field at fault."""
    try:
        plain = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError) as error:
        raise invalid(f"The body is not JSON: {error}.") from error
    except UnicodeDecodeError as error:
        raise invalid("The body is not UTF-8.") from error
    if not isinstance(plain, dict):
        raise invalid("The body must be a JSON object.")
    try:
        return msgspec.convert(plain, kind)
    except (msgspec.ValidationError, RecursionError) as error:
        found = _PLACE.search(str(error))
        param = found[1] if found else ""
        raise invalid(f"{_PLACE.sub('', str(error))}{f' in {param}' if param else ''}.", param or "body") from error


def decoding_of(asked: Sampling, *, max_tokens: int | None) -> dict[str, Any]:
    """The fields of a recipe's decoding that a request sets. Raises ApiError for one out of its range."""
    fields: dict[str, Any] = {}
    for name, value, least, most in (
        ("temperature", asked.temperature, 0.0, 5.0),
        ("top_k", None if asked.top_k is None or asked.top_k < 0 else asked.top_k, 0, 1 << 20),
        ("min_p", asked.min_p, 0.0, 1.0),
        ("presence_penalty", asked.presence_penalty, -2.0, 2.0),
        ("frequency_penalty", asked.frequency_penalty, -2.0, 2.0),
        ("repetition_penalty", asked.repetition_penalty or asked.repeat_penalty, 1.0, 2.0),
        ("n", asked.n, 1, MOST_CHOICES),
        ("max_tokens", max_tokens, 1, 1 << 20),
    ):
        if value is None:
            continue
        if not least <= value <= most:
            raise invalid(f"{name} must be from {least} to {most}.", name)
        fields[name] = value
    if asked.top_p is not None:
        if not 0 <= asked.top_p <= 1:
            raise invalid("top_p must be from 0 to 1.", "top_p")
        fields["top_p"] = max(asked.top_p, 1e-6)
    if asked.seed is not None and asked.seed >= 0:
        fields["seed"] = asked.seed % (LARGEST_SEED + 1)
    if stops := _stops(asked.stop):
        fields["stop"] = stops
    if asked.logit_bias:
        fields["logit_bias"] = _biases(asked.logit_bias)
    if asked.grammar:
        fields |= {"format": "gbnf", "grammar": asked.grammar}
    return fields


def format_of(response_format: dict[str, Any] | None) -> dict[str, Any]:
    """The answer format of a request, as fields of a recipe's decoding. Raises ApiError for one that is not known."""
    if not response_format:
        return {}
    kind = response_format.get("type", "text")
    if kind == "text":
        return {"format": "text", "grammar": ""}
    described = response_format.get("json_schema")
    schema = described.get("schema") if isinstance(described, dict) else response_format.get("schema")
    if kind in ("json_object", "json_schema") and isinstance(schema, dict):
        return {"format": "json_schema", "grammar": json.dumps(schema, ensure_ascii=False)}
    if kind == "json_object":
        return {"format": "json", "grammar": ""}
    if kind == "json_schema":
        raise invalid("response_format.json_schema.schema must be an object.", "response_format")
    raise invalid(f"response_format.type {kind!r} is not known.", "response_format")


def alternatives_of(logprobs: bool | int | None, top: int | None) -> int | None:
    """The number of alternatives to return for each token; None: no log-probabilities. Raises ApiError."""
    if logprobs is None or logprobs is False:
        if top:
            raise invalid("top_logprobs needs logprobs.", "top_logprobs")
        return None
    wanted = (top or 0) if logprobs is True else logprobs
    if not 0 <= wanted <= MOST_ALTERNATIVES:
        raise invalid(f"At most {MOST_ALTERNATIVES} alternatives to a token are returned.", "logprobs")
    return wanted


def limit_of(*given: int | None) -> int | None:
    """The first limit of tokens that is set; -1 is none. Raises ApiError for one below 0."""
    found = next((one for one in given if one is not None), None)
    if found is None or found == -1:
        return None
    if found < 0:
        raise invalid("max_tokens must not be negative.", "max_tokens")
    return found


def _stops(stop: str | list[str] | None) -> list[str]:
    stops = [stop] if isinstance(stop, str) else stop or []
    if len(stops) > MOST_STOPS or any(len(one) > LONGEST_STOP for one in stops):
        raise invalid(f"At most {MOST_STOPS} stop texts of {LONGEST_STOP:,} characters are allowed.", "stop")
    return [one for one in stops if one]


def _biases(biases: dict[str, float] | list[tuple[int, float]]) -> list[str]:
    pairs = list(biases.items()) if isinstance(biases, dict) else biases
    if len(pairs) > MOST_BIASES:
        raise ApiError(400, f"At most {MOST_BIASES} tokens can be biased.", param="logit_bias")
    found = []
    for token, bias in pairs:
        text = str(token).strip()
        if not text.isdecimal():
            raise invalid(f"logit_bias names tokens by their numbers, not {text[:40]!r}.", "logit_bias")
        found.append(f"#{int(text)}={'-inf' if bias <= BANNED else bias}")
    return found
