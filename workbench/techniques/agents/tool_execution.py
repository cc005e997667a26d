"""The execution of tool calls: each is judged, waits for a person where it has to, runs, and is recorded as a step.

It owns the calls of one answer so far: their number, their repetition, the passages that they found, and the text of
strangers that the context was exposed to. A call of the earlier answer is taken from its steps and not run again. How a
model comes to a call is not known here (``calling.py``), nor how a method goes on from its result (``session.py``).
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass

import msgspec

from workbench.api import events
from workbench.api.events import Event
from workbench.base.catalogue import Shown
from workbench.records.agents import Approval, Decision, ToolCall
from workbench.records.messages import Passage
from workbench.records.trace import TraceStep
from workbench.techniques.agents.agent import Agent
from workbench.techniques.agents.repetition import MASKED, Repetition
from workbench.techniques.agents.running import run_answered, run_tool
from workbench.techniques.agents.steps import NOTE, REMARK, Recorded, read_call
from workbench.techniques.agents.tool_results import Result, remark_on
from workbench.techniques.budget import Budget
from workbench.techniques.context import AnswerContext, Step
from workbench.techniques.tools.approval import APPROVAL, CALL, Exposure, Verdict, decided, judge, last_call
from workbench.techniques.tools.passages import numbered
from workbench.techniques.tools.tool import LONGEST_OUTPUT, Tool, ToolOutput

NOBODY = "There is nobody to ask here."
SHORTEST_S = 0.1


class Waiting(Exception):
    """The run cannot go on before a person has decided."""

    def __init__(self, approval: Approval) -> None:
        super().__init__("a call waits for a person")
        self.approval = approval


@dataclass(frozen=True)
class Called:
    """A call as it was made, its result, and the ``note`` that the model sees below that."""

    call: ToolCall
    output: ToolOutput
    note: Shown = ""

    @property
    def shown(self) -> ToolOutput:
        """The result as the model sees it."""
        return msgspec.structs.replace(self.output, text=f"{self.output.text}\n{self.note}".strip())


class ToolExecutor:
    """Executes the tool calls of one answer. ``calls`` counts those that were made, ``passages`` are those that were
    found so far, numbered as the model saw them; ``exposure`` is what the context was exposed to. ``repetition`` knows
    the calls, ``results`` are those of the answer with their results, ``last`` is the last result."""

    def __init__(self, agent: Agent, recorded: Recorded, budget: Budget) -> None:
        self._agent, self._recorded, self._budget = agent, recorded, budget
        self.calls = 0
        self.passages: tuple[Passage, ...] = ()
        self.exposure: Exposure = agent.exposure
        self.repetition = Repetition()
        self.last = ToolOutput(text="")
        self.results: list[Result] = []

    @property
    def calls_left(self) -> int:
        return max(0, self._agent.part.max_steps - self.calls)

    def execute(self, tool: Tool, call: ToolCall, context: AnswerContext) -> Generator[Event, None, Called]:
        """Make a call, or take it from the earlier answer. Raises Waiting when a person has to decide first."""
        self.calls += 1
        taken = self._recorded.take(CALL)
        if taken is not None and taken.state in ("done", "failed"):
            return self._taken(taken)
        if taken is None:
            step = context.step(CALL, tool.name, call.encode())
            yield step.started
            if (verdict := self.repetition.verdict(call)) != "run":
                return (yield from self._not_made(verdict, call, tool, step, context.inside(step)))
            begun = False
        else:
            step, within = context.reopened(taken), self._recorded.within(taken)
            call, begun = last_call(read_call(taken), within)
            tool = self._agent.tools.get(call.tool, tool)
            begun = begun and not self._edited(taken)
        inside = context.inside(step)
        asked = self._asked(taken)
        judged = yield from self._judged(tool, call, asked, step, begun, inside)
        call = judged.call
        output = numbered((yield from self._result(tool, judged, asked, step, inside)), self.passages)
        if output.passages:
            yield events.Retrieved(query=_query(call), passages=output.passages, step=step.id)
        note = self._count(tool, call, output, ran=judged.kind == "run")
        if remark := remark_on(call, self._agent.asked, self.results):
            told = inside.step(REMARK, "Numbers from elsewhere", call.encode())
            yield told.started
            yield told.finished(remark)
        self.results.append((call, output))
        yield from self._end(step, output, note, inside)
        return Called(call, output, note)

    def add_passages(self, passages: Sequence[Passage]) -> None:
        """Take in numbered passages, which are text of strangers wherever they were found."""
        read = Exposure().with_untrusted(one.text for one in passages)
        self.exposure = self.exposure.joined(read)
        guard = self._agent.context.agent.guard
        if guard is not None:
            guard.expose(read)
        known = {one.n for one in self.passages}
        self.passages = (*self.passages, *(one for one in passages if one.n not in known))

    def _taken(self, step: TraceStep) -> Called:
        """A call of the earlier answer that has a result."""
        within = self._recorded.within(step)
        call, _ = last_call(read_call(step), within)
        output = ToolOutput(text=step.output, failed=bool(step.error), passages=step.passages)
        verdict = self.repetition.verdict(call)
        self.last = output
        if verdict != "masked":
            tool = self._agent.tools.get(call.tool)
            self._count(tool, call, output, ran=verdict == "run")
            self.results.append((call, output))
        return Called(call, output, next((one.output for one in within if one.kind == NOTE), ""))

    def _not_made(
        self, verdict: str, call: ToolCall, tool: Tool, step: Step, inside: AnswerContext
    ) -> Generator[Event, None, Called]:
        """The result of a call that was made before: the known one with a note, or, the third time, none."""
        output, note = ToolOutput(text=MASKED, failed=True), ""
        if verdict == "known":
            output, note = self.repetition.known(call)
            self.repetition.add(call, output, step=self.calls, acts=tool.acts, ran=False)
            self.results.append((call, output))
        self.last = output
        yield from self._end(step, output, note, inside)
        return Called(call, output, note)

    def _judged(
        self, tool: Tool, call: ToolCall, asked: _Asked | None, step: Step, begun: bool, inside: AnswerContext
    ) -> Generator[Event, None, Verdict]:
        """The verdict on a call; ends the open question about it once there is a decision. Raises Waiting."""
        if asked is not None and not asked.ended:
            if asked.decision is None:
                raise Waiting(asked.approval)
            yield inside.reopened(asked.step).finished(msgspec.json.encode(asked.decision).decode())
            question = bool(asked.approval.question)
            return Verdict(kind="run", call=call) if question else decided(call, asked.decision)
        agent = self._agent
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
        cancelled, longest = self._agent.context.cancelled, self._longest_output
        if asked is not None and asked.approval.question and asked.decision is not None:
            if asked.decision.choice == "deny":
                return ToolOutput(text=decided(call, asked.decision).text, failed=True)
            return run_answered(tool, call.arguments, asked.decision.text, cancelled=cancelled, longest=longest)
        seconds = max(SHORTEST_S, min(tool.seconds, self._budget.seconds_left - self._budget.answer_seconds))
        output = run_tool(tool, call.arguments, seconds=seconds, cancelled=cancelled, longest=longest)
        if output.question and not self._agent.asks:
            return ToolOutput(text=NOBODY, failed=True)
        if output.question:
            question = Approval(step=step.id, call=call, effects=tool.effects, question=output.question)
            yield from _ask_person(question, inside)
        return output

    def _asked(self, taken: TraceStep | None) -> _Asked | None:
        """The last question to the person about a call of the earlier answer."""
        steps = [one for one in self._recorded.within(taken) if one.kind == APPROVAL] if taken is not None else []
        if not steps:
            return None
        approval = msgspec.json.decode(steps[-1].input, type=Approval)
        if steps[-1].state in ("done", "failed"):
            return _Asked(steps[-1], approval, msgspec.json.decode(steps[-1].output, type=Decision), True)
        return _Asked(steps[-1], approval, self._agent.decisions.get(approval.call.signature), False)

    def _edited(self, taken: TraceStep) -> bool:
        """Whether a person has just changed the arguments of this call, so that it was not made with them."""
        edit = self._agent.context.agent.edit
        return edit is not None and edit.step == taken.id

    def _count(self, tool: Tool | None, call: ToolCall, output: ToolOutput, *, ran: bool) -> str:
        """Take in the result of a call; returns the note for it."""
        self.add_passages(output.passages)
        if tool is not None:
            self.exposure = self.exposure.after(tool, output.text)
        self.last = output
        acts = tool is not None and tool.acts
        return self.repetition.add(call, output, step=self.calls, acts=acts, ran=ran)

    def _end(self, step: Step, output: ToolOutput, note: str, inside: AnswerContext) -> Iterator[Event]:
        """The end of a call, with the note that the model sees below its result."""
        if note:
            told = inside.step(NOTE, "Repetition", note)
            yield told.started
            yield told.finished(note)
        yield step.finished(output.text, error=output.text if output.failed else "")

    @property
    def _longest_output(self) -> int:
        """Characters of a result: fewer where the context is short."""
        context_tokens = self._agent.context.model.context_tokens
        return min(LONGEST_OUTPUT, max(400, context_tokens)) if context_tokens else LONGEST_OUTPUT


@dataclass(frozen=True)
class _Asked:
    """A question to the person in the step ``step``; ``ended``: the decision was carried out, or was begun to be."""

    step: TraceStep
    approval: Approval
    decision: Decision | None
    ended: bool


def _ask_person(approval: Approval, inside: AnswerContext) -> Iterator[Event]:
    """Ask the person about a call: the run ends here. Raises Waiting."""
    asked = inside.step(APPROVAL, "Wait for you", msgspec.json.encode(approval).decode())
    yield asked.started
    raise Waiting(approval)


def _query(call: ToolCall) -> str:
    return next((value for value in call.arguments.values() if isinstance(value, str)), "")
