"""Whether models fit this machine: those on the disk, and those of the hub by their headers alone.

The header of a GGUF model on the hub, fetched by range into sparse files of the full size.

A header is 0.5 to 20 MB, most of it the vocabulary. What lies behind it is a hole that takes no space, so that the file
reads like the whole one for all that looks at metadata and the tensor table only.
"""

from __future__ import annotations

import re
import shutil
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import msgspec

from workbench.api.events import Event, Progress
from workbench.api.protocol import RequestContext, finish, with_progress
from workbench.backends.llama_cpp import LlamaCppBackend
from workbench.base.errors import UserError, WorkerDied
from workbench.base.sparse_files import lengthen
from workbench.core.streams import Handlers
from workbench.engine.fitting import estimate_fit
from workbench.engine.fitting_calls import MeasureFit
from workbench.gguf.inspection import inspect_path
from workbench.gguf.projectors import choose_projector
from workbench.gguf.reader import read_gguf
from workbench.network.gate import Gate
from workbench.network.http import open_client, refuse_web_page
from workbench.processes.host import WorkerHost
from workbench.records.fit import Fit
from workbench.records.hub import HubFile, RemoteFile
from workbench.records.models import ModelRecord
from workbench.subjects.models import calls
from workbench.subjects.models.download import open_following, refuse_status
from workbench.subjects.models.hub import Hub
from workbench.subjects.models.hub_service import chosen_file
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
        yield finish(self._fit(model, call.context_tokens, context))

    def fit_hub_file(self, call: calls.FitHubFile, context: RequestContext) -> Iterator[Event]:
        yield finish((yield from with_progress(lambda report: self.measure(call, context, report))))

    def measure(self, call: calls.FitHubFile, context: RequestContext, report: Callable[[Event], None]) -> Fit:
        """Whether a model of the hub fits, by its header, which is fetched. Raises UserError."""
        path = self._header(call, context, report)
        return self._fit(msgspec.structs.replace(inspect_path(path).model, projector=_projector_of(path)), 0, context)

    def close(self) -> None:
        """Remove the headers."""
        self.host.close()
        with self._lock:
            if self._folder is not None:
                shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None
            self._headers.clear()

    def _fit(self, model: ModelRecord, context_tokens: int, context: RequestContext) -> Fit:
        path = Path(model.path)
        load = self._backend.describe_load(model, context_tokens)
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
        """The first file of the model as a header with a hole behind it. Its projector lies beside it, as a hole of its
        size."""
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
            for projector in listed.projectors:
                if projector.name == choose_projector([one.name for one in listed.projectors], file.name):
                    with (folder / _PROJECTOR).open("wb") as hole:
                        lengthen(hole, folder / _PROJECTOR, min(projector.bytes, LARGEST_FILE))
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        with self._lock:
            self._headers[key] = path
            while len(self._headers) > MOST_HEADERS:
                _, old = self._headers.popitem(last=False)
                shutil.rmtree(old.parent, ignore_errors=True)
        return path


def _projector_of(header: Path) -> str:
    """The file that stands for the projector of a model of the hub, "" where it has none."""
    path = header.parent / _PROJECTOR
    return str(path) if path.is_file() else ""


_PROJECTOR = "projector.hole"
FIRST_BYTES = 2 << 20
MOST_BYTES = 64 << 20
LARGEST_FILE = 1 << 43
LATER_FIRST_BYTES = 256 << 10
"""Of the files of a split model after the first, which have a tensor table only."""

_RANGE = re.compile(r"bytes (\d{1,19})-\d{1,19}/(\d{1,19}|\*)")
_LATER = "Try again later."


def fetch_headers(
    file: HubFile,
    folder: Path,
    client: httpx2.Client,
    context: RequestContext,
    *,
    headers: dict[str, str] | None = None,
    report: Callable[[int], None] = lambda fetched: None,
) -> tuple[Path, int]:
    """Write the model's files, sparse behind their headers, into a folder; returns the first one and the bytes that
    were fetched. Raises UserError with the server's reason, or when the file is no model; errors.Cancelled."""
    folder.mkdir(parents=True, exist_ok=True)
    fetched = 0
    for number, part in enumerate(file.parts):
        wanted = LATER_FIRST_BYTES if number else FIRST_BYTES
        fetched += _fetch(part, folder / part.name, client, context, headers or {}, wanted)
        report(fetched)
    return folder / file.parts[0].name, fetched


def _fetch(
    part: RemoteFile, path: Path, client: httpx2.Client, context: RequestContext, headers: dict[str, str], wanted: int
) -> int:
    """Fetch more and more of a file until its header is whole; returns the bytes fetched."""
    path.unlink(missing_ok=True)
    have = 0
    while True:
        context.raise_if_cancelled()
        have, size = _append(part, path, client, headers, have, min(wanted, MOST_BYTES))
        problem: UserError | None = None
        try:
            header = read_gguf(path)
            if header.header_bytes <= have:
                return have
        except UserError as error:
            problem = error  # it may only be cut
        if have >= min(size, MOST_BYTES):
            path.unlink(missing_ok=True)
            raise problem or UserError(f"The header of {part.name} is larger than {MOST_BYTES >> 20} MB.")
        wanted = 2 * wanted


def _append(
    part: RemoteFile, path: Path, client: httpx2.Client, headers: dict[str, str], have: int, upto: int
) -> tuple[int, int]:
    """Fetch the bytes from ``have`` to ``upto``; returns how many there are now, and the size of the whole file."""
    asked = {"Accept-Encoding": "identity", "Range": f"bytes={have}-{upto - 1}"}
    try:
        with open_following(client, part.url, asked, headers) as response:
            refuse_web_page(response)
            refuse_status(response, part.name)
            if response.status_code == 206:
                start, size = _range_of(response, part.name)
                if start != have:
                    raise UserError(f"The hub sent another part of {part.name} than was asked for.", _LATER)
            else:  # the server ignores ranges: what is read of the whole is enough
                size, start = _count(response.headers.get("content-length", "")), 0
            size = size or part.bytes
            if not 0 < size <= LARGEST_FILE or (part.bytes and size != part.bytes):
                raise UserError(
                    f"{part.name} has {size:,} bytes on the server; {part.bytes:,} were announced.",
                    "Look the repository up again.",
                )
            end = min(upto, size)
            with path.open("r+b" if path.exists() else "wb") as opened:
                lengthen(opened, path, size)
                opened.seek(start)
                for block in response.iter_raw():
                    opened.write(block[: end - start])
                    start += min(len(block), end - start)
                    if start >= end:
                        break
    except httpx2.TransportError as error:
        raise UserError(f"{part.name} cannot be read on the hub: {error or type(error).__name__}.") from error
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror or error}.", "Free some space.") from error
    if start <= have:
        raise UserError(f"The hub sent nothing of {part.name}.", _LATER)
    return start, size


def _range_of(response: httpx2.Response, name: str) -> tuple[int, int]:
    """Where the part begins, and the size of the whole file, 0 where it is not known."""
    found = _RANGE.fullmatch(response.headers.get("content-range", "").strip())
    if found is None:
        raise UserError(f"The hub sent a part of {name} without saying which one.", _LATER)
    return int(found[1]), _count(found[2])


def _count(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 20 else 0
