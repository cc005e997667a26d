"""Watched folders: a change below one starts an ingest of it after a short quiet time."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver, ObservedWatch

QUIET_S = 2.0
LONGEST_WAIT_QUIETS = 15
"""Where it never gets quiet (a log that is written to all the time), so many quiet times after the first change."""

_CHANGES = ("created", "deleted", "moved")
_FILE_CHANGES = ("modified", "closed")
"""Event types. Opening and reading are events as well, and a folder is modified by every change in it."""

_log = logging.getLogger(__name__)


class Watching:
    """``on_change(collection, path)`` is called for a watched folder after a change in it.

    ChangeNotifier below ``ignored`` (the home folder, which an ingest writes to) do not count.
    """

    def __init__(self, on_change: Callable[[str, str], None], ignored: Path, quiet_s: float = QUIET_S) -> None:
        self._on_change = on_change
        self._ignored = str(ignored)
        self._quiet_s = quiet_s
        # The observer reports a change while it holds a lock of its own, which scheduling takes as well: the lock
        # needed for the report must never be held around the observer's methods.
        self._scheduling = threading.Lock()  # guards the two below
        self._observer: BaseObserver | None = None
        self._watches: dict[tuple[str, str], ObservedWatch] = {}
        self._lock = threading.Lock()  # guards what follows
        self._wanted: set[tuple[str, str]] = set()
        self._timers: dict[tuple[str, str], threading.Timer] = {}
        self._since: dict[tuple[str, str], float] = {}  # the first unreported change
        self._closed = False

    def watch(self, collection: str, path: str) -> None:
        """Watch a folder from now on. A missing one is skipped: it is read at the next start of the core."""
        key = (collection, path)
        with self._scheduling:
            if self._closed or key in self._watches:
                return
            if self._observer is None:
                self._observer = Observer()
                self._observer.start()
            with self._lock:
                self._wanted.add(key)
            try:
                handler = _Handler(lambda changed: self._changed(collection, path, changed))
                self._watches[key] = self._observer.schedule(handler, path, recursive=True)
            except OSError as error:
                _log.warning("%s cannot be watched: %s", path, error)
                self._forget(key)

    def unwatch(self, collection: str, path: str) -> None:
        key = (collection, path)
        with self._scheduling:
            self._forget(key)
            watch = self._watches.pop(key, None)
            if watch is not None and watch not in self._watches.values() and self._observer is not None:
                with contextlib.suppress(KeyError):  # the folder was deleted, and its watch with it
                    self._observer.unschedule(watch)

    def forget(self, collection: str) -> None:
        """Stop watching all folders of a collection."""
        with self._scheduling:
            paths = [path for owner, path in self._watches if owner == collection]
        for path in paths:
            self.unwatch(collection, path)

    def close(self) -> None:
        with self._scheduling, self._lock:
            self._closed = True
            observer, self._observer = self._observer, None
            timers, self._timers = list(self._timers.values()), {}
        for timer in timers:
            timer.cancel()
        if observer is not None:
            observer.stop()
            observer.join(5.0)

    def _forget(self, key: tuple[str, str]) -> None:
        with self._lock:
            self._wanted.discard(key)
            timer = self._timers.pop(key, None)
        if timer is not None:
            timer.cancel()

    def _changed(self, collection: str, path: str, changed: str) -> None:
        """On the observer's thread."""
        if changed == self._ignored or changed.startswith(self._ignored + os.sep):
            return
        key = (collection, path)
        with self._lock:
            if self._closed or key not in self._wanted:
                return
            now = time.monotonic()
            waiting = self._timers.get(key)
            if waiting is None:
                self._since[key] = now
            elif now - self._since[key] > LONGEST_WAIT_QUIETS * self._quiet_s:
                return
            else:
                waiting.cancel()
            timer = self._timers[key] = threading.Timer(self._quiet_s, self._on_quiet, key)
            timer.daemon = True
            timer.start()

    def _on_quiet(self, collection: str, path: str) -> None:
        with self._lock:
            if self._timers.pop((collection, path), None) is None:
                return
        self._on_change(collection, path)


class _Handler(FileSystemEventHandler):
    def __init__(self, changed: Callable[[str], None]) -> None:
        self._changed = changed

    def on_any_event(self, event: FileSystemEvent) -> None:
        if event.event_type in _CHANGES or (event.event_type in _FILE_CHANGES and not event.is_directory):
            self._changed(os.fsdecode(event.src_path))


def changed_since(path: str, at: float) -> bool:
    """Whether anything below a folder was changed, added or deleted since ``at`` (by the clock of its files)."""
    try:
        if os.stat(path).st_mtime >= at:
            return True
        for folder, folders, files in os.walk(path):
            for name in (*folders, *files):
                with contextlib.suppress(OSError):
                    if os.lstat(os.path.join(folder, name)).st_mtime >= at:
                        return True
    except OSError:
        return True  # it was deleted: that is a change as well
    return False
