"""The client against a core that is frozen: it takes connections, and then reads nothing any more."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from multiprocessing.connection import Connection, Listener
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest

from workbench import __version__
from workbench.api import client as client_module
from workbench.api import events, wire
from workbench.api.client import Client
from workbench.api.events import Event
from workbench.api.ownership import make_key
from workbench.base.paths import Home
from workbench.subjects.documents.calls import CreateCollection
from workbench.subjects.runs.calls import GetStatus

WAIT_S = 20.0
LONG = CreateCollection(name="x" * 1_000_000)  # more than a socket takes


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path)
    home.create()
    return home


@pytest.fixture
def links(home: Home) -> Iterator[SimpleQueue[Connection]]:
    """The connections of a core that greets its clients."""
    accepted: SimpleQueue[Connection] = SimpleQueue()
    listener = Listener(home.address, authkey=make_key(home))

    def greet() -> None:
        link: Any = listener.accept()
        wire.decode_hello(link.recv_bytes())
        link.send_bytes(wire.encode(wire.Welcome(__version__, 1)))
        accepted.put(link)

    threading.Thread(target=greet, daemon=True).start()
    yield accepted
    listener.close()


@pytest.fixture
def client(home: Home, links: SimpleQueue[Connection], monkeypatch: pytest.MonkeyPatch) -> Client:
    monkeypatch.setattr(client_module, "CLOSE_S", 0.2)
    return Client(home, start_core=False)


def within(seconds: float, deed: Any) -> None:
    thread = threading.Thread(target=deed, daemon=True)
    thread.start()
    thread.join(seconds)
    assert not thread.is_alive()


def test_a_frozen_core_holds_up_neither_a_call_nor_a_cancel_nor_the_end(
    client: Client, links: SimpleQueue[Connection]
) -> None:
    link = links.get(timeout=WAIT_S)
    ended: SimpleQueue[Event] = SimpleQueue()

    def use() -> None:
        for _ in range(3):
            client.start(LONG, ended.put).cancel()

    within(WAIT_S, use)
    within(WAIT_S, client.close)
    assert [type(ended.get(timeout=WAIT_S)) for _ in range(3)] == [events.Cancelled] * 3
    link.close()


def test_what_was_asked_before_the_client_left_arrives_in_order(client: Client, links: SimpleQueue[Connection]) -> None:
    link = links.get(timeout=WAIT_S)
    for call in (LONG, GetStatus()):
        client.start(call, lambda event: None)
    closing = threading.Thread(target=client.close)
    closing.start()
    received = [wire.decode_to_core.decode(link.recv_bytes()) for _ in range(2)]
    with pytest.raises(EOFError):
        link.recv_bytes()
    closing.join(WAIT_S)
    assert [message.id for message in received] == [1, 2]
    link.close()
