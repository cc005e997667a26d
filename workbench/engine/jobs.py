"""What the engine's loop computes: one job is one sequence of tokens and what is made of its logits.

A job says which tokens are to be in the model's memory and from which position on it wants logits; the loop computes
them, together with other jobs', and hands the logits over row by row. Jobs know nothing of batches and slots.
"""

from __future__ import annotations

import queue
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from workbench import errors
from workbench.engine.prompt import Prompt
from workbench.engine.protocol import Generated, Scored
from workbench.engine.sampler import Logits, LogProbabilities, Sampler, exact_normaliser
from workbench.engine.text import CharacterDecoder, StopFinder
from workbench.engine.thoughts import MARKS, ThoughtSplitter
from workbench.engine.vocabulary import Vocabulary
from workbench.events import TERMINAL, Cancelled, Event, TextDelta, Thought
from workbench.messages import Finish, Usage
from workbench.protocol import RequestContext, finish
from workbench.recipes import DecodingPart

LONGEST_DELAY_S = 0.02
"""How long a piece of text may wait for the next one, to share its line and its way to the window."""


class Job(ABC):
    """``tokens`` are to be computed; logits are wanted of those at ``wanted_from`` and after.

    ``room`` is how many tokens its sequence can come to have. ``cached`` is how many of its first tokens were
    in the model's memory already.
    """

    def __init__(self, tokens: Sequence[int], wanted_from: int, room: int, context: RequestContext) -> None:
        self.tokens = list(tokens)
        self.wanted_from = wanted_from
        self.room = room
        self.cached = 0
        self.done = False
        self._context = context
        self._outbox: queue.SimpleQueue[Event | BaseException] = queue.SimpleQueue()

    @property
    def cancelled(self) -> bool:
        return self._context.cancelled

    @property
    def keepable(self) -> int:
        """How many of the first tokens may be taken from the model's memory: logits come from computing only."""
        return self.wanted_from

    def events(self) -> Iterator[Event]:
        """What comes of it, for whoever asked, ending in one terminal event. Raises what made it fail."""
        while True:
            item = self._outbox.get()
            if isinstance(item, BaseException):
                raise item
            yield item
            if isinstance(item, TERMINAL):
                return

    def fail(self, error: BaseException) -> None:
        """End it with an exception."""
        self._end(error)

    @abstractmethod
    def take(self, model_context: Any, row: int, logits: Logits) -> None:
        """Logits of shape (vocabulary,) after the next wanted token, which is ``row`` of the last batch."""

    @abstractmethod
    def cancel(self) -> None:
        """End it as cancelled."""

    def advance(self) -> bool:
        """Called when all of ``tokens`` are computed. True: ``tokens`` was replaced and begins anew."""
        return False

    def _put(self, event: Event) -> None:
        self._outbox.put(event)

    def _end(self, last: Event | BaseException) -> None:
        self.done = True
        self.release()
        self._outbox.put(last)

    def release(self) -> None:  # noqa: B027 - most jobs hold nothing
        """Free what the job holds of llama.cpp."""


