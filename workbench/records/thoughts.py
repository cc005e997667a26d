"""The tree of thoughts that the steps of an answer hold: which thought follows which, what it took, and the best path.

A thought is a step of the kind ``thought``; the step of the kind ``tree`` around all of them is the root.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from workbench.records.trace import StepAction, Trace, TraceStep

ThoughtState = Literal["running", "open", "solved", "dead end", "pruned", "stopped"]

_ACTIONS: dict[str, tuple[StepAction, ...]] = {
    "thought": ("expand", "prune", "edit"),
    "tree": ("expand",),
    "reasoning": ("edit",),
    "line": ("edit",),
}


def actions_on(step: TraceStep) -> tuple[StepAction, ...]:
    """What a person can do with a step of an answer by a technique that resumes."""
    if step.kind == "thought" and step.output == "solved":  # nothing follows
        return ("prune", "edit")
    return _ACTIONS.get(step.kind, ())


def text_to_edit(step: TraceStep) -> str:
    """What a person edits of a step: a thought, a reasoning, or the line that a program got by it."""
    if step.kind == "line":  # the text of a first generation after given lines begins with these
        return next(iter(reversed(step.output.strip().splitlines())), "").strip()
    return step.output if step.kind == "reasoning" else step.title


class ThoughtNode(msgspec.Struct, frozen=True, kw_only=True):
    """A thought with its ``depth`` (the root: 0) and the tokens that were computed for it: for its judgement and for
    what was proposed from it, without the thoughts below it. ``edit`` is what a person did with it."""

    step: TraceStep
    parent: str
    depth: int
    state: ThoughtState
    new_tokens: int
    edit: StepAction | None = None


class ThoughtTree(msgspec.Struct, frozen=True):
    """The ``nodes`` by the ids of their steps, a parent before its children; ``best`` is the path from the root to the
    most promising thought."""

    nodes: dict[str, ThoughtNode]
    children: dict[str, tuple[str, ...]]
    best: tuple[str, ...]

    @classmethod
    def of(cls, trace: Trace) -> ThoughtTree | None:
        """The tree of a trace; None where there is none."""
        root = next((step for step in trace.steps if step.kind == "tree"), None)
        if root is None:
            return None
        owner = {root.id: root.id}
        thoughts, parents = {root.id: root}, {root.id: ""}
        tokens, edits = {root.id: 0}, dict[str, StepAction]()
        for step in trace.steps:
            above = owner.get(step.parent)
            if above is None:
                continue
            if step.kind == "thought":
                owner[step.id] = step.id
                thoughts[step.id], parents[step.id], tokens[step.id] = step, above, 0
                continue
            owner[step.id] = above
            tokens[above] += step.usage.new_tokens if step.usage is not None else 0
            if step.kind == "edit" and step.output in _ACTIONS["thought"]:
                edits[above] = msgspec.convert(step.output, StepAction)
        nodes: dict[str, ThoughtNode] = {}
        children: dict[str, list[str]] = {id: [] for id in thoughts}
        for id, step in thoughts.items():
            parent, edit = parents[id], edits.get(id)
            depth = nodes[parent].depth + 1 if parent else 0
            state = "pruned" if edit == "prune" else _state(step)
            node = ThoughtNode(step=step, parent=parent, depth=depth, state=state, new_tokens=tokens[id], edit=edit)
            nodes[id] = node
            if parent:
                children[parent].append(id)
        return cls(nodes, {id: tuple(below) for id, below in children.items()}, _best(nodes))


def _state(step: TraceStep) -> ThoughtState:
    if step.state in ("running", "stopped", "failed"):
        return "running" if step.state == "running" else "stopped"
    if step.kind == "thought" and step.output == "solved":
        return "solved"
    return "dead end" if step.kind == "thought" and step.output == "dead end" else "open"


def _best(nodes: dict[str, ThoughtNode]) -> tuple[str, ...]:
    """As the search ranks: a solution; else, below the thought that a person chose, the deepest that is no dead end,
    then the best score, then the earliest."""
    focus = next((id for id, node in reversed(nodes.items()) if node.edit in ("expand", "edit")), "")
    focused: set[str] = set()
    for id, node in nodes.items():
        if not focus or id == focus or node.parent in focused:
            focused.add(id)
    places = {id: place for place, id in enumerate(nodes)}

    def rank(id: str) -> tuple[float, ...]:
        node = nodes[id]
        score = (node.step.score or 0.0) if node.parent else 1.0
        live = bool(node.step.score) and node.state != "dead end"
        return node.state == "solved", id in focused, live or not node.parent, node.depth, score, -places[id]

    path = [max((id for id, node in nodes.items() if node.state != "pruned"), key=rank)]
    while above := nodes[path[-1]].parent:
        path.append(above)
    return tuple(reversed(path))
