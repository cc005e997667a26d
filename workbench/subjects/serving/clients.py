"""The clients of the local network that may use the API, each with a key of its own. Only hashes of keys are kept."""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from workbench.base.errors import UserError
from workbench.base.stored import Stored, Unreadable
from workbench.subjects.serving.calls import ApiClient

KEY_BYTES = 24
LONGEST_NAME = 60
MOST_CLIENTS = 100


class _Kept(msgspec.Struct, frozen=True, kw_only=True):
    client: ApiClient
    digest: str


class _Clients(msgspec.Struct, frozen=True, kw_only=True):
    clients: tuple[_Kept, ...] = ()


STORED = Stored("list of API clients", _Clients)


@dataclass(eq=False)
class ApiClients:
    """``path`` is the file of the list; it is made with the first client."""

    path: Path
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _read: _Clients | None = None
    _used: dict[str, list[float]] = field(default_factory=dict)  # by digest: the times of requests within a minute

    def all(self) -> tuple[ApiClient, ...]:
        """Raises UserError where the list cannot be read: nobody is served then, and nothing is overwritten."""
        with self._lock:
            return tuple(one.client for one in self._load().clients)

    def add(self, name: str, per_minute: int, largest_mb: int) -> tuple[ApiClient, str]:
        """A client and its key, which is nowhere kept. Raises UserError for a name that is taken or empty."""
        name = " ".join(name.split())
        if not name or len(name) > LONGEST_NAME or not name.isprintable():
            raise UserError(f"The name of a client has 1 to {LONGEST_NAME} characters.", "Name the person or machine.")
        with self._lock:
            kept = self._load().clients
            if name.casefold() in [one.client.name.casefold() for one in kept]:
                raise UserError(f"There is a client {name!r} already.", "Choose another name, or remove that one.")
            if len(kept) >= MOST_CLIENTS:
                raise UserError(f"There are {MOST_CLIENTS} clients already.", "Remove one first.")
            key = f"wb-{secrets.token_urlsafe(KEY_BYTES)}"
            client = ApiClient(name=name, created=time.time(), per_minute=per_minute, largest_mb=largest_mb)
            self._save((*kept, _Kept(client=client, digest=_digest(key))))
        return client, key

    def remove(self, name: str) -> None:
        """Its key is refused from now on. Raises UserError for a name that is not known."""
        with self._lock:
            kept = self._load().clients
            left = tuple(one for one in kept if one.client.name != name)
            if len(left) == len(kept):
                names = ", ".join(one.client.name for one in kept) or "none"
                raise UserError(f"There is no client {name!r}.", f"There are: {names}.")
            self._save(left)

    def find(self, key: str) -> ApiClient | None:
        """The client of a key. Its hash is looked for, so the time tells nothing about the key."""
        wanted = _digest(key)
        try:
            with self._lock:
                return next((one.client for one in self._load().clients if one.digest == wanted), None)
        except UserError:
            return None

    def waits(self, client: ApiClient) -> float:
        """Seconds until the client may ask again; 0, and its request is counted, where it may ask now."""
        now = time.monotonic()
        with self._lock:
            times = [one for one in self._used.get(client.name, ()) if now - one < 60.0]
            self._used[client.name] = times
            if len(times) >= client.per_minute:
                return max(0.1, 60.0 - (now - times[0]))
            times.append(now)
            return 0.0

    def _load(self) -> _Clients:
        if self._read is None:
            found = STORED.load(self.path)
            if isinstance(found, Unreadable):
                raise found.error()
            self._read = found or _Clients()
        return self._read

    def _save(self, clients: tuple[_Kept, ...]) -> None:
        changed = _Clients(clients=clients)
        try:
            STORED.save(self.path, changed)
        except OSError as error:
            raise UserError(f"The list of API clients cannot be written: {error.strerror or error}.") from error
        self._read = changed


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()
