"""The words that each value of a text is linked to: its clause, its row and column, and, less, what is around them.

A word weighs 1 in the clause of its value, less for each value of the same kind that stands between them; in a clause
without such a value ``SHARED``, and in a later one with such a value ``AHEAD``. An elliptic clause repeats neither
subject nor verb ("the shop earned 5 euros, the cafe 7"): it inherits them from earlier clauses with a value of its
kind, whose words count by how much of what is distinctive of its own clause a statement has. The sentence before and
titles weigh little. A value in a table is linked to the first cell of its row, to the head of its column and, less, to
its row. Only spaced scripts are read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from workbench.records.messages import Passage
from workbench.text.sentences import split_sentences
from workbench.text.terms import Vocabulary
from workbench.text.values import Value, find_values

SHARED, AHEAD = 0.85, 0.3
INHERITED_LEAST, INHERITED_MOST = 0.5, 0.95
BETWEEN = 0.5
"""What a word counts that another value of the same kind separates from its value, per such value."""
PARALLEL = 0.1
"""What a value counts in an elliptic clause that has one of its kind itself."""
BEFORE, TITLE, ROW = 0.25, 0.35, 0.4
OTHER_CLAUSE = 0.7
"""What a word of a statement counts that is in another clause than the value."""

_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")
_BOUNDARY = re.compile(r"[,;]|\s-\s|\n")
_UNIT_AT_END = re.compile(r"(?<=\d\s[A-Za-z])\.\s+(?=[^\W\d_a-z])")
"""An end of a sentence that looks like an abbreviation: "5.9 t. The ..."."""
_JOINS = frozenset((
    "and", "or", "but", "while", "whereas", "und", "oder", "aber", "während", "sowie", "et", "ou", "mais", "tandis",
    "y", "e", "o", "pero", "mientras",
))  # fmt: skip
_TITLES = frozenset((
    "herr", "herrn", "frau", "firma", "mr", "mrs", "ms", "mme", "monsieur", "madame", "sr", "sra", "señor", "señora",
    "dr", "prof",
))  # fmt: skip
_PASSED_OVER = _TITLES | {"one", "ones"}
_TITLED = re.compile(r"\b(?:Herrn?|Frau|Dr\.|Prof\.|Firma|Mr\.?|Mrs\.?|Ms\.?|M\.|Mme|Sr\.?|Sra\.?|Señora?|Don|Doña)\s+")
_CAPITALISED = re.compile(r"[A-ZÀ-ÖØ-ÞŠŽĆČ][^\W\d_]+(?:[-'][^\W\d_]+)*")
_BEGINNING = re.compile(r"(?:^|[.!?:|\n])\s*[\"“(]?$")
_PERIODS = {
    word: f"~{number}"
    for number, words in enumerate(
        (
            "daily day täglich tag tage journalier jour quotidien diario día",
            "weekly week wöchentlich woche hebdomadaire semaine semanal semana",
            "monthly month monatlich monat mensuel mensuelle mois mensual mes",
            "yearly year annual annually jährlich jahr annuel annuelle an année anual año",
        )
    )
    for word in words.split()
}


@dataclass(frozen=True)
class Item:
    """A value or a name of a sentence, at a place in its words."""

    value: Value | None
    name: str
    start: int
    end: int
    at: int

    @property
    def text(self) -> str:
        return self.value.text if self.value is not None else self.name

    @property
    def group(self) -> str:
        """What may stand in its place: values of its kind that measure the same."""
        return f"{self.value.kind} {self.value.measure}" if self.value is not None else "name"


@dataclass(frozen=True)
class Links:
    """The words that a value is linked to, with their weights. Those ``inherited`` from an earlier clause count more
    where the statement has what is ``distinctive`` of the value's own clause."""

    weights: dict[str, float]
    inherited: frozenset[str] = frozenset()
    distinctive: frozenset[str] = frozenset()

    def fit(self, linked: dict[str, float]) -> float:
        shared = INHERITED_LEAST
        if self.inherited:
            said = sum(word in linked for word in self.distinctive) / len(self.distinctive) if self.distinctive else 1.0
            shared += (INHERITED_MOST - INHERITED_LEAST) * said
        return sum(
            weight * (shared if word in self.inherited else self.weights.get(word, 0.0))
            for word, weight in linked.items()
        )


@dataclass
class Line:
    """A sentence or a row of a table at a place in a passage: its ``words`` (stem or value, clause), its items, and the
    words ``around`` it that it is linked to as well. ``joins`` are the places in ``words`` before which a conjunction
    stands, ``links`` the words that each item is linked to, by its number."""

    passage: int = 0
    start: int = 0
    end: int = 0
    words: list[tuple[str, int]] = field(default_factory=list)
    items: list[Item] = field(default_factory=list)
    around: dict[str, float] = field(default_factory=dict)
    joins: list[int] = field(default_factory=list)
    links: dict[int, Links] = field(default_factory=dict)


