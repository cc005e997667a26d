"""Opening and migrating SQLite files: ``workbench.sqlite`` and every collection file, by the same mechanism.

A schema is a folder of numbered files, ``NNNN_what_it_does.sql``. Each is applied once, in one transaction, after
the file was copied to a safe place; the table ``applied`` remembers. A file is never edited once it is released.
"""

from __future__ import annotations

import contextlib
import re
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import apsw

from workbench.base.errors import Cancelled, UserError
from workbench.base.finding import folded
from workbench.base.paths import Home

BUSY_TIMEOUT_MS = 10_000

Parameters = Sequence[Any] | Mapping[str, Any]
Row = tuple[Any, ...]


class Database:
    """One connection to a migrated file, shared by threads: each statement or transaction has it for itself.

    ``connection`` is open to code that needs more of apsw (extensions, incremental blobs); hold ``transaction()``
    meanwhile.
    """

    def __init__(self, connection: apsw.Connection, path: Path) -> None:
        self.connection = connection
        self.path = path
        self._lock = threading.RLock()
        connection.create_scalar_function("folded", _folded, 1, deterministic=True)

    def execute(self, sql: str, parameters: Parameters = ()) -> list[Row]:
        """Run one or more statements to their end (apsw's own ``execute`` is lazy) and return the rows.

        Bytes of a text that are not UTF-8 are read as U+FFFD. Raises UserError when the disk is full or the file is
        damaged.
        """
        with self._lock, translated(self.path):
            return read_rows(self.connection, sql, parameters)

    def row(self, sql: str, parameters: Parameters = ()) -> Row | None:
        """The first row, or None."""
        rows = self.execute(sql, parameters)
        return rows[0] if rows else None

    @contextlib.contextmanager
    def transaction(self) -> Iterator[apsw.Connection]:
        """All of the block or nothing of it. On return it is on the disk. Blocks may be nested in one thread."""
        with self._lock, translated(self.path), _begun(self.connection):
            yield self.connection

    def changes(self) -> int:
        """The number of rows that the last statement changed. Only meaningful within ``transaction()``."""
        return int(self.connection.changes())

    def close(self) -> None:
        with self._lock:
            self.connection.close()


def read_rows(connection: apsw.Connection, sql: str, parameters: Parameters = ()) -> list[Row]:
    """All rows of one or more statements. Bytes of a text that are not UTF-8 are read as U+FFFD: one damaged value must
    not hide the others. Raises UnicodeDecodeError for such a text in what a changing statement returns."""
    cursor = connection.execute(sql, parameters)
    try:
        return list(cursor)
    except UnicodeDecodeError:
        if not cursor.is_readonly:
            raise
        columns = [f"c{number}" for number in range(len(cursor.get_description()))]
    finally:
        cursor.close()
    fields = ", ".join(
        f"typeof({c}), case typeof({c}) when 'text' then cast({c} as blob) else {c} end" for c in columns
    )
    as_bytes = f"with rows ({', '.join(columns)}) as ({sql}) select {fields} from rows"
    return [
        tuple(
            value.decode("utf-8", "replace") if kind == "text" else value
            for kind, value in zip(row[::2], row[1::2], strict=True)
        )
        for row in connection.execute(as_bytes, parameters)
    ]


def open_database(
    path: Path, schema: Path, *, backups: Path | None = None, prepare: Callable[[apsw.Connection], None] | None = None
) -> Database:
    """Open ``path``, making it when it is not there, and bring it to the newest schema in the folder ``schema``.

    WAL, ``synchronous=FULL``, foreign keys on. Before an existing file is migrated it is copied into ``backups``
    (None: beside the file). ``prepare`` gets the connection first, to load extensions.

    Raises UserError when it was written by a newer version of the program, is damaged or is no database at all.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with translated(path):
        connection = connect(path)
        try:
            if prepare is not None:
                prepare(connection)
            migrate(connection, path, schema, backups)
        except BaseException:
            connection.close()
            raise
    return Database(connection, path)


def _folded(*text: Any) -> str:
    """Of a text as bytes, so that damaged ones do not hide the others. SQLite's own ``lower`` knows ASCII only."""
    return folded(str(text[0], "utf-8", "replace"))


def connect(path: Path, *, read_only: bool = False) -> apsw.Connection:
    """A connection with this program's settings, without a look at the schema."""
    flags = apsw.SQLITE_OPEN_READONLY if read_only else apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE
    connection = apsw.Connection(str(path), flags=flags)
    connection.set_busy_timeout(BUSY_TIMEOUT_MS)
    if not read_only:
        connection.pragma("journal_mode", "wal")
    connection.pragma("synchronous", "full")
    connection.pragma("foreign_keys", True)
    return connection


