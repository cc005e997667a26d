"""The core's own process: ``python -m workbench.app --home DIR`` holds a home and answers its clients.

The first client starts it; it leaves by itself a while after the last client and the last piece of work. This module
knows connections and threads; what it serves answers the calls.
"""

from __future__ import annotations

import argparse
import contextlib
import faulthandler
import logging
import logging.handlers
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing import AuthenticationError
from multiprocessing.connection import Connection, Listener, answer_challenge, deliver_challenge
from pathlib import Path
from typing import Any, Protocol, Union

import msgspec

from workbench import __version__
from workbench.api import events, wire
from workbench.api.events import Event
from workbench.api.ownership import HomeLock, folder_identity, make_key
from workbench.api.protocol import Call, RequestContext
from workbench.base.errors import UserError
from workbench.base.paths import Home, find_home
from workbench.base.stored import explained

IDLE_S = 20.0
POLL_S = 0.25
BACKLOG = 64
MOST_CLIENTS = 256
MOST_UNPROVEN = 64
"""Connections that have not shown the key; one more takes the place of the oldest of them."""

HELLO_S = 10.0
"""A connection that has not shown the key within this time is closed."""

DESCRIPTORS = 4096
"""Files and connections that the process may have open where the system allows it: far more than the limits above and
those of the local API take."""

EXIT_TAKEN, EXIT_FAILED = 3, 1

_log = logging.getLogger(__name__)


class Core(Protocol):
    """What is served: the owner of a home, that answers its calls."""

    home: Home

    @property
    def busy(self) -> bool: ...

    def start(self) -> None: ...

    def handle(self, call: Any, context: RequestContext) -> Iterator[Event]: ...

    def close(self) -> None: ...


@dataclass(frozen=True)
class CoreProgram:
    """``calls`` are the types of all calls, ``open`` makes the core of a home, and ``replace`` puts a restored home in
    the place of one that is locked."""

    calls: Sequence[type[Call[Any]]]
    open: Callable[[Home], Core]
    replace: Callable[[Path, Path, HomeLock], object]


class Service:
    """Accepts clients of one core until it is asked to leave or has been idle for ``idle_s`` seconds. It leaves at
    once when its home is no longer ``in_place``, and after its last client when a restored one is to replace it."""

    def __init__(
        self,
        core: Core,
        calls: Sequence[type[Call[Any]]],
        key: bytes,
        idle_s: float = IDLE_S,
        in_place: Callable[[], bool] = lambda: True,
    ) -> None:
        self.core = core
        self.decode_call = msgspec.msgpack.Decoder(Union[tuple(calls)]).decode  # noqa: UP007 - of types known at run time
        self._key = key
        self._idle_s = idle_s
        self._in_place = in_place
        self._changed = threading.Condition()  # guards the two below
        self._sessions: dict[_Session, None] = {}  # the oldest first
        self._leaving = False
        self._listener, self._socket = _listen(core.home.address)

    def run(self) -> None:
        """Serve; returns when it is time to leave, with the listener closed."""
        threading.Thread(target=self._accept, name="accept", daemon=True).start()
        idle_since = time.monotonic()
        with self._changed:
            while not self._leaving:
                if self._sessions or self.core.busy:
                    idle_since = time.monotonic()
                elif time.monotonic() - idle_since >= self._idle_s or self.core.home.replacement is not None:
                    self._leaving = True
                    break
                if not self._in_place():
                    _log.warning("The home folder was moved or deleted")
                    self._leaving = True
                    break
                self._changed.wait(1.0 if self._sessions else POLL_S)
                self._dismiss_silent()
            sessions = list(self._sessions)
        self._close_listener()
        for session in sessions:
            wire.hang_up(session.connection)

    def leave(self) -> None:
        """Make ``run`` return soon. May be called from a signal handler's thread."""
        with self._changed:
            self._leaving = True
            self._changed.notify_all()

    def may_leave(self) -> bool:
        """Whether no client and no work needs this core."""
        with self._changed:
            alone = sum(session.is_proven for session in self._sessions) <= 1  # the client that asks
        return alone and not self.core.busy

    def _close_listener(self) -> None:
        with contextlib.suppress(FileNotFoundError):  # it would remove the name that it was bound to
            self._listener.close()
        address = Path(self.core.home.address)
        with contextlib.suppress(OSError):
            # where the home was deleted and created again, another core's socket is there by now
            if self._socket is not None and os.path.samestat(self._socket, address.stat()):
                address.unlink()

    def _accept(self) -> None:
        while True:
            try:
                connection = self._listener.accept()
            except (OSError, EOFError):
                if self._leaving:
                    return
                time.sleep(POLL_S)  # out of file descriptors, perhaps: others may close theirs
                continue
            session = _Session(self, connection, self._key)
            with self._changed:
                if self._leaving:
                    connection.close()
                    return
                self._sessions[session] = None
                self._make_room()
                self._changed.notify_all()
            session.start()

    def _make_room(self) -> None:
        """Dismiss the oldest of too many connections that have not shown the key, and wait until most of those that
        were dismissed have closed. Called with the lock held."""
        unproven = [session for session in self._sessions if not (session.is_proven or session.is_dismissed)]
        for session in unproven[:-MOST_UNPROVEN]:
            session.dismiss()
        self._changed.wait_for(
            lambda: self._leaving or sum(one.is_dismissed for one in self._sessions) < MOST_UNPROVEN, HELLO_S
        )

    def _dismiss_silent(self) -> None:
        """Called with the lock held."""
        for session in self._sessions:
            if not session.is_proven and time.monotonic() - session.began > HELLO_S:
                session.dismiss()

    def is_full(self) -> bool:
        with self._changed:
            return sum(session.is_proven for session in self._sessions) > MOST_CLIENTS

    def forget(self, session: _Session) -> None:
        with self._changed:
            self._sessions.pop(session, None)
            self._changed.notify_all()


