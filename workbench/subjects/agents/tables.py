"""Queries to table files (CSV, TSV, XLSX) of collections, in a reader process under limits of time and memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from workbench.api.protocol import RequestContext
from workbench.base.settings import DocumentSettings
from workbench.reading.process import ReaderProcess
from workbench.reading.reader_calls import ReadLimits
from workbench.reading.table_query import TableInfo, TableRows


class TableFiles:
    """The process starts with the first query. Thread-safe. Methods raise UserError with the reason, and
    errors.Cancelled."""

    def __init__(self, settings: Callable[[], DocumentSettings], log: Path | None = None) -> None:
        self._settings = settings
        self._process = ReaderProcess(log)

    def describe(self, files: Sequence[Path], context: RequestContext) -> Sequence[TableInfo]:
        return self._process.query_tables(files, "", self._limits(), lambda: context.cancelled).tables

    def query(self, files: Sequence[Path], sql: str, context: RequestContext) -> TableRows:
        return self._process.query_tables(files, sql, self._limits(), lambda: context.cancelled).found

    def close(self) -> None:
        self._process.close()

    def _limits(self) -> ReadLimits:
        chosen = self._settings()
        return ReadLimits(
            seconds=chosen.read_seconds, memory_mb=chosen.read_memory_mb, largest_file_mb=chosen.largest_file_mb
        )
