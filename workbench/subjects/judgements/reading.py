"""A file of judgements, read under the limits of training data: its judgements, and the rows that are none."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import chain, islice
from pathlib import Path

import msgspec

from workbench.base.errors import UserError
from workbench.records.judgements import Judgement, JudgementSource
from workbench.subjects.judgements.formats import Table, judgements_of_row, recognise_form, table_of_columns
from workbench.subjects.judgements.rewards import judgements_of_rewards
from workbench.training.data.examples import Source
from workbench.training.data.formats import ROWS_LOOKED_AT, Refusal
from workbench.training.data.reading import read_rows
from workbench.training.data.rows import Row

MOST_JUDGEMENTS = 200_000


class ReadFile(msgspec.Struct, frozen=True, kw_only=True):
    """What a file holds. ``rows`` were read; ``refused`` are rows that are no judgement, with the reason."""

    table: Table
    rows: int
    judgements: tuple[Judgement, ...]
    refused: tuple[Refusal, ...]


def read_judgements(
    path: Path,
    *,
    form: str = "",
    columns: Mapping[str, str] | None = None,
    counts_from: int = -1,
    margin: float = 0.0,
    limit: int = 0,
    check: Callable[[Judgement], None] = lambda one: None,
    report: Callable[[int], None] = lambda rows: None,
) -> ReadFile:
    """The judgements of a file or folder; at most ``limit`` rows of it (0: all). ``check`` raises UserError for a
    judgement that is not to be taken; ``report`` hears how many rows have been read, and may raise.

    Raises UserError for what cannot be read, and for columns of no known format.
    """
    rows = read_rows(path)
    first = list(islice(rows, ROWS_LOOKED_AT))
    sample = [row.values for row in first]
    table = table_of_columns(columns, sample, counts_from) if columns else recognise_form(sample, form, counts_from)
    count = 0

    def counted() -> Iterator[Row]:
        nonlocal count
        for row in islice(chain(first, rows), limit or None):
            if count % 500 == 0:
                report(count)
            count += 1
            yield row

    found: list[Judgement] = []
    refused: list[Refusal] = []
    for judgement, row in _each(counted(), table, margin, refused):
        # those of a blind test stay what nothing is trained on
        source: JudgementSource = "verdict" if judgement.source == "verdict" else "import"
        placed = msgspec.structs.replace(judgement, source=source, origin=place_in(row.source), queue="", chat="")
        try:
            check(placed)
        except UserError as error:
            refused.append(Refusal(row.source, error.message))
            continue
        found.append(placed)
        if len(found) > MOST_JUDGEMENTS:
            raise UserError(f"{path.name} holds more than {MOST_JUDGEMENTS:,} judgements.", "Set a limit.")
    refused.sort(key=lambda one: (one.source.path, one.source.row, one.source.line))
    return ReadFile(table=table, rows=count, judgements=tuple(found), refused=tuple(refused))


def place_in(source: Source) -> str:
    """The place of a row, by the name of its file."""
    return str(msgspec.structs.replace(source, path=Path(source.path).name))


def _each(rows: Iterator[Row], table: Table, margin: float, refused: list[Refusal]) -> Iterator[tuple[Judgement, Row]]:
    if table.form == "rewards":
        yield from judgements_of_rewards(rows, table, margin, refused)
        return
    for row in rows:
        try:
            made = judgements_of_row(row, table)
        except UserError as error:
            refused.append(Refusal(row.source, error.message))
            continue
        yield from ((one, row) for one in made)
