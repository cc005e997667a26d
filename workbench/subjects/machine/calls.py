"""The means of computing: runtime packs, and what was chosen and why; the program's diagnosis and its updates.

The machine and the program: hardware, status, settings.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from workbench.api.protocol import Call
from workbench.base.catalogue import Shown
from workbench.base.fields import about
from workbench.base.settings import Settings
from workbench.records.diagnosis import Diagnosis
from workbench.records.engines import EngineOffer, EngineState
from workbench.records.methods import MethodInfo
from workbench.records.models import Machine
from workbench.records.runtime import PackFileOffer, PackManifest, RuntimeChoice
from workbench.records.training_packages import TrainingOffer, TrainingPackages
from workbench.subjects.runs.calls import RunRecord, Status


class RuntimeState(msgspec.Struct, frozen=True, kw_only=True):
    """The installed packs, and what was chosen."""

    packs: tuple[PackManifest, ...] = ()
    choice: RuntimeChoice = RuntimeChoice()


class Update(msgspec.Struct, frozen=True, kw_only=True):
    """What was announced. ``newer``: it is later than this program; ``file`` is the one for this installation, "" where
    there is none, ``url`` its address, and ``path`` where it was downloaded to; ``how`` says how to install it."""

    version: str
    current: str
    newer: bool = False
    published: str = ""
    notes: str = ""
    file: str = ""
    bytes: int = 0
    url: str = ""
    path: str = ""
    how: Shown = ""


class GetRuntime(Call[RuntimeState], frozen=True, kw_only=True, tag="runtime"):
    """What computes, and the installed packs."""

    changed_by = ("worker",)


class InstallPack(Call[RuntimeState], frozen=True, kw_only=True, tag="runtime.install"):
    """Install a runtime pack from a file and try it. Raises UserError where it is not signed, or not for this program;
    one that does not work is installed, with the reason why it is not used."""

    path: str


class PackOffers(msgspec.Struct, frozen=True, kw_only=True):
    packs: tuple[PackFileOffer, ...] = ()


class FindPacks(Call[PackOffers], frozen=True, kw_only=True, tag="runtime.find"):
    """Ask which runtime packs are offered for this program on this system. Raises UserError while the network is off
    for new versions, or where the list is not signed."""


class DownloadPack(Call[RuntimeState], frozen=True, kw_only=True, tag="runtime.download"):
    """Download a pack that is offered, then as ``InstallPack``; streams Progress in bytes."""

    name: str


class TryPack(Call[RuntimeState], frozen=True, kw_only=True, tag="runtime.try"):
    """Try an installed pack (again), and use it where it works and is faster than the processor."""

    name: str


class UseProcessor(Call[RuntimeState], frozen=True, kw_only=True, tag="runtime.processor"):
    """Use no pack."""


class RemovePack(Call[RuntimeState], frozen=True, kw_only=True, tag="runtime.remove"):
    """Remove an installed pack."""

    name: str


class GetTrainingPackages(Call[TrainingPackages], frozen=True, kw_only=True, tag="training_packages"):
    """Whether the packages that training needs are installed."""

    changed_by = ("worker", "run")
    made_by = (
        "window",
        "Its pages ask before they offer to set training up; `workbench doctor` names the packages that are there.",
    )


Source = Annotated[
    str,
    about("Source", max_length=4_000),
    "The packages come from a folder of wheels, or from a pack file of the training environment. Without either, they "
    "come from the package index.",
]
ComputerChoice = Annotated[
    Literal["auto", "cpu", "cuda"],
    about("Computes on"),
    "Training computes on the processor (cpu), or on an NVIDIA GPU (cuda), whose build is several times as large. "
    "With auto, this machine decides.",
]


class OfferTrainingPackages(Call[TrainingOffer], frozen=True, kw_only=True, tag="training_packages.offer"):
    """Find out what setting training up takes; streams Progress. Raises UserError while the network is off for
    packages, or where the source has not what is needed."""

    source: Source = ""
    computer: ComputerChoice = "auto"


class SetUpTraining(Call[RunRecord], frozen=True, kw_only=True, tag="training_packages.set_up"):
    """Start a run that installs the packages that training needs, in place of those of an earlier set-up; the result is
    a ``TrainingSetUp``."""

    source: Source = ""
    computer: ComputerChoice = "auto"


class RemoveTrainingPackages(Call[TrainingPackages], frozen=True, kw_only=True, tag="training_packages.remove"):
    """Remove what a set-up has installed. Raises UserError where there is nothing, or a training runs."""


class GetEngines(Call[EngineState], frozen=True, kw_only=True, tag="engines"):
    """The installed engines, the one that is used, and why."""

    changed_by = ("worker",)


class AddEngine(Call[RunRecord], frozen=True, kw_only=True, tag="engines.add"):
    """Start a run that installs an engine and tests it: from the file or folder ``path``, or from the package index.
    It is used from the next loading of a model on where it passes; the result is an ``AddedEngine``. Raises UserError
    where neither or both are named, and while the network is off for packages."""

    path: Annotated[
        str, "A wheel or a source package of llama-cpp-python, a signed pack, or a folder that holds a llama_cpp."
    ] = ""
    version: Annotated[str, "A version of llama-cpp-python in the package index, or latest."] = ""


class UseEngine(Call[EngineState], frozen=True, kw_only=True, tag="engines.use"):
    """Use an engine, or ``bundled``, from the next loading of a model on. One whose test is missing or outdated is
    tested first; streams Progress. Raises UserError where it does not pass: then nothing changes."""

    name: str


class TryEngine(Call[EngineState], frozen=True, kw_only=True, tag="engines.test"):
    """Test an installed engine again; streams Progress. Where it does not pass and was used, the bundled one is used
    instead."""

    name: str


class RemoveEngine(Call[EngineState], frozen=True, kw_only=True, tag="engines.remove"):
    """Remove an installed engine; the bundled one is used in its place."""

    name: str


class EngineOffers(msgspec.Struct, frozen=True, kw_only=True):
    """The latest release first."""

    engines: tuple[EngineOffer, ...] = ()


class FindEngines(Call[EngineOffers], frozen=True, kw_only=True, tag="engines.find"):
    """Ask the package index for the latest releases of llama-cpp-python. Raises UserError while the network is off for
    packages."""


class DismissEngineNotice(Call[None], frozen=True, kw_only=True, tag="engines.dismiss_notice"):
    """The person was told that the chosen engine has stopped working."""

    made_by = ("window", "It says that the banner was shown; the terminal says why in engine list and doctor.")


class Diagnose(Call[Diagnosis], frozen=True, kw_only=True, tag="diagnose"):
    """What the machine has, what was chosen and why. Holds nothing private."""


class SavedReport(msgspec.Struct, frozen=True, kw_only=True):
    """``bytes`` is the size of the file at ``path``."""

    path: str
    bytes: int


class SaveReport(Call[SavedReport], frozen=True, kw_only=True, tag="diagnose.report"):
    """Write the diagnosis, the versions of all packages and the places of faults into a zip file. Holds nothing
    private. Raises UserError where it cannot be written."""

    made_by = (
        "window",
        "`workbench doctor --report` writes the report itself: it must work where no core can be started.",
    )

    path: str


class WarmUp(Call[None], frozen=True, kw_only=True, tag="warm_up"):
    """Start the embedding worker and load its model, which takes seconds, in the background."""

    made_by = (
        "window",
        "It loads a model ahead of the first question; `workbench models load` does that for a person.",
    )


class CheckUpdate(Call[Update], frozen=True, kw_only=True, tag="update.check"):
    """Ask for the announcement of the latest version. Raises UserError while the network is off for that, or where it
    is not signed."""


class DownloadUpdate(Call[Update], frozen=True, kw_only=True, tag="update.download"):
    """As ``CheckUpdate``, and download the installer for this installation; streams Progress in bytes. It is not
    started."""


class GetMachine(Call[Machine], frozen=True, kw_only=True, tag="machine"):
    """The machine's processor, memory, disk and GPUs."""


class MethodList(msgspec.Struct, frozen=True, kw_only=True):
    methods: tuple[MethodInfo, ...]


class ListMethods(Call[MethodList], frozen=True, kw_only=True, tag="methods.list"):
    """All methods of the program, with the fields of their configurations."""

    made_by = ("window", "The terminal reads the methods from the program; the window may not import them.")


class GetSettings(Call[Settings], frozen=True, kw_only=True, tag="settings.get"):
    """All settings."""

    changed_by = ("settings",)


class ChangeSettings(Call[Settings], frozen=True, kw_only=True, tag="settings.set"):
    """Change fields: ``{section: {field: value}}``. Raises UserError for an unknown or invalid one."""

    values: dict[str, dict[str, Any]]


class RestartWorker(Call[Status], frozen=True, kw_only=True, tag="worker.restart"):
    """Restart a worker: ``inference`` or ``embedding``."""

    name: Annotated[Literal["inference", "embedding"], "name of the worker process"]
