"""The gate: nothing leaves without its purpose, and what a name resolves to is what is connected to."""

from __future__ import annotations

import socket
from collections.abc import Sequence

import httpx2
import pytest

from tests.fake_hub import FakeHub, Fault, serving
from workbench.api.protocol import RequestContext
from workbench.network.gate import Gate, Offline
from workbench.network.http import open_client
from workbench.records.hub import Purpose


def gate(*allowed: Purpose, addresses: Sequence[str] = ("93.184.216.34",)) -> tuple[Gate, list[str]]:
    looked_up: list[str] = []

    def resolve(host: str, port: int) -> Sequence[str]:
        looked_up.append(host)
        return addresses

    return Gate(lambda purpose: purpose in allowed, resolve), looked_up


@pytest.mark.parametrize("host", ["example.org", "93.184.216.34", "localhost.evil.example", "0x7f000001.example"])
def test_nothing_leaves_and_no_name_is_looked_up_while_a_purpose_is_off(host: str) -> None:
    closed, looked_up = gate("update")
    with pytest.raises(Offline, match="switched off for searching and downloading models"):
        closed.addresses("hub", host, 443)
    assert looked_up == []
    assert [one.refused != "" for one in closed.requests()] == [True]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "[::1]", "127.8.9.1"])
def test_this_machine_is_always_reached(host: str) -> None:
    closed, looked_up = gate()
    assert closed.addresses("endpoint", host, 80)
    assert looked_up == []


@pytest.mark.parametrize("address", ["10.0.0.4", "192.168.1.1", "169.254.169.254", "fe80::1", "0.0.0.0", "100.64.0.1"])
def test_a_public_purpose_does_not_reach_the_local_network(address: str) -> None:
    opened, _ = gate("hub", "endpoint", addresses=(address,))
    with pytest.raises(Offline, match="local network"):
        opened.addresses("hub", "rebound.example", 443)
    assert opened.addresses("endpoint", "server.lan", 8000) == [address]


def test_the_address_that_was_checked_is_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    connected: list[object] = []

    def connect(address: object, *rest: object, **named: object) -> socket.socket:
        connected.append(address)
        raise ConnectionRefusedError("refused here")

    monkeypatch.setattr(socket, "create_connection", connect)
    opened, looked_up = gate("hub", addresses=("93.184.216.34", "10.0.0.1"))
    with open_client(opened, "hub", context=RequestContext()) as client, pytest.raises(httpx2.ConnectError):
        client.get("http://example.org/x")
    assert (connected, looked_up) == ([("93.184.216.34", 80)], ["example.org"])


def test_a_refusal_reaches_the_caller_through_the_client() -> None:
    closed, _ = gate()
    with open_client(closed, "hub", context=RequestContext()) as client, pytest.raises(Offline):
        client.get("https://example.org/x")


def test_proxies_of_the_environment_are_ignored_and_requests_are_logged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("ALL_PROXY", "http://proxy.example:3128")
    hub = FakeHub()
    hub.files["/a"] = b"12345"
    hub.faults.append(Fault(status=302, headers={"Location": "http://elsewhere.example/"}))
    closed, looked_up = gate()
    with serving(hub), open_client(closed, "hub", context=RequestContext()) as client:
        assert client.get(hub.url + "/a").status_code == 302  # not followed
        assert client.get(hub.url + "/a").content == b"12345"
    assert looked_up == []
    assert [(one.status, one.bytes_in, one.path) for one in closed.requests()] == [(200, 5, "/a"), (302, 0, "/a")]
