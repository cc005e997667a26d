"""Runtime packs that are downloaded: asked for only, listed in a signed file, then checked like a pack from a file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fake_hub import FakeHub, serving
from tests.unit.packaging.scripts import script
from tests.unit.packaging.test_runtime import BASE, Chosen
from workbench import calls
from workbench.api.protocol import RequestContext, result_of
from workbench.base.errors import UserError
from workbench.base.installation import Installation
from workbench.base.paths import Home
from workbench.network.gate import Gate
from workbench.subjects.machine.pack_downloads import PackDownloads
from workbench.subjects.machine.packs import this_platform
from workbench.subjects.machine.updates import Releases

pytestmark = pytest.mark.process
make_pack, list_packs, sign = (
    script("packs/make_pack").make_pack,
    script("packs/list_packs").list_packs,
    script("keys").sign,
)


class Place:
    """Where packs are listed, and the program that asks."""

    def __init__(self, hub: FakeHub, chosen: Chosen, home: Home, private: bytes, folder: Path) -> None:
        self.hub, self.home, self._chosen, self._private, self._folder = hub, home, chosen, private, folder
        self.gate = Gate(lambda purpose: purpose == "update")

    def publish(self, name: str, base: str = BASE, platform: str = "", library: bytes = b"\x7fELF") -> Path:
        (self._folder / f"{name}.so").write_bytes(library)
        pack: Path = make_pack(
            "vulkan", [self._folder / f"{name}.so"], self._private, self._folder / "made", base=base,
            platform=platform, name=name,
        )  # fmt: skip
        self.hub.files[f"/{pack.name}"] = pack.read_bytes()
        return pack

    def announce(self, *packs: Path, private: bytes | None = None) -> None:
        self.hub.files["/packs.json"] = list_packs(list(packs))
        self.hub.files["/packs.json.sig"] = sign(private or self._private, self.hub.files["/packs.json"]).encode()

    def ask(self, call: calls.FindPacks | calls.DownloadPack) -> calls.PackOffers | calls.RuntimeState:
        tree = Installation(kind="deb", version="1.0.0", platform="x", source=f"{self.hub.url}/latest.json")
        downloads = PackDownloads(Releases(self.home, self.gate, lambda: tree), self._chosen.packs, lambda: BASE)
        return result_of(call, downloads.handlers()[type(call)](call, RequestContext()))


@pytest.fixture
def place(home: Home, packs_key: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    chosen = Chosen(home, packs_key, tmp_path, monkeypatch)
    hub = FakeHub()
    with serving(hub) as url:
        hub.url = url
        yield Place(hub, chosen, home, packs_key, tmp_path)
    chosen.database.close()


def test_the_packs_for_this_program_are_offered_and_one_is_installed_and_tried(place: Place) -> None:
    packs = [
        place.publish("works"),
        place.publish("newer", base="llama-cpp-python 9.9"),
        place.publish("other", platform="beos-m68k"),
    ]
    place.announce(*packs)
    found = place.ask(calls.FindPacks())
    assert isinstance(found, calls.PackOffers)
    assert [(one.name, one.backend, one.platform) for one in found.packs] == [("works", "vulkan", this_platform())]
    assert found.packs[0].bytes == packs[0].stat().st_size
    state = place.ask(calls.DownloadPack(name="works"))
    assert isinstance(state, calls.RuntimeState)
    assert state.choice.pack == "works"
    assert list(place.home.updates.glob("*.pack*")) == []
    with pytest.raises(UserError, match=r"'newer' is offered for this program\. Those offered: works"):
        place.ask(calls.DownloadPack(name="newer"))


def test_a_pack_of_another_content_than_listed_is_not_installed(place: Place) -> None:
    pack = place.publish("works")
    place.announce(pack)
    place.hub.files["/works.pack"] = place.hub.files["/works.pack"][:-1] + b"!"
    with pytest.raises(UserError, match="another content than announced"):
        place.ask(calls.DownloadPack(name="works"))
    assert list(place.home.packs.glob("*")) == []


def test_a_listed_pack_needs_a_signature_of_its_own(place: Place, release_key: bytes) -> None:
    pack = make_pack("vulkan", [place.publish("works")], release_key, place.home.root / "made", base=BASE, name="works")
    place.hub.files["/works.pack"] = pack.read_bytes()
    place.announce(pack)
    with pytest.raises(UserError, match=r"The runtime pack works\.pack is not signed by anybody"):
        place.ask(calls.DownloadPack(name="works"))
    assert list(place.home.packs.glob("*")) == []


def test_a_list_signed_for_versions_is_refused(place: Place, release_key: bytes) -> None:
    place.announce(place.publish("works"), private=release_key)
    with pytest.raises(UserError, match="The list of runtime packs is not signed by anybody"):
        place.ask(calls.FindPacks())


def test_nothing_is_asked_while_the_network_is_off(place: Place) -> None:
    place.announce(place.publish("works"))
    place.gate = Gate(lambda purpose: False, lambda host, port: pytest.fail("looked up"))
    place.hub.url = "https://packs.example"
    with pytest.raises(UserError, match="switched off"):
        place.ask(calls.FindPacks())
    assert place.hub.asked == []
