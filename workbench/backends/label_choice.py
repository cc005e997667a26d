"""Choosing among labels of one character by an endpoint: a judge's A or B, or a grade.

Where the service reports the alternatives to a token, a label has the probability of the tokens that spell it; without
them the label that is written has all of it. A label that is not among the alternatives is given the probability of the
least one, which it does not exceed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from workbench.records.endpoints import Endpoint
from workbench.records.messages import Message

NOT_WRITTEN = -20.0
"""The log-probability of a label that was not written, where none are reported."""
MOST_TOKENS = 4
"""Of a written label: some services put a space or a mark before it."""


def body_of_choice(endpoint: Endpoint, messages: Sequence[Message]) -> dict[str, Any]:
    """The body of a request to chat completions whose answer begins with a label."""
    body: dict[str, Any] = {
        "model": endpoint.model,
        "messages": [{"role": one.role, "content": one.content} for one in messages],
        endpoint.limit_field: 1 if endpoint.alternatives else MOST_TOKENS,
        "temperature": 0.0,
    }
    if endpoint.alternatives:
        body |= {"logprobs": True, "top_logprobs": endpoint.alternatives}
    return body


def logprobs_of(reply: Any, labels: Sequence[str]) -> list[float]:
    """The natural-log probability of each label as the first token of a reply."""
    found = alternatives_in(reply)
    if not found:
        written = text_in(reply).strip().strip("*\"'(")[:1]
        return [0.0 if label == written else NOT_WRITTEN for label in labels]
    least = min(logprob for _, logprob in found)
    masses = [sum(math.exp(logprob) for token, logprob in found if token.strip() == label) for label in labels]
    return [min(0.0, math.log(mass)) if mass > 0 else least for mass in masses]


def alternatives_in(reply: Any) -> list[tuple[str, float]]:
    """The alternatives to the first token of a reply with their log-probabilities; [] where it has none."""
    try:
        listed = reply["choices"][0]["logprobs"]["content"][0]["top_logprobs"]
        found = [(str(one["token"]), float(one["logprob"])) for one in listed]
        return [(token, logprob) for token, logprob in found if -math.inf < logprob <= 0]
    except (KeyError, IndexError, TypeError, ValueError):
        return []


def text_in(reply: Any) -> str:
    try:
        return str(reply["choices"][0]["message"]["content"] or "")
    except (KeyError, IndexError, TypeError):
        return ""
