"""The packages that training needs, as a person sees them: whether they are there, and what setting them up takes."""

from __future__ import annotations

from typing import Literal

import msgspec

from workbench.base.catalogue import Shown
from workbench.base.stored import Stored
from workbench.base.training_environment import Computer


class TrainingPackages(msgspec.Struct, frozen=True, kw_only=True):
    """Whether training can begin. ``place`` is where the packages are: the "program"'s own, the "folder" that *Set up
    training* fills, or "" for neither; ``missing`` are those that cannot be imported, and ``problem`` says why an
    installed folder is of no use. ``run`` is that of a set-up under way. Versions are by distribution."""

    ready: bool
    place: Literal["program", "folder", ""] = ""
    missing: tuple[str, ...] = ()
    problem: Shown = ""
    computer: Computer | None = None
    versions: dict[str, str] = {}
    bytes: int = 0
    source: str = ""
    run: str = ""


class TrainingOffer(msgspec.Struct, frozen=True, kw_only=True):
    """The cost of setting training up here, as the source says: ``download_bytes`` to be fetched (0 for files of this
    machine) and ``disk_bytes`` that the packages take afterwards. ``why`` says how ``computer`` was chosen, ``host`` is
    asked for the packages, "" for none."""

    computer: Computer
    why: Shown
    packages: dict[str, str]
    download_bytes: int
    disk_bytes: int
    free_bytes: int
    host: str = ""


class TrainingSetUp(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a set-up."""

    computer: Computer
    packages: dict[str, str]
    bytes: int
    seconds: float


SET_UP: Stored[TrainingSetUp] = Stored("result of this run", TrainingSetUp)