def migrate(connection: apsw.Connection, path: Path, schema: Path, backups: Path | None = None) -> None:
    """Apply the migrations in the folder ``schema`` that the file has not had yet: one of a lower number that came
    later, too."""
    migrations = read_migrations(schema)
    applied = applied_migration(connection)
    newest = max(migrations)
    if applied > newest:
        raise UserError(
            f"{path} was written by a newer version of LLM Workbench: its schema is {applied}, "
            f"and this version knows {newest}.",
            "Update LLM Workbench to open it.",
        )
    missing = sorted(migrations.keys() - _applied_numbers(connection))
    if applied and missing:
        back_up(connection, path, applied, backups)
    for number in missing:
        name, sql = migrations[number]
        with _begun(connection):
            if number in _applied_numbers(connection):
                continue  # another process was faster
            _run(connection, "create table if not exists applied (number integer primary key, name text, at real)")
            _run(connection, sql)
            _run(connection, "insert into applied values (?, ?, ?)", (number, name, time.time()))


def read_migrations(schema: Path) -> dict[int, tuple[str, str]]:
    """Number -> (name, SQL) of the folder's migrations."""
    found: dict[int, tuple[str, str]] = {}
    for file in schema.glob("*.sql"):
        match = re.fullmatch(r"(\d{4})_(\w+)", file.stem)
        if match is None or int(match[1]) in found:
            raise ValueError(f"{file} is not a migration of its own number, NNNN_name.sql")
        found[int(match[1])] = (match[2], file.read_text("utf-8"))
    return found


def applied_migration(connection: apsw.Connection) -> int:
    """The number of the newest migration that a file has had, 0 for a new file."""
    known = list(connection.execute("select 1 from sqlite_schema where name = 'applied'"))
    if not known:
        return 0
    ((number,),) = connection.execute("select coalesce(max(number), 0) from applied")
    return int(number)


def _applied_numbers(connection: apsw.Connection) -> set[int]:
    known = list(connection.execute("select 1 from sqlite_schema where name = 'applied'"))
    return {int(number) for (number,) in connection.execute("select number from applied")} if known else set()


def back_up(connection: apsw.Connection, path: Path, applied: int, backups: Path | None = None) -> Path:
    """Copy the file as it is now; what other connections do meanwhile cannot tear the copy. Returns its path."""
    folder = backups if backups is not None else path.parent
    folder.mkdir(parents=True, exist_ok=True)
    stamp = time.strftime("%Y%m%d-%H%M%S")
    target = folder / f"{path.stem}-schema{applied:04}-{stamp}.backup"
    beside = target.with_suffix(".part")
    beside.unlink(missing_ok=True)
    copy = apsw.Connection(str(beside))
    try:
        with copy.backup("main", connection, "main") as backup:
            backup.step()
    finally:
        copy.close()
    beside.replace(target)
    return target


@contextlib.contextmanager
def translated(path: Path) -> Iterator[None]:
    """SQLite's complaints about the disk and the file, as errors that a person can act on."""
    try:
        yield
    except apsw.ConnectionClosedError as error:  # the core is leaving, and so is the caller
        raise Cancelled from error
    except apsw.FullError as error:
        raise UserError(f"The disk is full: {path} cannot grow.", "Free some space and try again.") from error
    except (apsw.NotADBError, apsw.CorruptError) as error:
        raise UserError(
            f"{path} is damaged or not a database of LLM Workbench.",
            "Restore it from a backup, or move it away to start with an empty one.",
        ) from error
    except (apsw.CantOpenError, apsw.ReadOnlyError, apsw.PermissionsError) as error:
        raise UserError(f"{path} cannot be opened for writing.", "Check the permissions of its folder.") from error
    except (apsw.BusyError, apsw.LockedError) as error:
        raise UserError(f"{path} is in use by another program.", "Close that program and try again.") from error
    except apsw.IOError as error:
        raise UserError(
            f"{path} cannot be read or written: {error}.", "Check its disk, and whether it is connected."
        ) from error


@contextlib.contextmanager
def _begun(connection: apsw.Connection) -> Iterator[None]:
    if connection.in_transaction:  # nested: the outer one commits
        yield
        return
    _run(connection, "begin immediate")
    try:
        yield
        _run(connection, "commit")
    except BaseException:
        if connection.in_transaction:
            _run(connection, "rollback")
        raise


def _run(connection: apsw.Connection, sql: str, parameters: Parameters = ()) -> None:
    for _ in connection.execute(sql, parameters):
        pass


def new_id() -> str:
    """20 hexadecimal digits: microseconds since the epoch (13 until the year 2112), then 28 random bits."""
    return f"{time.time_ns() // 1000:013x}{secrets.randbits(28):07x}"


SCHEMA = Path(__file__).parent / "migrations"


def open_memory() -> Database:
    """A database of the home's schema in memory: nothing of it is written to a disk, also no temporary file."""
    path = Path(":memory:")
    connection = apsw.Connection(":memory:")
    connection.pragma("temp_store", 2)
    connection.pragma("secure_delete", True)
    connection.pragma("foreign_keys", True)
    migrate(connection, path, SCHEMA)
    return Database(connection, path)


def open_home(home: Home) -> Database:
    """Open and migrate the home's database. Only the home's core may hold it open for writing."""
    return open_database(home.database, SCHEMA, backups=home.backups)
