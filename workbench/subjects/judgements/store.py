"""Judgements in the home's database, with the pairs that wait in labelling queues. Each action on them can be
undone.

Labelling queues in the home's database. The pairs that wait in them are judgements without a verdict.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from workbench.base.errors import UserError
from workbench.base.finding import folded, holds
from workbench.base.naming import checked_name
from workbench.base.stored import Unreadable
from workbench.records.judgement_reports import UndoneAction
from workbench.records.judgements import JUDGEMENT, LABELLING_QUEUE, Judgement, JudgementFilter, LabellingQueue
from workbench.storage.database import Database, Row, new_id

MOST_ACTIONS = 200
"""Older actions cannot be undone."""

_COLUMNS = "id, verdict, source, judge, judge_name, chat, origin, queue, place, two, edited, changed, said, value"
_LEFT_OUT = ""
_SHOWN = "chat in (select c.id from chats c where c.trashed is null)"  # not in the trash


class JudgementStore:
    """The judgements of a home. Every change is on the disk when its method returns."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # -- reading ----------------------------------------------------------------------------------

    def get(self, judgement: str) -> Judgement:
        """Raises UserError when there is none of that id, or it cannot be read."""
        row = self._database.row("select id, value from judgements where id = ?", (judgement,))
        if row is None:
            raise UserError(f"There is no preference {judgement}.", "It may have been deleted.")
        found = _judgement(row)
        if found.unreadable:
            raise UserError(found.unreadable)
        return found

    def has(self, judgement: str) -> bool:
        return self._database.row("select 1 from judgements where id = ?", (judgement,)) is not None

    def count(self, which: JudgementFilter) -> int:
        where, values = _condition(which)
        row = self._database.row(f"select count(*) from judgements where {where}", values)
        assert row is not None
        return int(row[0])

    def page(self, which: JudgementFilter, first: int = 0, limit: int = -1) -> list[tuple[float, Judgement]]:
        """When each was last changed, and the judgement, the latest first. One that cannot be read says why."""
        where, values = _condition(which)
        rows = self._database.execute(
            f"select changed, id, value from judgements where {where} order by changed desc, number desc"
            " limit :limit offset :first",
            {**values, "limit": limit, "first": first},
        )
        return [(row[0], _judgement(row[1:])) for row in rows]

    def each(self, which: JudgementFilter) -> Iterator[Judgement]:
        """All of them, the earliest first; the rows are read a thousand at a time."""
        where, values = _condition(which)
        after = 0
        while rows := self._database.execute(
            f"select number, id, value from judgements where number > :after and {where} order by number limit 1000",
            {**values, "after": after},
        ):
            after = rows[-1][0]
            yield from (_judgement(row[1:]) for row in rows)

    def left_out(self) -> frozenset[str]:
        """The ids of judgements of chats that are left out."""
        return frozenset(row[0] for row in self._database.execute("select id from left_out_judgements"))

    def judged_chats(self) -> tuple[str, ...]:
        """The chats that hold a rating or an edit."""
        rows = self._database.execute(
            f"select distinct chat from messages where (rating <> 0 or original is not null) and {_SHOWN} order by chat"
        )
        return tuple(row[0] for row in rows)

    def chats_state(self) -> tuple[Row, ...]:
        """What changes whenever a rating or an edit of a chat does."""
        return tuple(
            self._database.execute(
                "select id, rating, original, text from messages where (rating <> 0 or original is not null) and "
                f"{_SHOWN} order by chat, number"
            )
        )

    # -- changing ---------------------------------------------------------------------------------

    def add(self, judgements: Iterable[Judgement], title: str, *, queue: str = "") -> list[str]:
        """Store judgements, all or none, as one action; returns their ids. Those without an id get one."""
        with self._database.transaction() as connection:
            action = self._begin(title, queue)
            ids: list[str] = []
            place = self._last_place(queue)
            for judgement in judgements:
                place += 1
                stored = msgspec.structs.replace(judgement, id=judgement.id or new_id())
                connection.execute(_INSERT, _values(stored, place)).fetchall()
                connection.execute(
                    "insert into judgement_changes (action, judgement) values (?, ?)", (action, stored.id)
                ).fetchall()
                ids.append(stored.id)
            return ids

    def add_waiting(self, pairs: Iterable[Judgement]) -> None:
        """Add pairs to the ends of their queues. That is no action of a person."""
        with self._database.transaction():
            for pair in pairs:
                place = self._last_place(pair.queue) + 1
                self._database.execute(_INSERT, _values(msgspec.structs.replace(pair, id=pair.id or new_id()), place))

    def change(self, judgement: Judgement, title: str) -> None:
        """Raises UserError when there is none of that id."""
        with self._database.transaction():
            before = self._stored(judgement.id)
            self._note(self._begin(title, judgement.queue), judgement.id, *before)
            self._update(judgement)

    def judge_waiting(self, judgement: Judgement, title: str, action: int = 0) -> int:
        """Give a pair its verdict unless it has been judged or deleted since; returns the number of the action, 0
        where nothing was changed. Changes of one ``action`` are undone together; 0 begins a new one."""
        with self._database.transaction():
            row = self._database.row("select value, place, verdict from judgements where id = ?", (judgement.id,))
            if row is None or row[2]:
                return 0
            if not self._database.row("select 1 from judgement_actions where number = ?", (action,)):
                action = self._begin(title, "")  # of no queue: undo in a queue is for a person's own verdicts
            self._note(action, judgement.id, str(row[0]), int(row[1]))
            self._update(judgement)
            return action

    def remove(self, ids: Sequence[str], title: str) -> None:
        """Delete judgements by their ids; one that is not there is left out from now on."""
        with self._database.transaction():
            action = self._begin(title, "")
            for one in ids:
                if self.has(one):
                    self._note(action, one, *self._stored(one))
                    self._database.execute("delete from judgements where id = ?", (one,))
                else:
                    self._note(action, one, _LEFT_OUT, 0)
                    self._database.execute("insert or ignore into left_out_judgements (id) values (?)", (one,))

    def undo(self, queue: str = "") -> UndoneAction:
        """Undo the last action, or the last one in a queue. Raises UserError when there is none."""
        with self._database.transaction():
            row = self._database.row(
                "select number, title, queue from judgement_actions where ?1 in ('', queue)"
                " order by number desc limit 1",
                (queue,),
            )
            if row is None:
                raise UserError("There is nothing to undo.")
            number, title, of_queue = row
            changes = self._database.execute(
                "select judgement, before, place from judgement_changes where action = ? order by rowid desc", (number,)
            )
            for judgement, before, place in changes:
                if before is None:
                    self._database.execute("delete from judgements where id = ?", (judgement,))
                elif before == _LEFT_OUT:
                    self._database.execute("delete from left_out_judgements where id = ?", (judgement,))
                else:
                    self._put_back(judgement, before, place)
            self._database.execute("delete from judgement_actions where number = ?", (number,))
        return UndoneAction(title=title, ids=tuple(row[0] for row in reversed(changes)), queue=of_queue)

    # -- queues -----------------------------------------------------------------------------------

    def next_waiting(self, queue: str) -> Judgement | None:
        row = self._database.row(
            "select id, value from judgements where queue = ? and verdict = '' order by place limit 1", (queue,)
        )
        return _judgement(row) if row is not None else None

    def postpone(self, judgement: str) -> None:
        """Put a waiting pair behind the others of its queue."""
        with self._database.transaction():
            queue = self.get(judgement).queue
            self._database.execute(
                "update judgements set place = ? where id = ?", (self._last_place(queue) + 1, judgement)
            )

    def count_queue(self, queue: str) -> tuple[int, int]:
        """How many pairs of a queue wait, and how many are judged."""
        row = self._database.row(
            "select count(*) filter (where verdict = ''), count(*) filter (where verdict <> '') from judgements"
            " where queue = ?",
            (queue,),
        )
        assert row is not None
        return int(row[0]), int(row[1])

    def remove_waiting(self, queue: str) -> None:
        """Delete the waiting pairs of a queue. Verdicts in it cannot be undone afterwards: no pair would wait again."""
        with self._database.transaction():
            self._database.execute(
                "delete from judgement_changes where judgement in (select id from judgements where queue = ?)", (queue,)
            )
            self._database.execute(
                "delete from judgement_actions where number not in (select action from judgement_changes)"
            )
            self._database.execute("delete from judgements where queue = ? and verdict = ''", (queue,))

    # -- inside -----------------------------------------------------------------------------------

    def _begin(self, title: str, queue: str) -> int:
        self._database.execute(
            "insert into judgement_actions (at, title, queue) values (?, ?, ?)", (time.time(), title, queue)
        )
        number = int(self._database.connection.last_insert_rowid())
        self._database.execute("delete from judgement_actions where number <= ?", (number - MOST_ACTIONS,))
        return number

    def _note(self, action: int, judgement: str, before: str, place: int) -> None:
        self._database.execute(
            "insert into judgement_changes (action, judgement, before, place) values (?, ?, ?, ?)",
            (action, judgement, before, place),
        )

    def _stored(self, judgement: str) -> tuple[str, int]:
        row = self._database.row("select value, place from judgements where id = ?", (judgement,))
        if row is None:
            raise UserError(f"There is no preference {judgement}.", "It may have been deleted.")
        return str(row[0]), int(row[1])

    def _update(self, judgement: Judgement) -> None:
        names = [name.strip() for name in _COLUMNS.split(",") if name.strip() not in ("id", "place")]
        assignments = ", ".join(f"{name} = :{name}" for name in names)
        self._database.execute(f"update judgements set {assignments} where id = :id", _values(judgement, 0))

    def _put_back(self, judgement: str, before: str, place: int) -> None:
        value = JUDGEMENT.get(before)
        if self.has(judgement):
            self._update(value)
            self._database.execute("update judgements set place = ? where id = ?", (place, judgement))
        else:
            self._database.execute(_INSERT, _values(value, place))

    def _last_place(self, queue: str) -> int:
        row = self._database.row("select coalesce(max(place), 0) from judgements where queue = ?", (queue,))
        assert row is not None
        return int(row[0]) if queue else 0


