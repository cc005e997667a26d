"""*Set up training*: what it takes, the run that does it, and the removal of what it has installed.

The packages come from the package index, from a folder of wheels or from a pack file. What is downloaded is kept until
the set-up has finished, so that one that was stopped goes on where it was.
"""

from __future__ import annotations

import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import msgspec
from packaging.requirements import Requirement

from workbench.api import events
from workbench.api.events import Event, Progress
from workbench.api.protocol import RequestContext, finish, with_progress
from workbench.base.durability import check_room
from workbench.base.errors import UserError
from workbench.base.paths import Home, absolute_path, free_bytes
from workbench.base.stored import Stored, Unreadable
from workbench.base.training_environment import (
    REQUIREMENTS,
    Computer,
    TrainingFolder,
    installed_folder,
    missing_packages,
    version_of,
)
from workbench.core.foundation import Foundation
from workbench.core.streams import Handlers, unary
from workbench.network.http import open_client
from workbench.records.training_packages import SET_UP, TrainingOffer, TrainingPackages, TrainingSetUp
from workbench.subjects.machine import calls, training_folder
from workbench.subjects.machine.packs import driver_version, read_pack
from workbench.subjects.machine.signatures import OWN_KEYS, trusted_keys
from workbench.subjects.machine.wheel_resolution import Choice, installed_packages, resolve
from workbench.subjects.machine.wheel_sources import FolderSource, IndexSource, WheelSource
from workbench.subjects.models.download import download
from workbench.subjects.runs.calls import RunRecord
from workbench.subjects.runs.kinds import OpenRun, RunKind
from workbench.subjects.runs.queue import Runs
from workbench.training.worker_host import TrainingWorkers

KIND = "training-packages"
KNOWN_FOR_S = 3_600.0
"""So long what was found out for an offer is used by the set-up."""

_Stage = Callable[[Event], None]


