"""Where the program keeps the files of models: in the data folder, or in a folder that the person chose.

New downloads, copies, merges and quantised models go to the chosen folder; those that were made before stay where they
are. A folder that was used carries a marker, so that the program later deletes a model's own folder below it and
nothing else, also when another folder is chosen by then.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from workbench.base.errors import UserError
from workbench.core.foundation import Foundation
from workbench.records.models import ModelRecord
from workbench.subjects.models.importing import delete_place, own_place, remove_unfinished

MARKER = ".llm-workbench-models"
_MARKER_TEXT = "LLM Workbench keeps models in this folder, each in a folder of its own.\n"
_SETTING = "Settings · General · Folder for models"


@dataclass(frozen=True, eq=False)
class ModelFolders:
    """``own`` is the folder in the data folder; ``chosen`` tells the setting, "" for none."""

    own: Path
    chosen: Callable[[], str] = lambda: ""

    def for_new(self) -> Path:
        """The folder that a new model goes to. Raises UserError when the chosen one is not there or cannot be
        written."""
        chosen = self.chosen()
        if not chosen:
            return self.own
        check_folder(chosen)
        return Path(chosen)

    def use(self, folder: Path) -> Path:
        """The same folder, marked as one of the program's where it is not the data folder's. Raises UserError."""
        marker = folder / MARKER
        if folder != self.own and not marker.exists():
            check_folder(str(folder))
            try:
                marker.write_text(_MARKER_TEXT, "utf-8")
            except OSError as error:
                raise _not_writable(str(folder), error) from error
        return folder

    def delete(self, model: ModelRecord) -> None:
        """Delete a model's files where the program made them. Raises UserError when they cannot be deleted."""
        if (top := self.own_place(model)) is not None and top.exists():
            delete_place(top, model.name)

    def own_place(self, model: ModelRecord) -> Path | None:
        """What of the program's own folders holds a model's files alone, a folder or a file, where the program made
        it."""
        path = Path(model.path)
        if path.is_relative_to(self.own):
            return own_place(model, self.own)
        for folder in path.parents:
            if (folder / MARKER).is_file():
                return own_place(model, folder)
        return None

    def recover(self) -> None:
        """Delete incomplete copies of an earlier core, where the folders are there."""
        for folder in {self.own, Path(self.chosen() or self.own)}:
            if folder.is_dir():
                remove_unfinished(folder)


def folders_of(base: Foundation) -> ModelFolders:
    return ModelFolders(base.home.models, lambda: base.settings.general.model_folder)


def check_folder(folder: str) -> None:
    """Raises UserError where models cannot be kept in a folder, with the reason."""
    path = Path(folder)
    if not path.is_absolute():
        raise UserError(f"{folder} is not an absolute path.", "Give the full path, from the root of the file system.")
    if not path.is_dir():
        what = "is not there: its drive may not be connected" if not path.exists() else "is a file"
        raise UserError(f"The folder for models {folder} {what}.", f"Connect the drive, or change {_SETTING}.")
    if not os.access(path, os.W_OK):
        raise _not_writable(folder, PermissionError(13, "Permission denied"))


def _not_writable(folder: str, error: OSError) -> UserError:
    reason = error.strerror or error
    return UserError(f"The folder for models {folder} cannot be written: {reason}.", f"Change {_SETTING}.")


def missing_files(model: ModelRecord) -> UserError:
    """The error for a model whose files are not there: they were moved, or their drive is not connected."""
    path = Path(model.path)
    gone = [folder for folder in path.parents if not folder.exists()]
    if len(gone) > 1:  # not only its own folder
        return UserError(
            f"The files of {model.name} are in {gone[-1]}, which is not there: its drive may not be connected.",
            "Connect the drive and ask again. The model stays in the catalogue.",
        )
    return UserError(f"The files of {model.name} are no longer at {model.path}.", "Put them back or remove it.")
