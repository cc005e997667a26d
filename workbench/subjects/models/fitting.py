"""Whether models fit this machine: those on the disk, and those of the hub by their headers alone."""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from workbench.api.events import Event, Progress
from workbench.api.protocol import RequestContext, finish, with_progress
from workbench.backends.llama_cpp import LlamaCppBackend
from workbench.base.errors import UserError, WorkerDied
from workbench.core.streams import Handlers
from workbench.engine.fitting import estimate_fit
from workbench.engine.fitting_calls import MeasureFit
from workbench.gguf.inspection import inspect_path
from workbench.network.gate import Gate
from workbench.network.http import open_client
from workbench.processes.host import WorkerHost
from workbench.records.fit import Fit
from workbench.subjects.models import calls
from workbench.subjects.models.hub import Hub
from workbench.subjects.models.hub_service import chosen_file
from workbench.subjects.models.remote_header import fetch_headers
from workbench.subjects.models.store import ModelCatalogue

MOST_HEADERS = 24
"""So many models' headers stay in a temporary folder until the program ends."""


@dataclass(eq=False)
class Fitting:
    _catalogue: ModelCatalogue
    _backend: LlamaCppBackend
    _hub: Callable[[], Hub]
    _gate: Gate
    host: WorkerHost
    _headers: OrderedDict[tuple[str, str, str], Path] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _folder: Path | None = None

    def handlers(self) -> Handlers:
        return {calls.FitModel: self.fit_model, calls.FitHubFile: self.fit_hub_file}

    def fit_model(self, call: calls.FitModel, context: RequestContext) -> Iterator[Event]:
        known = self._catalogue.find(call.name)
        if known is None and not Path(call.name).expanduser().is_absolute():
            known = self._catalogue.get(call.name)  # names the existing ones
        model = known or inspect_path(Path(call.name).expanduser()).model
        if model.format != "gguf":
            raise UserError(
                f"{model.name} is a safetensors folder, which is trained and not run.", "Export it as GGUF."
            )
        yield Progress(stage="fitting")
        yield finish(self._fit(Path(model.path), call.context_tokens, context))

    def fit_hub_file(self, call: calls.FitHubFile, context: RequestContext) -> Iterator[Event]:
        yield finish((yield from with_progress(lambda report: self.measure(call, context, report))))

    def measure(self, call: calls.FitHubFile, context: RequestContext, report: Callable[[Event], None]) -> Fit:
        """Whether a model of the hub fits, by its header, which is fetched. Raises UserError."""
        return self._fit(self._header(call, context, report), 0, context)

    def close(self) -> None:
        """Remove the headers."""
        self.host.close()
        with self._lock:
            if self._folder is not None:
                shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None
            self._headers.clear()

    def _fit(self, path: Path, context_tokens: int, context: RequestContext) -> Fit:
        load = self._backend.describe_load(str(path), context_tokens)
        loaded = self._backend.loaded
        released = loaded[1].memory if loaded is not None else ()
        load = msgspec.structs.replace(load, anyway=False)
        try:
            return self.host.call(MeasureFit(load=load, released=released), context=context)
        except WorkerDied as death:
            fit = estimate_fit(path, load, path.parent, (), released)
            why = "llama.cpp stopped while it read this model's header; the file may be damaged"
            return msgspec.structs.replace(fit, verdict="unknown", reason=f"{why} ({str(death).rstrip('.')}).")

    def _header(self, call: calls.FitHubFile, context: RequestContext, report: Callable[[Event], None]) -> Path:
        """The first file of the model as a header with a hole behind it."""
        listed = self._hub().files(call.repository, call.revision, context=context)
        file = chosen_file(listed, call.file)
        key = (listed.repository, listed.revision, file.name)
        with self._lock:
            known = self._headers.get(key)
            if known is not None and known.exists():
                self._headers.move_to_end(key)
                return known
            if self._folder is None:
                self._folder = Path(tempfile.mkdtemp(prefix="workbench-headers-"))
            folder = Path(tempfile.mkdtemp(dir=self._folder))

        def fetched(count: int) -> None:
            report(Progress(stage="reading the header", done=count, unit="bytes", detail=file.name))

        try:
            with open_client(self._gate, "hub", context=context) as client:
                headers = self._hub().headers()
                path, _ = fetch_headers(file, folder, client, context, headers=headers, report=fetched)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        with self._lock:
            self._headers[key] = path
            while len(self._headers) > MOST_HEADERS:
                _, old = self._headers.popitem(last=False)
                shutil.rmtree(old.parent, ignore_errors=True)
        return path
