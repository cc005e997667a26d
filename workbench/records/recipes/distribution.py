"""One distribution over tokens after a recipe's sampling filters: the arithmetic behind the curve in the window.

Only the steps that depend on nothing but the distribution are here: temperature, top-k, top-p and min-p, in the order
that the recipe has. The engine draws with ``techniques/decoding``; this module is plain Python, for a window to use.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

from workbench.records.recipes import DecodingPart

DRAWN_STEPS = ("temperature", "top_k", "top_p", "min_p")


class Narrowed(msgspec.Struct, frozen=True):
    """The distribution that is sampled from. ``probabilities`` belong to the given tokens, 0 for those left out;
    ``rest`` is what all other tokens have together. They add up to 1."""

    probabilities: tuple[float, ...]
    rest: float = 0.0


def narrow(logprobs: Sequence[float], decoding: DecodingPart) -> Narrowed:
    """The probabilities that sampling draws with; at temperature 0 the best token is taken.

    ``logprobs`` are natural logarithms of the model's own probabilities of its most probable tokens, best first. What
    is missing to 1 lies in tokens that are not listed; they are taken to be as probable as the last listed one, which
    at a temperature of 1 is exact in sum. Raises ValueError for no tokens.
    """
    if not logprobs:
        raise ValueError("there are no tokens")
    if decoding.temperature == 0:
        best = max(range(len(logprobs)), key=lambda i: logprobs[i])
        return Narrowed(tuple(float(i == best) for i in range(len(logprobs))))
    logs = list(logprobs)
    missing = max(0.0, 1.0 - math.fsum(math.exp(value) for value in logs))
    finite = [value for value in logs if value > -math.inf]
    others = missing / math.exp(finite[-1]) if missing > 1e-6 and finite else 0.0  # how many tokens are not listed
    last = finite[-1]
    steps = [step for step in decoding.order if step in DRAWN_STEPS]
    if decoding.mirostat != "off":  # takes the place of the other three
        steps = ["temperature"] if "temperature" in steps else []
    for step in steps:
        if step == "temperature":
            logs = [value / decoding.temperature for value in logs]
            last /= decoding.temperature
        elif step == "top_k" and decoding.top_k:
            logs = _only(logs, _best(logs)[: decoding.top_k])
            others = max(0.0, min(others, decoding.top_k - len(_best(logs))))
        elif step == "top_p" and decoding.top_p < 1:
            shares, rest = _shares(logs, others, last)
            kept: list[int] = []
            held = 0.0
            for i in _best(logs):
                kept.append(i)
                held += shares[i]
                if held >= decoding.top_p:
                    others = 0.0
                    break
            else:
                others *= min(1.0, (decoding.top_p - held) / rest) if rest else 0.0
            logs = _only(logs, kept)
        elif step == "min_p" and decoding.min_p:
            least = max(logs) + math.log(decoding.min_p)
            logs = [value if value >= least else -math.inf for value in logs]
            others = others if last >= least else 0.0
    shares, rest = _shares(logs, others, last)
    return Narrowed(tuple(shares), rest)


def steps_not_drawn(decoding: DecodingPart) -> tuple[str, ...]:
    """The steps of sampling in use that ``narrow`` leaves out, since they depend on more than one distribution."""
    on = {
        "penalties": decoding.repetition_penalty != 1
        or decoding.presence_penalty != 0
        or decoding.frequency_penalty != 0,
        "dry": decoding.dry_multiplier > 0,
        "typical_p": decoding.typical_p < 1 and decoding.mirostat == "off",
        "xtc": decoding.xtc_probability > 0,
    }
    found = [step for step in decoding.order if on.get(step, False)]
    if decoding.dynamic_temperature > 0 and "temperature" in decoding.order:
        found.append("dynamic_temperature")
    if decoding.mirostat != "off":
        found.append("mirostat")
    if decoding.logit_bias:
        found.append("logit_bias")
    return tuple(found)


def _best(logs: Sequence[float]) -> list[int]:
    """Places of what is still in, best first."""
    return sorted((i for i, value in enumerate(logs) if value > -math.inf), key=lambda i: -logs[i])


def _only(logs: Sequence[float], kept: Sequence[int]) -> list[float]:
    wanted = set(kept)
    return [value if i in wanted else -math.inf for i, value in enumerate(logs)]


def _shares(logs: Sequence[float], others: float, last: float) -> tuple[list[float], float]:
    top = max(logs)
    weights = [math.exp(value - top) for value in logs]
    rest = others * math.exp(last - top) if others else 0.0
    total = math.fsum(weights) + rest
    return [weight / total for weight in weights], rest / total
