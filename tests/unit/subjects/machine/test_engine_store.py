"""Engines on the disk: from wheels, folders and packs, whole or not at all, and refused with the reason."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

import pytest

from tests.engine_folders import for_processor, library_of, make_engine, make_wheel
from tests.unit.packaging.scripts import script
from workbench.api.protocol import RequestContext
from workbench.base.errors import Cancelled, UserError
from workbench.records.runtime import MANIFEST
from workbench.subjects.machine.engine_store import EngineStore, binary_kind
from workbench.subjects.machine.packs import this_platform
from workbench.workers.engine_check import used_names

keys = script("keys")
make_pack = script("packs/make_pack").make_pack


@pytest.fixture
def store(tmp_path: Path) -> EngineStore:
    return EngineStore(tmp_path / "engines", dict)


def left_behind(store: EngineStore) -> list[str]:
    return sorted(one.name for one in store.folder.iterdir()) if store.folder.exists() else []


def test_a_wheel_becomes_a_folder_whose_manifest_names_every_file(store: EngineStore, tmp_path: Path) -> None:
    reports: list[tuple[int, int]] = []
    wheel = make_wheel(tmp_path, "0.99.1")
    manifest = store.add_wheel(wheel, RequestContext(), lambda done, total: reports.append((done, total)))
    assert (manifest.name, manifest.base, manifest.source) == ("0.99.1", "llama-cpp-python 0.99.1", wheel.name)
    assert manifest.platform == this_platform()
    assert reports[-1][0] == reports[-1][1] > 1_000_000
    assert (store.place("0.99.1") / manifest.library).is_file()
    assert [one.name for one in store.list_engines()] == ["0.99.1"]
    store.check_unchanged(manifest)
    assert not store.is_signed("0.99.1")


def test_a_changed_file_is_noticed_by_its_size_at_once_and_by_its_content_at_the_next_test(
    store: EngineStore, tmp_path: Path
) -> None:
    manifest = store.add_folder(make_engine(tmp_path / "engine"), RequestContext())
    library = store.place(manifest.name) / manifest.library
    content = library.read_bytes()
    library.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    store.check_usable(manifest)
    with pytest.raises(UserError, match="was changed"):
        store.check_unchanged(manifest)
    library.write_bytes(content[:-1])
    with pytest.raises(UserError, match="was changed"):
        store.check_usable(manifest)


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("llama_cpp_python-0.9-py3-none-manylinux_2_17_aarch64.whl", "is for manylinux_2_17_aarch64; this is "),
        ("llama_cpp_python-0.9-py3-none-win32.whl", "is for win32; this is "),
        ("llama_cpp_python-0.9-cp27-cp27m-any.whl", "with Python 3"),
        ("another_package-0.9-py3-none-any.whl", "is a wheel of another-package, not of llama-cpp-python"),
        ("engine.whl", "is not the name of a wheel"),
        ("llama_cpp_python-0.9-py3-none-any.whl", "is damaged, or no wheel"),
    ],
)
def test_a_wheel_for_another_system_or_of_another_package_is_refused(
    store: EngineStore, tmp_path: Path, name: str, problem: str
) -> None:
    (tmp_path / name).write_bytes(b"no zip file")
    with pytest.raises(UserError, match=problem):
        store.add_wheel(tmp_path / name, RequestContext())
    assert left_behind(store) == []


def test_a_wheel_whose_library_is_for_another_processor_than_its_name_says_is_refused(
    store: EngineStore, tmp_path: Path
) -> None:
    if sys.platform != "linux":
        pytest.skip("the header of a Linux library is changed")
    number, name = (183, "arm64") if this_platform().endswith("x86_64") else (62, "x86_64")
    wheel = make_wheel(tmp_path, "0.99.2", for_processor(number))
    with pytest.raises(UserError, match=f"is for Linux on {name}; this is {this_platform()}"):
        store.add_wheel(wheel, RequestContext())
    assert left_behind(store) == []


def test_a_wheel_without_a_library_is_refused(store: EngineStore, tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, "0.99.3", lambda package: library_of(package).unlink())
    with pytest.raises(UserError, match=r"has no library of llama\.cpp for"):
        store.add_wheel(wheel, RequestContext())
    assert left_behind(store) == []


def test_a_wheel_with_another_content_than_it_records_leaves_the_older_engine(
    store: EngineStore, tmp_path: Path
) -> None:
    wheel = make_wheel(tmp_path, "0.99.4")
    before = store.add_wheel(wheel, RequestContext())
    with zipfile.ZipFile(wheel) as packed:
        content = {name: packed.read(name) for name in packed.namelist()}
    content["llama_cpp/llama_cpp.py"] += b"\n# changed\n"
    with zipfile.ZipFile(wheel, "w") as packed:
        for name, data in content.items():
            packed.writestr(name, data)
    with pytest.raises(UserError, match="has another content than the wheel records"):
        store.add_wheel(wheel, RequestContext())
    store.check_unchanged(before)
    assert left_behind(store) == ["0.99.4"]


@pytest.mark.parametrize("name", ["llama_cpp/../../outside.py", "llama_cpp/a:b.py"])
def test_a_wheel_that_would_write_outside_is_refused(store: EngineStore, tmp_path: Path, name: str) -> None:
    wheel = make_wheel(tmp_path, "0.99.5")
    with zipfile.ZipFile(wheel, "a") as packed:
        packed.writestr(name, b"x")
    with pytest.raises(UserError, match="outside of its folder"):
        store.add_wheel(wheel, RequestContext())
    assert not (tmp_path / "outside.py").exists()


def test_a_stopped_installation_leaves_nothing(store: EngineStore, tmp_path: Path) -> None:
    context = RequestContext()
    with pytest.raises(Cancelled):
        store.add_wheel(make_wheel(tmp_path, "0.99.6"), context, lambda done, total: context.cancel())
    assert left_behind(store) == []


def test_a_folder_that_is_no_engine_is_refused(store: EngineStore, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="holds no folder llama_cpp"):
        store.add_folder(tmp_path, RequestContext())


def test_what_a_killed_process_left_is_removed(store: EngineStore, tmp_path: Path) -> None:
    store.add_folder(make_engine(tmp_path / "engine", version="1.0"), RequestContext())
    for name in (".unfinished-2.0", ".staged-2.0", ".removed-3.0", ".replaced-1.0", ".build", ".downloads"):
        (store.folder / name / "llama_cpp").mkdir(parents=True)
    assert [one.name for one in store.list_engines()] == ["1.0"]
    store.clean()
    assert left_behind(store) == ["1.0"]
    store.place("1.0").rename(store.folder / ".replaced-1.0")  # killed before another one took its place
    store.clean()
    assert left_behind(store) == ["1.0"]
    store.remove("1.0")
    assert left_behind(store) == []
    with pytest.raises(UserError, match=r"There is no engine '1\.0'"):
        store.remove("1.0")


def test_an_engine_comes_as_a_signed_pack_and_is_no_runtime_pack(tmp_path: Path) -> None:
    private, public = keys.new_pair()
    store = EngineStore(tmp_path / "engines", lambda: {"maker": public})
    path = script("packs/make_engine_pack").make_engine_pack(make_wheel(tmp_path, "0.99.7"), private, tmp_path)
    manifest = store.add_pack(path)
    assert (manifest.backend, manifest.base, store.is_signed(manifest.name)) == (
        "engine",
        "llama-cpp-python 0.99.7",
        True,
    )
    store.check_unchanged(manifest)
    assert (store.place(manifest.name) / "llama_cpp" / "__init__.py").is_file()
    place = store.place(manifest.name) / "manifest.json"
    place.write_bytes(place.read_bytes() + b"\n")
    with pytest.raises(UserError, match=r"The engine .* is not signed by anybody that this program trusts"):
        store.check_unchanged(manifest)


def test_a_runtime_pack_is_no_engine(tmp_path: Path) -> None:
    private, public = keys.new_pair()
    store = EngineStore(tmp_path / "engines", lambda: {"maker": public})
    (tmp_path / "libggml-vulkan.so").write_bytes(b"x")
    path = make_pack(
        "vulkan", [tmp_path / "libggml-vulkan.so"], private, base="any", platform=this_platform(), out=tmp_path
    )
    with pytest.raises(UserError, match="is a runtime pack, not an engine"):
        store.add_pack(path)
    assert left_behind(store) == []


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (b"\x7fELF\x02\x01" + bytes(12) + (62).to_bytes(2, "little"), ("linux", "x86_64")),
        (b"\x7fELF\x02\x01" + bytes(12) + (183).to_bytes(2, "little"), ("linux", "arm64")),
        (b"MZ" + bytes(58) + (64).to_bytes(4, "little") + b"PE\0\0\x64\x86", ("win32", "x86_64")),
        (b"\xcf\xfa\xed\xfe" + (0x0100000C).to_bytes(4, "little"), ("darwin", "arm64")),
        (b"\xca\xfe\xba\xbe", ("darwin", "")),
        (b"MZ", ("", "")),
        (b"", ("", "")),
    ],
)
def test_the_header_of_a_library_tells_system_and_processor(
    tmp_path: Path, start: bytes, kind: tuple[str, str]
) -> None:
    (tmp_path / "library").write_bytes(start)
    assert binary_kind(tmp_path / "library") == kind


def test_the_names_that_the_program_uses_are_found_in_its_source() -> None:
    functions, attributes = used_names()
    assert {"llama_decode", "llama_encode", "llama_set_adapters_lora", "LLAMA_POOLING_TYPE_MEAN"} <= functions
    assert {"n_ctx", "flash_attn_type", "n_gpu_layers"} <= attributes
    assert not {"add", "append", "_lib"} & functions


def test_a_manifest_of_an_engine_is_read_as_it_was_written(store: EngineStore, tmp_path: Path) -> None:
    manifest = store.add_folder(make_engine(tmp_path / "engine"), RequestContext())
    assert MANIFEST.get((store.place(manifest.name) / "manifest.json").read_bytes()) == manifest
