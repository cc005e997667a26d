"""The parent's side of the protocol: one WorkerHost owns one worker process and every request in it.

It starts the process when it is needed, writes requests, hands each reply to its caller, and turns the
process's death into the terminal event of every open request. Death is the exit of the process: a grandchild may hold
its pipes open for ever. It knows nothing of what the calls mean.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import os
import queue
import subprocess
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Literal, TypeVar

import msgspec

from workbench.api import events
from workbench.api.events import Event
from workbench.api.protocol import Call, RequestContext, failure_of, result_of
from workbench.base.errors import WorkerDied
from workbench.base.launching import child_environment, python_command
from workbench.processes.messages import PROTOCOL, Cancel, FromWorker, Ready, Shutdown, ToWorker, WorkerRequest
from workbench.processes.process import WORKER_ENVIRONMENT, StderrTail, kill_group, kill_tree, measure_tree, spawn

R = TypeVar("R")
State = Literal["stopped", "starting", "ready", "dead"]

START_ATTEMPTS = 3
MEMORY_EVERY_S = 2.0
LEAVE_S = 2.0
"""How long a process has to exit once it has closed its stdout, and how long the reader of a dead one may be silent."""

_log = logging.getLogger(__name__)


class WorkerCall:
    """A request that a worker is answering."""

    def __init__(self, life: _Life, number: int, on_event: Callable[[Event], None]) -> None:
        self._life = life
        self._number = number
        self.on_event = on_event

    def cancel(self, part: int | None = None) -> None:
        """Ask for it, or for one of its parts, to stop. It still ends in one terminal event: the worker's, or after the
        grace period ``Cancelled`` while the worker answers others, else that of its death: then it is killed."""
        self._life.cancel(self._number, part)


class WorkerHost:
    """A worker process: started when needed, again after it died; at most one at a time.

    All methods may be called from any thread. ``interpreter`` is the Python that runs it (None: this one).
    ``log`` gets what the worker writes to stderr. ``environment``, or what it gives at each start, is added to
    ``WORKER_ENVIRONMENT`` and to this process's own, of which only the ``inherited`` variables are passed on where
    these are given. ``command`` replaces the whole command line. ``on_state`` is told every change of ``state``, on
    whichever thread makes it, and must be quick.
    """

    def __init__(
        self,
        worker: str,
        *,
        interpreter: str | None = None,
        log: Path | None = None,
        environment: Mapping[str, str] | Callable[[], Mapping[str, str]] | None = None,
        inherited: Collection[str] | None = None,
        command: Sequence[str] | None = None,
        start_timeout_s: float = 120.0,
        cancel_grace_s: float = 20.0,
        stop_grace_s: float = 8.0,
        on_state: Callable[[State], None] | None = None,
    ) -> None:
        self.worker = worker
        self._command = list(
            command if command is not None else python_command("workbench.workers", "--worker", worker, interpreter)
        )
        self._log = log
        own = {name: os.environ[name] for name in os.environ if inherited is None or name in inherited}
        self._environment = {**child_environment(own), **WORKER_ENVIRONMENT}
        self._more = environment or {}
        self._start_timeout_s = start_timeout_s
        self._cancel_grace_s = cancel_grace_s
        self._stop_grace_s = stop_grace_s
        self._on_state = on_state
        self._memory = (0, 0.0, 0)  # pid, time, bytes
        self._closed = False
        self._starting = threading.Lock()  # held while a process is started, so that only one is
        self._lock = threading.Lock()  # guards the four below; never held while waiting
        self._arriving = 0  # calls that no process has taken yet
        self._life: _Life | None = None
        self._state: State = "stopped"
        self._death: WorkerDied | None = None

    # -- requests ---------------------------------------------------------------------------------

    def start_call(self, call: Call[R], on_event: Callable[[Event], None], *, pid: int = 0) -> WorkerCall:
        """Send a call, starting the worker when needed, and return. ``on_event`` runs on the worker's reader
        thread, in order, and must be quick; its last event is terminal. With ``pid`` it is for that process only,
        which holds what the call is about. Raises WorkerDied when that one is gone or none can be started."""
        with self._arrival():
            for _ in range(START_ATTEMPTS):
                if pid and self.pid != pid:
                    break
                life = self._living()
                opened = life.open(call, on_event) if pid in (0, life.pid) else None
                if opened is not None:
                    return opened
        raise self._death or WorkerDied(self.worker, None)

    def stream(
        self, call: Call[R], context: RequestContext | None = None, *, pid: int = 0, parts: int = 0
    ) -> Iterator[Event]:
        """The call's events. Closing the iterator early, or cancelling ``context``, cancels the call; cancelling one of
        the ``parts`` of the context cancels that one. ``pid`` as in ``start_call``.

        Whatever goes wrong is the stream's last event: it raises nothing.
        """
        arrived: queue.SimpleQueue[Event] = queue.SimpleQueue()
        try:
            opened = self.start_call(call, arrived.put, pid=pid)
        except WorkerDied as death:
            yield failure_of(death)
            return
        context = context if context is not None else RequestContext()
        forget = context.when_cancelled(opened.cancel)
        for part in range(parts):
            context.part(part).when_cancelled(partial(opened.cancel, part))
        ended = False
        try:
            while not ended:
                event = arrived.get()
                ended = isinstance(event, events.TERMINAL)
                yield event
        finally:
            forget()
            if not ended:
                opened.cancel()

    def call(
        self,
        call: Call[R],
        watch: Callable[[Event], None] | None = None,
        context: RequestContext | None = None,
        *,
        pid: int = 0,
    ) -> R:
        """The call's result. Raises UserError, WorkerDied, errors.Cancelled or RuntimeError (a bug)."""
        return result_of(call, self.stream(call, context, pid=pid), watch)

    # -- the process ------------------------------------------------------------------------------

    @property
    def state(self) -> State:
        return self._state

    @property
    def pid(self) -> int:
        """The process's id, 0 when there is none."""
        life = self._life
        return life.pid if life is not None else 0

    @property
    def memory_bytes(self) -> int:
        """Resident memory of the worker and its own children, 0 when there is none. Measured every two seconds:
        finding the children looks at every process of the machine."""
        pid, now = self.pid, time.monotonic()
        if not pid:
            return 0
        of, at, measured = self._memory
        if of != pid or now - at > MEMORY_EVERY_S:
            measured = measure_tree(pid)
            self._memory = (pid, now, measured)
        return measured

    @property
    def death(self) -> WorkerDied | None:
        """The death of the last process, if it was not stopped."""
        return self._death

    def start(self) -> None:
        """Start the worker unless it runs; returns when it is ready. Raises WorkerDied when it is not in time."""
        self._living()

    def stop(self) -> None:
        """Let the worker leave: what is in flight ends as cancelled. What does not leave in time is killed."""
        life = self._life
        if life is not None:
            life.stop(self._stop_grace_s)

    def stop_if_idle(self, idle_s: float) -> bool:
        """As ``stop`` where nothing has been asked of the worker for so long; whether that was so. A call that comes
        meanwhile is for the next process, and one that is being started for a call stays."""
        life = self._life
        if life is None or self._arriving or not life.leave_if_idle(idle_s):
            return False
        life.stop(self._stop_grace_s)
        return True

    def kill(self) -> None:
        """End the worker and its children at once. Open requests end as Failed(reason="worker")."""
        life = self._life
        if life is not None:
            life.kill()

    def close(self) -> None:
        """As ``stop``, for good: calls end as the worker's death from now on."""
        self._closed = True
        self.stop()
        with self._starting:  # one that was being started meanwhile
            pass
        self.stop()

    @contextlib.contextmanager
    def _arrival(self) -> Iterator[None]:
        with self._lock:
            self._arriving += 1
        try:
            yield
        finally:
            with self._lock:
                self._arriving -= 1

    def _living(self) -> _Life:
        """A life that takes requests, started when there is none."""
        with self._starting:
            if self._closed:
                raise WorkerDied(self.worker, None, "It is not started again: the program is leaving.")
            life = self._life
            if life is not None and life.asked_to_leave:
                life.ended.wait()  # the caller kills it after a grace period
            elif life is not None and self._state == "ready":
                return life
            try:
                more = self._more() if callable(self._more) else self._more
                process = spawn(self._command, {**self._environment, **more})
            except OSError as error:
                death = WorkerDied(self.worker, None, str(error))
                self._enter("dead", None, death)
                raise death from error
            life = _Life(self.worker, process, self._log, self._cancel_grace_s, self._on_end)
            self._enter("starting", life)
            life.run()
            if not life.became_ready.wait(self._start_timeout_s):
                life.kill()
                life.ended.wait()
            if life.ended.is_set():
                raise life.death()
            self._enter("ready", life)
            return life

    def _on_end(self, life: _Life) -> None:
        """On a thread of a life that is over, before its requests are failed."""
        with self._lock:
            if self._life is not life:
                return
        if life.asked_to_leave:
            self._enter("stopped", None)
        else:
            self._enter("dead", None, life.death())

    def _enter(self, state: State, life: _Life | None, death: WorkerDied | None = None) -> None:
        with self._lock:
            if state == "ready" and self._life is not life:
                return  # it died between its Ready and here
            changed = state != self._state
            self._state, self._life, self._death = state, life, death
        if changed and self._on_state is not None:
            self._on_state(state)


