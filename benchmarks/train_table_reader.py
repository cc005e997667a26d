"""Train the cross-encoder that reads tables (``retrieval/table_answers/links.py``), on a processor.

    python benchmarks/train_table_reader.py --made MADE --keep KEEP --out OUT.safetensors

The questions about tables of benchmarks/offices (``--made``) but for ``LEFT_OUT`` of ``table_questions.py``, each with
its query: its operation, its columns and its cells are the parts of its table that it means. Each is read with its
table and another one of the office, of which it means nothing; so is a quarter as many of questions of other kinds. The
loss is the binary cross-entropy of the parts. It begins with the weights of the other cross-encoder.
"""

from __future__ import annotations

import math
import random
import re
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from harness import HERE, ROOT, arguments, read_lines
from lora_encoder import train
from office_answers import MADE
from table_questions import LEFT_OUT, SHEETS, read_tables
from torch.nn import functional
from train_cross_encoder import CrossEncoder

from workbench.techniques.retrieval.cross_encoder import Text, read_together
from workbench.techniques.retrieval.table_answers.links import Key, context_of, parts_of
from workbench.techniques.retrieval.table_answers.schema import LoadedColumn, LoadedTable
from workbench.text.cells import folded

BEGUN = ROOT / "workbench/techniques/retrieval/cross_encoder.safetensors"
STEP_TOKENS, WARM_UP, MEANT_WEIGHT = 5_000, 20, 3.0
OTHER_SHARE = 0.25
"""Questions of other kinds beside those about tables."""

SAME_COLUMN, OTHER_COLUMNS, OF_OTHER_TABLES = 8, 8, 5
"""Cells of a table in a step beside those that are meant: of the same columns, of others, and of another table."""

_OPERATIONS = {
    "count": "count", "distinct": "count", "sum": "sum", "avg": "average", "max": "highest", "row max": "highest",
    "min": "lowest", "row min": "lowest", "most": "most in all", "least": "least in all", "value": "value",
    "list": "list",
}  # fmt: skip
_FILTER = re.compile(r"(.+?)\s*(>=|<=|!=|=|>|<|~)\s*(.+)$")


class Meant(NamedTuple):
    """A question, the ``table`` that it means (None where it means none), and the parts of it; ``tables`` of its
    office."""

    question: str
    tables: Sequence[LoadedTable]
    table: LoadedTable | None = None
    parts: frozenset[Key] = frozenset()


def meant_by(row: dict[str, Any], tables: Sequence[LoadedTable]) -> Meant | None:
    """What the query of a question means; None where a column is called by another name in the read table."""
    file, sheet = row["table"]
    _, what, *filters = (one.strip() for one in row["query"].split(";"))
    for table in tables:
        if table.source.file == file and sheet in ("", table.content.name):
            parts = _parts(table, what, filters)
            if parts is not None:
                return Meant(row["question"], tables, table, frozenset(parts))
    return None


def _parts(table: LoadedTable, what: str, filters: Sequence[str]) -> set[Key] | None:
    kind, _, rest = what.partition(" ")
    named: list[str] = []
    if kind == "row":
        side, _, rest = rest.partition(" ")
        kind = f"row {side}"
        measure, _, shown = rest.partition(" show ")
        named = [measure, *shown.split(",")]
    elif " by " in rest:
        group, _, measure = rest.partition(" by ")
        named = [group, measure.partition(" ")[2]]
    else:
        named = rest.split(",")
    if kind not in _OPERATIONS:
        return None
    parts: set[Key] = {("operation", -1, _OPERATIONS[kind])}
    for one in filters:
        if (match := _FILTER.match(one)) is None:
            name, _, state = one.rpartition(" ")
            column = _column(table, name)
            if column is None or state not in ("empty", "filled"):
                return None
            parts.add((state, column.number, ""))
            continue
        name, sign, value = match.groups()
        column = _column(table, name)
        if column is None:
            return None
        cells = _cells(column, sign, value) if sign in ("=", "!=", "~") else set()
        parts |= cells or {("column", column.number, "")}
        if value.startswith("["):
            named.append(value.strip("[]"))
    for name in filter(None, (piece.strip() for one in named for piece in re.split(r" [-+*] ", one))):
        column = _column(table, name)
        if column is None:
            return None
        parts.add(("column", column.number, ""))
    return parts


def _column(table: LoadedTable, name: str) -> LoadedColumn | None:
    plain = folded(name)
    same = [one for one in table.columns if plain in (folded(one.name), folded(f"{one.name} {one.unit}"))]
    near = [one for one in table.columns if one.name and plain.startswith(folded(one.name))]
    return next(iter(same), near[0] if len(near) == 1 else None)


