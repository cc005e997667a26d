"""How probabilities are said and tinted: steps of one hue, the rarer the stronger, on which text stays readable."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ui.theme.tokens import Palette, mixed
from workbench.records.messages import ChosenToken

BOUNDS = (0.9, 0.5, 0.2, 0.05)
"""A probability from ``BOUNDS[i]`` on is in step ``i``; below the last in step ``len(BOUNDS)``."""

STEP_WORDS = ("over 90%", "over 50%", "over 20%", "over 5%", "rarer")
_SHARES_LIGHT = (0.0, 0.10, 0.20, 0.33, 0.48)
_SHARES_DARK = (0.0, 0.10, 0.20, 0.31, 0.42)


def probability_of(logprob: float) -> float:
    """In [0, 1], of a natural-log probability."""
    return math.exp(min(0.0, logprob))


def step_of(probability: float) -> int:
    """Which tint a probability has: 0 for the likeliest."""
    return next((step for step, bound in enumerate(BOUNDS) if probability >= bound), len(BOUNDS))


def tints(palette: Palette, dark: bool) -> list[str]:
    """A background for each step; the first is that of the surface itself."""
    return [mixed(palette.decoding, palette.surface, share) for share in (_SHARES_DARK if dark else _SHARES_LIGHT)]


def describe_probability(probability: float) -> str:
    """``62%``, ``4.1%``, ``0.03%``, ``under 0.01%``."""
    percent = 100 * probability
    if percent >= 99.95:
        return "100%"
    if percent >= 10:
        return f"{percent:.0f}%" if percent < 99 else f"{percent:.1f}%"
    if percent >= 1:
        return f"{percent:.1f}%"
    return f"{percent:.2f}%" if percent >= 0.01 else "under 0.01%"


def describe_surprise(tokens: Sequence[ChosenToken]) -> str:
    """What the model makes of an answer in a line: mean probability (geometric), perplexity, first choices."""
    if not tokens:
        return "There are no tokens in this answer."
    mean = sum(token.logprob for token in tokens) / len(tokens)
    known = [token for token in tokens if token.alternatives]
    line = (
        f"{len(tokens):,} tokens · mean probability {describe_probability(probability_of(mean))}"
        f" · perplexity {math.exp(min(-mean, 700)):,.2f}"
    )
    if known:
        first = sum(token.alternatives[0].token == token.token for token in known)
        line += f" · {first / len(known):.0%} were the first choice"
    return line


def visible(text: str) -> str:
    """A token's text on its own line, where its spaces and breaks can be seen."""
    shown = text.replace("\r", "␍").replace("\n", "↵").replace("\t", "⇥").replace(" ", "·")
    return shown or "∅"