class LineReader:
    """Reads sentences and rows of texts in the language of a vocabulary. ``passages`` say which words are names."""

    def __init__(self, passages: Sequence[Passage], vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._language = vocabulary.language
        self._names = self._known_names(passages)

    def read(self, place: int, passage: Passage) -> list[Line]:
        titled = self._stems(f"{passage.title}\n{passage.context}")
        lines: list[Line] = []
        head: list[str] = []
        topic: set[str] = set()
        before: set[str] = set()
        for number, (start, end) in enumerate(_spans(passage.text)):
            text = passage.text[start:end]
            cells = text.split(" | ")
            if len(cells) > 1:
                if not head or len(head) != len(cells):
                    head = cells
                line = self._row(cells, head)
            else:
                head = []
                line = self.line(text)
            line.passage, line.start, line.end = place, start, end
            own = {word for word, _ in line.words}
            for word in titled | topic:
                line.around[word] = TITLE
            if len(cells) == 1:
                for word in before:
                    line.around[word] = max(BEFORE, line.around.get(word, 0.0))
            before = own
            if not number:
                topic = own
            lines.append(line)
        return lines

    def _row(self, cells: Sequence[str], head: Sequence[str]) -> Line:
        """A row of a table: "Poland | 36 EUR", under its head, or with it in each cell: "Allowance: 36 EUR"."""
        line = Line()
        parts = [self.line(cell) for cell in cells]
        keys = 1 if any(not word.startswith("#") for word, _ in parts[0].words) else 2  # "7 | Poland | 36 EUR"
        labelled = [cell.split(": ", 1)[0] if ": " in cell else "" for cell in cells]
        for place, part in enumerate(parts):
            names = self._stems(labelled[place] or (head[place] if head is not cells else ""))
            offset = len(line.words)
            line.words += [(word, place) for word, _ in part.words]
            for item in part.items:
                linked = {word: ROW for other in parts for word, _ in other.words}
                linked |= {word: 1.0 for key in parts[:keys] for word, _ in key.words}
                linked |= {word: 1.0 for word, _ in part.words}
                linked |= dict.fromkeys(names, 1.0)
                for other, label in enumerate(labelled):
                    if other != place:
                        for word in self._stems(label) - names:
                            linked.pop(word, None)
                line.items.append(Item(item.value, item.name, item.start, item.end, offset + item.at))
                line.links[len(line.items) - 1] = Links(linked)
        return line

    def line(self, text: str) -> Line:
        text, values = find_values(text, self._language)
        line = Line()
        spans: list[tuple[int, int, Value | None, str]] = [(one.start, one.end, one, "") for one in values]
        for start, end, name in self._named(text):
            if not any(one.start < end and start < one.end for one in values):
                spans.append((start, end, None, name))
        spans.sort(key=lambda span: span[0])
        place = clause = 0
        for start, end, value, name in [*spans, (len(text), len(text), None, "")]:
            clause = self._add_words(line, text, place, start, clause)
            if start == len(text):
                break
            line.items.append(Item(value, name, start, end, len(line.words)))
            if value is not None:
                line.words.append((f"#{max(value.readings)}{value.unit}", clause))
            else:
                line.words += [(self._stem(word), clause) for word in name.split()]
            place = end
        return line

    def _add_words(self, line: Line, text: str, start: int, end: int, clause: int) -> int:
        """Add the words of a part of a text, and return the clause in which it ends."""
        at = start
        for match in _WORD.finditer(text, start, end):
            clause += _BOUNDARY.search(text, at, match.start()) is not None
            at = match.end()
            word = match.group().casefold()
            if word in _JOINS:
                line.joins.append(len(line.words))
            elif word in _PERIODS:
                line.words.append((_PERIODS[word], clause))
            elif len(word) == 1 and match.group().isupper() and match.start():
                line.words.append((match.group(), clause))  # "camera A"
            elif not self._vocabulary.is_function_word(word) and word not in _PASSED_OVER:
                line.words.append((self._stem(word), clause))
        return clause + (_BOUNDARY.search(text, at, end) is not None)

    def _stem(self, word: str) -> str:
        return self._vocabulary.stem(word.casefold())

    def _stems(self, text: str) -> set[str]:
        return {word for word, _ in self.line(text).words} if text else set()

    def _known_names(self, passages: Iterable[Passage]) -> frozenset[str]:
        """The capitalised words of the passages that are names: those after a title, and, but for German, those within
        a sentence, and cells of two such words."""
        found: set[str] = set()
        for passage in passages:
            text = passage.text
            titled = {word for match in _TITLED.finditer(text) for word in _run(text, match.end())}
            if self._language != "de":
                found |= {
                    one.group()
                    for one in _CAPITALISED.finditer(text)
                    if not _BEGINNING.search(text[max(0, one.start() - 4) : one.start()])
                }
                cells = [cell.strip() for line in text.split("\n") for cell in re.split(r" \| |: ", line)]
                found |= {
                    word for cell in cells if len(run := _run(cell, 0)) > 1 and " ".join(run) == cell for word in run
                }
                found -= {word.capitalize() for word in _WORD.findall(text) if word.islower()}
            found |= titled
        passed_over = (word.lower() in _TITLES or self._vocabulary.is_function_word(word.lower()) for word in found)
        return frozenset(word for word, passed in zip(found, passed_over, strict=True) if not passed)

    def _named(self, text: str) -> list[tuple[int, int, str]]:
        """Runs of names of the passages in a text."""
        found: list[tuple[int, int, str]] = []
        for match in _CAPITALISED.finditer(text):
            if match.group() not in self._names:
                continue
            if found and text[found[-1][1] : match.start()] == " ":
                start, _, name = found.pop()
                found.append((start, match.end(), f"{name} {match.group()}"))
            else:
                found.append((match.start(), match.end(), match.group()))
        return found


# -- parts ---------------------------------------------------------------------------------------------


def _spans(text: str) -> list[tuple[int, int]]:
    """The sentences of a text, and its lines where they are rows or labels with a value."""
    found: list[tuple[int, int]] = []
    for start, end in split_sentences(text):
        at = start
        for match in re.finditer(r"\n", text[start:end]):
            line = text[at : start + match.start()]
            following = text[start + match.end() : end].split("\n", 1)[0]
            if " | " in line or " | " in following or (":" in line and len(line) < 100):
                found.append((at, start + match.start()))
                at = start + match.end()
        for match in _UNIT_AT_END.finditer(text, at, end):
            found.append((at, match.start()))
            at = match.end()
        found.append((at, end))
    return [(a, b) for a, b in found if text[a:b].strip()]


def _run(text: str, place: int) -> list[str]:
    """The capitalised words from a place on."""
    found = []
    while match := _CAPITALISED.match(text, place):
        found.append(match.group())
        place = match.end() + 1
    return found


def is_equal(one: Item, other: Item) -> bool:
    if one.value is not None and other.value is not None:
        return one.value.equals(other.value)
    if one.value is None and other.value is None:
        return one.name.split()[-1] == other.name.split()[-1] or one.name in other.name or other.name in one.name
    return False


def competes(one: Item, other: Item, held: Item) -> bool:
    if one.value is not None and other.value is not None and held.value is not None:
        return one.value.competes(other.value, held.value)
    return one.value is None and other.value is None and not set(one.name.split()) & set(other.name.split())


def linked_words(line: Line, item: Item, other_clause: float) -> Links:
    """The words that an item of a sentence is linked to. ``other_clause``: what words of other clauses weigh in a
    statement; 0 for a sentence of the passages."""
    rivals = [one for one in line.items if one.group == item.group and one is not item]
    clauses = clauses_of(line, [item, *rivals])
    own = clauses[item.at] if item.at < len(clauses) else 0
    with_rival = {clauses[one.at] for one in rivals}
    first = min(with_rival | {own})
    groups = {one.at: one.group for one in line.items}
    own_groups = {one.group for one in line.items if clauses[one.at] == own}
    rival_places = {one.at for one in rivals}
    beside = {at for at in rival_places if abs(at - item.at) == 1}  # "from 9:00 to 20:00": what is before is of both
    inside = set(range(item.at, item.at + max(1, len(item.name.split()))))
    weights = dict(line.around)
    inherited: set[str] = set()
    earlier: set[str] = set()
    mine: set[str] = set()
    for place, (word, _) in enumerate(line.words):
        if place in inside:
            continue
        clause = clauses[place]
        if clause == own:
            between = sum(min(place, item.at) < at < max(place, item.at) and at not in beside for at in rival_places)
            weight = BETWEEN**between
            if place not in groups:
                mine.add(word)
        elif other_clause:
            weight = other_clause * (BETWEEN if clause in with_rival else 1.0)
        elif clause not in with_rival and (clause <= first or not any(own < one <= clause for one in with_rival)):
            weight = SHARED
            if clause < own:
                earlier.add(word)
        elif clause < own:
            weight = PARALLEL
            earlier.add(word)
            if groups.get(place) not in own_groups:
                inherited.add(word)
        else:
            weight = AHEAD
        if place in rival_places:
            weight = min(weight, PARALLEL)
            inherited.discard(word)
        weights[word] = max(weights.get(word, 0.0), weight)
    inherited -= {word for word, weight in weights.items() if weight > INHERITED_LEAST}
    return Links(weights, frozenset(inherited), frozenset(mine - earlier))


def clauses_of(line: Line, items: Sequence[Item]) -> list[int]:
    """The clause of each word, where a conjunction between two of the items in one clause begins a new one."""
    clauses = [clause for _, clause in line.words]
    cuts = []
    for join in line.joins:
        if join >= len(clauses):
            continue
        left = any(one.at < join and line.words[one.at][1] == clauses[join] for one in items)
        right = any(one.at >= join and line.words[one.at][1] == clauses[join] for one in items)
        if left and right:
            cuts.append(join)
    return [2 * clause + sum(cut <= place for cut in cuts) * 2 for place, clause in enumerate(clauses)]
