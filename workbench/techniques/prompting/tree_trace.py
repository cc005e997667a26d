"""The tree of thoughts in a trace: read back from the steps of an answer, with a person's edit of a thought.

It owns what the kinds of steps ``tree``, ``proposal``, ``thought`` and ``edit`` say of a tree, so that a search goes on
from the one that was searched. How thoughts are made and judged is not known here (``tree_of_thoughts.py``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workbench.base.errors import UserError
from workbench.records.trace import StepEdit, TraceStep
from workbench.techniques.prompting.tree_problems import AnyProblem, children
from workbench.techniques.prompting.tree_search import Node, Tree


def tree_of(steps: Sequence[TraceStep], problem: AnyProblem) -> Tree[Any]:
    """The tree that the steps of an answer show: the same that was searched, and that a search goes on from."""
    return _tree_and_nodes(steps, problem)[0]


def tree_to_search(earlier: Sequence[TraceStep], edit: StepEdit | None, problem: AnyProblem) -> Tree[Any]:
    """The tree to go on from: that of the earlier steps, with a person's edit. Raises UserError for one that is not
    possible."""
    tree, nodes = _tree_and_nodes(earlier, problem)
    if edit is None:
        return tree
    node = nodes.get(edit.step)
    if node is None or (node.parent < 0 and edit.action != "expand"):
        raise UserError(f"The step {edit.step} is no thought of this tree.", "Choose a thought of the answer's steps.")
    if edit.action != "edit":
        return tree.edited(node, edit.action)
    state = tree.nodes[node.parent].state
    thought = problem.follow(state, edit.text)
    if thought is None:
        moves = problem.moves(state)
        hint = f"Possible are, for example: {', '.join(moves[:4])}." if moves else "Write a thought."
        raise UserError(f"{edit.text.strip()!r} is no possible next step here.", hint)
    return tree.edited(node, "edit", thought)


def _tree_and_nodes(steps: Sequence[TraceStep], problem: AnyProblem) -> tuple[Tree[Any], dict[str, Node[Any]]]:
    """The tree, and its nodes by the ids of their steps."""
    tree = Tree.of(problem.start, problem.key(problem.start))
    root = next((step for step in steps if step.kind == "tree"), None)
    proposed: dict[tuple[int, str], Node[Any]] = {}
    nodes: dict[str, Node[Any]] = {root.id: tree.nodes[0]} if root is not None else {}
    for step in steps:
        parent = nodes.get(step.parent)
        if parent is None:
            continue
        if step.kind == "proposal" and step.state == "done":
            parent.expanded = True
            for thought in children(problem, parent.state, step.output.splitlines()):
                if (added := tree.add(parent, thought)) is not None:
                    proposed[parent.id, thought.text] = added
        elif step.kind == "thought" and (node := proposed.get((parent.id, step.title))) is not None:
            nodes[step.id] = node
            node.value = step.score
        elif step.kind == "edit" and step.output == "prune":
            parent.pruned = True
        elif step.kind == "edit":
            tree.focus = parent
    return tree, nodes
