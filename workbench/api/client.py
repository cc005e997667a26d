"""The client of window, terminal and scripts: the calls of ``workbench.calls`` over the local connection.

``Client`` talks to the core's process and starts it when there is none. Importing this loads no model library and no
database.
"""

from __future__ import annotations

import itertools
import logging
import queue
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from multiprocessing import AuthenticationError, connection
from multiprocessing.connection import Connection
from typing import IO, TYPE_CHECKING, Any, Protocol, TypeVar

import msgspec

from workbench import __version__
from workbench.api import events, wire
from workbench.api.events import Event
from workbench.api.ownership import folder_identity, read_key, read_owner
from workbench.api.protocol import Call, failure_of, result_of
from workbench.base.errors import UserError
from workbench.base.launching import OF_NO_SERVER, child_environment, python_command
from workbench.base.paths import Home

if TYPE_CHECKING:
    pass

R = TypeVar("R")
Listener = Callable[[Event], None]

CONNECT_TIMEOUT_S = 60.0
RETRY_S = 0.05
CLOSE_S = 2.0
"""How long a leaving client waits for its last messages to be sent: a frozen core reads nothing."""
LOST = events.Failed(message="The connection to the core was lost.", hint="core", reason="worker")

_log = logging.getLogger(__name__)


class Handle(Protocol):
    """An open call."""

    def cancel(self) -> None:
        """Ask for the call to stop; its stream still ends in one terminal event."""


class Front(Protocol):
    """The interface of the core for user interfaces."""

    def start(self, call: Call[R], on_event: Callable[[Event], None]) -> Handle:
        """Send a call and return at once. ``on_event`` runs on the client's reader thread, in order, and must
        be quick; its last event is terminal. A lost connection ends every open call as Failed(reason="worker").
        """

    def stream(self, call: Call[R]) -> Iterator[Event]:
        """The call's events, blocking. Closing the iterator early cancels the call."""

    def call(self, call: Call[R], watch: Callable[[Event], None] | None = None) -> R:
        """The call's result, blocking. Raises UserError, WorkerDied or errors.Cancelled."""

    def close(self) -> None:
        """Disconnect. Runs continue, and so do the answers to this client's questions."""


