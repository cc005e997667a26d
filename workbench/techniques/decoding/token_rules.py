"""Changes of single tokens' scores where several sequences are followed in parallel.

As in transformers' processors, to log-probabilities in beam search and to logits in contrastive search: the token bias
first, then ``repetition_penalty`` (Keskar et al. 2019, arXiv:1909.05858) and ``no_repeat_ngram_size`` (Paulus et al.
2017, arXiv:1705.04304), which count the prompt as well. The presence and frequency penalties and DRY, which
transformers lacks, count the answer alone, as in sampling: every sequence has a ``History`` of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from workbench.engine.jobs import Logits
from workbench.engine.vocabulary import Vocabulary
from workbench.records.recipes import DecodingPart
from workbench.techniques.decoding.repetition import RecentTokens, RepeatedPhrases, breaking, has_letters
from workbench.techniques.decoding.sampling import read_bias


class History(NamedTuple):
    """The part of an answer that the penalties count; None for those that are off."""

    recent: RecentTokens | None
    phrases: RepeatedPhrases | None


class TokenRules:
    """The rules of one recipe. ``constrained``: punctuation of the answer's format is not penalised. Raises UserError
    for an invalid bias."""

    def __init__(self, decoding: DecodingPart, vocabulary: Vocabulary, *, constrained: bool = False) -> None:
        self._decoding = decoding
        self._vocabulary = vocabulary
        self._constrained = constrained
        self._bias = read_bias(decoding.logit_bias, vocabulary)
        self._breaks = breaking(vocabulary.piece)
        self._spoken: dict[int, bool] = {}

    @property
    def change_anything(self) -> bool:
        part = self._decoding
        return (
            self._bias is not None
            or part.repetition_penalty != 1
            or part.no_repeat_ngram_size > 0
            or self._has_recent
            or part.dry_multiplier > 0
        )

    @property
    def _has_recent(self) -> bool:
        return self._decoding.presence_penalty != 0 or self._decoding.frequency_penalty != 0

    def begin(self) -> History:
        """The history of an empty answer."""
        part = self._decoding
        return History(
            RecentTokens(part.penalty_window, 1.0, part.presence_penalty, part.frequency_penalty)
            if self._has_recent
            else None,
            RepeatedPhrases(
                part.penalty_window, part.dry_multiplier, part.dry_base, part.dry_allowed_length, self._breaks
            )
            if part.dry_multiplier > 0
            else None,
        )

    def extend(self, history: History, token: int) -> History:
        """The history with one more token; the old one is unchanged."""
        recent, phrases = history
        if recent is not None and self._is_penalised(token):
            recent = recent.copy()
            recent.add(token)
        if phrases is not None:
            phrases = phrases.copy()
            phrases.add(token)
        return History(recent, phrases)

    def apply(self, logits: Logits, tokens: Sequence[int], history: History, normaliser: float = 0.0) -> None:
        """Change ``logits`` in place for the token after ``tokens``, the prompt included. ``normaliser`` turns logits
        into log-probabilities."""
        if self._bias is not None:
            biased, bias = self._bias
            logits[biased] += bias
        if self._decoding.repetition_penalty != 1:
            shown = {token for token in tokens if token >= 0}  # an image's are no words
            used = filter(self._is_penalised, shown) if self._constrained else shown
            penalise_used(logits, used, self._decoding.repetition_penalty, normaliser)
        recent, phrases = history
        if recent is not None:
            said = recent.tokens
            logits[said] = recent.penalise(logits[said], slice(None))
        if phrases is not None:
            going_on, losses = phrases.losses()
            logits[going_on] -= losses
        if self._decoding.no_repeat_ngram_size:
            logits[repeating(tokens, self._decoding.no_repeat_ngram_size)] = -np.inf

    def _is_penalised(self, token: int) -> bool:
        if not self._constrained:
            return True
        spoken = self._spoken.get(token)
        if spoken is None:
            spoken = self._spoken[token] = has_letters(self._vocabulary.piece(token))
        return spoken


def penalise_used(logits: Logits, used: Iterable[int], penalty: float, normaliser: float = 0.0) -> None:
    """Make ``used`` tokens less probable: in place, on log-probabilities when ``normaliser`` gives those."""
    places = np.fromiter(used, np.intp)
    scores = logits[places] - np.float32(normaliser)
    logits[places] = np.where(scores > 0, scores / penalty, scores * penalty) + normaliser


def repeating(tokens: Sequence[int], size: int) -> npt.NDArray[np.intp]:
    """The tokens that would complete a phrase of ``size`` tokens that occurred before."""
    everything = np.asarray(tokens, np.intp)
    if everything.size < size:
        return np.empty(0, np.intp)
    windows = np.lib.stride_tricks.sliding_window_view(everything, size)
    same = (windows[:, :-1] == everything[everything.size + 1 - size :]).all(axis=1)
    found: npt.NDArray[np.intp] = windows[same, -1]
    return found[found >= 0]
