"""The trace of an answer: a tree of steps, each with its input, output, score, time and tokens.

A technique that takes more than one generation, or searches, needs no storage of its own: it emits steps (StepStarted,
StepFinished) and this value, stored with the answer, keeps them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import msgspec

from workbench.base.catalogue import Shown
from workbench.base.stored import Stored
from workbench.records.messages import Beam, Passage, Usage

StepState = Literal["running", "done", "failed", "stopped"]
StepAction = Literal["expand", "prune", "edit", "result"]
"""The actions of a person on a step: more is thought from a thought; it is given up, with what follows; or the step
says ``text``, and what followed it goes. Of a tool call, ``edit`` changes the arguments and ``result`` its result."""

EDITED: dict[StepAction, str] = {
    "expand": "Expanded by you",
    "prune": "Pruned by you",
    "edit": "Edited by you",
    "result": "Result written by you",
}
"""The titles of the steps that keep it."""


class StepEdit(msgspec.Struct, frozen=True, kw_only=True):
    """A change of one step of an answer, from which another answer goes on. A step of the kind ``edit`` within the
    changed one keeps it, with the action as its output."""

    step: str
    action: StepAction
    text: str = ""


class TokenIds(msgspec.Struct, frozen=True, kw_only=True):
    """The token ids of a generation: the ``prompt``, and each of the generated ``sequences``, best first."""

    prompt: tuple[int, ...]
    sequences: tuple[tuple[int, ...], ...]


class TraceStep(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One step. ``parent`` is the id of the step around it, "" for the answer itself.

    ``kind`` is one word that techniques choose: generation, search, rewrite, check, section, tool, critic, … .
    ``input`` and ``output`` are text; the output of a generation is the model's text before citations were edited.
    ``score`` has the scale of its kind, higher is better. ``seconds`` is wall time, 0.0 while unknown. ``usage`` is of
    this step alone, without the steps inside it. ``state`` is ``stopped`` when the answer ended before the step did.
    ``writes_answer``: its text is the answer's, or a piece of it.
    """

    id: str
    kind: str
    parent: str = ""
    title: Shown = ""
    input: str = ""
    output: str = ""
    thought: str = ""
    state: StepState = "done"
    error: Shown = ""
    score: float | None = None
    seconds: float = 0.0
    usage: Usage | None = None
    writes_answer: bool = False
    query: str = ""
    passages: tuple[Passage, ...] = ()
    tokens: TokenIds | None = None
    beams: tuple[tuple[Beam, ...], ...] = ()


class Trace(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The ``steps`` of an answer in the order in which they began."""

    steps: tuple[TraceStep, ...] = ()

    def walk(self) -> Iterator[tuple[int, TraceStep]]:
        """Each step with its depth, a parent before its children. A step without a known parent has depth 0."""
        known = {step.id for step in self.steps}
        children: dict[str, list[TraceStep]] = {}
        for step in self.steps:
            children.setdefault(step.parent if step.parent in known else "", []).append(step)
        waiting = [(0, step) for step in reversed(children.get("", ()))]
        while waiting:
            depth, step = waiting.pop()
            yield depth, step
            waiting += [(depth + 1, child) for child in reversed(children.get(step.id, ()))]

    @property
    def generation(self) -> TraceStep | None:
        """The generation whose sequences are the answer's, None when there is none, or several wrote the answer."""
        writing = [step for step in self.steps if step.writes_answer]
        return writing[0] if len(writing) == 1 else None

    @property
    def tokens(self) -> TokenIds | None:
        """The token ids of the answer itself, where one generation wrote it."""
        step = self.generation
        return step.tokens if step is not None else None


def _from_1(fields: list[Any]) -> dict[str, Any]:
    """Format 1 was an array of prompt, sequences and beams: the token ids of the one generation that was stored."""
    prompt, sequences, *beams = fields
    generation = {
        "id": "1",
        "kind": "generation",
        "title": "Answer",
        "writes_answer": True,
        "tokens": {"prompt": prompt, "sequences": sequences},
        "beams": beams[0] if beams else [],
    }
    return {"steps": [generation]}


TRACE = Stored("record of the steps of this answer", Trace, upgrades={1: _from_1}, packed=True)
"""Packed, about two bytes per token."""
