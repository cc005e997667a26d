"""Wheels: what is taken of one, what is refused, and which ones go together."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.fake_hub import FakeHub, serving
from tests.wheels import make_wheel, serve_wheels
from workbench.api.protocol import RequestContext
from workbench.base.errors import Cancelled, UserError
from workbench.network.gate import Gate, Offline
from workbench.subjects.machine.wheel_resolution import installed_packages, resolve
from workbench.subjects.machine.wheel_sources import FolderSource, IndexSource
from workbench.subjects.machine.wheels import read_content, unpack_wheel


def unpack(path: Path, folder: Path, context: RequestContext | None = None) -> int:
    sizes: list[int] = []
    unpack_wheel(path, folder, context or RequestContext(), sizes.append)
    return sum(sizes)


def names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_packages_are_unpacked_and_what_is_only_for_compiling_or_starting_is_not(tmp_path: Path) -> None:
    files = {
        "torch/__init__.py": b"x = 1\n",
        "torch/include/torch.h": b"#pragma once\n",
        "torch/lib/libtorch.a": b"archive",
        "torch/bin/ptxas": b"\x7fELF",
        "torch-1.0.data/platlib/torch/native.so": b"\x7fELF",
        "torch-1.0.data/scripts/torchrun": b"#!python\n",
        "torch/vendored-1.dist-info/METADATA": b"Name: another\nRequires-Dist: nothing-that-is-there\n",
        "torch/vendored-1.dist-info/RECORD": b"other.py,sha256=wrong,1\n",
    }
    wheel = make_wheel(tmp_path, "torch", "1.0", ["sympy>=1"], files=files)
    out = tmp_path / "out"
    with zipfile.ZipFile(wheel) as packed:
        content = read_content(wheel.name, packed)
    assert unpack(wheel, out) == content.bytes
    found = names(out)
    assert {"torch/__init__.py", "torch/native.so", "torch/bin/ptxas", "torch-1.0.dist-info/METADATA"} <= found
    assert not {"torch/include/torch.h", "torch/lib/libtorch.a"} & found
    assert not any("torchrun" in name for name in found)
    assert len(found) == content.files
    assert (out / "torch/bin/ptxas").stat().st_mode & 0o100
    assert list(map(str, content.requirements)) == ["sympy>=1"]


@pytest.mark.parametrize("name", ["../evil.py", "a/../../evil.py", "/evil.py"])
def test_a_wheel_that_would_write_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    wheel = make_wheel(tmp_path / "in", "a", "1", files={"a/__init__.py": b"", name: b"evil"})
    with pytest.raises(UserError, match="outside of its folder"):
        unpack(wheel, tmp_path / "out")
    assert not (tmp_path / "evil.py").exists()


def test_a_file_with_another_content_than_recorded_is_refused(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, "a", "1", record={"a/__init__.py": "x" * 43})
    with pytest.raises(UserError, match="another content than the wheel records"):
        unpack(wheel, tmp_path / "out")


def test_what_is_no_wheel_is_said(tmp_path: Path) -> None:
    broken = make_wheel(tmp_path, "a", "1")
    broken.write_bytes(broken.read_bytes()[:200])
    (choice,) = FolderSource(tmp_path).wheels("a")
    with pytest.raises(UserError, match=r"a-1-py3-none-any\.whl is damaged, or no wheel"):
        FolderSource(tmp_path).content(choice)
    with pytest.raises(UserError, match="damaged, or no wheel"):
        unpack(broken, tmp_path / "out")


def test_unpacking_stops_when_it_is_cancelled(tmp_path: Path) -> None:
    context = RequestContext()
    context.cancel()
    with pytest.raises(Cancelled):
        unpack(make_wheel(tmp_path, "a", "1"), tmp_path / "out", context)


# -- what goes together -----------------------------------------------------------------------------------


def chosen(folder: Path, *wanted: str, installed: dict[str, str] | None = None) -> dict[str, str]:
    found = resolve(list(map(Requirement, wanted)), FolderSource(folder), installed or {}, RequestContext())
    return {choice.wheel.name: str(choice.wheel.version) for choice in found}


def test_the_newest_of_each_package_is_chosen_with_what_it_needs(tmp_path: Path) -> None:
    make_wheel(tmp_path, "trainer", "1.0")
    make_wheel(tmp_path, "trainer", "1.10", ["maths>=2", 'other; sys_platform == "nowhere"', 'more; extra == "all"'])
    make_wheel(tmp_path, "maths", "2.0")
    make_wheel(tmp_path, "maths", "3.0", python=">=99")
    make_wheel(tmp_path, "more", "1")
    assert chosen(tmp_path, "trainer") == {"trainer": "1.10", "maths": "2.0"}
    assert chosen(tmp_path, "trainer[all]") == {"trainer": "1.10", "maths": "2.0", "more": "1"}
    assert chosen(tmp_path, "trainer<1.5") == {"trainer": "1.0"}


def test_two_that_need_the_same_package_agree_on_one(tmp_path: Path) -> None:
    make_wheel(tmp_path, "a", "1", ["shared>=1"])
    make_wheel(tmp_path, "b", "1", ["shared<2"])
    make_wheel(tmp_path, "shared", "1.5")
    make_wheel(tmp_path, "shared", "2.5")
    assert chosen(tmp_path, "a", "b") == {"a": "1", "b": "1", "shared": "1.5"}


def test_packages_of_the_program_stay_and_an_older_wheel_is_taken_that_goes_with_them(tmp_path: Path) -> None:
    make_wheel(tmp_path, "a", "2", ["numpy>=3"])
    make_wheel(tmp_path, "a", "1", ["numpy>=2"])
    assert chosen(tmp_path, "a", installed={"numpy": "2.4"}) == {"a": "1"}
    with pytest.raises(UserError, match=r"a needs numpy>=3, and the program has numpy 1\.0"):
        chosen(tmp_path, "a>=2", installed={"numpy": "1.0"})


def test_what_is_missing_in_a_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="holds no wheels"):
        FolderSource(tmp_path)
    make_wheel(tmp_path, "a", "1", ["b"])
    with pytest.raises(UserError, match="holds no wheel of b"):
        chosen(tmp_path, "a")
    make_wheel(tmp_path, "b", "1", tags="cp27-cp27m-win32")
    with pytest.raises(UserError, match=r"b-1-cp27-cp27m-win32\.whl is for another system or Python"):
        chosen(tmp_path, "a")


def test_versions_that_never_go_together_are_said(tmp_path: Path) -> None:
    make_wheel(tmp_path, "a", "1", ["shared<2"])
    make_wheel(tmp_path, "shared", "2")
    with pytest.raises(UserError, match="a needs shared<2"):
        chosen(tmp_path, "a")


def test_an_index_is_asked_through_the_gate_and_only_the_ends_of_its_wheels_are_fetched(tmp_path: Path) -> None:
    big = {f"a/data{n}.bin": bytes(range(256)) * 4096 for n in range(3)}
    wheel = make_wheel(tmp_path, "a", "1", ["b"], files={"a/__init__.py": b"", **big})
    with zipfile.ZipFile(wheel, "a", zipfile.ZIP_STORED) as packed:
        packed.writestr("a-1.data/data/large.bin", bytes(1 << 20))
    own = make_wheel(tmp_path, "b", "1")
    another = make_wheel(tmp_path / "others", "b", "2+cpu")
    hub = FakeHub()
    serve_wheels(hub, wheel, own)
    serve_wheels(hub, another, under="/torch")
    with serving(hub) as address:
        asked: list[str] = []
        source = IndexSource(
            Gate(lambda purpose: False), f"{address}/simple", RequestContext(), {"b": f"{address}/torch"}, asked.append
        )
        found = resolve([Requirement("a")], source, {}, RequestContext())
    assert [(choice.wheel.name, str(choice.wheel.version)) for choice in found] == [("a", "1"), ("b", "2+cpu")]
    assert found[0].content.bytes > 3 << 20
    assert {"a", "b"} <= set(asked)
    fetched = sum(count for count, (path, *_) in zip(hub.sent, hub.asked, strict=True) if path.endswith(wheel.name))
    assert fetched < wheel.stat().st_size / 2


def test_where_the_index_of_one_package_fails_it_is_said_what_else_there_is() -> None:
    with serving(FakeHub()) as address:
        other = {"torch": f"{address}/torch"}
        source = IndexSource(Gate(lambda purpose: False), f"{address}/simple", RequestContext(), other)
        with pytest.raises(UserError, match=r"has no torch.*for the processor") as raised:
            source.wheels("torch")
    assert "folder of wheels" in raised.value.hint


def test_nothing_is_asked_while_the_network_is_off() -> None:
    source = IndexSource(Gate(lambda purpose: False), "https://index.example/simple", RequestContext())
    with pytest.raises(Offline):
        source.wheels("torch")


def test_the_packages_of_the_program_are_those_that_it_needs() -> None:
    found = installed_packages()
    assert {"numpy", "tokenizers", "huggingface-hub", "packaging"} <= set(found)
    assert "pytest" not in found
