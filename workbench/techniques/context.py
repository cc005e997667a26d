"""The context of an answering method: a model, perhaps documents, the decoding, and steps to report.

A method generates through ``AnswerContext.generate``, which reports each generation as a step.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, cast

import msgspec

from workbench.api import events
from workbench.api.answer_state import replay_step
from workbench.api.events import Event, StepFinished, StepStarted
from workbench.api.protocol import RequestContext
from workbench.backends.backend import ModelBackend
from workbench.base import errors
from workbench.engine.inference_calls import (
    AssistantStart,
    Generate,
    Generated,
    RewardText,
    Score,
    Scores,
)
from workbench.records.exam import ExamResult
from workbench.records.messages import Message, Usage
from workbench.records.recipes import LARGEST_SEED, DecodingPart
from workbench.records.trace import TokenIds, TraceStep
from workbench.techniques.agent_session import AgentSession
from workbench.techniques.embedding_calls import Retriever
from workbench.techniques.reported_generation import ReportedGeneration
from workbench.techniques.services import Helpers


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """One of several generations that begin together: ``title``, ``kind``, ``input`` and ``parent`` are its step's, the
    rest is as in ``inference_calls.Generate``."""

    messages: Sequence[Message] = ()
    title: str
    kind: str = "generation"
    input: str = ""
    parent: str = ""
    decoding: DecodingPart | None = None
    assistant_start: AssistantStart = ""
    prompt: Sequence[int] = ()
    append: str = ""
    answer: Sequence[int] = ()
    tools: Sequence[dict[str, Any]] = ()


class ScoreAsk(msgspec.Struct, frozen=True, kw_only=True):
    """One of several scorings that begin together; as ``Ask`` and ``inference_calls.Score``."""

    messages: Sequence[Message] = ()
    continuations: Sequence[str]
    title: str
    input: str = ""
    parent: str = ""
    assistant_start: AssistantStart = ""
    prompt: Sequence[int] = ()
    answer: Sequence[int] = ()
    tools: Sequence[dict[str, Any]] = ()


class SavedSections(Protocol):
    """The finished sections of a task, kept where a later attempt finds them."""

    def find(self, key: str) -> Generated | None: ...

    def add(self, key: str, made: Generated) -> None: ...


class Step:
    """A step of an answer: yield ``started``, do the work, yield ``finished(...)``::

        step = context.step("critic", "Critique the draft", draft)
        yield step.started
        verdict = yield from context.inside(step).generate(messages, title="Critique", quiet=True)
        yield step.finished(verdict.text, score=grade)

    An exception may leave a step unfinished: it counts as stopped.
    """

    def __init__(self, started: StepStarted) -> None:
        self.started = started
        self._began = time.monotonic()

    @property
    def id(self) -> str:
        return self.started.step

    def finished(
        self,
        output: str = "",
        *,
        score: float | None = None,
        usage: Usage | None = None,
        error: str = "",
        tokens: TokenIds | None = None,
    ) -> StepFinished:
        """Its end; ``usage`` without that of the steps inside it."""
        seconds = time.monotonic() - self._began
        return StepFinished(
            step=self.id, output=output, score=score, usage=usage, error=error, seconds=seconds, tokens=tokens
        )


@dataclass
class Progress:
    """How far an answer is, shared by the contexts of all its steps: the ``notices`` beside it, once each, and what
    numbers its next step and its next generation."""

    notices: list[str] = field(default_factory=list)
    steps: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    generations: Iterator[int] = field(default_factory=itertools.count)


@dataclass(frozen=True)
class AnswerContext:
    """``retriever`` is the recipe's collection, None without one. ``decoding`` shapes each generation. ``cancelled``
    may be asked at any time. ``parent`` is the step in which the next ones are, "" for none. ``saved`` keeps the
    sections of a task on a document, where it can be resumed. ``exam`` is that of the model as the recipe uses it.
    ``helpers`` is what the program offers to every technique, ``agent`` what tools and resumed answers need.
    """

    model: ModelBackend
    retriever: Retriever | None
    cancelled: Callable[[], bool]
    decoding: DecodingPart = field(default_factory=DecodingPart)
    parent: str = ""
    saved: SavedSections | None = None
    exam: ExamResult | None = None
    helpers: Helpers = field(default_factory=Helpers)
    agent: AgentSession = field(default_factory=AgentSession)
    progress: Progress = field(default_factory=Progress, repr=False)

    @property
    def notices(self) -> tuple[str, ...]:
        """What was said beside the answer so far."""
        return tuple(self.progress.notices)

    def generate(
        self,
        messages: Sequence[Message],
        *,
        title: str = "Answer",
        kind: str = "generation",
        input: str = "",
        quiet: bool = False,
        decoding: DecodingPart | None = None,
        assistant_start: AssistantStart = "",
        tools: Sequence[dict[str, Any]] = (),
        limit: RequestContext | None = None,
        plain: bool = False,
    ) -> Generator[Event, None, Generated]:
        """One generation, as a step; returns what was generated. The recipe's ``decoding`` shapes it unless another is
        given; each generation of an answer draws with a seed of its own. ``tools`` are described in the prompt;
        cancelling ``limit`` stops it. ``plain`` continues the messages' texts, without the chat template.

        The text is the answer's, or with ``quiet`` that of the step alone. Raises errors.Cancelled when a quiet
        generation was cancelled; another one returns with ``finish="cancelled"`` and the text so far.
        """
        self.raise_if_cancelled()
        part = self._seeded(decoding or self.decoding)
        step = self.step(kind, title, input, writes_answer=not quiet)
        if limit is None and not plain:
            stream = self.model.generate(messages, part, assistant_start, tools)
        else:
            more: dict[str, Any] = {"messages": tuple(messages), "decoding": part, "tools": tuple(tools)}
            call = Generate(assistant_start=assistant_start, plain=plain, **more)
            stream = (event for _, event in self.model.generate_many((call,), limit or RequestContext()))
        generated = yield from self.report(stream, step, quiet=quiet)
        if quiet and generated.finish == "cancelled":
            raise errors.Cancelled
        return generated

    def _seeded(self, part: DecodingPart) -> DecodingPart:
        """The decoding of the next generation, with a seed of its own."""
        number = next(self.progress.generations)
        if part.seed < 0:
            return part
        return msgspec.structs.replace(part, seed=(part.seed + number) % (LARGEST_SEED + 1))

    def reuse(
        self, made: Generated, *, title: str, kind: str, input: str, quiet: bool
    ) -> Generator[Event, None, Generated]:
        """As ``generate``, of what an earlier attempt has generated."""
        next(self.progress.generations)  # the seeds of the next ones stay as they were
        step = self.step(kind, title, input, writes_answer=not quiet)
        yield step.started
        yield events.TextDelta(text=made.text, step=step.id if quiet else "")
        yield step.finished(made.text)
        return made

    def continue_from(self, prompt: Sequence[int], answer: Sequence[int]) -> Generator[Event, None, Generated]:
        """As ``generate``, after the tokens of an earlier prompt and of a partial answer, whose text comes first."""
        step = self.step("generation", "Continue the answer", writes_answer=True)
        return (yield from self.report(self.model.continue_from(prompt, answer, self.decoding), step))

    def report(self, stream: Iterator[Event], step: Step, *, quiet: bool = False) -> Generator[Event, None, Generated]:
        """Pass on a model's stream as the work of ``step``, whose end has its usage and token ids.

        A cancelled request returns with ``finish="cancelled"`` and the texts so far: the model heeds it within a token.
        Raises the exception that a failed generation means.
        """
        yield step.started
        reported = ReportedGeneration(self, step, quiet)
        with closing(cast("Generator[Event, None, None]", stream)):
            for event in stream:
                yield from reported.feed(event)
                if reported.ended:
                    break
        yield from reported.ending()
        return reported.generated()

    def generate_many(
        self,
        asks: Sequence[Ask],
        *,
        limit: RequestContext | None = None,
        watch: Callable[[int, Generated], Iterable[int]] | None = None,
    ) -> Generator[Event, None, list[Generated]]:
        """Several quiet generations that begin together, each a step: the beginnings that their prompts share are
        computed once. Each draws with a seed of its own.

        ``watch`` is told of each generation that ends, by its place, and returns the places of those to be stopped;
        cancelling ``limit`` stops all. What was stopped has ``finish="cancelled"`` and the text so far. Raises
        errors.Cancelled when the request was cancelled, and what a failed generation means.
        """
        self.raise_if_cancelled()
        limit = limit or RequestContext()
        steps = [self.step(ask.kind, ask.title, ask.input, parent=ask.parent) for ask in asks]
        reported = [ReportedGeneration(self, step, True) for step in steps]
        for step in steps:
            yield step.started
        calls = [
            Generate(
                messages=tuple(ask.messages),
                decoding=self._seeded(ask.decoding or self.decoding),
                assistant_start=ask.assistant_start,
                prompt=tuple(ask.prompt),
                append=ask.append,
                answer=tuple(ask.answer),
                tools=tuple(ask.tools),
            )
            for ask in asks
        ]
        with closing(cast("Generator[tuple[int, Event], None, None]", self.model.generate_many(calls, limit))) as all_:
            for place, event in all_:
                one = reported[place]
                if one.ended:
                    continue
                yield from one.feed(event)
                if one.ended:
                    yield from one.ending()
                    for other in watch(place, one.generated()) if watch is not None else ():
                        limit.part(other).cancel()
        self.raise_if_cancelled()
        return [one.generated() for one in reported]

    def score_many(
        self, asks: Sequence[ScoreAsk], value: Callable[[Scores], float], *, limit: RequestContext | None = None
    ) -> Generator[Event, None, list[Scores]]:
        """The log-probabilities of each ask's continuations, each a step with ``value`` as its score: the beginnings
        that the prompts share are computed once.

        Raises errors.Cancelled when the request, or ``limit``, was cancelled.
        """
        self.raise_if_cancelled()
        steps = [self.step("score", ask.title, ask.input, parent=ask.parent) for ask in asks]
        for step in steps:
            yield step.started
        calls = [
            Score(
                messages=tuple(ask.messages),
                continuations=tuple(ask.continuations),
                assistant_start=ask.assistant_start,
                prompt=tuple(ask.prompt),
                answer=tuple(ask.answer),
                tools=tuple(ask.tools),
            )
            for ask in asks
        ]
        scored = self.model.score_many(calls, limit or RequestContext())
        for step, ask, scores in zip(steps, asks, scored, strict=True):
            shares = scores.probabilities()
            output = " · ".join(f"{name.strip()} {p:.0%}" for name, p in zip(ask.continuations, shares, strict=True))
            yield step.finished(output, score=value(scores), usage=scores.usage)
        return scored

    def score_rewards(
        self, name: str, messages: Sequence[Message], answers: Sequence[str], *, title: str
    ) -> Generator[Event, None, list[float]]:
        """The score of each answer by the reward model of that name, as one step. Raises UserError where it does not
        fit the model."""
        self.raise_if_cancelled()
        use = self.helpers.reward_model(name)
        step = self.step("score", title, name)
        yield step.started
        texts = [RewardText(messages=tuple(messages), answer=answer) for answer in answers]
        scores = self.model.score_rewards(use, texts, RequestContext())
        yield step.finished(" · ".join(f"{score:.2f}" for score in scores), score=max(scores, default=None))
        return scores

    def note(self, text: str) -> Iterator[Event]:
        """Say something about the answer beside it, once."""
        if text not in self.progress.notices:
            self.progress.notices.append(text)
            yield events.Log(text=text, level="notice")

    def step(self, kind: str, title: str, input: str = "", *, parent: str = "", writes_answer: bool = False) -> Step:
        """A new step that begins now; its fields are those of ``TraceStep``."""
        name, inside = str(next(self.progress.steps)), parent or self.parent
        return Step(
            StepStarted(step=name, parent=inside, kind=kind, title=title, input=input, writes_answer=writes_answer)
        )

    def inside(self, step: Step) -> AnswerContext:
        """The same context for work within a step: the steps that it opens are children of that one."""
        return replace(self, parent=step.id)

    def repeat(self, steps: Sequence[TraceStep]) -> Iterator[Event]:
        """Earlier steps of this answer as they were, under their ids, before any step of this run: the trace of an
        answer that goes on holds them. One without an end stays open; ``reopened`` ends it."""
        for step in steps:
            yield from replay_step(step)
        last = max((int(step.id) for step in steps if step.id.isdecimal()), default=0)
        while last and next(self.progress.steps) < last:
            pass

    def reopened(self, step: TraceStep) -> Step:
        """A repeated step that is still open, to be ended."""
        return Step(StepStarted(step=step.id, parent=step.parent, kind=step.kind, title=step.title, input=step.input))

    def raise_if_cancelled(self) -> None:
        """Raises errors.Cancelled once the request was cancelled."""
        if self.cancelled():
            raise errors.Cancelled