def _listen(address: str) -> tuple[Listener, os.stat_result | None]:
    """A listener, and the identity of its socket's file. The socket takes its place by renaming: a killed core's socket
    is replaced, and the listener, when it closes, does not remove another one's."""
    if sys.platform == "win32":
        return Listener(address, backlog=BACKLOG), None
    beside = Path(f"{address}~")
    beside.unlink(missing_ok=True)
    listener = Listener(str(beside), backlog=BACKLOG)
    status = beside.stat()
    try:
        beside.rename(address)
    except OSError as error:
        listener.close()
        raise UserError(f"{address} cannot be made: {error.strerror}.", "Move away what is in its place.") from error
    return listener, status


class _Session:
    """One client: a thread that reads its messages, and one per open request."""

    def __init__(self, service: Service, connection: Connection, key: bytes) -> None:
        self._service = service
        self._core = service.core
        self.connection = connection
        self.began = time.monotonic()
        self.is_proven = self.is_dismissed = False
        self._key = key
        self._writing = threading.Lock()
        self._lock = threading.Lock()  # guards the two below
        self._under_way: dict[int, RequestContext] = {}
        self._gone = False

    def start(self) -> None:
        threading.Thread(target=self._run, name="session", daemon=True).start()

    def dismiss(self) -> None:
        """Let a connection go that has not shown the key."""
        if not self.is_dismissed:
            self.is_dismissed = True
            wire.hang_up(self.connection)

    def _run(self) -> None:
        try:
            if self._greet():
                while True:
                    self._take(self.connection.recv_bytes(wire.LARGEST_MESSAGE_BYTES))
        except (OSError, EOFError, AuthenticationError):
            pass  # it disconnected, or never had the key
        except msgspec.DecodeError:
            _log.exception("A client sent something that is not a message")
        finally:
            with self._lock:
                self._gone = True
                contexts = list(self._under_way.values())
            for context in contexts:
                context.leave()
            with self._writing, contextlib.suppress(OSError):
                self.connection.close()
            self._service.forget(self)

    def _greet(self) -> bool:
        """Both prove that they have the key; then the versions must be equal, and both must mean the same folder."""
        deliver_challenge(self.connection, self._key)
        answer_challenge(self.connection, self._key)
        self.is_proven = True
        hello = wire.decode_hello(self.connection.recv_bytes(wire.LARGEST_MESSAGE_BYTES))
        if self._service.is_full():
            self._send(
                wire.Refused(
                    f"{MOST_CLIENTS} windows and commands use this home folder already.", "Close some of them.", False
                )
            )
            return False
        if (hello.version, hello.wire) == (__version__, wire.WIRE):
            if hello.home == folder_identity(self._core.home.root):
                self._send(wire.Welcome(__version__, os.getpid()))
                return True
            self._send(
                wire.Refused(
                    f"This data folder was reached over {self._core.home.root}, which is another folder.",
                    "If it is a copy made of hard links, its files are those of the other one: make a copy without "
                    "links, or restore a backup.",
                )
            )
            return False
        leaving = self._service.may_leave()
        self._send(
            wire.Refused(
                f"This home folder is in use by version {__version__} of LLM Workbench; this is version "
                f"{hello.version}.",
                "Close its windows, wait for its running work, and try again.",
                leaving,
            )
        )
        if leaving:
            self._service.leave()
        return False

    def _take(self, message_bytes: bytes) -> None:
        message = wire.decode_to_core.decode(message_bytes)
        if isinstance(message, wire.CallMessage):
            self._begin(message)
            return
        with self._lock:
            context = self._under_way.get(message.id)
        if context is not None:
            context.cancel()

    def _begin(self, request: wire.CallMessage) -> None:
        context = RequestContext()
        try:
            call = self._service.decode_call(request.call)
        except msgspec.DecodeError as error:
            failed = events.Failed(message=f"The core cannot read this call: {error}.", reason="bug")
            if isinstance(error, msgspec.ValidationError):  # a value out of its range, as somebody wrote it
                failed = events.Failed(message=f"The call is refused: {explained(error)}.", reason="user")
            self._tell(request.id, failed)
            return
        with self._lock:
            self._under_way[request.id] = context
        stream = self._core.handle(call, context)  # here, so that a subscription precedes all later calls
        threading.Thread(
            target=self._answer, args=(request.id, stream), name=f"request-{request.id}", daemon=True
        ).start()

    def _answer(self, number: int, stream: Iterator[Event]) -> None:
        try:
            for event in stream:
                if isinstance(event, events.Failed) and event.reason in ("memory", "bug"):
                    _log.error("A call failed: %s\n%s", event.message, event.stderr_tail)
                if not self._gone:
                    self._tell(number, event)
        finally:
            with self._lock:
                self._under_way.pop(number, None)

    def _tell(self, number: int, event: Event) -> None:
        try:
            self._send(wire.EventMessage(number, event))
        except (OSError, ValueError):
            self._gone = True  # its reader notices too and informs all of its requests

    def _send(self, message: wire.ToClient) -> None:
        with self._writing:
            self.connection.send_bytes(wire.encode(message))


