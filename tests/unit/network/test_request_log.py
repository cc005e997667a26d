"""The log of requests: it outlasts the program, is bounded, and leaves a newer file as it is."""

from __future__ import annotations

import asyncio
import csv
import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import msgspec
import pytest

from workbench.network import request_log
from workbench.network.http import NotingTransport, PinnedBackend
from workbench.network.request_log import RequestLog, as_csv
from workbench.records.hub import NetworkRequest


def request(number: int, **fields: object) -> NetworkRequest:
    made = NetworkRequest(at=float(number), purpose="endpoint", host="api.example.com", id=str(number), path="/v1/x")
    return msgspec.structs.replace(made, **fields)


def test_requests_outlast_the_program_and_know_how_they_ended(tmp_path: Path) -> None:
    path = tmp_path / "network.jsonl"
    log = RequestLog(path)
    log.put(request(1, status=200))
    log.put(request(2, refused="It is switched off."))
    log.put(request(1, status=200, bytes_in=77))
    assert [one.bytes_in for one in log.all()] == [0, 77]
    assert RequestLog(path).all() == log.all()
    assert all("format" in json.loads(line) for line in path.read_text().splitlines())
    assert path.stat().st_mode & 0o077 == 0


def test_a_torn_line_costs_nothing_but_itself(tmp_path: Path) -> None:
    path = tmp_path / "network.jsonl"
    RequestLog(path).put(request(1))
    with path.open("ab") as file:
        file.write(b'{"at": 2.0, "purp')
    log = RequestLog(path)
    assert [one.at for one in log.all()] == [1.0]
    log.put(request(3))
    assert [one.at for one in RequestLog(path).all()] == [3.0, 1.0]


@pytest.mark.parametrize(
    "line", [b'{"at": 2.0, "purpose": "endpoint", "host": "\xc3"}', b"12", b'{"format": 1, "at": "x"}', b"[]"]
)
def test_a_damaged_line_is_skipped_and_the_log_goes_on(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "network.jsonl"
    RequestLog(path).put(request(1))
    with path.open("ab") as file:
        file.write(line)
    RequestLog(path).put(request(3))
    assert [one.at for one in RequestLog(path).all()] == [3.0, 1.0]


def test_the_file_of_a_newer_program_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "network.jsonl"
    path.write_text('{"format": 99, "at": 1.0, "purpose": "endpoint", "host": "x"}\n')
    before = path.read_bytes()
    log = RequestLog(path)
    log.put(request(1))
    log.clear()
    assert path.read_bytes() == before


def test_memory_and_file_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_log, "MOST_LOGGED", 10)
    monkeypatch.setattr(request_log, "MOST_LINES", 40)
    path = tmp_path / "network.jsonl"
    log = RequestLog(path)
    for number in range(200):
        log.put(request(number))
        assert len(path.read_bytes().splitlines()) <= 40
    assert [one.at for one in log.all()] == [float(number) for number in range(199, 189, -1)]
    assert RequestLog(path).all() == log.all()


def test_clearing_empties_the_file(tmp_path: Path) -> None:
    path = tmp_path / "network.jsonl"
    log = RequestLog(path)
    log.put(request(1))
    log.clear()
    assert log.all() == []
    assert path.read_bytes() == b""


def test_a_disk_that_cannot_be_written_costs_the_file_only(tmp_path: Path) -> None:
    log = RequestLog(tmp_path / "no folder" / "network.jsonl")
    log.put(request(1))
    assert len(log.all()) == 1


def test_as_csv() -> None:
    lines = "".join(as_csv([request(1, refused='It is "off".', bytes_out=3)]))
    (row,) = csv.DictReader(lines.splitlines())
    assert (row["host"], row["sent_bytes"], row["refused"]) == ("api.example.com", "3", 'It is "off".')


def test_a_stream_that_ends_after_later_requests_is_noted_with_its_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    class Streamed(httpx2.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            yield b"12345"

    async def answered(self: object, request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, stream=Streamed())

    async def ask() -> list[NetworkRequest]:
        monkeypatch.setattr(httpx2.AsyncHTTPTransport, "handle_async_request", answered)
        transport = NotingTransport("mcp", PinnedBackend("example.com", ()))
        first, second = [
            await transport.handle_async_request(httpx2.Request("GET", f"https://example.com/{name}"))
            for name in ("events", "tools")
        ]
        for response in (second, first):
            await response.aread()
            await response.aclose()
        return transport.take()

    noted = {one.id: one for one in asyncio.run(ask())}
    assert [(one.path, one.bytes_in) for one in noted.values()] == [("/events", 5), ("/tools", 5)]
