"""One answer of an agent while it is made: its budget, its earlier steps, its calls, and what they have found.

The methods share it: what they think, choose and call goes through here, so that it is counted, recorded and, where a
person has to be asked, waits.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import msgspec

from workbench import errors
from workbench.api import events
from workbench.api.events import Event
from workbench.backends.backend import has_fewer_parameters
from workbench.engine.inference_calls import Generated, Scores
from workbench.records.agents import Approval, Decision, ToolCall
from workbench.records.messages import Message, Passage
from workbench.records.trace import TraceStep
from workbench.techniques.agents.agent import APPROVAL, CALL, FINAL, Agent, Outcome
from workbench.techniques.agents.approval import Exposure, Verdict, decided, judge, last_call
from workbench.techniques.agents.calling import Caller, agent_budget, caller_for
from workbench.techniques.agents.compaction import SUMMARY_TOKENS, compact
from workbench.techniques.agents.demonstrations import SMALL, nearest, possible, shown
from workbench.techniques.agents.repetition import MASKED, Repetition
from workbench.techniques.agents.running import run_answered, run_tool
from workbench.techniques.agents.steps import DRAFT, EXAMPLES, NOTE, SUMMARY, Recorded, read_call
from workbench.techniques.budget import FEWEST_TOKENS, Exhausted
from workbench.techniques.context import AnswerContext, Ask, ScoreAsk, Step
from workbench.techniques.tools.passages import numbered
from workbench.techniques.tools.tool import LONGEST_OUTPUT, Tool, ToolOutput

NO_ANSWER = "I could not find an answer within the limits of this agent."
ONLY_RESULT = "I could not finish. The last result was: {text}"
OUT_OF_STEPS = "The agent has made as many calls as it may ({steps}): it answers with what it has."
OUT_OF_BUDGET = "The agent's budget of tokens or time is used up: it answers with what it has."
NOBODY = "There is nobody to ask here."
SHORTEST_S = 0.1
ROOM = 0.7
"""The part of the context that a history may have before it is compacted."""
LEAST_SHARE = 4
"""An answer that goes on has at least this part of the agent's seconds."""


class Waiting(Exception):
    """The run cannot go on before a person has decided."""

    def __init__(self, approval: Approval) -> None:
        super().__init__("a call waits for a person")
        self.approval = approval


class Opened:
    """A step around others, which may be one of the earlier answer; ``ended``: it has its end already."""

    def __init__(self, step: Step, ended: bool) -> None:
        self.step = step
        self._ended = ended

    def finished(self, output: str = "", *, score: float | None = None, error: str = "") -> Iterator[Event]:
        if not self._ended:
            yield self.step.finished(output, score=score, error=error)


@dataclass(frozen=True)
class Called:
    """A call as it was made, its result, and the ``note`` that the model sees below that."""

    call: ToolCall
    output: ToolOutput
    note: str = ""

    @property
    def shown(self) -> ToolOutput:
        """The result as the model sees it."""
        return msgspec.structs.replace(self.output, text=f"{self.output.text}\n{self.note}".strip())


@dataclass(frozen=True)
class _Asked:
    """A question to the person in the step ``step``; ``ended``: the decision was carried out, or was begun to be."""

    step: TraceStep
    approval: Approval
    decision: Decision | None
    ended: bool


