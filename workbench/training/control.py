"""Stops or pauses a training between micro-batches; light, so that the worker can hold it."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Protocol

import psutil

_LOOK_S = 0.1


class Control(Protocol):
    """``stopping``: save a checkpoint and leave. ``wait_while_paused`` returns at once when stopping."""

    @property
    def stopping(self) -> bool: ...

    def wait_while_paused(self) -> None: ...


class Switch:
    """A control within one process. Methods may be called from any thread."""

    def __init__(self) -> None:
        self._stopping = threading.Event()
        self._running = threading.Event()
        self._running.set()

    @property
    def stopping(self) -> bool:
        return self._stopping.is_set()

    @property
    def paused(self) -> bool:
        return not self._running.is_set()

    def stop(self) -> None:
        self._stopping.set()
        self._running.set()

    def pause(self, paused: bool) -> None:
        if paused and not self.stopping:
            self._running.clear()
        else:
            self._running.set()

    def wait_while_paused(self) -> None:
        self._running.wait()


class FileControl:
    """The control of a process that another one leads: files in a folder say what to do. Once the process ``leader``
    (0: nobody is looked for) has gone, it is to stop."""

    def __init__(self, folder: Path, leader: int = 0) -> None:
        self._stop = folder / "stop"
        self._pause = folder / "pause"
        self._leader = leader

    @property
    def stopping(self) -> bool:
        return self._stop.exists() or (bool(self._leader) and not psutil.pid_exists(self._leader))

    def wait_while_paused(self) -> None:
        while self._pause.exists() and not self.stopping:
            time.sleep(_LOOK_S)

    def tell(self, *, stop: bool = False, pause: bool | None = None) -> None:
        """What the leader says."""
        if stop:
            self._stop.touch()
        if pause is not None:
            if pause:
                self._pause.touch()
            else:
                self._pause.unlink(missing_ok=True)
