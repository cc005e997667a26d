"""Search in a tree of thoughts, against exact oracles: what is solved, what is not exceeded, what goes on."""

from __future__ import annotations

import contextlib
import operator
import random
import re
from collections.abc import Callable, Generator, Iterator, Sequence
from fractions import Fraction
from itertools import permutations, product
from typing import Any

import pytest

from workbench.api.protocol import drain
from workbench.base.errors import UserError
from workbench.techniques.prompting.tree_problems import NumbersProblem, children, reachable
from workbench.techniques.prompting.tree_search import (
    Done,
    Expand,
    Judge,
    Node,
    Plan,
    SearchKind,
    Thought,
    Tree,
    next_action,
    search,
)
from workbench.techniques.tools.arithmetic import evaluate

KINDS: tuple[SearchKind, ...] = ("breadth-first", "depth-first", "beam")


SHAPES: tuple[Callable[..., Fraction], ...] = (
    lambda a, b, c, d, f, g, h: h(g(f(a, b), c), d),
    lambda a, b, c, d, f, g, h: h(g(a, f(b, c)), d),
    lambda a, b, c, d, f, g, h: h(f(a, b), g(c, d)),
    lambda a, b, c, d, f, g, h: h(a, g(f(b, c), d)),
    lambda a, b, c, d, f, g, h: h(a, g(b, f(c, d))),
)


def brute_force(numbers: tuple[int, ...], target: int) -> bool:
    """Every order, every operation, every way to set parentheses: an oracle that shares no code with the search."""
    signs = (operator.add, operator.sub, operator.mul, operator.truediv)
    for order in set(permutations(map(Fraction, numbers))):
        for chosen in product(signs, repeat=3):
            for shape in SHAPES:
                with contextlib.suppress(ZeroDivisionError):
                    if shape(*order, *chosen) == target:
                        return True
    return False


def exactly(problem: NumbersProblem, plan: Plan) -> tuple[Tree[Any], Node[Any], list[int]]:
    """A search with the exact proposer and the exact judge; the sizes of its batches."""
    tree = Tree.of(problem.start, problem.key(problem.start))
    batches: list[int] = []

    def propose(nodes: Sequence[Node[Any]]) -> Generator[None, None, list[list[Thought[Any]]]]:
        yield
        batches.append(len(nodes))
        return [children(problem, node.state, problem.moves(node.state)) for node in nodes]

    def judge(nodes: Sequence[Node[Any]]) -> Generator[None, None, list[float]]:
        yield
        return [problem.value(node.state) or 0.0 for node in nodes]

    return tree, drain(search(tree, plan, propose, judge)), batches  # type: ignore[arg-type]


def puzzles(count: int) -> Iterator[tuple[int, ...]]:
    rng = random.Random(24)
    for _ in range(count):
        yield tuple(rng.randint(1, 13) for _ in range(4))


@pytest.mark.slow
def test_every_puzzle_that_brute_force_solves_is_solved_and_no_other() -> None:
    solvable = 0
    for numbers in puzzles(12):
        problem = NumbersProblem(numbers)
        wanted = brute_force(numbers, 24)
        solvable += wanted
        for kind in KINDS:
            _, best, _ = exactly(problem, Plan(kind, problem.depth, width=3))
            assert best.solved == wanted, (numbers, kind)
            if wanted:
                expression, _, target = problem.answer(best.state).rpartition("=")
                assert evaluate(expression) == evaluate(target) == 24
                assert sorted(map(int, re.findall(r"\d+", expression))) == sorted(numbers)
    assert 6 <= solvable < 12