class _Life:
    """One process from its start to its end, with the requests that are open in it.

    Four threads belong to it: one writes what it is asked, so that a process that does not read holds nobody up; one
    reads its replies, one its stderr; and one waits for its exit and then ends everything that is open.
    """

    def __init__(
        self,
        worker: str,
        process: subprocess.Popen[bytes],
        log: Path | None,
        cancel_grace_s: float,
        on_end: Callable[[_Life], None],
    ) -> None:
        self.pid = process.pid
        self.became_ready = threading.Event()
        self.ended = threading.Event()
        self.asked_to_leave = False
        self._worker = worker
        self._process = process
        self._cancel_grace_s = cancel_grace_s
        self._on_end = on_end
        self._stderr = StderrTail(process.stderr, log, f"{worker}-stderr")
        self._reader, self._writer, self._watcher = (
            threading.Thread(target=target, name=f"{worker}-{name}", daemon=True)
            for target, name in ((self._read, "replies"), (self._write, "requests"), (self._watch, "exit"))
        )
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()  # guards the open calls and their timers, and the order of what is written
        self._open: dict[int, WorkerCall] = {}
        self._abandoned: set[int] = set()  # cancelled calls that still run
        self._timers: dict[int, threading.Timer] = {}
        self._over = False
        self._unsent: queue.SimpleQueue[ToWorker | None] = queue.SimpleQueue()
        self._replies = 0
        self._used = time.monotonic()  # when a call was last opened or ended

    def run(self) -> None:
        self._stderr.start()
        for thread in (self._reader, self._writer, self._watcher):
            thread.start()

    def open(self, call: Call[R], on_event: Callable[[Event], None]) -> WorkerCall | None:
        """Send a call; None when this life is over and another one has to take it."""
        request_call = msgspec.Raw(msgspec.json.encode(call))
        with self._lock:
            if self._over or self.asked_to_leave:
                return None
            number = next(self._numbers)
            opened = self._open[number] = WorkerCall(self, number, on_event)
            self._used = time.monotonic()
            self._unsent.put(WorkerRequest(number, request_call))
        return opened

    def cancel(self, number: int, part: int | None = None) -> None:
        with self._lock:
            if number not in self._open or number in self._timers:
                return
            if part is not None:
                self._unsent.put(Cancel(number, part))
                return
            timer = threading.Timer(self._cancel_grace_s, self._on_cancel_overdue, (number,))
            timer.daemon = True
            self._timers[number] = timer
            timer.start()
            self._unsent.put(Cancel(number))

    def leave_if_idle(self, idle_s: float) -> bool:
        with self._lock:
            idle = self.became_ready.is_set() and not self._open and time.monotonic() - self._used >= idle_s
            self.asked_to_leave = self.asked_to_leave or idle
            return idle

    def stop(self, grace_s: float) -> None:
        self.asked_to_leave = True
        self._unsent.put(Shutdown())
        if not self.ended.wait(grace_s):
            self.kill()
        self.ended.wait()

    def kill(self) -> None:
        kill_tree(self._process)

    def death(self) -> WorkerDied:
        return WorkerDied(self._worker, self._process.returncode, self._stderr.text())

    # -- on the threads of its own ------------------------------------------------------------------

    def _write(self) -> None:
        encoder = msgspec.json.Encoder()
        assert self._process.stdin is not None
        with contextlib.suppress(OSError, ValueError), self._process.stdin as stdin:  # of its death the watcher tells
            while (message := self._unsent.get()) is not None:
                stdin.write(encoder.encode(message) + b"\n")
                stdin.flush()

    def _read(self) -> None:
        decoder: msgspec.json.Decoder[FromWorker] = msgspec.json.Decoder(FromWorker)
        assert self._process.stdout is not None
        with self._process.stdout as stdout:
            try:
                for line in stdout:
                    if not line.endswith(b"\n"):
                        break  # it died in the middle of a line
                    message = decoder.decode(line)
                    self._replies += 1
                    if isinstance(message, Ready):
                        if message.protocol != PROTOCOL:
                            self._stderr.add(f"It speaks protocol {message.protocol}, not {PROTOCOL}.")
                            break
                        self.became_ready.set()
                    else:
                        self._deliver(message.id, message.event)
            except msgspec.DecodeError as error:
                self._stderr.add(f"It wrote something that is not an event: {error}")
        try:
            self._process.wait(LEAVE_S)
        except subprocess.TimeoutExpired:
            self.kill()

    def _deliver(self, number: int, event: Event) -> None:
        terminal = isinstance(event, events.TERMINAL)
        with self._lock:
            opened = self._open.pop(number, None) if terminal else self._open.get(number)
            timer = self._timers.pop(number, None) if terminal else None
            self._used = time.monotonic()
            self._abandoned -= {number} if terminal else set()
            useless = bool(self._abandoned) and not self._open
            self.asked_to_leave = self.asked_to_leave or useless
        if timer is not None:
            timer.cancel()
        if opened is not None:
            _tell(opened, event)
        if useless:
            self.kill()

    def _watch(self) -> None:
        """Wait for the exit; then for what it said before, which somebody slow may still be listening to."""
        self._process.wait()
        kill_group(self._process)  # what the worker left behind, with the pipes that it holds
        delivered = -1
        while self._reader.is_alive() and delivered != self._replies:
            delivered = self._replies
            self._reader.join(LEAVE_S)
        self._stderr.finish()
        self._unsent.put(None)
        self._end()

    def _end(self) -> None:
        with self._lock:
            self._over = True
            left, self._open = list(self._open.values()), {}
            timers, self._timers = list(self._timers.values()), {}
        for timer in timers:
            timer.cancel()
        self._on_end(self)
        self.ended.set()
        self.became_ready.set()  # wakes waiting callers, which then look at ``ended``
        terminal: Event = events.Cancelled() if self.asked_to_leave else failure_of(self.death())
        for opened in left:
            _tell(opened, terminal)

    def _on_cancel_overdue(self, number: int) -> None:
        """End the call here, and the process with it unless it answers others, who have not cancelled."""
        with self._lock:
            overdue = self._open.get(number)
            used = any(other not in self._timers for other in self._open)
            if overdue is not None and used:
                del self._open[number], self._timers[number]
                self._abandoned.add(number)
        if overdue is not None and used:
            _tell(overdue, events.Cancelled())
        elif overdue is not None:
            self._stderr.add(f"It did not stop within {self._cancel_grace_s:g} s of being asked to and was ended.")
            self.kill()


def _tell(opened: WorkerCall, event: Event) -> None:
    try:
        opened.on_event(event)
    except Exception:  # noqa: BLE001 - one caller's bug must not silence the worker for all the others
        _log.exception("A listener failed on %s", type(event).__name__)
