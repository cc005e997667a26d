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
from workbench.base.errors import UserError
from workbench.processes.serve import serve


class Echo(Call[str], frozen=True, kw_only=True, tag="echo"):
    """Each word as a TextDelta, then the whole."""

    text: str


class Meet(Call[tuple[int, int]], frozen=True, kw_only=True, tag="meet"):
    """Ends once ``count`` of these are under way together; ``number`` and the worker's pid."""

    number: int
    count: int


class Wait(Call[None], frozen=True, kw_only=True, tag="wait"):
    """Says ``waiting`` and goes on until it is cancelled; with ``deaf``, also then."""

    deaf: bool = False


class Raise(Call[None], frozen=True, kw_only=True, tag="raise"):
    bug: bool = False


class Die(Call[None], frozen=True, kw_only=True, tag="die"):
    """Say something ``events`` times, write ``words`` to stderr and be gone: by SIGKILL, or by exit with ``code``."""

    words: str = ""
    code: int | None = None
    events: int = 1


class Abort(Call[None], frozen=True, kw_only=True, tag="abort"):
    """Say the pid of a child that holds all of the worker's pipes, as what ggml starts to print its backtrace does, and
    abort. With ``apart`` the child is in a session of its own."""

    apart: bool = False


class Spawn(Call[int], frozen=True, kw_only=True, tag="spawn"):
    """Start a child that would outlive the worker; its pid."""


class ChildInput(Call[str], frozen=True, kw_only=True, tag="child_input"):
    """What a child that is started without further ado reads from its stdin."""


class Environment(Call[dict[str, str]], frozen=True, kw_only=True, tag="environment"):
    pass


class Garbage(Call[None], frozen=True, kw_only=True, tag="garbage"):
    """Print to stdout, as libraries do, then finish."""


def _echo(call: Echo, context: RequestContext) -> Iterator[Event]:
    for word in call.text.split():
        yield events.TextDelta(text=word)
    yield finish(call.text)


_meetings: dict[int, threading.Barrier] = {}
_lock = threading.Lock()


def _meet(call: Meet, context: RequestContext) -> Iterator[Event]:
    with _lock:
        meeting = _meetings.setdefault(call.count, threading.Barrier(call.count, timeout=60))
    meeting.wait()
    yield finish((call.number, os.getpid()))


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
    for _ in range(call.events):
        yield events.Log(text="before")
    sys.stderr.write(call.words + "\n")
    sys.stderr.flush()
    if call.code is not None:
        os._exit(call.code)
    os.kill(os.getpid(), signal.SIGKILL)


def _abort(call: Abort, context: RequestContext) -> Iterator[Event]:
    child = os.fork()
    if not child:
        if call.apart:
            os.setsid()
        while True:
            signal.pause()
    yield events.Log(text=str(child))
    os.abort()


def _child_input(call: ChildInput, context: RequestContext) -> Iterator[Event]:
    code = "import sys; sys.stdout.write(sys.stdin.read())"
    yield finish(subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, check=True).stdout.decode())


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
    Meet: _meet,
    Wait: _wait,
    Raise: _raise,
    Die: _die,
    Abort: _abort,
    Spawn: _spawn,
    ChildInput: _child_input,
    Environment: _environment,
    Garbage: _garbage,
}

if __name__ == "__main__":
    serve("echo", Echo | Meet | Wait | Raise | Die | Abort | Spawn | ChildInput | Environment | Garbage, CALLS)
