"""Candidates: queries of one table that a question may mean, each with features that tell how well it fits.

Every combination of what is computed, of which column, under which of the conditions that the question names; the
features say which words of the question it explains and which it leaves, and whether what it computes is what the cues
ask for. Their weights are fitted (``weights.py``).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice, product

from workbench.techniques.retrieval.table_answers.conditions import Finding, find_conditions
from workbench.techniques.retrieval.table_answers.query import Condition, Kind, Query, Result, compute, rows_of
from workbench.techniques.retrieval.table_answers.question import Question
from workbench.techniques.retrieval.table_answers.schema import LoadedColumn, LoadedTable
from workbench.techniques.retrieval.table_answers.words import best_match, concepts_of

MOST_TABLES = 8
MOST_COMBINATIONS = 24
MOST_CHOICES = 3  # conditions of the same words that are tried


@dataclass
class Candidate:
    """A query of a table, with the findings that its conditions come from, its features and its result."""

    table: LoadedTable
    query: Query
    findings: tuple[Finding, ...]
    rows: Sequence[int]
    features: dict[str, float] = field(default_factory=dict)
    explained: frozenset[int] = frozenset()
    left: tuple[str, ...] = ()

    def result(self) -> Result | None:
        return compute(self.table, self.query, self.rows)


class TableReading:
    """A question as it is read with one table in mind."""

    def __init__(self, question: Question, table: LoadedTable, rarity: dict[int, float]) -> None:
        self.question, self.table, self.rarity = question, table, rarity
        self.findings = find_conditions(question, table)
        self.named = {column.number: self._naming(column) for column in table.columns}
        self.by_name = {w.place: score for w in question.content if (score := best_match(w, table.name_words)) > 0.65}
        self.by_title = {w.place: score for w in question.content if (score := best_match(w, table.title_words)) > 0.65}

    def _naming(self, column: LoadedColumn) -> dict[int, float]:
        return {w.place: score for w in self.question.content if (score := best_match(w, column.words)) > 0.65}

    @property
    def weight(self) -> float:
        """How much of the question's words the table knows: those of cells, columns and names."""
        best: dict[int, float] = {}
        for finding in self.findings:
            if finding.kind == "value":
                for place in finding.places:
                    best[place] = max(best.get(place, 0.0), finding.sure)
        for places in self.named.values():
            for place, score in places.items():
                best[place] = max(best.get(place, 0.0), 0.8 * score)
        for place, score in (*self.by_name.items(), *self.by_title.items()):
            best[place] = max(best.get(place, 0.0), 0.6 * score)
        return sum(score * self.rarity.get(place, 1.0) for place, score in best.items())


def candidates_of(question: Question, tables: Sequence[LoadedTable]) -> list[Candidate]:
    """The candidates of the tables that know most of the question's words."""
    rarity = _rarity(question, tables)
    readings = [TableReading(question, table, rarity) for table in tables]
    readings.sort(key=lambda reading: -reading.weight)
    best = readings[0].weight if readings else 0.0
    found: list[Candidate] = []
    for rank, reading in enumerate(readings[:MOST_TABLES]):
        if reading.weight <= 0:
            break
        share = reading.weight / best
        second = readings[1].weight if len(readings) > 1 else 0.0
        lead = (reading.weight - (second if rank == 0 else best)) / best
        for candidate in _of_table(reading):
            candidate.features |= {"table share": share, "table lead": lead}
            found.append(candidate)
    return found


def _rarity(question: Question, tables: Sequence[LoadedTable]) -> dict[int, float]:
    """The weight of each word of the question: higher where few tables know it."""
    weights: dict[int, float] = {}
    for word in question.content:
        knows = sum(
            word.plain in table.vocabulary
            or word.spelled in table.vocabulary
            or best_match(word, table.name_words) > 0.65
            for table in tables
        )
        weights[word.place] = 1.0 + math.log(1 + len(tables) / (1 + knows)) / math.log(1 + max(1, len(tables)))
    return weights


def _of_table(reading: TableReading) -> Iterator[Candidate]:
    for findings in _combinations(reading.findings):
        conditions = tuple(one.condition for one in findings)
        rows = rows_of(reading.table, conditions)
        if not rows and conditions:
            # a count of nothing may be meant; anything else is not
            yield _featured(reading, findings, Query("count", conditions), rows)
            continue
        for query in _queries(reading, conditions, rows):
            yield _featured(reading, findings, query, rows)


