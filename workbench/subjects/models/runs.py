"""The kind of run that downloads a model from the hub: resumed where it was, in the catalogue once it is verified."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from workbench.api import events
from workbench.api.events import Event
from workbench.api.protocol import finish
from workbench.base.errors import UserError
from workbench.base.stored import Stored
from workbench.core.change_notifier import ChangeNotifier
from workbench.gguf.names import file_safe
from workbench.network.gate import Gate
from workbench.network.http import open_client
from workbench.records.hub import HubFile, RemoteFile
from workbench.subjects.models.checksums import Checksums
from workbench.subjects.models.download import download
from workbench.subjects.models.folders import ModelFolders
from workbench.subjects.models.hub import Hub
from workbench.subjects.models.importing import import_model
from workbench.subjects.models.store import ModelCatalogue
from workbench.subjects.runs.calls import RunRecord
from workbench.subjects.runs.kinds import OpenRun, RunKind

EVERY_S = 0.5


class DownloadConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What is downloaded: the files of one model of ``repository`` at a commit, with its image encoder where it has
    one, into the folder ``folder`` of the folder ``root``, "" for that of the home's models."""

    repository: str
    revision: str
    file: HubFile
    folder: str
    projector: RemoteFile | None = None
    name: str = ""
    root: str = ""


class Downloaded(msgspec.Struct, frozen=True, kw_only=True):
    """The model of the catalogue, and its (first) file."""

    model: str
    path: str


def download_folder(repository: str, revision: str) -> str:
    """The name of the folder of a repository's files at a commit: another commit has another one."""
    return f"{file_safe(repository.replace('/', '--'))}-{revision[:12]}"


@dataclass(frozen=True, eq=False)
class DownloadRuns(RunKind):
    """Downloads go on by themselves after an interruption."""

    config = Stored("config of this run", DownloadConfig)
    result = Stored("result of this run", Downloaded)
    auto_resume = True
    resumable = True

    _folders: ModelFolders
    _catalogue: ModelCatalogue
    _checksums: Checksums
    _gate: Gate
    _hub: Callable[[], Hub]
    _changes: ChangeNotifier

    def concurrency_group(self, run: RunRecord) -> str:
        return "download"

    def work(self, run: OpenRun) -> Event:
        config = msgspec.convert(run.record.config, DownloadConfig)
        root = self._folders.use(Path(config.root) if config.root else self._folders.own)
        folder = root / config.folder
        projector = (config.projector,) if config.projector is not None else ()
        whole = sum(part.bytes for part in (*projector, *config.file.parts))
        before, began, first, said = 0, time.monotonic(), -1, 0.0

        def progress(done: int, total: int) -> None:
            nonlocal first, said
            now, reached = time.monotonic(), before + done
            if first < 0:
                first = reached
            if now - said < EVERY_S and done < total:
                return
            said = now
            speed = (reached - first) / max(0.1, now - began)
            left = (whole - reached) / speed if speed and whole else None
            run.emit(
                events.Progress(
                    stage="downloading", done=reached, total=whole, unit="bytes", seconds_left=left,
                    detail=config.file.name,
                )
            )  # fmt: skip

        paths: list[Path] = []
        with open_client(self._gate, "hub", context=run.context) as client:
            for part in (*projector, *config.file.parts):
                headers = self._hub().headers()
                path = download(part, folder, client, run.context, progress=progress, headers=headers)
                if part.sha256:
                    self._checksums.remember(path, part.sha256)
                before += part.bytes
                if part is not config.projector:
                    paths.append(path)
        known = next((one for one in self._catalogue.list_models() if one.path == str(paths[0])), None)
        if known is None:
            taken = [model.name for model in self._catalogue.list_models()]
            try:
                known = import_model(paths[0], root, self._checksums, taken=taken, name=config.name)
            except UserError:
                shutil.rmtree(folder, ignore_errors=True)  # it is no model
                raise
            known = msgspec.structs.replace(known, owned=True)
            self._catalogue.put(known)
            self._changes.publish("model", known.name)
        return finish(Downloaded(model=known.name, path=known.path))
