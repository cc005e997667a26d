"""One answer of an agent while it is made: its budget, its earlier steps, its generations and its end.

The methods share it: what they think, choose and write goes through here, so that it is counted and recorded. Tool
calls go through its ``executor`` (``tool_execution.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace

import msgspec

from workbench.api import events
from workbench.api.events import Event
from workbench.backends.backend import has_fewer_parameters
from workbench.base import errors
from workbench.engine.inference_calls import Generated, Scores
from workbench.records.agents import ToolCall
from workbench.records.messages import Message
from workbench.techniques.agents.agent import FINAL, Agent, Lookup, Outcome
from workbench.techniques.agents.calling import Caller, agent_budget, caller_for
from workbench.techniques.agents.compaction import SUMMARY_TOKENS, compact
from workbench.techniques.agents.demonstrations import SMALL, nearest, possible, shown
from workbench.techniques.agents.protocol import ProtocolFilter, without_protocol
from workbench.techniques.agents.steps import DRAFT, EXAMPLES, SUMMARY, Recorded
from workbench.techniques.agents.tool_execution import ToolExecutor, Waiting
from workbench.techniques.agents.tool_results import (
    GIVEN,
    Result,
    computed,
    in_form,
    quoted,
    remark_on,
    results_in,
    stating,
    unused,
)
from workbench.techniques.budget import FEWEST_TOKENS, Exhausted
from workbench.techniques.context import AnswerContext, Ask, ScoreAsk, Step
from workbench.techniques.streaming import Editor, Unchanged
from workbench.techniques.tools.tool import Tool, ToolOutput

NO_CALL = "No tool was called: the answer is the model's own."
PROTOCOL = "The model went on with the protocol of its tools in the answer; that part is left out."
NO_ANSWER = "I could not find an answer within the limits of this agent."
ONLY_PLACES = "I could not finish. The last search has found: {places}"
ONLY_RESULT = "I could not finish. The last result was: {text}"
OUT_OF_STEPS = "The agent has made as many calls as it may ({steps}): it answers with what it has."
OUT_OF_BUDGET = "The agent's budget of tokens or time is used up: it answers with what it has."
ROOM = 0.7
"""The part of the context that a history may have before it is compacted."""
LEAST_SHARE = 4
"""An answer that goes on has at least this part of the agent's seconds."""


class Opened:
    """A step around others, which may be one of the earlier answer; ``ended``: it has its end already."""

    def __init__(self, step: Step, ended: bool) -> None:
        self.step = step
        self._ended = ended

    def finished(self, output: str = "", *, score: float | None = None, error: str = "") -> Iterator[Event]:
        if not self._ended:
            yield self.step.finished(output, score=score, error=error)


