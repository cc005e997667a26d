"""Search in a tree of thoughts: breadth-first, depth-first and beam search over a proposer and a judge.

Yao et al. 2023, "Tree of Thoughts: Deliberate Problem Solving with Large Language Models" (arXiv:2305.10601). What
comes next is a function of the tree alone (``next_action``): a search that was stopped anywhere goes on from its tree.
Pure: who proposes, judges or watches is handed in.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Generic, Literal, NamedTuple, TypeVar

S = TypeVar("S")
E = TypeVar("E")

SearchKind = Literal["breadth-first", "depth-first", "beam"]
BEAM: SearchKind = "beam"


@dataclass(eq=False)
class Node(Generic[S]):
    """A state, reached by ``thought`` from ``parent`` (-1: the root has none). ``value`` in [0, 1] is None until it was
    judged; ``expanded``: its thoughts were proposed."""

    id: int
    parent: int
    depth: int
    thought: str
    state: S
    key: str
    solved: bool = False
    value: float | None = None
    expanded: bool = False


class Thought(NamedTuple, Generic[S]):
    """A proposed step to a state. States with the same ``key`` are the same."""

    text: str
    state: S
    key: str
    solved: bool = False


@dataclass
class Tree(Generic[S]):
    """The nodes in the order in which they were added, the root first."""

    nodes: list[Node[S]]
    _keys: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, state: S, key: str) -> Tree[S]:
        return cls([Node(0, -1, 0, "", state, key, value=1.0)], {key})

    def add(self, parent: Node[S], thought: Thought[S]) -> Node[S] | None:
        """A new node; None for a state that the tree has already."""
        if thought.key in self._keys:
            return None
        self._keys.add(thought.key)
        node = Node(
            len(self.nodes), parent.id, parent.depth + 1, thought.text, thought.state, thought.key, thought.solved
        )
        node.value = 1.0 if thought.solved else None
        self.nodes.append(node)
        return node

    def path(self, node: Node[S]) -> list[Node[S]]:
        """From the first thought to the node."""
        path = []
        while node.parent >= 0:
            path.append(node)
            node = self.nodes[node.parent]
        return path[::-1]

    def best(self, cutoff: float = 0.0) -> Node[S]:
        """A solution; else the most promising of the deepest states, dead ends last."""
        return max(
            self.nodes,
            key=lambda n: (n.solved, (n.value or 0.0) > cutoff or n.parent < 0, n.depth, n.value or 0.0, -n.id),
        )


class Plan(NamedTuple):
    """How to search: to ``depth`` thoughts; a beam keeps ``width`` states of a level; states of a value of at most
    ``cutoff`` are dead ends."""

    kind: SearchKind
    depth: int
    width: int = 1
    cutoff: float = 0.0


class Expand(NamedTuple, Generic[S]):
    nodes: tuple[Node[S], ...]


class Judge(NamedTuple, Generic[S]):
    nodes: tuple[Node[S], ...]


class Done(NamedTuple, Generic[S]):
    node: Node[S]


Action = Expand[S] | Judge[S] | Done[S]


def next_action(tree: Tree[S], plan: Plan) -> Action[S]:
    """What comes next. The same tree always leads to the same."""
    solution = next((node for node in tree.nodes if node.solved), None)
    if solution is not None:
        return Done(solution)
    if unjudged := tuple(node for node in tree.nodes if node.value is None):
        return Judge(unjudged)
    if plan.kind == "depth-first":
        following = _next_in_depth(tree, plan)
        return Expand((following,)) if following is not None else Done(tree.best(plan.cutoff))
    for depth in range(plan.depth):
        level = sorted((n for n in tree.nodes if n.depth == depth and _open(n, plan)), key=_rank)
        kept = level[: plan.width] if plan.kind == BEAM and depth else level
        if waiting := tuple(node for node in kept if not node.expanded):
            return Expand(waiting)
    return Done(tree.best(plan.cutoff))


def search(
    tree: Tree[S],
    plan: Plan,
    propose: Callable[[Sequence[Node[S]]], Generator[E, None, Sequence[Sequence[Thought[S]]]]],
    judge: Callable[[Sequence[Node[S]]], Generator[E, None, Sequence[float]]],
    watch: Callable[[Node[S]], Iterable[E]] = lambda node: (),
) -> Generator[E, None, Node[S]]:
    """Search until a state is solved or nothing is left; returns the best node.

    ``propose`` gives each node's thoughts, ``judge`` each node's value; either may give fewer than asked for, of the
    first nodes, and none at all ends the search. Whatever they raise leaves the tree as far as it is. ``watch`` is told
    of each node when it is added, and again when it is judged.
    """
    while not isinstance(action := next_action(tree, plan), Done):
        if isinstance(action, Judge):
            values = yield from judge(action.nodes)
            for node, value in zip(action.nodes, values, strict=False):
                node.value = value
                yield from watch(node)
            made = len(values)
        else:
            proposals = yield from propose(action.nodes)
            added: list[Node[S] | None] = []
            for node, thoughts in zip(action.nodes, proposals, strict=False):
                node.expanded = True
                added += [tree.add(node, thought) for thought in thoughts]
            for new in added:
                if new is not None:
                    yield from watch(new)
            made = len(proposals)
        if not made:
            return tree.best(plan.cutoff)
    return action.node


def _open(node: Node[S], plan: Plan) -> bool:
    return node.parent < 0 or (node.value is not None and node.value > plan.cutoff)


def _rank(node: Node[S]) -> tuple[float, int]:
    return -(node.value or 0.0), node.id


def _next_in_depth(tree: Tree[S], plan: Plan) -> Node[S] | None:
    """The first state that is not expanded, the most promising branch before the others."""
    children: dict[int, list[Node[S]]] = {}
    for node in tree.nodes[1:]:
        if _open(node, plan):
            children.setdefault(node.parent, []).append(node)
    waiting = [tree.nodes[0]]
    while waiting:
        node = waiting.pop()
        if node.depth >= plan.depth:
            continue
        if not node.expanded:
            return node
        waiting += sorted(children.get(node.id, ()), key=_rank, reverse=True)
    return None