class Client:
    """A ``Front`` over the local connection. Returns at once: its own threads connect, send and read, so that a busy or
    frozen core blocks no caller.

    After a lost connection the next call connects again. With ``start_core`` (and ``idle_s``, how long the core stays
    without clients; None: its default) a core is started when none answers. When no core can be reached, the waiting
    calls end as Failed(reason="user") with the reason.
    """

    def __init__(self, home: Home, *, start_core: bool = True, idle_s: float | None = None) -> None:
        self.home = Home(home.root.resolve())  # as the core does: the address may depend on it
        self._start_core = start_core
        self._idle_s = idle_s
        self._met = False  # a core of this home has answered
        self._numbers = itertools.count(1)
        self._news = threading.Condition()  # guards the following; never held while calling back
        self._open: dict[int, _ClientCall] = {}
        self._unsent: deque[wire.ToCore] = deque()
        self._link: Connection | None = None
        self._wanted = True
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="client", daemon=True)
        self._thread.start()

    def start(self, call: Call[R], on_event: Listener) -> Handle:
        """Like ``Front.start``. Raises RuntimeError after ``close``."""
        encoded = msgspec.Raw(wire.encode(call))
        with self._news:
            if self._closed:
                raise RuntimeError("the client is closed")
            number = next(self._numbers)
            opened = self._open[number] = _ClientCall(self, number, on_event)
            self._say(wire.CallMessage(number, encoded))
        return opened

    def stream(self, call: Call[R]) -> Iterator[Event]:
        """Like ``Front.stream``."""
        return _streamed(self, call)

    def call(self, call: Call[R], watch: Listener | None = None) -> R:
        """Like ``Front.call``."""
        return result_of(call, self.stream(call), watch)

    def close(self) -> None:
        """Disconnect; open calls end as cancelled here. Safe to call twice."""
        with self._news:
            self._closed = True
            self._news.notify_all()
        if threading.current_thread() is self._thread:
            return
        self._thread.join(CLOSE_S)  # requests made before are still sent
        with self._news:
            self._unsent.clear()
            self._news.notify_all()
            if self._link is not None:
                wire.hang_up(self._link)
        self._thread.join(CLOSE_S)

    def cancel(self, number: int) -> None:
        """Ask for a call to stop (for ``Handle.cancel``)."""
        with self._news:
            if number in self._open:
                self._say(wire.Cancel(number))

    def _say(self, message: wire.ToCore) -> None:
        """Queue a message for the connection. Under the lock, so that the order is kept."""
        self._unsent.append(message)
        self._wanted = True
        self._news.notify_all()

    # -- on the client's thread ---------------------------------------------------------------------

    def _run(self) -> None:
        while True:
            with self._news:
                self._news.wait_for(lambda: self._wanted or self._closed)
                if self._closed and not self._unsent:
                    break
                self._wanted = False
            try:
                link = self._reach_core()
            except UserError as error:
                self._end_calls(failure_of(error), sent_only=False)
                continue
            except Exception as error:  # noqa: BLE001 - without this thread every call would wait for ever
                _log.exception("The core could not be reached")
                self._end_calls(failure_of(error), sent_only=False)
                continue
            self._met = True
            with self._news:
                self._link = link
            writer = threading.Thread(target=self._write, args=(link,), name="client-requests", daemon=True)
            writer.start()
            try:
                self._read(link)
            finally:
                with self._news:
                    self._link = None
                    self._news.notify_all()
                wire.hang_up(link)  # the writer may be in the middle of a message
                writer.join()
                link.close()
            self._end_calls(LOST, sent_only=True)
        self._end_calls(events.Cancelled(), sent_only=False)

    def _read(self, link: Connection) -> None:
        while True:
            try:
                message = wire.decode_to_client.decode(link.recv_bytes(wire.LARGEST_MESSAGE_BYTES))
            except (OSError, EOFError):
                return
            except msgspec.DecodeError:
                _log.exception("The core sent something that is not a message")
                return
            if not isinstance(message, wire.EventMessage):
                continue
            terminal = isinstance(message.event, events.TERMINAL)
            with self._news:
                opened = self._open.pop(message.id, None) if terminal else self._open.get(message.id)
            if opened is not None:
                opened.tell(message.event)

    def _write(self, link: Connection) -> None:
        """On a thread of the connection: send queued messages, and hang up after them when the client leaves."""
        while True:
            with self._news:
                self._news.wait_for(lambda: self._unsent or self._closed or self._link is not link)
                if self._link is not link or not self._unsent:
                    break
                message = self._unsent.popleft()
            try:
                link.send_bytes(wire.encode(message))
            except (OSError, ValueError):  # the reader reports the loss
                break
        wire.hang_up(link)

    def _end_calls(self, ending: Event, *, sent_only: bool) -> None:
        """End the open calls. With ``sent_only`` those that came after the loss stay, for the next connection."""
        with self._news:
            waiting = {m.id for m in self._unsent if isinstance(m, wire.CallMessage)} if sent_only else set()
            if self._closed:
                waiting, ending = set(), events.Cancelled()
            left = [opened for number, opened in self._open.items() if number not in waiting]
            self._open = {number: opened for number, opened in self._open.items() if number in waiting}
            if not waiting:
                self._unsent.clear()
            self._wanted = bool(waiting)
        for opened in left:
            opened.tell(ending)

    # -- finding or starting the core ---------------------------------------------------------------

    def _reach_core(self) -> Connection:
        """A connection on which the core has said Welcome. Raises UserError when none can be made."""
        deadline = time.monotonic() + CONNECT_TIMEOUT_S
        while True:
            link = self._connect_until(deadline)
            if link is not None:
                return link
            late = self._closed or time.monotonic() > deadline
            if not self._start_core and not late:
                raise UserError("No core is running for this home folder.", "Start the program first.")
            if late:
                owner = read_owner(self.home)
                holder = f"Process {owner.pid} holds it" if owner is not None else "It could not be started"
                raise UserError("The core of this home folder does not answer.", f"{holder}; see {self.home.logs}.")
            if self._met and not self.home.root.exists():
                raise UserError(
                    f"The data folder {self.home.root} was moved or deleted while the program was open.",
                    "Move it back, or start the program again with --home and its new place.",
                )
            if read_owner(self.home) is None:
                started = _start_core(self.home, self._idle_s)
                if started.outcome == wire.FAILED:
                    raise UserError(started.message, started.hint)
                if started.outcome == wire.READY:
                    continue
            time.sleep(RETRY_S)  # another process is the core, and about to answer or to leave

    def _connect_until(self, deadline: float) -> Connection | None:
        """Like ``_try_connect``; None when no answer came by then (time.monotonic), such as from a core that hangs.

        A connection attempt cannot be aborted: it continues on a thread that nobody waits for.
        """
        outcome: list[Connection | Exception | None] = []
        given_up = False

        def attempt() -> None:
            made: Connection | Exception | None
            try:
                made = self._try_connect()
            except Exception as error:  # noqa: BLE001 - raised again on the client's thread
                made = error
            with self._news:
                outcome.append(made)
                self._news.notify_all()
                late = given_up
            if late and isinstance(made, Connection):
                made.close()

        threading.Thread(target=attempt, name="connecting", daemon=True).start()
        with self._news:
            longest_s = max(0.0, deadline - time.monotonic())
            self._news.wait_for(lambda: outcome or (self._closed and not self._unsent), longest_s)
            given_up = not outcome
        if not outcome:
            return None
        if isinstance(outcome[0], Exception):
            raise outcome[0]
        return outcome[0]

    def _try_connect(self) -> Connection | None:
        key = read_key(self.home)
        if key is None:
            return None
        owner = read_owner(self.home)
        try:
            address = owner.address if owner is not None else self.home.address
            link: Connection = connection.Client(address, authkey=key)
        except (OSError, EOFError, AuthenticationError):
            return None
        try:
            link.send_bytes(wire.encode(wire.Hello(__version__, home=folder_identity(self.home.root))))
            answer = wire.decode_to_client.decode(link.recv_bytes(wire.LARGEST_MESSAGE_BYTES))
        except (OSError, EOFError):
            link.close()
            return None
        if isinstance(answer, wire.Welcome):
            return link
        link.close()
        if isinstance(answer, wire.Refused) and not answer.leaving:
            raise UserError(answer.message, answer.hint)
        return None


