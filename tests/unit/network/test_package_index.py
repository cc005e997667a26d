"""Package indexes: which files are taken from one, in JSON and in HTML, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.fake_hub import FakeHub, serving
from workbench.api.protocol import RequestContext
from workbench.base.errors import UserError
from workbench.network.gate import Gate, Offline
from workbench.network.package_index import find_package, read_file_name

DIGEST = "ab" * 32


def json_file(name: str, **more: Any) -> dict[str, Any]:
    return {"filename": name, "url": f"../files/{name}", "hashes": {"sha256": DIGEST}, "size": 9, **more}


def ask(hub: FakeHub, package: str = "engine") -> list[tuple[str, bool, str]]:
    with serving(hub) as address:
        found = find_package(Gate(lambda purpose: False), f"{address}/simple", package, RequestContext())
    return [(file.version, file.wheel, file.remote.url.removeprefix(address)) for file in found]


def test_the_newest_release_comes_first_and_its_wheel_before_its_source() -> None:
    names = ["engine-0.9.tar.gz", "engine-0.10.tar.gz", "engine-0.10-py3-none-any.whl", "engine-0.11rc1.tar.gz"]
    hub = FakeHub()
    pages = [json.dumps({"files": [json_file(name) for name in names]}).encode()]
    links = "".join(f'<a href="../../simple/files/{name}#sha256={DIGEST}">{name}</a>' for name in names)
    pages.append(f"<html><body>{links}</body></html>".encode())
    expected = [
        ("0.10", True, "/simple/files/engine-0.10-py3-none-any.whl"),
        ("0.10", False, "/simple/files/engine-0.10.tar.gz"),
        ("0.9", False, "/simple/files/engine-0.9.tar.gz"),
    ]
    for page in pages:
        hub.files["/simple/engine/"] = page
        assert ask(hub) == expected


def test_what_cannot_be_installed_here_or_was_withdrawn_is_left_out() -> None:
    hub = FakeHub()
    files = [
        json_file("engine-1.0-py3-none-win32.whl"),
        json_file("engine-1.1-cp27-cp27m-any.whl"),
        json_file("engine-1.2.tar.gz", yanked="it is broken"),
        json_file("engine-1.3.tar.gz", hashes={}),
        {**json_file("engine-1.4.tar.gz"), "requires-python": ">=4"},
        json_file("engine-1.5.exe"),
        json_file("engine-1.6.tar.gz"),
    ]
    hub.files["/simple/engine/"] = json.dumps({"files": files}).encode()
    assert [version for version, *_ in ask(hub)] == ["1.6"]


@pytest.mark.parametrize("content", [b"no index", b"{", b'{"files": 3}', b'{"files": [{}]}'])
def test_what_is_no_index_is_said(content: bytes) -> None:
    hub = FakeHub()
    hub.files["/simple/engine/"] = content
    with pytest.raises(UserError, match="is no package index"):
        ask(hub)


def test_a_missing_package_names_the_index() -> None:
    with pytest.raises(UserError, match="has no engine"):
        ask(FakeHub())


def test_nothing_is_asked_while_the_network_is_off_for_packages() -> None:
    gate = Gate(lambda purpose: purpose != "packages")
    with pytest.raises(Offline, match="switched off for packages of the program"):
        find_package(gate, "https://index.example/simple", "engine", RequestContext())


def test_an_index_in_the_own_network_is_reached() -> None:
    gate = Gate(lambda purpose: purpose == "packages", lambda host, port: ["10.1.2.3"])
    assert gate.addresses("packages", "index.lan", 443) == ["10.1.2.3"]


def test_a_name_that_is_of_no_package_is_none() -> None:
    assert [read_file_name(name) for name in ("a.whl", "engine.tar.gz", "x-1.zip.gz")] == [None, None, None]
