"""The choice among the candidates of a question: the likeliest query, how sure that is, and reasons to doubt it.

Two fitted models (``weights.json``, made by ``benchmarks/table_questions.py --fit``): a linear one ranks the
candidates, a logistic one says how probable it is that the first is right, from its lead, from what it leaves of the
question, and from what kind of question it is at all.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from importlib import resources

import msgspec

from workbench.records.outcomes import Reason
from workbench.techniques.retrieval.table_answers.candidates import candidates_of, readings_of
from workbench.techniques.retrieval.table_answers.features import FAMILIES, Candidate
from workbench.techniques.retrieval.table_answers.links import QuestionReader, context_of, link, to_link
from workbench.techniques.retrieval.table_answers.query import Result, rows_of
from workbench.techniques.retrieval.table_answers.question import Question
from workbench.techniques.retrieval.table_answers.reasons import quoted, table_reason
from workbench.techniques.retrieval.table_answers.schema import LoadedTable
from workbench.techniques.retrieval.table_answers.table_reading import TableReading, is_dated, naming_column
from workbench.techniques.retrieval.table_answers.wording import Wording
from workbench.techniques.retrieval.table_answers.words import Word


class Weights(msgspec.Struct, frozen=True, kw_only=True):
    """``rank``: of the candidates' features; ``sure``: of ``doubts``. ``least_sure``: from this probability on an
    answer is given without a mark; ``least``: from this one on at all."""

    rank: dict[str, float]
    sure: dict[str, float]
    least_sure: float
    least: float


@cache
def weights(*, linked: bool) -> Weights:
    """Those of candidates that were ``linked`` with the question (``links``), and those of words alone."""
    text = (resources.files(__package__) / ("linked.json" if linked else "weights.json")).read_text("utf-8")
    return msgspec.json.decode(text, type=Weights)


@dataclass(frozen=True)
class Choice:
    """The best candidate with its ``result``; ``doubts`` are the features of how sure it is, ``sure`` the probability.
    ``second`` is the best one with another result."""

    candidate: Candidate
    result: Result | None
    second: Candidate | None
    doubts: dict[str, float]
    sure: float


def ranked(candidates: Sequence[Candidate], rank: Mapping[str, float]) -> list[tuple[float, Candidate]]:
    """The candidates with their shares of probability, the likeliest first."""
    scored = [(sum(rank.get(name, 0.0) * value for name, value in one.features.items()), one) for one in candidates]
    if not scored:
        return []
    best = max(score for score, _ in scored)
    shares = [(math.exp(score - best), one) for score, one in scored]
    total = sum(share for share, _ in shares)
    return sorted(((share / total, one) for share, one in shares), key=lambda item: -item[0])


def choose(
    question: Question, tables: Sequence[LoadedTable], reader: QuestionReader | None = None
) -> tuple[Choice, Weights] | None:
    """The likeliest query of a question, and the weights that it was chosen by; None where no table has to do with it.
    ``reader`` reads the tables that it may be about."""
    readings = readings_of(question, tables)
    if reader is not None:
        link_readings(readings, reader)
    known = weights(linked=reader is not None)
    choice = choose_among(question, candidates_of(readings), known)
    return (choice, known) if choice is not None and choice.sure >= known.least else None


def link_readings(readings: Sequence[TableReading], reader: QuestionReader) -> None:
    """Have those read that the question may be about."""
    similarities = reader.similarities([context_of(one.table) for one in readings])
    chosen = [readings[place] for place in to_link([one.weight for one in readings], similarities)]
    for reading, links in zip(chosen, link([one.table for one in chosen], reader), strict=True):
        reading.link(links)


def choose_among(question: Question, candidates: Sequence[Candidate], known: Weights) -> Choice | None:
    """The likeliest of a question's candidates."""
    order = ranked(candidates, known.rank)
    if not order:
        return None
    _, first = order[0]
    result = first.result()
    if result is None and not _asks_empty_cell(first):
        computed = [(one, found) for _, one in order[1:20] if (found := one.result()) is not None]
        if not computed:
            return None
        first, result = computed[0]
    value = result.value if result is not None else None
    same, other = 0.0, 0.0
    second: Candidate | None = None
    for share, one in order[:40]:
        found = one.result() if one is not first else result
        if found is not None and found.value == value and one.table.source == first.table.source:
            same += share
        elif second is None and found is not None:
            second, other = one, share
    doubts = _doubts(question, first, result, same, other)
    score = sum(known.sure.get(name, 0.0) * amount for name, amount in doubts.items())
    return Choice(first, result, second, doubts, 1 / (1 + math.exp(-max(-30.0, min(30.0, score)))))


