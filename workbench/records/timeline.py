"""The timeline of an agent: the steps of an answer as a person follows them, each with its call, decision and cost.

Choosing a tool and writing its arguments are generations of their own; their cost is part of the call that they lead
to. Window and terminal show the same entries.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

import msgspec

from workbench.base.catalogue import Shown
from workbench.records.agent_edits import actions_on
from workbench.records.agents import Approval, Decision, ToolCall
from workbench.records.messages import Passage
from workbench.records.trace import StepAction, Trace, TraceStep

T = TypeVar("T")

CALL, APPROVAL, NOTE, REMARK, EDIT = "call", "approval", "note", "remark", "edit"
_PART_OF_NEXT = frozenset({"choose", "arguments", "generation", "score", "scoring", APPROVAL})
"""Kinds that are no entries of their own."""
_AGENTS = frozenset({CALL, "choose", "plan", "plan-step", "route", "specialist", "trial", "round"})
"""Kinds that only agents make."""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A step with its ``depth`` (0: not within another entry). ``seconds`` and ``new_tokens`` include the steps that
    are shown with it. ``call`` is the call as it was made, with the arguments that the person gave it; None where the
    step is not one, or its input cannot be read. ``decision`` is the person's on ``approval``, None while it waits.
    ``note`` is what is said beside the result, to the model or to the person alone, ``edit`` says that a person has
    changed it."""

    step: TraceStep
    depth: int = 0
    seconds: float = 0.0
    new_tokens: int = 0
    call: ToolCall | None = None
    approval: Approval | None = None
    decision: Decision | None = None
    passages: tuple[Passage, ...] = ()
    note: Shown = ""
    edit: Shown = ""

    @property
    def waits(self) -> bool:
        """Whether it waits for a person."""
        return self.approval is not None and self.decision is None and self.step.state in ("running", "stopped")

    @property
    def denied(self) -> bool:
        return self.decision is not None and self.decision.choice == "deny"

    @property
    def actions(self) -> tuple[StepAction, ...]:
        """The changes that a person can make to it, so that another answer goes on from there."""
        return () if self.step.kind == CALL and self.call is None else actions_on(self.step)


class Timeline(msgspec.Struct, frozen=True):
    """The ``entries`` in the order in which they began, an entry before those within it."""

    entries: tuple[Entry, ...] = ()

    @classmethod
    def of(cls, trace: Trace) -> Timeline | None:
        """The timeline of a trace; None where no agent was at work."""
        if not any(step.kind in _AGENTS for step in trace.steps):
            return None
        return cls(tuple(_entries(trace)))

    @property
    def calls(self) -> int:
        return sum(entry.step.kind == CALL for entry in self.entries)

    @property
    def seconds(self) -> float:
        """Seconds of the outermost entries."""
        return sum(entry.seconds for entry in self.entries if not entry.depth)

    @property
    def new_tokens(self) -> int:
        return sum(entry.new_tokens for entry in self.entries)


def _entries(trace: Trace) -> Iterator[Entry]:
    shown: list[tuple[int, TraceStep]] = []
    depths: dict[str, int] = {}  # of the entries that may have others within them
    owners: dict[str, str] = {}  # the entry that a step is shown with
    waiting: dict[str, list[TraceStep]] = {}  # by parent: steps whose entry has not begun yet
    parts: dict[str, list[TraceStep]] = {}
    for _, step in trace.walk():
        above = owners.get(step.parent, "")
        if above and (above not in depths or step.kind == EDIT):  # within a call: part of it
            owners[step.id] = above
            parts[above].append(step)
        elif _is_part(step):
            owners[step.id] = above
            waiting.setdefault(above, []).append(step)
        else:
            depth = depths[above] + 1 if above else 0
            owners[step.id] = step.id
            parts[step.id] = waiting.pop(above, [])
            shown.append((depth, step))
            if step.kind != CALL:
                depths[step.id] = depth
    for above, left in waiting.items():  # nothing followed: they belong to what was before
        last = above or (shown[-1][1].id if shown else "")
        if last:
            parts[last] += left
    for depth, step in shown:
        yield _entry(depth, step, parts[step.id])


def _is_part(step: TraceStep) -> bool:
    if step.writes_answer:
        return False
    empty = step.kind == "thought" and step.state != "running" and not (step.output or step.error).strip()
    return empty or step.kind in _PART_OF_NEXT


def _entry(depth: int, step: TraceStep, parts: list[TraceStep]) -> Entry:
    asked = next((part for part in reversed(parts) if part.kind == APPROVAL), None)
    tokens = sum(one.usage.new_tokens for one in (step, *parts) if one.usage is not None)
    timed = {step.id, *(part.id for part in parts)}
    before = sum(part.seconds for part in parts if part.parent not in timed)
    call = _read(step.input, ToolCall) if step.kind == CALL else None
    decision = _read(asked.output, Decision) if asked is not None else None
    if call is not None and decision is not None and decision.arguments is not None:
        call = ToolCall(tool=call.tool, arguments=decision.arguments)
    found = step.passages or next((part.passages for part in reversed(parts) if part.passages), ())
    return Entry(
        step=step,
        depth=depth,
        seconds=step.seconds + before,
        new_tokens=tokens,
        call=call,
        approval=_read(asked.input, Approval) if asked is not None else None,
        decision=decision,
        passages=found,
        edit=next((part.title for part in reversed(parts) if part.kind == EDIT), ""),
        note="\n".join(part.output for part in parts if part.kind in (NOTE, REMARK) and part.parent == step.id),
    )


def _read(text: str, kind: type[T]) -> T | None:
    try:
        return msgspec.json.decode(text, type=kind)
    except msgspec.MsgspecError:
        return None
