"""Labelling queues in the home's database. The pairs that wait in them are judgements without a verdict."""

from __future__ import annotations

import msgspec

from workbench.errors import UserError
from workbench.records.judgements import LABELLING_QUEUE, LabellingQueue
from workbench.records.stored import Unreadable
from workbench.storage.database import Database, Row
from workbench.storage.judgements import JudgementStore

_LONGEST_NAME = 80
_QUEUE = "select id, name, created, description from labelling_queues"


class QueueStore:
    def __init__(self, database: Database, judgements: JudgementStore) -> None:
        self._database = database
        self._judgements = judgements

    def list_queues(self) -> tuple[LabellingQueue, ...]:
        """The latest first."""
        return tuple(map(self._queue, self._database.execute(f"{_QUEUE} order by created desc")))

    def get(self, name: str) -> LabellingQueue:
        """The queue of that name or id. Raises UserError that names those there are."""
        row = self._database.row(f"{_QUEUE} where name = ?1 or id = ?1", (name,))
        if row is None:
            known = ", ".join(one.name for one in self.list_queues())
            raise UserError(
                f"There is no labelling queue {name!r}.", f"The queues are {known}." if known else "Start one first."
            )
        return self._queue(row)

    def check_name(self, name: str) -> str:
        """The name as it is to be. Raises UserError when it is taken or is none."""
        wanted = " ".join(name.split())
        if not wanted or len(wanted) > _LONGEST_NAME or not wanted.isprintable():
            raise UserError(f"{name!r} is not a valid name of a queue.", f"Use 1 to {_LONGEST_NAME} characters.")
        if self._database.row("select 1 from labelling_queues where name = ?", (wanted,)):
            raise UserError(f"There is already a labelling queue named {wanted!r}.", "Choose another name.")
        return wanted

    def add(self, queue: LabellingQueue) -> None:
        """Raises UserError when the name is taken or is none."""
        with self._database.transaction():
            self._database.execute(
                "insert into labelling_queues (id, name, created, description) values (?, ?, ?, ?)",
                (queue.id, self.check_name(queue.name), queue.created, LABELLING_QUEUE.encode(queue).decode()),
            )

    def update(self, queue: LabellingQueue) -> None:
        self._database.execute(
            "update labelling_queues set description = ? where id = ?",
            (LABELLING_QUEUE.encode(queue).decode(), queue.id),
        )

    def remove(self, queue: LabellingQueue) -> None:
        """Delete a queue with the pairs that wait in it."""
        with self._database.transaction():
            self._judgements.remove_waiting(queue.id)
            self._database.execute("delete from labelling_queues where id = ?", (queue.id,))

    def _queue(self, row: Row) -> LabellingQueue:
        identity, name, created, description = row
        waiting, judged = self._judgements.count_queue(identity)
        value = LABELLING_QUEUE.decode(description)
        if isinstance(value, Unreadable):
            value = LabellingQueue(id=identity, name=name, created=created, unreadable=value.reason)
        return msgspec.structs.replace(value, id=identity, name=name, waiting=waiting, judged=judged)
