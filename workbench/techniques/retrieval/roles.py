"""The role of a value in a text: whether a statement says of a value what the passages say of it, and not of another.

Every value of a statement (``workbench.text.values``, and names) has words that it is linked to: subject, attribute,
row and column of a table, the words of its clause. So has every value of the passages. The value of a statement must
stand in a passage, and of all values that could stand in its place it must be the one whose linked words are the
statement's: where those of another value fit better by ``MARGIN``, the passages say this of the other value.

    fit(v, o) = sum over the words t that v is linked to, and the passages have, of
                weight(t, v) * rarity(t) * weight(t, o)

Which words a value is linked to, and how much they weigh, is said in ``linked_words.py``.
``benchmarks/own_words.py`` measures what is found. Slots of values and what fills them: Levy et al. 2017, "Zero-Shot
Relation Extraction via Reading Comprehension" (arXiv:1706.04115).
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from workbench.records.messages import Passage
from workbench.techniques.retrieval.linked_words import (
    OTHER_CLAUSE,
    Item,
    Line,
    LineReader,
    clauses_of,
    competes,
    is_equal,
    linked_words,
)
from workbench.text.terms import Vocabulary
from workbench.text.values import Value

MARGIN, NAME_MARGIN = 0.1, 0.2
LEAST_FIT, LEAST_NAME_FIT = 0.3, 0.6
"""A value whose linked words fit less does not displace another. Names displace each other less easily: which of the
names of a sentence is its subject is not to be seen from its words."""

MOST_NAMES = 3
"""Of a statement with more names, their roles are not told apart."""

ALIKE = 0.8
"""What a word counts that has only its beginning in common with a word of the passages."""

COMMON = 0.5
"""What the commonest word of the passages counts of a rare one: what they are about is common in them."""

_LEAST_ALIKE = 5
_SIGNS = re.compile(r"[^\w%°€$£]+")


@dataclass(frozen=True)
class _Said:
    """An item of a statement with its linked words, as the passages have them, by their weights."""

    item: Item
    linked: dict[str, float]


@dataclass(frozen=True)
class Role:
    """A value of a statement as its ``text`` says it. ``state``: *held* where the passages say it in this role,
    *elsewhere* where they say it of something else, *nowhere* where they do not have it. ``fit`` in [0, 1] is the share
    of its linked words that it has in the passages."""

    text: str
    state: Literal["held", "elsewhere", "nowhere"]
    fit: float = 0.0
    value: Value | None = None


class Roles:
    """The values of passages with what they are linked to. One thread at a time."""

    def __init__(self, passages: Sequence[Passage], vocabulary: Vocabulary, question: str = "") -> None:
        self._vocabulary = vocabulary
        self._reader = LineReader(passages, vocabulary)
        self._lines = [line for place, passage in enumerate(passages) for line in self._reader.read(place, passage)]
        self._texts = [_letters(passage.text) for passage in passages]
        self._of_passage: dict[int, list[Line]] = defaultdict(list)
        counts: Counter[str] = Counter()
        for line in self._lines:
            self._of_passage[line.passage].append(line)
            counts.update({word for word, _ in line.words} | set(line.around))
        self._counts, self._number = counts, max(1, len(self._lines))
        self._alike: dict[str, str] = {}
        self._by_start: dict[str, list[str]] = defaultdict(list)
        for word in counts:
            self._by_start[word[:_LEAST_ALIKE]].append(word)
        self._asked = self._reader.line(question) if question else Line()

    def has(self, value: Value) -> bool:
        """Whether a passage or the question has a value, in whatever role."""
        lines = (*self._lines, self._asked)
        return any(value.equals(one.value) for line in lines for one in line.items if one.value is not None)

    def values_in(self, passage: int, start: int, end: int) -> tuple[Value, ...]:
        """The values at a place in the passage of this number, in the order in which they were given."""
        return tuple(
            item.value
            for line in self._of_passage[passage]
            if start <= line.start < end
            for item in line.items
            if item.value is not None
        )

    def of(self, statement: str) -> tuple[Role, ...]:
        """The role of each value and name of a statement, in order."""
        line = self._reader.line(statement)
        if line.items and any(_letters(statement) in text for text in self._texts):  # word for word
            return tuple(Role(one.text, "held", 1.0, one.value) for one in line.items)
        said = [_Said(item, self._known(linked_words(line, item, OTHER_CLAUSE).weights)) for item in line.items]
        return tuple(role for one in said if (role := self._role(one, said)) is not None)

    # -- a statement's value among those of the passages ---------------------------------------------------------

    def _role(self, said: _Said, others: Sequence[_Said]) -> Role | None:
        item = said.item
        text = item.text
        if any(is_equal(item, other) for other in self._asked.items):
            return None  # the question says it
        if not (places := self._places(item)):
            return Role(text, "nowhere", value=item.value) if item.value is not None else None
        if not said.linked:
            return Role(text, "held", 1.0, item.value)
        is_name = item.value is None
        if is_name and sum(one.item.value is None for one in others) > MOST_NAMES:
            return None
        margin, least = (NAME_MARGIN, LEAST_NAME_FIT) if is_name else (MARGIN, LEAST_FIT)
        held, holder = max(((self._fit(said, place), place) for place in places), key=lambda pair: pair[0])
        if not is_name and (
            self._is_said_twice(said, others, holder) or self._has_name_of_another(item, others, holder)
        ):
            return Role(text, "elsewhere", held, item.value)
        for line in self._lines:
            for number, rival in enumerate(line.items):
                if not competes(item, rival, holder[0].items[holder[1]]):
                    continue
                better = self._fit(said, (line, number))
                if better < least or better - held <= margin:
                    continue
                too = [one for one in others if is_equal(rival, one.item)]
                if is_name and too:
                    continue
                if all(self._fit(one, holder) - self._fit(one, (line, number)) + better - held > margin for one in too):
                    return Role(text, "elsewhere", held, item.value)
        return Role(text, "held", held, item.value)

    def _is_said_twice(self, said: _Said, others: Sequence[_Said], holder: tuple[Line, int]) -> bool:
        """Whether a statement says a value more often than its sentence, which has another one that it does not say."""
        line, number = holder
        again = [one for one in others if one is not said and is_equal(one.item, said.item)]
        restated = said.item.group.startswith("time")  # "half past eight, that is 8.30"
        if restated or not again or len(again) < sum(is_equal(said.item, one) for one in line.items):
            return False
        unsaid = (one for one in line.items if not any(is_equal(one, other.item) for other in others))
        displaced = any(competes(said.item, one, line.items[number]) for one in unsaid)
        return displaced and self._fit(said, holder) <= min(self._fit(one, holder) for one in again)

    def _has_name_of_another(self, item: Item, others: Sequence[_Said], holder: tuple[Line, int]) -> bool:
        """Whether a statement with one value of its kind names what stands in the passage in the clause of a later one:
        "25 miles south of Eastbay", where it is 340 miles from there."""
        line, number = holder
        held = line.items[number]
        rivals = [one for one in line.items if competes(item, one, held) and one.at > held.at]
        named = [one.item for one in others if one.item.value is None]
        if not rivals or not named or any(one.item.group == item.group and one.item is not item for one in others):
            return False
        clauses = clauses_of(line, [held, *rivals])
        own = {clauses[one.at] for one in line.items if is_equal(held, one)}
        theirs = {clauses[one.at] for one in rivals} - own
        for name in named:
            places = {clauses[one.at] for one in line.items if one.value is None and is_equal(name, one)}
            if places and places <= theirs and not self._stands_beside(name, item, line):
                return True
        return False

    def _stands_beside(self, name: Item, item: Item, line: Line) -> bool:
        """Whether another sentence has a name and a value together."""
        return any(
            any(is_equal(name, one) for one in other.items) and any(is_equal(item, one) for one in other.items)
            for other in self._lines
            if other is not line
        )

    def _places(self, item: Item) -> list[tuple[Line, int]]:
        return [(line, n) for line in self._lines for n, other in enumerate(line.items) if is_equal(item, other)]

    def _known(self, linked: dict[str, float]) -> dict[str, float]:
        """The linked words that the passages have, weighted by how rare they are there, by the passages' forms."""
        known: dict[str, float] = {}
        for word, weight in linked.items():
            same = self._same(word)
            if same:
                rarity = math.log(1 + self._number / self._counts[same]) / math.log(1 + self._number)
                rarity = COMMON + (1 - COMMON) * rarity
                known[same] = max(known.get(same, 0.0), weight * rarity * (1.0 if same == word else ALIKE))
        return known

    def _same(self, word: str) -> str:
        """The word of the passages that is this one or has its beginning; "" for none."""
        if word in self._counts:
            return word
        if word not in self._alike:
            self._alike[word] = (
                max((one for one in self._by_start[word[:_LEAST_ALIKE]] if _is_alike(word, one)), key=len, default="")
                if not word.startswith(("#", "~", "<"))
                else ""
            )
        return self._alike[word]

    def _fit(self, said: _Said, place: tuple[Line, int]) -> float:
        line, number = place
        if number not in line.links:
            line.links[number] = linked_words(line, line.items[number], 0.0)
        return line.links[number].fit(said.linked) / (sum(said.linked.values()) or 1.0)


# -- parts ---------------------------------------------------------------------------------------------


def _letters(text: str) -> str:
    """The words of a text, for a comparison word for word."""
    return " ".join(_SIGNS.sub(" ", text).casefold().split())


def _is_alike(one: str, other: str) -> bool:
    """Whether two stems have a common beginning that is most of both, as "deliver" and "delivery" do."""
    common = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        common += 1
    return common >= _LEAST_ALIKE and common >= 0.6 * max(len(one), len(other))
