"""The core's part of the diagnosis: the engine, the devices, the runtime packs and the workers."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import msgspec

from workbench.backends.llama_cpp import LlamaCppBackend
from workbench.base.catalogue import Shown
from workbench.base.errors import WorkerDied
from workbench.base.paths import Home, absolute_path
from workbench.base.settings import SECTIONS, Settings
from workbench.base.stored import Unreadable
from workbench.base.training_environment import installed_folder, missing_packages
from workbench.core.preferences import Preferences
from workbench.core.streams import Handlers, unary
from workbench.engine.inference_calls import DescribeLibrary
from workbench.processes.process import TORCH_VARIABLE
from workbench.reading.other_programs import diagnose_reading
from workbench.records.diagnosis import ENGINE, LIBRARY, NO_PACK, VARIANT, Diagnosis, Fact, Section
from workbench.records.runtime import Trial
from workbench.subjects.documents.embedder import Embedding
from workbench.subjects.machine import calls
from workbench.subjects.machine.checks import local_diagnosis, write_report
from workbench.subjects.machine.engines import Engines
from workbench.subjects.machine.service import RuntimePacks
from workbench.training.worker_host import TrainingWorkers

_PATHS = re.compile(r"(?:[A-Za-z]:)?[/\\][^\s:;,)]+")
_INSTRUCTIONS = (
    "sse4_2",
    "avx",
    "f16c",
    "fma",
    "bmi2",
    "avx2",
    "avx_vnni",
    "avx512f",
    "avx512_vnni",
    "avx512_bf16",
    "amx_int8",
)


@dataclass(frozen=True, eq=False)
class Diagnosing:
    _home: Home
    _preferences: Preferences
    _backend: LlamaCppBackend
    _embedding: Embedding
    _training: TrainingWorkers
    _packs: RuntimePacks
    _engines: Engines

    def handlers(self) -> Handlers:
        return {
            calls.Diagnose: unary(lambda call: self.diagnose()),
            calls.SaveReport: unary(self.save_report),
            calls.WarmUp: unary(lambda call: self._embedding.warm_up()),
        }

    def diagnose(self) -> Diagnosis:
        return local_diagnosis(self._home) + self._engine() + self._runtime() + diagnose_reading() + self._state()

    def save_report(self, call: calls.SaveReport) -> calls.SavedReport:
        path = absolute_path(call.path)
        write_report(path, self._home, self.diagnose())
        return calls.SavedReport(path=str(path), bytes=path.stat().st_size)

    def _engine(self) -> Diagnosis:
        try:
            library = self._backend.host.call(DescribeLibrary())
            devices = self._backend.list_devices()
        except WorkerDied as death:
            code = f" (exit code {death.exit_code})" if death.exit_code is not None else ""
            return Diagnosis(problems=(f"The model process cannot be started{code}. Install the program again.",))
        facts = [Fact(LIBRARY, library.build), Fact(VARIANT, _variant(library.variant))]
        facts += [
            Fact(device.name, f"{device.kind}, {device.description}, {device.memory_bytes / 1e9:.1f} GB")
            for device in devices
        ]
        problems: tuple[str, ...] = ()
        engines = self._engines.state()
        facts.append(Fact("chosen", scrubbed(engines.reason)))
        if engines.used != engines.chosen:
            problems += (scrubbed(engines.reason),)
        if library.pack_problem:
            problem = scrubbed(library.pack_problem)
            problems += (f"The runtime pack was not loaded: {problem} The processor computes instead.",)
        return Diagnosis(sections=(Section(ENGINE, tuple(facts)),), problems=problems)

    def _runtime(self) -> Diagnosis:
        state = self._packs.state()
        facts = [Fact("chosen", scrubbed(state.choice.reason))]
        if state.choice.torch_reason:
            facts.append(Fact("search and training", scrubbed(state.choice.torch_reason)))
        for pack in state.packs:
            trial = state.choice.trials.get(pack.name)
            facts.append(Fact(pack.name, _tried(trial, pack.name in (state.choice.pack, state.choice.torch))))
        facts.append(Fact("PyTorch", torch_version(self._home.training)))
        facts.append(Fact("training", _training(self._home.training)))
        unused = [pack.name for pack in state.packs if pack.backend != "torch-cuda" and pack.name != state.choice.pack]
        problems: tuple[str, ...] = ()
        if unused and not state.choice.pack and not state.choice.reason.startswith("You chose"):
            problems = (NO_PACK.format(reason=scrubbed(state.choice.reason)),)
        return Diagnosis(sections=(Section("What computes", tuple(facts)),), problems=problems)

    def _state(self) -> Diagnosis:
        hosts = (self._backend.host, self._embedding.host, *self._training.hosts)
        facts = [Fact(f"{host.worker} worker", host.state) for host in hosts]
        facts += [Fact(name, value) for name, value in changed_settings(self._preferences.current)]
        problems = tuple(scrubbed(problem) for problem in self._preferences.current.problems)
        return Diagnosis(sections=(Section("State", tuple(facts)),), problems=problems)


def scrubbed(text: str) -> str:
    """A sentence without the paths in it."""
    return _PATHS.sub("…", text)


def _variant(variant: str) -> Shown:
    if not variant:
        return "built for the kind of processor that compiled it"
    has = _instructions()
    return f"{variant}, the best that this processor has the instructions for ({has})" if has else variant


def _instructions() -> str:
    try:
        flags = next(
            line.partition(":")[2].split()
            for line in Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines()
            if line.startswith("flags")
        )
    except (OSError, StopIteration):
        return ""
    return ", ".join(name for name in _INSTRUCTIONS if name in flags)


def _tried(trial: Trial | None, used: bool) -> str:
    if trial is None:
        return "not tried"
    driver = f" (driver {trial.driver})" if trial.driver else ""
    if trial.problem:
        return f"not used{driver}: {scrubbed(trial.problem)}"
    state = "in use" if used else "works, not in use"
    if not trial.speed:  # a pack of torch
        return f"{state}{driver}: {trial.device}"
    return f"{state}{driver}: {trial.speed:.1f} tokens/s on {trial.device}, processor {trial.processor_speed:.1f}"


def _training(folder: Path) -> str:
    missing = missing_packages(folder)
    found = installed_folder(folder)
    if not missing:
        where = "the program's own packages" if not missing_packages() else "set up in the data folder"
        return f"ready: {where}"
    if isinstance(found, Unreadable):
        return f"not ready. {scrubbed(found.reason)}"
    return "not set up (workbench runtime add training); missing: " + ", ".join(missing).replace("_", "-")


def torch_version(training: Path | None = None) -> str:
    """The release of torch that the workers import: of the folder that replaces the program's, where there is one, the
    program's own, or that of the folder ``training``."""
    folder = os.environ.get(TORCH_VARIABLE)
    path = [*([folder] if folder else ()), *([str(training)] if training is not None else ()), *sys.path]
    found = next(iter(metadata.distributions(name="torch", path=path)), None)
    return found.version if found is not None else "not installed"


def changed_settings(settings: Settings) -> list[tuple[str, str]]:
    """Settings other than the default. Texts and lists of them are left out: they may name anything."""
    changed = []
    for section, kind in SECTIONS.items():
        plain = msgspec.to_builtins(getattr(settings, section))
        for name, default in msgspec.to_builtins(kind()).items():
            if plain[name] != default:
                shown = str(plain[name]).lower() if isinstance(plain[name], bool | int | float) else "changed"
                changed.append((f"{section}.{name}", shown))
    return changed
