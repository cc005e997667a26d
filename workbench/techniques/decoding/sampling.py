"""Chooses the next tokens of one answer from the model's logits, by a recipe's decoding part.

Changes of single tokens are made in place and reverted after the choice: the constraint, the bias, banned n-grams, then
the filters in the recipe's order. Greedy decoding takes the best of the rest, without filters. The papers are listed in
the package's docstring.
"""

from __future__ import annotations

import math
import random
import secrets
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.base.errors import UserError
from workbench.engine.probabilities import Logits
from workbench.engine.vocabulary import Vocabulary
from workbench.records.recipes import LARGEST_SEED, SAMPLING_ORDER, DecodingPart, draws
from workbench.techniques.decoding import logits_filters
from workbench.techniques.decoding.logits_filters import Candidates, Mirostat, Scores
from workbench.techniques.decoding.methods import strategy_of
from workbench.techniques.decoding.repetition import (
    RecentTokens,
    RepeatedPhrases,
    Tokens,
    UsedPhrases,
    breaking,
    has_letters,
)

if TYPE_CHECKING:
    from workbench.techniques.decoding.constraints import Constraint

_SEED_STEP = 0x9E3779B1  # 2**32 over the golden ratio: the seeds of adjacent sequences are far apart

LARGEST_BIAS = 1e6
"""A larger bias would drown the digits of the logit that it is added to, and exceeds float32 beyond 3e38."""

_TRIES = 8

Step = Callable[[Candidates], Candidates]


