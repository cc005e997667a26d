"""Backups of the home, and homes restored from them."""

from __future__ import annotations

from typing import Annotated

from workbench.api.protocol import Call
from workbench.records.backup import BackupSummary
from workbench.subjects.runs.calls import RunRecord


class BackUp(Call[RunRecord], frozen=True, kw_only=True, tag="backup.write"):
    """Write the home to one file, in place of one that is there. ``without_downloads``: models that were downloaded
    from the hub, and runtime packs, are left out."""

    path: str
    without_downloads: Annotated[bool, "leave out models that were downloaded from the hub, and runtime packs"] = False


class InspectBackup(Call[BackupSummary], frozen=True, kw_only=True, tag="backup.inspect"):
    """What a backup holds. Its files are not read yet."""

    made_by = ("window", "`workbench restore --inspect` reads the file itself, without a core.")

    path: str


class RestoreBackup(Call[RunRecord], frozen=True, kw_only=True, tag="backup.restore"):
    """Restore a home into ``folder``, which is new or empty; "": in the place of this home, which is kept beside it.
    The place is taken when the next core starts."""

    made_by = ("window", "`workbench restore` restores without a core, since the folder that it restores has none.")

    path: str
    folder: str = ""
