"""The log of requests: the latest in memory and in a file of the home, so that they outlast the core.

A line is a request with its format number. A request is written when it is made, and again when its response has ended;
the later line counts. The file is written anew at four times the largest log. Damaged lines are skipped; a file of a
newer program is left as it is. Bodies, queries and headers are in no request, so no key is.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from workbench.base.csv_cells import csv_line
from workbench.base.stored import Unreadable
from workbench.records.hub import NETWORK_REQUEST, NetworkRequest

MOST_LOGGED = 1_000
MOST_LINES = 4 * MOST_LOGGED
LONGEST_LINE = 10_000
COLUMNS = ("time", "purpose", "host", "method", "path", "sent_bytes", "received_bytes", "status", "refused", "failed")

_log = logging.getLogger(__name__)


class RequestLog:
    """Thread-safe. Without a ``path`` it is in memory only; a disk that is full costs the file, not the request."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._requests: OrderedDict[str, NetworkRequest] = OrderedDict()
        self._lines = 0
        self._torn = False  # the last line has no end
        if path is not None and path.exists():
            self._load(path)

    def put(self, request: NetworkRequest) -> None:
        """Add a request, or replace the same one by what is known of it now."""
        with self._lock:
            self._take(request)
            self._write(request)

    def all(self) -> list[NetworkRequest]:
        """The last requests, the latest first."""
        with self._lock:
            return list(reversed(self._requests.values()))

    def clear(self) -> None:
        """Raises OSError."""
        with self._lock:
            self._requests.clear()
            if self._path is not None:
                self._rewrite(self._path)

    def _take(self, request: NetworkRequest) -> None:
        self._requests[request.id] = request
        while len(self._requests) > MOST_LOGGED:
            self._requests.popitem(last=False)

    def _load(self, path: Path) -> None:
        try:
            with path.open("rb") as file:
                for line in iter(lambda: file.readline(LONGEST_LINE), b""):
                    self._lines += 1
                    self._torn = not line.endswith(b"\n")
                    try:
                        plain = msgspec.json.decode(line)
                    except (msgspec.DecodeError, UnicodeDecodeError):  # torn by a crash
                        continue
                    read = NETWORK_REQUEST.decode(plain)
                    if isinstance(read, Unreadable):
                        if not read.hint:  # damaged
                            continue
                        _log.warning("The log of the network is left as it is: %s", read.reason)
                        self._path = None
                        return
                    self._take(read)
        except OSError:
            _log.exception("The log of the network cannot be read")

    def _write(self, request: NetworkRequest) -> None:
        if self._path is None:
            return
        try:
            if self._lines >= MOST_LINES:
                self._rewrite(self._path)
                return
            new = not self._path.exists()
            with self._path.open("ab") as file:
                if new:
                    os.chmod(self._path, 0o600)
                file.write(b"\n" * self._torn + NETWORK_REQUEST.encode(request) + b"\n")
            self._torn = False
            self._lines += 1
        except OSError:
            _log.exception("The log of the network cannot be written")

    def _rewrite(self, path: Path) -> None:
        beside = path.with_name(f".{path.name}.new")
        try:
            with beside.open("wb") as file:
                os.chmod(beside, 0o600)
                file.writelines(NETWORK_REQUEST.encode(one) + b"\n" for one in self._requests.values())
            beside.replace(path)
            self._lines = len(self._requests)
        finally:
            with contextlib.suppress(OSError):
                beside.unlink(missing_ok=True)


def as_csv(requests: Iterable[NetworkRequest]) -> Iterator[str]:
    """The lines of a CSV file, with a heading."""
    yield csv_line(COLUMNS)
    for one in requests:
        yield csv_line(
            (one.at, one.purpose, one.host, one.method, one.path, one.bytes_out, one.bytes_in, one.status, one.refused,
             one.failed)
        )  # fmt: skip