def _asks_empty_cell(candidate: Candidate) -> bool:
    """Whether the query looks up one cell, which is empty, of a row that the question calls by its own name, or in a
    table that knows most of the question's words."""
    if candidate.query.kind != "value" or len(candidate.rows) != 1:
        return False
    naming = naming_column(candidate.table)
    named = (
        naming is not None
        and len(naming.distinct) == naming.filled
        and any(
            one.whole and one.condition.column == naming.number for one in candidate.findings if one.kind == "value"
        )
    )
    return named or candidate.features.get("left", 0.0) <= MOST_LEFT


def _doubts(question: Question, first: Candidate, result: Result | None, same: float, other: float) -> dict[str, float]:
    features = first.features
    kind = first.query.kind
    operations = ("count", "sum", "average", "highest", "lowest")
    return {
        "bias": 1.0,
        "share": same,
        "log share": math.log(max(same, 1e-3)),
        "lead": same - other,
        "left": features.get("left", 0.0),
        "left names": features.get("left names", 0.0),
        "numbers left": features.get("numbers left", 0.0),
        "negation left": float(_leaves_negation(question, first)),
        "parts missing": features.get("several asked, one shown", 0.0),
        "values unused": features.get("values unused", 0.0),
        "table share": features.get("table lead", 0.0),
        "table named": features.get("table named", 0.0),
        "conditions sure": features.get("sure conditions", 0.0),
        "conditions unsure": features.get("unsure conditions", 0.0),
        "part of a cell": features.get("part of a cell", 0.0),
        "no condition": features.get("no condition", 0.0),
        "column named": features.get("column named", 0.0),
        "column unnamed": features.get("column unnamed", 0.0),
        "group unnamed": features.get("group unnamed", 0.0),
        "operation asked": float(any(question.has(cue) for cue in operations)),
        "operation done": float(any(name.startswith(f"{FAMILIES.get(kind, kind)} as ") for name in features)),
        "looks up": float(kind in ("value", "list")),
        "lists many": float(kind == "list" and len(first.rows) > 6),
        "counts": float(kind == "count"),
        "counts nothing": float(not first.rows),
        "about a document": float(question.has("document")),
        "words": min(30, len(question.words)) / 30,
        "small table": float(len(first.table.rows) < 8),
        "ties": float(result is not None and result.ties),
        "empty": float(result is None),
        **{name: value for name, value in features.items() if name.startswith("linked")},
    }


def is_sure(choice: Choice, known: Weights) -> bool:
    """Whether the answer is given without a mark."""
    return choice.sure >= known.least_sure and not is_doubted(choice)


def is_doubted(choice: Choice) -> bool:
    """Whether an answer is marked however probable it is: a number of the question that nothing in the table explains,
    one value where several are asked for, a table of which a part is missing, values of several units together, a
    difference of columns of different units, a meter that ran backwards, a column that another one is called as well
    as, cells of which one is empty, a list of all rows or a calculation over them where a word of the question is not
    explained, which may name some of them, a "not" that no condition heeds, a date that another column tells other rows
    by."""
    doubts, one = choice.doubts, choice.candidate
    unclear = doubts["numbers left"] or doubts["parts missing"] or one.table.content.incomplete or one.rival >= 0
    unlike = _has_several_units(one) or _has_unlike_columns(one) or _runs_backwards(one)
    of_others = _may_be_of_some(one) or doubts["negation left"] or _other_date(one) >= 0
    return bool(unclear or unlike or _shows_empty(one) or of_others)


def _leaves_negation(question: Question, candidate: Candidate) -> bool:
    """Whether the question has a "not" that no condition comes from."""
    spans = question.cues.get("negated", ())
    places = {w.place for w in question.words if any(start < w.end and w.start < end for start, end in spans)}
    heeded = any(one.test in ("not", "empty") for one in candidate.query.conditions)
    return bool(places) and not heeded and not any(places & one.places for one in candidate.findings)


def _other_date(candidate: Candidate) -> int:
    """A column of dates by which a date of the question tells other rows than by the one that was taken, where the
    question names neither; -1 where there is none."""
    dates = [column.number for column in candidate.table.columns if column.kind == "date"]
    for finding in candidate.findings:
        taken = finding.condition
        if finding.kind != "date" or finding.names_column or taken.column not in dates:
            continue
        rest = [one for one in candidate.query.conditions if one != taken]
        for number in dates:
            if rows_of(candidate.table, [*rest, replace(taken, column=number)]) != list(candidate.rows):
                return number
    return -1


