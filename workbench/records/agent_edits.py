"""What a person can change about the steps of an agent, and the text from which they begin.

The run goes on from the changed step: what was done before it is taken as it is, what followed it is dropped.
"""

from __future__ import annotations

import msgspec

from workbench.records.agents import ToolCall
from workbench.records.trace import StepAction, TraceStep

_ACTIONS: dict[str, tuple[StepAction, ...]] = {
    "thought": ("edit",),
    "call": ("edit", "result"),
    "plan": ("edit",),
    "finding": ("edit",),
    "draft": ("edit",),
    "reflection": ("edit",),
}


def actions_on(step: TraceStep) -> tuple[StepAction, ...]:
    """The changes that a person can make to a step of an agent."""
    return _ACTIONS.get(step.kind, ()) if step.state in ("done", "failed") else ()


def text_to_edit(step: TraceStep, action: StepAction) -> str:
    """The text from which a change begins: of a call, ``edit`` begins from its arguments as JSON."""
    if step.kind == "call" and action == "edit":
        try:
            call = msgspec.json.decode(step.input, type=ToolCall)
        except (msgspec.DecodeError, UnicodeError):
            return step.input
        return msgspec.json.format(msgspec.json.encode(call.arguments), indent=2).decode()
    return step.output
