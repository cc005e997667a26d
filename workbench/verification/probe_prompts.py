"""The prompts on which two models are compared: stored by the training, or general ones.

A prompt is a whole example, question and answer, as tokens. The trained answers are followed, not generated: where each
trained token is the likeliest after those before it, the greedy answer is the trained one, and that takes one pass
through the model.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from workbench.base.errors import UserError
from workbench.base.files import open_regular

MOST_PROMPTS = 200
FEWEST_TOKENS, MOST_TOKENS = 256, 8192
"""Of all prompts together: more say no more, and take longer."""

MOST_OPERATIONS = 4e12
"""Of one model that computes them once, so that a large model is compared on fewer of them: 40 seconds on two cores."""

LONGEST_TOKENS = 1024
"""Where a prompt is cut."""

GENERAL = (
    "The capital of France is Paris, and the river that flows through it is the Seine.",
    "Water boils at one hundred degrees Celsius when the pressure is that of the sea level.",
    "def add(a, b):\n    return a + b\n",
    "Dear Sir or Madam, I am writing to ask whether the position is still open.",
    "Once upon a time there was a miller who had three sons, and when he died he left them his mill.",
    "A triangle with sides of 3, 4 and 5 has a right angle, because 9 + 16 = 25.",
    "Q: How many days does a leap year have?\nA: 366",
    "The meeting was moved from Monday to Thursday since two of us could not come.",
)
"""Texts for where there are no examples."""


class _Line(msgspec.Struct):
    tokens: list[int]
    trained: list[bool | int] = []
    question: str = ""
    expected: str = ""


@dataclass(frozen=True)
class Prompt:
    """``trained`` tells for each token whether the model was trained to write it; the first one never is."""

    tokens: tuple[int, ...]
    trained: tuple[bool, ...]


def read_prompts(path: Path, parameters: int = 0, most_tokens: int = 0) -> list[Prompt]:
    """Read ``{tokens, trained, question, expected}`` line by line, at most ``MOST_PROMPTS``, evenly chosen, and as many
    tokens as a model of so many ``parameters`` computes in ``MOST_OPERATIONS``, or as ``most_tokens`` says.

    Raises UserError that names file and line when it is not sound.
    """
    decoder = msgspec.json.Decoder(_Line)
    found: list[Prompt] = []
    try:
        with open_regular(path) as file:
            for number, line in enumerate(file, 1):
                if not line.strip():
                    continue
                said = decoder.decode(line)
                if said.trained and len(said.trained) != len(said.tokens):
                    raise UserError(f"Line {number} of {path} marks more or fewer tokens than it has.", "Train again.")
                trained = [bool(mark) for mark in said.trained] or [False] * len(said.tokens)
                if len(said.tokens) > 1:
                    cut = said.tokens[:LONGEST_TOKENS]
                    found.append(Prompt(tuple(cut), (False, *trained[1 : len(cut)])))
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror or error}.", "Train again.") from error
    except msgspec.DecodeError as error:
        raise UserError(f"Line {number} of {path} is damaged: {error}.", "Train again.") from error
    affordable = MOST_OPERATIONS / (2 * parameters) if parameters else MOST_TOKENS
    return chosen(found, most_tokens or round(min(MOST_TOKENS, max(FEWEST_TOKENS, affordable))))


def chosen(prompts: Sequence[Prompt], most_tokens: int = MOST_TOKENS) -> list[Prompt]:
    """As many as are enough, spread over all of them."""
    tokens = sum(len(prompt.tokens) for prompt in prompts)
    step = max(1, math.ceil(len(prompts) / MOST_PROMPTS), math.ceil(tokens / most_tokens))
    left = most_tokens
    kept: list[Prompt] = []
    for prompt in prompts[::step]:
        if left < len(prompt.tokens) and kept:
            break
        left -= len(prompt.tokens)
        kept.append(prompt)
    return kept