def run_core(program: CoreProgram, arguments: Sequence[str] | None = None) -> int:
    """Be the core of a home. Exit status 0 after leaving, 3 when another process is the core, 1 with a UserError."""
    parser = argparse.ArgumentParser(prog="workbench.app", description=__doc__)
    parser.add_argument("--home", help="the home folder")
    parser.add_argument(
        "--idle-seconds", type=float, default=IDLE_S, help="leave after so many seconds without clients or work"
    )
    options = parser.parse_args(arguments)
    if sys.platform != "win32":
        os.umask(0o077)
    faulthandler.enable()
    _allow_descriptors()
    try:
        home = Home(find_home(options.home).root.resolve())
        lock = _acquire(home, program)
        if lock is None:
            _tell_starter(wire.Started(wire.TAKEN))
            return EXIT_TAKEN
        with lock:
            _log_into(home)
            return _serve(program, home, options.idle_seconds, lock)
    except UserError as error:
        _log.error("The core cannot start: %s", error)
        _tell_starter(wire.Started(wire.FAILED, error.message, error.hint))
        return EXIT_FAILED


def _acquire(home: Home, program: CoreProgram) -> HomeLock | None:
    """The lock of a home, which a restored one has taken the place of where that was arranged."""
    lock = HomeLock.acquire(home)
    if lock is None or (restored := home.replacement) is None:
        return lock
    os.chdir(home.root.parent)  # Windows moves no folder that a process works in
    program.replace(restored, home.root, lock)
    return HomeLock.acquire(home)


def _serve(program: CoreProgram, home: Home, idle_s: float, lock: HomeLock) -> int:
    core = program.open(home)
    try:
        service = Service(core, program.calls, make_key(home), idle_s, lambda: lock.is_in(home))
        for name in ("SIGTERM", "SIGINT", "SIGBREAK"):
            if hasattr(signal, name):
                # on a thread: the handler may run while this very thread holds the service's lock
                signal.signal(
                    getattr(signal, name), lambda *_: threading.Thread(target=service.leave, daemon=True).start()
                )
        core.start()
        _log.info("Version %s serves %s as process %d", __version__, home.root, os.getpid())
        _tell_starter(wire.Started(wire.READY))
        service.run()
        _log.info("Leaving")
    finally:
        core.close()
    return 0


def _allow_descriptors() -> None:
    if sys.platform == "win32":
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(DESCRIPTORS, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _tell_starter(started: wire.Started) -> None:
    """Write the one line, then release stdout: its reader may end before this process does."""
    with contextlib.suppress(OSError):
        os.write(1, msgspec.json.encode(started) + b"\n")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)


def _log_into(home: Home) -> None:
    path = home.logs / "core.log"
    try:
        handler = logging.handlers.RotatingFileHandler(path, maxBytes=1024 * 1024, backupCount=3, encoding="utf-8")
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror}.", "Move away what is in its place.") from error
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(threadName)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    threading.excepthook = _log_fault


def _log_fault(fault: threading.ExceptHookArgs) -> None:
    """Log an exception that has ended a thread of the core: nobody else would hear of it."""
    if fault.exc_value is not None and not isinstance(fault.exc_value, SystemExit):
        _log.error("Not expected", exc_info=(fault.exc_type, fault.exc_value, fault.exc_traceback))
