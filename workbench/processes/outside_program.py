"""Runs a program of the machine that is no part of this one, such as Tesseract: within limits, and ended whole.

On Linux it is confined (``start_confined``): it writes into one folder only and reaches no network by TCP. Its memory
is limited by the kernel there; elsewhere it is measured.
"""

from __future__ import annotations

import contextlib
import math
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from workbench.base.errors import UserError
from workbench.base.launching import child_environment, is_frozen, python_command
from workbench.processes.process import kill_group, kill_tree, measure_tree, wait_until_ended

POLL_S = 0.25
LARGEST_OUTPUT = 100_000_000
_TOLD = 300


class ProgramFailed(UserError):
    """``output`` is the end of what the program wrote about it; ``exit_code`` is negative for a signal."""

    def __init__(self, name: str, exit_code: int, output: str) -> None:
        super().__init__(f"{name} ended with exit code {exit_code}." if not output else f"{name} says: {output}")
        self.exit_code, self.output = exit_code, output


def run_program(
    command: Sequence[str],
    *,
    folder: Path,
    input: bytes = b"",
    seconds: float = 60.0,
    memory_mb: int = 900,
    environment: Mapping[str, str] | None = None,
) -> bytes:
    """The standard output of a program, whose only place to write is ``folder``, where it is started.

    Raises ProgramFailed where it fails, and UserError where it cannot be started or exceeds time, memory or
    ``LARGEST_OUTPUT`` bytes; it is ended then with all that it has started.
    """
    name = Path(command[0]).stem
    own = {**child_environment(), **(environment or {}), "TMPDIR": str(folder), "TMP": str(folder), "TEMP": str(folder)}
    whole = list(command)
    if sys.platform == "linux" and not is_frozen():
        limits = str(math.ceil(seconds) + 1), str(memory_mb), str(folder)
        whole = [*python_command("workbench.processes.start_confined", "", limits[0]), *limits[1:], *command]
        own["WORKBENCH_STARTED_BY"] = str(os.getpid())
    flags = 0
    if sys.platform == "win32":
        flags = subprocess.CREATE_NO_WINDOW
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as told, tempfile.TemporaryFile() as given:
        given.write(input)
        given.seek(0)
        try:
            process = subprocess.Popen(
                whole, stdin=given, stdout=out, stderr=told, env=own, cwd=folder, creationflags=flags,
                start_new_session=sys.platform != "win32", close_fds=True,
            )  # fmt: skip
        except OSError as error:
            raise UserError(f"{name} cannot be started: {error.strerror}.", "Install it again.") from error
        try:
            _wait(process, name, time.monotonic() + seconds, seconds, memory_mb, out.fileno())
        finally:
            killed = kill_tree(process)
            process.wait()
            kill_group(process)
            wait_until_ended(killed)  # what still runs would write into the folder that the caller removes
        if process.returncode != 0:
            told.seek(0)
            last = told.read()[-_TOLD:].decode("utf-8", "replace").strip().splitlines()
            raise ProgramFailed(name, process.returncode, last[-1] if last else "")
        out.seek(0)
        return out.read()


def _wait(
    process: subprocess.Popen[bytes], name: str, deadline: float, seconds: float, memory_mb: int, out: int
) -> None:
    ended = threading.Event()

    def wait() -> None:
        process.wait()
        ended.set()

    threading.Thread(target=wait, daemon=True).start()
    while not ended.wait(POLL_S):
        if time.monotonic() > deadline:
            raise UserError(
                f"{name} took longer than {seconds:g} s.", "Split the file, or raise the limit in Settings, Documents."
            )
        # finding the children looks at every process of the machine: Linux's kernel limits the memory instead
        if sys.platform != "linux" and measure_tree(process.pid) > memory_mb * 1_000_000:
            raise UserError(
                f"{name} needs more than {memory_mb:,} MB of memory.",
                "Split the file, or raise the limit in Settings, Documents.",
            )
        with contextlib.suppress(OSError):
            if os.fstat(out).st_size > LARGEST_OUTPUT:
                raise UserError(f"{name} writes more than {LARGEST_OUTPUT:,} bytes.")
