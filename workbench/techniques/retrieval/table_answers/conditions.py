"""Conditions that a question names: values of cells, numbers, dates, yes and no, empty cells.

Each finding says which words of the question it explains and how sure it is. Findings of the same words exclude each
other.
"""

from __future__ import annotations

import calendar
import datetime
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from workbench.techniques.retrieval.table_answers.query import Condition, Test
from workbench.techniques.retrieval.table_answers.question import Question
from workbench.techniques.retrieval.table_answers.schema import NO, YES, LoadedColumn, LoadedTable
from workbench.techniques.retrieval.table_answers.words import (
    Vocabulary,
    Word,
    best_match,
    concepts_of,
    name_words,
    similarity,
    stop_words,
    whole_words,
)
from workbench.text.cells import months, unit_name

LONGEST_VALUE_WORDS = 6
"""A longer cell is a remark: a word of it names no value."""
LEAST_COVERAGE = 0.3
"""Of the letters of a cell that the question names, for the cell to be meant."""


@dataclass(frozen=True)
class Finding:
    """A condition with the ``places`` of the words that name it, how ``sure`` that is, and whether they name the whole
    cell. ``beside``: words that name its column. ``heads``: they begin exactly one of the cells that have them.
    ``kind``: "value", "number", "date", "range", "flag", "empty", "filled" or "columns"; "linked" and "linked columns"
    where no word names it (``links``)."""

    condition: Condition
    places: frozenset[int]
    sure: float
    kind: str
    whole: bool = True
    names_column: bool = False
    beside: frozenset[int] = frozenset()
    heads: bool = False


def find_conditions(question: Question, table: LoadedTable) -> list[Finding]:
    """All conditions on the rows of a table that the question may name, the surest first."""
    named = {column.number: _naming(question, column) for column in table.columns}
    found = [
        *_values(question, table, named),
        *_numbers(question, table, named),
        *_periods(question, table, named),
        *_flags(question, table, named),
        *_empties(question, table, named),
        *_column_pairs(question, table, named),
    ]
    ranges = {one.places for one in found if one.kind == "range"}
    found = [one for one in found if one.kind == "range" or one.places not in ranges]  # not the two ends alone
    return sorted(found, key=lambda one: -one.sure * (1 + 0.2 * len(one.places)))


def _naming(question: Question, column: LoadedColumn) -> dict[int, float]:
    """The words of the question that name a column, with how well they do."""
    return {
        w.place: score
        for w in question.content
        if (score := best_match(w, column.words)) >= 0.65 and w.plain not in ("eur", "€")
    }


# -- values of cells ------------------------------------------------------------------------------------


