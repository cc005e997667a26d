"""WorkerHost against real child processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

import psutil
import pytest

from tests.workers import echo_worker as echo
from workbench.api import events
from workbench.api.events import Event
from workbench.api.protocol import RequestContext
from workbench.base import errors
from workbench.processes.host import WorkerHost
from workbench.processes.process import (
    LARGEST_LOG_BYTES,
    LONGEST_LINE,
    PACK_VARIABLE,
    STDERR_TAIL_LINES,
    WORKER_ENVIRONMENT,
    StderrTail,
)

COMMAND = [sys.executable, echo.__file__]


@pytest.fixture
def host(tmp_path: Path) -> Iterator[WorkerHost]:
    host = WorkerHost("echo", command=COMMAND, log=tmp_path / "echo.log", cancel_grace_s=1.0, stop_grace_s=5.0)
    yield host
    host.stop()


def gone(pid: int, timeout_s: float = 10.0) -> bool:
    try:
        psutil.Process(pid).wait(timeout_s)
    except psutil.NoSuchProcess:
        return True
    except psutil.TimeoutExpired:
        return False
    return True


def test_a_call_streams_its_events_and_returns_its_result(host: WorkerHost) -> None:
    seen: list[Event] = []
    assert host.state == "stopped"
    assert host.call(echo.Echo(text="one two 三 🙂"), seen.append) == "one two 三 🙂"
    assert [e.text for e in seen if isinstance(e, events.TextDelta)] == ["one", "two", "三", "🙂"]
    assert [e.seq for e in seen] == [1, 2, 3, 4]
    assert host.state == "ready"
    assert host.pid > 0
    assert host.memory_bytes > 1_000_000


def test_many_requests_in_flight_from_many_threads(host: WorkerHost) -> None:
    with ThreadPoolExecutor(30) as pool:
        met = list(pool.map(lambda number: host.call(echo.Meet(number=number, count=30)), range(30)))
    assert met == [(number, host.pid) for number in range(30)]


def test_closing_the_stream_cancels(host: WorkerHost) -> None:
    stream = host.stream(echo.Wait())
    assert isinstance(next(stream), events.Log)
    pid = host.pid
    stream.close()  # type: ignore[attr-defined]
    assert host.call(echo.Echo(text="still here")) == "still here"
    assert host.pid == pid


def test_cancelling_the_context_cancels_and_keeps_what_was_done(host: WorkerHost) -> None:
    context = RequestContext()
    ending = None
    for event in host.stream(echo.Wait(), context):
        context.cancel()
        ending = event
    assert isinstance(ending, events.Cancelled)
    assert ending.result == "half"


def test_a_call_that_has_ended_is_not_kept_by_its_request(host: WorkerHost) -> None:
    context = RequestContext()
    for _ in range(3):
        host.call(echo.Echo(text="x"), context=context)
    assert not context._callbacks


def test_a_request_that_does_not_heed_cancel_takes_the_worker_with_it(host: WorkerHost) -> None:
    ended: SimpleQueue[Event] = SimpleQueue()
    handle = host.start_call(echo.Wait(deaf=True), ended.put)
    assert isinstance(ended.get(timeout=30), events.Log)
    handle.cancel()
    failed = ended.get(timeout=30)
    assert isinstance(failed, events.Failed)
    assert failed.reason == "worker"
    assert "did not stop" in failed.stderr_tail
    assert host.call(echo.Echo(text="again")) == "again"


def test_a_request_that_does_not_heed_cancel_leaves_those_of_others_alone(host: WorkerHost) -> None:
    deaf: SimpleQueue[Event] = SimpleQueue()
    other: SimpleQueue[Event] = SimpleQueue()
    handle = host.start_call(echo.Wait(deaf=True), deaf.put)
    going_on = host.start_call(echo.Wait(), other.put)
    assert isinstance(deaf.get(timeout=30), events.Log)
    assert isinstance(other.get(timeout=30), events.Log)
    pid = host.pid
    handle.cancel()
    assert isinstance(deaf.get(timeout=30), events.Cancelled)
    assert host.call(echo.Echo(text="still there")) == "still there"
    assert host.pid == pid
    going_on.cancel()
    assert isinstance(other.get(timeout=30), events.Cancelled)
    assert gone(pid), "nobody wants what it still does"
    assert host.death is None
    assert host.call(echo.Echo(text="again")) == "again"


@pytest.mark.parametrize(("die", "code"), [(echo.Die(words="out of memory"), -9), (echo.Die(words="x", code=7), 7)])
def test_death_fails_every_open_request(host: WorkerHost, die: echo.Die, code: int) -> None:
    bystander: SimpleQueue[Event] = SimpleQueue()
    host.start_call(echo.Wait(), bystander.put)
    bystander.get(timeout=30)
    *_, failed = host.stream(die)
    assert isinstance(failed, events.Failed)
    assert (failed.reason, failed.exit_code, failed.hint) == ("worker", code, "echo")
    assert die.words in failed.stderr_tail
    also = bystander.get(timeout=30)
    assert isinstance(also, events.Failed)
    assert bystander.empty()
    assert host.state == "dead"
    assert host.death is not None
    assert host.death.exit_code == code


def test_after_its_death_the_next_call_starts_it_again(host: WorkerHost) -> None:
    with pytest.raises(errors.WorkerDied):
        host.call(echo.Die())
    assert host.call(echo.Echo(text="again")) == "again"
    assert host.state == "ready"
    assert host.death is None


def test_a_call_for_a_process_that_is_gone_is_not_sent_to_its_successor(host: WorkerHost) -> None:
    host.start()
    first = host.pid
    assert host.call(echo.Echo(text="here"), pid=first) == "here"
    with pytest.raises(errors.WorkerDied):
        host.call(echo.Die())
    with pytest.raises(errors.WorkerDied):
        host.call(echo.Echo(text="where?"), pid=first)
    host.start()
    with pytest.raises(errors.WorkerDied):
        host.call(echo.Echo(text="where?"), pid=first)
    assert host.call(echo.Echo(text="here"), pid=host.pid) == "here"


@pytest.mark.parametrize("apart", [False, True])
def test_an_abort_is_noticed_while_a_grandchild_holds_the_pipes(host: WorkerHost, apart: bool) -> None:
    bystander: SimpleQueue[Event] = SimpleQueue()
    host.start_call(echo.Wait(), bystander.put)
    bystander.get(timeout=30)
    ended: SimpleQueue[Event] = SimpleQueue()
    host.start_call(echo.Abort(apart=apart), ended.put)
    told = ended.get(timeout=30)
    assert isinstance(told, events.Log)
    grandchild = psutil.Process(int(told.text))
    try:
        failed = ended.get(timeout=30)
        assert isinstance(failed, events.Failed)
        assert (failed.reason, failed.exit_code) == ("worker", -signal.SIGABRT)
        assert isinstance(bystander.get(timeout=30), events.Failed)
        assert host.call(echo.Echo(text="again")) == "again"
        if not apart:
            assert gone(grandchild.pid)
    finally:
        if grandchild.is_running():
            grandchild.kill()


def test_what_a_worker_said_before_its_death_is_delivered_first(host: WorkerHost) -> None:
    host.start()
    pid, ended = host.pid, SimpleQueue[Event]()

    def listen(event: Event) -> None:
        assert gone(pid)
        ended.put(event)

    host.start_call(echo.Die(code=7, events=200), listen)
    seen = [ended.get(timeout=30)]
    while not isinstance(seen[-1], events.TERMINAL):
        seen.append(ended.get(timeout=30))
    assert [event.seq for event in seen[:-1]] == list(range(1, 201))


def test_a_worker_that_does_not_read_holds_nobody_up(host: WorkerHost) -> None:
    host.start()
    os.kill(host.pid, signal.SIGSTOP)
    ended: SimpleQueue[Event] = SimpleQueue()
    opened = host.start_call(echo.Echo(text="x" * 1_000_000), ended.put)  # more than a pipe takes
    opened.cancel()
    failed = ended.get(timeout=30)
    assert isinstance(failed, events.Failed)
    assert "did not stop" in failed.stderr_tail


def test_a_child_of_a_worker_does_not_read_its_requests(host: WorkerHost) -> None:
    assert host.call(echo.ChildInput()) == ""


def test_errors_keep_whose_fault_they_are(host: WorkerHost) -> None:
    with pytest.raises(errors.UserError) as told:
        host.call(echo.Raise())
    assert (told.value.message, told.value.hint) == ("The file is empty.", "Choose another.")
    with pytest.raises(RuntimeError, match="KeyError"):
        host.call(echo.Raise(bug=True))


def test_what_a_library_prints_does_not_reach_the_stream(host: WorkerHost, tmp_path: Path) -> None:
    host.call(echo.Garbage())
    assert host.call(echo.Echo(text="fine")) == "fine"
    host.stop()
    log = (tmp_path / "echo.log").read_text()
    assert "not an event" in log
    assert "neither is this" in log


def test_stop_ends_open_requests_as_cancelled(host: WorkerHost) -> None:
    ended: SimpleQueue[Event] = SimpleQueue()
    host.start_call(echo.Wait(), ended.put)
    ended.get(timeout=30)
    pid = host.pid
    host.stop()
    assert isinstance(ended.get(timeout=30), events.Cancelled)
    assert gone(pid)
    assert (host.state, host.pid, host.death) == ("stopped", 0, None)


def test_an_idle_worker_is_stopped_and_started_again_when_it_is_needed(host: WorkerHost) -> None:
    assert not host.stop_if_idle(0)  # there is none
    host.call(echo.Echo(text="x"))
    first = host.pid
    assert not host.stop_if_idle(3600)
    context = RequestContext()
    stream = host.stream(echo.Wait(), context)
    next(stream)
    assert not host.stop_if_idle(0)  # it works
    context.cancel()
    assert isinstance([*stream][-1], events.Cancelled)
    assert host.stop_if_idle(0)
    assert (host.state, host.death) == ("stopped", None)
    assert gone(first)
    assert host.call(echo.Echo(text="again")) == "again"


def test_a_worker_that_is_started_for_a_call_is_not_idle(host: WorkerHost) -> None:
    over = threading.Event()

    def stop_always() -> None:
        while not over.is_set():
            host.stop_if_idle(0)

    stopping = threading.Thread(target=stop_always)
    stopping.start()
    try:
        assert [host.call(echo.Echo(text="x")) for _ in range(5)] == ["x"] * 5
    finally:
        over.set()
        stopping.join()


def test_a_closed_host_starts_nothing_any_more(host: WorkerHost) -> None:
    host.start()
    pid = host.pid
    host.close()
    assert gone(pid)
    *_, failed = host.stream(echo.Echo(text="x"))
    assert isinstance(failed, events.Failed)
    assert failed.reason == "worker"
    assert host.pid == 0


def test_stopping_while_starting_leaves_nothing_running(host: WorkerHost) -> None:
    ended: SimpleQueue[Event] = SimpleQueue()
    starting = threading.Thread(target=lambda: [ended.put(e) for e in host.stream(echo.Echo(text="x"))])
    starting.start()
    while not host.pid and starting.is_alive():
        pass
    pid = host.pid
    host.close()
    starting.join()
    assert gone(pid)
    assert host.pid == 0


def test_kill_takes_the_whole_tree(host: WorkerHost) -> None:
    child = host.call(echo.Spawn())
    host.kill()
    assert gone(child)


def test_children_do_not_outlive_a_worker_that_died(host: WorkerHost) -> None:
    child = host.call(echo.Spawn())
    os.kill(host.pid, signal.SIGKILL)
    assert gone(child)


def test_states_are_told_in_order(tmp_path: Path) -> None:
    states: list[str] = []
    host = WorkerHost("echo", command=COMMAND, on_state=states.append)
    host.start()
    with pytest.raises(errors.WorkerDied):
        host.call(echo.Die())
    host.start()
    host.stop()
    assert states == ["starting", "ready", "dead", "starting", "ready", "stopped"]


def test_a_worker_that_never_gets_ready_is_given_up(tmp_path: Path) -> None:
    host = WorkerHost(
        "mute", command=[sys.executable, "-c", "import sys; sys.stdin.read()"], start_timeout_s=1.0, stop_grace_s=1.0
    )
    with pytest.raises(errors.WorkerDied):
        host.start()
    assert host.state == "dead"


def test_a_worker_that_cannot_be_imported_says_why() -> None:
    host = WorkerHost("broken", command=[sys.executable, "-c", "import no_such_module"])
    *_, failed = host.stream(echo.Echo(text="x"))
    assert isinstance(failed, events.Failed)
    assert "no_such_module" in failed.stderr_tail


def test_a_missing_interpreter_is_a_dead_worker() -> None:
    host = WorkerHost("inference", interpreter="/no/such/python")
    with pytest.raises(errors.WorkerDied, match="model process"):
        host.start()


def test_an_inherited_runtime_pack_is_not_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PACK_VARIABLE, "/tmp/libggml-unsigned.so")
    host = WorkerHost("echo", command=COMMAND)
    environment = host.call(echo.Environment())
    host.stop()
    assert environment[PACK_VARIABLE] == ""


def test_workers_are_offline_unless_their_host_says_otherwise(tmp_path: Path) -> None:
    host = WorkerHost("echo", command=COMMAND, environment={"HF_HUB_OFFLINE": "0"})
    environment = host.call(echo.Environment())
    host.stop()
    assert environment["HF_HUB_OFFLINE"] == "0"
    assert environment["TRANSFORMERS_OFFLINE"] == WORKER_ENVIRONMENT["TRANSFORMERS_OFFLINE"] == "1"
    assert environment["GGML_NO_BACKTRACE"] == "1"


PARENT = """
import sys
from tests.workers import echo_worker as echo
from workbench.processes.host import WorkerHost
from workbench.processes.process import LARGEST_LOG_BYTES, LONGEST_LINE, STDERR_TAIL_LINES, StderrTail
hosts = [WorkerHost("echo", command=[sys.executable, echo.__file__]) for _ in range(2)]
for host in hosts:
    host.start()
