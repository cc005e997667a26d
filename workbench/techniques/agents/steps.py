"""The state of an agent, rebuilt from the steps of an earlier answer.

A method is run again from its beginning; what it did before is taken from the steps, in their order, instead of being
done: thoughts, choices, calls with their results. So every method resumes, and nothing before the first step that is
new is computed again. A person's edit of a step replaces it, and what followed it is dropped.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

import msgspec

from workbench.base.errors import UserError
from workbench.records.agents import ToolCall
from workbench.records.trace import EDITED, StepEdit, TraceStep
from workbench.techniques.tools.approval import APPROVAL, CALL

THOUGHT, CHOOSE, ARGUMENTS, NOTE = "thought", "choose", "arguments", "note"
REMARK = "remark"
"""What is said to the person about a call, and not to the model."""

EXAMPLES = "examples"
SUMMARY = "summary"
PLAN, FINDING, DRAFT, CHECK, REFLECTION, ROUTE = "plan", "finding", "draft", "check", "reflection", "route"
CRITIQUE, CORRECTION, VERDICT = "critique", "correction", "verdict"
PLAN_STEP, SPECIALIST, TRIAL, ROUND = "plan-step", "specialist", "trial", "round"

TAKEN = frozenset(
    (
        EXAMPLES,
        SUMMARY,
        THOUGHT,
        CHOOSE,
        ARGUMENTS,
        CALL,
        PLAN,
        FINDING,
        DRAFT,
        CHECK,
        REFLECTION,
        ROUTE,
        CRITIQUE,
        CORRECTION,
        VERDICT,
    )
)
"""The kinds of steps that are taken instead of being done."""
AROUND = frozenset({PLAN_STEP, SPECIALIST, TRIAL, ROUND})
"""The kinds of steps that methods open around others."""


class Recorded:
    """The steps that an answer goes on from. ``kept`` are those that it repeats, with the person's edit made."""

    def __init__(self, earlier: Sequence[TraceStep], edit: StepEdit | None = None) -> None:
        self.kept = _kept(earlier, edit)
        self._within: dict[str, list[TraceStep]] = {}
        self._steps: deque[TraceStep] = deque()
        owner: dict[str, str] = {}  # of what is within a step that is taken
        for step in self.kept:
            above = owner.get(step.parent, "")
            if above:
                owner[step.id] = above
                self._within[above].append(step)
                continue
            if step.kind in TAKEN:
                owner[step.id] = step.id
                self._within[step.id] = []
            if step.kind in TAKEN or step.kind in AROUND:
                self._steps.append(step)

    @property
    def tokens(self) -> int:
        """The tokens that these steps have cost."""
        return sum(step.usage.new_tokens for step in self.kept if step.usage is not None)

    @property
    def seconds(self) -> float:
        """The time that these steps have taken, without the time that a person took."""
        return sum(step.seconds for step in self.kept if step.kind in TAKEN)

    def take(self, kind: str) -> TraceStep | None:
        """The next step, when it is of that kind; otherwise None, and from then on nothing is taken any more: all that
        follows is new."""
        if not self._steps:
            return None
        step = self._steps.popleft()
        if step.kind != kind:
            self._steps.clear()
            return None
        return step

    def within(self, step: TraceStep) -> tuple[TraceStep, ...]:
        """The steps within one that was taken, in their order."""
        return tuple(self._within.get(step.id, ()))


def _kept(earlier: Sequence[TraceStep], edit: StepEdit | None) -> tuple[TraceStep, ...]:
    """The steps that are repeated: up to the edited one, or up to what was not finished."""
    known = {step.id: step for step in earlier}
    if edit is not None:
        place = next((n for n, step in enumerate(earlier) if step.id == edit.step), len(earlier))
        edited = known[edit.step]
        around = set(_ancestors(edited, known))
        number = max((int(step.id) for step in earlier if step.id.isdecimal()), default=0) + 1
        mark = TraceStep(
            id=str(number), kind="edit", parent=edited.id, title=EDITED[edit.action], output=edit.action, state="done"
        )
        before = [_opened(step) if step.id in around else step for step in earlier[:place]]
        whole = [step for step in before if _ended(step) or step.id in around]
        return (*(step for step in whole if not step.writes_answer), edited_step(edited, edit), mark)
    kept: set[str] = set()
    for step in earlier:
        if step.writes_answer:
            break
        if _ended(step) or step.kind in (CALL, APPROVAL):
            kept.update((step.id, *_ancestors(step, known)))
    return tuple(step for step in earlier if step.id in kept)


def edited_step(step: TraceStep, edit: StepEdit) -> TraceStep:
    """A step as the person changed it: another text, other arguments of a call, or another result of it. Raises
    UserError for arguments that are no JSON object."""
    text = edit.text.strip()
    if step.kind == CALL and edit.action == "edit":
        call = ToolCall(tool=read_call(step).tool, arguments=read_arguments(text))
        return msgspec.structs.replace(_opened(step), input=call.encode())
    return msgspec.structs.replace(step, output=text, error="", state="done", passages=(), query="", thought="")


def read_call(step: TraceStep) -> ToolCall:
    """The call of a step. Raises UserError for one that is damaged."""
    try:
        return msgspec.json.decode(step.input, type=ToolCall)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise UserError(f"The call of step {step.id} cannot be read: {error}.", "Ask again.") from error


def read_arguments(text: str) -> dict[str, Any]:
    """The arguments that a text holds as a JSON object. Raises UserError."""
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeError) as error:
        raise UserError(f"The arguments are not a JSON object: {error}.", 'Write them as {"name": value}.') from error


def _opened(step: TraceStep) -> TraceStep:
    """A step without its end."""
    return TraceStep(
        id=step.id, kind=step.kind, parent=step.parent, title=step.title, input=step.input, state="running"
    )


def _ended(step: TraceStep) -> bool:
    return step.state in ("done", "failed")


def _ancestors(step: TraceStep, known: dict[str, TraceStep]) -> list[str]:
    found: list[str] = []
    while step.parent in known and step.parent not in found:
        found.append(step.parent)
        step = known[step.parent]
    return found
