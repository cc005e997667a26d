"""Search in a tree of thoughts: breadth-first, depth-first and beam search over a proposer and a judge.

Yao et al. 2023, "Tree of Thoughts: Deliberate Problem Solving with Large Language Models" (arXiv:2305.10601). What
comes next is a function of the tree alone (``next_action``): a search that was stopped anywhere goes on from its tree.
Pure: who proposes, judges or watches is handed in.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Generic, Literal, NamedTuple, TypeVar

from workbench.base.errors import UserError
from workbench.records.trace import StepAction

S = TypeVar("S")
E = TypeVar("E")

SearchKind = Literal["breadth-first", "depth-first", "beam"]
BEAM: SearchKind = "beam"


@dataclass(eq=False)
class Node(Generic[S]):
    """A state, reached by ``thought`` from ``parent`` (-1: the root has none). ``value`` in [0, 1] is None until it was
    judged; ``expanded``: its thoughts were proposed; ``pruned``: a person gave it up."""

    id: int
    parent: int
    depth: int
    thought: str
    state: S
    key: str
    solved: bool = False
    value: float | None = None
    expanded: bool = False
    pruned: bool = False


class Thought(NamedTuple, Generic[S]):
    """A proposed step to a state. States with the same ``key`` are the same."""

    text: str
    state: S
    key: str
    solved: bool = False


@dataclass
class Tree(Generic[S]):
    """The nodes in the order in which they were added, the root first. With a ``focus`` the search is of what is below
    that node, which a person chose: only that is judged and expanded."""

    nodes: list[Node[S]]
    _keys: set[str] = field(default_factory=set)
    focus: Node[S] | None = None

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

    def below(self, top: Node[S] | None) -> list[Node[S]]:
        """A node and what came of it; the whole tree for None."""
        if top is None or top.parent < 0:
            return self.nodes
        ids = {top.id}
        for node in self.nodes:
            if node.parent in ids:
                ids.add(node.id)
        return [node for node in self.nodes if node.id in ids]

    def best(self, cutoff: float = 0.0) -> Node[S]:
        """A solution; else the most promising of the deepest states in focus, dead ends last."""
        focused = {node.id for node in self.below(self.focus)}

        def rank(node: Node[S]) -> tuple[float, ...]:
            value = node.value or 0.0
            live = value > cutoff or node.parent < 0
            return node.solved, node.id in focused, live, node.depth, value, -node.id

        return max((node for node in self.nodes if not node.pruned), key=rank)

    def edited(self, at: Node[S], action: StepAction, thought: Thought[S] | None = None) -> Tree[S]:
        """The tree as a person wants it: without what is below a thought that is pruned or replaced by ``thought``; the
        search of one to expand, or of one replaced, begins there. Raises UserError for a state that is there twice."""
        start = self.nodes[0]
        tree = Tree.of(start.state, start.key)
        made = {start.id: tree.nodes[0]}
        for old in self.nodes:
            stays = thought is None or old is not at
            if old.parent in made and (action == "expand" or old.parent != at.id):
                said = Thought(old.thought, old.state, old.key, old.solved)
                added = tree.add(made[old.parent], said if stays or thought is None else thought)
                if added is None:
                    raise UserError("The tree has this thought already.", "Expand the one that is there.")
                made[old.id] = added
            if stays and old.id in made:
                new = made[old.id]
                new.value, new.expanded, new.pruned = old.value, old.expanded, old.pruned
        if action == "prune":
            made[at.id].pruned, made[at.id].expanded = True, False
        else:
            tree.focus = made[at.id]
            tree.focus.expanded = tree.focus.pruned = False
        return tree


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
    top = tree.focus or tree.nodes[0]
    nodes = [node for node in tree.below(top) if not node.pruned]
    solution = next((node for node in nodes if node.solved), None)
    if solution is not None and (tree.focus is None or top.expanded):
        return Done(solution)
    if unjudged := tuple(node for node in nodes if node.value is None):
        return Judge(unjudged)
    depth_limit = plan.depth if tree.focus is None else max(plan.depth, top.depth + 1)
    if plan.kind == "depth-first":
        following = _next_in_depth(top, nodes, plan, depth_limit)
        return Expand((following,)) if following is not None else Done(tree.best(plan.cutoff))
    for depth in range(top.depth, depth_limit):
        level = sorted((n for n in nodes if n.depth == depth and (n is top or _open(n, plan))), key=_rank)
        kept = level[: plan.width] if plan.kind == BEAM and depth > top.depth else level
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
    return node.value is not None and node.value > plan.cutoff


def _rank(node: Node[S]) -> tuple[float, int]:
    return -(node.value or 0.0), node.id


def _next_in_depth(top: Node[S], nodes: Sequence[Node[S]], plan: Plan, depth_limit: int) -> Node[S] | None:
    """The first state that is not expanded, the most promising branch before the others."""
    children: dict[int, list[Node[S]]] = {}
    for node in nodes:
        if node is not top and _open(node, plan):
            children.setdefault(node.parent, []).append(node)
    waiting = [top]
    while waiting:
        node = waiting.pop()
        if node.depth >= depth_limit:
            continue
        if not node.expanded:
            return node
        waiting += sorted(children.get(node.id, ()), key=_rank, reverse=True)
    return None