_INSERT = f"insert into judgements ({_COLUMNS}) values ({', '.join(':' + c.strip() for c in _COLUMNS.split(','))})"


def _values(judgement: Judgement, place: int) -> dict[str, Any]:
    return {
        "id": judgement.id,
        "verdict": judgement.verdict,
        "source": judgement.source,
        "judge": judgement.judge,
        "judge_name": judgement.judge_name,
        "chat": judgement.chat,
        "origin": judgement.origin,
        "queue": judgement.queue,
        "place": place,
        "two": judgement.is_pair,
        "edited": judgement.edited,
        "changed": judgement.changed,
        "said": "\n".join(_texts(judgement)).lower(),
        "value": JUDGEMENT.encode(judgement).decode(),
    }


def _judgement(row: Row) -> Judgement:
    identity, stored = row
    value = JUDGEMENT.decode(stored)
    return Judgement(id=identity, unreadable=value.reason) if isinstance(value, Unreadable) else value


def _condition(which: JudgementFilter) -> tuple[str, dict[str, Any]]:
    """The filter as SQL, with its values."""
    conditions, values = ["changed >= :since"], dict[str, Any](since=which.since)

    def one_of(column: str, wanted: Sequence[str]) -> None:
        names = [f"{column}_{place}" for place in range(len(wanted))]
        conditions.append(f"{column} in ({', '.join(':' + name for name in names)})")
        values.update(zip(names, wanted, strict=True))

    if which.verdicts:
        one_of("verdict", which.verdicts)
    else:
        conditions.append("verdict <> ''")
    for column, wanted in (("source", which.sources), ("judge", which.judges)):
        if wanted:
            one_of(column, wanted)
    if which.ids:
        conditions.append("id in (select value from json_each(:ids))")
        values["ids"] = msgspec.json.encode(which.ids).decode()
    for column in ("judge_name", "chat", "queue"):
        if getattr(which, column):
            conditions.append(f"{column} = :{column}")
            values[column] = getattr(which, column)
    if which.origin:
        conditions.append("(origin = :origin or substr(origin, 1, length(:origin) + 2) = :origin || ', ')")
        values["origin"] = which.origin
    if which.kind != "all":
        conditions.append(f"two = {int(which.kind == 'pairs')}")
    if which.edited is not None:
        conditions.append(f"edited = {int(which.edited)}")
    for place, word in enumerate(folded(which.search).split()):
        conditions.append(f"instr(folded(cast(said as blob)), :word_{place})")
        values[f"word_{place}"] = word
    return " and ".join(conditions), values