def _values(question: Question, table: LoadedTable, named: dict[int, dict[int, float]]) -> Iterator[Finding]:
    matches: dict[tuple[int, str], dict[int, tuple[str, float]]] = {}
    vocabulary = table.vocabulary
    for word in question.content:
        for known, score in _known_words(word, table.known_words):
            for key in vocabulary[known]:
                best = matches.setdefault(key, {})
                if score > best.get(word.place, ("", 0.0))[1]:
                    best[word.place] = (known, score)
    grouped: dict[tuple[int, frozenset[int]], list[tuple[str, float, float]]] = {}
    listed: dict[int, list[Finding]] = {}
    for (number, value), by_place in matches.items():
        column = table.columns[number]
        beside_name = any(abs(place - other) <= 1 for place in by_place for other in named[number])
        if not beside_name and all(_is_short_number(question.words[place]) for place in by_place):
            continue  # "2" names a cell only beside the name of its column
        words = [word.plain for word in whole_words(column.cells[column.distinct[value][0]])]
        content = [one for one in words if one not in stop_words() or len(words) == 1] or words
        hit = {known for known, _ in by_place.values()}
        covered = sum(len(one) for one in content if one in hit or hit.issuperset(name_words(one)[1:] or (one,)))
        coverage = covered / max(1, sum(map(len, content)))
        if 2 * len(hit) < len(words):  # "stairs" of "old stairs out"
            coverage = min(coverage, 0.49)
            if hit == {content[0]} and len(vocabulary[content[0]]) == 1:
                coverage = max(coverage, LEAST_COVERAGE)  # "log" of "Log of the brig Amalie", the only one
        if len(content) > LONGEST_VALUE_WORDS and coverage < 0.6:
            continue
        sure = sum(score for _, score in by_place.values()) / len(by_place)
        if coverage < 0.99 and _is_another(question, by_place, table, words):
            continue
        if coverage < 0.99 and sure < 0.9 and not (coverage >= 0.5 and len(column.distinct) <= 0.5 * column.filled):
            continue
        places = frozenset(by_place)
        grouped.setdefault((number, places), []).append((value, coverage, sure))
    headed: dict[frozenset[int], int] = {}  # words that exactly one cell of a column begins with
    for (number, places), those in grouped.items():
        if sum(_begins(table.columns[number], value, places, question) for value, _, _ in those) == 1:
            headed.setdefault(places, number)
    for (number, places), those in grouped.items():
        top = max(coverage for _, coverage, _ in those)
        whole = top >= 0.99
        chosen = [one for one in those if (one[1] >= 0.99 if whole else one[1] >= LEAST_COVERAGE)]
        if not chosen:
            continue
        surest = max(score for _, _, score in chosen)
        chosen = [one for one in chosen if one[2] >= surest - 0.1]
        negated = any(_is_excluded(question, place) for place in places)
        beside = frozenset(
            place for place in named[number] if place not in places and any(abs(place - other) <= 2 for other in places)
        )
        heads = [one for one in chosen if _begins(table.columns[number], one[0], places, question)]
        is_head = not whole and not negated and bool(heads) and number == headed.get(places)
        if is_head:
            chosen = heads  # the pump, not the seal for the pump
        elif (places in headed and not whole) or (len(chosen) > 1 and any(places < other for other in headed)):
            continue  # a part of the name of one row
        condition = Condition(number, "not" if negated else "is", tuple(sorted(value for value, _, _ in chosen)))
        sure = surest * (0.55 + 0.45 * max(one[1] for one in chosen)) * (1.0 if len(chosen) == 1 else 0.9)
        sure = min(1.0, sure + 0.1 * (bool(beside) or is_head))
        yield (finding := Finding(condition, places, sure, "value", whole, bool(beside), beside, is_head))
        if not negated and (whole or len(chosen) == 1):
            listed.setdefault(number, []).append(finding)
    for number, several in listed.items():
        apart = [one for one in several if not any(one.places < other.places for other in several)]
        if len({one.places for one in apart}) > 1 and len(apart) <= 8:
            texts = tuple(sorted({text for one in apart for text in one.condition.texts}))
            places = frozenset().union(*(one.places for one in apart))
            sure = min(one.sure for one in apart)
            yield Finding(
                Condition(number, "is", texts), places, sure, "value", all(one.whole for one in apart),
                any(one.names_column for one in apart),
            )  # fmt: skip


def _begins(column: LoadedColumn, value: str, places: Collection[int], question: Question) -> bool:
    """Whether a cell begins with the words at these places of the question, in their order."""
    asked = [question.words[place] for place in sorted(places)]
    cell = whole_words(column.cells[column.distinct[value][0]])
    return all(one.plain in (word.plain, word.spelled) for one, word in zip(cell, asked, strict=False))


def _is_another(question: Question, places: Collection[int], table: LoadedTable, cell: Sequence[str]) -> bool:
    """Whether the question goes on with another name than the cell: "SF-AL 207" where that is "SF-AL 114"."""
    after = max(places) + 1
    if after >= len(question.words):
        return False
    word = question.words[after]
    if question.text[question.words[after - 1].end : word.start].strip():
        return False  # a sign is between them
    known = word.plain in table.known_words or word.spelled in table.known_words
    if any(sign.isdigit() for sign in word.text):
        return not known or (word.plain not in cell and any(sign.isdigit() for one in cell for sign in one))
    return word.text[:1].isupper() and not known and not concepts_of(word.plain) and word in question.content


def _is_short_number(word: Word) -> bool:
    return len(word.plain) < 3 and word.plain.isdigit()


def _known_words(word: Word, vocabulary: Vocabulary) -> Iterator[tuple[str, float]]:
    for form in dict.fromkeys((word.plain, word.spelled)):
        if form in vocabulary:
            yield form, 1.0
    for known in vocabulary.near(word.plain) | vocabulary.near(word.spelled):
        if known == word.plain or known in stop_words() or len(known) < 3 or len(word.plain) < 3:
            continue
        score = max(similarity(word.plain, known), similarity(word.spelled, known))
        if score >= 0.68:
            yield known, score


