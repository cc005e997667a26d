"""Inspects a path: returns a model with its metadata, or the reason why it is not one."""

from __future__ import annotations

import stat
from pathlib import Path

from workbench.base.errors import UserError
from workbench.gguf.folder import describe_folder
from workbench.gguf.model import describe_gguf
from workbench.records.models import ModelDetails


def inspect_path(path: Path) -> ModelDetails:
    """Describe the GGUF file (or any file of a split one) or the safetensors folder at ``path``.

    ``model.name`` is a proposal; the catalogue makes it unique. ``model.sha256`` stays empty: a large model is hashed
    when that is first needed (``workbench.subjects.models.checksums``). Raises UserError with the file and the
    reason when there is no valid model.
    """
    path = path.expanduser().absolute()
    try:
        mode = path.stat().st_mode
    except FileNotFoundError as error:
        if path.is_symlink():
            raise UserError(f"{path} is a link to a missing file.") from error
        raise UserError(f"There is no file or folder {path}.", "Check the path.") from error
    except (OSError, ValueError) as error:
        raise UserError(f"{path} cannot be read: {getattr(error, 'strerror', '') or error}.") from error
    if stat.S_ISDIR(mode):
        return _inspect_folder(path)
    if not stat.S_ISREG(mode):
        raise UserError(f"{path} is not a file.", "Choose a .gguf file, or a folder with safetensors.")
    return describe_gguf(path)


def _inspect_folder(folder: Path) -> ModelDetails:
    try:
        names = sorted(p.name for p in folder.iterdir())
    except OSError as error:
        raise UserError(f"{folder} cannot be read: {error.strerror or error}.") from error
    if not names:
        raise UserError(f"{folder} is an empty folder.", "Choose a .gguf file, or a folder with safetensors.")
    gguf = [name for name in names if name.lower().endswith(".gguf")]
    if not gguf or any(name.endswith(".safetensors") for name in names):
        return describe_folder(folder)
    details = describe_gguf(folder / gguf[0])
    others = [name for name in gguf if str(folder / name) not in details.model.files]
    if others:
        raise UserError(
            f"{folder} contains more than one model: {gguf[0]}, {', '.join(others[:4])}"
            + (" ..." if len(others) > 4 else ".").rstrip(),
            "Choose one of the files.",
        )
    return details