def _may_be_of_some(candidate: Candidate) -> bool:
    all_rows = candidate.query.kind in ("count", "sum", "average", "list") and not candidate.findings
    return all_rows and any(len(word) >= _TELLING for word in candidate.left)


def _shows_empty(candidate: Candidate) -> bool:
    """Whether one of several cells that are shown of a row is empty: that may be the one which is asked for."""
    table, query = candidate.table, candidate.query
    if query.kind != "value" or len(candidate.rows) != 1:
        return False
    return any(table.columns[number].values[candidate.rows[0]] is None for number in query.show)


def _has_unlike_columns(candidate: Candidate) -> bool:
    """Whether the query takes a number from one of another unit, or of none: seats from a price."""
    columns, query = candidate.table.columns, candidate.query
    return query.minus >= 0 and columns[query.column].unit != columns[query.minus].unit


def _runs_backwards(candidate: Candidate) -> bool:
    """Whether what was used is computed of readings of which a later one is lower."""
    columns, query = candidate.table.columns, candidate.query
    if query.minus < 0 or not is_dated(columns[query.column]) or not is_dated(columns[query.minus]):
        return False
    pairs = zip(columns[query.column].values, columns[query.minus].values, strict=True)
    return any(
        isinstance(later, float) and isinstance(earlier, float) and later < earlier
        for row, (later, earlier) in enumerate(pairs)
        if row in candidate.rows
    )


def _has_several_units(candidate: Candidate) -> bool:
    """Whether the query adds or compares numbers of rows of which another column tells several units."""
    table, query = candidate.table, candidate.query
    if query.column < 0 or query.kind in ("value", "list", "distinct", "times", "difference"):
        return False
    measured = table.columns[query.column]
    if measured.kind != "number" or measured.unit:
        return False
    rows = [row for row in candidate.rows if measured.values[row] is not None]
    units = [column for column in table.columns if column.has_units and column.number != query.by]
    return any(len({column.cells[row].strip() for row in rows}) > 1 for column in units)


MOST_LEFT = 0.5
"""Of the question's words that the table does not know, where a row is shown for its name alone or a cell is empty."""

_TELLING = 4  # letters of a word


def is_named_row(choice: Choice, question: Question, tables: Sequence[LoadedTable]) -> bool:
    """Whether a name of the question is the whole cell of one row, or begins its cell and no other, the query looks up
    this row in a column that the question names or fits, and no other table knows the name."""
    one, doubts = choice.candidate, choice.doubts
    fitting = doubts["column named"] or one.features.get("money asked and is")
    if len(one.rows) != 1 or not fitting or doubts["numbers left"] or doubts["left"] > MOST_LEFT:
        return False
    others = [table for table in tables if table is not one.table]
    for finding in one.findings:
        words = [question.words[at] for at in finding.places]
        if finding.kind == "value" and (finding.whole or finding.heads) and _is_name(words):
            known = any(all(w.plain in t.vocabulary or w.spelled in t.vocabulary for w in words) for t in others)
            if not known:
                return True
    return False


def _is_name(words: Sequence[Word]) -> bool:
    return any(word.place > 0 and word.text[:1].isupper() for word in words)


def reasons_of(choice: Choice, language: str) -> tuple[Reason, ...]:
    """Why the answer may not be what was asked for, in the question's language, at least one."""
    one, said = choice.candidate, partial(table_reason, language)
    found = [said("incomplete")] if one.table.content.incomplete else []
    left = [word for word in one.left if word[:1].isupper() or word[:1].isdigit() or len(word) > 4][:4]
    if left and (choice.doubts["left"] > 0.15 or choice.doubts["numbers left"]):
        found.append(said("left", words=", ".join(quoted(word, language) for word in left)))
    if choice.result is not None and choice.result.ties:
        found.append(said("ties"))
    for column in (one.rival, _other_date(one)):
        if column >= 0:
            found.append(said("rival", column=quoted(one.table.columns[column].name, language)))
    if _has_several_units(one):
        found.append(said("units"))
    if _has_unlike_columns(one):
        found.append(said("unlike"))
    if _shows_empty(one):
        found.append(said("empty"))
    if _runs_backwards(one):
        found.append(said("backwards"))
    if choice.second is not None and choice.doubts["lead"] < 0.6 and (result := choice.second.result()) is not None:
        wording = Wording(language)
        value, _ = wording.answer(choice.second.table, choice.second.query, result)
        shown = wording.answer(one.table, one.query, choice.result)[0] if choice.result is not None else ""
        if len(value) <= 80 and sorted(value.split(", ")) != sorted(shown.split(", ")):  # not the same cells, turned
            found.append(said("second", value=value))
    return tuple(found) or (said("unsure"),)
