"""New versions: asked for only, announced in a signed file, never an older one, downloaded whole."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.fake_hub import FakeHub, Fault, serving
from tests.unit.packaging.scripts import script
from workbench import calls
from workbench.api.protocol import RequestContext, result_of
from workbench.base.errors import UserError
from workbench.base.installation import Installation
from workbench.base.paths import Home
from workbench.network.gate import Gate
from workbench.subjects.machine.updates import Releases, Updates

sign = script("keys").sign
INSTALLER = b"the installer" * 1000


class Place:
    """Where versions are announced, and the program that asks."""

    def __init__(self, hub: FakeHub, home: Home, private: bytes) -> None:
        self.hub, self.home, self._private = hub, home, private
        self.gate = Gate(lambda purpose: purpose == "update")
        self.kind = "deb"
        hub.files["/new.deb"] = INSTALLER

    def announce(self, new: str, **changes: Any) -> None:
        self.hub.files["/latest.json"] = msgspec.json.encode(
            {
                "format": 1,
                "version": new,
                "published": "2026-11-26",
                "notes": "Faster.",
                "files": {
                    "deb-linux-x86_64": {
                        "url": "new.deb",
                        "name": f"llm-workbench_{new}_amd64.deb",
                        "bytes": len(INSTALLER),
                        "sha256": self.hub.sha256("/new.deb"),
                    }
                },
                **changes,
            }
        )
        self.hub.files["/latest.json.sig"] = sign(self._private, self.hub.files["/latest.json"]).encode()

    def ask(self, call: calls.CheckUpdate | calls.DownloadUpdate) -> calls.Update:
        tree = Installation(
            kind=self.kind, version="1.0.0", platform="linux-x86_64", source=f"{self.hub.url}/latest.json"
        )  # type: ignore[arg-type]
        updates = Updates(Releases(self.home, self.gate, lambda: tree), "1.0.0")
        return result_of(call, updates.handlers()[type(call)](call, RequestContext()))


@pytest.fixture
def place(home: Home, release_key: bytes) -> Iterator[Place]:
    hub = FakeHub()
    with serving(hub) as url:
        hub.url = url
        yield Place(hub, home, release_key)


def test_a_newer_version_is_announced_and_downloaded(place: Place) -> None:
    place.announce("1.10.0")
    found = place.ask(calls.CheckUpdate())
    assert (found.newer, found.version, found.current, found.notes) == (True, "1.10.0", "1.0.0", "Faster.")
    assert found.url == f"{place.hub.url}/new.deb"
    fetched = place.ask(calls.DownloadUpdate())
    assert Path(fetched.path).read_bytes() == INSTALLER
    assert Path(fetched.path).parent == place.home.updates
    assert fetched.how == f"Install it with: sudo apt install {fetched.path}"


@pytest.mark.parametrize("version", ["1.0.0", "0.9.9"])
def test_the_same_or_an_older_version_is_none(place: Place, version: str) -> None:
    place.announce(version)
    assert not place.ask(calls.CheckUpdate()).newer
    with pytest.raises(UserError, match="is not newer than this one"):
        place.ask(calls.DownloadUpdate())


def test_an_older_announcement_than_before_is_refused(place: Place) -> None:
    place.announce("1.2.0")
    place.ask(calls.CheckUpdate())
    place.announce("1.1.0")  # signed once, and offered again by somebody
    with pytest.raises(UserError, match=r"1\.1\.0 was announced, but 1\.2\.0 already"):
        place.ask(calls.CheckUpdate())


@pytest.mark.parametrize(
    "fault",
    [
        Fault(status=302, headers={"Location": "http://login.hotel.example/"}),
        Fault(status=200, headers={"Content-Type": "text/html"}),
    ],
    ids=["redirect", "page"],
)
def test_a_login_page_of_the_network_is_named(place: Place, fault: Fault) -> None:
    place.announce("1.2.0")
    place.hub.faults.append(fault)
    with pytest.raises(UserError, match=r"127\.0\.0\.1 (redirects to|answered with a web page)") as said:
        place.ask(calls.CheckUpdate())
    assert "log in there" in said.value.hint


def test_a_changed_announcement_is_refused(place: Place) -> None:
    place.announce("1.2.0")
    place.hub.files["/latest.json"] = place.hub.files["/latest.json"].replace(b"1.2.0", b"9.2.0")
    with pytest.raises(UserError, match="not signed by anybody"):
        place.ask(calls.CheckUpdate())


def test_an_installer_of_another_content_is_removed(place: Place) -> None:
    place.announce("1.2.0")
    place.hub.files["/new.deb"] = INSTALLER[:-1] + b"!"
    with pytest.raises(UserError, match="another content than announced"):
        place.ask(calls.DownloadUpdate())
    assert list(place.home.updates.glob("*.deb*")) == []


def test_nothing_is_asked_while_the_network_is_off(place: Place) -> None:
    place.announce("1.2.0")
    place.gate = Gate(lambda purpose: False, lambda host, port: pytest.fail("looked up"))
    place.hub.url = "https://updates.example"
    with pytest.raises(UserError, match="switched off for looking for new versions and runtime packs"):
        place.ask(calls.CheckUpdate())
    assert place.hub.asked == []


def test_other_addresses_need_https(place: Place) -> None:
    place.hub.url = "http://updates.example"
    with pytest.raises(UserError, match="https only"):
        place.ask(calls.CheckUpdate())


def test_a_key_for_packs_announces_no_version(place: Place, packs_key: bytes) -> None:
    place.announce("1.2.0")
    place.hub.files["/latest.json.sig"] = sign(packs_key, place.hub.files["/latest.json"]).encode()
    with pytest.raises(UserError, match=r"trusts \(release\.updates\)"):
        place.ask(calls.CheckUpdate())


@pytest.mark.parametrize(
    "changes",
    [
        {"version": "1.2"},
        {"version": "../1"},
        {"files": {"deb-linux-x86_64": {"url": "x", "name": "../x.deb", "bytes": 1, "sha256": "0" * 64}}},
        {"format": 99},
    ],
)
def test_an_announcement_that_cannot_be_read_is_refused(place: Place, changes: dict[str, Any]) -> None:
    place.announce("1.2.0", **changes)
    with pytest.raises(UserError, match="announcement of the latest version"):
        place.ask(calls.CheckUpdate())


def test_a_version_without_an_installer_for_this_system_says_so(place: Place) -> None:
    place.announce("1.2.0")
    place.kind = "run"
    assert place.ask(calls.CheckUpdate()).file == ""
    with pytest.raises(UserError, match="no installer for run-linux-x86_64"):
        place.ask(calls.DownloadUpdate())


def test_pip_and_checkouts_are_updated_elsewhere(home: Home) -> None:
    updates = Updates(Releases(home, Gate(lambda purpose: True), lambda: None))
    call = calls.CheckUpdate()
    with pytest.raises(UserError, match="installed by pip or runs from a checkout"):
        result_of(call, updates.check(call, RequestContext()))
