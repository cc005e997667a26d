"""Rollouts: answers sampled by the policy as it is now, with the log-probability of each token.

Sampling is from the whole distribution at the temperature: any truncation (top-k, top-p) would put the probability
that is left into the ratios. An end token belongs to its answer.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import msgspec
import numpy as np
import torch

from workbench.training.data.assistant_masks import Tokenizer
from workbench.training.experience.sizes import MOST_AT_ONCE, TOKENS_AT_ONCE
from workbench.training.peft_models import base_of, cache_of, given_cache, last_position

PART = 512
"""Tokens whose probabilities are summed first when one is drawn."""


class Sampled(msgspec.Struct, frozen=True):
    """An answer: its tokens, the natural-log probability of each under what sampled it, and whether it ended by
    itself: then the end token is the last one."""

    tokens: tuple[int, ...]
    logprobs: tuple[float, ...]
    finished: bool


class Ask(msgspec.Struct, frozen=True):
    """One answer that is asked for: the prompt's tokens, and the seed of its own random numbers."""

    prompt: tuple[int, ...]
    seed: tuple[int, ...]


class Rollouts(Protocol):
    """Samples answers. ``refresh`` is called when the policy's weights have changed."""

    name: str

    def refresh(self) -> None: ...

    def sample(
        self, asks: Sequence[Ask], new_tokens: int, temperature: float, check: Callable[[], None]
    ) -> list[Sampled]:
        """An answer of at most ``new_tokens`` tokens to each, in their order. ``check`` is called in between and
        raises what ends it."""

    def close(self) -> None: ...


def draw(logits: Any, random: np.random.Generator) -> tuple[int, float]:
    """A token drawn from ``logits``, shape (vocabulary,), float, and its log-probability.

    Sums are of float32 exponentials in float64: first of whole parts, then within the part that was drawn, since a
    running sum over a vocabulary takes three times as long as everything else.
    """
    shifted = np.asarray(logits, dtype=np.float32)
    shifted = shifted - shifted.max()
    weights = np.exp(shifted)
    starts = np.arange(0, len(weights), PART)
    ends = np.add.reduceat(weights, starts, dtype=np.float64).cumsum()
    drawn = random.random() * ends[-1]
    part = min(int(np.searchsorted(ends, drawn, side="right")), len(ends) - 1)
    before = ends[part - 1] if part else 0.0
    within = weights[part * PART : (part + 1) * PART].cumsum(dtype=np.float64)
    place = min(int(np.searchsorted(within, drawn - before, side="right")), len(within) - 1)
    token = part * PART + place
    return token, float(shifted[token]) - math.log(ends[-1])


class TorchRollouts:
    """By the torch model that is trained, its adapter on: in batches over a key-value cache."""

    name = "transformers"

    def __init__(self, model: Any, tokenizer: Tokenizer) -> None:
        self._model, self._tokenizer = model, tokenizer

    def refresh(self) -> None:
        pass

    def close(self) -> None:
        pass

    def sample(
        self, asks: Sequence[Ask], new_tokens: int, temperature: float, check: Callable[[], None]
    ) -> list[Sampled]:
        was_training = self._model.training
        self._model.eval()
        try:
            with torch.no_grad():
                return [
                    one
                    for batch in _batches(asks, new_tokens)
                    for one in self._sample(batch, new_tokens, temperature, check)
                ]
        finally:
            self._model.train(was_training)

    def _sample(
        self, asks: Sequence[Ask], new_tokens: int, temperature: float, check: Callable[[], None]
    ) -> list[Sampled]:
        base = base_of(self._model)
        device = base.get_input_embeddings().weight.device
        width = max(len(ask.prompt) for ask in asks)
        tokens = torch.zeros((len(asks), width), dtype=torch.long)
        mask = torch.zeros((len(asks), width), dtype=torch.long)
        for row, ask in enumerate(asks):
            tokens[row, width - len(ask.prompt) :] = torch.tensor(ask.prompt)
            mask[row, width - len(ask.prompt) :] = 1
        tokens, mask = tokens.to(device), mask.to(device)
        randoms = [np.random.default_rng(ask.seed) for ask in asks]
        said: list[list[int]] = [[] for _ in asks]
        logprobs: list[list[float]] = [[] for _ in asks]
        open_rows = set(range(len(asks)))
        positions = (mask.cumsum(dim=1) - 1).clamp(min=0)
        found = self._model(
            input_ids=tokens,
            use_cache=True,
            logits_to_keep=last_position(device),
            attention_mask=mask,
            position_ids=positions,
        )
        for number in range(new_tokens):
            check()
            logits = (found.logits[:, -1].float() / temperature).cpu().numpy()
            following = np.zeros(len(asks), dtype=np.int64)
            for row in sorted(open_rows):
                token, logprob = draw(logits[row], randoms[row])
                following[row] = token
                said[row].append(token)
                logprobs[row].append(logprob)
                if self._tokenizer.ends_generation(token):
                    open_rows.discard(row)
            if not open_rows or number == new_tokens - 1:
                break
            mask = torch.cat([mask, mask.new_ones(len(asks), 1)], dim=1)
            positions = mask.sum(dim=1, keepdim=True) - 1
            found = base(
                input_ids=torch.from_numpy(following)[:, None].to(device),
                use_cache=True,
                attention_mask=mask,
                position_ids=positions,
                **given_cache(base, cache_of(found)),
            )
        return [
            Sampled(tuple(tokens_), tuple(logprobs_), row not in open_rows)
            for row, (tokens_, logprobs_) in enumerate(zip(said, logprobs, strict=True))
        ]


def _batches(asks: Sequence[Ask], new_tokens: int) -> list[Sequence[Ask]]:
    """In their order, so that answers to one prompt are together."""
    found: list[list[Ask]] = []
    longest = 0
    for ask in asks:
        longest = max(longest, len(ask.prompt) + new_tokens)
        full = not found or len(found[-1]) == MOST_AT_ONCE or (len(found[-1]) + 1) * longest > TOKENS_AT_ONCE
        if full:
            found.append([])
            longest = len(ask.prompt) + new_tokens
        found[-1].append(ask)
    return list(found)