def _combinations(findings: Sequence[Finding]) -> Iterator[tuple[Finding, ...]]:
    """Sets of findings of which no two explain the same word, those that explain most first."""
    groups: list[list[Finding]] = []
    for finding in findings[:24]:
        home = next((group for group in groups if any(finding.places & other.places for other in group)), None)
        if home is None:
            groups.append([finding])
        elif len(home) < MOST_CHOICES + 2:
            home.append(finding)
    groups = groups[:5]
    options: list[list[tuple[Finding, ...]]] = []
    for group in groups:
        sets: list[tuple[Finding, ...]] = [(one,) for one in group[: MOST_CHOICES + 2]]
        for first, second in ((a, b) for at, a in enumerate(group) for b in group[at + 1 :]):
            if not first.places & second.places and first.condition.column != second.condition.column:
                sets.append((first, second))
        sets.append(())
        options.append(sets)
    found: list[tuple[float, tuple[Finding, ...]]] = []
    for chosen in islice(product(*options), 4_000):
        together = tuple(one for part in chosen for one in part)
        columns = [one.condition.column for one in together]
        if len(set(columns)) == len(columns):
            found.append((sum(one.sure * len(one.places) ** 0.5 for one in together), together))
    found.sort(key=lambda item: -item[0])
    best = [together for _, together in found[:MOST_COMBINATIONS]]
    if () not in best:
        best.append(())
    yield from best


def _queries(reading: TableReading, conditions: tuple[Condition, ...], rows: Sequence[int]) -> Iterator[Query]:
    table, question = reading.table, reading.question
    used = {one.column for one in conditions if one.test in ("is", "not")}
    numbers = [c for c in table.columns if c.kind == "number" and c.filled]
    dates = [c for c in table.columns if c.kind in ("date", "time") and c.filled]
    texts = [c for c in table.columns if c.kind == "text" and c.filled]
    yield Query("count", conditions)
    for column in numbers:
        if not column.is_ordinal:
            yield Query("sum", conditions, column.number)
        if question.has("average"):
            yield Query("average", conditions, column.number)
    extremes: list[Kind] = [kind for kind in _EXTREMES if question.has(kind)]
    for column in (*numbers, *dates):
        if len(rows) > 1:
            for kind in extremes:
                yield Query("maximum" if kind == "highest" else "minimum", conditions, column.number)
                yield Query(kind, conditions, column.number, show=_shown(reading, column.number))
    for first, second in _pairs(reading, numbers, dates):
        if len(rows) > 1:
            for kind in extremes:
                yield Query(kind, conditions, first.number, minus=second.number, show=_shown(reading, first.number))
        elif first.number != second.number:
            yield Query("difference", conditions, first.number, minus=second.number)
    for column in table.columns:
        if column.filled and column.number not in used:
            more = tuple(
                c.number for c in table.columns
                if c.number not in (column.number, *used) and max(reading.named[c.number].values(), default=0.0) >= 0.9
            )  # fmt: skip
            shape: Kind = "value" if len(rows) == 1 else "list"
            if shape == "value" or column.kind == "text" or not numbers:
                yield Query(shape, conditions, column.number)
                if more:
                    yield Query(shape, conditions, column.number, show=(column.number, *more[:3]))
    groupable = [
        c for c in (*texts, *(n for n in numbers if n.is_ordinal or (not n.unit and len(n.distinct) <= 12)))
        if c.number not in used and 2 <= len(c.distinct) < c.filled
    ]  # fmt: skip
    for column in groupable:
        if question.has("highest") or question.has("lowest") or question.has("group"):
            yield from _group_queries(question, conditions, column, numbers)
    for column in texts:
        if question.has("count") and column.number not in used and len(column.distinct) < column.filled:
            yield Query("distinct", conditions, column.number)


_EXTREMES: tuple[Kind, ...] = ("highest", "lowest")
_OF_GROUPS: tuple[tuple[Kind, str], ...] = (("most", "highest"), ("least", "lowest"), ("groups", "group"))


