"""The core as a process of its own, with clients that come, go and are killed."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client as connect  # noqa: N813
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import msgspec
import psutil
import pytest

from workbench import __version__, calls
from workbench.api import client as client_module
from workbench.api import events, wire
from workbench.api.client import Client
from workbench.api.events import Event
from workbench.api.ownership import HomeLock, folder_identity, make_key, read_key, read_owner
from workbench.api.service import Service
from workbench.app import Workbench
from workbench.base import errors
from workbench.base.errors import UserError
from workbench.base.paths import Home
from workbench.records.recipes import DecodingPart, Recipe
from workbench.subjects.chats.calls import Ask, GetChat, ListChats
from workbench.subjects.documents.calls import CreateCollection, ListCollections
from workbench.subjects.models.calls import ListModels, RegisterStarter
from workbench.subjects.runs.calls import GetStatus, Status, Subscribe

WAIT_S = 30.0
ROOT = Path(__file__).parents[2]

MakeClient = Callable[..., Client]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    home = Home(tmp_path / "home")
    yield home
    owner = read_owner(home)
    if owner is not None:
        with contextlib.suppress(psutil.NoSuchProcess):
            core = psutil.Process(owner.pid)
            core.terminate()
            core.wait(WAIT_S)


@pytest.fixture
def client(home: Home) -> Iterator[MakeClient]:
    """Makes clients of the home, whose core leaves soon after the last one."""
    made: list[Client] = []

    def make(**options: Any) -> Client:
        made.append(Client(home, **{"idle_s": 0.5, **options}))
        return made[-1]

    yield make
    for one in made:
        one.close()


def core_pid(home: Home) -> int:
    owner = read_owner(home)
    assert owner is not None
    return owner.pid


def wait_gone(pid: int) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):  # it may go at any moment, between two questions too
        psutil.wait_procs([psutil.Process(pid)], timeout=WAIT_S)
    assert not psutil.pid_exists(pid)


def heard(client: Client, call: Any) -> tuple[SimpleQueue[Event], Any]:
    arrived: SimpleQueue[Event] = SimpleQueue()
    return arrived, client.start(call, arrived.put)


def run_python(code: str, *arguments: str, **options: Any) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True, **options
    )


def test_the_first_client_starts_the_core_and_the_last_one_takes_it_along(home: Home, client: MakeClient) -> None:
    first, second = client(), client()
    assert isinstance(first.call(GetStatus()), Status)
    second.call(CreateCollection(name="Papers"))
    assert [c.name for c in first.call(ListCollections()).collections] == ["Papers"]
    pid = core_pid(home)
    first.close()
    second.call(GetStatus())
    assert core_pid(home) == pid
    second.close()
    wait_gone(pid)
    assert read_owner(home) is None
    assert not os.path.exists(home.address)


def test_key_and_socket_are_the_owners_alone(home: Home, client: MakeClient) -> None:
    client().call(GetStatus())
    assert stat.S_IMODE(home.key.stat().st_mode) == 0o600
    assert stat.S_IMODE(os.stat(home.address).st_mode) & 0o077 == 0
    with pytest.raises((AuthenticationError, EOFError, OSError)):
        connect(home.address, authkey=b"guessed")
    assert isinstance(client().call(GetStatus()), Status)


def test_clients_see_each_others_changes(client: MakeClient) -> None:
    watching, working = client(), client()
    watching.call(GetStatus())
    changes, handle = heard(watching, Subscribe())
    watching.call(GetStatus())  # sent after the subscription, on the same connection: it has begun
    working.call(CreateCollection(name="Papers"))
    changed = changes.get(timeout=WAIT_S)
    assert isinstance(changed, events.Changed)
    assert changed.kind == "collection"
    handle.cancel()
    assert isinstance(changes.get(timeout=WAIT_S), events.Cancelled)


def test_many_starters_end_up_with_one_core(home: Home) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from workbench.api.client import Client; from workbench.base.paths import Home\n"
        "from workbench.calls import CreateCollection\n"
        "c = Client(Home(Path(sys.argv[1])), idle_s=2); c.call(CreateCollection(name=sys.argv[2])); c.close()"
    )
    starters = [run_python(code, str(home.root), f"c{n}") for n in range(5)]
    for starter in starters:
        with starter:
            assert starter.wait(WAIT_S * 2) == 0
    log = (home.logs / "core.log").read_text()
    assert log.count(" serves ") == 1
    one = Client(home, idle_s=0.5)
    assert len(one.call(ListCollections()).collections) == 5
    one.close()


def test_a_killed_core_ends_open_calls_and_the_next_call_starts_another(home: Home, client: MakeClient) -> None:
    one = client()
    one.call(CreateCollection(name="Papers"))
    changes, _ = heard(one, Subscribe())
    one.call(GetStatus())
    pid = core_pid(home)
    os.kill(pid, signal.SIGKILL)
    failed = changes.get(timeout=WAIT_S)
    assert isinstance(failed, events.Failed)
    assert failed.reason == "worker"
    wait_gone(pid)
    assert [c.name for c in one.call(ListCollections()).collections] == ["Papers"]
    assert core_pid(home) != pid


def test_a_stale_lock_and_socket_are_taken_over(home: Home, client: MakeClient) -> None:
    home.create()
    left = {"pid": os.getpid(), "mark": "of another process", "version": "0", "address": home.address}
    home.lock.write_bytes(msgspec.json.encode(left))
    Path(home.address).touch()
    assert read_owner(home) is None
    assert isinstance(client().call(GetStatus()), Status)


def test_the_owner_is_known_also_after_the_clock_was_set(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = HomeLock.acquire(home)
    assert lock is not None
    create_time = psutil.Process.create_time
    with lock:
        monkeypatch.setattr(psutil.Process, "create_time", lambda process: create_time(process) + 3600)
        assert (owner := read_owner(home)) is not None
        assert owner.pid == os.getpid()


@pytest.mark.skipif(sys.platform == "win32", reason="Unix sockets")
def test_a_client_with_another_temporary_folder_finds_the_core_of_a_long_home(
    tmp_path: Path, client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    long_home = Home(tmp_path / ("x" * 100))
    first = Client(long_home, idle_s=0.5)
    first.call(CreateCollection(name="Papers"))
    with tempfile.TemporaryDirectory(prefix="w") as other:
        monkeypatch.setattr(tempfile, "tempdir", other)
        second = Client(long_home, start_core=False)
        assert [collection.name for collection in second.call(ListCollections()).collections] == ["Papers"]
        second.close()
    pid = core_pid(long_home)
    first.close()
    wait_gone(pid)


def test_what_a_thread_of_the_core_does_not_expect_is_in_its_log(home: Home) -> None:
    code = """
