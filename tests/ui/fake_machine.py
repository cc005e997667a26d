"""What the fake core computes on, its runtime packs, the versions that it hears of, and its reports."""

from __future__ import annotations

import time
import zipfile
from pathlib import Path
from typing import Any, Literal

import msgspec

from tests.ui.fake_home import FakeHome
from workbench import calls as c
from workbench.api import events
from workbench.base.errors import UserError
from workbench.records.backup import BackupSummary, BackupWritten, LeftOut, ModelElsewhere, Restored
from workbench.records.diagnosis import (
    DOCUMENTS,
    ENGINE,
    LIBRARY,
    OFFICE,
    RECOGNITION,
    VARIANT,
    Diagnosis,
    Fact,
    Section,
)
from workbench.records.runtime import Backend, PackFile, PackFileOffer, PackManifest, Trial
from workbench.records.training_packages import TrainingOffer, TrainingPackages, TrainingSetUp

BASE = "llama-cpp-python 0.3.16"
GPU = "NVIDIA RTX 4070"
CHECKOUT = UserError(
    "This program was installed by pip or runs from a checkout, which are updated there.",
    "Use pip install --upgrade, or update the checkout.",
)
UPDATE = c.Update(
    version="0.2.0",
    current="0.1.0",
    newer=True,
    published="2026-11-26",
    notes="- Answers from documents are checked twice as fast.\n- The Vulkan pack works on more GPUs.",
    file="llm-workbench_0.2.0_amd64.deb",
    bytes=574_000_000,
    url="https://example.org/releases/llm-workbench_0.2.0_amd64.deb",
)
WORKS = Trial(
    tokens=64, speed=142.3, processor_speed=31.8, layers=31, device=GPU, same=True, driver="1.3.289", seconds=9.1
)
SLOW = msgspec.structs.replace(
    WORKS, speed=12.0, problem="It is slower than the processor: 12.0 against 31.8 tokens per second."
)


OFFERS = (
    PackFileOffer(
        name="vulkan-1", backend="vulkan", base=BASE, platform="linux-x86_64", url="vulkan-1.pack", bytes=14_000_000,
        sha256="a" * 64,
    ),
)  # fmt: skip


PACKAGES = {"torch": "2.13.0+cpu", "transformers": "5.24.0", "peft": "0.21.2", "trl": "1.16.0"}
WITHOUT_TRAINING = TrainingPackages(ready=False, missing=tuple(PACKAGES))


def pack(name: str, backend: Backend = "vulkan") -> PackManifest:
    file = PackFile(name=f"{name}.so", bytes=60_000_000, sha256="a" * 64)
    return PackManifest(
        name=name, backend=backend, base=BASE, platform="linux-x86_64", library=file.name, files=(file,)
    )


BACKUP = BackupSummary(
    created=1_764_417_600.0,
    version="0.1.0",
    home="/home/you/.local/share/llm-workbench",
    files=212,
    bytes=104_000_000,
    left_out=(LeftOut(name="Read the manuals", reason="This run was under way."),),
    elsewhere=(ModelElsewhere(name="Mistral 7B", path="/data/mistral-7b.gguf", bytes=4_100_000_000),),
)


def do(home: FakeHome, call: Any) -> tuple[Any, list[tuple[str, str]]] | None:
    """The result of a call, and what it changed; None for calls of others."""
    match call:
        case c.GetRuntime():
            return home.runtime, []
        case c.GetTrainingPackages():
            return home.training_packages, []
        case c.OfferTrainingPackages():
            return _offered(call), []
        case c.SetUpTraining():
            return _set_up(home, call)
        case c.RemoveTrainingPackages():
            home.training_packages = WITHOUT_TRAINING
            return WITHOUT_TRAINING, [("worker", "")]
        case c.InstallPack():
            path = Path(call.path)
            if not path.is_file():
                raise UserError(f"{path} cannot be read: No such file or directory.")
            return _installed(home, path.stem), [("worker", "")]
        case c.TryPack():
            return _tried(home, _known(home, call.name)), [("worker", "")]
        case c.UseProcessor():
            return _chosen(home, pack="", reason="You chose the processor."), [("worker", "")]
        case c.RemovePack():
            return _removed(home, _known(home, call.name)), [("worker", "")]
        case c.Diagnose():
            return _diagnosis(home), []
        case c.SaveReport():
            return _saved(home, Path(call.path)), []
        case c.BackUp():
            written = BackupWritten(path=call.path, size=91_000_000, summary=BACKUP)
            return _copied(home, "backup", f"Back up to {Path(call.path).name}", call, written)
        case c.InspectBackup():
            return _summary(call.path), []
        case c.RestoreBackup():
            summary = _summary(call.path)
            restored = Restored(home=call.folder or "/home/you/llm-workbench-restored", summary=summary)
            return _copied(home, "restore", f"Restore {Path(call.path).name}", call, restored)
        case c.FindPacks():
            _update(home)
            return c.PackOffers(packs=OFFERS), []
        case c.DownloadPack():
            return _installed(home, call.name), [("worker", "")]
        case c.CheckUpdate():
            return _update(home), []
        case c.DownloadUpdate():
            fetched = f"/home/ada/workbench/updates/{_update(home).file}"
            how = f"Install it with: sudo apt install {fetched}"
            return msgspec.structs.replace(_update(home), path=fetched, how=how), []
    return None


