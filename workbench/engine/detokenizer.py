"""Detokenizer: the tokens of one sequence as text, with thoughts separated from the answer and stop strings applied.

Text is sent in pieces of about ``LONGEST_DELAY_S``: each piece costs a line of JSON and its way to the window. Where no
stop string can end the answer, tokens are decoded in such pieces too: Python code that runs right after a model's token
misses the processor's caches, and takes a third of the time for five tokens together.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from workbench.api.events import Event, TextDelta, Thought
from workbench.engine.inference_calls import GeneratedSequence
from workbench.engine.prompt import Prompt
from workbench.engine.reasoning_parser import MARKS, ThoughtSplitter
from workbench.engine.text import CharacterDecoder, StopFinder
from workbench.engine.vocabulary import Vocabulary
from workbench.records.messages import Finish

LONGEST_DELAY_S = 0.045


class Detokenizer:
    """Detokenizes sequence number ``sequence`` of the answers to ``prompt``; text events go to ``send``.

    Without ``send`` the text is only in the result. ``assistant_start`` is the text at the end of the prompt with which
    the answer begins.
    """

    def __init__(
        self,
        prompt: Prompt,
        stop: Sequence[str],
        vocabulary: Vocabulary,
        send: Callable[[Event], None] | None,
        *,
        sequence: int = 0,
        assistant_start: str = "",
    ) -> None:
        self.tokens: list[int] = []
        self.logprobs: list[float] = []
        self._sequence = sequence
        self._send = send
        self._vocabulary = vocabulary
        self._shown_specials = vocabulary.marks
        self._decoder = CharacterDecoder()
        self._splitter = ThoughtSplitter(prompt.opened, () if assistant_start else MARKS)
        stops = [*stop, *prompt.stops]
        self._stops = StopFinder(stops)
        self._reads_at_once = any(stops)
        self._unread = list[int]()
        self._strips_start = prompt.strips_start
        self._text, self._thought = list[str](), list[str]()
        self._waiting_text, self._waiting_thought = assistant_start, ""
        self._held_since = self._last_at = 0.0

    def feed(self, token: int, logprob: float, now: float = 0.0) -> bool:
        """Add the next token; True when it completes a stop string. ``now``: seconds, for sending in time."""
        self.tokens.append(token)
        self.logprobs.append(logprob)
        self._unread.append(token)
        if self._reads_at_once and self._read():
            return True
        if self._send is not None:
            now = now or time.perf_counter()
            self._held_since = self._held_since or now
            # it can wait for the next token, which takes about as long as this one
            if now - self._held_since + (now - self._last_at) > LONGEST_DELAY_S:
                self.flush()
            self._last_at = now
        return False

    def finish(self, reason: Finish, score: float | None = None) -> GeneratedSequence:
        """Send the rest and return the sequence. ``score`` defaults to the mean log-probability."""
        self._read()
        if reason != "stop":
            for kind, part in self._splitter.finish():
                if kind == "thought":
                    self._waiting_thought += part
                else:
                    shown, stopped = self._stops.feed(part)
                    self._show(shown)
                    reason = "stop" if stopped else reason
            self._show(self._stops.finish())
        self.flush()
        mean = sum(self.logprobs) / len(self.tokens) if self.tokens else None
        return GeneratedSequence(
            text="".join(self._text),
            thought="".join(self._thought),
            finish=reason,
            tokens=tuple(self.tokens),
            mean_logprob=mean,
            spelled=self._spelled(),
            score=mean if score is None else score,
        )

    def _spelled(self) -> tuple[tuple[str, float], ...]:
        """The tokens that were chosen, as text: given ones have a log-probability of 0."""
        if self._thought:
            return ()
        chosen = [pair for pair in zip(self.tokens, self.logprobs, strict=True) if pair[1]]
        return tuple((self._vocabulary.text([token]), round(logprob, 4)) for token, logprob in chosen)

    def flush(self) -> None:
        """Send the pending text."""
        self._read()
        self._held_since = 0.0
        if self._waiting_thought:
            self._thought.append(self._waiting_thought)
            if self._send is not None:
                self._send(Thought(text=self._waiting_thought, sequence=self._sequence, tokens=len(self.tokens)))
            self._waiting_thought = ""
        if self._waiting_text:
            self._text.append(self._waiting_text)
            if self._send is not None:
                self._send(TextDelta(text=self._waiting_text, sequence=self._sequence, tokens=len(self.tokens)))
            self._waiting_text = ""

    def _read(self) -> bool:
        """Decode the pending tokens; True when the answer contains a stop string."""
        if not self._unread:
            return False
        specials = self._shown_specials
        pieces = [self._vocabulary.piece(token, special=token in specials) for token in self._unread]
        self._unread.clear()
        text = self._decoder.feed(b"".join(pieces))
        for kind, part in self._splitter.feed(text):
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