@pytest.mark.parametrize("kind", KINDS)
def test_the_order_is_that_of_the_search(kind: SearchKind) -> None:
    """A tree of two thoughts a state, worth 0.2 and 0.8."""

    def propose(nodes: Sequence[Node[str]]) -> Generator[None, None, list[list[Thought[str]]]]:
        yield
        expanded.extend(node.state for node in nodes)
        return [[Thought(end, node.state + end, node.state + end) for end in "ab"] for node in nodes]

    def judge(nodes: Sequence[Node[str]]) -> Generator[None, None, list[float]]:
        yield
        return [0.2 if node.thought == "a" else 0.8 for node in nodes]

    expanded: list[str] = []
    tree = Tree.of("", "")
    best = drain(search(tree, Plan(kind, 2, width=1), propose, judge))  # type: ignore[arg-type]
    assert (best.state, [node.state for node in tree.path(best)]) == ("bb", ["b", "bb"])
    assert expanded == {"breadth-first": ["", "b", "a"], "depth-first": ["", "b", "a"], "beam": ["", "b"]}[kind]


def test_a_dead_end_is_left_and_a_state_that_comes_twice_is_one() -> None:
    tree = Tree.of(0, "0")
    root = tree.nodes[0]
    first = tree.add(root, Thought("one", 1, "1"))
    assert first is not None
    assert tree.add(root, Thought("one again", 1, "1")) is None
    root.expanded = True
    assert next_action(tree, Plan("beam", 3)) == Judge((first,))
    first.value = 0.05
    assert next_action(tree, Plan("beam", 3, cutoff=0.05)) == Done(tree.best(0.05))
    assert next_action(tree, Plan("beam", 3, cutoff=0.01)) == Expand((first,))


def test_a_search_that_is_stopped_anywhere_goes_on_to_the_same_tree() -> None:
    rng = random.Random(9)
    for numbers in puzzles(6):
        problem = NumbersProblem(numbers)
        plan = Plan(rng.choice(KINDS), problem.depth, width=2)
        whole, _, _ = exactly(problem, plan)
        tree = Tree.of(problem.start, problem.key(problem.start))

        def propose(nodes: Sequence[Node[Any]], problem: NumbersProblem = problem) -> Any:
            some = nodes[: rng.randint(1, len(nodes))]  # fewer than asked for
            yield from [None] * 3
            return [children(problem, node.state, problem.moves(node.state)) for node in some]

        def judge(nodes: Sequence[Node[Any]], problem: NumbersProblem = problem) -> Any:
            some = nodes[: rng.randint(1, len(nodes))]
            yield from [None] * 3
            return [problem.value(node.state) or 0.0 for node in some]

        for _ in range(20_000):
            going = search(tree, plan, propose, judge)
            for _ in range(rng.randint(1, 12)):
                if next(going, "end") == "end":
                    break
            going.close()
            if isinstance(next_action(tree, plan), Done):
                break
        found, expected = (sorted((n.key, n.value or 0.0) for n in one.nodes) for one in (tree, whole))
        solved = [one for one in (tree, whole) if any(n.solved for n in one.nodes)]
        assert len(solved) in (0, 2)
        if not solved:
            assert found == expected


@pytest.mark.parametrize(
    ("question", "numbers", "target"),
    [("Make 24 from 4 9 10 13.", (4, 9, 10, 13), 24), ("4 9 10 13", (4, 9, 10, 13), 24),
     ("Use 3, 5 and 7 to get 22", (3, 5, 7), 22), ("1 2 3 = 6", (1, 2, 3), 6)],
)  # fmt: skip
def test_the_numbers_are_read_from_the_question(question: str, numbers: tuple[int, ...], target: int) -> None:
    assert NumbersProblem.of(question) == NumbersProblem(numbers, target)


def test_a_question_without_numbers_is_refused() -> None:
    for question in ("What is the capital of France?", "Make 24 from 1 2 3 4 5 6 7 8"):
        with pytest.raises(UserError, match="numbers to reach"):
            NumbersProblem.of(question)


def test_an_answer_that_is_no_solution_says_what_it_comes_to() -> None:
    problem = NumbersProblem((4, 6))
    thought = problem.follow(problem.start, "6 + 4 = 10")
    assert thought is not None
    assert (thought.solved, problem.answer(thought.state)) == (False, "6 + 4 = 10")


def test_what_can_be_reached() -> None:
    assert reachable((Fraction(3), Fraction(3), Fraction(8), Fraction(8)), Fraction(24))  # 8 / (3 - 8 / 3)
    assert not reachable((Fraction(1),) * 4, Fraction(24))