class Session:
    """The state of one answer. ``calls`` counts those that were made, ``passages`` are those that were found so far,
    numbered as the model saw them; ``exposure`` is what it has read of others' text. ``repetition`` knows the calls."""

    def __init__(self, agent: Agent) -> None:
        self.agent, self.context = agent, agent.context
        self.recorded = Recorded(agent.context.earlier, agent.context.edit)
        part = agent.part
        left = max(part.seconds - int(self.recorded.seconds), part.seconds // LEAST_SHARE, 1)
        self.budget = agent_budget(msgspec.structs.replace(part, seconds=left), agent.context)
        self.budget.tokens += self.recorded.tokens
        self.calls = 0
        self.passages: tuple[Passage, ...] = ()
        self.exposure: Exposure = agent.exposure
        self.repetition = Repetition()
        self.last = ToolOutput(text="")

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
            chosen = nearest(question, able, context.similarities, count)
            yield step.finished(listed := "\n".join(one.question.strip() for one in chosen))
            return listed

        listed = (yield from self.text_of(EXAMPLES, make())).splitlines()
        by_question = {one.question.strip(): one for one in able}
        chosen = [by_question[line] for line in listed if line in by_question]
        thoughts = self.agent.part.thought_tokens > 0
        return shown(chosen, tools, self.caller(context, tools), thoughts=thoughts)

    @property
    def calls_left(self) -> int:
        return max(0, self.agent.part.max_steps - self.calls)

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
        """The answer after some calls, streamed, with what is reserved for it."""
        tools = self.agent.tools if tools is None else tools
        if tools:
            return (yield from self.caller(context, tools).answer(history, thought))
        try:
            return (yield from self.budget.write(history, context=context))
        except Exhausted as spent:
            yield from context.note(self.budget.describe(spent.what))
            return Generated(text=self.without_model(), finish="length")

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
            made = yield from _quietly(self.answer(history, thought, context, tools), kind, title)
            return made.text

        return (yield from self.text_of(kind, make())).strip()

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

    # -- calls ------------------------------------------------------------------------------------

    def call(self, tool: Tool, call: ToolCall, context: AnswerContext) -> Generator[Event, None, Called]:
        """Make a call, or take it from the earlier answer. Raises Waiting when a person has to decide first."""
        self.calls += 1
        taken = self.recorded.take(CALL)
        if taken is not None and taken.state in ("done", "failed"):
            return self._taken(taken)
        if taken is None:
            step = context.step(CALL, tool.name, call.encode())
            yield step.started
            if (verdict := self.repetition.verdict(call)) != "run":
                return (yield from self._not_made(verdict, call, tool, step, context.inside(step)))
            begun = False
        else:
            step, within = context.reopened(taken), self.recorded.within(taken)
            call, begun = last_call(read_call(taken), within)
            tool = self.agent.tools.get(call.tool, tool)
            begun = begun and not self._edited(taken)
        inside = context.inside(step)
        asked = self._asked(taken)
        judged = yield from self._judged(tool, call, asked, step, begun, inside)
        call = judged.call
        output = numbered((yield from self._result(tool, judged, asked, step, inside)), self.passages)
        if output.passages:
            yield events.Retrieved(query=_query(call), passages=output.passages, step=step.id)
        note = self._count(tool, call, output, ran=judged.kind == "run")
        yield from self._end(step, output, note, inside)
        return Called(call, output, note)

    def _taken(self, step: TraceStep) -> Called:
        """A call of the earlier answer that has a result."""
        within = self.recorded.within(step)
        call, _ = last_call(read_call(step), within)
        output = ToolOutput(text=step.output, failed=bool(step.error), passages=step.passages)
        verdict = self.repetition.verdict(call)
        self.last = output
        if verdict != "masked":
            tool = self.agent.tools.get(call.tool)
            self._count(tool, call, output, ran=verdict == "run")
        return Called(call, output, next((one.output for one in within if one.kind == NOTE), ""))

    def _not_made(
        self, verdict: str, call: ToolCall, tool: Tool, step: Step, inside: AnswerContext
    ) -> Generator[Event, None, Called]:
        """The result of a call that was made before: the known one with a note, or, the third time, none."""
        output, note = ToolOutput(text=MASKED, failed=True), ""
        if verdict == "known":
            output, note = self.repetition.known(call)
            self.repetition.add(call, output, step=self.calls, acts=tool.acts, ran=False)
        self.last = output
        yield from self._end(step, output, note, inside)
        return Called(call, output, note)

    def _judged(
        self, tool: Tool, call: ToolCall, asked: _Asked | None, step: Step, begun: bool, inside: AnswerContext
    ) -> Generator[Event, None, Verdict]:
        """What becomes of a call; ends the open question about it once there is a decision. Raises Waiting."""
        if asked is not None and not asked.ended:
            if asked.decision is None:
                raise Waiting(asked.approval)
            yield inside.reopened(asked.step).finished(msgspec.json.encode(asked.decision).decode())
            question = bool(asked.approval.question)
            return Verdict(kind="run", call=call) if question else decided(call, asked.decision)
        agent = self.agent
        verdict = judge(tool, call, self.exposure, agent.policy, begun=begun, asks=agent.asks)
        if verdict.kind == "wait":
            yield from _ask_person(verdict.approval(step.id, tool), inside)
        return verdict

    def _result(
        self, tool: Tool, judged: Verdict, asked: _Asked | None, step: Step, inside: AnswerContext
    ) -> Generator[Event, None, ToolOutput]:
        """The result of a call that was judged. Raises Waiting for a tool that asks the person."""
        call = judged.call
        if judged.kind == "refuse":
            return ToolOutput(text=judged.text, failed=True)
        cancelled, longest = self.context.cancelled, self.longest_output
        if asked is not None and asked.approval.question and asked.decision is not None:
            if asked.decision.choice == "deny":
                return ToolOutput(text=decided(call, asked.decision).text, failed=True)
            return run_answered(tool, call.arguments, asked.decision.text, cancelled=cancelled, longest=longest)
        seconds = max(SHORTEST_S, min(tool.seconds, self.budget.seconds_left - self.budget.answer_seconds))
        output = run_tool(tool, call.arguments, seconds=seconds, cancelled=cancelled, longest=longest)
        if output.question and not self.agent.asks:
            return ToolOutput(text=NOBODY, failed=True)
        if output.question:
            question = Approval(step=step.id, call=call, effects=tool.effects, question=output.question)
            yield from _ask_person(question, inside)
        return output

    def _asked(self, taken: TraceStep | None) -> _Asked | None:
        """The last question to the person about a call of the earlier answer."""
        steps = [one for one in self.recorded.within(taken) if one.kind == APPROVAL] if taken is not None else []
        if not steps:
            return None
        approval = msgspec.json.decode(steps[-1].input, type=Approval)
        if steps[-1].state in ("done", "failed"):
            return _Asked(steps[-1], approval, msgspec.json.decode(steps[-1].output, type=Decision), True)
        return _Asked(steps[-1], approval, self.agent.decisions.get(approval.call.signature), False)

    def _edited(self, taken: TraceStep) -> bool:
        """Whether a person has just changed the arguments of this call, so that it was not made with them."""
        edit = self.context.edit
        return edit is not None and edit.step == taken.id

    def _count(self, tool: Tool | None, call: ToolCall, output: ToolOutput, *, ran: bool) -> str:
        """Take in the result of a call; returns the note for it."""
        self.found(output.passages)
        if tool is not None:
            self.exposure = self.exposure.after(tool, output.text)
        self.last = output
        acts = tool is not None and tool.acts
        return self.repetition.add(call, output, step=self.calls, acts=acts, ran=ran)

    def found(self, passages: Sequence[Passage]) -> None:
        """Take in numbered passages, which are text of strangers wherever they were found."""
        read = Exposure().with_untrusted(one.text for one in passages)
        self.exposure = self.exposure.joined(read)
        if self.context.guard is not None:
            self.context.guard.expose(read)
        known = {one.n for one in self.passages}
        self.passages = (*self.passages, *(one for one in passages if one.n not in known))

    def _end(self, step: Step, output: ToolOutput, note: str, inside: AnswerContext) -> Iterator[Event]:
        """The end of a call, with the note that the model sees below its result."""
        if note:
            told = inside.step(NOTE, "Repetition", note)
            yield told.started
            yield told.finished(note)
        yield step.finished(output.text, error=output.text if output.failed else "")

    @property
    def longest_output(self) -> int:
        """Characters of a result: fewer where the context is short."""
        context_tokens = self.context.model.context_tokens
        return min(LONGEST_OUTPUT, max(400, context_tokens)) if context_tokens else LONGEST_OUTPUT

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
        return Outcome(write=self._never_empty(write), passages=self.passages)

    def given(self, text: str) -> Outcome:
        """The end of a run whose answer has been written already."""

        def write() -> Generator[Event, None, Generated]:
            yield from ()
            return Generated(text=text)

        return self.answered(write())

    def waits(self, waiting: Waiting) -> Outcome:
        """The end of a run that waits for a person."""
        return Outcome(passages=self.passages, waiting=waiting.approval)

    def _never_empty(self, write: Generator[Event, None, Generated]) -> Generator[Event, None, Generated]:
        """An answer as it is written; a sentence where the model writes nothing."""
        made = yield from write
        if made.text.strip() or made.finish == "cancelled":
            return made
        text = self.without_model()
        return Generated(text=text, finish="length", usage=made.usage)

    def without_model(self) -> str:
        """What is answered without the model: the last result, or that there is none."""
        if self.last.text.strip() and not self.last.failed:
            return ONLY_RESULT.format(text=self.last.text.strip())
        return NO_ANSWER


def _quietly(writing: Generator[Event, None, Generated], kind: str, title: str) -> Generator[Event, None, Generated]:
    """An answer as the work of a step of that kind. Raises errors.Cancelled when the request was cancelled."""
    step = ""
    while True:
        try:
            event = next(writing)
        except StopIteration as end:
            made: Generated = end.value
            break
        if isinstance(event, events.StepStarted) and event.writes_answer:
            step = event.step
            event = msgspec.structs.replace(event, kind=kind, title=title, writes_answer=False)
        elif isinstance(event, events.TextDelta | events.Thought) and not event.step:
            event = msgspec.structs.replace(event, step=step)
        yield event
    if made.finish == "cancelled":
        raise errors.Cancelled
    return made


def certainty(scores: Scores) -> float:
    """The probability of the most likely continuation."""
    return max(scores.probabilities(), default=0.0)


def told(results: Sequence[tuple[ToolCall, ToolOutput]]) -> str:
    """Calls with their results as plain text."""
    return "\n".join(
        f"{call.tool} {msgspec.json.encode(call.arguments).decode()}: {output.text.strip()}" for call, output in results
    )


def _ask_person(approval: Approval, inside: AnswerContext) -> Iterator[Event]:
    """Ask the person about a call: the run ends here. Raises Waiting."""
    asked = inside.step(APPROVAL, "Wait for you", msgspec.json.encode(approval).decode())
    yield asked.started
    raise Waiting(approval)


def _query(call: ToolCall) -> str:
    return next((value for value in call.arguments.values() if isinstance(value, str)), "")