class _ClientCall:
    def __init__(self, client: Client, number: int, on_event: Listener) -> None:
        self._client = client
        self._number = number
        self._on_event = on_event

    def cancel(self) -> None:
        self._client.cancel(self._number)

    def tell(self, event: Event) -> None:
        try:
            self._on_event(event)
        except Exception:  # noqa: BLE001 - one caller's bug must not silence the connection for all the others
            _log.exception("A listener failed on %s", type(event).__name__)


def _streamed(front: Front, call: Call[Any]) -> Iterator[Event]:
    arrived: queue.SimpleQueue[Event] = queue.SimpleQueue()
    handle = front.start(call, arrived.put)
    ended = False
    try:
        while not ended:
            event = arrived.get()
            ended = isinstance(event, events.TERMINAL)
            yield event
    finally:
        if not ended:
            handle.cancel()


def _start_core(home: Home, idle_s: float | None) -> wire.Started:
    """Start a core and wait until it serves, finds another one or fails. It outlives this process."""
    home.create()
    command = python_command("workbench.app", "--core", "--home")
    command += [str(home.root)] if idle_s is None else [str(home.root), "--idle-seconds", str(idle_s)]
    flags = 0
    if sys.platform == "win32":
        flags = subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP
    errors = home.logs / "core-stderr.log"
    try:
        stderr = errors.open("wb")
    except OSError as error:
        raise home.not_writable(error) from error
    try:
        with stderr:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=stderr,
                cwd=home.root,
                env={**child_environment(), **OF_NO_SERVER},
                start_new_session=sys.platform != "win32",
                creationflags=flags,
                close_fds=True,
            )
    except OSError as error:
        raise UserError(f"The core cannot be started: {error}.") from error
    # collects its exit status, should this process still be running then
    threading.Thread(target=process.wait, name="core-process", daemon=True).start()
    assert process.stdout is not None
    return _first_line(process.stdout, errors)


def _first_line(stdout: IO[bytes], errors: Any) -> wire.Started:
    with stdout:
        line = stdout.readline()
    try:
        return msgspec.json.decode(line, type=wire.Started)
    except msgspec.DecodeError:
        tail = errors.read_text("utf-8", "replace").strip().splitlines()[-1:]
        return wire.Started(wire.FAILED, "The core could not be started.", " ".join(tail) or f"See {errors}.")