def _cells(column: LoadedColumn, sign: str, value: str) -> set[Key]:
    wanted = [folded(one) for one in (value, *value.split(" or "))]
    return {
        ("cell", column.number, cell)
        for cell in column.distinct
        if cell in wanted or (sign == "~" and wanted[0] in cell)
    }


def of_office(made: Path, office: str) -> Iterator[Meant]:
    tables = read_tables(made / office)
    for name in ("questions.jsonl", "tables_asked.jsonl"):
        file = HERE / "offices" / office / name
        for row in read_lines(file) if file.is_file() else ():
            if row["kind"] != "table":
                yield Meant(row["question"], tables)
            elif "table" in row and (found := meant_by(row, tables)) is not None:
                yield found


def drawn(one: Meant, chance: random.Random) -> Iterator[tuple[LoadedTable, list[tuple[Key, str]]]]:
    """The tables that a question is read with in a step, with those of their parts that are read."""
    others = [table for table in one.tables if table is not one.table]
    for table in ([one.table] if one.table is not None else []) + chance.sample(others, min(len(others), 1)):
        meant = one.parts if table is one.table else frozenset()
        parts = list(parts_of(table))
        columns = {number for kind, number, _ in meant if kind == "cell"}
        cells = [key for key, _ in parts if key[0] == "cell" and key not in meant]
        chance.shuffle(cells)
        near = [key for key in cells if key[1] in columns][:SAME_COLUMN]
        far = [key for key in cells if key[1] not in columns][: OTHER_COLUMNS if meant else OF_OTHER_TABLES]
        kept = {*near, *far, *meant}
        yield table, [(key, text) for key, text in parts if key[0] != "cell" or key in kept]


class Step(NamedTuple):
    """The ``texts`` of a step, and of each part of each the tokens' places and whether it is meant; ``questions`` are
    those that mean a table."""

    texts: list[Text]
    meant: list[list[tuple[int, int, bool]]]
    questions: int


def steps_of(model: CrossEncoder, asked: Sequence[Meant], chance: random.Random) -> Iterator[Step]:
    step = Step([], [], 0)
    for one in asked:
        question = model.tokens.plain_ids(model.query_prompt + one.question)
        for table, parts in drawn(one, chance):
            context = model.tokens.plain_ids(model.passage_prompt + context_of(table))
            meant = [table is one.table and key in one.parts for key, _ in parts]
            ids = [model.tokens.plain_ids(text) for _, text in parts]
            for text in read_together(question, context, ids, model.around):
                step.texts.append(text)
                step.meant.append([(start, end, meant[number]) for number, start, end in text.parts])
        step = step._replace(questions=step.questions + (one.table is not None))
        if sum(len(text.ids) for text in step.texts) > STEP_TOKENS:
            yield step
            step = Step([], [], 0)
    if step.texts:
        yield step


def loss_of(model: CrossEncoder, step: Step) -> torch.Tensor:
    by_length = sorted(range(len(step.texts)), key=lambda at: len(step.texts[at].ids))
    groups = [list(part) for part in np.array_split(by_length, 3) if len(part)]  # so that little is padded
    total = torch.zeros(())
    for group in groups:
        for at, scores in zip(group, model([step.texts[at].ids for at in group]), strict=True):
            of_parts = torch.stack([scores[start:end].mean() for start, end, _ in step.meant[at]])
            meant = torch.tensor([float(one) for *_, one in step.meant[at]])
            losses = functional.binary_cross_entropy_with_logits(of_parts, meant, reduction="none")
            total = total + (losses * (1 + (MEANT_WEIGHT - 1) * meant)).sum()
    return total / max(1, step.questions)


def main() -> None:
    parser = arguments(__doc__, "keep", "out", made=HERE / "offices" / "made", epochs=1.5, rate=1e-3)
    chosen = parser.parse_args()
    torch.manual_seed(5)
    chance = random.Random(5)
    offices = [office for office in (*MADE, *SHEETS) if office not in LEFT_OUT]
    every = [one for office in offices for one in of_office(chosen.made, office)]
    asked = [one for one in every if one.table is not None]
    others = [one for one in every if one.table is None]
    asked += chance.sample(others, min(len(others), round(OTHER_SHARE * len(asked))))
    model = CrossEncoder(chosen.keep)
    model.begin(BEGUN)
    order = [one for _ in range(math.ceil(chosen.epochs)) for one in chance.sample(asked, len(asked))]
    steps = list(steps_of(model, order[: round(chosen.epochs * len(asked))], chance))
    print(f"{len(asked)} questions, {len(steps)} steps", flush=True)
    train(model, [partial(loss_of, model, step) for step in steps], chosen.rate, WARM_UP, Path(chosen.out))


if __name__ == "__main__":
    main()