import sys, threading
from pathlib import Path
from workbench.api import service
from workbench.core.background import Background
from workbench.base.paths import Home

service._log_into(Home(Path(sys.argv[1])))
background = Background()
background.start("checking", lambda context: {}["nothing of that name"])
background.close()
"""
    home.create()
    done = subprocess.run([sys.executable, "-c", code, str(home.root)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    log = (home.logs / "core.log").read_text("utf-8")
    assert "ERROR checking" in log
    assert "KeyError: 'nothing of that name'" in log


def test_only_one_process_holds_the_lock(home: Home) -> None:
    lock = HomeLock.acquire(home)
    assert lock is not None
    with lock:
        code = (
            "import sys; from pathlib import Path; from workbench.base.paths import Home\n"
            "from workbench.api.ownership import HomeLock; print(HomeLock.acquire(Home(Path(sys.argv[1]))))"
        )
        with run_python(code, str(home.root)) as other:
            assert other.stdout is not None
            assert other.stdout.read().strip() == "None"
        assert read_owner(home) is not None
    assert read_owner(home) is None


def test_a_core_makes_a_key_of_its_own(home: Home) -> None:
    home.create()
    key = make_key(home)
    assert make_key(home) == read_key(home) != key
    assert len(key) == 32


def test_a_core_that_cannot_start_says_why(home: Home, client: MakeClient) -> None:
    home.create()
    home.database.write_bytes(b"no database" * 1000)
    with pytest.raises(UserError, match="damaged or not a database"):
        client().call(GetStatus())
    home.database.unlink()
    assert isinstance(client().call(GetStatus()), Status)


def test_another_version_is_refused_and_an_idle_core_makes_way(home: Home, client: MakeClient) -> None:
    one = client()
    one.call(GetStatus())
    pid = core_pid(home)
    key = read_key(home)
    assert key is not None

    def greet() -> wire.Refused:
        link = connect(home.address, authkey=key)
        link.send_bytes(wire.encode(wire.Hello("99.0")))
        answer = wire.decode_to_client.decode(link.recv_bytes())
        link.close()
        assert isinstance(answer, wire.Refused)
        return answer

    refused = greet()
    assert "99.0" in refused.message
    assert not refused.leaving
    assert isinstance(one.call(GetStatus()), Status)
    idle = client(idle_s=600)
    one.close()
    idle.call(GetStatus())
    idle.close()
    while not greet().leaving:  # until the core has noticed that its last client left
        pass
    wait_gone(pid)


def test_without_a_core_a_client_that_may_not_start_one_says_so(client: MakeClient) -> None:
    with pytest.raises(UserError, match="No core is running"):
        client(start_core=False).call(GetStatus())


@pytest.mark.skipif(sys.platform == "win32", reason="the address is a pipe")
def test_a_core_that_hangs_is_not_waited_for_without_end(
    home: Home, client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "CONNECT_TIMEOUT_S", 0.3)
    home.create()
    make_key(home)
    with socket.socket(socket.AF_UNIX) as deaf:
        deaf.bind(home.address)
        deaf.listen(8)
        for start_core in (True, False):
            with pytest.raises(UserError, match="does not answer"):
                client(start_core=start_core).call(GetStatus())


def test_an_unreadable_call_fails_alone(home: Home, client: MakeClient) -> None:
    client().call(GetStatus())
    key = read_key(home)
    assert key is not None
    link = connect(home.address, authkey=key)
    link.send_bytes(wire.encode(wire.Hello(__version__, home=folder_identity(home.root))))
    assert isinstance(wire.decode_to_client.decode(link.recv_bytes()), wire.Welcome)
    link.send_bytes(wire.encode(wire.CallMessage(1, msgspec.Raw(wire.encode({"call": "no.such"})))))
    link.send_bytes(wire.encode(wire.CallMessage(2, msgspec.Raw(wire.encode(GetStatus())))))
    answers = {}
    for _ in range(2):
        told = wire.decode_to_client.decode(link.recv_bytes())
        assert isinstance(told, wire.EventMessage)
        answers[told.id] = told.event
    assert isinstance(answers[1], events.Failed)
    assert isinstance(answers[2], events.Finished)
    link.close()


def test_a_value_out_of_its_range_is_refused_in_words(client: MakeClient) -> None:
    recipe = Recipe(decoding=DecodingPart(grammar="x" * 70_000))
    with pytest.raises(UserError, match=r"recipe\.decoding\.grammar: expected `str` of length <= 65536"):
        client().call(Ask(question="q", recipe=recipe))


def test_closing_a_client_ends_its_open_calls(client: MakeClient) -> None:
    one = client()
    arrived, _ = heard(one, Subscribe())
    one.call(GetStatus())
    one.close()
    assert isinstance(arrived.get(timeout=WAIT_S), events.Cancelled)
    with pytest.raises(RuntimeError, match="closed"):
        one.call(GetStatus())


def test_calls_from_many_threads_and_callbacks_that_call(client: MakeClient) -> None:
    one = client()
    done: SimpleQueue[Any] = SimpleQueue()

    def chain(event: Event) -> None:
        if isinstance(event, events.Finished):
            one.start(ListChats(), done.put)

    for _ in range(20):
        threading.Thread(target=lambda: one.start(ListModels(), chain)).start()
    answers = [done.get(timeout=WAIT_S) for _ in range(20)]
    assert all(isinstance(answer, events.Finished) for answer in answers)


ASK_AND_BE_KILLED = """
import os, sys, signal
from pathlib import Path
from workbench.api.client import Client
from workbench.base.paths import Home
from workbench.calls import Ask
from workbench.records.recipes import DecodingPart, Recipe
from workbench.api import events
client = Client(Home(Path(sys.argv[1])), idle_s=0.5)
recipe = Recipe(decoding=DecodingPart(max_tokens=24, temperature=1.5))
for event in client.stream(Ask(question="Tell me a long story about the sea and its many wonders.", recipe=recipe)):
    if isinstance(event, events.Artifact):
        print(event.result["chat"], flush=True)
    if isinstance(event, events.TextDelta):
        os.kill(os.getpid(), signal.SIGKILL)
