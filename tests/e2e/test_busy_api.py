"""A whole core as a process of its own, while other programs hold its connections and its embedding model."""

from __future__ import annotations

import contextlib
import http.client
import json
import resource
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest

from workbench.api import client as client_module
from workbench.api.client import Client
from workbench.api.events import Event, Progress
from workbench.api.ownership import read_owner
from workbench.base.paths import Home
from workbench.records.recipes import DecodingPart, Recipe
from workbench.subjects.chats.calls import Ask
from workbench.subjects.documents.calls import AddDocuments, CreateCollection, ListCollections
from workbench.subjects.machine.calls import ChangeSettings
from workbench.subjects.models.calls import ImportModel
from workbench.subjects.runs.calls import FollowRun, GetStatus
from workbench.subjects.serving.calls import GetApiState, ServeApi

IDLE, LIMIT, FILES = 1_100, 1_024, 12
WAIT_S = 600.0
SHORT = Recipe(decoding=DecodingPart(max_tokens=12))

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="descriptors are limited by resource")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    """A home whose core may have 1,024 descriptors and no more."""
    home = Home(tmp_path / "home")
    spawn = subprocess.Popen

    def limited(*arguments: Any, **options: Any) -> subprocess.Popen[bytes]:
        def limit() -> None:
            resource.setrlimit(resource.RLIMIT_NOFILE, (LIMIT, LIMIT))

        return spawn(*arguments, **options, preexec_fn=limit)

    monkeypatch.setattr(client_module.subprocess, "Popen", limited)
    yield home
    owner = read_owner(home)
    if owner is not None:
        with contextlib.suppress(psutil.NoSuchProcess):
            core = psutil.Process(owner.pid)
            core.terminate()
            core.wait(WAIT_S)


@pytest.fixture
def client(home: Home, smollm_file: Path, minilm_path: Path) -> Iterator[Client]:
    client = Client(home, idle_s=5.0)
    client.call(ImportModel(path=str(smollm_file), name="Smol"))
    client.call(ImportModel(path=str(minilm_path), name="MiniLM"))
    yield client
    client.close()


@pytest.fixture
def address(client: Client) -> str:
    """The address of the API, which is served as long as the client is there."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    client.call(ChangeSettings(values={"server": {"port": port}}))
    client.start(ServeApi(), lambda event: None)
    while not (state := client.call(GetApiState())).address:
        assert not state.problem
    return state.address


@contextlib.contextmanager
def idle_connections(family: int, to: Any) -> Iterator[None]:
    """So many connections that say nothing."""
    with contextlib.ExitStack() as stack:
        for _ in range(IDLE):
            one = stack.enter_context(socket.socket(family, socket.SOCK_STREAM))
            one.connect(to)
        yield


def key_of(home: Home) -> str:
    return home.api_key.read_text().strip()


def post(home: Home, address: str, path: str, body: object) -> tuple[int, Any]:
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=WAIT_S)
    with contextlib.closing(connection):
        headers = {"Authorization": f"Bearer {key_of(home)}", "Content-Type": "application/json"}
        connection.request("POST", path, json.dumps(body), headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())


def test_idle_connections_without_a_key_keep_no_question_out(home: Home, client: Client) -> None:
    client.call(GetStatus())
    owner = read_owner(home)
    assert owner is not None
    with idle_connections(socket.AF_UNIX, home.address):
        assert client.call(Ask(question="Are you there?", recipe=SHORT)).answer
        second = Client(home, start_core=False)
        try:
            assert second.call(Ask(question="And for another program?", recipe=SHORT)).answer
        finally:
            second.close()
        assert psutil.Process(owner.pid).num_fds() < LIMIT / 2


def test_idle_connections_to_the_api_keep_no_question_out(home: Home, client: Client, address: str) -> None:
    host, _, port = urlsplit(address).netloc.partition(":")
    owner = read_owner(home)
    assert owner is not None
    with idle_connections(socket.AF_INET, (host, int(port))):
        assert client.call(Ask(question="Are you there?", recipe=SHORT)).answer
        status, answer = post(home, address, "/v1/chat/completions", {
            "model": "Smol", "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 4})  # fmt: skip
        assert status == 200
        assert answer["choices"]
        assert psutil.Process(owner.pid).num_fds() < LIMIT / 2


def test_many_embeddings_hold_up_neither_an_ingest_nor_a_chat(
    home: Home, client: Client, address: str, tmp_path: Path
) -> None:
    folder = tmp_path / "papers"
    folder.mkdir()
    for number in range(FILES):
        (folder / f"{number}.txt").write_text(f"Pump {number} has a warranty of {number + 1} months. " * 40)
    client.call(Ask(question="Wake up.", recipe=SHORT))
    collection = client.call(CreateCollection(name="papers"))
    assert post(home, address, "/v1/embeddings", {"input": ["a"], "model": "MiniLM"})[0] == 200
    worker = {one.name: one.pid for one in client.call(GetStatus()).workers}["embedding"]

    status, refused = post(home, address, "/v1/embeddings", {"input": "word " * 2_800_000})
    assert status == 413
    assert refused["error"]["code"] == "request_too_large"
    assert refused["error"]["param"] == "input"

    # as much as one request may have, by a client that hangs up as soon as the ingest is under way
    body = json.dumps({"input": [f"{number} " + "word " * 110 for number in range(2_000)], "model": "MiniLM"}).encode()
    with socket.create_connection(urlsplit(address).netloc.split(":"), WAIT_S) as greedy:  # type: ignore[arg-type]
        greedy.sendall(
            f"POST /v1/embeddings HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {key_of(home)}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        )
        greedy.sendall(body)
        run = client.call(AddDocuments(collection=collection.id, paths=(str(folder),)))
        told: list[Event] = []
        moving, over = threading.Event(), threading.Event()

        def watch(event: Event) -> None:
            told.append(event)
            if isinstance(event, Progress) and event.done:
                moving.set()

        def follow() -> None:
            client.call(FollowRun(run=run.id), watch)
            over.set()

        following = threading.Thread(target=follow, daemon=True)
        following.start()
        assert moving.wait(WAIT_S), "the ingest takes its turns"
        assert client.call(Ask(question="Are you there?", recipe=SHORT)).answer
    assert over.wait(WAIT_S)
    (known,) = client.call(ListCollections()).collections
    assert known.documents == FILES
    assert {one.name: one.pid for one in client.call(GetStatus()).workers}["embedding"] == worker
