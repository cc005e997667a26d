"""The trial of a pack that replaces torch: in a process of its own, in limited time."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from workbench.api.protocol import RequestContext
from workbench.base.launching import child_environment, python_command
from workbench.processes.process import TORCH_VARIABLE, kill_group, kill_tree
from workbench.records.runtime import Trial

LIMIT_S = 240.0
"""The first import of a torch with CUDA reads gigabytes."""


class _Found(msgspec.Struct):
    version: str
    device: str
    problem: str


def try_torch(
    folder: Path,
    *,
    driver: str = "",
    command: Sequence[str] | None = None,
    limit_s: float = LIMIT_S,
    context: RequestContext | None = None,
) -> Trial:
    """Multiply matrices on a GPU with the torch in ``folder``. The trial's ``problem`` says why it should not be used.
    ``command`` replaces the process, for tests. Raises errors.Cancelled."""
    context = context or RequestContext()
    context.raise_if_cancelled()
    began = time.monotonic()
    command = command or python_command("workbench.workers", "--worker", "torch-trial")
    environment = {**child_environment(), TORCH_VARIABLE: str(folder)}
    process = subprocess.Popen(
        command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        start_new_session=os.name == "posix",
    )  # fmt: skip
    forget: Callable[[], object] = context.when_cancelled(lambda: kill_tree(process))
    device = ""
    try:
        out, err = process.communicate(timeout=limit_s)
        context.raise_if_cancelled()
        device, problem = _judged(process.returncode, out.decode("utf-8", "replace"), err.decode("utf-8", "replace"))
    except subprocess.TimeoutExpired:
        problem = f"It gave no answer within {limit_s:g} seconds and was stopped."
    finally:
        forget()
        kill_tree(process)
        kill_group(process)  # children that outlive it may hold its pipes
        process.communicate()
    return Trial(driver=driver, device=device, problem=problem, seconds=round(time.monotonic() - began, 1))


def _judged(code: int, out: str, err: str) -> tuple[str, str]:
    """The device, and what is wrong."""
    try:
        found = msgspec.json.decode((out.strip().splitlines() or [""])[-1].encode(), type=_Found)
    except msgspec.DecodeError:
        last = err.strip().splitlines()[-1:]
        words = f" Its last words: {last[0][:300]}" if last else ""
        return "", f"The process that tried it ended (exit code {code}) without a result.{words}"
    return found.device, found.problem
