from __future__ import annotations

import threading
from pathlib import Path

import apsw
import pytest

from workbench.base.errors import UserError
from workbench.storage.database import SCHEMA, Database, open_database, read_migrations, translated

FIRST = "create table notes (text text not null);"
SECOND = "alter table notes add column colour text not null default 'white'; create index by_colour on notes (colour);"


@pytest.fixture
def schema(tmp_path: Path) -> Path:
    folder = tmp_path / "schema"
    folder.mkdir()
    (folder / "0001_first.sql").write_text(FIRST)
    return folder


@pytest.fixture
def database(tmp_path: Path, schema: Path) -> Database:
    return open_database(tmp_path / "notes.sqlite", schema)


def test_a_new_file_is_durable_and_has_the_newest_schema(database: Database) -> None:
    assert database.row("pragma journal_mode") == ("wal",)
    assert database.row("pragma synchronous") == (2,)
    assert database.row("pragma foreign_keys") == (1,)
    assert database.execute("select number, name from applied") == [(1, "first")]
    assert database.execute("insert into notes values (?)", ("a",)) == []
    assert database.row("select text from notes") == ("a",)


def test_text_that_is_not_utf8_is_read_with_marks_in_the_order_that_was_asked_for(database: Database) -> None:
    for number in range(5):
        database.execute("insert into notes values (?)", (f"{number}",))
    database.execute("update notes set text = cast(x'33ff' as text) where text = '3'")
    wanted = "select rowid, text, x'ff00', null from notes where rowid > ? order by rowid desc"
    rows = [(5, "4"), (4, "3\ufffd"), (3, "2"), (2, "1")]
    assert database.execute(wanted, (1,)) == [(*row, b"\xff\x00", None) for row in rows]
    with pytest.raises(UnicodeDecodeError):  # what changes something is not done twice
        database.execute("update notes set text = text || '!' where rowid = 4 returning text")


def test_a_file_that_another_program_writes_to_is_an_error_that_says_so(database: Database) -> None:
    other = apsw.Connection(str(database.path))
    other.execute("begin immediate")
    database.connection.set_busy_timeout(1)
    with pytest.raises(UserError, match="in use by another program"):
        database.execute("insert into notes values (?)", ("a",))
    with pytest.raises(UserError, match="in use by another program"), database.transaction():
        pass
    other.close()
    assert database.execute("insert into notes values (?)", ("a",)) == []


@pytest.mark.parametrize("error", [apsw.IOError, apsw.LockedError, apsw.BusyError, apsw.FullError, apsw.CantOpenError])
def test_what_the_disk_does_to_a_file_is_never_a_bug_of_ours(tmp_path: Path, error: type[apsw.Error]) -> None:
    with pytest.raises(UserError, match=r"notes\.sqlite") as told, translated(tmp_path / "notes.sqlite"):
        raise error("disk I/O error")
    assert told.value.hint


def test_upgrading_keeps_what_is_there_and_backs_it_up_first(tmp_path: Path, schema: Path) -> None:
    path = tmp_path / "notes.sqlite"
    old = open_database(path, schema)
    old.execute("insert into notes values ('kept')")
    old.close()
    (schema / "0002_colour.sql").write_text(SECOND)
    backups = tmp_path / "backups"
    new = open_database(path, schema, backups=backups)
    assert new.execute("select text, colour from notes") == [("kept", "white")]
    assert new.execute("select number, name from applied") == [(1, "first"), (2, "colour")]
    new.close()
    (copy,) = backups.iterdir()
    with_backup = apsw.Connection(str(copy))
    assert list(with_backup.execute("select * from notes")) == [("kept",)]
    with_backup.close()
    open_database(path, schema, backups=backups).close()
    assert list(backups.iterdir()) == [copy]


def test_without_a_backup_folder_the_backup_lies_beside_the_file(tmp_path: Path, schema: Path) -> None:
    open_database(tmp_path / "notes.sqlite", schema).close()
    (schema / "0002_colour.sql").write_text(SECOND)
    open_database(tmp_path / "notes.sqlite", schema).close()
    assert len(list(tmp_path.glob("notes-schema0001-*.backup"))) == 1


def test_a_migration_of_a_lower_number_that_came_later_is_applied(tmp_path: Path, schema: Path) -> None:
    (schema / "0003_late.sql").write_text("create table late (x);")
    open_database(tmp_path / "notes.sqlite", schema).close()
    (schema / "0002_colour.sql").write_text(SECOND)
    database = open_database(tmp_path / "notes.sqlite", schema)
    assert database.execute("select number from applied order by number") == [(1,), (2,), (3,)]
    database.close()


def test_a_migration_that_fails_leaves_nothing_of_itself(tmp_path: Path, schema: Path) -> None:
    path = tmp_path / "notes.sqlite"
    open_database(path, schema).close()
    (schema / "0002_half.sql").write_text("create table half (x); insert into nowhere values (1);")
    with pytest.raises(apsw.SQLError):
        open_database(path, schema)
    (schema / "0002_half.sql").unlink()
    database = open_database(path, schema)
    assert database.row("select 1 from sqlite_schema where name = 'half'") is None
    assert database.execute("select number from applied") == [(1,)]


def test_a_newer_schema_is_refused(tmp_path: Path, schema: Path) -> None:
    (schema / "0002_colour.sql").write_text(SECOND)
    open_database(tmp_path / "notes.sqlite", schema).close()
    (schema / "0002_colour.sql").unlink()
    with pytest.raises(UserError, match="newer version"):
        open_database(tmp_path / "notes.sqlite", schema)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path, schema: Path) -> None:
    path = tmp_path / "notes.sqlite"
    path.write_bytes(b"This is a shopping list, and a long one at that. " * 40)
    with pytest.raises(UserError, match="not a database"):
        open_database(path, schema)
    assert path.read_bytes().startswith(b"This is a shopping list")


def test_a_full_disk_is_told_and_leaves_the_file_sound(database: Database) -> None:
    (pages,) = database.row("pragma page_count") or (0,)
    database.execute(f"pragma max_page_count = {pages + 2}")

    def fill() -> None:
        with database.transaction():
            for _ in range(100):
                database.execute("insert into notes values (?)", ("x" * 1000,))

    with pytest.raises(UserError, match="disk is full"):
        fill()
    assert database.execute("select count(*) from notes") == [(0,)]
    assert database.row("pragma integrity_check") == ("ok",)


def test_a_transaction_is_all_or_nothing_and_may_be_nested(database: Database) -> None:
    def fail_late() -> None:
        with database.transaction():
            database.execute("insert into notes values ('outer')")
            with database.transaction():
                database.execute("insert into notes values ('inner')")
            raise KeyError

    with pytest.raises(KeyError):
        fail_late()
    assert database.execute("select * from notes") == []


def test_threads_wait_for_each_others_transactions(database: Database) -> None:
    def add() -> None:
        for _ in range(20):
            with database.transaction():
                (before,) = database.row("select count(*) from notes") or (0,)
                database.execute("insert into notes values (?)", (str(before),))

    threads = [threading.Thread(target=add) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert database.execute("select count(distinct text), count(*) from notes") == [(120, 120)]


def test_misnamed_migrations_are_noticed(schema: Path) -> None:
    (schema / "0001_again.sql").write_text(FIRST)
    with pytest.raises(ValueError, match="its own number"):
        read_migrations(schema)


def test_the_programs_own_schema_applies(tmp_path: Path) -> None:
    database = open_database(tmp_path / "workbench.sqlite", SCHEMA)
    assert database.row("pragma integrity_check") == ("ok",)
    database.execute("insert into history (history, rank) values ('integrity-check', 1)")
