"""Backups: the runs that write and restore them, the calls that begin these, and what a backup holds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from workbench.base.paths import Home, absolute_path
from workbench.core.streams import Handlers, unary
from workbench.storage.database import Database
from workbench.subjects.backup import calls
from workbench.subjects.backup.runs import BackupRuns, RestoreRuns
from workbench.subjects.models.store import ModelCatalogue
from workbench.subjects.runs.calls import RunRecord
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