@dataclass(eq=False)
class TrainingSetup(RunKind):
    """The calls and the run kind. ``installed`` gives the versions of the program's own packages; ``trial`` tries what
    was unpacked."""

    config = Stored("config of this run", calls.SetUpTraining)
    result = SET_UP
    resumable = True

    _base: Foundation
    _runs: Runs
    _workers: TrainingWorkers
    _installed: Callable[[], dict[str, str]] = installed_packages
    _trial: training_folder.Trial = training_folder.try_packages
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)
    _known: dict[tuple[str, str], tuple[float, tuple[Choice, ...]]] = field(default_factory=dict, init=False)

    @property
    def _home(self) -> Home:
        return self._base.home

    def handlers(self) -> Handlers:
        return {
            calls.GetTrainingPackages: unary(lambda call: self.state()),
            calls.OfferTrainingPackages: self.offer,
            calls.SetUpTraining: unary(self.start),
            calls.RemoveTrainingPackages: unary(lambda call: self.remove()),
        }

    # -- calls --------------------------------------------------------------------------------------

    def state(self) -> TrainingPackages:
        folder = self._home.training
        found = installed_folder(folder)
        missing = missing_packages(folder)
        own = not missing_packages()
        described = found if isinstance(found, TrainingFolder) and not own else None
        versions = {} if missing else {name: version_of(name, folder) for name in map(_distribution, REQUIREMENTS)}
        return TrainingPackages(
            ready=not missing,
            place="program" if own else "folder" if described is not None and not missing else "",
            missing=tuple(map(_distribution, missing)),
            problem=found.reason if isinstance(found, Unreadable) else "",
            computer=described.computer if described is not None else None,
            versions=versions,
            bytes=described.bytes if described is not None else 0,
            source=described.source if described is not None else "",
            run=next((run.id for run in self._runs.list_open() if run.kind == KIND), ""),
        )

    def offer(self, call: calls.OfferTrainingPackages, context: RequestContext) -> Iterator[Event]:
        computer, why = self._computer(call.computer)
        free = free_bytes(self._home.training)
        if call.source and absolute_path(call.source).is_file():
            yield Progress(stage="reading the pack")
            manifest = read_pack(absolute_path(call.source), self._keys())
            disk = sum(file.bytes for file in manifest.files)
            yield finish(
                TrainingOffer(
                    computer=computer, why="", packages={}, download_bytes=0, disk_bytes=disk, free_bytes=free
                )
            )
            return
        choices = yield from with_progress(lambda report: self._choices(call.source, computer, context, report))
        remote = [choice.wheel for choice in choices if choice.wheel.remote is not None]
        yield finish(
            TrainingOffer(
                computer=_computer_of(choices),
                why="" if call.source else why,
                packages={choice.wheel.name: str(choice.wheel.version) for choice in choices},
                download_bytes=sum(wheel.bytes for wheel in remote),
                disk_bytes=sum(choice.content.bytes for choice in choices),
                free_bytes=free,
                host="" if call.source else httpx2.URL(self._base.settings.network.package_index).host,
            )
        )

    def start(self, call: calls.SetUpTraining) -> RunRecord:
        """What cannot be set up is refused before anything is queued."""
        if not missing_packages():
            raise UserError("The program's own packages have all that training needs.", "Nothing has to be set up.")
        running = self.state().run
        if running:
            raise UserError("Training is being set up already.", "Wait for its end, or stop it.")
        if call.source:
            path = absolute_path(call.source)
            if not path.exists():
                raise UserError(f"There is no {path}.", "Choose a folder of wheels, or a pack file.")
            call = msgspec.structs.replace(call, source=str(path))
        elif not self._base.preferences.allows("packages"):
            self._refuse_network()
        self._computer(call.computer)
        return self._runs.add(KIND, "Set up training", call)

    def remove(self) -> TrainingPackages:
        if any(run.state == "running" for run in self._runs.list_open() if run.kind in ("train", "merge", KIND)):
            raise UserError("A training runs, or is being set up.", "Wait for its end, or stop it.")
        training_folder.remove(self._home)
        self._changed()
        return self.state()

    # -- the run ------------------------------------------------------------------------------------

    def work(self, run: OpenRun) -> Event:
        call = msgspec.convert(run.record.config, calls.SetUpTraining)
        began = time.monotonic()
        computer, why = self._computer(call.computer)
        path = absolute_path(call.source) if call.source else None
        if why and not call.source:
            run.emit(events.Log(text=why))
        try:
            if path is not None and path.is_file():
                made = training_folder.install_pack(
                    self._home, path, self._keys(), run.context, _reporting(run.emit), self._trial
                )
            else:
                made = self._from_wheels(call, computer, run)
        except OSError as error:
            raise UserError(
                f"Training could not be set up: {error.strerror or error}.",
                "Nothing was installed. Free some space, or check the disk, and resume the run.",
            ) from error
        shutil.rmtree(self._home.training_wheels, ignore_errors=True)
        self._changed()
        seconds = round(time.monotonic() - began, 1)
        return finish(TrainingSetUp(computer=made.computer, packages=made.packages, bytes=made.bytes, seconds=seconds))

    def _from_wheels(self, call: calls.SetUpTraining, computer: Computer, run: OpenRun) -> TrainingFolder:
        choices = self._choices(call.source, computer, run.context, run.emit)
        disk = sum(choice.content.bytes for choice in choices)
        fetched = sum(choice.wheel.bytes for choice in choices if choice.wheel.remote is not None)
        held = sum(file.stat().st_size for file in self._home.training_wheels.glob("*"))
        self._home.training.parent.mkdir(parents=True, exist_ok=True)
        check_room(self._home.training, disk + max(0, fetched - held))
        placed, done = [], 0
        for choice in choices:
            placed.append((choice, self._fetched(choice, run, done, fetched)))
            done += choice.wheel.bytes if choice.wheel.remote is not None else 0
        source = f"the folder {call.source}" if call.source else self._base.settings.network.package_index
        return training_folder.install_wheels(
            self._home, placed, _computer_of(choices), source, run.context, _reporting(run.emit), self._trial
        )

    def _fetched(self, choice: Choice, run: OpenRun, before: int, total: int) -> Path:
        wheel = choice.wheel
        if wheel.path is not None:
            return wheel.path
        assert wheel.remote is not None

        def progress(done: int, size: int) -> None:
            run.emit(Progress(stage="downloading", done=before + done, total=total, unit="bytes"))

        with open_client(self._base.gate, "packages", context=run.context) as client:
            return download(wheel.remote, self._home.training_wheels, client, run.context, progress=progress)

    # -- what is chosen -----------------------------------------------------------------------------

    def _choices(self, given: str, computer: Computer, context: RequestContext, report: _Stage) -> tuple[Choice, ...]:
        key = (given, computer)
        with self._lock:
            at, known = self._known.get(key, (0.0, ()))
        if known and not given and time.monotonic() - at < KNOWN_FOR_S:
            return known
        wanted = [Requirement(one) for one in REQUIREMENTS.values()]
        source: WheelSource
        if given:
            report(Progress(stage="reading the wheels"))
            source = FolderSource(absolute_path(given))
        else:
            network = self._base.settings.network
            others = {"torch": network.torch_index} if computer == "cpu" and sys.platform == "linux" else {}
            source = IndexSource(
                self._base.gate, network.package_index, context, others,
                asking=lambda name: report(Progress(stage=f"asking for {name}")),
            )  # fmt: skip
        found = resolve(wanted, source, self._installed(), context)
        with self._lock:
            self._known[key] = (time.monotonic(), found)
        return found

    def _computer(self, asked: str) -> tuple[Computer, str]:
        """What is computed with, and a sentence of why. Raises UserError for what this machine cannot have."""
        if asked == "cuda" and sys.platform != "linux":
            raise UserError(
                "The package index has torch for NVIDIA GPUs for Linux only.",
                "Set up training for the processor, then install the runtime pack PyTorch with CUDA.",
            )
        if asked != "auto":
            return ("cuda" if asked == "cuda" else "cpu"), ""
        driver = driver_version("cuda") if sys.platform == "linux" else ""
        if driver:
            return "cuda", f"This machine has an NVIDIA GPU (driver {driver}), so its build of torch is chosen."
        return "cpu", "No driver of an NVIDIA GPU was found, so the build of torch for the processor is chosen."

    def _refuse_network(self) -> None:
        host = httpx2.URL(self._base.settings.network.package_index).host
        self._base.gate.addresses("packages", host, 443)  # raises Offline where it is not this machine itself

    def _keys(self) -> dict[str, bytes]:
        return trusted_keys("packs", OWN_KEYS, self._home.trusted_keys)

    def _changed(self) -> None:
        """Workers that imported from the folder are started anew with their next use."""
        self._workers.let_go()
        self._base.tell_workers()


def _reporting(emit: _Stage) -> training_folder.Report:
    def report(stage: str, done: int, total: int) -> None:
        emit(Progress(stage=stage, done=done, total=total, unit="bytes" if total else ""))

    return report


def _computer_of(choices: Sequence[Choice]) -> Computer:
    """What torch computes with by the packages that it brings."""
    return "cuda" if any(choice.wheel.name.startswith("nvidia-") for choice in choices) else "cpu"


def _distribution(name: str) -> str:
    return name.replace("_", "-")
