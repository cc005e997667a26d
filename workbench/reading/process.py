"""ReaderProcess: reads files in a process of its own, within limits, and gives the reason when a file cannot be read.

The process starts with the first file, is reused for the next ones, and is replaced when a file exceeds its time or
memory or kills it. Light to import: no parser runs in this process.
"""

from __future__ import annotations

import queue
import shutil
import signal
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec
import psutil

from workbench.api import events
from workbench.api.events import Event
from workbench.api.protocol import Call, error_of, read_result
from workbench.base import errors
from workbench.base.errors import UserError, WorkerDied
from workbench.base.pixels import Pixels, read_pixels
from workbench.processes.host import WorkerHost
from workbench.reading.kinds import CONVERTED, kind_of
from workbench.reading.reader_calls import (
    DecodedImage,
    DecodeImage,
    DrawDocumentPage,
    QueryTables,
    ReadChatExport,
    ReadDocument,
    ReadFile,
    ReadLimits,
    RecognisedPage,
    RecognisePage,
    TableAnswer,
    out_of_memory,
)
from workbench.reading.recognition import with_recognised_pages
from workbench.reading.unlocking import FileLocked
from workbench.records.chat_exports import ChatExport
from workbench.records.documents import PagePicture

R = TypeVar("R")

POLL_S = 0.05
LEAST_SECONDS_LEFT = 0.5
"""A file that killed a used process is not tried again with less remaining time than this."""

DEFAULT_LIMITS = ReadLimits()
RECOGNITION_TIMES = 6
"""A page may be recognised for so many times the time limit of a file: 3 s of computing on two cores, ten times that
where other programs use them. So long an old document may be converted, too."""
LARGEST_IDLE_BYTES = 350_000_000
"""A larger process is replaced before the next file, which may need the memory."""


