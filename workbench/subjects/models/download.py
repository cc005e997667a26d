"""Downloads one file: resumed after a crash, verified to the last byte, and whole under its name or not there at all.

A download is ``NAME.part`` with its state beside it, ``NAME.part.json``. The state says how many bytes are surely on
the disk, of what version of the file (``ETag``); a resumed request asks for the rest of that version only (``Range``
with ``If-Range``, RFC 9110), and begins anew where the server has another one or ignores the range. The SHA-256 is
computed while writing; a file that has another one is removed.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import httpx2
import msgspec

from workbench.api.protocol import RequestContext
from workbench.base.durability import check_room, flush_folder, flush_to_disk
from workbench.base.errors import Cancelled, UserError
from workbench.base.stored import Stored, Unreadable
from workbench.network.http import BEHIND_A_PORTAL, MOST_REDIRECTS, refuse_web_page
from workbench.records.hub import RemoteFile

SYNC_BYTES = 8 << 20
"""So many bytes are at most lost in a crash."""

BLOCK_BYTES = 1 << 18
TRIES = 6
"""Attempts in a row that bring nothing, before the download fails."""

LONGEST_WAIT_S = 60.0
LEFT_FREE_BYTES = 200_000_000
_RETRIED = {408, 425, 429, 500, 502, 503, 504}
_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")


class DownloadState(msgspec.Struct, frozen=True, kw_only=True):
    """How far a download is: ``synced`` bytes of the version ``etag`` are on the disk."""

    url: str
    etag: str = ""
    synced: int = 0
    bytes: int = 0


STATE: Stored[DownloadState] = Stored("state of this download", DownloadState)

Progress = Callable[[int, int], None]
"""Called with the bytes that are there and those of the whole file (0: not known)."""


def download(
    file: RemoteFile,
    folder: Path,
    client: httpx2.Client,
    context: RequestContext,
    *,
    progress: Progress = lambda done, total: None,
    headers: dict[str, str] | None = None,
    sleep: Callable[[float], None] | None = None,
) -> Path:
    """Download a file into a folder, or go on with it; returns its path. One that is there already is verified instead.

    ``headers`` are sent to the first host only, never along a redirect to another. ``sleep`` waits between attempts.
    Raises Cancelled when the context says so (what is there stays), and UserError with the server's reason: gated,
    missing, too large for the disk, a hash that is wrong, or a connection that gives nothing.
    """
    if not file.name or Path(file.name).name != file.name or file.name.startswith("."):
        raise UserError(f"{file.name!r} cannot be the name of a file.")
    path = folder / file.name
    folder.mkdir(parents=True, exist_ok=True)
    if path.exists():
        return _verified(path, file)
    part = _Part(path.with_name(path.name + ".part"), file)
    tries = 0
    while True:
        before = part.written
        try:
            if _fetch(part, client, context, progress, headers or {}):
                break
            problem = UserError("The connection ended before the file did.")
        except _Again as again:
            problem, wait = again.problem, again.wait_s
        else:
            wait = None
        tries = 1 if part.written > before else tries + 1
        if tries >= TRIES:
            raise UserError(
                f"{file.name} could not be downloaded: {problem.message}",
                "Try again later: the download resumes where it stopped.",
            ) from problem
        _wait(context, min(LONGEST_WAIT_S, 2.0 ** (tries - 1)) if wait is None else wait, sleep)
    part.finish(path)
    return path


class _Again(Exception):
    """The attempt failed in a way that may pass; ``wait_s`` is what the server asked for."""

    def __init__(self, message: str, wait_s: float | None = None) -> None:
        super().__init__(message)
        self.problem = UserError(message)
        self.wait_s = wait_s


class _Part:
    """The unfinished file, its state and its hash so far."""

    def __init__(self, path: Path, file: RemoteFile) -> None:
        self.path, self.file = path, file
        self._state_path = path.with_name(path.name + ".json")
        self.state = DownloadState(url=file.url)
        self.written = 0
        self.total = file.bytes
        self._hash = hashlib.sha256()
        self._resume()

    def _resume(self) -> None:
        known = STATE.load(self._state_path)
        if isinstance(known, Unreadable) or known is None or known.url != self.file.url or not self.path.exists():
            return
        size = min(known.synced, self.path.stat().st_size)
        with self.path.open("r+b") as opened:
            opened.truncate(size)
            while block := opened.read(BLOCK_BYTES):
                self._hash.update(block)
        self.state, self.written, self.total = known, size, known.bytes or self.total

    def begin(self, etag: str, total: int) -> None:
        """A response begins that has the file from ``written`` on."""
        self.total = total or self.total
        if self.file.bytes and self.total and self.total != self.file.bytes:
            raise UserError(
                f"{self.file.name} has {self.total:,} bytes on the server; {self.file.bytes:,} were announced.",
                "The repository changed meanwhile: look it up again.",
            )
        check_room(
            self.path.with_name(self.file.name),
            max(0, self.total - self.written),
            LEFT_FREE_BYTES,
            "choose a smaller file",
        )
        self.state = DownloadState(url=self.file.url, etag=etag, synced=self.written, bytes=self.total)
        STATE.save(self._state_path, self.state)

    def restart(self) -> None:
        """What is there belongs to another version of the file."""
        self.written = 0
        self._hash = hashlib.sha256()
        self.path.unlink(missing_ok=True)
        self.state = DownloadState(url=self.file.url)

    @contextmanager
    def writing(self) -> Iterator[Callable[[bytes], None]]:
        with self.path.open("r+b" if self.written else "wb") as opened:
            opened.seek(self.written)
            opened.truncate()
            synced = self.written

            def write(block: bytes) -> None:
                nonlocal synced
                opened.write(block)
                self._hash.update(block)
                self.written += len(block)
                if self.written - synced >= SYNC_BYTES:
                    synced = self._sync(opened)

            try:
                yield write
            finally:
                self._sync(opened)

    def _sync(self, opened: IO[bytes]) -> int:
        flush_to_disk(opened)
        self.state = msgspec.structs.replace(self.state, synced=self.written)
        STATE.save(self._state_path, self.state)
        return self.written

    def finish(self, path: Path) -> None:
        found = self._hash.hexdigest()
        if self.file.sha256 and found != self.file.sha256.lower():
            self.remove()
            raise UserError(
                f"{self.file.name} arrived with another content than announced (SHA-256 {found[:12]}…, expected "
                f"{self.file.sha256[:12]}…). It was removed.",
                "Try again; if it happens again, the server or the connection changes files.",
            )
        os.replace(self.path, path)
        flush_folder(path.parent)
        self._state_path.unlink(missing_ok=True)

    def remove(self) -> None:
        self.path.unlink(missing_ok=True)
        self._state_path.unlink(missing_ok=True)


def _fetch(
    part: _Part, client: httpx2.Client, context: RequestContext, progress: Progress, headers: dict[str, str]
) -> bool:
    """One attempt; whether the file is whole. Raises _Again for what may pass, UserError for what will not."""
    asked = {"Accept-Encoding": "identity"}
    if part.written and part.state.etag:
        asked |= {"Range": f"bytes={part.written}-", "If-Range": part.state.etag}
    elif part.written:
        part.restart()
    try:
        with open_following(client, part.file.url, asked, headers) as response:
            if response.status_code == 416 and part.total and part.written == part.total:
                return True
            refuse_web_page(response)
            _check_status(response, part)
            etag = response.headers.get("etag", "")
            etag = "" if etag.startswith("W/") else etag
            if response.status_code == 206:
                start, total = _content_range(response)
                if start != part.written:
                    raise UserError(f"The server sent {part.file.name} from byte {start:,}, not {part.written:,}.")
            else:
                if part.written:
                    part.restart()
                total = int(response.headers.get("content-length", 0) or 0)
            part.begin(etag or part.state.etag, total)
            with part.writing() as write:
                progress(part.written, part.total)
                for block in response.iter_raw():
                    if context.cancelled:
                        raise Cancelled
                    write(block)
                    if part.total and part.written > part.total:
                        raise UserError(f"The server sent more of {part.file.name} than it announced.")
                    progress(part.written, part.total)
    except httpx2.TransportError as error:
        raise _Again(f"{_host(part.file.url)}: {error or type(error).__name__}.") from error
    except OSError as error:
        raise UserError(
            f"{part.path} cannot be written: {error.strerror or error}.", "Free some disk space."
        ) from error
    return not part.total or part.written == part.total


@contextmanager
def open_following(
    client: httpx2.Client, url: str, asked: dict[str, str], headers: dict[str, str]
) -> Iterator[httpx2.Response]:
    """The response, redirects followed: over https or on the same host, and without ``headers`` to another one. Raises
    UserError for a redirect that is refused."""
    first = current = httpx2.URL(url)
    for _ in range(MOST_REDIRECTS + 1):
        own = headers if current.host == first.host else {}
        with client.stream("GET", current, headers=asked | own) as response:
            if response.status_code not in (301, 302, 303, 307, 308):
                yield response
                return
            try:
                following = current.join(response.headers.get("location", ""))
            except httpx2.InvalidURL as error:
                raise UserError(f"{current.host} redirects to an address that is none.", "Try again later.") from error
        same = (following.host, following.port) == (current.host, current.port)
        if not same and following.scheme != "https":
            raise UserError(
                f"{current.host} redirects to {following.host} without encryption, which is refused.", BEHIND_A_PORTAL
            )
        current = following
    raise UserError(f"{first.host} redirects more than {MOST_REDIRECTS} times.")


def _check_status(response: httpx2.Response, part: _Part) -> None:
    if response.status_code == 416:
        part.restart()
        raise _Again("the file is shorter than what is here; it is downloaded anew", 0.0)
    if response.status_code in _RETRIED:
        raise _Again(f"the server answered {response.status_code}.", _retry_after(response))
    refuse_status(response, part.file.name)


def refuse_status(response: httpx2.Response, name: str) -> None:
    """Raises UserError with the server's reason for a response without the file."""
    status = response.status_code
    if status in (200, 206):
        return
    reason = response.headers.get("x-error-message", "") or response.reason_phrase
    if status in (401, 403):
        raise UserError(
            f"{name} may not be downloaded: {reason} ({status}).",
            "The repository may be gated: accept its terms on its page, and enter an access token in Models.",
        )
    if status in (404, 410):
        raise UserError(f"{name} is not there (any more): {reason} ({status}).", "Look the repository up again.")
    raise UserError(f"The server refused {name}: {reason} ({status}).")


def _retry_after(response: httpx2.Response) -> float | None:
    text = response.headers.get("retry-after", "")
    return min(LONGEST_WAIT_S, float(text)) if text.isdigit() else None


def _content_range(response: httpx2.Response) -> tuple[int, int]:
    found = _RANGE.fullmatch(response.headers.get("content-range", "").strip())
    if found is None:
        raise UserError("The server sent a part of the file without telling which.")
    start, _, total = found.groups()
    return int(start), 0 if total == "*" else int(total)


def _verified(path: Path, file: RemoteFile) -> Path:
    if file.sha256:
        digest = hashlib.sha256()
        with path.open("rb") as opened:
            while block := opened.read(BLOCK_BYTES):
                digest.update(block)
        if digest.hexdigest() != file.sha256.lower():
            raise UserError(f"{path} is there already, with another content.", "Move it away, then download it again.")
    return path


def _wait(context: RequestContext, seconds: float, sleep: Callable[[float], None] | None) -> None:
    if sleep is not None:
        sleep(seconds)
    elif context.wait_cancelled(seconds):
        raise Cancelled
    if context.cancelled:
        raise Cancelled


def _host(url: str) -> str:
    return httpx2.URL(url).host