class Generation(Job):
    """Goes on with a prompt, token by token; streams Thought and TextDelta; ends in a Generated."""

    def __init__(
        self,
        prompt: Prompt,
        decoding: DecodingPart,
        assistant_start: str,
        vocabulary: Vocabulary,
        context_tokens: int,
        context: RequestContext,
        started: float,
    ) -> None:
        self._limit = min(decoding.max_tokens, context_tokens - len(prompt.tokens))
        size = len(prompt.tokens)
        super().__init__(prompt.tokens, size - 1, size + self._limit, context)
        self._prompt = prompt
        self._vocabulary = vocabulary
        self._sampler = Sampler(decoding)
        self._probabilities = LogProbabilities(vocabulary.size)
        self._shown_specials = _mark_tokens(vocabulary)
        self._decoder = CharacterDecoder()
        self._splitter = ThoughtSplitter(prompt.opened, () if assistant_start else MARKS)
        self._stops = StopFinder([*decoding.stop, *prompt.stops])
        self._strips_start = prompt.strips_start
        self._text, self._thought = list[str](), list[str]()
        self._waiting_text, self._waiting_thought = assistant_start, ""
        self._logprob_sum = 0.0
        self._new_tokens = 0
        self._started = started
        self._first_at = self._last_at = self._held_since = 0.0

    def take(self, model_context: Any, row: int, logits: Logits) -> None:
        normaliser = self._probabilities.normaliser(logits)
        token, logit = self._sampler.choose(model_context, row, logits)
        now = time.perf_counter()
        interval = now - self._last_at
        self._last_at = now
        if not self._first_at:
            self._first_at = now
        if self._vocabulary.ends_generation(token):
            self._finish("eos")
            return
        self._new_tokens += 1
        self._logprob_sum += logit - normaliser
        piece = self._vocabulary.piece(token, special=token in self._shown_specials)
        if self._read(self._decoder.feed(piece)):
            self._finish("stop")
        elif self._new_tokens >= self._limit:
            self._finish("length")
        else:
            self.tokens.append(token)
            self._flush_in_time(now, interval)

    def cancel(self) -> None:
        self._finish("cancelled")

    def release(self) -> None:
        self._sampler.close()

    def _read(self, text: str) -> bool:
        """Take in new text; True when a stop string was found in the answer."""
        for kind, part in self._splitter.feed(text) if text else ():
            if kind == "thought":
                self._waiting_thought += part
            else:
                shown, stopped = self._stops.feed(part)
                self._show(shown)
                if stopped:
                    return True
        return False

    def _show(self, text: str) -> None:
        if self._strips_start:
            text = text.lstrip()
            self._strips_start = not text
        self._waiting_text += text

    def _flush_in_time(self, now: float, interval: float) -> None:
        """Send what waits, unless it can wait for the next token, which comes after about ``interval`` seconds."""
        if self._waiting_text or self._waiting_thought:
            self._held_since = self._held_since or now
            if now - self._held_since + interval > LONGEST_DELAY_S:
                self._flush()

    def _flush(self) -> None:
        self._held_since = 0.0
        if self._waiting_thought:
            self._put(Thought(text=self._waiting_thought))
            self._thought.append(self._waiting_thought)
            self._waiting_thought = ""
        if self._waiting_text:
            self._put(TextDelta(text=self._waiting_text))
            self._text.append(self._waiting_text)
            self._waiting_text = ""

    def _finish(self, reason: Finish) -> None:
        if reason != "stop":
            for kind, part in self._splitter.finish():
                if kind == "thought":
                    self._waiting_thought += part
                else:
                    shown, stopped = self._stops.feed(part)
                    self._show(shown)
                    reason = "stop" if stopped else reason
            self._show(self._stops.finish())
        self._flush()
        taken = self._last_at - self._first_at
        result = Generated(
            text="".join(self._text),
            thought="".join(self._thought),
            finish=reason,
            usage=Usage(
                prompt_tokens=len(self._prompt.tokens),
                cached_tokens=self.cached,
                new_tokens=self._new_tokens,
                first_token_s=round(self._first_at - self._started, 6) if self._first_at else 0.0,
                tokens_per_s=round((self._new_tokens - 1) / taken, 3) if taken > 0 and self._new_tokens > 1 else 0.0,
            ),
            dropped_turns=self._prompt.dropped_turns,
            mean_logprob=self._logprob_sum / self._new_tokens if self._new_tokens else None,
            seed=self._sampler.seed,
        )
        if reason == "cancelled":
            self._end(Cancelled(result=msgspec.to_builtins(result)))
        else:
            self._end(finish(result))


class Scoring(Job):
    """Sums the log-probabilities of continuations of one prompt, which is computed once; ends in Scored values.

    ``room`` is the prompt with the longest continuation.
    """

    def __init__(self, prompt: Sequence[int], continuations: Sequence[Sequence[int]], context: RequestContext) -> None:
        longest = max((len(tokens) for tokens in continuations), default=0)
        super().__init__(prompt, len(prompt) - 1, len(prompt) + longest, context)
        self._prompt = list(prompt)
        self._continuations = [list(tokens) for tokens in continuations]
        self._sums = [0.0] * len(self._continuations)
        self._current = -1  # the prompt itself comes first
        self._position = 0

    def take(self, model_context: Any, row: int, logits: Logits) -> None:
        normaliser = exact_normaliser(logits)
        if self._current < 0:  # after the prompt: the first token of each continuation
            for index, tokens in enumerate(self._continuations):
                if tokens:
                    self._sums[index] += float(logits[tokens[0]]) - normaliser
            return
        self._position += 1
        token = self._continuations[self._current][self._position]
        self._sums[self._current] += float(logits[token]) - normaliser

    def advance(self) -> bool:
        self._current += 1
        while self._current < len(self._continuations) and len(self._continuations[self._current]) < 2:
            self._current += 1
        if self._current < len(self._continuations):
            self._position = 0
            self.tokens = self._prompt + self._continuations[self._current][:-1]
            self.wanted_from = len(self._prompt)
            return True
        scored = tuple(
            Scored(logprob=total, tokens=len(tokens))
            for total, tokens in zip(self._sums, self._continuations, strict=True)
        )
        self._end(finish(scored))
        return False

    def cancel(self) -> None:
        self._end(errors.Cancelled())


def _mark_tokens(vocabulary: Vocabulary) -> frozenset[int]:
    """Control tokens that are (part of) the marks of thoughts: their text has to be seen to be understood."""
    marks = "".join(text for mark in MARKS for text in mark)
    return frozenset(vocabulary.specials_of(vocabulary.tokenize(marks, special=True)))
