"""``workbench.sqlite``, the database of a home folder."""

from __future__ import annotations

from pathlib import Path

from workbench.paths import Home
from workbench.storage.database import Database, open_database

SCHEMA = Path(__file__).parent / "migrations"


def open_home(home: Home) -> Database:
    """Open and migrate the home's database. Only the home's core may hold it open for writing."""
    return open_database(home.database, SCHEMA, backups=home.backups)
