"""A worker for tests of the plumbing: real process, real pipes, small deeds."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

from workbench.api import events
from workbench.api.events import Event
from workbench.api.protocol import Call, RequestContext, finish
from workbench.errors import UserError
from workbench.workers.serve import serve


class Echo(Call[str], frozen=True, kw_only=True, tag="echo"):
    """Each word as a TextDelta, then the whole."""

    text: str


class Wait(Call[None], frozen=True, kw_only=True, tag="wait"):
    """Says ``waiting`` and goes on until it is cancelled; with ``deaf``, also then."""

    deaf: bool = False


class Raise(Call[None], frozen=True, kw_only=True, tag="raise"):
    bug: bool = False


class Die(Call[None], frozen=True, kw_only=True, tag="die"):
    """Write ``words`` to stderr and be gone: by SIGKILL, or by exit with ``code``."""

    words: str = ""
    code: int | None = None


class Spawn(Call[int], frozen=True, kw_only=True, tag="spawn"):
    """Start a child that would outlive the worker; its pid."""


class Environment(Call[dict[str, str]], frozen=True, kw_only=True, tag="environment"):
    pass


class Garbage(Call[None], frozen=True, kw_only=True, tag="garbage"):
    """Print to stdout, as libraries do, then finish."""


def _echo(call: Echo, context: RequestContext) -> Iterator[Event]:
    for word in call.text.split():
        yield events.TextDelta(text=word)
    yield finish(call.text)


def _wait(call: Wait, context: RequestContext) -> Iterator[Event]:
    yield events.Log(text="waiting")
    if call.deaf:
        threading.Event().wait()
    context.wait_cancelled()
    yield events.Cancelled(result="half")


def _raise(call: Raise, context: RequestContext) -> Iterator[Event]:
    yield events.Log(text="before")
    if call.bug:
        raise KeyError("oh")
    raise UserError("The file is empty.", "Choose another.")


def _die(call: Die, context: RequestContext) -> Iterator[Event]:
    yield events.Log(text="before")
    sys.stderr.write(call.words + "\n")
    sys.stderr.flush()
    if call.code is not None:
        os._exit(call.code)
    os.kill(os.getpid(), signal.SIGKILL)


def _spawn(call: Spawn, context: RequestContext) -> Iterator[Event]:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    yield finish(child.pid)


def _environment(call: Environment, context: RequestContext) -> Iterator[Event]:
    yield finish(dict(os.environ))


def _garbage(call: Garbage, context: RequestContext) -> Iterator[Event]:
    print("not an event")  # noqa: T201
    os.write(1, b"neither is this\n")
    yield finish(None)


CALLS: dict[Any, Any] = {
    Echo: _echo,
    Wait: _wait,
    Raise: _raise,
    Die: _die,
    Spawn: _spawn,
    Environment: _environment,
    Garbage: _garbage,
}

if __name__ == "__main__":
    serve("echo", Echo | Wait | Raise | Die | Spawn | Environment | Garbage, CALLS)
