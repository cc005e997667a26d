"""Facts: what the program remembers for its agents."""

from __future__ import annotations

import time

from workbench.base.errors import UserError
from workbench.records.agents import Fact
from workbench.storage.database import Database, Row, new_id

MOST_FACTS = 500
_FACT = "id, text, source, chat, created, changed"


class FactStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    def list_facts(self) -> tuple[Fact, ...]:
        """The latest changed first."""
        rows = self._database.execute(f"select {_FACT} from facts order by changed desc, id desc")
        return tuple(map(_fact, rows))

    def get(self, fact: str) -> Fact:
        """Raises UserError when there is none of that id."""
        row = self._database.row(f"select {_FACT} from facts where id = ?", (fact,))
        if row is None:
            raise UserError(f"There is no fact {fact} in memory.", "It may have been forgotten.")
        return _fact(row)

    def add(self, text: str, source: str, chat: str = "") -> Fact:
        """Add a fact; one of the same text and source is there already. Raises UserError when memory is full."""
        with self._database.transaction():
            same = self._database.row(f"select {_FACT} from facts where text = ? and source = ?", (text, source))
            if same is not None:
                return _fact(same)
            ((count,),) = self._database.execute("select count(*) from facts")
            if count >= MOST_FACTS:
                raise UserError(f"The memory is full: it holds {MOST_FACTS} facts.", "Forget some first.")
            now, id = time.time(), new_id()
            self._database.execute(
                f"insert into facts ({_FACT}) values (?, ?, ?, ?, ?, ?)", (id, text, source, chat, now, now)
            )
            return self.get(id)

    def edit(self, fact: str, text: str, source: str) -> Fact:
        with self._database.transaction():
            self.get(fact)
            self._database.execute(
                "update facts set text = ?, source = ?, chat = '', changed = ? where id = ?",
                (text, source, time.time(), fact),
            )
            return self.get(fact)

    def forget(self, fact: str) -> Fact:
        """Delete a fact; returns what it was."""
        with self._database.transaction():
            known = self.get(fact)
            self._database.execute("delete from facts where id = ?", (fact,))
        return known


def _fact(row: Row) -> Fact:
    id, text, source, chat, created, changed = row
    return Fact(id=id, text=text, source=source, chat=chat, created=created, changed=changed)
