"""Translates a GBNF grammar into llguidance's form of Lark's notation, with lexemes where that makes no difference.

llguidance matches the longest text that is a lexeme. GBNF has no lexemes: a part may end wherever it can. Both are the
same where, after each text that is a lexeme, what can come next does not extend it or start another lexeme;
elsewhere each character is a lexeme, which takes much longer. A grammar without recursion is one lexeme. Rules get
numbers for names, since those of lexemes are in capitals.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Collection, Iterable, Mapping, Sequence

from workbench.techniques.decoding.gbnf import (
    CharacterClass,
    Choice,
    Part,
    Reference,
    Repetition,
    Text,
    parts_of,
    read_gbnf,
)

_LAST = 0x10FFFF
_MOST_STATES = 2_000

Unit = Text | CharacterClass | str
"""A lexeme: a text, a class, or the name of a plain rule."""


def plain_rules(rules: Mapping[str, Choice]) -> frozenset[str]:
    """The rules that do not lead to a recursive one: regular expressions, in effect."""
    left = {name: {part.name for part in parts_of(rule) if isinstance(part, Reference)} for name, rule in rules.items()}
    used_by: dict[str, list[str]] = {name: [] for name in rules}
    for name, needed in left.items():
        for one in needed:
            used_by[one].append(name)
    plain = [name for name, needed in left.items() if not needed]
    for name in plain:
        for user in used_by[name]:
            left[user].discard(name)
            if not left[user]:
                plain.append(user)
    return frozenset(plain)


def are_lexemes(rules: Mapping[str, Choice], plain: frozenset[str]) -> bool:
    """Whether each text, class and plain rule in the other rules may match as long as it can. False for grammars that
    are too big to check."""
    following = _Following(rules, plain).found
    try:
        automaton = _Automaton(rules, following)
    except (_TooBigError, RecursionError):
        return False
    return automaton.takes_the_longest(following)


class _Following:
    """``found``: the units that can directly follow each unit."""

    def __init__(self, rules: Mapping[str, Choice], plain: frozenset[str]) -> None:
        self._rules = {name: rule for name, rule in rules.items() if name not in plain}
        self._plain = plain
        self._empty = _can_be_empty(rules)
        self._firsts: dict[str, set[Unit]] = {name: set() for name in self._rules}
        self._after_rule: dict[str, set[Unit]] = {name: set() for name in self._rules}
        self.found: dict[Unit, set[Unit]] = {}
        while any(self._add(self._firsts[name], self._first(rule)) for name, rule in self._rules.items()):
            pass
        self._changed = True
        while self._changed:
            self._changed = False
            for name, rule in self._rules.items():
                self._see(rule, self._after_rule[name])

    @staticmethod
    def _add(known: set[Unit], more: set[Unit]) -> bool:
        before = len(known)
        known |= more
        return len(known) > before

    def _unit(self, part: Part) -> Unit | None:
        if isinstance(part, Reference):
            return part.name if part.name in self._plain else None
        return part if isinstance(part, Text | CharacterClass) else None

    def _first(self, part: Part) -> set[Unit]:
        unit = self._unit(part)
        if unit is not None:
            return {unit}
        match part:
            case Reference(name):
                return self._firsts[name]
            case Repetition(inner):
                return self._first(inner)
            case Choice(alternatives):
                return set().union(*(self._first_of(sequence, set()) for sequence in alternatives))
        return set()

    def _first_of(self, sequence: Sequence[Part], after: set[Unit]) -> set[Unit]:
        found: set[Unit] = set()
        for part in sequence:
            found |= self._first(part)
            if not _is_empty(part, self._empty):
                return found
        return found | after

    def _see(self, part: Part, after: set[Unit]) -> None:
        unit = self._unit(part)
        if unit is not None:
            self._changed |= unit not in self.found
            self._changed |= self._add(self.found.setdefault(unit, set()), after)
            return
        match part:
            case Reference(name):
                self._changed |= self._add(self._after_rule[name], after)
            case Repetition(inner, _, most):
                self._see(inner, after if most == 1 else after | self._first(inner))
            case Choice(alternatives):
                for sequence in alternatives:
                    for place, one in enumerate(sequence):
                        self._see(one, self._first_of(sequence[place + 1 :], after))


def _can_be_empty(rules: Mapping[str, Choice]) -> set[str]:
    empty: set[str] = set()
    known = -1
    while len(empty) > known:
        known = len(empty)
        for name in reversed(list(rules)):  # a rule mostly refers to later ones
            if _is_empty(rules[name], empty):
                empty.add(name)
    return empty


def _is_empty(part: Part, empty: set[str]) -> bool:
    match part:
        case Text(value):
            return not value
        case Reference(name):
            return name in empty
        case Repetition(inner, least):
            return not least or _is_empty(inner, empty)
        case Choice(alternatives):
            return any(all(_is_empty(one, empty) for one in sequence) for sequence in alternatives)
    return False


class _TooBigError(Exception):
    """The automaton would have too many states."""


class _Automaton:
    """All units in parallel: a state per position in one, edges by characters, and empty edges."""

    def __init__(self, rules: Mapping[str, Choice], units: Iterable[Unit]) -> None:
        self._rules = rules
        self._edges: list[list[tuple[CharacterClass, int]]] = []
        self._free: list[list[int]] = []
        self._starts: dict[Unit, int] = {}
        self._ends: dict[int, Unit] = {}
        for unit in units:
            start = self._starts[unit] = self._new()
            self._ends[self._build(rules[unit] if isinstance(unit, str) else unit, start)] = unit
        classes = {of for edges in self._edges for of, _ in edges}
        # from each of these characters up to the next one all edges are the same
        borders = {
            0,
            *(ord(a) for of in classes for a, _ in of.ranges),
            *(ord(b) + 1 for of in classes for _, b in of.ranges),
        }
        self._characters = sorted(border for border in borders if border <= _LAST)
        self._matching = {
            of: frozenset(c for c in self._characters if any(ord(a) <= c <= ord(b) for a, b in of.ranges) != of.inverse)
            for of in classes
        }

    def takes_the_longest(self, following: Mapping[Unit, set[Unit]]) -> bool:
        opening = {unit: frozenset(self._step(self._closure({start}))) for unit, start in self._starts.items()}
        after = {unit: frozenset().union(*(opening[one] for one in units)) for unit, units in following.items()}
        for unit, start in self._starts.items():  # a unit that can be empty must not be what comes next
            state = self._closure({start})
            if any(self._ends.get(place) == unit for place in state) and opening[unit] & after[unit]:
                return False
        left = list(self._step(self._closure(self._starts.values())).values())
        seen = set(left)
        while left:
            state = left.pop()
            steps = self._step(state)
            for place in state:
                if place in self._ends and not after[self._ends[place]].isdisjoint(steps):
                    return False
            new = set(steps.values()) - seen
            seen |= new
            left += new
            if len(seen) > _MOST_STATES:
                return False
        return True

    def _new(self) -> int:
        if len(self._edges) > _MOST_STATES:
            raise _TooBigError
        self._edges.append([])
        self._free.append([])
        return len(self._edges) - 1

    def _build(self, part: Part, start: int) -> int:
        """Append a part after the state ``start``; returns the state after it."""
        match part:
            case Text(value):
                for character in value:
                    start = self._build(CharacterClass(((character, character),)), start)
                return start
            case CharacterClass():
                end = self._new()
                self._edges[start].append((part, end))
                return end
            case Reference(name):
                return self._build(self._rules[name], start)
            case Choice(alternatives):
                end = self._new()
                for sequence in alternatives:
                    at = self._new()
                    self._free[start].append(at)
                    for one in sequence:
                        at = self._build(one, at)
                    self._free[at].append(end)
                return end
            case Repetition(inner, least, most):
                for _ in range(least):
                    start = self._build(inner, start)
                end = self._new()
                if most is None:
                    again = self._new()
                    self._free[start].append(again)
                    self._free[self._build(inner, again)].append(again)
                    start = again
                for _ in itertools.repeat(None, 0 if most is None else most - least):
                    self._free[start].append(end)
                    start = self._build(inner, start)
                self._free[start].append(end)
                return end

    def _closure(self, states: Iterable[int]) -> frozenset[int]:
        found = set(states)
        left = list(found)
        while left:
            new = set(self._free[left.pop()]) - found
            found |= new
            left += new
        return frozenset(found)

    def _step(self, state: frozenset[int]) -> dict[int, frozenset[int]]:
        """The next states, by the characters that lead there."""
        found: dict[int, set[int]] = {}
        for place in state:
            for of, end in self._edges[place]:
                for character in self._matching[of]:
                    found.setdefault(character, set()).add(end)
        return {character: self._closure(ends) for character, ends in found.items()}


def to_lark(text: str) -> str:
    """The llguidance grammar for the GBNF ``text``. Raises FormatProblem with the position."""
    rules = read_gbnf(text).rules
    plain = plain_rules(rules)
    apart = "root" not in plain and not are_lexemes(rules, plain)
    whole: Collection[str] = () if apart else plain
    names = {name: f"{'R' if name in whole else 'r'}{number}" for number, name in enumerate(rules)}
    lines = [f"{names[name]}: {_written(rule, names, apart)}" for name, rule in rules.items()]
    return "\n".join([f"start: {names['root']}", *lines])


def _written(part: Part, names: Mapping[str, str], apart: bool) -> str:
    """``apart``: each character is a lexeme."""
    match part:
        case Text(value):
            pieces = value if apart else [value]
            return f"({' '.join(json.dumps(one, ensure_ascii=False) for one in pieces)})" if value else '""'
        case CharacterClass(ranges, inverse):
            inner = "".join(rf"\x{{{ord(first):x}}}-\x{{{ord(last):x}}}" for first, last in ranges)
            return f"/[{'^' if inverse else ''}{inner}]/" if ranges else "/(?s:.)/"
        case Reference(name):
            return names[name]
        case Repetition(inner, least, most):
            if most == 0:
                return '""'
            return f"({_written(inner, names, apart)}){{{least},{'' if most is None else most}}}"
        case Choice(alternatives):
            sequences = (" ".join(_written(one, names, apart) for one in sequence) for sequence in alternatives)
            return "(" + " | ".join(sequence or '""' for sequence in sequences) + ")"