class ReaderProcess:
    """One reader process. Thread-safe; files are read one at a time.

    ``log`` gets the stderr of parsers; ``interpreter`` is the Python that runs them (None: this one).
    """

    def __init__(self, log: Path | None = None, interpreter: str | None = None) -> None:
        self._scratch: Path | None = None
        self._host = WorkerHost("reader", interpreter=interpreter, log=log, environment=self._environment)
        self._lock = threading.Lock()

    def read(
        self,
        path: Path,
        limits: ReadLimits = DEFAULT_LIMITS,
        cancelled: Callable[[], bool] = lambda: False,
        *,
        password: str = "",
        report: Callable[[str], None] = lambda place: None,
    ) -> ReadDocument:
        """Read one file of any type. Where text has to be recognised, ``report`` gets which page is next.

        Raises UserError with the reason when the file cannot be read or has no text, FileLocked when it needs another
        password; errors.Cancelled once ``cancelled()`` is true, within about 0.1 s; WorkerDied when no reader process
        can be started.
        """
        name = _sendable(path)
        patient = msgspec.structs.replace(limits, seconds=limits.seconds * RECOGNITION_TIMES)
        spill = Path(tempfile.gettempdir()) / f"llm-workbench-{uuid.uuid4().hex}.txt"
        try:
            within = patient if kind_of(name) in CONVERTED else limits
            call = ReadFile(path=name, spill=str(spill), limits=within, password=password)
            answer = self._ask(call, within, cancelled)
            document = answer.document
            if document is None:
                raise FileLocked(password)
            if answer.is_spilt:
                with spill.open(encoding="utf-8", newline="") as file:
                    document = msgspec.structs.replace(document, text=file.read())
        finally:
            spill.unlink(missing_ok=True)
        if not document.scanned:
            return document

        def recognise(page: int, likely: tuple[str, ...]) -> RecognisedPage:
            call = RecognisePage(path=name, page=page, likely=likely, limits=patient, password=password)
            return self._ask(call, patient, cancelled, keeps=True)

        try:
            return with_recognised_pages(document, recognise, report)
        finally:
            with self._lock:
                self._replace_large()

    def draw_page(
        self,
        path: Path,
        page: int,
        scale: float = 1.5,
        *,
        start: int = 0,
        end: int = 0,
        page_starts: Sequence[int] = (),
        hash: str = "",
        picture: str = "",
        limits: ReadLimits = DEFAULT_LIMITS,
    ) -> PagePicture:
        """Page ``page`` (from 1) of a PDF or a picture, of a PDF with boxes around ``start:end`` of the *document's*
        text.

        ``page_starts`` and ``hash`` are those of the ``ReadDocument`` that the offsets belong to. ``scale`` is pixels
        per point. ``picture``: instead of a page this part of the document (``DocumentPicture``). Raises UserError
        when the file is missing, has changed, or cannot be drawn.
        """
        origin = page_starts[page - 1] if 1 <= page <= len(page_starts) else 0
        call = DrawDocumentPage(
            path=_sendable(path),
            page=page,
            scale=scale,
            hash=hash,
            picture=picture,
            start=max(0, start - origin),
            end=max(0, end - origin),
            limits=limits,
        )
        return self._ask(call, limits, lambda: False)

    def query_tables(
        self,
        paths: Sequence[Path],
        sql: str,
        limits: ReadLimits = DEFAULT_LIMITS,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> TableAnswer:
        """Query the tables of files with SQL; "" describes them. Raises as ``read``."""
        call = QueryTables(paths=tuple(map(_sendable, paths)), sql=sql, limits=limits)
        return self._ask(call, limits, cancelled)

    def read_chat_export(
        self, path: Path, limits: ReadLimits = DEFAULT_LIMITS, cancelled: Callable[[], bool] = lambda: False
    ) -> ChatExport:
        """The chats that another program has exported to a file or folder. Raises as ``read``."""
        into = Path(tempfile.gettempdir()) / f"llm-workbench-{uuid.uuid4().hex}.chats"
        try:
            self._ask(ReadChatExport(path=_sendable(path), into=str(into), limits=limits), limits, cancelled)
            return msgspec.msgpack.decode(into.read_bytes(), type=ChatExport)
        finally:
            into.unlink(missing_ok=True)

    def decode_image(
        self,
        path: Path,
        limits: ReadLimits = DEFAULT_LIMITS,
        cancelled: Callable[[], bool] = lambda: False,
        folder: Path | None = None,
    ) -> tuple[Pixels, Pixels, DecodedImage]:
        """The pixels of an image file, those of a small copy, and what the file says. What the process has written, to
        files in ``folder`` that are deleted at once, is checked like a stranger's file. Raises as ``read``."""
        name = f"llm-workbench-{uuid.uuid4().hex}"
        folder = folder or Path(tempfile.gettempdir())
        into, small = (folder / f"{name}.{ending}" for ending in ("pixels", "small"))
        try:
            call = DecodeImage(path=_sendable(path), into=str(into), small_into=str(small), limits=limits)
            decoded = self._ask(call, limits, cancelled)
            return read_pixels(into), read_pixels(small), decoded
        finally:
            into.unlink(missing_ok=True)
            small.unlink(missing_ok=True)

    @property
    def pid(self) -> int:
        """The process's id, 0 while there is none."""
        return self._host.pid

    def close(self) -> None:
        """End the process. The next file starts a new one."""
        self._host.kill()
        self._remove_scratch()

    def _environment(self) -> dict[str, str]:
        """Of the next process: a folder for its temporary files, which a process that is killed leaves behind."""
        self._remove_scratch()
        self._scratch = Path(tempfile.mkdtemp(prefix="llm-workbench-"))
        # one arena: an arena per thread would keep the memory of the last file
        return {"MALLOC_ARENA_MAX": "1", **dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(self._scratch))}

    def _remove_scratch(self) -> None:
        if self._scratch is not None:
            shutil.rmtree(self._scratch, ignore_errors=True)
            self._scratch = None

    # -- one request ----------------------------------------------------------------------------------

    def _ask(self, call: Call[R], limits: ReadLimits, cancelled: Callable[[], bool], *, keeps: bool = False) -> R:
        """``keeps``: the process stays as it is, for a next call that needs what it has loaded."""
        with self._lock:
            if cancelled():
                raise errors.Cancelled
            seconds_left = limits.seconds
            while True:
                used_before = self._host.pid != 0
                arrived: queue.SimpleQueue[Event] = queue.SimpleQueue()
                self._host.start_call(call, arrived.put)
                started = time.monotonic()
                terminal = self._watch(arrived, limits, started + seconds_left, cancelled)
                if not keeps:
                    self._replace_large()
                if isinstance(terminal, events.Finished):
                    return read_result(call, terminal.result)
                error = error_of(terminal)
                if not isinstance(error, WorkerDied):
                    raise error
                seconds_left -= time.monotonic() - started
                if not used_before or seconds_left < LEAST_SECONDS_LEFT:
                    raise _reason(error, limits)
                # it may have died before this file, or because of earlier ones: a new process decides

    def _replace_large(self) -> None:
        if self._host.memory_bytes > LARGEST_IDLE_BYTES:
            self._host.stop()

    def _watch(
        self, arrived: queue.SimpleQueue[Event], limits: ReadLimits, deadline: float, cancelled: Callable[[], bool]
    ) -> events.Terminal:
        """The terminal event; ends the process and raises when the file exceeds its limits."""
        process = _process(self._host.pid)
        while True:
            try:
                event = arrived.get(timeout=POLL_S)
            except queue.Empty:
                broken = self._broken_limit(process, limits, deadline, cancelled)
                if broken is not None:
                    self._host.kill()
                    while not isinstance(arrived.get(), events.TERMINAL):
                        pass  # its death is the last event: the next request then starts a new process
                    raise broken from None
                continue
            if isinstance(event, events.TERMINAL):
                return event

    def _broken_limit(
        self, process: psutil.Process | None, limits: ReadLimits, deadline: float, cancelled: Callable[[], bool]
    ) -> Exception | None:
        if cancelled():
            return errors.Cancelled()
        if _resident_bytes(process) > limits.memory_mb * 1_000_000:
            return out_of_memory(limits)
        if time.monotonic() > deadline:
            return UserError(
                f"Reading took longer than {limits.seconds:g} s.",
                "Split it, or raise the limit in Settings, Documents.",
            )
        return None


