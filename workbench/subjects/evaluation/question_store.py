"""Question sets in the home's database. Which side of the split a question is on is written once and never changes."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import cast

import msgspec

from workbench.base.errors import UserError
from workbench.base.naming import checked_name
from workbench.base.stored import Unreadable
from workbench.records.evaluation import (
    QUESTION,
    QUESTION_SET,
    BenchmarkUse,
    NumberedQuestion,
    Part,
    QuestionRow,
    QuestionSet,
    Split,
)
from workbench.records.origins import Origins
from workbench.storage.database import Database, Row, new_id


class QuestionStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    def add(
        self,
        name: str,
        rows: Sequence[QuestionRow],
        splits: Sequence[Split],
        *,
        seed: int,
        origin: str,
        notes: Sequence[str],
        benchmark: BenchmarkUse | None = None,
        origins: Origins = None,
        identity: str = "",
    ) -> QuestionSet:
        """``identity`` is the id of a set that is in the home once at most. Raises UserError when the name is taken
        or is none."""
        made = QuestionSet(
            id=identity or new_id(),
            name=self.check_name(name),
            created=time.time(),
            questions=len(rows),
            tune=splits.count("tune"),
            seed=seed,
            origin=origin,
            notes=tuple(notes),
            benchmark=benchmark,
            origins=origins,
        )
        with self._database.transaction() as connection:
            self.check_name(name)
            self._database.execute(
                "insert into question_sets (id, name, created, description) values (?, ?, ?, ?)",
                (made.id, made.name, made.created, QUESTION_SET.encode(made).decode()),
            )
            connection.executemany(
                "insert into questions (question_set, number, split, value) values (?, ?, ?, ?)",
                (
                    (made.id, number, split, QUESTION.encode(row).decode())
                    for number, (row, split) in enumerate(zip(rows, splits, strict=True), 1)
                ),
            )
        return made

    def check_name(self, name: str) -> str:
        """The name as it is to be. Raises UserError when it is taken or is none."""
        wanted = checked_name(name, "a question set")
        if self._database.row("select 1 from question_sets where name = ?", (wanted,)):
            raise UserError(f"There is already a question set named {wanted!r}.", "Choose another name.")
        return wanted

    def list_sets(self) -> tuple[QuestionSet, ...]:
        """The latest first."""
        rows = self._database.execute("select id, name, created, description from question_sets order by created desc")
        return tuple(map(_set, rows))

    def get(self, name: str) -> QuestionSet:
        """The set of that name or id. Raises UserError that names the sets there are."""
        row = self._database.row(
            "select id, name, created, description from question_sets where name = ?1 or id = ?1", (name,)
        )
        if row is None:
            known = ", ".join(one.name for one in self.list_sets())
            raise UserError(
                f"There is no question set {name!r}.",
                f"The sets are {known}." if known else "Import one, or add one of the shipped sets.",
            )
        found = _set(row)
        if found.unreadable:
            raise UserError(found.unreadable)
        return found

    def questions(
        self, found: QuestionSet, part: Part = "all", first: int = 0, limit: int = -1
    ) -> Iterator[NumberedQuestion]:
        """Questions of a set in their order. Raises UserError for one that cannot be read."""
        rows = self._database.execute(
            "select number, split, value from questions where question_set = ? and ? in ('all', split)"
            " order by number limit ? offset ?",
            (found.id, part, limit, first),
        )
        return (NumberedQuestion(number=n, split=cast(Split, s), question=QUESTION.get(value)) for n, s, value in rows)

    def edit(
        self, found: QuestionSet, number: int, question: QuestionRow | None, split: Split | None = None
    ) -> QuestionSet:
        """Change a question, or remove it; numbers of others stay. With a ``split``, a question that was removed is put
        back. Raises UserError when there is none of that number, and for the last one of a set."""
        with self._database.transaction():
            row = self._database.row(
                "select split from questions where question_set = ? and number = ?", (found.id, number)
            )
            if row is None and question is not None and split is not None and number >= 1:
                self._database.execute(
                    "insert into questions (question_set, number, split, value) values (?, ?, ?, ?)",
                    (found.id, number, split, QUESTION.encode(question).decode()),
                )
                return self._count(found, 1, split)
            if row is None:
                raise UserError(f"{found.name} has no question {number:,}.", "List its questions.")
            if question is not None:
                self._database.execute(
                    "update questions set value = ? where question_set = ? and number = ?",
                    (QUESTION.encode(question).decode(), found.id, number),
                )
                return found
            if found.questions == 1:
                raise UserError("It is the only question of the set.", "Delete the set instead.")
            self._database.execute("delete from questions where question_set = ? and number = ?", (found.id, number))
            return self._count(found, -1, row[0])

    def _count(self, found: QuestionSet, more: int, split: Split) -> QuestionSet:
        """The set with so many ``more`` questions on one side of the split."""
        tune = found.tune + more * (split == "tune")
        counted = msgspec.structs.replace(found, questions=found.questions + more, tune=tune)
        self._database.execute(
            "update question_sets set description = ? where id = ?", (QUESTION_SET.encode(counted).decode(), found.id)
        )
        return counted

    def remove(self, found: QuestionSet) -> None:
        """Delete a set. Evaluations keep their questions."""
        with self._database.transaction():
            self._database.execute("delete from question_sets where id = ?", (found.id,))


def _set(row: Row) -> QuestionSet:
    identity, name, created, description = row
    value = QUESTION_SET.decode(description)
    if isinstance(value, Unreadable):
        return QuestionSet(id=identity, name=name, created=created, questions=0, tune=0, unreadable=value.reason)
    return msgspec.structs.replace(value, id=identity, name=name)
