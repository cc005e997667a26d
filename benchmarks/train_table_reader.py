"""Train the cross-encoder that reads queries of tables (``retrieval/table_answers/candidate_reading.py``).

    python benchmarks/train_table_reader.py --made MADE --keep KEEP --out OUT.safetensors

The questions about tables of benchmarks/offices (``--made``) but for ``LEFT_OUT`` of ``table_questions.py``, each with
the candidates that would be read, of which those are good that give the right answer by the operation of its query;
with its query itself (``table_queries.py``) and queries that differ from it in one thing; and a few questions of other
kinds, which mean none. It begins with the weights of the other cross-encoder, and its loss is that of
``train_cross_encoder.py``.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from harness import DATA, HERE, ROOT, arguments
from office_answers import MADE, scorer
from table_queries import WrittenQuery, query_of
from table_questions import LEFT_OUT, ask, questions_of
from train_cross_encoder import Asked, CrossEncoder, Read, train

from workbench.techniques.retrieval.table_answers.candidate_reading import context_of, texts_by_table
from workbench.techniques.retrieval.table_answers.choice import weights

BEGUN = ROOT / "workbench/techniques/retrieval/cross_encoder.safetensors"
SHEETS = (
    "sheets_anglers", "sheets_assets", "sheets_bookshop", "sheets_building", "sheets_canteen", "sheets_carpool",
    "sheets_charity", "sheets_chemicals", "sheets_clinic", "sheets_council", "sheets_courier", "sheets_events",
    "sheets_farm", "sheets_garage", "sheets_gym", "sheets_hostel", "sheets_landlord", "sheets_orchestra",
    "sheets_private", "sheets_research", "sheets_school", "sheets_shipping", "sheets_translator", "sheets_winebar",
)  # fmt: skip
"""Folders of benchmarks/offices that have tables and questions about them alone."""
OTHER_SHARE = 0.15
"""Questions of other kinds, and such without a right candidate, beside the others."""
GOOD, OTHERS = 3, 21
"""Candidates in a step: at most so many that are right, and so many others."""
REMOVED = 0.08
"""The share of questions that lose their right candidates in a step."""


def of_office(score: Any, office: str, made: Path, data: Path) -> Iterator[Asked]:
    tables, rows = questions_of(office, made, data)
    rank = weights(read=False).rank
    for one in ask(score, office, tables, rows):
        right = {id(candidate) for candidate, good in zip(one.candidates, one.right, strict=True) if good}
        passages = []
        for table, texts in texts_by_table(one.candidates, rank):
            good = tuple(any(id(candidate) in right for candidate in its) for its in texts.values())
            passages.append(Read(context_of(table), tuple(texts), (True,) * len(texts), good))
        meant = query_of(one.row, tables)
        if meant is not None:
            passages = with_query(meant, passages)
        if passages:
            yield Asked(False, one.row["question"], tuple(passages))


def with_query(meant: WrittenQuery, passages: Sequence[Read]) -> list[Read]:
    """The passages with the query that is meant and those near it among the parts of its table."""
    context = context_of(meant.table)
    of_table = next((one for one in passages if one.context == context), Read(context, (), (), ()))
    good = {text for text, right in zip(of_table.parts, of_table.good, strict=True) if right} | {meant.text()}
    parts = tuple(dict.fromkeys((meant.text(), *of_table.parts, *(one.text() for one in meant.near()))))
    mine = Read(context, parts, (True,) * len(parts), tuple(part in good for part in parts))
    return [mine, *(one for one in passages if one.context != context)]


def drawn(asked: Asked, chance: random.Random) -> list[Read]:
    """The candidates of a step, as passages."""
    places = [(at, part) for at, one in enumerate(asked.passages) for part in range(len(one.parts))]
    good = [place for place in places if asked.passages[place[0]].good[place[1]]]
    others = [place for place in places if place not in good]
    kept = chance.sample(good, min(GOOD, len(good))) if chance.random() >= REMOVED else []
    kept += chance.sample(others, min(OTHERS, len(others)))
    found = []
    for at, one in enumerate(asked.passages):
        parts = [part for where, part in kept if where == at]
        chance.shuffle(parts)
        if parts:
            texts, right = tuple(one.parts[part] for part in parts), tuple(one.good[part] for part in parts)
            found.append(Read(one.context, texts, (True,) * len(parts), right))
    return found


def main() -> None:
    parser = arguments(__doc__, "keep", "out", data=DATA, made=HERE / "offices" / "made", epochs=2.0, rate=1e-3)
    chosen = parser.parse_args()
    torch.manual_seed(5)
    chance = random.Random(5)
    score = scorer(chosen.data)
    offices = [office for office in (*MADE, *SHEETS) if office not in LEFT_OUT]
    every = [one for office in offices for one in of_office(score, office, chosen.made, chosen.data)]
    asked = [one for one in every if any(any(passage.good) for passage in one.passages)]
    others = [one for one in every if not any(any(passage.good) for passage in one.passages)]
    print(f"{len(asked)} questions with a right candidate, {len(others)} others", flush=True)
    asked += chance.sample(others, min(len(others), round(OTHER_SHARE * len(asked))))
    model = CrossEncoder(chosen.keep)
    model.begin(BEGUN)
    train(model, asked, chosen.epochs, chosen.rate, Path(chosen.out), drawn)


if __name__ == "__main__":
    main()
