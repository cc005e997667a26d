"""Score reductions for tokens used in the answer: penalties, DRY, and the ban on repeated n-grams.

All of them concern the answer's tokens, not the prompt's: quoting a document is no repetition.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from workbench.techniques.decoding.logits_filters import Scores

Tokens = npt.NDArray[np.intp]

DRY_BREAKERS = ("\n", ":", '"', "*")
"""Texts that a repeated phrase does not span: text-generation-webui's and llama.cpp's."""


class RecentTokens:
    """The tokens of the last ``window``, each once, and their penalties.

    Repetition (Keskar et al. 2019, arXiv:1909.05858): a logit is divided by it when positive, else multiplied.
    ``presence`` is then subtracted, and ``frequency`` once per use.
    """

    def __init__(self, window: int, repetition: float, presence: float = 0.0, frequency: float = 0.0) -> None:
        self._window = window
        self._repetition = repetition
        self._presence = presence
        self._frequency = frequency
        self._order: deque[int] = deque()
        self._places: dict[int, int] = {}  # of each token in the arrays
        self._tokens = np.empty(window + 1, np.intp)
        self._counts = np.zeros(window + 1, np.float32)

    @property
    def tokens(self) -> Tokens:
        return self._tokens[: len(self._places)]

    def copy(self) -> RecentTokens:
        other = RecentTokens(self._window, self._repetition, self._presence, self._frequency)
        other._order, other._places = self._order.copy(), self._places.copy()
        other._tokens, other._counts = self._tokens.copy(), self._counts.copy()
        return other

    def penalise(self, scores: Scores, which: Tokens | slice) -> Scores:
        """New scores of ``tokens[which]``."""
        if self._repetition != 1:
            scores = np.where(scores > 0, scores / self._repetition, scores * self._repetition)
        if self._frequency:
            scores = scores - self._counts[: len(self._places)][which] * np.float32(self._frequency)
        if self._presence:
            scores = scores - np.float32(self._presence)
        return scores

    def add(self, token: int) -> None:
        self._order.append(token)
        place = self._places.get(token)
        if place is None:
            place = self._places[token] = len(self._places)
            self._tokens[place] = token
            self._counts[place] = 0
        self._counts[place] += 1
        if len(self._order) > self._window:
            self._forget(self._order.popleft())

    def _forget(self, token: int) -> None:
        place = self._places[token]
        self._counts[place] -= 1
        if self._counts[place]:
            return
        del self._places[token]
        last = len(self._places)
        if place != last:  # the arrays' last token takes its place
            moved = int(self._tokens[last])
            self._tokens[place] = moved
            self._counts[place] = self._counts[last]
            self._places[moved] = place


class RepeatedPhrases:
    """DRY (p-e-w 2024, text-generation-webui pull request 5677): a token that would continue a phrase as it continued
    before loses ``multiplier * base ** (length - allowed)``, where ``length`` is the number of the answer's last tokens
    that occurred there before too, at least ``allowed``.

    A phrase does not span a token that ``breaks``, and such a token loses nothing.
    """

    LONGEST = 64

    def __init__(
        self, window: int, multiplier: float, base: float, allowed: int, breaks: Callable[[int], bool]
    ) -> None:
        self._multiplier = multiplier
        self._base = base
        self._allowed = allowed
        self._breaks = breaks
        self._window = window
        self._history = np.empty(2 * window, np.intp)
        self._length = 0
        self._unbroken = 0  # the number of last tokens that do not break

    def copy(self) -> RepeatedPhrases:
        other = RepeatedPhrases(self._window, self._multiplier, self._base, self._allowed, self._breaks)
        other._history, other._length, other._unbroken = self._history.copy(), self._length, self._unbroken
        return other

    def add(self, token: int) -> None:
        if self._length == self._history.size:
            self._history[: self._window] = self._history[self._window :]
            self._length = self._window
        self._history[self._length] = token
        self._length += 1
        self._unbroken = 0 if self._breaks(token) else self._unbroken + 1

    def losses(self) -> tuple[Tokens, npt.NDArray[np.float32]]:
        """Tokens, and the amounts to subtract from their scores."""
        history = self._history[max(0, self._length - self._window) : self._length]
        longest = min(self._unbroken, history.size - 1, max(self.LONGEST, self._allowed))
        if longest < self._allowed:
            return np.empty(0, np.intp), np.empty(0, np.float32)
        lengths: dict[int, int] = {}
        ends = np.flatnonzero(history[:-1] == history[-1])
        for length in range(1, longest + 1):
            if length >= self._allowed:
                for token in history[ends + 1].tolist():
                    lengths[token] = length
            ends = ends[ends >= length]
            ends = ends[history[ends - length] == history[-1 - length]] if length < longest else ends[:0]
            if not ends.size:
                break
        lengths = {token: length for token, length in lengths.items() if not self._breaks(token)}
        exponents = np.fromiter(lengths.values(), np.float64, len(lengths)) - self._allowed
        losses = self._multiplier * np.minimum(self._base**exponents, 1e30)
        return np.fromiter(lengths, np.intp, len(lengths)), losses.astype(np.float32)


class UsedPhrases:
    """Phrases of ``size`` tokens that must not occur twice (Paulus et al. 2017, arXiv:1705.04304)."""

    def __init__(self, size: int) -> None:
        self._begun: deque[int] = deque(maxlen=size - 1)
        self._followers: dict[tuple[int, ...], set[int]] = {}

    def add(self, token: int) -> None:
        if len(self._begun) == self._begun.maxlen:
            self._followers.setdefault(tuple(self._begun), set()).add(token)
        self._begun.append(token)

    def forbidden(self) -> Tokens:
        """The tokens that would complete such a phrase."""
        followers = self._followers.get(tuple(self._begun), ())
        return np.fromiter(followers, np.intp, len(followers))


def has_letters(text: bytes) -> bool:
    """Whether a token's text has a letter or digit. Under a constraint the others are punctuation of the format: a
    penalty on a quote that was used before would keep a string from ever ending."""
    return any(byte > 127 or chr(byte).isalnum() for byte in text)


def breaking(text_of: Callable[[int], bytes]) -> Callable[[int], bool]:
    """Returns whether a token's text contains one of ``DRY_BREAKERS``."""
    known: dict[int, bool] = {}

    def breaks(token: int) -> bool:
        found = known.get(token)
        if found is None:
            text = text_of(token)
            found = known[token] = any(breaker.encode() in text for breaker in DRY_BREAKERS)
        return found

    return breaks