def _group_queries(
    question: Question,
    conditions: tuple[Condition, ...],
    column: LoadedColumn,
    numbers: Sequence[LoadedColumn],
) -> Iterator[Query]:
    kinds = [kind for kind, cue in _OF_GROUPS if question.has(cue)]
    for kind in kinds:
        yield Query(kind, conditions, by=column.number, measure="count")
        for number in numbers:
            if number.number == column.number or number.is_ordinal:
                continue
            yield Query(kind, conditions, number.number, by=column.number, measure="sum")
            yield Query(kind, conditions, number.number, by=column.number, measure="average")


def _pairs(
    reading: TableReading, numbers: Sequence[LoadedColumn], dates: Sequence[LoadedColumn]
) -> Iterator[tuple[LoadedColumn, LoadedColumn]]:
    """Two columns that a difference is asked of."""
    if not reading.question.has("difference"):
        return
    for kind in (numbers, dates):
        for first in kind:
            for second in kind:
                if first.number != second.number and first.unit == second.unit and not first.is_ordinal:
                    yield first, second


def _shown(reading: TableReading, measure: int) -> tuple[int, ...]:
    """The columns that tell which row it is: the first that has a name, and those that the question asks for."""
    table, question = reading.table, reading.question
    chosen: list[int] = []
    names = [c for c in table.columns if c.kind == "text" and c.is_name and c.filled >= 0.8 * len(table.rows)]
    texts = [c for c in table.columns if c.kind == "text" and c.filled >= 0.5 * len(table.rows)]
    asked = [c for c in table.columns if reading.named[c.number] and c.number != measure]
    first = next(iter(names), None) or next(iter(texts), None)
    if first is not None:
        chosen.append(first.number)
        follows = next((c for c in texts if c.number == first.number + 1), None)
        if follows is not None:
            chosen.append(follows.number)  # "No. | Name", "Name | First name"
    chosen += [c.number for c in asked if c.kind != "number"]
    wanted = {"when": "date", "where": "place", "who": "person"}
    for cue, what in wanted.items():
        if question.has(cue):
            fitting = next((c for c in table.columns if _fits(c, what) and c.filled), None)
            if fitting is not None:
                chosen.append(fitting.number)
    return tuple(dict.fromkeys(number for number in chosen if number != measure))[:5]


_PERSON = (
    "person", "customer", "supplier", "employee", "member", "tenant", "patient", "owner", "driver", "doctor", "teacher",
    "contact", "responsible", "clerk", "observer", "borrower", "reader", "surname", "firstname", "carrier",
)  # fmt: skip
_PLACE = ("place", "room", "flat", "floor", "building", "address", "city", "country", "destination", "origin")


def _concepts(words: Sequence[str]) -> frozenset[int]:
    return frozenset(one for word in words for one in concepts_of(word))


def _fits(column: LoadedColumn, what: str) -> bool:
    """Whether a column holds what a question word asks for."""
    if what == "date":
        return column.kind == "date" or column.is_months
    if what == "money":
        return column.unit[:3] in ("EUR", "CHF", "GBP", "USD")
    wanted = _concepts(_PERSON if what == "person" else _PLACE)
    return column.kind == "text" and any(concepts_of(word) & wanted for word in column.words)


_OPERATION_CUES: dict[str, tuple[str, ...]] = {
    "count": ("count",), "distinct": ("count",), "sum": ("sum", "how much"), "average": ("average",),
    "minimum": ("lowest",), "maximum": ("highest",), "list": ("list", "names"), "value": (), "highest": ("highest",),
    "lowest": ("lowest",), "most": ("highest",), "least": ("lowest",), "groups": ("group",),
    "difference": ("difference",),
}  # fmt: skip
_STRONG = ("count", "sum", "average", "highest", "lowest", "list", "how much", "difference", "group")
FAMILIES = {
    "minimum": "extreme",
    "maximum": "extreme",
    "highest": "row",
    "lowest": "row",
    "most": "group",
    "least": "group",
}


