"""The budget of a reasoning strategy or an agent: thoughts, generated tokens and seconds that are never exceeded.

A generation gets at most the tokens that are left, several together at most their share. The clock stops what runs.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Any, Literal, TypeVar

import msgspec

from workbench.api.events import Event, TextDelta
from workbench.api.protocol import RequestContext
from workbench.base.errors import Cancelled
from workbench.base.fields import about
from workbench.engine.inference_calls import AssistantStart, Generated, Scores
from workbench.records.messages import Message
from workbench.records.recipes import DecodingPart
from workbench.techniques.context import AnswerContext, Ask, ScoreAsk

What = Literal["thoughts", "tokens", "seconds"]
_T = TypeVar("_T")

FEWEST_TOKENS = 4
"""A generation that could not have so many tokens is not begun."""


class Budgeted(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The settings that all strategies of several generations have."""

    max_nodes: Annotated[
        int,
        about("Maximum thoughts", ge=1, le=500, advanced=True),
        "The technique generates at most this many thoughts, drafts or samples.",
    ] = 60
    max_tokens_total: Annotated[
        int,
        about("Maximum tokens", ge=16, le=100_000, unit="tokens", advanced=True),
        "All steps together generate at most this many tokens.",
    ] = 4000
    seconds: Annotated[
        int,
        about("Maximum time", ge=1, le=3600, unit="s", advanced=True),
        "After this time, the best result so far is given as the answer.",
    ] = 120


class Exhausted(Exception):
    """A budget is used up before anything more was begun."""

    def __init__(self, what: What) -> None:
        super().__init__(f"the budget of {what} is used up")
        self.what = what


