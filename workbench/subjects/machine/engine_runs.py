"""The kind of run that adds an engine: fetched from the package index or read from a file, compiled where it is a
source package, installed, tested, and used where it passes."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from workbench.api import events
from workbench.api.events import Event, Log, Progress
from workbench.api.protocol import RequestContext, finish
from workbench.base.errors import UserError
from workbench.base.paths import Home, absolute_path
from workbench.base.settings import Settings
from workbench.base.stored import Stored
from workbench.core.streams import Handlers, unary
from workbench.network.gate import Gate
from workbench.network.http import open_client
from workbench.network.package_index import PackageFile, find_package
from workbench.records.engines import EngineOffer, EngineTest
from workbench.records.runtime import PackManifest
from workbench.subjects.machine import calls
from workbench.subjects.machine.engine_building import build_engine, find_tools
from workbench.subjects.machine.engine_store import DISTRIBUTION
from workbench.subjects.machine.engines import Engines
from workbench.subjects.models.download import download
from workbench.subjects.runs.calls import RunRecord
from workbench.subjects.runs.kinds import OpenRun, RunKind
from workbench.subjects.runs.queue import Runs

KIND, LATEST = "engine", "latest"
BUILD_LOG = "build.log"
MOST_OFFERED = 12
EVERY_S = 0.5


class AddedEngine(msgspec.Struct, frozen=True, kw_only=True):
    """The installed engine, its test, and whether it is used now."""

    name: str
    test: EngineTest
    used: bool = False


@dataclass(frozen=True, eq=False)
class EngineRuns(RunKind):
    """Engines are added one after the other, and wait for no training."""

    config = Stored("config of this run", calls.AddEngine)
    result = Stored("result of this run", AddedEngine)

    _home: Home
    _engines: Engines
    _gate: Gate
    _settings: Callable[[], Settings]

    def concurrency_group(self, run: RunRecord) -> str:
        return KIND

    def work(self, run: OpenRun) -> Event:
        call = msgspec.convert(run.record.config, calls.AddEngine)
        path = Path(call.path) if call.path else self._fetched(call.version, run)
        manifest = self._installed(path, run)
        if not call.path:
            path.unlink(missing_ok=True)
        run.emit(Log(text=f"{manifest.base} is installed."))
        test = self._engines.try_out(manifest, lambda step: run.emit(Progress(stage=f"testing: {step}")), run.context)
        if not test.problem:
            self._engines.choose(manifest.name)
        return finish(AddedEngine(name=manifest.name, test=test, used=not test.problem))

    def _installed(self, path: Path, run: OpenRun) -> PackManifest:
        store, report = self._engines.store, _reporting(run)
        run.emit(Progress(stage="reading"))
        if path.is_dir():
            return store.add_folder(path, run.context)
        if path.suffix == ".whl":
            return store.add_wheel(path, run.context, lambda done, total: report("unpacking", done, total))
        if path.suffix == ".pack":
            return store.add_pack(path)
        if not path.name.endswith(".tar.gz"):
            raise UserError(
                f"{path} is neither a wheel (.whl), nor a source package (.tar.gz), nor a pack (.pack).",
                f"Choose one of them, or a folder that holds a llama_cpp, of {DISTRIBUTION}.",
            )
        work = store.build_folder
        try:
            work.mkdir(parents=True, exist_ok=True)
            log = self._home.run(run.id) / BUILD_LOG
            built = build_engine(path, work, log, run.context, report)
            return store.add_folder(built, run.context, path.name)
        finally:
            shutil.rmtree(work, ignore_errors=True)

    def _fetched(self, version: str, run: OpenRun) -> Path:
        run.emit(Progress(stage="asking the package index"))
        found = find_package(self._gate, self._settings().network.package_index, DISTRIBUTION, run.context)
        file = choose_file(found, version)
        if not file.wheel:
            find_tools()  # before anything large is downloaded
        report = _reporting(run)
        with open_client(self._gate, "packages", context=run.context) as client:
            return download(
                file.remote, self._engines.store.download_folder, client, run.context,
                progress=lambda done, total: report("downloading", done, total or file.remote.bytes),
            )  # fmt: skip


def choose_file(found: tuple[PackageFile, ...], version: str) -> PackageFile:
    """The file to install of a version, or of the latest one: a wheel where there is one. Raises UserError."""
    for file in found:
        if version in (LATEST, file.version):
            return file
    known = ", ".join(list(dict.fromkeys(file.version for file in found))[:5]) or "none"
    raise UserError(
        f"The package index has no {DISTRIBUTION} {version} for this system.", f"The latest that it has: {known}."
    )


def _reporting(run: OpenRun) -> Callable[[str, float, float], None]:
    """Progress with the time that is left, a few times a second."""
    began, stage_now, said = time.monotonic(), "", 0.0

    def report(stage: str, done: float, total: float) -> None:
        nonlocal began, stage_now, said
        now = time.monotonic()
        if stage != stage_now:
            began, stage_now, said = now, stage, 0.0
        if now - said < EVERY_S and done < total:
            return
        said = now
        left = (now - began) * (total - done) / done if total and done and now - began > 2 else None
        unit = "bytes" if stage in ("downloading", "unpacking") else ""
        run.emit(events.Progress(stage=stage, done=done, total=total, unit=unit, seconds_left=left))

    return report


@dataclass(frozen=True, eq=False)
class AddingEngines:
    """Starts the runs, and asks the index what there is."""

    _runs: Runs
    _gate: Gate
    _settings: Callable[[], Settings]

    def handlers(self) -> Handlers:
        return {calls.AddEngine: unary(self.add), calls.FindEngines: self.find}

    def add(self, call: calls.AddEngine) -> RunRecord:
        if bool(call.path) == bool(call.version):
            raise UserError(
                "Name either a file or a version.", "Choose a file, or the version “latest” of the package index."
            )
        if call.path:
            path = absolute_path(call.path)
            if not path.exists():
                raise UserError(f"There is no file or folder {path}.", "Check the path.")
            call = calls.AddEngine(path=str(path))
            return self._runs.add(KIND, f"Engine {path.name}", call)
        return self._runs.add(KIND, f"Engine {DISTRIBUTION} {call.version}", call)

    def find(self, call: calls.FindEngines, context: RequestContext) -> Iterator[Event]:
        yield Progress(stage="asking the package index")
        found = find_package(self._gate, self._settings().network.package_index, DISTRIBUTION, context)
        best: dict[str, PackageFile] = {}
        for file in found:
            best.setdefault(file.version, file)
        offers = [
            EngineOffer(version=file.version, wheel=file.wheel, bytes=file.remote.bytes)
            for file in list(best.values())[:MOST_OFFERED]
        ]
        yield finish(calls.EngineOffers(engines=tuple(offers)))