print(*[host.pid for host in hosts], flush=True)
sys.stdin.read()
"""


def test_workers_leave_when_their_parent_is_killed() -> None:
    root = str(Path(__file__).parents[2])
    with subprocess.Popen(
        [sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=root
    ) as parent:
        assert parent.stdout is not None
        pids = [int(pid) for pid in parent.stdout.readline().split()]
        assert len(pids) == 2
        parent.kill()
    assert [gone(pid) for pid in pids] == [True, True]


def test_only_known_workers_are_started() -> None:
    done = subprocess.run([sys.executable, "-m", "workbench.workers", "os"], capture_output=True, check=False)
    assert done.returncode == 2
    assert b"inference" in done.stderr


def test_stderr_without_an_end_is_bounded_in_memory_and_on_the_disk(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    tail = StderrTail(os.fdopen(reading, "rb"), tmp_path / "x.log", "stderr")
    tail.start()
    with os.fdopen(writing, "wb") as stream:
        for _ in range(24):
            stream.write(b"x" * (1 << 20))
        stream.write(b"\nThe end.\n")
    tail.finish()
    tail._thread.join()
    assert len(tail.text()) < STDERR_TAIL_LINES * (LONGEST_LINE + 1)
    assert tail.text().endswith("The end.")
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 2 * LARGEST_LOG_BYTES + (1 << 20)
    assert (tmp_path / "x.log").read_bytes().endswith(b"The end.\n")