def _is_excluded(question: Question, place: int) -> bool:
    before = question.text[: question.words[place].start]
    return bool(re.search(r"\b(?:except|other than|ausser|außer|sauf|excepto|salvo)\s+(?:\w+\s+){0,2}$", before, re.I))


# -- numbers --------------------------------------------------------------------------------------------


def _numbers(question: Question, table: LoadedTable, named: dict[int, dict[int, float]]) -> Iterator[Finding]:
    for place, value in question.numbers.items():
        if any(place in places for places in question.dates):
            continue
        tests = _comparison(question, place)
        following = question.words[place + 1].text if place + 1 < len(question.words) else ""
        for column in table.columns:
            if column.kind != "number":
                continue
            near = [other for other in named[column.number] if abs(other - place) <= 3 and other != place]
            unit = bool(column.unit) and _is_unit(following, column.unit)
            if not near and not unit:
                continue
            places = frozenset((place, *near, *([place + 1] if unit else ())))
            known = any(value == one for one in column.values)
            for test in tests:
                if test == "is":
                    if known and not (column.unit and not near and not unit):
                        texts = tuple(t for t, rows in column.distinct.items() if column.values[rows[0]] == value)
                        sure = 0.9 if near else 0.6
                        yield Finding(Condition(column.number, "is", texts), places, sure, "number", True, bool(near))
                else:
                    low = value if test in ("above", "at least") else None
                    high = value if test in ("below", "at most") else None
                    condition = Condition(column.number, test, low=low, high=high)
                    yield Finding(condition, places, 0.9 if near else 0.75, "number", True, bool(near))
    yield from _alternatives(question, table, named)


def _alternatives(question: Question, table: LoadedTable, named: dict[int, dict[int, float]]) -> Iterator[Finding]:
    """ "seeing 1 or 2": one of several numbers."""
    for match in re.finditer(r"(\d+)\s*(?:or|oder|ou|o|and|und|et|y|,)\s*(\d+)\b", question.text):
        wanted = {float(match[1]), float(match[2])}
        inside = frozenset(w.place for w in question.words if match.start() <= w.start < match.end())
        for column in table.columns:
            near = [other for other in named[column.number] if any(abs(other - place) <= 3 for place in inside)]
            if column.kind == "number" and near and wanted & set(column.values):
                texts = tuple(t for t, rows in column.distinct.items() if column.values[rows[0]] in wanted)
                yield Finding(Condition(column.number, "is", texts), inside | set(near), 0.95, "number", True, True)


def _comparison(question: Question, place: int) -> list[Test]:
    """The tests that the words before a number name."""
    tests: tuple[Test, ...] = ("at least", "at most", "above", "below")
    for cue in tests:
        spans = question.cues.get(cue, ())
        start = question.words[place].start
        if any(
            0 <= start - end <= 4
            or (
                0 <= begin - question.words[place].end <= 12
                and cue in ("at least", "at most")
                and re.match(r"(?:or|oder|ou|o) ", question.text[begin:end].casefold())
            )
            for begin, end in spans
        ):
            return [cue]
    return ["is"]


def _is_unit(word: str, unit: str) -> bool:
    return bool(word) and unit_name(word).casefold() == unit.casefold()


# -- dates ----------------------------------------------------------------------------------------------


