"""A process of this program that does one thing and ends, in limited time: its exit code and what it printed."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from workbench.api.protocol import RequestContext
from workbench.base.launching import child_environment, python_command
from workbench.processes.process import WORKER_ENVIRONMENT, kill_group, kill_tree


class Overdue(Exception):
    """The time limit ended a process."""


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str

    @property
    def last_words(self) -> str:
        """The last line that it wrote to stderr, at most 300 characters; "" for none."""
        return last_line(self.err)


def last_line(text: str) -> str:
    """The last line of what a process wrote before a crash, at most 300 characters of it: what Python's faulthandler
    writes after that is for programmers."""
    text = text.partition("Fatal Python error:")[0]
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:300] if lines else ""


def run_alone(
    worker: str,
    environment: Mapping[str, str],
    limit_s: float,
    context: RequestContext,
) -> Ended:
    """Run a worker (``workbench.workers``) to its end; it and its children are gone then. Raises Overdue, and
    errors.Cancelled."""
    context.raise_if_cancelled()
    process = subprocess.Popen(
        python_command("workbench.workers", "--worker", worker),
        env={**child_environment(), **WORKER_ENVIRONMENT, **environment},
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        start_new_session=os.name == "posix",
    )  # fmt: skip
    forget: Callable[[], object] = context.when_cancelled(lambda: kill_tree(process))
    try:
        out, err = process.communicate(timeout=limit_s)
        context.raise_if_cancelled()
        return Ended(process.returncode, out.decode("utf-8", "replace"), err.decode("utf-8", "replace"))
    except subprocess.TimeoutExpired as error:
        raise Overdue from error
    finally:
        forget()
        kill_tree(process)
        kill_group(process)  # children that outlive it may hold its pipes
        process.communicate()
