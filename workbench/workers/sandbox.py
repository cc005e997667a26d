"""The sandbox worker: runs programs in Monty, an interpreter of Python that has no files, no network, no environment
and no processes.

Each program gets an interpreter process of its own, which is ended with it. The operating system confines this worker
and those processes besides, as far as it can (``confinement.py``), before the first program runs.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pydantic_monty

from workbench.api.events import Event
from workbench.api.protocol import RequestContext, finish
from workbench.base.errors import UserError
from workbench.processes.confinement import confine
from workbench.processes.serve import serve
from workbench.techniques.tools.results import plain
from workbench.techniques.tools.sandbox_calls import (
    GetProtections,
    Protections,
    RunPython,
    SandboxCall,
    SandboxLimits,
)
from workbench.techniques.tools.sandbox_files import interpreter_file, library_files
from workbench.techniques.tools.services import PythonResult

GRACE_S = 0.4
"""Between the interpreter's own deadline and the end of its process."""
PROCESS_MEMORY_MB = 768
LONGEST_VALUE, LONGEST_ERROR = 4_000, 600
MOST_FRAMES = 500

_one_at_a_time = threading.Lock()
_POLICY = pydantic_monty.OSPolicy(sleep="zero", random_start={"seed": 0})


class Interpreter:
    """The pool of interpreter processes, one for each program."""

    def __init__(self, binary: Path) -> None:
        self._pool = pydantic_monty.Monty(
            binary_path=binary,
            max_processes=1,
            max_checkouts_per_worker=1,
            checkout_timeout=10.0,
            feed_duration_limit_grace=GRACE_S,
        )

    def __enter__(self) -> Interpreter:
        self._pool.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.__exit__()

    def run(self, call: RunPython, context: RequestContext) -> PythonResult:
        """Raises errors.Cancelled; everything else is the result's ``error``."""
        output = _Output(call.limits.printed)
        with _one_at_a_time:
            context.raise_if_cancelled()
            began = time.monotonic()
            try:
                value = self._value(call, context, output)
                return PythonResult(printed=output.text(), value=value)
            except pydantic_monty.MontyError as error:
                context.raise_if_cancelled()
                late = time.monotonic() - began >= call.limits.seconds
                return PythonResult(printed=output.text(), error=_reason(error, call.limits, output, late))

    def _value(self, call: RunPython, context: RequestContext, output: _Output) -> str:
        limits = pydantic_monty.ResourceLimits(
            max_feed_duration_secs=call.limits.seconds,
            max_memory=call.limits.memory_mb * 1_000_000,
            max_recursion_depth=MOST_FRAMES,
        )
        with self._pool.checkout(limits=limits, os_policy=_POLICY, script_name="program.py") as session:
            process = session.worker_pid or 0
            output.stop = lambda: _end(process)
            forget = context.when_cancelled(lambda: _end(process))
            try:
                return _shown(session.feed_run(call.code, inputs=call.inputs, print_callback=output.add))
            finally:
                forget()


class _Output:
    """What a program prints, up to a number of characters; then ``stop`` is called."""

    def __init__(self, longest: int) -> None:
        self.overflowed = False
        self.stop: Callable[[], None] = lambda: None
        self._longest, self._length = longest, 0
        self._pieces: list[str] = []

    def add(self, stream: str, text: str) -> None:
        if self.overflowed:
            return
        left = self._longest - self._length
        self._pieces.append(text[:left])
        self._length += len(text)
        if self._length > self._longest:
            self.overflowed = True
            self.stop()

    def text(self) -> str:
        return plain("".join(self._pieces), self._longest)


def _end(process: int) -> None:
    if process:
        with contextlib.suppress(OSError):
            os.kill(process, getattr(signal, "SIGKILL", signal.SIGTERM))


def _shown(value: Any) -> str:
    """The value of the last expression, as Python writes it; "" for None."""
    if value is None:
        return ""
    try:
        return plain(repr(value), LONGEST_VALUE)
    except (ValueError, RecursionError, MemoryError):
        return "(a value that is too large to show)"


def _reason(error: pydantic_monty.MontyError, limits: SandboxLimits, output: _Output, late: bool) -> str:
    if output.overflowed:
        return f"The program printed more than {limits.printed:,} characters and was stopped."
    if late:
        return f"The program ran longer than {limits.seconds:g} s and was stopped."
    place = ""
    if isinstance(error, pydantic_monty.MontyRuntimeError | pydantic_monty.MontySyntaxError):
        frames = error.traceback()
        place = f" (line {frames[-1].line})" if frames else ""
    return plain(str(error), LONGEST_ERROR).strip() + place


def main() -> None:
    binary = interpreter_file()
    if binary is None:
        raise UserError("The interpreter of the sandbox is not installed.")
    with Interpreter(binary) as warming:  # whatever is imported with the first program is imported now
        warming.run(RunPython(code="1"), RequestContext())
    libraries, loaders = library_files()
    protections = confine([Path(os.devnull), *libraries], [binary, *loaders], PROCESS_MEMORY_MB * 1_000_000)
    with Interpreter(binary) as interpreter:
        result = interpreter.run(RunPython(code="1 + 1"), RequestContext())
        if result.value != "2":
            raise UserError(f"The sandbox does not run here: {result.error}")

        def run(call: RunPython, context: RequestContext) -> Iterator[Event]:
            if len(call.code) > call.limits.code:
                yield finish(PythonResult(error=f"The program has more than {call.limits.code:,} characters."))
                return
            yield finish(interpreter.run(call, context))

        def protect(call: GetProtections, context: RequestContext) -> Iterator[Event]:
            yield finish(Protections(names=protections))

        serve("sandbox", SandboxCall, {RunPython: run, GetProtections: protect})
