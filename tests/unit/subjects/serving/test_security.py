"""What the local API refuses before it reads it: 20 hostile requests, as bytes on a real connection."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.api_server import KEY, send_raw, serving
from workbench.api.events import Event
from workbench.api.protocol import Call, RequestContext, finish
from workbench.subjects.serving.calls import ListServedModels, ServedModels
from workbench.subjects.serving.clients import ApiClients
from workbench.subjects.serving.http import exchange
from workbench.subjects.serving.http import running as running_module
from workbench.subjects.serving.http.app import make_app
from workbench.subjects.serving.http.running import RunningServer
from workbench.subjects.serving.http.security import Limits, NetworkAccess

ORIGIN = "http://localhost:3000"
LIMITS = Limits(body_bytes=1_000, body_seconds=0.2, at_once=4)


def handle(call: Call[object], context: RequestContext) -> Iterator[Event]:
    assert isinstance(call, ListServedModels), "a hostile request reached the core"
    yield finish(ServedModels(models=()))


@pytest.fixture
def server() -> Iterator[RunningServer]:
    with serving(handle, origins=(ORIGIN,), limits=LIMITS) as running:
        yield running


def request(
    *headers: str,
    method: str = "POST",
    path: str = "/v1/chat/completions",
    body: bytes = b"{}",
    key: str | None = KEY,
    host: str | None = "127.0.0.1",
    media: str = "application/json",
    length: int | None = None,
) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Connection: close"]
    lines += [] if host is None else [f"Host: {host}"]
    lines += [] if key is None else [f"Authorization: Bearer {key}"]
    if method == "POST":
        lines += [f"Content-Type: {media}", f"Content-Length: {len(body) if length is None else length}"]
    return "\r\n".join([*lines, *headers, "", ""]).encode() + body


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


HOSTILE = {
    "no key": (request(key=None), 401),
    "wrong key": (request(key="wb-test-kez"), 401),
    "a key that is longer": (request(key=KEY + "x"), 401),
    "an empty key": (request(key=""), 401),
    "key as basic": (request("Authorization: Basic d2I6d2I=", key=None), 401),
    "key that is not ASCII": (request(key="wb-\xff"), 401),
    "rebinding": (request(host="evil.example"), 403),
    "rebinding to a name that begins alike": (request(host="127.0.0.1.evil.example"), 403),
    "another address of this machine": (request(host="192.168.1.5:4711"), 403),
    "empty host": (request(host=""), 400),
    "no host": (request(host=None), 400),
    "two hosts": (request("Host: evil.example"), 400),
    "foreign origin": (request("Origin: https://evil.example"), 403),
    "null origin": (request("Origin: null"), 403),
    "cross-site picture": (request("Sec-Fetch-Site: cross-site", method="GET", path="/v1/models"), 403),
    "preflight of a foreign page": (
        request("Origin: https://evil.example", "Access-Control-Request-Method: POST", method="OPTIONS"),
        403,
    ),
    "form": (request(media="text/plain"), 415),
    "compressed": (request("Content-Encoding: gzip"), 415),
    "huge body": (request(body=b"x" * 1_001), 413),
    "huge body that is only announced": (request(length=1 << 40), 413),
    "slow body": (request(length=500), 408),
    "not JSON": (request(body=b"{"), 400),
    "deep JSON": (request(body=b"[" * 900), 400),
    "not UTF-8": (request(body=b'{"model": "\xff\xfe"}'), 400),
    "unknown path": (request(path="/v1/../../etc/passwd", method="GET"), 404),
    "wrong method": (request(method="DELETE"), 405),
    "not HTTP": (b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 400),
    "smuggled length": (request("Transfer-Encoding: chunked", body=b"0\r\n\r\n"), 400),
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.slow
def test_a_hostile_request_is_refused_and_logged(
    name: str, server: RunningServer, caplog: pytest.LogCaptureFixture
) -> None:
    sent, expected = HOSTILE[name]
    with caplog.at_level(logging.WARNING):
        answer = send_raw(server, sent)
    assert status_of(answer) == expected
    assert caplog.records, "it is logged"
    assert KEY not in caplog.text
    if name not in ("not HTTP", "smuggled length", "no host", "two hosts"):  # those are refused by the HTTP parser
        error = json.loads(answer.partition(b"\r\n\r\n")[2])["error"]
        assert set(error) == {"message", "type", "param", "code"}
        assert server.counts.refused == 1
    assert b"access-control-allow-origin" not in answer.lower()


def test_health_needs_no_key_but_a_name_of_this_machine(server: RunningServer) -> None:
    assert status_of(send_raw(server, request(method="GET", path="/health", key=None))) == 200
    assert status_of(send_raw(server, request(method="GET", path="/health", key=None, host="evil.example"))) == 403


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:4711", "[::1]:80", "127.0.0.1:1"])
def test_names_of_this_machine_are_hosts(server: RunningServer, host: str) -> None:
    assert status_of(send_raw(server, request(method="GET", path="/v1/models", host=host))) == 200


def test_doubled_slashes_are_one(server: RunningServer) -> None:
    assert status_of(send_raw(server, request(method="GET", path="//v1//models"))) == 200


def test_a_listed_page_may_ask(server: RunningServer) -> None:
    answer = send_raw(server, request(f"Origin: {ORIGIN}", method="GET", path="/v1/models"))
    assert status_of(answer) == 200
    assert f"access-control-allow-origin: {ORIGIN}".encode() in answer.lower()
    preflight = send_raw(server, request(f"Origin: {ORIGIN}", method="OPTIONS", key=None))
    assert status_of(preflight) == 204
    assert b"access-control-allow-headers: authorization, *" in preflight.lower()
    assert b"access-control-allow-credentials" not in preflight.lower()
    assert status_of(send_raw(server, request(f"Origin: {ORIGIN}", key=None))) == 401, "it needs the key all the same"


@pytest.mark.parametrize("sent", [b"", b"POST /v1/chat", request(method="GET", path="/health")[:-4] + b"A: "])
def test_a_head_that_does_not_arrive_ends_the_connection(sent: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running_module, "HEAD_S", 0.02)
    with serving(handle) as running:
        assert send_raw(running, sent) == b""


def test_a_slow_answer_does_not_end_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running_module, "HEAD_S", 0.01)
    checked, close = threading.Event(), running_module._Protocol._watch

    def watch(self: Any, last: object) -> None:
        if self.cycle is not None and self.cycle is last:
            checked.set()
        close(self, last)

    def waiting(call: Call[object], context: RequestContext) -> Iterator[Event]:
        assert checked.wait(30)
        yield finish(ServedModels(models=()))

    monkeypatch.setattr(running_module._Protocol, "_watch", watch)
    with serving(waiting) as running:
        assert status_of(send_raw(running, request(method="GET", path="/v1/models"))) == 200


def test_prompts_of_one_request_count_as_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "_places", threading.Semaphore(2))

    def answering(call: Call[object], context: RequestContext) -> Iterator[Event]:
        assert isinstance(call, ListServedModels), "more calls than allowed were begun"
        yield finish(ServedModels(models=()))

    with serving(answering) as running:
        many = request(path="/v1/completions", body=json.dumps({"prompt": ["a", "b", "c"]}).encode())
        assert status_of(send_raw(running, many)) == 429
        assert status_of(send_raw(running, request(method="GET", path="/v1/models"))) == 200


def test_too_many_requests_at_once_are_answered_with_429() -> None:
    go_on, begun = threading.Event(), threading.Semaphore(0)

    def waiting(call: Call[object], context: RequestContext) -> Iterator[Event]:
        begun.release()
        assert go_on.wait(30)
        yield finish(ServedModels(models=()))

    asked = request(method="GET", path="/v1/models")
    with serving(waiting, limits=Limits(at_once=2)) as running:
        answers: list[bytes] = []
        threads = [threading.Thread(target=lambda: answers.append(send_raw(running, asked))) for _ in range(2)]
        for thread in threads:
            thread.start()
        for _ in threads:
            assert begun.acquire(timeout=30)
        refused = send_raw(running, asked)
        go_on.set()
        for thread in threads:
            thread.join(30)
    assert status_of(refused) == 429
    assert b"retry-after: 1" in refused.lower()
    assert [status_of(one) for one in answers] == [200, 200]


def test_a_client_of_the_network_leaves_places_for_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither its requests nor their calls take what other clients and the programs of this machine need."""
    go_on, begun = threading.Event(), threading.Semaphore(0)

    def waiting(call: Call[object], context: RequestContext) -> Iterator[Event]:
        begun.release()
        assert go_on.wait(30)
        yield finish(ServedModels(models=()))

    monkeypatch.setattr(exchange, "_places", threading.Semaphore(0))  # of the programs of this machine: not taken
    clients = ApiClients(tmp_path / "clients")
    keys = [clients.add(name, 100, 1)[1] for name in ("greedy", "modest")]
    access = NetworkAccess(clients, lambda: (), lambda: {"127.0.0.1"})
    running = RunningServer(make_app(waiting, access, limits=Limits(client_at_once=2)), 0)

    def asked(key: str) -> bytes:
        return send_raw(running, request(method="GET", path="/v1/models", key=key))

    try:
        answers: list[bytes] = []
        threads = [threading.Thread(target=lambda: answers.append(asked(keys[0]))) for _ in range(2)]
        for thread in threads:
            thread.start()
        for _ in threads:
            assert begun.acquire(timeout=30)
        refused = asked(keys[0])
        other = threading.Thread(target=lambda: answers.append(asked(keys[1])))
        other.start()
        assert begun.acquire(timeout=30)
        go_on.set()
        for thread in (*threads, other):
            thread.join(30)
        assert status_of(refused) == 429
        assert b"greedy may make 2 requests at the same time" in refused
        assert [status_of(one) for one in answers] == [200, 200, 200]
        assert status_of(asked(keys[0])) == 200  # its places are free again
    finally:
        go_on.set()
        running.close()


def test_the_log_has_no_more_than_the_beginning_of_a_method(
    server: RunningServer, caplog: pytest.LogCaptureFixture
) -> None:
    send_raw(server, request(method="X" * 10_000, key="wrong"))
    assert "X" * 20 in caplog.text
    assert "X" * 21 not in caplog.text
