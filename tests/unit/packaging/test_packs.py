"""Runtime packs as files: what is not signed, not whole or not for this program is never unpacked."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from tests.unit.packaging.scripts import script
from workbench.base.errors import UserError
from workbench.base.paths import Home
from workbench.records.runtime import MANIFEST, PackFile, PackManifest
from workbench.subjects.machine.packs import (
    MANIFEST_FILE,
    check_installed,
    install_pack,
    list_packs,
    missing_driver,
    remove_pack,
    this_platform,
)
from workbench.subjects.machine.signatures import trusted_keys

BASE = "llama-cpp-python 1.2.3"
make_pack, write_pack = script("packs/make_pack").make_pack, script("packs/make_pack").write_pack


@pytest.fixture
def keys(home: Home, packs_key: bytes) -> dict[str, bytes]:
    return trusted_keys("packs", home.trusted_keys)


@pytest.fixture
def library(tmp_path: Path) -> Path:
    path = tmp_path / "libggml-vulkan.so"
    path.write_bytes(b"\x7fELF" + bytes(range(256)) * 40)
    return path


@pytest.fixture
def pack(tmp_path: Path, library: Path, packs_key: bytes) -> Path:
    made: Path = make_pack("vulkan", [library], packs_key, tmp_path / "made", base=BASE)
    return made


def changed(pack: Path, name: str, change: Callable[[bytes], bytes]) -> Path:
    """The pack with another content of an entry."""
    with zipfile.ZipFile(pack) as packed:
        contents = {entry: packed.read(entry) for entry in packed.namelist()}
    contents[name] = change(contents[name])
    with zipfile.ZipFile(pack, "w") as packed:
        for entry, content in contents.items():
            packed.writestr(entry, content)
    return pack


def refused(pack: Path, home: Home, keys: dict[str, bytes], base: str = BASE) -> str:
    with pytest.raises(UserError) as raised:
        install_pack(pack, home.packs, keys, base)
    assert list(home.packs.glob("*")) == []
    return str(raised.value)


def test_a_pack_is_unpacked_whole_and_found_again(
    pack: Path, library: Path, home: Home, keys: dict[str, bytes]
) -> None:
    manifest = install_pack(pack, home.packs, keys, BASE)
    assert (home.packs / manifest.name / manifest.library).read_bytes() == library.read_bytes()
    assert list_packs(home.packs) == [manifest]
    check_installed(home.packs, manifest, keys)
    assert install_pack(pack, home.packs, keys, BASE) == manifest  # again, over itself
    remove_pack(home.packs, manifest.name)
    assert list_packs(home.packs) == []
    with pytest.raises(UserError, match="There is no runtime pack 'vulkan'"):
        remove_pack(home.packs, "vulkan")


def test_a_changed_library_is_refused(pack: Path, home: Home, keys: dict[str, bytes]) -> None:
    changed(pack, "libggml-vulkan.so", lambda content: content[:-1] + b"!")
    assert "another content than its manifest says" in refused(pack, home, keys)


def test_a_damaged_pack_does_not_replace_the_installed_one(pack: Path, home: Home, keys: dict[str, bytes]) -> None:
    manifest = install_pack(pack, home.packs, keys, BASE)
    changed(pack, "libggml-vulkan.so", lambda content: content[:-1] + b"!")
    with pytest.raises(UserError):
        install_pack(pack, home.packs, keys, BASE)
    check_installed(home.packs, manifest, keys)
    assert [one.name for one in home.packs.iterdir()] == [manifest.name]


def test_a_longer_library_is_refused_before_it_fills_the_disk(pack: Path, home: Home, keys: dict[str, bytes]) -> None:
    changed(pack, "libggml-vulkan.so", lambda content: content + b"!")
    assert "longer than announced" in refused(pack, home, keys)


def test_a_changed_manifest_is_refused(pack: Path, home: Home, keys: dict[str, bytes]) -> None:
    changed(pack, MANIFEST_FILE, lambda content: content.replace(b"1.2.3", b"1.2.4"))
    assert "not signed by anybody" in refused(pack, home, keys, "llama-cpp-python 1.2.4")


def test_a_pack_of_another_llama_cpp_is_refused_with_both(pack: Path, home: Home, keys: dict[str, bytes]) -> None:
    said = refused(pack, home, keys, "llama-cpp-python 2.0.0")
    assert BASE in said
    assert "2.0.0" in said


def test_without_a_trusted_key_nothing_is_opened(pack: Path, home: Home) -> None:
    assert "has no key for it" in refused(pack, home, {})


def test_a_key_for_versions_signs_no_packs(
    tmp_path: Path, library: Path, home: Home, release_key: bytes, keys: dict[str, bytes]
) -> None:
    pack = make_pack("vulkan", [library], release_key, tmp_path / "other", base=BASE)
    assert "not signed by anybody that this program trusts (release.packs)" in refused(pack, home, keys)


def test_a_pack_for_another_system_is_refused(
    tmp_path: Path, library: Path, home: Home, packs_key: bytes, keys: dict[str, bytes]
) -> None:
    pack = make_pack("vulkan", [library], packs_key, tmp_path / "other", base=BASE, platform="beos-m68k")
    assert f"is for beos-m68k; this is {this_platform()}" in refused(pack, home, keys)


@pytest.mark.parametrize("name", ["../outside.so", "/etc/outside.so", "a/../../b.so", "a\\b.so", "C:x.so"])
def test_a_name_that_leads_elsewhere_is_refused(
    name: str, tmp_path: Path, home: Home, packs_key: bytes, keys: dict[str, bytes]
) -> None:
    file = PackFile(name, 1, "0" * 64)
    manifest = PackManifest(
        name="evil", backend="vulkan", base=BASE, platform=this_platform(), library=name, files=(file,)
    )
    (content := tmp_path / "content").write_bytes(b"x")
    pack = write_pack(manifest, {"x": content}, packs_key, tmp_path / "evil")
    assert "cannot be read" in refused(pack, home, keys)


def test_what_is_no_zip_file_or_cut_short_is_refused(pack: Path, home: Home, keys: dict[str, bytes]) -> None:
    whole = pack.read_bytes()
    for content in (b"", b"PK", whole[: len(whole) // 2], os.urandom(2000)):
        pack.write_bytes(content)
        assert "not a runtime pack, or it is damaged" in refused(pack, home, keys)


def test_a_library_that_was_changed_after_the_installation_is_noticed(
    pack: Path, home: Home, keys: dict[str, bytes]
) -> None:
    manifest = install_pack(pack, home.packs, keys, BASE)
    (home.packs / manifest.name / manifest.library).write_bytes(b"other")
    with pytest.raises(UserError, match="was changed"):
        check_installed(home.packs, manifest, keys)


def test_a_manifest_of_a_later_format_is_refused(pack: Path) -> None:
    with zipfile.ZipFile(pack) as packed:
        plain = msgspec.json.decode(packed.read(MANIFEST_FILE))
    with pytest.raises(UserError, match="newer version of LLM Workbench"):
        MANIFEST.get({**plain, "format": 99})


@pytest.mark.parametrize(
    ("minimum", "found", "problem"),
    [
        ("", "", "No driver for Vulkan"),
        ("", "1.3", ""),
        ("535.54", "535.54.03", ""),
        ("535.54", "535.9", "this pack needs 535.54"),
        ("535.54", "550.1", ""),
    ],
)
def test_the_driver_must_be_there_and_new_enough(minimum: str, found: str, problem: str) -> None:
    manifest = PackManifest(
        name="v", backend="vulkan", base=BASE, platform=this_platform(), library="a.so",
        files=(PackFile("a.so", 1, "0" * 64),), minimum_driver=minimum,
    )  # fmt: skip
    said = missing_driver(manifest, found)
    assert (problem in said) if problem else said == ""
