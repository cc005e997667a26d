"""Ladders in the home's database, and how far each has come with each of its rungs."""

from __future__ import annotations

import msgspec

from workbench.base.errors import UserError
from workbench.base.stored import Unreadable
from workbench.records.evaluation import ScorerUse
from workbench.records.ladder import LADDER, RUNG_NOTE, Ladder, RungNote
from workbench.records.recipes import Recipe
from workbench.storage.database import Database, Row


class LadderStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, ladder: Ladder) -> None:
        self._database.execute(
            "insert into ladders (id, created, value) values (?, ?, ?)",
            (ladder.id, ladder.created, LADDER.encode(ladder).decode()),
        )

    def list_ladders(self) -> tuple[Ladder, ...]:
        """The latest first."""
        return tuple(
            map(_ladder, self._database.execute("select id, created, value from ladders order by created desc"))
        )

    def get(self, ladder: str) -> Ladder:
        """Raises UserError when there is none, or it cannot be read."""
        row = self._database.row("select id, created, value from ladders where id = ?", (ladder,))
        if row is None:
            raise UserError(f"There is no ladder {ladder}.", "It may have been deleted.")
        found = _ladder(row)
        if found.unreadable:
            raise UserError(found.unreadable)
        return found

    def update(self, ladder: Ladder) -> None:
        self._database.execute("update ladders set value = ? where id = ?", (LADDER.encode(ladder).decode(), ladder.id))

    def remove(self, ladder: str) -> None:
        self._database.execute("delete from ladders where id = ?", (ladder,))

    def notes(self, ladder: str) -> dict[str, RungNote]:
        """By the names of the rungs. Raises UserError for one that cannot be read."""
        rows = self._database.execute("select name, value from ladder_rungs where ladder = ?", (ladder,))
        return {name: RUNG_NOTE.get(value) for name, value in rows}

    def put(self, ladder: str, note: RungNote) -> None:
        """Keep how far a rung has come; on return it is on the disk."""
        with self._database.transaction():
            self._database.execute(
                "insert or replace into ladder_rungs (ladder, name, value) values (?, ?, ?)",
                (ladder, note.name, RUNG_NOTE.encode(note).decode()),
            )


def _ladder(row: Row) -> Ladder:
    identity, created, raw = row
    value = LADDER.decode(raw)
    if isinstance(value, Unreadable):
        return Ladder(
            id=identity, created=created, question_set="", set_name="", task="text", recipe=Recipe(), rungs=(),
            scorer=ScorerUse(name=""), unreadable=value.reason,
        )  # fmt: skip
    return msgspec.structs.replace(value, id=identity, created=created)