def _periods(question: Question, table: LoadedTable, named: dict[int, dict[int, float]]) -> Iterator[Finding]:
    yield from _month_ranges(question, table)
    columns = [column for column in table.columns if column.kind == "date"]
    years = {
        place: int(value) for place, value in question.numbers.items() if 1900 <= value <= 2100 and value == int(value)
    }
    for column in columns:
        known = [value for value in column.values if isinstance(value, datetime.date)]
        if not known:
            continue
        bonus = 0.1 if named[column.number] else 0.0
        for places, date in question.dates.items():
            test = _period_test(question, min(places))
            yield Finding(_period(column.number, test, date, date), places, 0.8 + bonus, "date", True, bool(bonus))
        for place, month in question.months.items():
            year_place = next((one for one in (place + 1, place + 2) if one in years), None)
            if any(place in places for places in question.dates):
                continue
            test = _period_test(question, place)
            seen = {value.year for value in known if value.month == month} or {value.year for value in known}
            if year_place is None and (len(seen) > 1 or test == "between") and test == "between":
                yield Finding(
                    Condition(column.number, "month", low=float(month)),
                    frozenset([place]),
                    0.75 + bonus,
                    "date",
                    True,
                    bool(bonus),
                )
                continue
            year = years[year_place] if year_place is not None else max(seen)
            first = datetime.date(year, month, 1)
            last = datetime.date(year, month, calendar.monthrange(year, month)[1])
            places = frozenset([place, *([year_place] if year_place is not None else [])])
            yield Finding(_period(column.number, test, first, last), places, 0.75 + bonus, "date", True, bool(bonus))
        for place, year in years.items():
            if place - 1 in question.months or place - 2 in question.months or any(place in p for p in question.dates):
                continue
            if any(value.year == year for value in known) and any(value.year != year for value in known):
                test = _period_test(question, place)
                first, last = datetime.date(year, 1, 1), datetime.date(year, 12, 31)
                yield Finding(
                    _period(column.number, test, first, last),
                    frozenset([place]),
                    0.65 + bonus,
                    "date",
                    True,
                    bool(bonus),
                )
    for column in table.columns:
        if column.is_ordinal:
            for place, year in years.items():
                test = _period_test(question, place)
                if test != "between" or named[column.number]:
                    low = float(year) if test in ("after", "between") else None
                    high = float(year) if test in ("before", "between") else None
                    kind: Test = "above" if test == "after" else "below" if test == "before" else "between"
                    if test == "after" and question.near("at least", place, 1):
                        kind = "at least"
                    yield Finding(
                        Condition(column.number, kind, low=low, high=high), frozenset([place, *named[column.number]]),
                        0.7, "date", True, bool(named[column.number]),
                    )  # fmt: skip


_RANGE = re.compile(r"^\W*(?:to|till|until|through|bis|und|and|a|à|au|hasta|y|et|-|–)\W*$", re.I)


def _month_ranges(question: Question, table: LoadedTable) -> Iterator[Finding]:
    """ "from January to March": the months between two that are named."""
    for first, second in pairwise(sorted(question.months)):
        between = question.text[question.words[first].end : question.words[second].start]
        low, high = question.months[first], question.months[second]
        if low >= high or not _RANGE.match(between):
            continue
        for column in table.columns:
            known = {value.year for value in column.values if isinstance(value, datetime.date)}
            if column.is_months:
                texts = tuple(text for text in column.distinct if low <= months()[text] <= high)
                yield Finding(Condition(column.number, "is", texts), frozenset((first, second)), 1.0, "range")
            elif known:
                year = max(known)
                last = datetime.date(year, high, calendar.monthrange(year, high)[1])
                condition = Condition(column.number, "between", low=datetime.date(year, low, 1), high=last)
                yield Finding(condition, frozenset((first, second)), 0.9, "range")


def _period_test(question: Question, place: int) -> str:
    start = question.words[place].start
    for cue in ("before", "after"):
        if any(
            0 <= start - end <= 12 and _only_fillers(question.text[end:start]) for _, end in question.cues.get(cue, ())
        ):
            return cue
    return "between"


def _only_fillers(text: str) -> bool:
    return all(
        word in ("the", "end", "of", "le", "la", "el", "dem", "den", "de", "d", "mid", "ende", "start")
        for word in re.findall(r"\w+", text.casefold())
    )


def _period(column: int, test: str, first: datetime.date, last: datetime.date) -> Condition:
    if test == "before":
        return Condition(column, "below", high=first)
    if test == "after":
        return Condition(column, "at least", low=first)
    return Condition(column, "between", low=first, high=last)


# -- yes and no, empty cells ------------------------------------------------------------------------------


def _flags(question: Question, table: LoadedTable, named: dict[int, dict[int, float]]) -> Iterator[Finding]:
    for column in table.columns:
        if not column.is_flag:
            continue
        for place, score in named[column.number].items():
            negated = _is_negated(question, place)
            yes = tuple(one for one in column.distinct if one in YES)
            no = tuple(one for one in column.distinct if one in NO)
            if negated:
                condition = Condition(column.number, "is", no) if no else Condition(column.number, "empty")
            elif yes:
                condition = Condition(column.number, "is", yes)
            else:
                condition = Condition(column.number, "empty")
            yield Finding(
                condition,
                frozenset([place, *_negation(question, place)]),
                min(1.0, 0.1 + score * 0.85),
                "flag",
                True,
                True,
            )


