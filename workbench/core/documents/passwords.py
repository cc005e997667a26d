"""The passwords of files that are about to be read: in memory only, and only until then."""

from __future__ import annotations

import threading
from collections.abc import Sequence


class Passwords:
    """Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[tuple[str, str], str] = {}

    def put(self, collection: str, path: str, password: str) -> None:
        with self._lock:
            self._known[collection, path] = password

    def take(self, collection: str, paths: Sequence[str]) -> dict[str, str]:
        """The passwords of files of a collection, by their paths; they are forgotten here."""
        with self._lock:
            return {path: self._known.pop((collection, path)) for path in paths if (collection, path) in self._known}

    def forget(self, collection: str) -> None:
        with self._lock:
            self._known = {key: password for key, password in self._known.items() if key[0] != collection}
