"""Features of a candidate: which words of the question it explains and which it leaves, and whether what it computes is
what the cues ask for. Their weights are fitted (``weights.json``)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from workbench.techniques.retrieval.table_answers.conditions import Finding
from workbench.techniques.retrieval.table_answers.query import Query, Result, compute
from workbench.techniques.retrieval.table_answers.question import Question
from workbench.techniques.retrieval.table_answers.schema import LoadedColumn, LoadedTable
from workbench.techniques.retrieval.table_answers.table_reading import (
    TableReading,
    counted_noun,
    extremes_asked,
    fits,
    which_noun,
)
from workbench.techniques.retrieval.table_answers.words import best_match, stop_words
from workbench.text.cells import folded


@dataclass
class Candidate:
    """A query of a table, with the findings that its conditions come from, its features and its result. ``rival``: the
    column that the question calls as well as the one that is computed with, by a part of the names of both; -1 where
    there is none."""

    table: LoadedTable
    query: Query
    findings: tuple[Finding, ...]
    rows: Sequence[int]
    features: dict[str, float] = field(default_factory=dict)
    explained: frozenset[int] = frozenset()
    left: tuple[str, ...] = ()
    rival: int = -1

    def result(self) -> Result | None:
        return compute(self.table, self.query, self.rows)


_OPERATION_CUES: dict[str, tuple[str, ...]] = {
    "count": ("count",), "distinct": ("count",), "sum": ("sum", "how much"), "average": ("average",),
    "minimum": ("lowest",), "maximum": ("highest",), "list": ("list", "names"), "value": (), "highest": ("highest",),
    "lowest": ("lowest",), "most": ("highest",), "least": ("lowest",), "groups": ("group",),
    "difference": ("difference",), "apart": ("difference",), "times": ("how much",),
}  # fmt: skip
_HEEDED: dict[str, set[str]] = {
    "count": {"count", "distinct", "sum", "groups"},
    "sum": {"sum", "count"},
    "average": {"average"},
    "highest": {"highest", "maximum", "most"},
    "lowest": {"lowest", "minimum", "least"},
    "often": {"count"},
}
_STRONG = ("count", "sum", "average", "highest", "lowest", "list", "how much", "difference", "group")
FAMILIES = {
    "minimum": "extreme",
    "maximum": "extreme",
    "highest": "row",
    "lowest": "row",
    "most": "group",
    "least": "group",
}


def featured(reading: TableReading, findings: tuple[Finding, ...], query: Query, rows: Sequence[int]) -> Candidate:
    question, table = reading.question, reading.table
    candidate = Candidate(table, query, findings, rows)
    features = candidate.features
    explained: set[int] = set()
    for finding in findings:
        explained |= finding.places | finding.beside
    is_change = (query.column, query.minus) in reading.changes
    kind = "value" if is_change and query.kind == "difference" else query.kind  # of readings: what was used
    family = FAMILIES.get(kind, kind)
    features[f"is {family}"] = 1.0
    # cues
    for cue in _STRONG:
        if question.has(cue):
            if cue in _OPERATION_CUES[kind]:
                features[f"{family} as {cue}"] = 1.0
            else:
                features[f"{family} not {cue}"] = 1.0
    computed: set[str] = {kind, query.measure}
    for cue, operations in _HEEDED.items():
        if question.has(cue):
            features[f"{cue} heeded"] = float(bool(computed & operations))
            features[f"{cue} not heeded"] = float(not computed & operations)
    if kind in ("highest", "lowest", "most", "least", "minimum", "maximum"):
        opposite = "lowest" if kind in ("highest", "most", "maximum") else "highest"
        own = _OPERATION_CUES[kind][0]
        asked = extremes_asked(question, len(rows))
        features["only opposite"] = float(opposite in asked and own not in asked)
        features["no extreme cue"] = float(own not in asked)
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
        fit = reading.fit_of(measure, explained)
        rival = max(
            (reading.fit_of(c, explained) for c in table.columns if c.number not in (query.column, query.by)),
            default=0.0,
        )
        features["column fits best"] = float(fit > 0 and fit >= rival)
        features["column fits worse"] = float(fit < rival)
        candidate.rival = _rival(reading, query, naming, explained)
        explained |= set(naming)
        if kind == "sum" or query.measure == "sum":
            features["sum of shares"] = float(measure.unit == "%" or "/" in measure.unit)
        if kind in ("list", "value") and question.parts > 1:
            features["several asked, several shown"] = float(bool(query.show))
            features["several asked, one shown"] = float(not query.show)
        if query.show and kind in ("list", "value"):
            features["more shown"] = 1.0
            for number in query.show[1:]:
                explained |= {place for place in reading.named[number] if place not in explained}
        money = fits(measure, "money")
        if money:
            explained |= _places_of(question, ("money",))
        features["money asked and is"] = float(question.has("money") and money)
        features["money asked and is not"] = float(question.has("money") and not money and measure.kind == "number")
        features["money not asked"] = float(money and not question.has("money") and not score)
        if kind in ("sum", "average", "maximum", "minimum", "highest", "lowest"):
            features["ordinal measured"] = float(measure.is_ordinal)
            features["only measure"] = float(
                sum(c.kind == "number" and not c.is_ordinal for c in table.columns) == 1 and measure.kind == "number"
            )
            features["names by number"] = float(measure.is_label)
            features["measure without unit"] = float(not measure.unit and measure.kind == "number")
        if kind in ("highest", "lowest"):
            for number in query.show:
                explained |= {place for place in reading.named[number] if place not in explained}
            features["age as year"] = float(question.has("age") and (measure.kind == "date" or measure.is_ordinal))
            features["age as other"] = float(question.has("age") and not (measure.kind == "date" or measure.is_ordinal))
            features["weight as kg"] = float(question.has("weight") and measure.unit in ("kg", "t", "g"))
            features["date without age"] = float(measure.kind == "date" and not question.has("age"))
            noun = which_noun(question)
            repeated = [
                c for c in table.columns
                if c.kind == "text" and noun in reading.named[c.number] and len(c.distinct) <= 0.7 * c.filled
            ]  # fmt: skip
            features["row, noun names the table"] = reading.by_name.get(noun, 0.0) if noun is not None else 0.0
            features["which noun is repeated"] = float(bool(repeated) and noun not in reading.by_name)
            features["row identified"] = float(bool(query.show))
            features["difference of columns"] = float(query.minus >= 0)
        if kind in ("list", "value"):
            for cue, what in (("when", "date"), ("who", "person"), ("where", "place"), ("money", "money")):
                if question.has(cue):
                    features[f"{cue} fits"] = float(fits(measure, what))
                    features[f"{cue} does not fit"] = float(not fits(measure, what))
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
        features["group nearly unique"] = float(len(by.distinct) > 0.7 * by.filled)
        features["group when"] = float(question.has("when"))
        noun = which_noun(question)
        features["which noun is the group"] = reading.named[by.number].get(noun, 0.0) if noun is not None else 0.0
        features["which noun is not the group"] = float(noun is not None and noun not in reading.named[by.number])
        features["group count, not often"] = float(query.measure == "count" and not question.has("often"))
        features["group by number"] = float(by.kind == "number")
        features["group by age"] = float(question.has("age"))
        features["group, noun names the table"] = reading.by_name.get(noun, 0.0) if noun is not None else 0.0
        explained |= set(naming)
        features[f"group by {query.measure}"] = 1.0
        features["group who"] = float(question.has("who") and fits(by, "person"))
        features["group not who"] = float(question.has("who") and not fits(by, "person"))
        features["group where"] = float(question.has("where") and fits(by, "place"))
        if query.measure == "average":
            features["group average cue"] = float(question.has("average"))
            features["group average no cue"] = float(not question.has("average"))
        elif query.measure == "sum":
            features["group sum average cue"] = float(question.has("average"))
        if measure is not None:
            features["group measure named"] = features["column named"]
    if kind == "times":
        explained |= {place for place, value in question.numbers.items() if value == query.factor}
    if query.minus >= 0:
        naming = {place: score for place, score in reading.named[query.minus].items() if place not in explained}
        features["minus named"] = max(naming.values(), default=0.0)
        explained |= set(naming)
    if is_change:
        explained |= _places_of(question, ("change",))
    if kind == "count":
        features["counts a name"] = float(any(table.columns[f.condition.column].is_name for f in findings))
        features["counts in a small table"] = float(len(table.rows) < 12)
        noun = counted_noun(question)
        features["counted noun is unknown"] = float(_is_unknown(reading, noun, explained))
        if noun is not None:
            hits = [
                c for c in table.columns if c.kind == "number" and noun in reading.named[c.number] and not c.is_ordinal
            ]
            features["counted noun is a number column"] = float(bool(hits) and noun not in explained)
            features["counted noun is all of its name"] = float(
                noun not in explained and any(len(c.name_words) == 1 for c in hits)
            )
            if features["counted noun is a number column"] and features.pop("count as count", 0.0):
                features["count, a column says how many"] = 1.0
            features["counted noun names the table"] = reading.by_name.get(noun, 0.0)
            if noun in reading.by_name or any(noun in places for places in reading.named.values()):
                explained.add(noun)
    elif kind == "sum" and measure is not None:
        noun = counted_noun(question)
        features["summed noun is the column"] = float(noun is not None and noun in reading.named[measure.number])
        features["summed noun is unknown"] = float(_is_unknown(reading, noun, explained))
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
    asking = _places_of(question, ("count", "how much", "sum", "average"))
    features["condition by words that ask"] = float(
        any(one.kind == "value" and one.places <= asking for one in findings)
    )
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
    features["no names of columns"] = float(not any(column.name for column in table.columns))
    features["small table"] = float(len(table.rows) < 12)
    features["bias"] = 1.0
    candidate.explained = frozenset(explained)
    candidate.left = tuple(w.text for w in left)
    return candidate


def _rival(reading: TableReading, query: Query, naming: dict[int, float], explained: Collection[int]) -> int:
    """The number of another column of numbers, in the same unit, that the question names by the same words as the one
    of the query ("budget" of "budget planned" and "budget used"), where these are not the whole name of this one."""
    measure = reading.table.columns[query.column]
    if measure.kind != "number" or not naming or query.minus >= 0:
        return -1

    def is_whole(column: LoadedColumn) -> bool:
        words = [reading.question.words[place] for place in naming]
        telling = [word for word in column.name_words if word not in stop_words() and word != folded(column.unit)]
        return len(telling) <= len(words) and all(
            any(best_match(word, (one,)) > 0.65 for word in words) for one in telling
        )

    others = (
        column
        for column in reading.table.columns
        if column.number not in (query.column, query.by, *query.show)
        and (column.kind, column.unit) == (measure.kind, measure.unit)
        and {place for place in reading.named[column.number] if place not in explained} == set(naming)
    )
    if is_whole(measure):
        return -1
    return next((column.number for column in others), -1)


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
    return _places_of(question, cues)


def _places_of(question: Question, cues: Iterable[str]) -> set[int]:
    """The places of the words of these cues."""
    spans = [span for cue in cues for span in question.cues.get(cue, ())]
    return {w.place for w in question.words if any(start < w.end and w.start < end for start, end in spans)}


def _is_unknown(reading: TableReading, noun: int | None, explained: Collection[int]) -> bool:
    """Whether what is counted is named nowhere in the table: "how many loaves" where a column says what is left."""
    return (
        noun is not None
        and noun not in explained
        and noun not in reading.by_name
        and not any(noun in places for places in reading.named.values())
    )
