"""Errors sorted by whose fault they are.

``UserError``: something that a person can act on (a wrong file, a full disk, a missing model).
``WorkerDied``: the environment took a process away. ``Cancelled``: the person asked to stop.
Anything else that is raised is a bug of ours and keeps its traceback.
"""

from __future__ import annotations


class UserError(Exception):
    """A person can act on this: ``message`` names the thing, ``hint`` says what to do."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".rstrip()


class WorkerDied(Exception):
    """A worker process left without finishing its requests.

    ``exit_code`` is negative for a signal (POSIX); ``stderr_tail`` holds the last lines it wrote.
    """

    def __init__(self, worker: str, exit_code: int | None, stderr_tail: str = "") -> None:
        super().__init__(f"The {worker} worker stopped unexpectedly (exit code {exit_code}).")
        self.worker = worker
        self.exit_code = exit_code
        self.stderr_tail = stderr_tail


class FaultElsewhere(RuntimeError):
    """A bug of ours that showed in another process: ``message`` says what it was, ``traceback_text`` where."""

    def __init__(self, message: str, traceback_text: str = "") -> None:
        super().__init__(f"{message}\n{traceback_text}")
        self.message = message
        self.traceback_text = traceback_text


class OutOfMemory(FaultElsewhere):
    """Another process had no memory left, and said so."""


class Cancelled(Exception):
    """The person, or the program on their behalf, asked for this work to stop."""