class Session:
    """The state of one answer. ``recorded`` are the steps of the earlier one; ``executor`` makes the tool calls.
    ``checked``: tools were used to check the answer."""

    def __init__(self, agent: Agent) -> None:
        self.agent, self.context = agent, agent.context
        self.recorded = Recorded(agent.context.agent.earlier, agent.context.agent.edit)
        part = agent.part
        left = max(part.seconds - int(self.recorded.seconds), part.seconds // LEAST_SHARE, 1)
        self.budget = agent_budget(msgspec.structs.replace(part, seconds=left), agent.context)
        self.budget.tokens += self.recorded.tokens
        self.executor = ToolExecutor(agent, self.recorded, self.budget)
        self.checked = False

    def begin(self) -> Iterator[Event]:
        """Repeat the steps that the answer goes on from."""
        yield from self.context.repeat(self.recorded.kept)

    def demonstrated(
        self, question: str, count: int, context: AnswerContext, tools: Mapping[str, Tool] | None = None
    ) -> Generator[Event, None, tuple[Message, ...]]:
        """Solved examples of calls for a small model, as turns before the conversation; () without any."""
        tools = self.agent.tools if tools is None else tools
        able = possible(tools) if count and has_fewer_parameters(context.model, SMALL) else []
        if not able:
            return ()

        def make() -> Generator[Event, None, str]:
            step = context.step(EXAMPLES, "Choose similar examples", question)
            yield step.started
            chosen = nearest(question, able, context.helpers.similarities, count)
            yield step.finished(listed := "\n".join(one.question.strip() for one in chosen))
            return listed

        listed = (yield from self.text_of(EXAMPLES, make())).splitlines()
        by_question = {one.question.strip(): one for one in able}
        chosen = [by_question[line] for line in listed if line in by_question]
        thoughts = self.agent.part.thought_tokens > 0
        return shown(chosen, tools, self.caller(context, tools), thoughts=thoughts)

    @property
    def spent(self) -> bool:
        """Whether tokens or time are used up, but for those of the final answer."""
        return (
            self.budget.tokens_left <= self.budget.answer_tokens
            or self.budget.seconds_left <= self.budget.answer_seconds
        )

    def affords(self, names: Sequence[str]) -> bool:
        """Whether there is enough left to choose among these names."""
        free = self.budget.tokens_left - self.budget.answer_tokens
        return not self.spent and sum(self.context.model.count_tokens((*names, FINAL))) <= free

    def caller(self, context: AnswerContext, tools: Mapping[str, Tool] | None = None) -> Caller:
        """How the model calls the tools, or only these, for steps within ``context``."""
        tools = self.agent.tools if tools is None else tools
        return caller_for(replace(self.agent, context=context, tools=tools), self.budget)

    # -- steps ------------------------------------------------------------------------------------

    def opened(self, kind: str, title: str, input: str, context: AnswerContext) -> Generator[Event, None, Opened]:
        """A step around others, in which what follows is done: a new one, or that of the earlier answer."""
        taken = self.recorded.take(kind)
        if taken is not None:
            return Opened(context.reopened(taken), taken.state in ("done", "failed"))
        step = context.step(kind, title, input)
        yield step.started
        return Opened(step, False)

    def text_of(self, kind: str, make: Generator[Event, None, str]) -> Generator[Event, None, str]:
        """The text of the next step of that kind: of the earlier answer, or as ``make`` makes and reports it."""
        taken = self.recorded.take(kind)
        if taken is not None:
            make.close()
            return taken.output
        return (yield from make)

    def written(self, ask: Ask, context: AnswerContext) -> Generator[Event, None, str]:
        """A quiet generation as a step of the ask's kind. Raises Exhausted."""

        def make() -> Generator[Event, None, str]:
            made = yield from self.budget.generate_one(ask, context=context, counts=False)
            return made.text

        return (yield from self.text_of(ask.kind, make()))

    def answer(
        self,
        history: tuple[Message, ...],
        thought: str,
        context: AnswerContext,
        tools: Mapping[str, Tool] | None = None,
    ) -> Generator[Event, None, Generated]:
        """The answer after some calls, with what is reserved for it. It streams, unless a tool has computed a value:
        then it is shown once it is known whether it states that."""
        tools = self.agent.tools if tools is None else tools
        free = context.decoding.format == "text"
        editor: Editor = ProtocolFilter(tools, self.agent.question) if free else Unchanged()
        results = results_in(history) or self.executor.results  # a plan's steps have made the calls before it
        waits = bool(computed(results, self.agent.asked))
        writing, raw, shown = self._writing(history, thought, context, tools), "", ""
        with closing(writing):
            while True:
                try:
                    event = next(writing)
                except StopIteration as end:
                    made: Generated = end.value
                    break
                except errors.Cancelled:
                    if waits and shown:
                        yield events.TextDelta(text=shown)
                    raise
                if not isinstance(event, events.TextDelta) or event.step:
                    yield event
                    continue
                raw += event.text
                piece = editor.feed(event.text)
                shown += piece
                if piece and not waits:
                    yield msgspec.structs.replace(event, text=piece)
        rest = ("" if raw else editor.feed(made.text)) + editor.end()
        shown += rest
        if isinstance(editor, ProtocolFilter) and editor.removed:
            yield from context.note(PROTOCOL)
        if waits and made.finish != "cancelled":
            rest = yield from self._stating(shown, results, context)
            shown = rest
        elif waits:
            rest = shown
        if rest:
            yield events.TextDelta(text=rest)
        sequences = tuple(msgspec.structs.replace(one, text=shown) for one in made.sequences[:1])
        return msgspec.structs.replace(made, text=shown, sequences=sequences)

    def _writing(
        self, history: tuple[Message, ...], thought: str, context: AnswerContext, tools: Mapping[str, Tool]
    ) -> Generator[Event, None, Generated]:
        """What the model writes as the answer."""
        if tools:
            return (yield from self.caller(context, tools).answer(history, thought))
        try:
            return (yield from self.budget.write(history, context=context))
        except Exhausted as spent:
            yield from context.note(self.budget.describe(spent.what))
            return Generated(text=self.without_model(), finish="length")

    def _stating(self, text: str, results: Sequence[Result], context: AnswerContext) -> Generator[Event, None, str]:
        """The text, so that it states what the tools have computed; a note where that takes its place."""
        state = stating if context.decoding.format == "text" else in_form
        stated = state(text, results, self.agent.asked)
        if text.strip() and text.strip() not in stated:
            yield from context.note(GIVEN.format(text=quoted(text)))
        return stated

    def drafted(
        self,
        history: tuple[Message, ...],
        thought: str,
        context: AnswerContext,
        tools: Mapping[str, Tool] | None = None,
        *,
        kind: str = DRAFT,
        title: str = "Draft",
    ) -> Generator[Event, None, str]:
        """As ``answer``, of which nothing is shown yet: a step of that kind. Raises Exhausted."""

        def make() -> Generator[Event, None, str]:
            if self.budget.tokens_left < FEWEST_TOKENS or self.budget.seconds_left <= 0:
                raise Exhausted("tokens" if self.budget.seconds_left > 0 else "seconds")
            offered = self.agent.tools if tools is None else tools
            writing = self._writing(history, thought, context, offered)
            made = yield from _quietly(writing, kind, title, self._as_answer(history, context, offered))
            return made

        return (yield from self.text_of(kind, make())).strip()

    def _as_answer(
        self, history: Sequence[Message], context: AnswerContext, tools: Mapping[str, Tool]
    ) -> Callable[[str], Generator[Event, None, str]]:
        """What becomes of a draft: as of an answer."""

        def edited(text: str) -> Generator[Event, None, str]:
            own = without_protocol(text, tools, self.agent.question) if context.decoding.format == "text" else text
            return (yield from self._stating(own, results_in(history), context))

        return edited

    def chosen(
        self, ask: ScoreAsk, choices: Sequence[str], kind: str, context: AnswerContext
    ) -> Generator[Event, None, str]:
        """One of ``choices``, the most likely of the ask's continuations, as a step of that kind. Raises Exhausted."""

        def make() -> Generator[Event, None, str]:
            step = context.step(kind, ask.title, ask.input)
            yield step.started
            (scores,) = yield from self.budget.score((ask,), certainty, context=context.inside(step))
            place = max(range(len(choices)), key=lambda n: scores.values[n].logprob)
            yield step.finished(choices[place], score=scores.probabilities()[place])
            return choices[place]

        return (yield from self.text_of(kind, make()))

    def fitted(
        self, history: tuple[Message, ...], context: AnswerContext
    ) -> Generator[Event, None, tuple[Message, ...]]:
        """The history, compacted where the prompt would not fit the context."""
        model = self.context.model
        if not model.context_tokens:
            return history
        described = "".join(f"{tool.name} {tool.description} {tool.parameters}" for tool in self.agent.tools.values())
        room = int(model.context_tokens * ROOM) - sum(model.count_tokens((described,)))

        def summarize(text: str) -> Generator[Event, None, str]:
            part = msgspec.structs.replace(
                self.context.decoding, format="text", grammar="", max_tokens=SUMMARY_TOKENS, n=1
            )
            ask = Ask(messages=(Message("user", text),), title="Sum up the conversation", kind=SUMMARY, decoding=part)
            try:
                return (yield from self.written(ask, context))
            except Exhausted:
                return ""

        return (yield from compact(history, room, model.count_tokens, summarize))

    # -- the end ----------------------------------------------------------------------------------

    def answered(self, write: Generator[Event, None, Generated]) -> Outcome:
        """The end of a run that answers."""
        return Outcome(write=self._never_empty(write), passages=self.executor.passages)

    def given(self, text: str) -> Outcome:
        """The end of a run whose answer has been written already."""

        def write() -> Generator[Event, None, Generated]:
            yield from ()
            return Generated(text=text)

        return self.answered(write())

    def quoted(self, lookup: Lookup) -> Outcome:
        """The end of a run whose answer is quoted from what was looked up."""

        def write() -> Generator[Event, None, Generated]:
            yield from ()
            return Generated(text="")

        return Outcome(write=write(), passages=self.executor.passages, looked_up=lookup)

    def waits(self, waiting: Waiting) -> Outcome:
        """The end of a run that waits for a person."""
        return Outcome(passages=self.executor.passages, waiting=waiting.approval)

    def _never_empty(self, write: Generator[Event, None, Generated]) -> Generator[Event, None, Generated]:
        """An answer as it is written, with notes on how it was found; a sentence where the model writes nothing."""
        made = yield from write
        yield from self._notes()
        if made.text.strip() or made.finish == "cancelled":
            return made
        text = self.without_model()
        return Generated(text=text, finish="length", usage=made.usage)

    def _notes(self) -> Iterator[Event]:
        """What the person should know of the calls of an answer."""
        results = self.executor.results
        if self.agent.tools and not self.checked and not self.executor.calls:
            yield from self.context.note(NO_CALL)
        for place, (call, _) in enumerate(results):
            if remark := remark_on(call, self.agent.asked, results[:place]):
                yield from self.context.note(remark)
        if remark := unused(self.agent.question, results):
            yield from self.context.note(remark)

    def without_model(self) -> str:
        """What is answered without the model: the last result (of a search its places), or that there is none."""
        if found := self.executor.last.passages:
            places = "; ".join(f"{passage.title or passage.path} [{passage.n}]" for passage in found)
            return ONLY_PLACES.format(places=places)
        if self.executor.last.text.strip() and not self.executor.last.failed:
            return ONLY_RESULT.format(text=self.executor.last.text.strip())
        return NO_ANSWER


def _quietly(
    writing: Generator[Event, None, Generated],
    kind: str,
    title: str,
    edited: Callable[[str], Generator[Event, None, str]],
) -> Generator[Event, None, str]:
    """An answer as the work of a step of that kind, whose output is the ``edited`` text. Raises errors.Cancelled when
    the request was cancelled."""
    step, text = "", None
    while True:
        try:
            event = next(writing)
        except StopIteration as end:
            made: Generated = end.value
            break
        if isinstance(event, events.StepStarted) and event.writes_answer:
            step = event.step
            event = msgspec.structs.replace(event, kind=kind, title=title, writes_answer=False)
        elif isinstance(event, events.StepFinished) and step and event.step == step:
            text = yield from edited(event.output)
            event = msgspec.structs.replace(event, output=text)
        elif isinstance(event, events.TextDelta | events.Thought) and not event.step:
            event = msgspec.structs.replace(event, step=step)
        yield event
    if made.finish == "cancelled":
        raise errors.Cancelled
    return text if text is not None else (yield from edited(made.text))


def certainty(scores: Scores) -> float:
    """The probability of the most likely continuation."""
    return max(scores.probabilities(), default=0.0)


def told(results: Sequence[tuple[ToolCall, ToolOutput]]) -> str:
    """Calls with their results as plain text."""
    return "\n".join(
        f"{call.tool} {msgspec.json.encode(call.arguments).decode()}: {output.text.strip()}" for call, output in results
    )
