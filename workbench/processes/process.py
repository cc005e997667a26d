"""A child process from the outside: started in a session of its own, its stderr read, measured, ended with its
descendants."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

import psutil

from workbench.base.training_environment import FOLDER_VARIABLE

PACK_VARIABLE = "WORKBENCH_RUNTIME_PACK"
"""Names the library of a runtime pack for a worker to load beside the processor's."""


TORCH_VARIABLE = "WORKBENCH_TORCH"
"""Names a folder with another build of torch for the workers that compute with it: embedding and training."""


ENGINE_VARIABLE = "WORKBENCH_ENGINE"
"""Names the folder of an engine, whose ``llama_cpp`` a worker imports in place of the program's."""


EMBEDDERS_VARIABLE = "WORKBENCH_EMBEDDERS"
"""Names the folder in which the embedding worker keeps what it has prepared of embedding models. Without one it
prepares them anew each time."""


STDERR_TAIL_LINES, LONGEST_LINE = 60, 2_000
LARGEST_LOG_BYTES = 4 * 1024 * 1024
WORKER_ENVIRONMENT = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "PYTHONUTF8": "1",
    # ggml's abort would start a debugger, or a backtrace in a fork that can deadlock, and wait for its end
    # (https://github.com/ggml-org/ggml/issues/1075)
    "GGML_NO_BACKTRACE": "1",
    # a library is only loaded when the core has checked its signature, so one that is inherited is none
    PACK_VARIABLE: "",
    FOLDER_VARIABLE: "",  # the core names it for the workers that may use it
    ENGINE_VARIABLE: "",
}
"""Variables of every worker, unless its host sets others."""


def spawn(command: list[str], environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Start the process in a session of its own: Ctrl+C in a terminal is the parent's to handle."""
    flags = 0
    if sys.platform == "win32":
        flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
    return subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=dict(environment),
        start_new_session=sys.platform != "win32",
        creationflags=flags,
        close_fds=True,  # a worker that inherited another's stdin would keep it from noticing the parent's death
    )


def _open_log(path: Path) -> IO[bytes]:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > LARGEST_LOG_BYTES:
        os.replace(path, path.with_suffix(path.suffix + ".old"))
    return path.open("ab", buffering=0)


def measure_tree(pid: int) -> int:
    """Resident bytes of a process and its descendants."""
    return sum(_resident_bytes(process) for process in _tree(pid))


def _tree(pid: int) -> list[psutil.Process]:
    try:
        root = psutil.Process(pid)
        return [root, *root.children(recursive=True)]
    except psutil.Error:
        return []


def _resident_bytes(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0


def kill_tree(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    """Kill a process and its descendants, which are returned: they run on until the kernel has come round to them."""
    if process.poll() is not None:
        return []
    tree = _tree(process.pid)
    for member in reversed(tree):
        with contextlib.suppress(psutil.Error):
            member.kill()
    return tree[1:]


def wait_until_ended(killed: Sequence[psutil.Process], seconds: float = 5.0) -> None:
    """Wait until killed descendants run no more, for so long at most: one that waits for a disk ends later."""
    deadline = time.monotonic() + seconds
    while any(map(_runs, killed)) and time.monotonic() < deadline:
        time.sleep(0.005)


def _runs(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.Error):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """End the remaining processes of the dead worker's session. Its id is not reused while any is left."""
    if sys.platform != "win32":
        with contextlib.suppress(OSError):
            os.killpg(process.pid, signal.SIGKILL)


class StderrTail:
    """Reads a process's stderr to its end: into the log file, and the last lines into memory."""

    def __init__(self, stream: IO[bytes] | None, log: Path | None, name: str) -> None:
        assert stream is not None
        self._stream = stream
        self._log = log
        self._lines: deque[str] = deque(maxlen=STDERR_TAIL_LINES)
        self._thread = threading.Thread(target=self._read, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def add(self, line: str) -> None:
        self._lines.append(line)

    def text(self) -> str:
        return "\n".join(list(self._lines))

    def finish(self) -> None:
        """Wait for the rest, but not for a grandchild that holds the pipe open."""
        self._thread.join(2.0)

    def _read(self) -> None:
        with contextlib.ExitStack() as stack:
            stack.enter_context(self._stream)
            log: IO[bytes] | None = None
            written = 0
            with contextlib.suppress(OSError):  # without a log, on a full disk, the worker continues
                log = stack.enter_context(_open_log(self._log)) if self._log is not None else None
            while line := self._stream.readline(LONGEST_LINE):
                self._lines.append(line.decode("utf-8", "replace").rstrip())
                if log is None:
                    continue
                with contextlib.suppress(OSError):
                    log.write(line)
                    written += len(line)
                    if written > LARGEST_LOG_BYTES and self._log is not None:
                        log.close()
                        log, written = stack.enter_context(_open_log(self._log)), 0