_STILL_OPEN = (
    "unpaid", "outstanding", "offen", "offene", "offenen", "impaye", "impayes", "pendiente", "pendientes", "open",
)  # fmt: skip


def _is_negated(question: Question, place: int) -> bool:
    word = question.words[place].plain
    if re.match(r"(?:un|in|im|non)(?=\w{4})", word) and concepts_of(re.sub(r"^(?:un|in|im|non)", "", word)):
        return True
    return word in _STILL_OPEN or question.near("negated", place, 5, 3)


def _negation(question: Question, place: int) -> list[int]:
    """The words that negate the word at a place, or say that something is still to come."""
    spans = [span for cue in ("negated", "pending") for span in question.cues.get(cue, ())]
    return [
        w.place for w in question.words
        if abs(w.place - place) <= 5 and any(start < w.end and w.start < end for start, end in spans)
    ]  # fmt: skip


def _empties(question: Question, table: LoadedTable, named: dict[int, dict[int, float]]) -> Iterator[Finding]:
    asks = question.has("negated") or question.has("pending")
    for column in table.columns:
        missing = len(column.values) - column.filled
        if not missing or not column.filled or column.is_flag:
            continue
        for place, score in named[column.number].items():
            if _is_negated(question, place) or (question.has("pending") and question.near("pending", place, 4, 4)):
                places = frozenset([place, *_negation(question, place)])
                yield Finding(Condition(column.number, "empty"), places, score * 0.9, "empty", True, True)
            elif column.kind == "date" or (missing >= 0.3 * len(column.values) and score >= 0.9):
                yield Finding(
                    Condition(column.number, "filled"), frozenset([place]), score * 0.55, "filled", True, True
                )
        if asks and not named[column.number] and column.kind == "date":
            ends = any(concepts_of(word) & _ending_concepts() for word in column.words)
            if ends:
                spans = question.cues.get("pending", ()) or question.cues.get("negated", ())
                places = frozenset(w.place for w in question.words if any(s < w.end and w.start < e for s, e in spans))
                yield Finding(Condition(column.number, "empty"), places, 0.5, "empty", True, False)


def _ending_concepts() -> frozenset[int]:
    """Concepts of columns that are empty while something is still open."""
    found: set[int] = set()
    for word in ("paid", "returned", "delivered", "done", "closed", "end"):
        found |= concepts_of(word)
    return frozenset(found)


# -- two columns ------------------------------------------------------------------------------------------


def _column_pairs(question: Question, table: LoadedTable, named: dict[int, dict[int, float]]) -> Iterator[Finding]:
    """ "longer than planned": a column compared with another one of its kind."""
    if not question.has("compare"):
        return
    start = min(begin for begin, _ in question.cues["compare"])
    for second in table.columns:
        if second.kind not in ("number", "date"):
            continue
        after = {place for place in named[second.number] if question.words[place].start > start}
        if not after:
            continue
        for first in table.columns:
            if (
                first.number == second.number
                or first.kind != second.kind
                or first.unit != second.unit
                or first.is_ordinal
            ):
                continue
            before = {place for place in named[first.number] if question.words[place].start < start}
            shared = set(first.words) & set(second.words)
            if not before and not shared and first.kind != "date":
                continue
            is_less = (
                question.has("below")
                or question.text[start:].casefold().startswith(("under", "below", "unter", "sous", "bajo"))
                or any(
                    w.plain in ("less", "earlier", "fewer", "shorter", "cheaper", "weniger", "fruher", "moins", "menos")
                    for w in question.words
                )
            )
            pair = (second.number, first.number) if is_less else (first.number, second.number)
            condition = Condition(pair[0], "over column", other=pair[1])
            comparing = {w.place for w in question.words if abs(w.start - start) < 12}
            sure = 0.5 + 0.2 * bool(before) + 0.15 * bool(shared)
            yield Finding(condition, frozenset(after | before | comparing), sure, "columns", True, True)
