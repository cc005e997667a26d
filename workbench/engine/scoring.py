"""The probability of given text under the model: continuations of a prompt, the tokens of an answer, a whole text.

Log-probabilities are natural and the model's own: no temperature, no penalty.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.api.events import Progress
from workbench.api.protocol import RequestContext, finish
from workbench.base import errors
from workbench.engine.inference_calls import Scored, Scores, TextScore
from workbench.engine.jobs import Branch, Job, Logits
from workbench.engine.keys import Key
from workbench.engine.probabilities import exact_normaliser
from workbench.engine.text import CharacterDecoder
from workbench.engine.vocabulary import Vocabulary
from workbench.records.messages import Alternative, ChosenToken, Usage

SIDE_BY_SIDE = 8
"""Continuations computed in parallel."""

SHORTEST_WINDOW = 4


class Scoring(Job):
    """Sums the log-probabilities of continuations of one prompt, which is computed once; ends in Scores.

    ``together`` continuations are computed in parallel, fewer where ``context_tokens`` has no room for so many; 1 where
    the model's memory cannot be shared.
    """

    def __init__(
        self,
        prompt: Sequence[int],
        continuations: Sequence[Sequence[int]],
        context: RequestContext,
        *,
        together: int = SIDE_BY_SIDE,
        context_tokens: int | None = None,
        key: Key = (),
        background: bool = False,
    ) -> None:
        longest = max((len(tokens) for tokens in continuations), default=0)
        # the prompt gives the first token of each: only the rest is computed
        self._left = [index for index, tokens in enumerate(continuations) if len(tokens) > 1][::-1]
        if context_tokens is not None and longest:
            together = min(together, (context_tokens - len(prompt)) // longest)
        self._together = max(1, min(together, len(self._left)))
        width = self._together + 1 if self._together > 1 else 1
        super().__init__(
            prompt,
            len(prompt) - 1,
            len(prompt) + self._together * longest,
            context,
            width=width,
            key=key,
            background=background,
        )
        self._continuations = [list(tokens) for tokens in continuations]
        self._sums = [0.0] * len(self._continuations)
        self._of: dict[int, int] = {}  # the continuation that a branch computes
        self._position: dict[int, int] = {}  # the position of the token whose logits came last
        self._begun = False
        self._started = self._first_at = time.perf_counter()

    def take(self, branch: Branch, context: Any, row: int, logits: Logits) -> None:
        normaliser = exact_normaliser(logits)
        if not self._begun:
            self._begun, self._first_at = True, time.perf_counter()
            for index, tokens in enumerate(self._continuations):
                if tokens:
                    self._sums[index] += float(logits[tokens[0]]) - normaliser
            return
        index = self._of[branch.number]
        tokens = self._continuations[index]
        self._position[branch.number] += 1
        self._sums[index] += float(logits[tokens[self._position[branch.number]]]) - normaliser

    def settle(self) -> None:
        root = self.branches[0]
        for branch in self.branches[1:]:
            self.memory.drop(branch)
        self._of.clear()
        self._position.clear()
        size = len(self.prompt)
        if not self._left:
            pairs = zip(self._sums, self._continuations, strict=True)
            usage = Usage(
                prompt_tokens=len(self.prompt),
                cached_tokens=self.cached,
                new_tokens=sum(map(len, self._continuations)),
                first_token_s=round(self._first_at - self._started, 6),
            )
            values = tuple(Scored(logprob=total, tokens=len(tokens)) for total, tokens in pairs)
            self._end(finish(Scores(values=values, usage=usage)))
            return
        if self._together == 1:
            self.memory.rewind(root, size)
            self._start(root)
            return
        for _ in range(min(self._together, len(self._left))):
            self._start(self.memory.fork(root))

    def _start(self, branch: Branch) -> None:
        index = self._left.pop()
        self._of[branch.number] = index
        self._position[branch.number] = 0
        branch.tokens += self._continuations[index][:-1]
        branch.logits_from = len(self.prompt)


class Inspection(Job):
    """The tokens of an answer with their probabilities and alternatives. Ends in ChosenTokens, the last of which
    (``token`` -1) reports the possible next tokens. Only the ``last`` tokens are reported; 0: all."""

    def __init__(
        self,
        prompt: Sequence[int],
        answer: Sequence[int],
        alternatives: int,
        last: int,
        vocabulary: Vocabulary,
        context: RequestContext,
        *,
        key: Key = (),
        background: bool = False,
    ) -> None:
        skipped = max(0, len(answer) - last) if last else 0
        tokens = [*prompt, *answer]
        super().__init__(tokens, len(prompt) - 1 + skipped, len(tokens), context, key=key, background=background)
        self._answer = list(answer)
        self._place = skipped
        self._count = min(alternatives, vocabulary.size)
        self._vocabulary = vocabulary
        self._decoder = CharacterDecoder()
        for token in self._answer[:skipped]:
            self._decoder.feed(vocabulary.piece(token, special=token in vocabulary.marks))
        self._found: list[ChosenToken] = []

    def take(self, branch: Branch, context: Any, row: int, logits: Logits) -> None:
        normaliser = exact_normaliser(logits)
        best: Any = np.empty(0, np.intp)
        if self._count:
            best = np.argpartition(logits, -self._count)[-self._count :]
            best = best[np.argsort(logits[best])[::-1]]
        alternatives = tuple(
            Alternative(token=int(t), text=self._named(int(t)), logprob=float(logits[t]) - normaliser) for t in best
        )
        if self._place == len(self._answer):
            self._found.append(ChosenToken(token=-1, text="", logprob=0.0, alternatives=alternatives))
            self._end(finish(tuple(self._found)))
            return
        token = self._answer[self._place]
        self._place += 1
        text = self._decoder.feed(self._vocabulary.piece(token, special=token in self._vocabulary.marks))
        self._found.append(
            ChosenToken(token=token, text=text, logprob=float(logits[token]) - normaliser, alternatives=alternatives)
        )

    def _named(self, token: int) -> str:
        return self._vocabulary.piece(token, special=True).decode("utf-8", "replace")


class TextScoring(Job):
    """The perplexity of a text, as llama.cpp's llama-perplexity computes it; ends in a TextScore.

    The text's tokens, with ``first`` (the model's BOS token, if it has one) before them, are cut into windows of
    ``window``; a remainder is not counted. Each window is computed by itself, with its first token replaced by
    ``first``; the tokens of its second half are counted, each given all before it in the window. Raises UserError when
    the window is too short for that or the text for two of them.
    """

    def __init__(
        self,
        tokens: Sequence[int],
        window: int,
        first: int | None,
        context: RequestContext,
        *,
        key: Key = (),
        background: bool = True,
    ) -> None:
        if window < SHORTEST_WINDOW:
            raise errors.UserError(
                f"A window of {window:,} tokens is too short for a perplexity.",
                f"Set a window of at least {SHORTEST_WINDOW} tokens; 512 is usual.",
            )
        whole = [*([] if first is None else [first]), *tokens]
        self._windows = [whole[at : at + window] for at in range(0, len(whole) - window + 1, window)]
        if len(self._windows) < 2:
            raise errors.UserError(
                f"The text has {len(whole):,} tokens; a perplexity needs at least two windows of {window:,}.",
                "Take a longer text or a shorter window.",
            )
        if first is not None:
            for tokens_of_it in self._windows:
                tokens_of_it[0] = first
        self._half = window // 2
        super().__init__(self._windows[0], self._half, window, context, key=key, background=background)
        self._current = 0
        self._place = self._half
        self._losses: list[float] = []

    def begin(self) -> None:
        self._put(Progress(stage="measuring", done=0, total=len(self._windows), unit="windows"))

    def take(self, branch: Branch, context: Any, row: int, logits: Logits) -> None:
        self._place += 1
        if self._place < len(branch.tokens):  # nothing is known after the last token
            self._losses.append(exact_normaliser(logits) - float(logits[branch.tokens[self._place]]))

    def settle(self) -> None:
        self._current += 1
        self._put(Progress(stage="measuring", done=self._current, total=len(self._windows), unit="windows"))
        if self._current == len(self._windows):
            losses = np.array(self._losses)
            perplexity = math.exp(losses.mean())
            self._end(
                finish(
                    TextScore(
                        perplexity=perplexity,
                        error=perplexity * float(losses.std(ddof=1)) / math.sqrt(len(losses)),
                        tokens=len(losses),
                        windows=len(self._windows),
                    )
                )
            )
            return
        root = self.branches[0]
        self.memory.rewind(root, 0)
        root.tokens += self._windows[self._current]
        root.logits_from = self._place = self._half