def _known(home: FakeHome, name: str) -> str:
    if name not in {one.name for one in home.runtime.packs}:
        raise UserError(f"There is no runtime pack {name!r}.", "Those that are installed: none.")
    return name


def _chosen(home: FakeHome, **changes: Any) -> c.RuntimeState:
    choice = msgspec.structs.replace(home.runtime.choice, **changes)
    home.runtime = msgspec.structs.replace(home.runtime, choice=choice)
    return home.runtime


def _tried(home: FakeHome, name: str) -> c.RuntimeState:
    """A pack with "slow" in its name is."""
    trial = SLOW if "slow" in name else WORKS
    trials = {**home.runtime.choice.trials, name: trial}
    if trial.problem:
        reason = f"The Vulkan pack is not used, and the processor computes: {trial.problem}"
        return _chosen(home, trials=trials, pack="", reason=reason)
    reason = f"Vulkan on {GPU} computes: {trial.speed} tokens per second, the processor {trial.processor_speed}."
    return _chosen(home, trials=trials, pack=name, reason=reason)


def _installed(home: FakeHome, name: str) -> c.RuntimeState:
    packs = {one.name: one for one in home.runtime.packs} | {name: pack(name)}
    home.runtime = msgspec.structs.replace(home.runtime, packs=tuple(packs.values()))
    return _tried(home, name)


def _removed(home: FakeHome, name: str) -> c.RuntimeState:
    left = tuple(one for one in home.runtime.packs if one.name != name)
    home.runtime = msgspec.structs.replace(home.runtime, packs=left)
    trials = {key: trial for key, trial in home.runtime.choice.trials.items() if key != name}
    if home.runtime.choice.pack != name:
        return _chosen(home, trials=trials)
    reason = f"The runtime pack {name} was removed; the processor computes."
    return _chosen(home, trials=trials, pack="", reason=reason)


def _summary(path: str) -> BackupSummary:
    if not Path(path).is_file():
        raise UserError(f"There is no file {path}.", "Check the path.")
    return BACKUP


def _copied(
    home: FakeHome, kind: Literal["backup", "restore", "training-packages"], title: str, call: Any, result: Any
) -> tuple[c.RunRecord, list[tuple[str, str]]]:
    """A run that is at its end at once."""
    config, plain = msgspec.to_builtins(call), msgspec.to_builtins(result)
    config.pop("call")
    run = c.RunRecord(
        id=f"r{next(home.numbers)}", kind=kind, title=title, state="finished", created=time.time(), ended=time.time(),
        config=config, result=plain,
    )  # fmt: skip
    told = (events.Progress(stage="copying", done=1, total=2, unit="bytes"), events.Finished(result=plain))
    home.runs[run.id] = run
    home.run_events[run.id] = [events.stamped(event, n, time.time()) for n, event in enumerate(told, 1)]
    return run, [("run", run.id)]


def _offered(call: c.OfferTrainingPackages) -> TrainingOffer:
    if call.source and not Path(call.source).exists():
        raise UserError(f"There is no {call.source}.", "Choose a folder of wheels, or a pack file.")
    why = "No driver of an NVIDIA GPU was found, so the build of torch for the processor is chosen."
    return TrainingOffer(
        computer="cpu", why=why, packages=PACKAGES, download_bytes=0 if call.source else 304_000_000,
        disk_bytes=1_015_000_000, free_bytes=48_000_000_000, host="" if call.source else "pypi.org",
    )  # fmt: skip


def _set_up(home: FakeHome, call: c.SetUpTraining) -> tuple[c.RunRecord, list[tuple[str, str]]]:
    result = TrainingSetUp(computer="cpu", packages=PACKAGES, bytes=1_015_000_000, seconds=41.0)
    home.training_packages = TrainingPackages(
        ready=True, place="folder", computer="cpu", versions=PACKAGES, bytes=result.bytes, source=call.source
    )
    run, changed = _copied(home, "training-packages", "Set up training", call, result)
    return run, [*changed, ("worker", "")]


def _diagnosis(home: FakeHome) -> Diagnosis:
    variant = "zen4, the best that this processor has the instructions for (sse4_2, avx, avx2, avx512f)"
    engine = Section(ENGINE, (Fact(LIBRARY, "b6942 (1b7d4c3)"), Fact(VARIANT, variant)))
    machine = Section("Machine", (Fact("processor", home.machine.processor), Fact("cores", str(home.machine.cores))))
    chosen = Section("What computes", (Fact("chosen", home.runtime.choice.reason),))
    documents = Section(DOCUMENTS, (Fact(RECOGNITION, "Tesseract 5.5.0 (deu, eng)"), Fact(OFFICE, "found")))
    return Diagnosis(sections=(machine, engine, chosen, documents))


def _saved(home: FakeHome, path: Path) -> c.SavedReport:
    try:
        with zipfile.ZipFile(path, "w") as packed:
            packed.writestr("diagnosis.txt", _diagnosis(home).text())
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror}.", "Choose another folder.") from error
    return c.SavedReport(path=str(path), bytes=path.stat().st_size)


def _update(home: FakeHome) -> c.Update:
    """Raises UserError where the program hears of no versions, or may not ask."""
    if home.update is None:
        raise CHECKOUT
    if home.settings.general.offline or not home.settings.network.updates:
        raise UserError(
            "The network is switched off for looking for new versions and runtime packs.",
            "Switch it on in Settings · Network.",
        )
    return home.update
