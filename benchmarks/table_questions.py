"""Questions about tables, answered by queries: how many are right, and what else would be taken for such a question?

    python benchmarks/table_questions.py --made MADE
    python benchmarks/table_questions.py --made MADE --fit
    python benchmarks/table_questions.py --offices housing,dental
    python benchmarks/table_questions.py --made MADE --keep KEEP [--fit]

The documents of the offices are read by the reader process; each question is answered from the tables alone, as the
road of a table does it (``techniques/retrieval/table_answers``), and judged by ``score.py`` of the given offices. Of
the questions of other kinds, of which every third is asked, it is counted how many would be answered without a mark,
and wrongly: the road is chosen before, not always rightly. Over the made offices, in eight parts, the weights are
fitted on all parts but one and judged on it, in turns; ``--fit`` writes those of all to ``weights.json``. With
``--offices`` those are judged with the weights as they are. Beside those of questions.jsonl more questions are asked of
the made offices: table_questions.jsonl has kinds that these hardly have (the difference of two rows, the cheaper of
two, what three of a thing cost, a sum of named rows), and tables_asked.jsonl asks in other words than the tables have;
``SHEETS`` have such questions alone. With ``--keep``, the home folder of ``kept_retrieval.py``, the tables are read by
the cross-encoder (``table_answers/links.py``): its features are fitted on ``LEFT_OUT``, which it was not trained on,
and the other weights near those of ``weights.json`` (``linked.json``).
``--show`` prints the answers of one outcome ("wrong", "wrong and marked", "none").

The ranking of the candidates is a softmax over those of a question, with a penalty on the squared weights; the
probability that the first is right is a logistic regression on choices of offices that its ranking was not fitted on.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
from fit_second_look import EMBEDDER
from harness import DATA, HERE, ROOT, arguments, read_lines
from numpy.typing import NDArray
from office_answers import MADE, places, scorer
from scipy.sparse import csr_matrix, vstack
from sklearn.linear_model import LogisticRegression

from workbench.base.errors import UserError
from workbench.reading.process import ReaderProcess
from workbench.reading.reader_calls import ReadLimits
from workbench.records.training.scores import interval
from workbench.subjects.models.starter import find_starters
from workbench.techniques.retrieval.embedding import Embedder
from workbench.techniques.retrieval.engine_embedder import EngineEmbedder
from workbench.techniques.retrieval.table_answers.candidates import candidates_of, readings_of
from workbench.techniques.retrieval.table_answers.choice import (
    Choice,
    Weights,
    choose_among,
    is_doubted,
    is_sure,
    link_readings,
    weights,
)
from workbench.techniques.retrieval.table_answers.features import Candidate
from workbench.techniques.retrieval.table_answers.question import Question
from workbench.techniques.retrieval.table_answers.schema import LoadedTable, Source
from workbench.techniques.retrieval.table_answers.wording import Wording
from workbench.text.cells import folded

PLACE = ROOT / "workbench/techniques/retrieval/table_answers"
LEFT_OUT = (
    "campsite", "exam_office", "film_club", "housing_office", "machine_works", "mail_order", "parish", "port_agent",
    "sheets_canteen", "sheets_clinic", "sheets_courier", "sheets_festival", "sheets_garage", "sheets_landlord",
    "sheets_nurserycrop", "sheets_private",
)  # fmt: skip
"""Offices and sheets that the cross-encoder of tables is not trained on."""
SHEETS = (
    "sheets_anglers", "sheets_assets", "sheets_blooddrive", "sheets_bookshop", "sheets_building", "sheets_canteen",
    "sheets_carpool", "sheets_charity", "sheets_chemicals", "sheets_clinic", "sheets_council", "sheets_courier",
    "sheets_events", "sheets_farm", "sheets_festival", "sheets_fleet", "sheets_garage", "sheets_gym", "sheets_hostel",
    "sheets_itdesk", "sheets_kiosk", "sheets_landlord", "sheets_meters", "sheets_museumstore", "sheets_nurserycrop",
    "sheets_orchestra", "sheets_personnel", "sheets_private", "sheets_research", "sheets_school", "sheets_shipping",
    "sheets_spareparts", "sheets_tenders", "sheets_tennis", "sheets_translator", "sheets_volunteers", "sheets_wedding",
    "sheets_winebar",
)  # fmt: skip
"""Folders of benchmarks/offices that have tables and questions about them alone."""
PARTS, OTHER_KINDS_EVERY = 8, 3
PENALTY, STEPS, RATE = 0.01, 400, 0.05
MOST_WRONG = 0.025
"""The threshold is set so that at most this share of the table questions has a wrong answer without a mark. It is half
of the share that is allowed: the author of the cues saw these questions, and unseen ones are wrong more often."""
LEAST = 0.05
"""Below this probability there is no answer."""
_FAMILIES = {
    "count": {"count"}, "sum": {"sum"}, "avg": {"average"}, "min": {"minimum", "lowest"}, "max": {"maximum", "highest"},
    "row": {"highest", "lowest"}, "distinct": {"distinct", "count"}, "list": {"list", "value"},
    "value": {"value", "list"}, "most": {"most"}, "least": {"least"}, "groups": {"groups"}, "apart": {"apart"},
    "times": {"times"},
}  # fmt: skip
_DIFFERENCES = {"difference", "apart"}


class Asked(NamedTuple):
    """A question with its office and its candidates; ``right`` says which of them give the right answer."""

    office: str
    row: dict[str, Any]
    question: Question
    candidates: list[Candidate]
    right: NDArray[np.bool_]


class Judged(NamedTuple):
    """The choice for a question, and whether it is right."""

    asked: Asked
    choice: Choice | None
    right: bool


def read_tables(documents: Path) -> list[LoadedTable]:
    reader = ReaderProcess()
    tables: list[LoadedTable] = []
    try:
        for file in sorted(documents.iterdir()):
            try:
                read = reader.read(file, ReadLimits(recognise=False))
            except UserError:
                continue  # a scan
            source = Source(file.name, read.hash, str(file), read.title)
            tables += [LoadedTable(source, number, table) for number, table in enumerate(read.tables)]
    finally:
        reader.close()
    return tables


def answer(language: str, choice: Candidate) -> str:
    result = choice.result()
    if result is None:
        return ""
    value, said = Wording(language).answer(choice.table, choice.query, result)
    return f"{value}\n\n{said}"


def is_right(score: Any, row: dict[str, Any], candidate: Candidate) -> bool:
    if candidate.table.source.file not in row["sources"]:
        return False
    text = answer(row["language"], candidate)
    return bool(text) and bool(score.judge(row, text)[0])


def is_meant(row: dict[str, Any], candidate: Candidate) -> bool:
    """Whether a candidate computes what the query of the question does, of the same columns, as far as these are called
    in the query as in the table that was read."""
    what = row.get("query", "").partition(";")[2].partition(";")[0].strip()
    if not what:  # where numbers are given (calc)
        return True
    kind, _, rest = what.partition(" ")
    query, columns = candidate.query, candidate.table.columns
    if query.kind not in _FAMILIES.get(kind, set()) | (_DIFFERENCES if " - " in rest else set()):
        return False
    rest = rest.partition(" show ")[0].removeprefix("min ").removeprefix("max ")
    by, measured = "", ""
    if kind in ("most", "least", "groups"):
        by, _, measured = rest.rpartition(" by ")
        rest = measured.partition(" ")[2]
    names = {folded(one.strip()) for one in (by, *rest.partition(",")[0].split(" - ")) if one}
    called = {number: {folded(one.name), folded(f"{one.name} {one.unit}")} for number, one in enumerate(columns)}
    known = {name for name in names if any(name in its for its in called.values())}
    numbers = (query.column, query.by, query.minus, *query.show)
    return known <= set().union(*(called[number] for number in numbers if number >= 0))


def questions_of(office: str, made: Path, data: Path) -> tuple[list[LoadedTable], list[dict[str, Any]]]:
    """The tables of an office, and its questions about them with every third one of the other kinds."""
    documents, file = places(office, data, made)
    if office.startswith("sheets_"):
        documents, file = made / office, HERE / "offices" / office / "questions.jsonl"
    if not documents.is_dir():
        raise SystemExit(f"The documents of {office} are not in {documents}: write them with make.py.")
    files = [file, *(file.with_name(name) for name in ("table_questions.jsonl", "tables_asked.jsonl"))]
    rows = [row for one in files if one.is_file() for row in read_lines(one)]
    others = [row for row in rows if row["kind"] != "table"][::OTHER_KINDS_EVERY]
    return read_tables(documents), [row for row in rows if row["kind"] == "table"] + others


def in_parts(asked: Mapping[str, Sequence[Asked]]) -> dict[str, list[Asked]]:
    """The questions of the offices in ``PARTS`` parts, all questions of an office in the same part."""
    every = list(asked.values())
    return {f"part {part}": [one for its in every[part::PARTS] for one in its] for part in range(PARTS)}


class EmbedderReader:
    """A question as the shipped embedder reads it with tables."""

    def __init__(self, embedder: Embedder, question: str, known: dict[str, Any]) -> None:
        self._embedder, self._question, self._known = embedder, question, known

    def similarities(self, texts: Sequence[str]) -> Sequence[float]:
        missing = [text for text in texts if text not in self._known]
        self._known.update(zip(missing, self._embedder.embed_passages(missing), strict=True))
        plain = self._embedder.embed_queries([self._question])
        (vector,) = self._embedder.embed_searches([self._question], plain)
        return [float(vector @ self._known[text]) for text in texts]

    def scores(self, passages: Sequence[Sequence[str]]) -> Sequence[Sequence[float]]:
        return self._embedder.cross_encode(self._question, passages, "tables")


def open_embedder(keep: Path) -> EngineEmbedder:
    models = find_starters(keep / "models", multilingual=True)
    return EngineEmbedder(Path(next(one.path for one in models if one.name == EMBEDDER)), keep / "prepared")


def ask(
    score: Any,
    office: str,
    tables: Sequence[LoadedTable],
    rows: Sequence[dict[str, Any]],
    embedder: Embedder | None = None,
) -> list[Asked]:
    found = []
    known: dict[str, Any] = {}
    for row in rows:
        question = Question(row["question"])
        readings = readings_of(question, tables)
        if embedder is not None:
            link_readings(readings, EmbedderReader(embedder, row["question"], known))
        candidates = candidates_of(readings)
        right = np.zeros(len(candidates), bool)
        if row["kind"] == "table":
            right = np.array([is_right(score, row, one) for one in candidates], bool)
            if "query" in row:  # not those that are right by chance
                right &= np.array([is_meant(row, one) for one in candidates], bool)
        found.append(Asked(office, row, question, candidates, right))
    return found


def encoded(asked: Sequence[Asked]) -> tuple[dict[str, int], csr_matrix]:
    """The place of each feature, and the features of all candidates, (candidates, features)."""
    place: dict[str, int] = {}
    columns: list[int] = []
    values: list[float] = []
    ends = [0]
    for one in asked:
        for candidate in one.candidates:
            columns += [place.setdefault(name, len(place)) for name in candidate.features]
            values += candidate.features.values()
            ends.append(len(columns))
    shape = len(ends) - 1, len(place)
    return place, csr_matrix((np.array(values, np.float32), columns, ends), shape=shape)


class Rankings:
    """Fits the weights of the candidates' features on some offices, by gradient descent (Adam), near those of
    ``begun``."""

    def __init__(self, asked: Mapping[str, Sequence[Asked]], begun: Mapping[str, float] | None = None) -> None:
        self._asked = {office: [one for one in its if one.right.any()] for office, its in asked.items()}
        self._place, every = encoded([one for its in self._asked.values() for one in its])
        self._begun = np.array([(begun or {}).get(name, 0.0) for name in self._place], np.float32)
        ends = np.cumsum([0, *(sum(len(one.candidates) for one in its) for its in self._asked.values())])
        self._rows = {
            office: every[first:last] for office, first, last in zip(self._asked, ends[:-1], ends[1:], strict=True)
        }

    def fit(self, offices: Sequence[str]) -> dict[str, float]:
        of_tables = [one for office in offices for one in self._asked[office]]
        matrix = vstack([self._rows[office] for office in offices]).tocsr()
        turned = matrix.T.tocsr()
        lengths = [len(one.candidates) for one in of_tables]
        starts = np.cumsum([0, *lengths[:-1]])
        right = np.concatenate([one.right for one in of_tables]).astype(np.float32)
        of_row = np.repeat(np.arange(len(starts)), lengths)
        fitted = self._begun.copy()
        first, second = (np.zeros(len(self._place), np.float32) for _ in range(2))
        for step in range(1, STEPS + 1):
            scores = matrix @ fitted
            shares = np.exp(scores - np.maximum.reduceat(scores, starts)[of_row])
            shares /= np.add.reduceat(shares, starts)[of_row]
            wanted = shares * right / np.maximum(np.add.reduceat(shares * right, starts), 1e-12)[of_row]
            slope = PENALTY * (fitted - self._begun) + turned @ (shares - wanted) / len(of_tables)
            first, second = 0.9 * first + 0.1 * slope, 0.999 * second + 0.001 * slope**2
            fitted -= RATE * (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.999**step)) + 1e-8)
        return {name: round(float(fitted[at]), 4) for name, at in sorted(self._place.items()) if abs(fitted[at]) > 1e-3}


def chosen(score: Any, asked: Sequence[Asked], known: Weights) -> list[Judged]:
    found = []
    for one in asked:
        choice = choose_among(one.question, one.candidates, known)
        right = choice is not None and choice.result is not None and is_right(score, one.row, choice.candidate)
        if choice is not None and choice.result is None:
            right = one.row.get("reason") == "cell"  # the cell is empty, and the answer says so
        found.append(Judged(one, choice, right))
    return found


def fit_sure(judged: Sequence[Judged]) -> dict[str, float]:
    known = [one for one in judged if one.choice is not None]
    names = sorted({name for one in known if one.choice is not None for name in one.choice.doubts})
    matrix = np.array([[one.choice.doubts.get(name, 0.0) for name in names] for one in known if one.choice is not None])
    model = LogisticRegression(C=0.5, fit_intercept=False, max_iter=2_000)
    model.fit(matrix, [one.right for one in known])
    return {name: round(float(weight), 4) for name, weight in zip(names, model.coef_[0], strict=True)}


def without_sure(rank: dict[str, float]) -> Weights:
    return Weights(rank=rank, sure={}, least_sure=0.5, least=0.0)


def threshold(judged: Sequence[Judged], sure: dict[str, float]) -> float:
    """The least probability at which few enough table questions are answered wrongly without a mark, and at most as
    many questions of other kinds. What is marked in any case does not count."""
    rated = sorted(
        (
            (probability(one.choice, sure), one.asked.row["kind"] == "table")
            for one in judged
            if one.choice and not one.right and not is_doubted(one.choice)
        ),
        reverse=True,
    )  # fmt: skip
    tables = sum(one.asked.row["kind"] == "table" for one in judged)
    wrong = others = 0
    for rate, is_table in rated:
        wrong, others = wrong + is_table, others + (not is_table)
        if wrong > MOST_WRONG * tables or others > MOST_WRONG * (len(judged) - tables):
            return round(rate + 1e-4, 4)
    return 0.5


def probability(choice: Choice, sure: dict[str, float]) -> float:
    total = sum(sure.get(name, 0.0) * value for name, value in choice.doubts.items())
    return float(1 / (1 + np.exp(-np.clip(total, -30, 30))))


def folds(
    score: Any, asked: dict[str, list[Asked]], begun: Mapping[str, float] | None = None
) -> tuple[list[tuple[Judged, str]], Weights]:
    """Each part judged by weights of the others, with the outcome of each question; and the weights of all."""
    outcomes: list[tuple[Judged, str]] = []
    outside: list[Judged] = []
    rankings = Rankings(asked, begun)
    for held in asked:
        rest = [office for office in asked if office != held]
        inner: list[Judged] = []
        for left in rest:
            rank = rankings.fit([office for office in rest if office != left])
            inner += chosen(score, asked[left], without_sure(rank))
        rank = rankings.fit(rest)
        sure = fit_sure(inner)
        least = threshold(inner, sure)
        judged = chosen(score, asked[held], without_sure(rank))
        outside += judged
        outcomes += [(one, outcome(one, sure, least)) for one in judged]
    sure = fit_sure(outside)
    everything = rankings.fit(list(asked))
    return outcomes, Weights(rank=everything, sure=sure, least_sure=threshold(outside, sure), least=LEAST)


def outcome(one: Judged, sure: dict[str, float], least_sure: float) -> str:
    if one.choice is None or (rate := probability(one.choice, sure)) < LEAST:
        return "none"
    said = "right" if one.right else "wrong"
    known = Weights(rank={}, sure=sure, least_sure=least_sure, least=LEAST)
    return said if is_sure(replace(one.choice, sure=rate), known) else f"{said} and marked"


def report(outcomes: Sequence[tuple[Judged, str]], show: str) -> None:
    kinds = dict.fromkeys(one.asked.row["kind"] for one, _ in outcomes)
    for kind in kinds:
        counts = Counter(said for one, said in outcomes if one.asked.row["kind"] == kind)
        print(f"{kind:14s} n {counts.total():3d}  {dict(counts.most_common())}")
    of_tables = [said for one, said in outcomes if one.asked.row["kind"] == "table"]
    for name, wanted in (
        ("right, marked or not", {"right", "right and marked"}),
        ("right", {"right"}),
        ("wrong", {"wrong"}),
    ):
        count = sum(said in wanted for said in of_tables)
        low, high = interval(count / len(of_tables), len(of_tables))
        print(f"tables {name}: {count} of {len(of_tables)} = {count / len(of_tables):.0%} ({low:.0%}-{high:.0%})")
    others = [said for one, said in outcomes if one.asked.row["kind"] != "table"]
    print(f"others, answered wrongly without a mark: {sum(said == 'wrong' for said in others)} of {len(others)}")
    found = sum(bool(one.asked.right.any()) for one, _ in outcomes if one.asked.row["kind"] == "table")
    print(f"the right query is among the candidates: {found} of {len(of_tables)}")
    for one, said in outcomes:
        if show and said == show and (one.asked.row["kind"] == "table" or show == "wrong"):
            row = one.asked.row
            golds = row.get("need") or row.get("points") or row["answers"]
            text = answer(row["language"], one.choice.candidate) if one.choice else ""
            print(f"\n{row['id']} {row['kind']} {row['question']}\n  gold {golds} {row.get('query', '')}")
            print(f"  said {json.dumps(re.sub(chr(10) + '+', ' / ', text), ensure_ascii=False)}")


def main() -> None:
    parser = arguments(__doc__, "made", data=DATA, offices="", keep=Path(), fit=False, show="")
    options = parser.parse_args()
    linked = options.keep != Path()
    fitting = LEFT_OUT if linked else (*MADE, *SHEETS)
    embedder = open_embedder(options.keep) if linked else None
    score = scorer(options.data)
    asked: dict[str, list[Asked]] = {}
    for office in options.offices.split(",") if options.offices else fitting:
        tables, rows = questions_of(office, options.made or Path(), options.data)
        asked[office] = ask(score, office, tables, rows, embedder)
        print(f"{office}: {len(tables)} tables", flush=True)
    if not options.offices:
        begun = weights(linked=False).rank if linked else None
        outcomes, fitted = folds(score, in_parts(asked), begun)
        report(outcomes, options.show)
        print(f"least sure {fitted.least_sure}")
        if options.fit:
            file = PLACE / ("linked.json" if linked else "weights.json")
            file.write_text(json.dumps(msgspec.to_builtins(fitted), indent=1, ensure_ascii=False) + "\n", "utf-8")
    else:
        known = weights(linked=linked)
        every = [one for office in asked for one in chosen(score, asked[office], known)]
        report([(one, outcome(one, known.sure, known.least_sure)) for one in every], options.show)


if __name__ == "__main__":
    main()