class Budget:
    """What an answer has spent: ``nodes`` thoughts and ``tokens`` generated or scored tokens.

    ``answer_tokens`` and ``answer_seconds`` are reserved for the final answer: only ``write`` uses them.
    """

    def __init__(
        self,
        options: Budgeted,
        context: AnswerContext,
        clock: Callable[[], float] = time.monotonic,
        *,
        answer_tokens: int = 0,
        answer_seconds: float = 0.0,
    ) -> None:
        self.options = options
        self.answer_tokens, self.answer_seconds = answer_tokens, answer_seconds
        self.nodes = self.tokens = 0
        self._context = context
        self._clock = clock
        self._began = clock()

    @property
    def nodes_left(self) -> int:
        return max(0, self.options.max_nodes - self.nodes)

    @property
    def tokens_left(self) -> int:
        return max(0, self.options.max_tokens_total - self.tokens)

    @property
    def seconds_left(self) -> float:
        return self.options.seconds - (self._clock() - self._began)

    def describe(self, what: What) -> str:
        """What is said beside an answer that was cut short."""
        most = {
            "thoughts": f"{self.options.max_nodes:,} thoughts",
            "tokens": f"{self.options.max_tokens_total:,} tokens",
            "seconds": f"{self.options.seconds:,} seconds",
        }[what]
        return f"The budget of {most} was used up: the answer is the best so far."

    def take_nodes(self, wanted: int) -> int:
        """Count thoughts as made; returns how many of those wanted there may be. Raises Exhausted for none."""
        able = min(wanted, self.nodes_left)
        if wanted and not able:
            raise Exhausted("thoughts")
        self.nodes += able
        return able

    def generate(
        self,
        asks: Sequence[Ask],
        *,
        context: AnswerContext | None = None,
        counts: bool = True,
        reserve: int = 0,
        watch: Callable[[int, Generated], Iterable[int]] | None = None,
    ) -> Generator[Event, None, list[Generated]]:
        """As ``AnswerContext.generate_many``, of as many asks as the budget allows, the first ones. Each ``counts`` as
        a thought. ``reserve`` tokens are left for later. What the clock stopped has ``finish="cancelled"``.

        Raises Exhausted when not even one may begin.
        """
        self._check_time(self.answer_seconds)
        free = self.tokens_left - max(reserve, self.answer_tokens)
        able = min(len(asks), free // FEWEST_TOKENS, self.nodes_left if counts else len(asks))
        if able <= 0:
            raise Exhausted("tokens" if free < FEWEST_TOKENS else "thoughts")
        self.nodes += able if counts else 0
        context = context or self._context
        shared = [self._limited(ask, free // able, context) for ask in asks[:able]]
        with self._clocked(self.answer_seconds) as limit:
            made = yield from context.generate_many(shared, limit=limit, watch=watch)
        self.tokens += sum(one.usage.new_tokens for one in made)
        return made

    def generate_one(
        self, ask: Ask, *, context: AnswerContext | None = None, counts: bool = True, reserve: int = 0
    ) -> Generator[Event, None, Generated]:
        (made,) = yield from self.generate((ask,), context=context, counts=counts, reserve=reserve)
        return made

    def score(
        self,
        asks: Sequence[ScoreAsk],
        value: Callable[[Scores], float],
        *,
        context: AnswerContext | None = None,
    ) -> Generator[Event, None, list[Scores]]:
        """As ``AnswerContext.score_many``, of as many asks as the budget allows, the first ones. Raises Exhausted when
        not even one may begin, or when the time ran out meanwhile."""
        self._check_time(self.answer_seconds)
        context = context or self._context
        costs = [sum(context.model.count_tokens(ask.continuations)) for ask in asks]
        able = 0
        while able < len(asks) and sum(costs[: able + 1]) <= self.tokens_left - self.answer_tokens:
            able += 1
        if asks and not able:
            raise Exhausted("tokens")
        try:
            with self._clocked(self.answer_seconds) as limit:
                scored = yield from context.score_many(asks[:able], value, limit=limit)
        except Cancelled:
            if context.cancelled():
                raise
            raise Exhausted("seconds") from None
        self.tokens += sum(one.usage.new_tokens for one in scored)
        return scored

    def write(
        self,
        messages: Sequence[Message],
        *,
        title: str = "Answer",
        decoding: DecodingPart | None = None,
        assistant_start: AssistantStart = "",
        tools: Sequence[dict[str, Any]] = (),
        context: AnswerContext | None = None,
    ) -> Generator[Event, None, Generated]:
        """The final answer, which streams, with all the tokens and seconds that are left; one that the clock stopped
        has ``finish="length"``. Raises Exhausted when it may not begin."""
        self._check_time(0.0)
        if self.tokens_left < FEWEST_TOKENS:
            raise Exhausted("tokens")
        context = context or self._context
        part = decoding or context.decoding
        part = msgspec.structs.replace(part, max_tokens=min(part.max_tokens, self.tokens_left // max(1, part.n)))
        with self._clocked(0.0) as limit:
            made = yield from context.generate(
                messages, title=title, decoding=part, assistant_start=assistant_start, tools=tools, limit=limit
            )
        self.tokens += made.usage.new_tokens
        if made.finish != "cancelled" or context.cancelled():
            return made
        sequences = tuple(msgspec.structs.replace(one, finish="length") for one in made.sequences)
        return msgspec.structs.replace(made, finish="length", sequences=sequences)

    def _limited(self, ask: Ask, tokens: int, context: AnswerContext) -> Ask:
        part = ask.decoding or context.decoding
        return msgspec.structs.replace(
            ask, decoding=msgspec.structs.replace(part, n=1, max_tokens=min(part.max_tokens, tokens))
        )

    def _check_time(self, reserve: float) -> None:
        if self.seconds_left <= reserve:
            raise Exhausted("seconds")

    @contextmanager
    def _clocked(self, reserve: float) -> Iterator[RequestContext]:
        """What is cancelled when the time is up, but for the reserved seconds."""
        limit = RequestContext()
        timer = threading.Timer(max(0.0, self.seconds_left - reserve), limit.cancel)
        timer.daemon = True
        timer.start()
        try:
            yield limit
        finally:
            timer.cancel()


def mirrored(stream: Generator[Event, None, _T], copy: Callable[[str], Event]) -> Generator[Event, None, _T]:
    """Pass on a stream whose steps' text is also shown by itself, as the answer's thought or text."""
    while True:
        try:
            event = next(stream)
        except StopIteration as end:
            result: _T = end.value
            return result
        yield event
        if isinstance(event, TextDelta) and event.step and event.sequence == 0:
            yield copy(event.text)
