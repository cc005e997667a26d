"""Fit the choice between a table's answer and quoted sentences (``retrieval/table_answers/preference.py``).

    python benchmarks/fit_table_choice.py --made MADE --home HOME --keep FOLDER [--fit] [--every 6]

The questions of the larger offices that the cross-encoder has not seen are answered from sentences by the program (the
road of one place, in the collections of ``--home``, which ``office_answers.py`` reads), and from the tables. The
weights of the tables and of the router are fitted on other offices (``--keep`` holds the vectors of ``fit_router.py``).
Reported, each office by a choice that is fitted on the others: how often the right one of the two is chosen where only
one is right; and by kind how many answers are right from sentences, from tables, as chosen, and from either. ``--fit``
writes the weights of all offices. ``--every 6`` compares every sixth question only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
from fit_router import ORDER, TABLES_WITH, VECTOR_SCALE, _embedders, _features, _fitted, read_lists
from harness import DATA, ROOT, Core, arguments
from office_answers import MADE, UNSEEN, as_read, places, read_office, scorer
from sklearn.linear_model import LogisticRegression
from table_questions import (
    LEAST,
    OTHER_KINDS_EVERY,
    SHEETS,
    Asked,
    Judged,
    Rankings,
    ask,
    chosen,
    fit_sure,
    in_parts,
    probability,
    questions_of,
)
from table_questions import without_sure as ranking

from workbench.records.recipes import Recipe, RetrievalPart
from workbench.subjects.chats.calls import Ask
from workbench.techniques.retrieval.roads.classifier import log_odds
from workbench.techniques.retrieval.table_answers.preference import Preference

FILE = ROOT / "workbench/techniques/retrieval/table_answers/preference.json"
RIGHT = ("right", "right and marked", "declined rightly")
INVERSE_PENALTY = 3.0
TABLE_WEIGHT = 0.5
"""The weight of a question about a table, of which there are more here than people ask."""
OFFICES = tuple(one for one in MADE if one in UNSEEN)


class Compared(NamedTuple):
    """A question with the log odds that it is decided by, and whether its table and its sentences are right."""

    office: str
    kind: str
    features: list[float]
    table: bool
    sentences: bool


def from_sentences(
    core: Core, score: Any, office: str, rows: Sequence[dict[str, Any]]
) -> dict[str, tuple[float, bool]]:
    """For each question how probable it is that the quoted sentences hold the answer, and whether they do."""
    found: dict[str, tuple[float, bool]] = {}
    for row in rows:
        result = core.call(
            Ask(question=row["question"], recipe=Recipe(retrieval=RetrievalPart(collection=office, road="place")))
        )
        strength = (
            next((one.score for one in result.trace.steps if one.kind == "check"), None) if result.trace else None
        )
        outcome = score.score([row], {row["id"]: as_read(row["id"], result)})[0]["outcome"]
        found[row["id"]] = strength or 0.0, outcome in RIGHT
    return found


def from_tables(score: Any, asked: Mapping[str, list[Asked]]) -> dict[str, tuple[Judged, float]]:
    """The choice for each question and its probability, by weights of the other parts (``in_parts``)."""
    judged: dict[str, list[Judged]] = {}
    rankings = Rankings(asked)
    for office in asked:
        rank = rankings.fit([other for other in asked if other != office])
        judged[office] = chosen(score, asked[office], ranking(rank))
    found: dict[str, tuple[Judged, float]] = {}
    for office, its in judged.items():
        sure = fit_sure([one for other in judged if other != office for one in judged[other]])
        for one in its:
            if one.choice is not None:
                found[one.asked.row["id"]] = one, probability(one.choice, sure)
    return found


def road_likelihoods(keep: Path, rows: Sequence[dict[str, Any]]) -> dict[str, float]:
    """How likely each question is one for a table, by routers that were fitted without its office."""
    lists = {title: its for title, its in read_lists().items() if not title.startswith("judge")}
    texts = [{"text": one["question"], "language": one["language"], "road": "place"} for one in rows]
    of_row = np.array([one["office"] for one in rows])
    for name, _, vectors in _embedders(keep, {**lists, "asked": texts}):
        if name != TABLES_WITH:
            continue
        mean = np.mean([vectors(one["text"]) for one in lists["fit"]], axis=0)
        made = {title: _features(its, vectors, mean, VECTOR_SCALE[name]) for title, its in lists.items()}
        asked = _features(texts, vectors, mean, VECTOR_SCALE[name])
        of_list = np.array([one["office"] for one in lists["offices"]])
        likely = np.zeros(len(rows))
        for office in OFFICES:
            left = {**lists, "offices": [one for one in lists["offices"] if one["office"] != office]}
            model = _fitted(left, {**made, "offices": made["offices"][of_list != office]}, list(left))
            likely[of_row == office] = model.predict_proba(asked[of_row == office])[:, ORDER.index("table")]
        return dict(zip((one["id"] for one in rows), likely.tolist(), strict=True))
    raise SystemExit(f"The embedding model {TABLES_WITH} is not installed.")


def fitted(rows: Sequence[Compared]) -> LogisticRegression:
    told = [one for one in rows if one.table != one.sentences]
    weights = [TABLE_WEIGHT if one.kind == "table" else OTHER_KINDS_EVERY for one in told]
    model = LogisticRegression(C=INVERSE_PENALTY)
    return model.fit([one.features for one in told], [one.table for one in told], sample_weight=weights)


def main() -> None:
    parser = arguments(__doc__, "home", "made", "keep", data=DATA, fit=False, every=1)
    given = parser.parse_args()
    score = scorer(given.data)
    asked: dict[str, list[Asked]] = {}
    sentences: dict[str, tuple[float, bool]] = {}
    rows: list[dict[str, Any]] = []
    with Core(given.home) as core:
        for office in (*MADE, *SHEETS):
            tables, its = questions_of(office, given.made, given.data)
            asked[office] = ask(score, office, tables, its)
            if office in OFFICES:
                read_office(core, office, places(office, given.data, given.made)[0], anew=False)
                sentences |= from_sentences(core, score, office, its[:: given.every])
                rows += its[:: given.every]
    from_table, roads = from_tables(score, in_parts(asked)), road_likelihoods(given.keep, rows)
    compared: list[Compared] = []
    for row in rows:
        if row["id"] not in from_table or from_table[row["id"]][1] < LEAST:
            continue
        one, sure = from_table[row["id"]]
        strength, right = sentences[row["id"]]
        empty = one.choice is not None and one.choice.result is None
        features = [log_odds(sure), log_odds(strength), 0.0 if empty else log_odds(roads[row["id"]])]
        compared.append(Compared(row["office"], row["kind"], features, one.right, right))
    report(compared)
    if given.fit:
        model = fitted(compared)
        table, of_sentences, road = (round(float(one), 4) for one in model.coef_[0])
        known = Preference(
            constant=round(float(model.intercept_[0]), 4), table=table, sentences=of_sentences, road=road
        )
        FILE.write_bytes(msgspec.json.encode(known) + b"\n")


def report(compared: Sequence[Compared]) -> None:
    counts: Counter[tuple[str, str]] = Counter()
    agreed = told = 0
    for office in OFFICES:
        model = fitted([one for one in compared if one.office != office])
        for one in (one for one in compared if one.office == office):
            takes_table = bool(model.predict([one.features])[0])
            counts[one.kind, "n"] += 1
            counts[one.kind, "sentences"] += one.sentences
            counts[one.kind, "tables"] += one.table
            counts[one.kind, "chosen"] += one.table if takes_table else one.sentences
            counts[one.kind, "either"] += one.table or one.sentences
            if one.table != one.sentences:
                told, agreed = told + 1, agreed + (takes_table == one.table)
    print(f"only one of the two is right: {told}, that one is chosen: {agreed} ({agreed / told:.0%})")
    for kind in dict.fromkeys(one.kind for one in compared):
        said = ", ".join(f"{name} {counts[kind, name]}" for name in ("sentences", "tables", "chosen", "either"))
        print(f"{kind:14s} n {counts[kind, 'n']:3d}  right from {said}")


if __name__ == "__main__":
    main()