def _featured(reading: TableReading, findings: tuple[Finding, ...], query: Query, rows: Sequence[int]) -> Candidate:
    question, table = reading.question, reading.table
    candidate = Candidate(table, query, findings, rows)
    features = candidate.features
    explained: set[int] = set()
    for finding in findings:
        explained |= finding.places | finding.beside
    kind = query.kind
    family = FAMILIES.get(kind, kind)
    features[f"is {family}"] = 1.0
    # cues
    for cue in _STRONG:
        if question.has(cue):
            if cue in _OPERATION_CUES[kind]:
                features[f"{family} as {cue}"] = 1.0
            else:
                features[f"{family} not {cue}"] = 1.0
    if kind in ("highest", "lowest", "most", "least", "minimum", "maximum"):
        opposite = "lowest" if kind in ("highest", "most", "maximum") else "highest"
        own = _OPERATION_CUES[kind][0]
        features["only opposite"] = float(question.has(opposite) and not question.has(own))
        features["no extreme cue"] = float(not question.has(own))
    if not any(question.has(cue) for cue in ("count", "sum", "average", "highest", "lowest", "group", "difference")):
        features[f"{family} plain"] = 1.0
    # columns
    measure = table.columns[query.column] if query.column >= 0 else None
    by = table.columns[query.by] if query.by >= 0 else None
    if measure is not None:
        naming = {place: score for place, score in reading.named[measure.number].items() if place not in explained}
        score = max(naming.values(), default=0.0)
        features[f"{family} column named"] = score
        features["column named"] = score
        if score:
            features["column words share"] = min(1.0, len(naming) / max(1, len(measure.words)))
        else:
            features["column unnamed"] = 1.0
        others = [
            max((s for p, s in reading.named[c.number].items() if p not in explained), default=0.0)
            for c in table.columns if c.number not in (query.column, query.by)
        ]  # fmt: skip
        features["other column named better"] = float(max(others, default=0.0) > score + 0.1)
        explained |= set(naming)
        if kind == "sum" or query.measure == "sum":
            features["sum of shares"] = float(measure.unit == "%" or "/" in measure.unit)
        if query.show and kind in ("list", "value"):
            features["more shown"] = 1.0
            for number in query.show[1:]:
                explained |= {place for place in reading.named[number] if place not in explained}
        money = _fits(measure, "money")
        features["money asked and is"] = float(question.has("money") and money)
        features["money asked and is not"] = float(question.has("money") and not money and measure.kind == "number")
        features["money not asked"] = float(money and not question.has("money") and not score)
        if kind in ("sum", "average", "maximum", "minimum", "highest", "lowest"):
            features["ordinal measured"] = float(measure.is_ordinal)
            features["only measure"] = float(
                sum(c.kind == "number" and not c.is_ordinal for c in table.columns) == 1 and measure.kind == "number"
            )
            features["measure without unit"] = float(not measure.unit and measure.kind == "number")
        if kind in ("highest", "lowest"):
            features["age as year"] = float(question.has("age") and (measure.kind == "date" or measure.is_ordinal))
            features["age as other"] = float(question.has("age") and not (measure.kind == "date" or measure.is_ordinal))
            features["weight as kg"] = float(question.has("weight") and measure.unit in ("kg", "t", "g"))
            features["date without age"] = float(measure.kind == "date" and not question.has("age"))
            features["row identified"] = float(bool(query.show))
            features["difference of columns"] = float(query.minus >= 0)
        if kind in ("list", "value"):
            for cue, what in (("when", "date"), ("who", "person"), ("where", "place"), ("money", "money")):
                if question.has(cue):
                    features[f"{cue} fits"] = float(_fits(measure, what))
                    features[f"{cue} does not fit"] = float(not _fits(measure, what))
            features["number asked"] = float(question.has("asks_number") and measure.kind == "number")
            features["number asked, text"] = float(question.has("asks_number") and measure.kind != "number")
            features[f"{kind} of names"] = float(measure.is_name and measure.kind == "text")
            features[f"{kind} of the first text"] = float(
                measure.number
                == next(
                    (
                        c.number
                        for c in table.columns
                        if c.kind == "text" and c.number not in {f.condition.column for f in findings}
                    ),
                    -1,
                )
            )
            features["list long"] = float(kind == "list" and len(rows) > 8)
            features["list all"] = float(kind == "list" and len(rows) == len(table.rows))
    if by is not None:
        naming = {place: score for place, score in reading.named[by.number].items() if place not in explained}
        features["group named"] = max(naming.values(), default=0.0)
        features["group unnamed"] = float(not naming)
        features["group by number"] = float(by.kind == "number")
        features["group by age"] = float(question.has("age"))
        explained |= set(naming)
        features[f"group by {query.measure}"] = 1.0
        features["group who"] = float(question.has("who") and _fits(by, "person"))
        features["group not who"] = float(question.has("who") and not _fits(by, "person"))
        features["group where"] = float(question.has("where") and _fits(by, "place"))
        if query.measure == "average":
            features["group average cue"] = float(question.has("average"))
            features["group average no cue"] = float(not question.has("average"))
        elif query.measure == "sum":
            features["group sum average cue"] = float(question.has("average"))
        if measure is not None:
            features["group measure named"] = features["column named"]
    if query.minus >= 0:
        naming = {place: score for place, score in reading.named[query.minus].items() if place not in explained}
        features["minus named"] = max(naming.values(), default=0.0)
        explained |= set(naming)
    if kind == "count":
        noun = _counted_noun(question)
        if noun is not None:
            hits = [
                c for c in table.columns if c.kind == "number" and noun in reading.named[c.number] and not c.is_ordinal
            ]
            features["counted noun is a number column"] = float(bool(hits) and noun not in explained)
            features["counted noun names the table"] = reading.by_name.get(noun, 0.0)
            if noun in reading.by_name or any(noun in places for places in reading.named.values()):
                explained.add(noun)
    elif kind == "sum" and measure is not None:
        noun = _counted_noun(question)
        features["summed noun is the column"] = float(noun is not None and noun in reading.named[measure.number])
    # conditions
    features["conditions"] = min(4, len(findings)) / 4
    features["no condition"] = float(not findings)
    features["sure conditions"] = sum(one.sure for one in findings) / 3
    features["unsure conditions"] = sum(1 - one.sure for one in findings) / 2
    features["part of a cell"] = float(sum(not one.whole for one in findings)) / 2
    for finding in findings:
        features[f"by {finding.kind}"] = features.get(f"by {finding.kind}", 0.0) + 1.0
        if finding.condition.column in (query.column, query.by) and finding.condition.test not in (
            "empty",
            "filled",
            "over column",
        ):
            features["condition on the column"] = 1.0
    names = [one for one in reading.findings if one.kind == "value" and one.whole]
    unused = [one for one in names if not one.places & explained]
    features["values unused"] = min(3, len({place for one in unused for place in one.places})) / 3
    share = len(rows) / max(1, len(table.rows))
    features["nothing left"] = float(not rows)
    features["one row"] = float(len(rows) == 1)
    features["all rows"] = float(share == 1 and bool(findings))
    # what is left of the question
    explained |= {place for place, score in reading.by_name.items() if score > 0.7}
    explained |= {place for place, score in reading.by_title.items() if score > 0.7}
    cue_places = _cue_places(question, kind)
    total = sum(reading.rarity[w.place] for w in question.content) or 1.0
    left = [w for w in question.content if w.place not in explained and w.place not in cue_places]
    features["left"] = sum(reading.rarity[w.place] for w in left) / total
    features["left names"] = min(3, sum(w.text[:1].isupper() and w.place > 0 for w in left)) / 3
    features["numbers left"] = min(2, sum(any(sign.isdigit() for sign in w.text) for w in left)) / 2
    features["table named"] = max((*reading.by_name.values(), 0.0))
    features["table titled"] = max((*reading.by_title.values(), 0.0))
    features["bias"] = 1.0
    candidate.explained = frozenset(explained)
    candidate.left = tuple(w.text for w in left)
    return candidate


def _cue_places(question: Question, kind: str) -> set[int]:
    cues = {
        *_OPERATION_CUES[kind],
        "count",
        "list",
        "how much",
        "who",
        "when",
        "where",
        "sum",
        "average",
        "highest",
        "lowest",
    }
    if kind not in ("average",):
        cues.discard("average")
    if kind not in ("highest", "lowest", "most", "least", "maximum", "minimum"):
        cues -= {"highest", "lowest"}
    spans = [span for cue in cues for span in question.cues.get(cue, ())]
    return {w.place for w in question.words if any(start < w.end and w.start < end for start, end in spans)}


def _counted_noun(question: Question) -> int | None:
    """The place of the word after "how many" or "how much"."""
    spans = [*question.cues.get("count", ()), *question.cues.get("how much", ())]
    if not spans:
        return None
    end = min(spans)[1]
    content = {w.place for w in question.content}
    following = [w for w in question.words if w.start >= end - 1 and w.place in content]
    return following[0].place if following else None