def _texts(judgement: Judgement) -> list[str]:
    return [*(message.content for message in judgement.prompt), *(one.text for one in judgement.answers)]


def matches(which: JudgementFilter, judgement: Judgement) -> bool:
    """The same filter for a judgement that is no row."""
    origin = judgement.origin
    return (
        judgement.changed >= which.since
        and (judgement.verdict in which.verdicts if which.verdicts else judgement.verdict != "")
        and (not which.sources or judgement.source in which.sources)
        and (not which.judges or judgement.judge in which.judges)
        and (not which.ids or judgement.id in which.ids)
        and which.judge_name in ("", judgement.judge_name)
        and which.chat in ("", judgement.chat)
        and which.queue in ("", judgement.queue)
        and (not which.origin or origin == which.origin or origin.startswith(f"{which.origin}, "))
        and (which.kind == "all" or judgement.is_pair == (which.kind == "pairs"))
        and (which.edited is None or judgement.edited == which.edited)
        and holds(which.search, *_texts(judgement))
    )


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
                f"There is no comparison {name!r}.", f"The comparisons are {known}." if known else "Begin one first."
            )
        return self._queue(row)

    def check_name(self, name: str) -> str:
        """The name as it is to be. Raises UserError when it is taken or is none."""
        wanted = checked_name(name, "a comparison")
        if self._database.row("select 1 from labelling_queues where name = ?", (wanted,)):
            raise UserError(f"There is already a comparison named {wanted!r}.", "Choose another name.")
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
