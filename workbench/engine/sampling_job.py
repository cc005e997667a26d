"""Samples answers with the log-probability of each token: what a training learns from.

Drawn from the model's whole distribution at a temperature: no filter, penalty or grammar, so that the log-probabilities
are those of what was drawn. The token that ends an answer belongs to it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import numpy as np

from workbench.api.protocol import RequestContext, finish
from workbench.engine.jobs import Branch, Job, Logits
from workbench.engine.keys import Key

Draw = Callable[[Any, np.random.Generator], tuple[int, float]]
"""A token drawn from logits, and its natural-log probability."""


class SampledAnswer(msgspec.Struct):
    """The tokens of an answer, their log-probabilities, and whether an end token is the last one."""

    tokens: list[int]
    logprobs: list[float]
    finished: bool = False


class SamplingJob(Job):
    """``len(seeds)`` answers to one prompt, which is computed once. Ends in their SampledAnswers, in that order."""

    kept = 0

    def __init__(
        self,
        prompt: Sequence[int],
        seeds: Sequence[Sequence[int]],
        new_tokens: int,
        temperature: float,
        draw: Draw,
        ends: Callable[[int], bool],
        context: RequestContext,
        *,
        key: Key = (),
    ) -> None:
        super().__init__(
            prompt, len(prompt) - 1, len(prompt) + len(seeds) * new_tokens, context, width=len(seeds), key=key
        )
        self._randoms = [np.random.default_rng(list(seed)) for seed in seeds]
        self._answers = [SampledAnswer([], []) for _ in seeds]
        self._new_tokens, self._temperature = new_tokens, temperature
        self._draw, self._ends = draw, ends
        self._of: dict[int, int] = {}

    def take(self, branch: Branch, context: Any, row: int, logits: Logits) -> None:
        scaled = logits / self._temperature
        if not self._of:
            going_on = [number for number in range(len(self._answers)) if self._say(number, scaled)]
            branches = [branch, *(self.memory.fork(branch) for _ in going_on[1:])]
            self._of = {-1: -1}  # begun, even where all end at once
            for number, one in zip(going_on, branches, strict=False):
                self._of[one.number] = number
                one.tokens.append(self._answers[number].tokens[-1])
            if not going_on:
                self._end(finish(self._answers))
            return
        number = self._of[branch.number]
        if self._say(number, scaled):
            branch.tokens.append(self._answers[number].tokens[-1])

    def settle(self) -> None:
        self._end(finish(self._answers))

    def _say(self, number: int, logits: Logits) -> bool:
        """Draw the next token of an answer; whether it goes on."""
        answer = self._answers[number]
        token, logprob = self._draw(logits, self._randoms[number])
        answer.tokens.append(token)
        answer.logprobs.append(logprob)
        answer.finished = self._ends(token)
        return not answer.finished and len(answer.tokens) < self._new_tokens
