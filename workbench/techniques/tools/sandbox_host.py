"""The sandbox of a home: programs of agents, run in a worker under a deadline."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from workbench.api.protocol import RequestContext
from workbench.base.errors import UserError, WorkerDied
from workbench.processes.host import WorkerHost
from workbench.techniques.tools.sandbox_calls import DEFAULT_LIMITS, GetProtections, RunPython, SandboxLimits
from workbench.techniques.tools.sandbox_files import interpreter_file
from workbench.techniques.tools.services import PythonResult

NOT_INSTALLED = "the package pydantic-monty, which runs programs in a sandbox, is not installed."
INHERITED = ("LD_LIBRARY_PATH", "PYTHONHOME", "SYSTEMROOT", "SystemRoot", "WINDIR")
"""The variables that Python needs to start on some systems; the worker gets no other one."""
GRACE_S = 0.8
"""After the deadline of a program its worker is ended."""


class Sandbox:
    """Runs programs one at a time. The worker starts with the first one. Thread-safe."""

    def __init__(self, *, log: Path | None = None, command: Sequence[str] | None = None) -> None:
        self.host = WorkerHost("sandbox", log=log, command=command, inherited=INHERITED, cancel_grace_s=1.0)
        self._lock = threading.Lock()

    def problem(self) -> str:
        """Why no sandbox can run here, as a sentence; "" where one can."""
        return "" if interpreter_file() is not None else NOT_INSTALLED

    def run(
        self,
        code: str,
        inputs: Mapping[str, Any],
        context: RequestContext,
        limits: SandboxLimits = DEFAULT_LIMITS,
    ) -> PythonResult:
        """The result of a program; what it does wrong is its ``error``. Raises errors.Cancelled, and UserError where no
        sandbox can run."""
        if problem := self.problem():
            raise UserError(f"Programs cannot be run here: {problem}")
        with self._lock:
            context.raise_if_cancelled()
            try:
                self.host.start()
            except WorkerDied as death:
                raise UserError(f"The sandbox cannot start: {death}", "Its log is in the folder of logs.") from death
            late = threading.Timer(limits.seconds + GRACE_S, self.host.kill)
            late.daemon = True
            late.start()
            try:
                return self.host.call(RunPython(code=code, inputs=dict(inputs), limits=limits), context=context)
            except WorkerDied:
                context.raise_if_cancelled()
                if late.is_alive():
                    return PythonResult(error="The program ended the sandbox.")
                return PythonResult(error=f"The program ran longer than {limits.seconds:g} s and was stopped.")
            finally:
                late.cancel()

    def protections(self) -> tuple[str, ...]:
        """What the operating system enforces around the programs."""
        return self.host.call(GetProtections()).names

    def close(self) -> None:
        self.host.close()
