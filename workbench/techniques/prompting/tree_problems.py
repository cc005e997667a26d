"""Problems for a tree of thoughts: their states are kept by the program, not by the model's text.

A problem says which thoughts are possible in a state, what each leads to, and whether a state is solved. Where the
possible thoughts can be listed, the model chooses among them only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import combinations
from typing import Any, Protocol, TypeVar

from workbench.base.errors import UserError
from workbench.techniques.prompting.extraction import normalised
from workbench.techniques.prompting.tree_search import Thought

S = TypeVar("S")
FEWEST_NUMBERS, MOST_NUMBERS = 2, 6


class Problem(Protocol[S]):
    @property
    def start(self) -> S: ...

    @property
    def depth(self) -> int:
        """The number of thoughts to a solution; 0 where it is not known."""

    def key(self, state: S) -> str: ...

    def describe(self, state: S) -> str:
        """The state as the model reads it."""

    def moves(self, state: S) -> tuple[str, ...] | None:
        """The possible thoughts; None where any text is one."""

    def follow(self, state: S, text: str) -> Thought[S] | None:
        """The thought with the state that it leads to; None where it is not possible."""

    def value(self, state: S) -> float | None:
        """The exact value of a state, None where it is not known."""

    def answer(self, state: S) -> str: ...


@dataclass(frozen=True)
class TextProblem:
    """Any question: a state is the thoughts so far."""

    question: str
    start: tuple[str, ...] = ()
    depth: int = 0

    def key(self, state: tuple[str, ...]) -> str:
        return "\n".join(normalised(thought, "text") for thought in state)

    def describe(self, state: tuple[str, ...]) -> str:
        return "\n".join(state)

    def moves(self, state: tuple[str, ...]) -> None:
        return None

    def follow(self, state: tuple[str, ...], text: str) -> Thought[tuple[str, ...]] | None:
        said = " ".join(text.split())
        after = (*state, said)
        return Thought(said, after, self.key(after)) if said else None

    def value(self, state: tuple[str, ...]) -> float | None:
        return None

    def answer(self, state: tuple[str, ...]) -> str:
        return "\n".join(state)


Term = tuple[Fraction, str]
"""A number that is left, and the expression that it came from."""
Numbers = tuple[Term, ...]

_TARGET = re.compile(r"(?:make|makes|get|gets|reach|obtain|equals?|give|target(?: is| of)?|=)\s*(-?\d+)", re.IGNORECASE)


@dataclass(frozen=True)
class NumbersProblem:
    """Reach a target from some numbers, each used once, with the four operations: the Game of 24 (section 4.1 of the
    paper). A thought joins two of the numbers that are left."""

    numbers: tuple[int, ...]
    target: int = 24

    @classmethod
    def of(cls, question: str) -> NumbersProblem:
        """The numbers of a question such as "Make 24 from 4 9 10 13." Raises UserError."""
        found = _TARGET.search(question)
        target = int(found.group(1)) if found is not None else 24
        rest = question if found is None else question[: found.start()] + question[found.end() :]
        numbers = tuple(map(int, re.findall(r"\d+", rest)))
        if not FEWEST_NUMBERS <= len(numbers) <= MOST_NUMBERS:
            raise UserError(
                f"The question has {len(numbers)} numbers to reach {target} from.",
                f"Give {FEWEST_NUMBERS} to {MOST_NUMBERS} numbers, as in: Make 24 from 4 9 10 13.",
            )
        return cls(numbers, target)

    @property
    def start(self) -> Numbers:
        return tuple((Fraction(number), str(number)) for number in self.numbers)

    @property
    def depth(self) -> int:
        return len(self.numbers) - 1

    def key(self, state: Numbers) -> str:
        return " ".join(map(str, sorted(value for value, _ in state)))

    def describe(self, state: Numbers) -> str:
        return f"Numbers left: {' '.join(str(value) for value, _ in state)}. Target: {self.target}."

    def moves(self, state: Numbers) -> tuple[str, ...]:
        return tuple(dict.fromkeys(text for text, _ in self._joined(state)))

    def follow(self, state: Numbers, text: str) -> Thought[Numbers] | None:
        wanted = " ".join(text.split())
        for said, after in self._joined(state):
            if said == wanted:
                solved = len(after) == 1 and after[0][0] == self.target
                return Thought(said, after, self.key(after), solved)
        return None

    def value(self, state: Numbers) -> float | None:
        return float(reachable(tuple(sorted(value for value, _ in state)), Fraction(self.target)))

    def answer(self, state: Numbers) -> str:
        return f"{_bare(state[0][1])} = {state[0][0]}" if len(state) == 1 else self.describe(state)

    def _joined(self, state: Numbers) -> Iterator[tuple[str, Numbers]]:
        """Each step with the numbers that are left after it; the larger number first where order does not matter."""
        for i, j in combinations(range(len(state)), 2):
            rest = tuple(term for place, term in enumerate(state) if place not in (i, j))
            a, b = sorted((state[i], state[j]), key=lambda term: -term[0])
            for sign, value, (left, right) in _operations(a, b):
                joined = (value, f"({left[1]} {sign} {right[1]})")
                yield f"{left[0]} {sign} {right[0]} = {value}", (*rest, joined)


def _operations(a: Term, b: Term) -> Iterator[tuple[str, Fraction, tuple[Term, Term]]]:
    """What can be made of two numbers, of which ``a`` is not the smaller one."""
    yield "+", a[0] + b[0], (a, b)
    yield "-", a[0] - b[0], (a, b)
    yield "*", a[0] * b[0], (a, b)
    if a[0] != b[0]:
        yield "-", b[0] - a[0], (b, a)
    if b[0]:
        yield "/", a[0] / b[0], (a, b)
    if a[0] and a[0] != b[0]:
        yield "/", b[0] / a[0], (b, a)


@lru_cache(maxsize=50_000)
def reachable(values: tuple[Fraction, ...], target: Fraction) -> bool:
    """Whether the target can be made of all the values."""
    if len(values) == 1:
        return values[0] == target
    for i, j in combinations(range(len(values)), 2):
        rest = [value for place, value in enumerate(values) if place not in (i, j)]
        high, low = max(values[i], values[j]), min(values[i], values[j])
        if any(reachable(tuple(sorted([*rest, value])), target) for _, value, _ in _operations((high, ""), (low, ""))):
            return True
    return False


def _bare(expression: str) -> str:
    """An expression without the parentheses around all of it."""
    return expression[1:-1] if expression.startswith("(") and expression.endswith(")") else expression


AnyProblem = Problem[Any]


def children(problem: Problem[S], state: S, texts: Sequence[str]) -> list[Thought[S]]:
    """The possible ones of some thoughts, each state once."""
    found: dict[str, Thought[S]] = {}
    for text in texts:
        thought = problem.follow(state, text)
        if thought is not None:
            found.setdefault(thought.key, thought)
    return list(found.values())
