"""Backups: the runs that write and restore them, the calls that begin these, and what a backup holds.

The kinds of runs that write a backup of the home, and restore one into another folder.

A restored home cannot take the place of the one whose core works: it is restored beside it, and the next core puts it
in place.
"""

from __future__ import annotations

import glob
import shutil
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from workbench.api.events import Event
from workbench.api.protocol import finish
from workbench.base.durability import remove_left_behind
from workbench.base.errors import UserError
from workbench.base.paths import Home, absolute_path
from workbench.base.stored import Stored
from workbench.core.streams import Handlers, unary
from workbench.records.backup import BackupSummary, BackupWritten, ModelElsewhere, Restored
from workbench.storage.database import Database
from workbench.subjects.backup import calls
from workbench.subjects.backup.calls import BackUp, InspectBackup, RestoreBackup
from workbench.subjects.backup.restoring import (
    arrange_replacement,
    check_target,
    open_backup,
    restore,
    restored_beside,
    unfinished_restore,
)
from workbench.subjects.backup.writing import BACKUP_KIND, Extent, left_without, write_backup
from workbench.subjects.models.store import ModelCatalogue
from workbench.subjects.runs.calls import RunRecord
from workbench.subjects.runs.kinds import OpenRun, RunKind
from workbench.subjects.runs.queue import Runs
from workbench.subjects.runs.store import RunStore
from workbench.subjects.subject import Subject


class Backups:
    def __init__(self, home: Home, catalogue: ModelCatalogue, database: Database) -> None:
        self._writing = BackupRuns(home, catalogue, RunStore(database))
        self._restoring = RestoreRuns(home)

    def wire(self, runs: Runs) -> Subject:
        kinds = {"backup": self._writing, "restore": self._restoring}
        return Subject(handlers=self._handlers(runs), kinds=kinds)

    def _handlers(self, runs: Runs) -> Handlers:
        def back_up(call: calls.BackUp) -> RunRecord:
            return runs.add("backup", f"Back up to {absolute_path(call.path).name}", self._writing.check(call))

        def restore(call: calls.RestoreBackup) -> RunRecord:
            return runs.add("restore", f"Restore {Path(call.path).name}", self._restoring.check(call))

        return {
            calls.BackUp: unary(back_up),
            calls.InspectBackup: unary(self._restoring.inspect),
            calls.RestoreBackup: unary(restore),
        }

    def remove_unfinished(self, interrupted: Sequence[RunRecord]) -> None:
        """Delete what a core that was killed left of these runs."""
        self._writing.remove_unfinished(interrupted)
        self._restoring.remove_unfinished(interrupted)


COPYING = "backup"
"""The concurrency group of both: they read and write much, and wait for no training."""

DOWNLOADED = "It can be downloaded again."


@dataclass(frozen=True, eq=False)
class BackupRuns(RunKind):
    """An interrupted backup starts again."""

    config = Stored("config of this run", BackUp)
    result = Stored("result of this run", BackupWritten)

    _home: Home
    _catalogue: ModelCatalogue
    _runs: RunStore

    def concurrency_group(self, run: RunRecord) -> str:
        return COPYING

    def check(self, call: BackUp) -> BackUp:
        """Raises UserError where something is that is no backup: only an earlier backup is overwritten."""
        out = absolute_path(call.path)
        if out.exists():
            try:
                with open_backup(out):
                    pass
            except UserError as error:
                raise UserError(
                    f"{out} is there already and is no backup, so it is not overwritten.", "Choose another name."
                ) from error
        return call

    def work(self, run: OpenRun) -> Event:
        call = msgspec.convert(run.record.config, BackUp)
        out = absolute_path(call.path)
        manifest = write_backup(self._home, out, self._extent(call), run.context, run.emit)
        return finish(BackupWritten(path=str(out), size=out.stat().st_size, summary=manifest.summary))

    def remove_unfinished(self, runs: Iterable[RunRecord]) -> None:
        """Delete what a core that was killed left of these."""
        for run in runs:
            if run.kind == BACKUP_KIND and not run.unreadable:
                with suppress(OSError):  # the disk may be another one by now; a later backup tries again
                    remove_left_behind(Path(str(run.config["path"])))

    def _extent(self, call: BackUp) -> Extent:
        downloads = frozenset(self._downloads()) if call.without_downloads else frozenset()
        elsewhere = tuple(
            ModelElsewhere(name=model.name, path=model.path, bytes=model.bytes)
            for model in self._catalogue.list_models()
            if model.path and model.endpoint is None and not Path(model.path).is_relative_to(self._home.models)
        )
        return Extent(downloads, left_without(downloads, self._home, DOWNLOADED), elsewhere)

    def _downloads(self) -> Iterable[Path]:
        """The folders of models that came from the hub, and of runtime packs."""
        for run in self._runs.list_in("finished"):
            if run.kind == "download" and (name := str(run.config.get("folder", ""))) and Path(name).name == name:
                folder = self._home.models / name
                if folder.is_dir():
                    yield folder
        if self._home.packs.is_dir():
            yield self._home.packs


@dataclass(frozen=True, eq=False)
class RestoreRuns(RunKind):
    config = Stored("config of this run", RestoreBackup)
    result = Stored("result of this run", Restored)

    _home: Home

    def concurrency_group(self, run: RunRecord) -> str:
        return COPYING

    def inspect(self, call: InspectBackup) -> BackupSummary:
        with open_backup(absolute_path(call.path)) as backup:
            return backup.manifest.summary

    def check(self, call: RestoreBackup) -> RestoreBackup:
        """Raises UserError for what cannot be, as far as is known beforehand."""
        self.inspect(InspectBackup(path=call.path))
        if call.folder:
            check_target(absolute_path(call.folder))
        return call

    def work(self, run: OpenRun) -> Event:
        call = msgspec.convert(run.record.config, RestoreBackup)
        folder = absolute_path(call.folder) if call.folder else restored_beside(self._home)
        with open_backup(absolute_path(call.path)) as backup:
            restored = restore(backup, folder, run.context, run.emit)
        if not call.folder:
            arrange_replacement(self._home, folder)
        return finish(restored)

    def remove_unfinished(self, runs: Iterable[RunRecord]) -> None:
        """Delete what a core that was killed left of these."""
        for run in runs:
            if run.kind == "restore" and not run.unreadable:
                for left in self._unfinished(str(run.config.get("folder", ""))):
                    shutil.rmtree(left, ignore_errors=True)

    def _unfinished(self, folder: str) -> Iterable[Path]:
        """What restoring into a folder, "" for one beside the home, may have left."""
        if folder:
            return [unfinished_restore(Path(folder))]
        name = glob.escape(unfinished_restore(self._home.root).name)
        return self._home.root.parent.glob(f"{name}-*-restored")