"""


def test_an_answer_goes_on_when_its_client_is_killed_and_workers_go_with_the_core(
    home: Home, client: MakeClient, smollm_path: Path
) -> None:
    one = client()
    one.call(RegisterStarter())
    changes, _ = heard(one, Subscribe())
    with run_python(ASK_AND_BE_KILLED, str(home.root)) as asking:
        assert asking.stdout is not None
        chat = asking.stdout.readline().strip()
        assert asking.wait(WAIT_S) == -signal.SIGKILL
    while True:
        answer = one.call(GetChat(chat=chat)).messages[-1]
        if answer.state != "streaming":
            break
        changes.get(timeout=WAIT_S)
    assert answer.state == "done"
    assert answer.usage is not None
    assert answer.usage.new_tokens > 5
    worker = one.call(GetStatus()).workers[0].pid
    os.kill(core_pid(home), signal.SIGKILL)
    wait_gone(worker)
    with pytest.raises((errors.WorkerDied, UserError)):  # the first to notice, or already the next core's answer
        one.call(Ask(question=" "))
    assert one.call(GetChat(chat=chat)).messages[-1].text == answer.text


def test_a_core_that_leaves_lets_another_ones_socket_be(home: Home) -> None:
    workbench = Workbench(home)
    first = Service(workbench, calls.ALL, make_key(home))
    second = Service(workbench, calls.ALL, make_key(home))
    first.leave()
    first.run()
    assert os.path.exists(home.address)
    second.leave()
    second.run()
    assert not os.path.exists(home.address)
    workbench.close()
