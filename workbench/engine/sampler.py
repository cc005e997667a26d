"""Chooses the next token from a row of logits, as a recipe's decoding part says.

The chain is repetition penalty, top-k, top-p, min-p, temperature, draw. All but the first are llama.cpp's own
samplers. The penalty (Keskar et al. 2019, arXiv:1909.05858; a logit is divided by it when
positive, multiplied when negative) is applied to the few logits that it concerns, in place: llama.cpp's sampler walks
over the whole vocabulary, which costs 0.9 ms a token for a vocabulary of 262,144. It concerns the last 256 tokens
of the answer, not the prompt: quoting a document is no repetition.
"""

from __future__ import annotations

import math
import secrets
from collections import deque
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.engine.library import llama
from workbench.recipes import DecodingPart

PENALTY_WINDOW = 256
LARGEST_SEED = 2**32 - 2  # llama.cpp takes 2**32 - 1 to mean "draw one"

Logits = npt.NDArray[np.float32]


class Sampler:
    """The choice of one sequence's tokens. ``seed`` is the one that is used: drawn when the recipe has -1."""

    def __init__(self, decoding: DecodingPart) -> None:
        self.seed: int = decoding.seed if decoding.seed >= 0 else secrets.randbelow(LARGEST_SEED + 1)
        self._recent = RecentTokens(decoding.repetition_penalty) if decoding.repetition_penalty > 1 else None
        self._chain: Any = None if decoding.temperature == 0 else _make_chain(decoding, self.seed)

    def choose(self, context: Any, row: int, logits: Logits) -> tuple[int, float]:
        """The next token after the batch's token ``row``, and its logit as the model gave it.

        ``logits``, shape (vocabulary,), is that row in llama.cpp's own memory, and is changed.
        """
        if self._recent is not None:
            self._recent.penalise(logits)
        if self._chain is None:
            token = int(logits.argmax())
        else:
            token = llama.llama_sampler_sample(self._chain, context, row)
        if self._recent is None:
            return token, float(logits[token])
        logit = self._recent.logit_before(token, logits)
        self._recent.add(token)
        return token, logit

    def close(self) -> None:
        if self._chain is not None:
            llama.llama_sampler_free(self._chain)
            self._chain = None


class RecentTokens:
    """The tokens of the last ``PENALTY_WINDOW``, each once, and their penalty."""

    def __init__(self, penalty: float) -> None:
        self._penalty = penalty
        self._order: deque[int] = deque()
        self._counts: dict[int, int] = {}
        self._places: dict[int, int] = {}  # of each token in the array
        self._tokens = np.empty(PENALTY_WINDOW + 1, np.intp)
        self._before = np.empty(0, np.float32)

    def penalise(self, logits: Logits) -> None:
        """Make the tokens less probable: a logit is divided by the penalty when positive, else multiplied."""
        seen = self._tokens[: len(self._places)]
        before = self._before = logits[seen]
        logits[seen] = np.where(before > 0, before / self._penalty, before * self._penalty)

    def logit_before(self, token: int, logits: Logits) -> float:
        """A token's logit as it was before ``penalise``."""
        place = self._places.get(token)
        return float(logits[token] if place is None else self._before[place])

    def add(self, token: int) -> None:
        self._order.append(token)
        count = self._counts[token] = self._counts.get(token, 0) + 1
        if count == 1:
            self._tokens[len(self._places)] = token
            self._places[token] = len(self._places)
        if len(self._order) > PENALTY_WINDOW:
            self._forget(self._order.popleft())

    def _forget(self, token: int) -> None:
        self._counts[token] -= 1
        if self._counts[token]:
            return
        del self._counts[token]
        place = self._places.pop(token)
        last = len(self._places)
        if place != last:  # the array's last token takes its place
            moved = int(self._tokens[last])
            self._tokens[place] = moved
            self._places[moved] = place


class LogProbabilities:
    """Log-probabilities of single tokens under the model itself: no penalty, temperature 1."""

    def __init__(self, vocabulary: int) -> None:
        self._exponentials = np.empty(vocabulary, np.float32)

    def normaliser(self, logits: Logits) -> float:
        """log(sum(exp(logits))), accurate to about 1e-6. Call it within ``np.errstate(over="ignore")``, which would
        take a third of its time here."""
        np.exp(logits, out=self._exponentials)
        total = float(self._exponentials.sum())
        if 0 < total < math.inf:
            return math.log(total)
        return exact_normaliser(logits)  # logits beyond +-88 do not fit


def exact_normaliser(logits: Logits) -> float:
    """log(sum(exp(logits))) in double precision, for any size of logits."""
    row = logits.astype(np.float64)
    highest = row.max()
    return float(highest + np.log(np.exp(row - highest).sum()))


def _make_chain(decoding: DecodingPart, seed: int) -> Any:
    parameters = llama.llama_sampler_chain_default_params()
    parameters.no_perf = True
    chain = llama.llama_sampler_chain_init(parameters)
    if decoding.top_k > 0:
        llama.llama_sampler_chain_add(chain, llama.llama_sampler_init_top_k(decoding.top_k))
    if decoding.top_p < 1:
        llama.llama_sampler_chain_add(chain, llama.llama_sampler_init_top_p(decoding.top_p, 1))
    if decoding.min_p > 0:
        llama.llama_sampler_chain_add(chain, llama.llama_sampler_init_min_p(decoding.min_p, 1))
    llama.llama_sampler_chain_add(chain, llama.llama_sampler_init_temp(decoding.temperature))
    llama.llama_sampler_chain_add(chain, llama.llama_sampler_init_dist(seed))
    return chain
