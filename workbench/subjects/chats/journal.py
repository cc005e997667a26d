"""The journal of an agent's calls: its steps are on the disk before a tool runs, and nothing that was begun is lost.

The journal is the answer's stored trace. A method yields the start of a call, and the end of an approval that let one
go on, before it runs the tool; whoever follows the method stores the trace before asking it for the next event.
"""

from __future__ import annotations

import itertools

import msgspec

from workbench.api import events
from workbench.api.answer_state import AnswerState
from workbench.api.events import Event
from workbench.records.trace import Trace, TraceStep
from workbench.techniques.tools.approval import APPROVAL, CALL


def is_boundary(event: Event, state: AnswerState) -> bool:
    """Whether the trace has to be on the disk before the method goes on; ``state`` holds the event. A tool may run
    after the start of a call and after the end of an approval; after the end of a call its result must not be lost."""
    if isinstance(event, events.StepStarted):
        return event.kind == CALL
    return isinstance(event, events.StepFinished) and state.kind(event.step) in (CALL, APPROVAL)


def carries_out(event: Event, state: AnswerState, earlier: Trace) -> bool:
    """Whether an approval that was open in the ``earlier`` steps ends with this event: the decision is carried out."""
    if not isinstance(event, events.StepFinished) or state.kind(event.step) != APPROVAL:
        return False
    before = next((step for step in earlier.steps if step.id == event.step), None)
    return before is None or before.state != "done"


def joined(earlier: Trace, now: Trace, *, ended: bool = False) -> Trace:
    """The trace of an answer that goes on from ``earlier``: its steps so far, and those that it has not repeated yet. A
    step repeats another one of the same id, kind and input; until it has ended, the earlier one that had stands for it.
    Once the answer has ``ended``, what it never repeated is left out, but for the calls and what is in them."""
    known = {step.id: step for step in now.steps}
    taken, names, added = dict(known), dict[str, str](), list[TraceStep]()
    free = itertools.count(1 + max((int(id) for id in (*known, *_ids(earlier)) if id.isdecimal()), default=0))
    of_calls = _calls_and_within(earlier)
    for step in earlier.steps:
        same = known.get(step.id)
        if same is not None and (same.kind, same.input) == (step.kind, step.input):
            if _ended(step) and not _ended(same):
                taken[step.id] = step
            continue
        if step.id not in of_calls and (ended or same is not None):
            continue
        names[step.id] = step.id if same is None else str(next(free))
        parent = names.get(step.parent, step.parent if step.parent in known else "")
        added.append(msgspec.structs.replace(step, id=names[step.id], parent=parent, writes_answer=False))
    return Trace(steps=(*taken.values(), *added))


def _ended(step: TraceStep) -> bool:
    return step.state in ("done", "failed")


def _ids(trace: Trace) -> list[str]:
    return [step.id for step in trace.steps]


def _calls_and_within(trace: Trace) -> set[str]:
    """The ids of the steps of calls and of all steps within them."""
    inside: set[str] = set()
    for step in trace.steps:
        if step.kind == CALL or step.parent in inside:
            inside.add(step.id)
    return inside
