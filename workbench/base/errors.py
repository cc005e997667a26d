"""Errors sorted by whose fault they are.

``UserError``: a problem that a person can solve (a wrong file, a full disk, a missing model). ``WorkerDied``: the
environment ended a process. ``Cancelled``: the person asked to stop. Every other exception is a bug of ours and keeps
its traceback.
"""

from __future__ import annotations


class UserError(Exception):
    """A problem that a person can solve: ``message`` names the thing, ``hint`` says what to do."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".rstrip()


class BudgetExceeded(UserError):
    """A request to an endpoint was not made, since it could exceed the budget."""


class SendingRefused(UserError):
    """Private text was not sent to the host of ``model``, an endpoint: nobody has allowed it for ``collection`` ("":
    files attached to chats), or a person has ``refused`` it."""

    def __init__(self, message: str, hint: str, *, model: str, collection: str, refused: bool) -> None:
        super().__init__(message, hint)
        self.model = model
        self.collection = collection
        self.refused = refused


class ContextExceeded(UserError):
    """A request has ``tokens`` tokens, more than a context of ``context_tokens`` has room for."""

    def __init__(self, message: str, hint: str, *, tokens: int, context_tokens: int) -> None:
        super().__init__(message, hint)
        self.tokens = tokens
        self.context_tokens = context_tokens


class NewerEngineNeeded(UserError):
    """The engine in use does not know ``what`` a model file has: its architecture, or another part of its format."""

    def __init__(self, message: str, hint: str, *, what: str) -> None:
        super().__init__(message, hint)
        self.what = what


_CRASHED = {
    "inference": "The model process crashed; your chats are safe",
    "embedding": "The document process crashed; indexed documents are safe",
    "training": "The training process crashed; its last checkpoint is safe",
}


class WorkerDied(Exception):
    """A worker process ended without finishing its requests.

    ``exit_code`` is negative for a signal (POSIX); ``stderr_tail`` holds its last lines.
    """

    def __init__(self, worker: str, exit_code: int | None, stderr_tail: str = "") -> None:
        words = _CRASHED.get(worker, f"The {worker} process crashed")
        super().__init__(f"{words} (exit code {exit_code}).")
        self.worker = worker
        self.exit_code = exit_code
        self.stderr_tail = stderr_tail


_SIGNALS = {
    4: "the processor lacks an instruction that it uses",
    6: "it aborted itself",
    7: "its file is not whole",
    8: "a wrong division",
    9: "it was killed, perhaps for want of memory",
    11: "it reached for memory that is not its own",
}
_WINDOWS = {0xC000001D: 4, 0xC0000005: 11, 0xC0000006: 7, 0xC0000094: 8}


def exit_reason(code: int | None) -> str:
    """How a process ended, for a sentence: "exit code 1", "signal 11: it reached for memory that is not its own"."""
    number = -code if code is not None and code < 0 else _WINDOWS.get((code or 0) & 0xFFFFFFFF, 0)
    if not number:
        return f"exit code {code}"
    return f"signal {number}: {_SIGNALS[number]}" if number in _SIGNALS else f"signal {number}"


def was_crash(code: int | None) -> bool:
    """Whether a process ended by a fault of its own machine code, and not by being killed."""
    number = -code if code is not None and code < 0 else _WINDOWS.get((code or 0) & 0xFFFFFFFF, 0)
    return number in _SIGNALS and number != 9


class FaultElsewhere(RuntimeError):
    """A bug of ours in another process: ``message`` describes it, ``traceback_text`` says where."""

    def __init__(self, message: str, traceback_text: str = "") -> None:
        super().__init__(f"{message}\n{traceback_text}")
        self.message = message
        self.traceback_text = traceback_text


class OutOfMemory(FaultElsewhere):
    """Another process ran out of memory and reported it."""


class Cancelled(Exception):
    """The person, or the program on their behalf, stopped this work."""