class Sampler:
    """The choice of one sequence's tokens.

    ``seed`` is the one in use: drawn when the recipe has -1; sequence ``i`` of several uses ``seed + i * 0x9E3779B1``
    modulo 2**32 - 1, so sequence 0 uses the seed itself. ``takes_best``: the choice is always the model's most probable
    token, and nothing changes the logits. ``ended``: the constraint is complete, nothing can or need follow. Raises
    UserError for an invalid order or bias.
    """

    def __init__(
        self, decoding: DecodingPart, vocabulary: Vocabulary, *, sequence: int = 0, constraint: Constraint | None = None
    ) -> None:
        check_order(decoding.order)
        first = decoding.seed if decoding.seed >= 0 else secrets.randbelow(LARGEST_SEED + 1)
        self.seed: int = derived_seed(first, sequence)
        self._vocabulary = vocabulary
        self._constraint = constraint
        self._bias = read_bias(decoding.logit_bias, vocabulary)
        size = decoding.no_repeat_ngram_size
        self._used = UsedPhrases(size) if size else None
        self._recent = _recent_tokens(decoding)
        self._phrases = _repeated_phrases(decoding, vocabulary)
        self._row: Logits | None = None  # the model's own logits, changed in place
        self._undo: list[tuple[Tokens, Scores]] = []
        self._random = random.Random(self.seed) if draws(decoding, strategy_of(decoding)) else None
        self._mirostat = _mirostat(decoding) if self._random else None
        self._steps = self._make_steps(decoding)
        changes = bool(self._constraint or self._bias or self._used or self._steps)
        self.takes_best = not changes and self._random is None

    @property
    def ended(self) -> bool:
        return self._constraint is not None and self._constraint.complete

    def choose(self, context: Any, row: int, logits: Logits) -> tuple[int, float]:
        """The next token after the batch's token ``row``, and its logit as the model gave it.

        ``logits``, shape (vocabulary,), is that row in llama.cpp's own memory. It is restored afterwards, except that
        tokens that the constraint bans stay -inf.
        """
        if self.takes_best:
            token = int(logits.argmax())
            return token, float(logits[token])
        if self._constraint is not None:
            self._constraint.mask(logits)
        token = self._pick(logits)
        if self._constraint is not None:
            token = self._affordable(token, logits)
        self.observe(token)
        return token, float(logits[token]) if token < logits.size else 0.0

    def observe(self, token: int) -> None:
        """Record the answer's next token, which may have been chosen elsewhere.

        Raises UserError when the constraint does not allow it.
        """
        if self._constraint is not None:
            self._constraint.accept(token)
        if self._recent is not None and (self._constraint is None or has_letters(self._vocabulary.piece(token))):
            self._recent.add(token)
        if self._phrases is not None:
            self._phrases.add(token)
        if self._used is not None:
            self._used.add(token)

    def close(self) -> None:
        """Free resources outside Python: none, at present."""

    def candidates(self, logits: Logits) -> Candidates:
        """The candidates for a draw now, without mirostat's filter. XTC's chance is drawn."""
        candidates = self._filtered(logits)
        candidates = candidates.at(np.arange(candidates.scores.size), ordered=candidates.ordered)
        self._restore(logits)
        return candidates

    def _affordable(self, token: int, logits: Logits) -> int:
        """The token, or another one after which the answer can still be completed in time."""
        assert self._constraint is not None
        first, its_logit = token, logits[token]
        for tries in range(_TRIES + 1):
            if self._constraint.affords(token):
                return token
            logits[token] = -math.inf
            if tries == _TRIES or logits.max() == -math.inf:
                break
            token = self._pick(logits)
        completing = self._constraint.completing(logits)
        if completing is None:  # no ending is known yet
            logits[first] = its_logit
            return first
        return completing

    def _pick(self, logits: Logits) -> int:
        """The choice; ``logits`` are restored afterwards."""
        candidates = self._filtered(logits)
        if self._random is None:
            token = candidates.token(int(candidates.scores.argmax()))
        elif self._mirostat is not None:
            token = self._mirostat.draw(candidates, self._random)
        else:
            token = candidates.token(logits_filters.draw(candidates, self._random))
        self._restore(logits)
        return token

    def _filtered(self, logits: Logits) -> Candidates:
        self._row = logits
        candidates = Candidates(logits)
        if self._bias is not None:
            tokens, bias = self._bias
            self._change(candidates, tokens, lambda scores, which: scores + bias[which])
        if self._used is not None and (forbidden := self._used.forbidden()).size:
            self._change(candidates, forbidden, lambda scores, which: np.full_like(scores, -math.inf))
        if self._undo and logits.max() == -math.inf:
            self._restore(logits)  # they ban all that the constraint allows, or everything: they yield
            self._row = logits
        for step in self._steps:
            candidates = step(candidates)
        return candidates

    def _change(
        self, candidates: Candidates, tokens: Tokens, change: Callable[[Scores, Tokens | slice], Scores]
    ) -> Candidates:
        """New scores for those of ``tokens`` that are among the candidates. ``change`` gets their positions in
        ``tokens``."""
        if candidates.ids is not None:
            _, places, which = np.intersect1d(candidates.ids, tokens, assume_unique=True, return_indices=True)
            scores = candidates.scores.copy()
            scores[places] = change(scores[places], which)
            return Candidates(scores, candidates.ids)
        before = candidates.scores[tokens]
        if candidates.scores is self._row:
            self._undo.append((tokens, before))
        candidates.scores[tokens] = change(before, slice(None))
        return candidates

    def _restore(self, logits: Logits) -> None:
        while self._undo:
            tokens, before = self._undo.pop()
            logits[tokens] = before
        self._row = None

    def _penalise(self, candidates: Candidates) -> Candidates:
        assert self._recent is not None
        tokens = self._recent.tokens
        return self._change(candidates, tokens, self._recent.penalise) if tokens.size else candidates

    def _penalise_phrases(self, candidates: Candidates) -> Candidates:
        assert self._phrases is not None
        tokens, losses = self._phrases.losses()
        if not tokens.size:
            return candidates
        return self._change(candidates, tokens, lambda scores, which: scores - losses[which])

    def _exclude_top_choices(self, candidates: Candidates, probability: float, threshold: float) -> Candidates:
        assert self._random is not None
        if self._random.random() > probability:
            return candidates
        return logits_filters.exclude_top_choices(candidates, threshold)

    def _make_steps(self, decoding: DecodingPart) -> list[Step]:
        wanted: dict[str, Step] = {}
        if self._recent is not None:
            wanted["penalties"] = self._penalise
        if self._phrases is not None:
            wanted["dry"] = self._penalise_phrases
        if self._random is not None:
            if self._mirostat is None:
                wanted |= _make_filters(decoding)
            if decoding.xtc_probability > 0:
                wanted["xtc"] = partial(
                    self._exclude_top_choices, probability=decoding.xtc_probability, threshold=decoding.xtc_threshold
                )
            wanted |= _temperature_filter(decoding)
        return [wanted[name] for name in decoding.order if name in wanted]


def derived_seed(seed: int, sequence: int) -> int:
    """The seed of sequence number ``sequence`` of several."""
    return (seed + sequence * _SEED_STEP) % (LARGEST_SEED + 1)


