"""The packages that training needs, which the program is installed without: whether they are there, and where.

torch and what is built on it fill gigabytes. They are the extra ``training`` of pyproject.toml, and are found among the
program's own packages or in a folder of the home (``Home.training``), which *Set up training* fills. A worker is given
that folder in ``FOLDER_VARIABLE``. Nothing here imports any of the packages.
"""

from __future__ import annotations

import importlib
import importlib.machinery
import os
import sys
import sysconfig
from collections.abc import Iterable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from workbench.base.errors import UserError
from workbench.base.stored import Stored, Unreadable

REQUIREMENTS: Mapping[str, str] = {
    "torch": "torch>=2.4",
    "transformers": "transformers>=5.0",
    "peft": "peft>=0.18",
    "trl": "trl>=1.16,<1.17",
    "accelerate": "accelerate>=1.1",
    "sentence_transformers": "sentence-transformers>=5.1",
    "pyarrow": "pyarrow>=18",
}
"""What the packages are imported as, and what a package index is asked for: the extra ``training``."""

PACKAGES = tuple(REQUIREMENTS)
HINT = "Press Set up training in Settings · This machine, or run: workbench runtime add training"

FOLDER_VARIABLE = "WORKBENCH_TRAINING"
"""Names the folder of the packages for a worker, "" for none."""

DESCRIPTION = "environment.json"

Computer = Literal["cpu", "cuda"]


class TrainingFolder(msgspec.Struct, frozen=True, kw_only=True):
    """The description of an installed folder, which is written last: a folder without one is not whole. ``python`` is
    the tag of the compiled modules ("cpython-311-x86_64-linux-gnu"), ``packages`` the version of each distribution,
    ``bytes`` their size on the disk, and ``source`` where they came from."""

    python: str
    computer: Computer
    packages: Annotated[dict[str, str], msgspec.Meta(max_length=2_000)]
    bytes: int = 0
    source: str = ""


STORED: Stored[TrainingFolder] = Stored("description of the training environment", TrainingFolder)


def python_tag() -> str:
    """The tag of the compiled modules that this Python imports."""
    return str(sysconfig.get_config_var("SOABI") or sys.implementation.cache_tag)


def installed_folder(folder: Path | None) -> TrainingFolder | Unreadable | None:
    """The description of ``folder``: None where no environment was set up, Unreadable for one of no use here."""
    found = STORED.load(folder / DESCRIPTION) if folder is not None else None
    if isinstance(found, TrainingFolder) and found.python != python_tag():
        return Unreadable(
            f"The training environment was set up for another Python ({found.python}); this is {python_tag()}. "
            "Set up training again."
        )
    return found


def missing_packages(folder: Path | None = None, packages: Iterable[str] = PACKAGES) -> tuple[str, ...]:
    """Those of ``packages`` that can be imported neither from this Python's own places nor from ``folder``."""
    places = [str(folder)] if folder is not None and isinstance(installed_folder(folder), TrainingFolder) else None
    return tuple(name for name in packages if not _is_own(name) and not (places and _is_in(name, places)))


def require_packages(what: str = "Training", folder: Path | None = None, packages: Iterable[str] = PACKAGES) -> None:
    """Raises UserError that says what to do where one of ``packages`` cannot be imported. ``what`` is the subject of
    the sentence, such as "Training" or "A Parquet file". Without a ``folder`` it is that of this worker."""
    if folder is None:
        folder = given_folder()
        use_given_folder()  # it may have been filled since this process began
    missing = missing_packages(folder, packages)
    if not missing:
        return
    found = installed_folder(folder)
    why = f" {found.reason}" if isinstance(found, Unreadable) else ""
    raise UserError(f"{what} needs packages that are not installed: {_listed(missing)}.{why}", f"{HINT}.")


def given_folder() -> Path | None:
    """The folder that this process was given."""
    folder = os.environ.get(FOLDER_VARIABLE)
    return Path(folder) if folder else None


def use_given_folder() -> None:
    """Let this process import from the folder that it was given. It comes before the program's own packages, of which
    it holds none that the program needs: a virtual environment may have an old one of another."""
    folder = given_folder()
    if folder is None or str(folder) in sys.path or not isinstance(installed_folder(folder), TrainingFolder):
        return
    importlib.invalidate_caches()
    own = (place for place, path in enumerate(sys.path) if Path(path).name in ("site-packages", "dist-packages"))
    sys.path.insert(next(own, len(sys.path)), str(folder))


def version_of(distribution: str, folder: Path | None = None) -> str:
    """The version of a distribution that a worker imports, "" where it is not installed."""
    found = installed_folder(folder)
    if isinstance(found, TrainingFolder) and distribution in found.packages:
        return found.packages[distribution]
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return ""


def _is_own(name: str) -> bool:
    """The finders are asked, not ``sys.modules``: what is imported in this process need not be there for another."""
    for finder in sys.meta_path:
        spec = finder.find_spec(name, None)
        if spec is not None:
            return spec.origin is not None  # a folder without modules, such as an uninstalled package leaves, is none
    return False


def _is_in(name: str, places: list[str]) -> bool:
    spec = importlib.machinery.PathFinder.find_spec(name, places)
    return spec is not None and spec.origin is not None


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(name.replace("_", "-") for name in names)