def _sendable(path: Path) -> str:
    name = str(path.absolute())
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise UserError("The file name is not valid text.", "Rename it.") from error
    if "\x00" in name:
        raise UserError("The file name is not possible.")
    return name


def _reason(death: WorkerDied, limits: ReadLimits) -> UserError:
    """The reason why a file killed the process. Native code that runs out of memory can only abort."""
    ended_by = -death.exit_code if death.exit_code is not None and death.exit_code < 0 else 0
    if ended_by == getattr(signal, "SIGKILL", 9) or "memory allocation" in death.stderr_tail:
        return out_of_memory(limits)
    if ended_by == getattr(signal, "SIGABRT", 6):
        return UserError(
            f"The file could not be read: it needs more than {limits.memory_mb:,} MB of memory, or is damaged.",
            "Open it in the program that made it and save it again, or in parts.",
        )
    how = signal.Signals(ended_by).name if ended_by in set(signal.Signals) else f"exit code {death.exit_code}"
    return UserError(
        f"The reader process crashed ({how}): the file is damaged or malicious.",
        "Open it in the program that made it and save it again.",
    )


def _process(pid: int) -> psutil.Process | None:
    try:
        return psutil.Process(pid) if pid else None
    except psutil.NoSuchProcess:
        return None


def _resident_bytes(process: psutil.Process | None) -> int:
    try:
        return int(process.memory_info().rss) if process is not None else 0
    except psutil.NoSuchProcess:
        return 0
