"""The processes of one MCP server, from its start to the end of the last one that it has started.

The library ends the process that it has started. What that one leaves behind is found by a mark in its environment,
which children inherit, by descent, and by its session; another mark, or an empty one, exempts a process and those that
it starts. Of what they all write to stderr a part is passed on.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import sys
import threading
import time
from typing import TextIO

import psutil

from workbench.base.launching import SERVER_MARK

WORKER, MARK = "WORKBENCH_MCP_WORKER", SERVER_MARK
"""Variables: of the worker, what marks the processes of its servers, and of these, their mark."""

ROUNDS = 5
"""How often what is left is looked for, since a process may start another one while it is being ended."""

STDERR_BYTES, PERIOD_S = 64 << 10, 60.0
"""So much of a server's stderr is passed on in each period; the rest is dropped."""

DROPPED = b"\n[more was written here, and dropped]\n"
BLOCK = 64 << 10


class ServerProcesses:
    """``worker`` is the mark of the worker that starts the server; ``stderr`` is what the server gets as its own."""

    def __init__(self, worker: str) -> None:
        self._mark = f"{worker}:{secrets.token_hex(16)}"
        reading, writing = os.pipe()
        self.stderr: TextIO = os.fdopen(writing, "w")
        threading.Thread(target=_pass_on, args=(reading,), name="server-stderr", daemon=True).start()

    @property
    def environment(self) -> dict[str, str]:
        return {MARK: self._mark}

    def find(self) -> set[psutil.Process]:
        """The server's processes, and theirs."""
        return _find(self._mark)

    def end(self, known: set[psutil.Process]) -> None:
        """End what is left of those that were ``known`` before, and of what they have started since."""
        _end(self._mark, known)
        with contextlib.suppress(OSError):
            self.stderr.close()


def end_servers_of(worker: str) -> None:
    """End what the servers of a worker that is gone have left behind."""
    _end(f"{worker}:", set())


def _find(mark: str) -> set[psutil.Process]:
    marks = {one: _environment_of(one).get(MARK) for one in psutil.process_iter()}
    marked = {one for one, its in marks.items() if its is not None and its.startswith(mark)}
    led = {one.pid for one in marked if _session_of(one.pid) == one.pid}
    found = marked | {one for one in marks if led and _session_of(one.pid) in led}
    for one in list(found):
        with contextlib.suppress(psutil.Error):
            found.update(one.children(recursive=True))
    exempt = {one for one, its in marks.items() if its is not None and not its.startswith(mark)}
    return found - exempt


def _end(mark: str, known: set[psutil.Process]) -> None:
    for _ in range(ROUNDS):
        left = [one for one in known | _find(mark) if one.is_running()]
        for one in left:
            with contextlib.suppress(psutil.Error):
                one.kill()
        if not left:
            break
        psutil.wait_procs(left, timeout=0.2)


def _environment_of(process: psutil.Process) -> dict[str, str]:
    try:
        return process.environ()
    except (psutil.Error, OSError):  # another user's
        return {}


def _session_of(pid: int) -> int:
    if sys.platform == "win32":
        return 0
    try:
        return os.getsid(pid)
    except OSError:
        return 0


def _pass_on(reading: int) -> None:
    """Read to the end, and write a part of it to this process's own stderr."""
    left, until = STDERR_BYTES, time.monotonic() + PERIOD_S
    with contextlib.suppress(OSError), os.fdopen(reading, "rb", buffering=0) as stream:
        while block := stream.read(BLOCK):
            if time.monotonic() > until:
                left, until = STDERR_BYTES, time.monotonic() + PERIOD_S
            if left > 0:
                os.write(2, block[:left])
                left -= len(block)
                if left <= 0:
                    os.write(2, DROPPED)