def check_order(order: Sequence[str]) -> None:
    """Raise UserError when a step is unknown or comes twice."""
    for place, name in enumerate(order):
        if name not in SAMPLING_ORDER:
            raise UserError(f'Unknown sampling step "{name}".', f"The steps are {', '.join(SAMPLING_ORDER)}.")
        if name in order[:place]:
            raise UserError(f'The sampling step "{name}" occurs twice in the order.', "Name each step once.")


def read_bias(entries: Sequence[str], vocabulary: Vocabulary) -> tuple[Tokens, Logits] | None:
    """Tokens and the number added to the score of each, from ``text=number`` and ``#id=number``; None for no entries.

    The last "=" counts. Entries of one token add up. Raises UserError that names the entry.
    """
    found: dict[int, float] = {}
    for entry in entries:
        text, equals, written = entry.rpartition("=")
        try:
            bias = float(written)
        except ValueError:
            bias = math.nan
        if not equals or not text or math.isnan(bias) or bias == math.inf:
            raise UserError(
                f'"{entry}" is not a token bias.', "Write text=number or #id=number; the number -inf bans the token."
            )
        token = _biased_token(text, entry, vocabulary)
        found[token] = found.get(token, 0.0) + bias
    if not found:
        return None
    for token, bias in found.items():
        if bias > LARGEST_BIAS:
            text = vocabulary.text([token], special=True)
            raise UserError(
                f'The token bias of "{text}" (#{token}) is {bias:g}, beyond the maximum of {LARGEST_BIAS:g}.',
                "A bias of 100 makes a token certain already.",
            )
    return np.fromiter(found, np.intp, len(found)), np.fromiter(found.values(), np.float32, len(found))


def _biased_token(text: str, entry: str, vocabulary: Vocabulary) -> int:
    if text[0] == "#" and text[1:].isdecimal():
        token = int(text[1:])
        if token >= vocabulary.size:
            raise UserError(
                f'The token bias "{entry}" names a token that the model does not have.',
                f"Its token ids are 0 to {vocabulary.size - 1}.",
            )
        return token
    tokens = vocabulary.tokenize(text, special=True)
    if len(tokens) != 1:
        pieces = ", ".join(f'"{vocabulary.text([token], special=True)}" (#{token})' for token in tokens)
        raise UserError(
            f'The token bias "{entry}" is not a single token: the model writes "{text}" as {pieces}.',
            "Give each of these tokens a bias of its own.",
        )
    return tokens[0]


def _recent_tokens(decoding: DecodingPart) -> RecentTokens | None:
    penalties = decoding.repetition_penalty, decoding.presence_penalty, decoding.frequency_penalty
    if "penalties" not in decoding.order or penalties == (1.0, 0.0, 0.0):
        return None
    return RecentTokens(decoding.penalty_window, *penalties)


def _repeated_phrases(decoding: DecodingPart, vocabulary: Vocabulary) -> RepeatedPhrases | None:
    if "dry" not in decoding.order or decoding.dry_multiplier == 0:
        return None
    return RepeatedPhrases(
        decoding.penalty_window,
        decoding.dry_multiplier,
        decoding.dry_base,
        decoding.dry_allowed_length,
        breaking(vocabulary.piece),
    )


def _mirostat(decoding: DecodingPart) -> Mirostat | None:
    if decoding.mirostat == "off":
        return None
    return Mirostat(1 if decoding.mirostat == "v1" else 2, decoding.mirostat_tau, decoding.mirostat_eta)


def _make_filters(decoding: DecodingPart) -> dict[str, Step]:
    steps: dict[str, Step] = {}
    if decoding.top_k > 0:
        steps["top_k"] = partial(logits_filters.keep_top_k, count=decoding.top_k)
    if decoding.top_p < 1:
        steps["top_p"] = partial(logits_filters.keep_top_p, share=decoding.top_p)
    if decoding.min_p > 0:
        steps["min_p"] = partial(logits_filters.keep_min_p, share=decoding.min_p)
    if decoding.typical_p < 1:
        steps["typical_p"] = partial(logits_filters.keep_typical, share=decoding.typical_p)
    return steps


def _temperature_filter(decoding: DecodingPart) -> dict[str, Step]:
    if decoding.dynamic_temperature > 0:
        return {
            "temperature": partial(
                logits_filters.apply_dynamic_temperature,
                temperature=decoding.temperature,
                spread=decoding.dynamic_temperature,
                exponent=decoding.dynamic_exponent,
            )
        }
    return (
        {}
        if decoding.temperature == 1
        else {"temperature": partial(logits_filters.apply_temperature, temperature=decoding.temperature)}
    )
